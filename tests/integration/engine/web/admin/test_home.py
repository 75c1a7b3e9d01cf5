"""The administration's home: who sees it, and only what is theirs on it."""

from __future__ import annotations

from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from ground.office import Office, as_role, open_office

from engine.accounts.permissions import Actor, ActorRole, may
from engine.admin.first_steps import well, wrong
from engine.queries.system.health import AUDIT
from engine.store.database import Database
from engine.store.records import Pass
from engine.text import Text
from engine.web.pages.admin.home import LINES


@pytest.mark.parametrize("role", [*ActorRole])
def test_the_way_in_is_shown_to_whoever_may_open_any_of_its_pages(
    lived: Database, tmp_path: Path, role: ActorRole
) -> None:
    office = as_role(lived, tmp_path, role, "so-ban")
    account = office.get("/account").text
    shown = 'href="/admin"' in account
    assert shown == (role in (ActorRole.HEAD, ActorRole.ADMINISTRATOR))
    assert office.get("/admin").status_code == (200 if shown else 403)


def test_an_administrator_sees_every_line(lived: Database, tmp_path: Path) -> None:
    page = as_role(lived, tmp_path, "administrator", "tinh").get("/admin").text
    assert [path for path, *_ in LINES if f'href="{path}"' not in page] == []


def test_a_head_sees_only_what_he_may_open(lived: Database, tmp_path: Path) -> None:
    office = as_role(lived, tmp_path, "head", "huyen-a")
    page = BeautifulSoup(office.get("/admin").text, "lxml")
    shown = {str(each["href"]) for each in page.select("main .rows a")}
    head = Actor("account", "1", "huyen-a", ActorRole.HEAD)
    assert shown == {path for path, *_, deeds in LINES if any(may(head, deed, "huyen-a") for deed in deeds)}


@pytest.mark.parametrize("path", ["/admin", "/health"])
def test_what_the_self_audit_found_is_the_title(office: Office, lived: Database, path: str) -> None:
    title = BeautifulSoup(office.get(path).text, "lxml").select_one("main h1")
    assert title is not None
    assert "Đã quá 15 phút" in title.get_text()
    with lived.write() as session:
        session.merge(Pass(name=AUDIT, started_at=office.clock.now, finished_at=office.clock.now))
    title = BeautifulSoup(office.get(path).text, "lxml").select_one("main h1")
    assert title is not None
    assert "Hệ thống chạy" in title.get_text()


@pytest.mark.parametrize("path", ["/admin", "/health"])
def test_what_must_be_done_stands_before_that_everything_runs(lived: Database, tmp_path: Path, path: str) -> None:
    what = Text("chưa sao lưu lần nào", "never backed up")
    lines = wrong("backup", what, what), wrong("sms", what, what), well("address", what)
    office = open_office(lived, tmp_path, open_desk=True, examine=lambda connections: lines)
    with lived.write() as session:
        session.merge(Pass(name=AUDIT, started_at=office.clock.now, finished_at=office.clock.now))
    page = BeautifulSoup(office.get(path).text, "lxml")
    title = page.select_one("main h1")
    assert title is not None
    assert title.get_text().strip().startswith("1 việc phải làm; hệ thống chạy")
    (button,) = page.select("main a.button[href='/admin/settings']")
    assert " ".join(button.get_text().split()) == "Xem 1 việc phải làm"
