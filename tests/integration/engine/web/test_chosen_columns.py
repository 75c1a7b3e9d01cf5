"""A reader chooses the columns of a list: the page, its files and its print have these, a saved view keeps them."""

from __future__ import annotations

import csv
import io
from datetime import date
from typing import Any

import pytest
from bs4 import BeautifulSoup
from ground.office import NOW, Office, looking

from engine.accounts.saved_views import save_view
from engine.http.lists.list_columns import (
    AGENCY_LIST,
    LETTER_LIST,
    MESSAGE_LIST,
    PLAN_LIST,
    assignment_list,
)
from engine.http.lists.listing import Listing
from engine.queries.time_class import Today
from engine.rules.words import short_day
from engine.store.database import Database

LISTS: dict[str, Listing[Any]] = {
    "/assignments": assignment_list(Today.__new__(Today)),
    "/letters": LETTER_LIST,
    "/incoming": MESSAGE_LIST,
    "/plans": PLAN_LIST,
    "/agencies": AGENCY_LIST,
}
every_list = pytest.mark.parametrize("path", LISTS)


def page_of(office: Office, address: str) -> BeautifulSoup:
    answer = office.get(address)
    assert answer.status_code == 200, address
    assert len(answer.content) < 50_000
    return BeautifulSoup(answer.text, "lxml")


def heads(page: BeautifulSoup) -> list[str]:
    return [
        words.partition(" ▲")[0].partition(" ▼")[0]
        for each in page.select("main table thead th")
        if (words := " ".join(each.get_text(" ").split()))
    ]


def filed(office: Office, address: str) -> list[str]:
    _, named, *_ = csv.reader(io.StringIO(office.get(f"{address}&as=csv").content.decode("utf-8-sig"), newline=""))
    return named


def address_of(path: str, *codes: str) -> str:
    return f"{path}?" + "&".join(f"col={code}" for code in codes)


@every_list
def test_each_column_has_a_name_of_its_own(path: str) -> None:
    codes = [column.code for column in LISTS[path].columns]
    assert len({*codes}) == len(codes)
    assert all(codes)


@every_list
def test_page_and_file_have_the_chosen_columns_and_the_one_that_names_the_row(office: Office, path: str) -> None:
    listing = LISTS[path]
    picked = [column for column in listing.columns if column is not listing.shown[0]][::2]
    address = address_of(path, *(column.code for column in picked))
    there = [column for column in listing.columns if column in picked or column is listing.shown[0]]
    page = page_of(office, address)
    assert heads(page) == [(column.head or column.heading).vi for column in there]
    assert filed(office, address) == [column.heading.vi for column in there]
    rows = page.select("main table tbody tr:has(td)")
    cells = {len(row.select("th, td:not(.tick)")) for row in rows if not row.select("[colspan]")}
    assert cells == {len(there)}
    ticked = {str(each["value"]) for each in page.select(".columns input[checked]")}
    assert ticked == {column.code for column in there}


@every_list
def test_every_column_is_offered_and_all_at_once_fit(office: Office, path: str) -> None:
    listing = LISTS[path]
    offered = [str(each["value"]) for each in page_of(office, path).select(".columns input[name=col]")]
    assert offered == [column.code for column in listing.columns]
    page = page_of(office, address_of(path, *offered))
    assert len(heads(page)) == len(offered)
    assert page.select_one(".columns a") is not None


def test_a_chosen_column_shows_what_the_file_holds(office: Office) -> None:
    address = "/assignments?agency=huyen-b&col=first-due&col=period"
    shown = [each.get_text() for each in page_of(office, address).select("td[data-head='Hạn gốc']")]
    text = office.get(f"{address}&as=csv").content.decode("utf-8-sig")
    _, _, *lines = csv.reader(io.StringIO(text, newline=""))
    assert shown == [short_day(date.fromisoformat(line[-1])) for line in lines]
    assert shown


@pytest.mark.parametrize("path", ["/assignments", "/plans"])
def test_unknown_columns_change_nothing(office: Office, path: str) -> None:
    assert heads(page_of(office, f"{path}?col=nothing")) == heads(page_of(office, path))


def test_an_order_by_a_column_that_is_not_shown_is_dropped(office: Office) -> None:
    page = page_of(office, "/assignments?sort=-agency&col=period")
    assert not page.select("th[aria-sort]:-soup-contains('Cơ quan')")
    assert page.select("th a[href*='col=period']")


def test_a_saved_view_and_the_filters_keep_the_columns(office: Office, lived: Database) -> None:
    address = "/assignments?col=period&col=first-due"
    page = page_of(office, address)
    kept = [str(each["value"]) for each in page.select(".tools form.filters input[name=col]")]
    assert kept == ["period", "first-due"]
    with lived.write() as session:
        assert save_view(session, "desk", "Kỳ và hạn gốc", f"{address}&as=csv", NOW) == address
    with looking(lived):
        (link,) = page_of(office, "/assignments").select("nav.views a[href*='col=']")
    assert heads(page_of(office, str(link["href"]))) == heads(page)
