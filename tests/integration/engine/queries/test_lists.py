"""Lists: filters, pages that join up, and numbers that open onto the very rows they count."""

from __future__ import annotations

from datetime import date

import pytest
from ground.factory import Laid, do
from ground.office import NOW, looking
from sqlmodel import Session

from engine.errors import BadInput
from engine.queries.paging import decode, encode
from engine.queries.system.letters import LetterFilter, list_letters
from engine.queries.time_class import Today
from engine.queries.work.assignments import AssignmentFilter, list_assignments
from engine.rules.situation import Action
from engine.terms import LetterState, NoticeKind, Role, State, TimeClass, Timing, Waiting

Seen = tuple[Session, Today]


def agencies(seen: Seen, **wanted: object) -> list[str]:
    return [row.agency_id for row in list_assignments(*seen, AssignmentFilter(**wanted)).rows]  # type: ignore[arg-type]


def test_each_filter_narrows_to_what_it_names(seen: Seen) -> None:
    overdue = {"huyen-a", "huyen-b", "so-chinh", "mat-tran"}
    assert set(agencies(seen, classes=(TimeClass.OPEN_OVERDUE,))) == overdue
    assert agencies(seen, states=(State.REPORTED,)) == ["so-ban", "huyen-a"]
    assert agencies(seen, citation="IV.2.1") == ["huyen-a", "huyen-b"]
    assert agencies(seen, agency_id="so-ban", period="2021-H1") == ["so-ban"]
    assert agencies(seen, supervisor_id="tinh") == ["so-chinh"]
    assert agencies(seen, plan_id=99) == []
    assert agencies(seen, request=True) == ["mat-tran"]
    assert agencies(seen, finished=True) == ["so-ban"]
    assert agencies(seen, done_since=date(2021, 6, 1)) == ["so-ban"]
    assert agencies(seen, reporting=(Timing.ON_TIME,)) == ["so-ban"]
    assert agencies(seen, issuer="tinh") == agencies(seen)


def test_what_waits_for_the_department_is_listed_by_what_it_waits_for(seen: Seen) -> None:
    assert agencies(seen, waiting=Waiting.ACCEPT) == ["so-ban", "huyen-a"]
    assert agencies(seen, waiting=Waiting.EXTENSION) == ["mat-tran"]
    assert agencies(seen, waiting=Waiting.DECLINED) == ["so-chinh"]


def test_pages_of_two_join_up_to_the_whole_list_in_the_same_order(seen: Seen) -> None:
    whole = [row.id for row in list_assignments(*seen, AssignmentFilter()).rows]
    found: list[int] = []
    cursor = ""
    while True:
        page = list_assignments(*seen, AssignmentFilter(), after=cursor, limit=2)
        found += [row.id for row in page.rows]
        cursor = page.next
        if not cursor:
            break
    assert found == whole
    assert page.total == len(whole) == 5


def test_a_cancelled_assignment_has_no_time_class(fresh: Laid) -> None:
    do(fresh.database, Action.CANCEL, fresh.assignment("IV.2.1", "huyen-b"), now=NOW)

    with looking(fresh.database) as seen:
        rows = list_assignments(*seen, AssignmentFilter(agency_id="huyen-b")).rows

    assert [(row.state, row.time_class) for row in rows] == [(State.CANCELLED, None)]


@pytest.mark.parametrize(
    "cursor", ["x", "é", "bnVsbA", "W10", encode("2021-06-17"), encode("no day", 3), encode(1, 2), "W10=" * 9]
)
def test_a_cursor_that_we_did_not_make_is_refused_in_words(seen: Seen, cursor: str) -> None:
    with pytest.raises(BadInput, match="Con trỏ"):
        list_assignments(*seen, AssignmentFilter(), after=cursor)


def test_a_cursor_beyond_any_id_is_refused() -> None:
    with pytest.raises(BadInput):
        decode(encode(2**70), int)


def test_letters_are_found_by_recipient_kind_fate_and_day(seen: Seen) -> None:
    session = seen[0]
    everything = list_letters(session, LetterFilter())
    to_monitor = list_letters(session, LetterFilter(role=Role.MONITOR, agency_id="so-chinh")).rows
    reminders = list_letters(session, LetterFilter(kind=NoticeKind.REMINDER)).rows

    assert everything.total == len(everything.rows) > 20
    assert [row.id for row in everything.rows] == sorted((row.id for row in everything.rows), reverse=True)
    assert {row.role for row in to_monitor} == {Role.MONITOR}
    assert reminders
    assert {row.day for row in list_letters(session, LetterFilter(day=reminders[0].day)).rows} == {reminders[0].day}
    assert not list_letters(session, LetterFilter(states=(LetterState.REFUSED,))).rows
    assert all(row.digest_week for row in list_letters(session, LetterFilter(digest=True)).rows)


def test_pages_of_letters_join_up(seen: Seen) -> None:
    session = seen[0]
    first = list_letters(session, LetterFilter(), limit=5)
    second = list_letters(session, LetterFilter(), after=first.next, limit=5)
    whole = list_letters(session, LetterFilter(), limit=10)
    assert first.rows + second.rows == whole.rows
