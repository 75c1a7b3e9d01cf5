"""A list with its filters under a name: one's own alone, on that list, and nothing but lists of this server."""

from __future__ import annotations

from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from ground.office import Office, as_role
from sqlalchemy import update

from engine.store.database import Database, table
from engine.store.records import SavedView


def chips(office: Office, path: str) -> list[tuple[str, str]]:
    page = BeautifulSoup(office.get(path).text, "lxml")
    return [(each.get_text(" ", strip=True), str(each["href"])) for each in page.select("nav.views a")]


def test_a_view_is_kept_without_the_page_and_stands_on_its_list_after_mine(lived: Database, tmp_path: Path) -> None:
    monitor = as_role(lived, tmp_path, "monitor", "so-chinh")
    path = "/assignments?class=open_overdue&sort=agency&after=abc&said=x"
    assert (
        'value="/assignments?class=open_overdue&amp;sort=agency"' in monitor.get("/views", params={"path": path}).text
    )
    saved = monitor.post("/views", page=f"/views?path={'/assignments'}", name=" Quá hạn  của  huyện ", address=path)
    assert saved.headers["location"] == "/assignments?class=open_overdue&sort=agency"
    assert chips(monitor, "/assignments")[:2] == [
        ("Của tôi", "/assignments?department=so-chinh"),
        ("Quá hạn của huyện", "/assignments?class=open_overdue&sort=agency"),
    ]
    assert "Quá hạn của huyện" not in dict(chips(monitor, "/overdue"))
    other = as_role(lived, tmp_path, "leadership", "tinh")
    assert "Quá hạn của huyện" not in dict(chips(other, "/assignments"))


def test_a_name_is_used_once_and_a_view_is_deleted_by_its_owner_alone(lived: Database, tmp_path: Path) -> None:
    monitor = as_role(lived, tmp_path, "monitor", "so-chinh")
    for status in (303, 422):
        answer = monitor.post("/views", page="/views?path=/overdue", name="Tuần này", address="/overdue?kind=huyen")
        assert answer.status_code == status
    assert "Tên này đã dùng" in answer.text
    other = as_role(lived, tmp_path, "monitor", "so-ban")
    other.post("/views/1/delete", page="/views?path=/overdue")
    assert ("Tuần này", "/overdue?kind=huyen") in chips(monitor, "/overdue")
    assert monitor.post("/views/1/delete", page="/views").status_code == 303
    assert "Tuần này" not in dict(chips(monitor, "/overdue"))


def test_a_view_with_columns_of_the_release_before_opens_as_the_list_is(lived: Database, tmp_path: Path) -> None:
    monitor = as_role(lived, tmp_path, "monitor", "so-chinh")
    monitor.post("/views", page="/views?path=/assignments", name="Kỳ", address="/assignments?sort=agency")
    with lived.write() as session:
        session.connection().execute(update(table(SavedView)).values(path="/assignments?sort=agency&col=period"))
    address = dict(chips(monitor, "/assignments"))["Kỳ"]
    old, usual = (BeautifulSoup(monitor.get(each).text, "lxml") for each in (address, "/assignments?sort=agency"))
    assert [each.get_text() for each in old.select("th")] == [each.get_text() for each in usual.select("th")]
    assert old.select_one("details.fold > summary").get_text() == "Lọc"  # type: ignore[union-attr]
    saved = monitor.post("/views", page="/views?path=/assignments", name="Như cũ", address=address)
    assert saved.headers["location"] == "/assignments?sort=agency"


@pytest.mark.parametrize(
    "path",
    [
        "https://elsewhere.example/overdue",
        "//elsewhere.example/",
        "/account",
        "javascript:alert(1)",
        "/overdue?q=" + "x" * 500,
    ],
)
def test_only_lists_of_this_server_are_kept(office: Office, path: str) -> None:
    assert office.get("/views", params={"path": path}).status_code == 400
    answer = office.post("/views", page="/views?path=/overdue", name="Khác", address=path)
    assert answer.status_code in (400, 422)
    assert "Khác" not in dict(chips(office, "/overdue"))


@pytest.mark.parametrize("name", ["", "  ", "x" * 61])
def test_a_view_needs_a_short_name(office: Office, name: str) -> None:
    answer = office.post("/views", page="/views?path=/overdue", name=name, address="/overdue")
    assert answer.status_code == 422
    assert 'href="#f-name"' in answer.text
