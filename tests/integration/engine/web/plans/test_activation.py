"""The pages around activation say what leaves now, what leaves next, and what to do next."""

from __future__ import annotations

from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from ground.factory import at, store
from ground.office import Office, enter, join, open_office

from engine.store.database import Database

SUNDAY = at("2021-05-09", "09:00")


@pytest.fixture
def office(sqlite_database: Database, tmp_path: Path) -> Office:
    store(sqlite_database, now=SUNDAY)
    office = open_office(sqlite_database, tmp_path, now=SUNDAY, smtp_host="smtp.tinh.example")
    return enter(office, join(sqlite_database, "administrator", "tinh"))


def words(office: Office, path: str) -> str:
    return " ".join(BeautifulSoup(office.get(path).text, "lxml").get_text(" ").split())


def test_on_a_sunday_it_says_what_leaves_on_monday(office: Office) -> None:
    said = words(office, "/plans/1/activate")
    assert "Thư gửi ngay chưa có thư nào" in said
    assert "07:30 thứ Hai, 10/5/2021: 5 thư cho 5 người" in said
    assert "07:30 Monday" in words(office, "/plans/1/activate?lang=en")


def test_what_was_done_says_what_comes_next(office: Office) -> None:
    page = BeautifulSoup(office.get("/plans/1?said=loaded").text, "lxml")
    assert page.select_one(".note.good a[href='/plans/1/activate']") is not None
    page = BeautifulSoup(office.get("/plans/1?said=activated").text, "lxml")
    assert [each["href"] for each in page.select(".note.good a")] == ["/?plan=1", "/letters"]
