"""The board, the work of the day, the overdue list, and the rates, over one lived plan."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest
from ground.databases import statements
from ground.factory import Laid, do
from ground.office import NOW, looking
from sqlalchemy import update
from sqlmodel import Session

from engine.assignments.lifecycle import ReportText, report
from engine.assignments.promise_rows import PromiseText
from engine.queries.directory import list_agencies
from engine.queries.figures.board import board, cells_of_each
from engine.queries.filter_choices import PlanChoices, plan_choices, sorted_by_order
from engine.queries.time_class import Today
from engine.queries.work.assignments import AssignmentFilter, list_assignments
from engine.queries.work.overdue import overdue
from engine.queries.work.todo import todo, unreachable
from engine.rules.calendar import ONE_DAY
from engine.rules.situation import Action
from engine.store.database import Database, table
from engine.store.records import Agency, Contact, Letter
from engine.terms import LetterState, Outcome, Role, TimeClass, Timing

Seen = tuple[Session, Today]


def test_the_classes_add_up_and_each_opens_onto_as_many_rows(seen: Seen) -> None:
    total = board(*seen, AssignmentFilter()).total
    assert {which: n for which, n in total.by_class.items() if n} == {
        TimeClass.OPEN_OVERDUE: 3,
        TimeClass.DONE_ON_TIME: 1,
    }
    assert total.expected == 4
    for which in TimeClass:
        listed = list_assignments(*seen, AssignmentFilter(classes=(which,), request=False)).total
        assert listed == total.by_class.get(which, 0)


def test_of_some_agencies_no_other_agency_s_work_is_read(fresh: Laid) -> None:
    """A subquery by plan, which PostgreSQL does not flatten, hides from it that only a few agencies are wanted."""
    with looking(fresh.database) as (session, today), statements(fresh.database) as sent:
        whole = cells_of_each(session, today, AssignmentFilter())
        some = cells_of_each(session, today, AssignmentFilter(), agencies={"huyen-b"})
    assert some == {"huyen-b": whole["huyen-b"]}
    assert "LATERAL" not in sent[-1]


def test_a_filter_by_one_duty_counts_its_assignments_alone(seen: Seen) -> None:
    """Statements that did not join the duty counted each assignment once for every duty of that citation, or all."""
    for citation in ("IV.1.1", "IV.2.1"):
        wanted = AssignmentFilter(citation=citation, classes=tuple(TimeClass), request=False)
        expected = list_assignments(*seen, wanted).total
        assert expected in range(1, 4)
        assert board(*seen, AssignmentFilter(citation=citation)).total.expected == expected


def test_who_is_only_asked_stands_apart_in_no_total_and_no_ranking(seen: Seen) -> None:
    found = board(*seen, AssignmentFilter())
    assert [line.id for line in found.asked] == ["mat-tran"]
    ranked = sorted_by_order(found.agencies, found.sorts, "late")
    assert "mat-tran" not in {line.id for line in (*found.agencies, *ranked)}
    assert (found.asked_total.expected, found.asked_total.overdue) == (1, 1)
    assert list_assignments(*seen, AssignmentFilter(request=True)).total == 1


def test_a_report_that_is_in_does_not_make_a_task_done(fresh: Laid) -> None:
    promise = PromiseText(on=date(2021, 7, 8))
    undone = ReportText(outcome=Outcome.NOT_YET, reason="Chờ kinh phí.", promise=promise)
    with fresh.database.write() as session:
        report(session, fresh.assignment("IV.2.1", "huyen-b"), undone, actor="contact:1", now=NOW)
    with looking(fresh.database) as seen:
        found = board(*seen, AssignmentFilter())
        (line,) = (each.cells["2021-H1"] for each in found.agencies if each.id == "huyen-b")
        rows = list_assignments(*seen, AssignmentFilter(finished=False, reporting=(Timing.LATE,))).rows
    assert (found.total.reported, found.total.done, found.total.overdue) == (3, 1, 3)
    assert (found.total.measures.undone, found.total.measures.on_time) == (2, 1)
    assert (line.reported, line.measures.on_time, line.done) == (1, 0, 0)
    assert {(row.agency_id, row.time_class) for row in rows} == {
        ("huyen-a", TimeClass.OPEN_OVERDUE),
        ("huyen-b", TimeClass.OPEN_OVERDUE),
    }


def test_a_cell_says_how_many_of_how_many_and_the_worst(seen: Seen) -> None:
    lines = {line.id: line.cells["2021-H1"] for line in board(*seen, AssignmentFilter(period="2021-H1")).agencies}

    said = {name: (cell.reported, cell.expected, cell.worst) for name, cell in lines.items()}

    assert said["so-ban"] == (1, 1, TimeClass.DONE_ON_TIME)
    assert said["huyen-a"] == (1, 1, TimeClass.OPEN_OVERDUE)  # its report says «một phần»
    assert said["huyen-b"] == (0, 1, TimeClass.OPEN_OVERDUE)


def test_those_furthest_behind_are_named_together_and_stand_first_by_lateness(seen: Seen) -> None:
    found = board(*seen, AssignmentFilter())
    assert {line.total.late_since for line in found.latest} == {date(2021, 6, 17)}
    ranked = sorted_by_order(found.agencies, found.sorts, "late")
    assert {line.id for line in ranked[: len(found.latest)]} == {line.id for line in found.latest}
    assert [line.id for line in ranked][-2:] == ["so-chinh", "so-ban"]


def test_a_board_of_the_late_keeps_its_total_and_drops_who_is_late_for_less(seen: Seen) -> None:
    found = board(*seen, AssignmentFilter())
    late = found.late_for(4, seen[1])
    assert {line.id for line in late.agencies} == {"huyen-a", "huyen-b"}
    assert {line.id for line in found.late_for(1, seen[1]).agencies} == {"huyen-a", "huyen-b", "so-chinh"}
    assert late.total == found.total


def test_an_empty_database_has_an_empty_board(database: Database) -> None:
    with looking(database) as seen:
        found = board(*seen, AssignmentFilter())
    assert (found.total.expected, found.agencies, found.latest) == (0, (), ())


def test_choices_are_the_running_plans_and_the_periods_by_due_date(seen: Seen) -> None:
    assert plan_choices(seen[0]) == PlanChoices((("1", "12/KH-UBND (2021)"),), many=False)
    assert board(*seen, AssignmentFilter(period="2021-Y")).choices == ("2021-H1",)


def test_the_work_of_the_day_names_what_waits(seen: Seen) -> None:
    found = todo(*seen, AssignmentFilter()).waiting
    assert found == {"accept": 2, "extension": 1, "declined": 1, "raised": 0, "promise": 0, "messages": 1}


def test_a_declined_assignment_is_settled_once_it_is_acknowledged_after_all(fresh: Laid) -> None:
    do(fresh.database, Action.ACKNOWLEDGE, fresh.assignment("IV.4.1", "so-chinh"), now=NOW)
    with looking(fresh.database) as seen:
        assert todo(*seen, AssignmentFilter()).waiting["declined"] == 0


def test_an_agency_whose_addresses_are_gone_cannot_be_reached(fresh: Laid) -> None:
    c = table(Contact)
    with fresh.database.write() as session:
        session.connection().execute(c.update().where(c.c.agency_id == "huyen-b").values(email="", phone=""))
        suppressed = c.update().where(c.c.agency_id == "mat-tran").values(suppressed={"email": "bounced"})
        session.connection().execute(suppressed)

    with looking(fresh.database) as seen:
        found = [(each.agency_id, each.open) for each in todo(*seen, AssignmentFilter()).unreachable]

    assert found == [("huyen-b", 1), ("mat-tran", 1)]


def test_whether_somebody_is_reached_is_asked_before_any_work_is_looked_through(fresh: Laid) -> None:
    with looking(fresh.database) as (session, today), statements(fresh.database) as sent:
        unreachable(session, today, AssignmentFilter())
    first, *_, counted = sent
    assert "FROM agency" in first
    assert "assignment" not in first
    assert re.search(r"agency_id (?:IN \(|= ANY)", counted)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"email": "", "phone": "0912345678"}, []),
        ({"suppressed": {"sms": "asked"}}, []),
        ({"email": "", "phone": "0912345678", "suppressed": {"sms": "asked"}}, ["huyen-b"]),
        ({"valid_from": NOW.date() + ONE_DAY}, ["huyen-b"]),
        ({"valid_until": NOW.date() - ONE_DAY}, ["huyen-b"]),
        ({"valid_until": NOW.date() + ONE_DAY}, []),
        ({"role": Role.HEAD}, []),
        ({"role": Role.DEPUTY}, []),
        ({"role": Role.MONITOR}, ["huyen-b"]),
    ],
)
def test_whom_letters_would_reach_is_told_from_whom_not(
    fresh: Laid, change: dict[str, Any], expected: list[str]
) -> None:
    c = table(Contact)
    with fresh.database.write() as session:
        session.connection().execute(c.update().where(c.c.agency_id == "huyen-b").values(**change))

    with looking(fresh.database) as seen:
        assert [each.agency_id for each in todo(*seen, AssignmentFilter()).unreachable] == expected


@pytest.mark.parametrize(("days_ago", "expected"), [(1, ["huyen-b"]), (0, []), (-30, [])])
def test_nobody_is_reached_at_an_agency_after_its_last_day(fresh: Laid, days_ago: int, expected: list[str]) -> None:
    g = table(Agency)
    names = [{"name": "Huyện B", "short": "B", "from": None, "until": str(NOW.date() - days_ago * ONE_DAY)}]
    with fresh.database.write() as session:
        session.connection().execute(g.update().where(g.c.id == "huyen-b").values(names=names))

    with looking(fresh.database) as seen:
        assert [each.agency_id for each in todo(*seen, AssignmentFilter()).unreachable] == expected


def test_the_overdue_list_says_how_late_and_what_last_chased(seen: Seen) -> None:
    found = overdue(*seen, AssignmentFilter())

    rows = {agency.id: agency.rows[0] for agency in found.agencies}

    assert (found.total, found.agency_count, found.next) == (4, 4, None)
    assert rows["huyen-b"].late == 5
    chased = rows["huyen-b"].chased
    assert chased is not None
    assert (chased.times, chased.last_on) == (5, date(2021, 6, 22))
    assert (chased.level, chased.level_on) == (1, date(2021, 6, 22))


@pytest.mark.parametrize("state", [LetterState.KEPT_HERE, LetterState.UNKNOWN, LetterState.BOUNCED_HARD])
def test_what_did_not_leave_has_chased_nobody(seen: Seen, lived: Database, state: LetterState) -> None:
    with lived.write() as session:
        session.connection().execute(update(table(Letter)).values(state=state))
    with lived.read() as session:
        found = overdue(session, seen[1], AssignmentFilter())
    assert {row.chased for agency in found.agencies for row in agency.rows} == {None}
    assert {row.assignment.level for agency in found.agencies for row in agency.rows} == {0}


def test_the_overdue_list_goes_on_page_by_page(seen: Seen) -> None:
    assert overdue(*seen, AssignmentFilter(), page=2).agencies == ()


def test_agencies_are_listed_with_what_they_have_open_and_overdue(seen: Seen) -> None:
    found = list_agencies(*seen, limit=4)
    rest = list_agencies(*seen, after=found.next)
    rows = {row.id: (row.open, row.overdue) for row in found.rows + rest.rows}
    assert found.total == len(rows) == 6
    assert (rows["huyen-b"], rows["so-ban"], rows["tinh"]) == ((1, 1), (0, 0), (0, 0))
