"""Mail and SMS are set on a page: tried before they are saved, in force without a restart, credentials never shown."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from ground.factory import rows
from ground.office import NOW, Office, as_role, enter, join, open_office
from ground.post import KEY
from ground.smtp_server import FaultyServer

from config import SettingsRefused
from config.settings import Settings
from engine.accounts.signed_links import Signer
from engine.admin.settings_view import FACT, USE, describe_settings, open_tried, read_entered, seal_tried
from engine.queries.system.health import PREFIX
from engine.store.database import Database
from engine.store.facts import read_fact, write_fact
from engine.store.records import Event
from engine.terms import EventKind
from notifications.contract.channel import Fate, Outgoing
from notifications.email.maildir import Maildir
from notifications.email.smtp import Email
from workflows.operation import doctor
from workflows.operation.trial_letter import send_test
from workflows.run.system import Running, System, compose
from workflows.server import check_settings

PASSWORD = "mat-khau cua ho^p thu 7"
MAIL = {
    "smtp_host": "127.0.0.1",
    "smtp_security": "none",
    "smtp_username": "nhacviec",
    "smtp_password": PASSWORD,
    "mail_from": "nhacviec@tinh.example",
    "mail_from_name": "Văn phòng",
}
PAGE = "/admin/settings/mail"


@dataclass
class Installed:
    """The pages of an administrator, and the System that runs beside them."""

    office: Office
    running: Running
    released: list[System]

    def post(self, page: str = PAGE, do: str = "save", **fields: Any) -> Any:
        return self.office.post(page, page=page, do=do, **{name: str(value) for name, value in fields.items()})

    @property
    def settings(self) -> Settings:
        return self.running().settings


def install(database: Database, folder: Path, **given: Any) -> Installed:
    settings = Settings(_env_file=None, secret=KEY, prefect=False, **given)  # type: ignore[call-arg]
    settings = settings.model_copy(update={"data_dir": folder})
    system = replace(compose(settings, with_entered=False), database=database)
    released: list[System] = []
    running = Running(system, released.append)
    office = open_office(
        database,
        folder,
        open_desk=False,
        send_test=lambda to, language, by: send_test(replace(system, settings=by), to, language),
        check_settings=lambda by: check_settings(by, system),
        current=lambda: running().settings,
        **given,
    )
    enter(office, join(database, "administrator", "tinh"))
    return Installed(office, running, released)


@pytest.fixture
def installed(lived: Database, tmp_path: Path) -> Installed:
    return install(lived, tmp_path)


async def test_a_letter_is_tried_then_saved_without_typing_the_password_again(installed: Installed) -> None:
    async with FaultyServer(login=("nhacviec", PASSWORD)) as relay:
        typed = MAIL | {"smtp_port": relay.port}
        wrong = await asyncio.to_thread(installed.post, do="try", **typed | {"smtp_password": "sai"})
        assert "từ chối đăng nhập" in wrong.text
        tried = await asyncio.to_thread(installed.post, do="try", **typed)
        assert "Đã nhận để chuyển" in tried.text
        assert "queued as" in tried.text
        assert [each.recipient for each in relay.taken] == ["administrator@tinh.example"]
        assert PASSWORD not in tried.text
        assert not installed.settings.smtp_host, "only tried"
        kept = BeautifulSoup(tried.text, "lxml").select_one("input[name=tried]")["value"]  # type: ignore[index]
        saved = await asyncio.to_thread(installed.post, **typed | {"smtp_password": "", "tried": kept})
        assert saved.status_code == 303
        page = await asyncio.to_thread(installed.office.get, saved.headers["location"])
        assert "không phải khởi động lại" in page.text

        system = installed.running()
        assert system.settings.smtp_password.get_secret_value() == PASSWORD
        channel = system.delivery.channels["email"]
        async with channel as opened:
            outcome = await opened.send(Outgoing(key="k", to="so@tinh.example", text="Chào\n", at=NOW, subject="Nhắc"))
        assert outcome.fate is Fate.ACCEPTED
        assert relay.taken[-1].sender == "nhacviec@tinh.example"
        assert (await asyncio.to_thread(doctor.smtp, system)).mark == "well"
    assert [each.settings.smtp_host for each in installed.released] == ["127.0.0.1"], "kept letters may leave"


def test_nothing_of_a_credential_is_on_a_page_in_the_log_or_readable_in_the_database(installed: Installed) -> None:
    assert installed.post(**MAIL, smtp_port=2525).status_code == 303
    sms = {"sms_gateway": "esms", "sms_username": "khoa-api-9", "sms_password": "khoa-bi-mat-9", "sms_sender": "TINH"}
    assert installed.post("/admin/settings/sms", **sms).status_code == 303
    shown = "".join(
        installed.office.get(path).text for path in (PAGE, "/admin/settings/sms", "/admin/settings", "/admin/log")
    )
    database = installed.office.context.database
    with database.read() as session:
        shown += read_fact(session, FACT) or ""
    shown += "".join(str(each.detail) for each in rows(database, Event))
    for secret in (PASSWORD, "khoa-api-9", "khoa-bi-mat-9"):
        assert secret not in shown
    assert "đã đặt, không hiện" in installed.office.get(PAGE).text
    first, second = rows(database, Event, kind=EventKind.SETTINGS_CHANGED)
    assert "smtp_host=127.0.0.1" in first.detail["changes"]
    assert "smtp_password" in first.detail["changes"]
    assert (first.actor, "sms_gateway=esms" in second.detail["changes"]) == (second.actor, True)
    assert {each.name for each in describe_settings(installed.settings) if each.source == "page"} >= {
        "DONDOC_SMTP_HOST",
        "DONDOC_SMS_GATEWAY",
    }


def test_a_password_stays_with_its_server_and_is_asked_for_again_elsewhere(installed: Installed) -> None:
    assert installed.post(**MAIL, smtp_port=2525).status_code == 303
    same = installed.post(**MAIL | {"smtp_password": "", "mail_from_name": "Sở"}, smtp_port=2525)
    assert same.status_code == 303
    assert installed.settings.smtp_password.get_secret_value() == PASSWORD
    assert installed.settings.mail_from_name == "Sở"
    for changed in ({"smtp_host": "localhost"}, {"smtp_port": 2526}, {"smtp_username": "khac"}):
        for do in ("save", "try"):
            answer = installed.post(do=do, **MAIL | {"smtp_password": "", "smtp_port": 2525} | changed)
            assert answer.status_code == 422
            assert "nhập lại" in answer.text
    assert installed.settings.smtp_host == "127.0.0.1"
    assert installed.post(smtp_security="starttls", smtp_port=587, mail_from="a@b.example").status_code == 303
    assert installed.settings.smtp_password.get_secret_value() == ""
    assert isinstance(installed.running().delivery.channels["email"], Maildir)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"smtp_port": "70000"}, "smtp_port"),
        ({"smtp_port": "x"}, "smtp_port"),
        ({"smtp_security": "sometimes"}, "smtp_security"),
        ({"smtp_host": "máy chủ"}, "smtp_host"),
        ({"smtp_host": "mail.tinh.example"}, "smtp_host"),  # a password in the clear
        ({"mail_from": "không phải hộp thư"}, "smtp_host"),
    ],
)
def test_what_will_not_do_is_said_beside_its_field_and_nothing_is_stored(
    installed: Installed, changed: dict[str, str], field: str
) -> None:
    answer = installed.post(**MAIL | {"smtp_port": "2525"} | changed)
    assert answer.status_code == 422
    assert "Input should" not in answer.text
    assert BeautifulSoup(answer.text, "lxml").select_one(f"#f-{field}[aria-invalid]")
    assert read_entered(installed.office.context.database, installed.office.context.signer).values == {}


def test_the_environment_wins_and_the_page_says_so_beside_the_field(lived: Database, tmp_path: Path) -> None:
    installed = install(lived, tmp_path, smtp_host="relay.example", smtp_password="cua-may-chu")
    page = BeautifulSoup(installed.office.get(PAGE).text, "lxml")
    for name in ("smtp_host", "smtp_port", "smtp_username", "smtp_password", "smtp_security"):
        field = page.select_one(f"#f-{name}")
        assert field is not None
        assert field.has_attr("disabled"), "the server's password goes to no host that is entered here"
    assert page.select_one("#f-mail_from[disabled]") is None
    assert "Đặt ở máy chủ" in page.select_one("#f-smtp_host-by").get_text()  # type: ignore[union-attr]
    assert installed.post(**MAIL, smtp_port=2525).status_code == 303
    assert installed.settings.smtp_host == "relay.example"
    assert installed.settings.smtp_password.get_secret_value() == "cua-may-chu"
    assert installed.settings.mail_from == "nhacviec@tinh.example"
    assert "cua-may-chu" not in installed.office.get(PAGE).text


def test_what_was_known_of_the_channel_s_trouble_is_forgotten(installed: Installed) -> None:
    with installed.office.context.database.write() as session:
        write_fact(session, f"{PREFIX}email", '{"down_since": "2021-06-24T00:00:00+00:00"}')
        write_fact(session, f"{PREFIX}sms", "{}")
    installed.post(**MAIL, smtp_port=2525)
    with installed.office.context.database.read() as session:
        assert read_fact(session, f"{PREFIX}email") is None
        assert read_fact(session, f"{PREFIX}sms") == "{}"


def test_a_process_that_runs_takes_it_and_one_that_starts_later_too(lived: Database, tmp_path: Path) -> None:
    installed = install(lived, tmp_path)
    other = Running(installed.running())
    assert isinstance(other().delivery.channels["email"], Maildir)
    stop = other().delivery.stop
    installed.post(**MAIL, smtp_port=2525)
    assert isinstance(other().delivery.channels["email"], Email)
    assert other().delivery.stop is stop, "told to stop, it still stops"
    address = lived.bind.url.render_as_string(hide_password=False)
    settings = Settings(_env_file=None, secret=KEY, data_dir=tmp_path, database_url=address)  # type: ignore[call-arg]
    begun = compose(settings)
    assert (begun.settings.smtp_host, begun.settings.smtp_port) == ("127.0.0.1", 2525)
    begun.database.dispose()


def test_a_gateway_of_an_earlier_version_stops_the_start_until_the_environment_names_another(
    lived: Database, tmp_path: Path
) -> None:
    sealed = Signer(KEY).seal(USE, {"sms_gateway": "apprise", "sms_username": "ten"})
    with lived.write() as session:
        write_fact(session, FACT, sealed)
    address = lived.bind.url.render_as_string(hide_password=False)
    given = {"_env_file": None, "secret": KEY, "data_dir": tmp_path, "database_url": address}
    with pytest.raises(SettingsRefused, match="set DONDOC_SMS_GATEWAY to kannel, gammu, esms or speedsms"):
        compose(Settings(**given))
    begun = compose(Settings(**given, sms_gateway=""))
    assert (begun.settings.sms_gateway, begun.settings.sms_username) == ("", "ten")
    begun.database.dispose()


def test_a_trial_of_another_account_gives_nothing_away(installed: Installed) -> None:
    signer = installed.office.context.signer
    sealed = seal_tried(signer, {"smtp_password": PASSWORD}, "account:1")
    assert open_tried(signer, sealed, "account:1") == {"smtp_password": PASSWORD}
    assert open_tried(signer, sealed, "account:2") == {}
    assert open_tried(signer, sealed[:-4], "account:1") == {}


@pytest.mark.parametrize(("role", "agency"), [("monitor", "so-chinh"), ("head", "so-ban"), ("leadership", "tinh")])
def test_administrators_alone(lived: Database, tmp_path: Path, role: str, agency: str) -> None:
    office = as_role(lived, tmp_path, role, agency)
    assert office.get(PAGE).status_code == 403
    assert office.post(PAGE, do="save", **MAIL).status_code == 403
