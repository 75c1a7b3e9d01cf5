"""Beside a list's rows: what each saved view holds, and what came since the reader marked the list as seen."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from ground.factory import rows
from ground.office import NOW, Office, as_role, enter, everything, join, looking, open_office
from sqlalchemy import event

from engine.accounts.saved_views import save_view
from engine.assignments import lifecycle
from engine.assignments.lifecycle import ReportText
from engine.http.lists.saved_filters import saved_filter
from engine.queries.work import list_counts
from engine.queries.work.assignments import AssignmentFilter
from engine.queries.work.list_counts import MAX_COUNTED, NARROWED, listed_counts
from engine.rules.words import bounded_words
from engine.store.database import Database
from engine.store.records import ListMark
from engine.terms import State, TimeClass

HUYEN_B = 3
VIEWS = {
    "/assignments": ("?class=open_overdue", "?state=reported&state=accepted", "?agency=huyen-b&finished=no", ""),
    "/overdue": ("", "?kind=huyen", "?request=yes"),
    "/accept": ("", "?agency=so-ban"),
    "/extensions": ("", "?period=2021-Y"),
    "/promises": ("",),
}


def page_of(office: Office, path: str) -> BeautifulSoup:
    answer = office.get(path)
    assert answer.status_code == 200, path
    return BeautifulSoup(answer.text, "lxml")


def keep(database: Database, path: str, name: str = "Của phòng", owner: str = "desk") -> None:
    with database.write() as session:
        save_view(session, owner, name, path, NOW)


def shown(office: Office, path: str) -> dict[str, str]:
    """Name of a view -> the number beside it."""
    links = page_of(office, path).select("nav.views a:has(.soft)")
    return {str(each.contents[0]).strip(): each.select_one(".soft").get_text(strip=True) for each in links}  # type: ignore[union-attr]


def listed(office: Office, path: str) -> int:
    """How many rows the list's file has."""
    answer = office.get(f"{path}{'&' if '?' in path else '?'}as=csv")
    return len(answer.content.decode("utf-8-sig").splitlines()) - 2


@pytest.mark.parametrize("path", [path + query for path, some in VIEWS.items() for query in some])
def test_a_view_says_how_many_rows_its_list_has(office: Office, lived: Database, path: str) -> None:
    keep(lived, path)
    assert shown(office, path.partition("?")[0]) == {"Của phòng": str(listed(office, path))}


def test_a_thousand_are_counted_and_no_more(office: Office, lived: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a limit of two the list has more."""
    monkeypatch.setattr(list_counts, "MAX_COUNTED", 2)
    with looking(lived) as (session, today):
        every = AssignmentFilter(classes=tuple(TimeClass))
        one = AssignmentFilter(agency_id="huyen-b", classes=(TimeClass.OPEN_OVERDUE,))
        assert listed_counts(session, today, "/assignments", (every, one)) == (3, 1)


@pytest.mark.parametrize(
    ("n", "vi", "en"), [(12, "12", "12"), (1000, "1.000", "1,000"), (1001, "hơn 1.000", "over 1,000")]
)
def test_a_limit_is_said_as_one(n: int, vi: str, en: str) -> None:
    assert [bounded_words(n, MAX_COUNTED, language) for language in ("vi", "en")] == [vi, en]


def test_all_views_of_a_list_are_counted_by_one_statement(lived: Database) -> None:
    filters = tuple(AssignmentFilter(agency_id=each) for each in ("so-ban", "huyen-a", "huyen-b", "nowhere"))
    statements: list[str] = []
    with looking(lived) as (session, today):
        event.listen(lived.bind, "before_cursor_execute", lambda *seen: statements.append(seen[2]))
        counts = listed_counts(session, today, "/assignments", filters)
    assert (len(counts), counts[-1], len(statements)) == (4, 0, 1)


def test_an_agency_s_views_count_only_its_own(lived: Database, tmp_path: Path) -> None:
    owner = join(lived, "coordinator", "so-ban")
    office = enter(open_office(lived, tmp_path), owner)
    keep(lived, "/assignments", owner=f"account:{owner}")
    assert shown(office, "/assignments") == {"Của phòng": str(listed(office, "/assignments"))}


@pytest.mark.parametrize("query", ["?state=nowhere", "?plan=0", "?done_since=3021-01-01", "?number=999/KH"])
def test_a_view_whose_address_means_nothing_any_more_has_no_number(lived: Database, query: str) -> None:
    with lived.read() as session:
        assert saved_filter(session, f"/assignments{query}") is None


def test_an_address_is_read_as_the_list_reads_it(lived: Database) -> None:
    with lived.read() as session:
        found = saved_filter(
            session, "/assignments?number=12&state=reported&state=accepted&finished=no&duty=IV.1.1&sort=due"
        )
    assert found == AssignmentFilter(
        plan_id=1, states=(State.REPORTED, State.ACCEPTED), finished=False, citation="IV.1.1"
    )


@pytest.mark.parametrize("path", NARROWED)
def test_looking_marks_nothing_and_the_button_does(office: Office, lived: Database, path: str) -> None:
    before = everything(lived)
    assert "mới từ lần xem trước" not in page_of(office, path).get_text()
    assert everything(lived) == before
    answer = office.post("/seen", list=f"{path}?period=2021-H1")
    assert answer.headers["location"] == f"{path}?period=2021-H1"
    (mark,) = rows(lived, ListMark)
    assert (mark.owner, mark.path, mark.at) == ("desk", path, NOW)
    assert "0 mới từ lần xem trước" in " ".join(page_of(office, path).get_text(" ").split())


def test_what_came_since_is_counted_and_marked(office: Office, lived: Database) -> None:
    office.post("/seen", list="/accept")
    later = NOW + timedelta(hours=1)
    with lived.write() as session:
        lifecycle.report(session, HUYEN_B, ReportText(body="Xong."), actor="contact:1", now=later)
    office.clock.now = NOW + timedelta(hours=2)
    page = page_of(office, "/accept")
    assert "1 mới từ lần xem trước" in " ".join(page.get_text(" ").split())
    (fresh,) = page.select(".what:has(.fresh)")
    assert "IV.2.1" in fresh.get_text()
    office.post("/seen", list="/accept")
    assert not page_of(office, "/accept").select(".fresh")
    assert len(rows(lived, ListMark)) == 1


def test_what_became_overdue_since_is_new(lived: Database, tmp_path: Path) -> None:
    office = open_office(lived, tmp_path, now=NOW - timedelta(days=8))
    office.post("/seen", list="/overdue")
    office.clock.now = NOW
    page = page_of(office, "/overdue")
    assert page.select(".codes .fresh")
    office.post("/seen", list="/overdue")
    assert not page_of(office, "/overdue").select(".codes .fresh")


def test_each_reader_has_their_own_mark(lived: Database, tmp_path: Path) -> None:
    office = as_role(lived, tmp_path, "monitor", "so-chinh")
    office.post("/seen", page="/accept", list="/accept")
    (mark,) = rows(lived, ListMark)
    other = join(lived, "administrator", "so-chinh")
    assert mark.owner != f"account:{other}"


@pytest.mark.parametrize("address", ["/admin/log", "https://example.org/accept", "/nowhere"])
def test_only_a_list_of_work_is_marked(office: Office, lived: Database, address: str) -> None:
    assert office.post("/seen", list=address).status_code == 400
    assert not rows(lived, ListMark)
