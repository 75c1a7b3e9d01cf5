"""A column's head sorts: the order is in the address, said by aria-sort, and goes on over the pages."""

from __future__ import annotations

from datetime import date

import pytest
from bs4 import BeautifulSoup
from ground.office import NOW, Office, looking
from sqlalchemy import update

from engine.queries.paging import every_row
from engine.queries.system.letters import SORTS as LETTER_SORTS
from engine.queries.system.letters import LetterFilter, every_letter, list_letters
from engine.queries.system.log import LogFilter, log
from engine.queries.time_class import read_today
from engine.queries.work.assignments import SORTS, AssignmentFilter, every_assignment, list_assignments
from engine.store.database import Database, table
from engine.store.records import Assignment


def column(office: Office, path: str, number: int) -> list[str]:
    page = BeautifulSoup(office.get(path).text, "lxml")
    return [line.find_all(["th", "td"])[number].get_text(" ", strip=True) for line in page.select("tbody tr")]


def test_the_head_of_a_column_turns_its_order(office: Office) -> None:
    page = BeautifulSoup(office.get("/assignments").text, "lxml")
    assert [" ".join(each.get_text().split()) for each in page.select("th[aria-sort=ascending]")] == ["Hạn ▲"]
    up = next(each for each in page.select("thead a") if each.get_text(strip=True) == "Cơ quan")["href"]
    assert up == "/assignments?sort=agency"
    names = column(office, str(up), 2)
    assert names == sorted(names)
    down = BeautifulSoup(office.get(str(up)).text, "lxml").select_one("th[aria-sort=ascending] a")
    assert down is not None
    assert down["href"] == "/assignments?sort=-agency"
    assert column(office, "/assignments?sort=-agency", 2) == names[::-1]


def test_numbers_begin_with_the_largest(office: Office) -> None:
    head = BeautifulSoup(office.get("/agencies").text, "lxml").select("thead a")[1]
    assert head["href"] == "/agencies?sort=-open"
    counts = [int(each.split()[-1] if each else 0) for each in column(office, str(head["href"]), 1)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > 0


@pytest.mark.parametrize("sort", ["nothing", "-nothing"])
def test_an_order_that_the_list_does_not_have_is_its_own(office: Office, sort: str) -> None:
    assert column(office, f"/assignments?sort={sort}", 0) == column(office, "/assignments", 0)


@pytest.mark.parametrize("sort", ["", *SORTS, *(f"-{each}" for each in SORTS)])
def test_the_pages_of_an_order_hold_each_row_once(lived: Database, sort: str) -> None:
    with looking(lived) as (session, today):
        whole = [row.id for row in list_assignments(session, today, AssignmentFilter(), sort=sort).rows]
        paged: list[int] = []
        after = ""
        while True:
            some = list_assignments(session, today, AssignmentFilter(), sort=sort, after=after, limit=3)
            paged += [row.id for row in some.rows]
            after = some.next
            if not after:
                break
    assert paged == whole
    assert len(set(whole)) == len(whole) > 3


def test_by_its_own_order_what_has_no_due_date_comes_last(lived: Database) -> None:
    a = table(Assignment)
    with lived.rehearse() as session:
        session.connection().execute(update(a).where(a.c.id % 3 == 0).values(due_on=None))
        today = read_today(session, NOW)
        every = [(row.due_on or date.max, row.id) for row in every_assignment(session, today, AssignmentFilter())]
        paged, after = list[tuple[date, int]](), ""
        while not paged or after:
            some = list_assignments(session, today, AssignmentFilter(), after=after, limit=2)
            paged += [(row.due_on or date.max, row.id) for row in some.rows]
            after = some.next
    assert paged == every == sorted(every)
    assert paged[0][0] < date.max == paged[-1][0]


def ordered(office: Office, path: str, select: str) -> list[str]:
    return [each.get_text(" ", strip=True) for each in BeautifulSoup(office.get(path).text, "lxml").select(select)]


@pytest.mark.parametrize(
    ("path", "select", "own", "head"),
    [
        ("/letters?whole=true", "tbody td:nth-of-type(1)", "Ngày ▼", "Cơ quan nhận"),
        ("/plans", "tbody th b", "Ban hành ▼", "Kế hoạch"),
        ("/", ".matrix tbody th[scope=row]", "", "Cơ quan"),
        ("/overdue", "table.list tbody th", "Quá hạn lâu nhất ▲", "Cơ quan"),
    ],
)
def test_each_list_turns_by_its_heads_and_says_its_own_order(
    office: Office, path: str, select: str, own: str, head: str
) -> None:
    page = BeautifulSoup(office.get(path).text, "lxml")
    said = [each.get_text().partition(",")[0].strip() for each in page.select("th[aria-sort], .sorts [aria-current]")]
    assert said == ([own] if own else [])
    up = next(str(each["href"]) for each in page.select("thead a, .sorts a") if each.get_text(strip=True) == head)
    address = up.partition("#")[0]
    assert "sort=" in address.removeprefix(path)
    names = [each for each in ordered(office, address, select) if each != "Mat tran"]  # asked, on a line of its own
    assert names == sorted(names)
    assert len(names) > (1 if path != "/plans" else 0)
    turned = [each for each in ordered(office, address.replace("sort=", "sort=-"), select) if each != "Mat tran"]
    assert turned == names[::-1]


def test_a_filter_keeps_the_order(office: Office) -> None:
    for path in ("/letters?sort=agency", "/overdue?sort=agency", "/?sort=name", "/admin/log?sort=at"):
        page = BeautifulSoup(office.get(path).text, "lxml")
        kept = page.select_one("form.filters input[name=sort]")
        assert kept is not None, path
        assert kept["value"] == path.rpartition("=")[2]


@pytest.mark.parametrize("sort", [*LETTER_SORTS, *(f"-{each}" for each in LETTER_SORTS)])
def test_the_pages_of_the_letters_hold_each_letter_once(lived: Database, sort: str) -> None:
    with looking(lived) as (session, _):
        whole = [row.id for row in every_letter(session, LetterFilter(), sort)]
        paged: list[int] = []
        after = ""
        while True:
            some = list_letters(session, LetterFilter(), sort=sort, after=after, limit=7)
            paged += [row.id for row in some.rows]
            after = some.next
            if not after:
                break
    assert paged == whole
    assert len(set(whole)) == len(whole) > 7


def test_the_log_goes_on_from_its_oldest_line(lived: Database) -> None:
    with looking(lived) as (session, _):
        newest = [row.id for row in every_row(lambda after: log(session, LogFilter(), after=after, limit=1_000))]
        oldest = [
            row.id
            for row in every_row(
                lambda after: log(session, LogFilter(), after=after, limit=7, span=50, oldest_first=True)
            )
        ]
    assert oldest == newest[::-1]
    assert len(oldest) > 60


def test_a_period_of_the_board_begins_with_what_is_missing_most(office: Office) -> None:
    page = BeautifulSoup(office.get("/?sort=2021-H1").text, "lxml")
    column = [" ".join(each.get_text().split()) for each in page.select(".matrix thead th")].index(
        "6 tháng đầu năm 2021 ▲"
    )
    missing = []
    for line in page.select(".matrix tbody tr:has(td)"):
        if "Mat tran" in line.get_text():
            break
        cell = line.select("th, td")[column].get_text(" ", strip=True)
        done, _, expected = cell.split(" ")[0].partition("/")
        missing.append(int(expected) - int(done) if expected else -1)
    assert missing == sorted(missing, reverse=True)
    assert missing[0] > 0
