"""Every list is what it declares: each head of its page is followed both ways, the rows come in the order that the head
says, page and file hold the same rows, and a cell shows what the file's column of the same key holds."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby
from typing import Any

import pytest
from bs4 import BeautifulSoup, Tag
from ground.office import Office, looking
from ground.walk import routes
from httpx import Response
from sqlmodel import Session

from engine.http.lists.list_columns import (
    AGENCY_LIST,
    ASKED,
    LETTER_LIST,
    MESSAGE_LIST,
    OVERDUE_LIST,
    PLAN_LIST,
    assignment_list,
    board_list,
    log_list,
    standing_list,
)
from engine.http.lists.listing import Column, Head, Listing
from engine.queries.figures.board import board
from engine.queries.time_class import Today
from engine.queries.work.assignments import AssignmentFilter
from engine.rules.calendar import PLAN_TIME
from engine.store.database import Database
from engine.text import Text
from engine.views.spreadsheets import Kind, written_cell

Row = dict[str, str]
"""Key of a column -> words of the row."""


@dataclass(frozen=True)
class Case:
    path: str
    listing: Callable[[Session, Today], Listing[Any]]
    in_other_words: tuple[str, ...] = ()
    """Keys of columns whose cells do not hold the file's words: «chưa xác nhận» for «mới giao»."""
    ordered_by: Mapping[str, str] = field(default_factory=dict)
    """Key -> the file's column that is in order, if it is not the key's own; "": none."""
    requests_apart: bool = False
    """Requests stand below the others, in an order of their own and without what makes a rank."""


LISTS = [
    Case(
        "/",
        lambda session, today: board_list(board(session, today, AssignmentFilter())),
        ordered_by={"late": "Quá hạn từ", "2021-H1": ""},  # by what is missing: tests of the board
        requests_apart=True,
    ),
    Case("/assignments", lambda _, today: assignment_list(today), in_other_words=("state",)),
    Case("/agencies", lambda *_: AGENCY_LIST, in_other_words=("since",)),
    Case("/letters?whole=true", lambda *_: LETTER_LIST),
    Case("/incoming", lambda *_: MESSAGE_LIST, in_other_words=("state",)),
    Case("/overdue", lambda *_: OVERDUE_LIST, in_other_words=("since",)),
    Case("/plans", lambda *_: PLAN_LIST),
    Case("/leadership?whole=true", lambda *_: standing_list(), in_other_words=("rate",), requests_apart=True),
    Case("/leadership/frozen/1", lambda *_: standing_list(), in_other_words=("rate",), requests_apart=True),
    Case("/admin/log", lambda *_: log_list({})),
]
WITHOUT_HEADS = {
    "/accept",
    "/extensions",
    "/promises",
    "/papers",
    "/year",
    "/admin/agencies",
    "/assignments/{assignment_id}",
    "/leadership/frozen/{frozen_id}/rows",
    "/plans/{plan_id}/figures",
    "/plans/{plan_id}/simulate",
}
"""What can be exported or printed and is neither a table nor sorted on its page."""
TABLES = "main table:not(.figures-table, .conduct, .grid, .kind-marks)"
"""The tables of a page but those of a picture and of how work is conducted; of the leadership's figures two,
the second of requests."""
by_path = pytest.mark.parametrize("case", LISTS, ids=lambda case: case.path)


def soup(office: Office, path: str) -> BeautifulSoup:
    answer = office.get(path)
    assert answer.status_code == 200, path
    return BeautifulSoup(answer.text, "lxml")


def every_page(office: Office, path: str) -> Iterator[BeautifulSoup]:
    """The page, and those after it."""
    while path:
        page = soup(office, path)
        yield page
        onward = page.select_one("main a[href*='after=']")
        path = str(onward["href"]) if onward else ""


def words(tag: Tag) -> str:
    return " ".join(tag.get_text(" ", strip=True).split())


def bare(head: str) -> str:
    """The words of a head without its arrow, and without what is said of it to those who do not see one."""
    return head.partition(" ▲")[0].partition(" ▼")[0]


def listing_of(lived: Database, case: Case) -> Listing[Any]:
    with looking(lived) as (session, today):
        return case.listing(session, today)


@pytest.fixture(autouse=True)
def published(office: Office) -> None:
    assert office.post("/leadership/freeze", plan="1", period="", cut_off="17/6/2021").status_code == 303


def sortable(listing: Listing[Any]) -> list[Head]:
    return [head for head in listing.heads if head.key in listing.sorts]


def page_heads(page: BeautifulSoup) -> list[Tag]:
    """The heads of the list's table, without what is drawn in one, or in the line «Xếp theo»."""
    table = page.select_one(TABLES)
    for drawn in page.select("thead svg"):
        drawn.decompose()
    return [each for each in table.select("thead th") if words(each)] if table else [*page.select(".sorts a")]


def page_rows(page: BeautifulSoup, listing: Listing[Any]) -> list[Row]:
    """The rows of a table, before whose declared columns one to tick may stand; the lines of the log."""
    if lines := page.select(".story time"):
        return [{"at": words(each)} for each in lines]
    keys = [head.key for head in listing.heads]
    rows = [[words(cell) for cell in line.select("th, td")] for line in page.select(f":is({TABLES}) tbody tr:has(td)")]
    return [dict(zip(keys, cells[-len(keys) :], strict=True)) for cells in rows]


