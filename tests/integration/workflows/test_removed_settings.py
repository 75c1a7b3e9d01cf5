"""A setting of an earlier version that is still set has no effect, stops nothing, and is named."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from ground.post import KEY

from config.settings import Settings
from engine.accounts.signed_links import Signer
from engine.admin.settings_view import FACT, USE, read_entered
from engine.store.database import Database
from engine.store.facts import write_fact
from workflows.operation import doctor
from workflows.run.system import System, announce_removed_settings, compose


def system_of(database: Database, folder: Path) -> System:
    url = database.bind.url.render_as_string(hide_password=False)
    settings = Settings(data_dir=folder, database_url=url, secret=KEY, prefect=False)  # type: ignore[arg-type]
    return compose(settings)


def said(system: System, caplog: pytest.LogCaptureFixture) -> list[str]:
    with caplog.at_level(logging.WARNING):
        announce_removed_settings(system)
    return caplog.messages


def test_what_environment_and_file_still_set_is_named_with_what_holds_instead(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DONDOC_SMTP_TIMEOUT", "nonsense")
    Path(".env").write_text("DONDOC_IMAP_FOLDER=Tra-loi\nDONDOC_LANGUAGE_OF_NOBODY=1\n")
    system = system_of(sqlite_database, tmp_path)
    assert said(system, caplog) == [
        "DONDOC_SMTP_TIMEOUT không còn tác dụng; nay: chờ máy chủ gửi thư 30 giây. / "
        "DONDOC_SMTP_TIMEOUT has no effect any more; now: the relay is waited for 30 seconds.",
        "DONDOC_IMAP_FOLDER không còn tác dụng; nay: thư mục INBOX. / "
        "DONDOC_IMAP_FOLDER has no effect any more; now: the folder INBOX.",
    ]
    line = next(line for line in doctor.examine(system, connections=False) if line.name == "settings")
    assert (line.sign, "DONDOC_SMTP_TIMEOUT" in line.what.vi, "INBOX" in line.what.en) == ("–", True, True)


def test_what_was_entered_on_a_page_stays_stored_unread_and_is_named(
    sqlite_database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    signer, entered = Signer(KEY), {"sms_sender": "TINH", "sms_part_price": 350}
    with sqlite_database.write() as session:
        write_fact(session, FACT, signer.seal(USE, entered))
    system = system_of(sqlite_database, tmp_path)
    assert system.settings.sms_sender == "TINH"
    assert [line.partition(" ")[0] for line in said(system, caplog)] == ["DONDOC_SMS_PART_PRICE"]
    assert read_entered(sqlite_database, signer).values == entered


def test_where_nothing_is_left_of_earlier_versions_nothing_is_said(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    system = system_of(sqlite_database, tmp_path)
    assert said(system, caplog) == []
    assert "settings" not in {line.name for line in doctor.examine(system, connections=False)}
