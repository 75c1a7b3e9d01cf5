"""The address that links in letters begin with, entered on a page: letters and host names follow at once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from ground.factory import rows
from ground.office import NOW, Office, as_role, enter, join, open_office
from ground.post import KEY

from config.settings import ENTERED, Settings
from engine.admin.settings_view import save
from engine.store.database import Database
from engine.store.records import Event
from engine.terms import EventKind
from notifications.letters.template_check import samples
from workflows.run.system import Running, compose

PAGE = "/admin/settings/address"
NEW = "https://nhacviec.tinh.example"


def install(database: Database, folder: Path, **given: object) -> tuple[Office, Running]:
    settings = Settings(_env_file=None, secret=KEY, prefect=False, **given)  # type: ignore[call-arg, arg-type]
    settings = settings.model_copy(update={"data_dir": folder})
    running = Running(replace(compose(settings, with_entered=False), database=database))
    office = open_office(database, folder, open_desk=False, current=lambda: running().settings)
    return enter(office, join(database, "administrator", "tinh")), running


def test_letters_and_host_names_follow_at_once(lived: Database, tmp_path: Path) -> None:
    office, running = install(lived, tmp_path)
    assert office.client.get("/sign-in", headers={"host": "nhacviec.tinh.example"}).status_code == 400
    answer = office.post(PAGE, page=PAGE, base_url=f"{NEW}/")
    assert answer.headers["location"] == f"{PAGE}?said=saved"
    assert running().settings.base_url == NEW
    assert running().delivery.renderer.settings.base_url == NEW
    assert office.client.get("/sign-in", headers={"host": "nhacviec.tinh.example"}).status_code == 303
    assert office.client.get("/sign-in", headers={"host": "khac.example"}).status_code == 400
    [change] = [each for each in rows(lived, Event) if each.kind is EventKind.SETTINGS_CHANGED]
    assert change.detail["changes"] == f"base_url={NEW}"
    assert office.post(PAGE, page=PAGE, base_url=NEW).headers["location"] == f"{PAGE}?said=same"


def test_the_next_letter_and_webhook_of_the_running_process_have_it(lived: Database, tmp_path: Path) -> None:
    """Of what was entered the letters alone had it: previews and webhooks led to the address of the start."""
    office, running = install(lived, tmp_path)
    of_pages = running().delivery.renderer
    office.post(PAGE, page=PAGE, base_url=NEW)
    system, facts = running(), next(samples("vi", "duties"))
    for renderer in (system.delivery.renderer, of_pages):
        assert NEW in renderer.render(facts, NOW).text
    assert system.webhooks.base_url == NEW


OTHERS: dict[str, object] = {
    "smtp_host": "thu.tinh.example",
    "smtp_port": 2525,
    "smtp_security": "tls",
    "smtp_username": "dondoc",
    "smtp_password": "mot-hai-ba",
    "mail_from": "dondoc@tinh.example",
    "mail_from_name": "Bộ phận theo dõi",
    "sms_gateway": "kannel",
    "sms_url": "https://sms.tinh.example/send",
    "sms_username": "dondoc",
    "sms_password": "bon-nam",
    "sms_sender": "TINH",
    "sms_answers": True,
    "sms_production": True,
    "base_url": NEW,
}


def test_whatever_is_entered_on_a_page_is_in_force_in_the_running_process(lived: Database, tmp_path: Path) -> None:
    """No page says of a setting that it takes a restart, so none may."""
    assert OTHERS.keys() == {name for names in ENTERED.values() for name in names}
    _, running = install(lived, tmp_path)
    before = running().settings
    assert [name for name, value in OTHERS.items() if getattr(before, name) == value] == []
    with lived.write() as session:
        save(session, running().signer, before, before.with_entered(OTHERS), OTHERS, actor="account:1", now=NOW)
    now = running()
    shown = now.settings.model_dump() | {"smtp_password": "mot-hai-ba", "sms_password": "bon-nam"}
    assert {name: shown[name] for name in OTHERS} == OTHERS
    anew = replace(compose(now.settings, with_entered=False), database=lived)
    assert now.delivery.renderer.settings == anew.delivery.renderer.settings
    assert now.delivery.channels.keys() == anew.delivery.channels.keys() == {"email", "sms"}


@pytest.mark.parametrize(
    "typed",
    ["", "nhacviec.tinh.example", "http://nhacviec.tinh.example", f"{NEW}/plans", "https://a:b@c.example", "ftp://x"],
)
def test_what_is_no_address_is_refused_and_kept(lived: Database, tmp_path: Path, typed: str) -> None:
    office, running = install(lived, tmp_path)
    answer = office.post(PAGE, page=PAGE, base_url=typed)
    assert answer.status_code == 422
    assert f'value="{typed}"' in answer.text
    assert running().settings.base_url == "http://127.0.0.1:8188"


def test_what_the_server_decides_is_shown_and_cannot_be_changed(lived: Database, tmp_path: Path) -> None:
    office, running = install(lived, tmp_path, base_url="https://may-chu.tinh.example")
    assert "Đặt ở máy chủ" in office.get(PAGE).text
    office.post(PAGE, page=PAGE, base_url=NEW)
    assert running().settings.base_url == "https://may-chu.tinh.example"


def test_mail_that_was_entered_stays(lived: Database, tmp_path: Path) -> None:
    office, running = install(lived, tmp_path)
    mail = {"smtp_host": "127.0.0.1", "smtp_security": "none", "smtp_port": "25", "mail_from": "a@tinh.example"}
    office.post("/admin/settings/mail", page="/admin/settings/mail", do="save", **mail)
    office.post(PAGE, page=PAGE, base_url=NEW)
    assert (running().settings.smtp_host, running().settings.base_url) == ("127.0.0.1", NEW)


def test_the_address_is_for_who_keeps_settings(lived: Database, tmp_path: Path) -> None:
    assert as_role(lived, tmp_path, "monitor", "so-chinh").get(PAGE).status_code == 403