def file_rows(answer: Response, listing: Listing[Any]) -> list[Row]:
    """The rows of the CSV file as they are said on a page, by the keys of the columns, or the headings of those that
    the page has not."""
    _, heads, *found = csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""))
    assert heads == [column.heading.vi for column in listing.columns]
    lines = [[said(*each) for each in zip(line, listing.columns, strict=True)] for line in found]
    if listing.groups:
        return grouped(lines, [column.heading.vi for column in listing.columns])
    keys = [column.key or column.heading.vi for column in listing.columns]
    return [dict(zip(keys, cells, strict=True)) for cells in lines]


def said(value: str, column: Column[Any]) -> str:
    if column.kind is Kind.DAY and value:
        return written_cell(date.fromisoformat(value))
    if column.kind is Kind.MOMENT and value:
        return written_cell(datetime.fromisoformat(value).replace(tzinfo=PLAN_TIME))
    return " ".join(value.removeprefix("'").split())


def grouped(lines: Sequence[Sequence[str]], headings: Sequence[str]) -> list[Row]:
    """The groups of the overdue list: owner, how many, the oldest due date."""
    owner, due = headings.index("Cơ quan chủ trì"), headings.index("Hạn")
    groups = [(name, list(some)) for name, some in groupby(lines, key=lambda line: line[owner])]
    return [{"agency": name, "count": str(len(some)), "since": some[0][due]} for name, some in groups]


def address(path: str, **query: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}" + "&".join(f"{name}={value}" for name, value in query.items())


def direction(head: Tag) -> str:
    """Which way the page says that it is sorted by a head."""
    said = words(head)
    way = "ascending" if "▲" in said else "descending" if "▼" in said else ""
    assert head.get("aria-sort", "") == way or (head.name == "a" and bool(head.get("aria-current")) == bool(way))
    return way


@by_path
@pytest.mark.parametrize("language", ["vi", "en"])
def test_a_page_has_the_declared_heads_and_those_with_an_order_are_links(
    office: Office, lived: Database, case: Case, language: str
) -> None:
    listing = listing_of(lived, case)
    office.client.cookies.set("dondoc_language", language)
    heads = page_heads(soup(office, case.path))
    assert [bare(words(each)) for each in heads] == [each.words.said(language) for each in listing.heads]
    sorting = [each.key for each, tag in zip(listing.heads, heads, strict=True) if tag.name == "a" or tag.a]
    assert sorting == [each.key for each in sortable(listing)]


@by_path
def test_every_head_leads_to_its_order_and_back(office: Office, lived: Database, case: Case) -> None:
    listing = listing_of(lived, case)
    for head in sortable(listing):
        place, seen, path = listing.heads.index(head), set(), case.path
        for _ in range(2):
            link = page_heads(soup(office, path))[place]
            path = str((link if link.name == "a" else link.a or link)["href"]).partition("#")[0]
            heads = page_heads(soup(office, path))
            assert [place] == [number for number, each in enumerate(heads) if direction(each)], (head.key, path)
            seen.add(direction(heads[place]))
        assert seen == {"ascending", "descending"}, head.key


@by_path
def test_page_and_file_hold_the_same_rows_in_the_order_of_the_head(office: Office, lived: Database, case: Case) -> None:
    listing = listing_of(lived, case)
    for head in sortable(listing):
        up, down = (both(office, listing, case, sort) for sort in (head.key, f"-{head.key}"))
        if case.requests_apart:
            up, down = ([row for row in rows if row["Loại"] != ASKED.vi] for rows in (up, down))
        assert len(up) > 1 or case.path == "/plans"
        column = case.ordered_by.get(head.key, head.key)
        values = each_once(up, column)
        assert values == each_once(down, column)[::-1], head.key
        if head.number:
            assert [*map(float, values)] == sorted(map(float, values)), head.key
    both(office, listing, case, "")


def both(office: Office, listing: Listing[Any], case: Case, sort: str) -> list[Row]:
    """The rows of an order, as the file has them; the page shows the same."""
    pages = every_page(office, address(case.path, sort=sort))
    shown = [row for page in pages for row in page_rows(page, listing)]
    filed = file_rows(office.get(address(case.path, sort=sort, **{"as": "csv"})), listing)
    paper = soup(office, address(case.path, sort=sort, **{"as": "print"}))
    assert len(paper.select("tbody tr")) == len(filed)
    assert len(shown) == len(filed)
    for number, (cells, values) in enumerate(zip(shown, filed, strict=True)):
        for key, value in values.items():
            if key in cells and key not in case.in_other_words and value != "0":
                left_out = case.requests_apart and values["Loại"] == ASKED.vi and not cells[key]
                assert value in cells[key] or left_out, (sort, number, key)
    return filed


def each_once(rows: Sequence[Row], column: str) -> list[str]:
    """The values of the column in their order. Equal ones stand together; rows without one stand at an end."""
    values = [value for value, _ in groupby(row.get(column, "") for row in rows) if value]
    assert len(set(values)) == len(values), (column, values)
    return values


def test_every_list_that_can_be_taken_along_is_walked() -> None:
    taken = [each for each in routes("GET") if "as" in each.queries and each.path not in WITHOUT_HEADS]
    assert [
        each.path for each in taken if not any(each.regex.match(case.path.partition("?")[0]) for case in LISTS)
    ] == []


def test_an_order_without_a_head_stops_at_once() -> None:
    with pytest.raises(TypeError, match="no head asks for the order issued"):
        Listing[object](file_name="x", title=Text("X", "X"), columns=(), sorts=("issued",))
