"""A column's head sorts: the order is in the address, said by aria-sort, and goes on over the pages."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup
from ground.office import Office, looking

from engine.queries.work.assignments import SORTS, AssignmentFilter, list_assignments
from engine.store.database import Database


def column(office: Office, path: str, number: int) -> list[str]:
    page = BeautifulSoup(office.get(path).text, "lxml")
    return [line.find_all(["th", "td"])[number].get_text(" ", strip=True) for line in page.select("tbody tr")]


def test_the_head_of_a_column_turns_its_order(office: Office) -> None:
    page = BeautifulSoup(office.get("/assignments").text, "lxml")
    assert [each.get_text() for each in page.select("th[aria-sort=ascending]")] == ["Hạn ▲"]
    up = next(each for each in page.select("thead a") if each.get_text() == "Cơ quan")["href"]
    assert up == "/assignments?sort=agency"
    names = column(office, str(up), 2)
    assert names == sorted(names)
    down = BeautifulSoup(office.get(str(up)).text, "lxml").select_one("th[aria-sort=ascending] a")
    assert down is not None
    assert down["href"] == "/assignments?sort=-agency"
    assert column(office, "/assignments?sort=-agency", 2) == names[::-1]


def test_numbers_begin_with_the_largest(office: Office) -> None:
    head = BeautifulSoup(office.get("/agencies").text, "lxml").select("thead a")[-1]
    assert head["href"] == "/agencies?sort=-overdue"
    counts = [int(each.split()[-1] if each else 0) for each in column(office, str(head["href"]), 2)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > 0


@pytest.mark.parametrize("sort", ["nothing", "-nothing"])
def test_an_order_that_the_list_does_not_have_is_its_own(office: Office, sort: str) -> None:
    assert column(office, f"/assignments?sort={sort}", 0) == column(office, "/assignments", 0)


@pytest.mark.parametrize("sort", [*SORTS, *(f"-{each}" for each in SORTS)])
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
