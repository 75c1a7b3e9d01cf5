"""Settings come from the environment and .env alone, once, and say every mistake at once."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest
from pydantic import ValidationError

from config import SettingsRefused
from config.about import Section
from config.settings import ABOUT, CREDENTIALS, DemoSettings, Settings, read_settings


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty folder and an environment without our settings."""
    for name in [each for each in os.environ if each.startswith("DONDOC_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_without_any_setting_it_runs_here_on_sqlite_and_sends_nothing() -> None:
    settings = read_settings()
    assert settings.database == "sqlite:///var/dondoc.db"
    assert (settings.host, settings.smtp_host, settings.maildir) == ("127.0.0.1", "", Path("var/maildir"))


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("DONDOC_PORT=9001\nDONDOC_HOST=::1\nOTHER=1\n")
    monkeypatch.setenv("DONDOC_PORT", "9002")
    settings = read_settings()
    assert (settings.port, settings.host) == (9002, "::1")


def test_every_mistake_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DONDOC_PORT", "nine")
    monkeypatch.setenv("DONDOC_SMTP_SECURITY", "maybe")
    monkeypatch.setenv("DONDOC_BASE_URL", "dondoc.example")
    with pytest.raises(SettingsRefused) as refused:
        read_settings()
    lines = str(refused.value).splitlines()
    assert [line.split(":")[0] for line in lines] == ["DONDOC_BASE_URL", "DONDOC_PORT", "DONDOC_SMTP_SECURITY"]


def test_the_gateway_of_an_earlier_version_is_refused_by_name_with_those_there_are() -> None:
    with pytest.raises(SettingsRefused) as refused:
        read_settings(sms_gateway="apprise")
    assert str(refused.value).startswith("DONDOC_SMS_GATEWAY: ")
    assert "kannel, gammu, esms or speedsms" in str(refused.value)


def test_settings_are_not_changed_after_they_are_read() -> None:
    with pytest.raises(ValidationError):
        read_settings().port = 1  # type: ignore[misc]


def test_a_base_url_ends_without_a_slash() -> None:
    assert read_settings(base_url="https://dondoc.example/").base_url == "https://dondoc.example"


def test_the_port_alone_moves_the_links_in_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DONDOC_PORT", "9002")
    assert read_settings().base_url == "http://127.0.0.1:9002"
    assert read_settings(host="0.0.0.0").base_url == "http://127.0.0.1:9002"
    assert read_settings(base_url="https://dondoc.example").base_url == "https://dondoc.example"


def test_a_demonstration_pings_nobody_and_signs_with_a_key_of_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DONDOC_SECRET", "the key of the real installation")
    monkeypatch.setenv("DONDOC_HEARTBEAT_URL", "https://watch.example/ping")
    demo = read_settings(DemoSettings, data_dir=tmp_path / "demo")
    assert demo.heartbeat_url == ""
    assert demo.signing_key() == (tmp_path / "demo" / "secret").read_text()
    assert read_settings().signing_key() == "the key of the real installation"


@pytest.mark.parametrize("value", ["*", "0.0.0.0/0", "::/0", "proxy.so.example", "10.0.0.1 10.0.0.2"])
def test_not_everybody_is_a_trusted_proxy(value: str) -> None:
    with pytest.raises(SettingsRefused, match="DONDOC_TRUSTED_PROXIES"):
        read_settings(trusted_proxies=value)


def test_trusted_proxies_are_addresses_and_networks() -> None:
    assert read_settings(trusted_proxies=" 10.1.2.3/8, ::1 ").trusted_proxies == "10.0.0.0/8,::1/128"
    assert read_settings(trusted_proxies="").trusted_proxies == ""


def test_secrets_do_not_show_when_settings_are_printed() -> None:
    shown = repr(read_settings(secret="S3CRET-1", smtp_password="S3CRET-2"))
    assert "S3CRET" not in shown


def test_every_setting_says_what_it_is_for() -> None:
    assert [name for name in Settings.model_fields if not (ABOUT[name].vi and ABOUT[name].en)] == []


def test_fields_of_a_section_stand_together_in_the_order_of_the_sections() -> None:
    order = [about.section for about in ABOUT.values()]
    assert order == sorted(order, key=list(Section).index)


def test_a_credential_stays_with_the_server_that_it_is_sent_to() -> None:
    relay = ("smtp_host", "smtp_port", "smtp_security", "smtp_username", "smtp_password")
    gateway = ("sms_gateway", "sms_url", "sms_username", "sms_password")
    assert {"smtp_password": relay} | dict.fromkeys(("sms_url", "sms_username", "sms_password"), gateway) == CREDENTIALS


@pytest.mark.parametrize(
    ("typed", "server"),
    [
        ("imap.so.example", ("imap.so.example", 993)),
        ("imap.so.example:143", ("imap.so.example", 143)),
        ("[::1]:1143", ("::1", 1143)),
    ],
)
def test_the_mailbox_server_may_name_its_port(typed: str, server: tuple[str, int]) -> None:
    assert read_settings(imap_host=typed).mailbox_server == server


@pytest.mark.parametrize("typed", ["imap.so.example:x", "imap.so.example:0", ":993", "imap.so.example:70000"])
def test_a_mailbox_server_without_a_name_or_a_port_is_refused(typed: str) -> None:
    with pytest.raises(SettingsRefused, match="DONDOC_IMAP_HOST"):
        read_settings(imap_host=typed)


def test_the_signing_key_is_made_once_and_read_by_its_owner_alone() -> None:
    settings = read_settings(data_dir=Path("data"))
    assert settings.signing_key() == settings.signing_key() == read_settings(data_dir=Path("data")).signing_key()
    assert stat.S_IMODE(Path("data/secret").stat().st_mode) == 0o600
    assert [each.name for each in Path("data").iterdir()] == ["secret"]


def test_a_signing_key_that_is_given_is_not_written_anywhere() -> None:
    assert read_settings(secret="given", data_dir=Path("data")).signing_key() == "given"
    assert not Path("data").exists()


def test_two_processes_that_start_together_agree_on_the_key() -> None:
    start, keys = threading.Barrier(8), []

    def begin() -> None:
        start.wait()
        keys.append(read_settings(data_dir=Path("data")).signing_key())

    threads = [threading.Thread(target=begin) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(keys) == 8
    assert len(set(keys)) == 1
