"""What an agency that has ended still owed is overdue nowhere: a line of its own beside the figures."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

import pytest
from ground.factory import Laid, at, do, lay, report_partly, row, rows, swept, told
from sqlalchemy import update
from sqlmodel import Session

from engine.application.daily_cleanup import run_daily_cleanup
from engine.assignments import lifecycle
from engine.assignments.told import counted, since
from engine.queries.directory import list_agencies
from engine.queries.figures.board import board
from engine.queries.figures.outlook import Selection, furthest_behind
from engine.queries.figures.plan_progress import standing
from engine.queries.figures.plans import list_plans
from engine.queries.time_class import Today, read_today
from engine.queries.work.assignments import AssignmentFilter, how_many
from engine.queries.work.desk import desk
from engine.queries.work.overdue import counted_overdue, overdue
from engine.rules.situation import Action
from engine.store.database import Database, table
from engine.store.records import Assignment
from engine.terms import Quiet, Role, State, TimeClass
from workflows.projection.shown_runs import Moment, rows_of, state_of

ENDED, MONDAY = at("2021-06-25", "09:00"), at("2021-06-28", "08:00")
TASK = "IV.1.1", "so-ban"
LEADERSHIP = Role.LEADERSHIP, "tinh"
OTHERS = 3
"""Overdue on that Monday besides: of huyen-a, huyen-b and so-chinh."""
ALL, LATE = AssignmentFilter(), AssignmentFilter(classes=(TimeClass.OPEN_OVERDUE,))


@pytest.fixture
def kept(database: Database) -> Laid:
    """so-ban owed a task of 17 June when it ended on the 25th."""
    laid = lay(database, now=at("2021-04-07"))
    swept(database, at("2021-06-24", "07:00"))
    keep(laid, ENDED)
    return laid


def keep(laid: Laid, now: datetime) -> None:
    with laid.database.write() as session:
        basis = {"followed_by": ("so-chinh",), "basis": "Nghị quyết 1", "actor": "account:1", "now": now}
        lifecycle.keep_for_figures(session, laid.assignment(*TASK), **basis)


def prefect(session: Session, laid: Laid, today: Today) -> int:
    (shown,) = rows_of(session, [laid.assignment(*TASK)])
    return int(state_of(shown, Moment(today.day)).name == "Late")


WINDOWS: dict[str, Callable[[Session, Laid, Today], int]] = {
    "list": lambda session, laid, today: how_many(
        session, today, AssignmentFilter(agency_id="so-ban", classes=LATE.classes)
    ),
    "every bar": lambda session, laid, today: counted_overdue(session, today) - OTHERS,
    "overdue page": lambda session, laid, today: sum(
        each.id == "so-ban" for each in overdue(session, today, ALL).agencies
    ),
    "board": lambda session, laid, today: board(session, today, ALL).total.overdue - OTHERS,
    "progress": lambda session, laid, today: standing(session, today.day).total.overdue - OTHERS,
    "weekly box": lambda session, laid, today: counted(session, today.now)[LEADERSHIP].total.overdue - OTHERS,
    "leadership": lambda session, laid, today: sum(
        each.id == "so-ban" for each in furthest_behind(session, today, Selection())
    ),
    "agencies": lambda session, laid, today: sum(
        each.overdue for each in list_agencies(session, today).rows if each.id == "so-ban"
    ),
    "plans": lambda session, laid, today: list_plans(session, today).rows[0].counts.overdue - OTHERS,
    "desk": lambda session, laid, today: sum(
        each.total for each in desk(session, today, "so-ban").sections if each.name == "overdue"
    ),
    "Prefect": prefect,
}
"""How many of so-ban's tasks each window calls overdue."""


@pytest.mark.parametrize("window", WINDOWS)
def test_no_window_calls_it_overdue(kept: Laid, window: str) -> None:
    with kept.database.read() as session:
        assert WINDOWS[window](session, kept, read_today(session, MONDAY)) == 0


@pytest.mark.parametrize("window", WINDOWS)
def test_every_window_called_it_overdue_before(database: Database, window: str) -> None:
    laid = lay(database, now=at("2021-04-07"))
    with database.read() as session:
        assert WINDOWS[window](session, laid, read_today(session, MONDAY)) == 1


def test_it_has_a_line_of_its_own_and_stays_in_the_sum(kept: Laid) -> None:
    with kept.database.read() as session:
        today = read_today(session, MONDAY)
        total = board(session, today, ALL).total
        assert (total.by_class[TimeClass.NOT_ASKED], total.overdue, total.expected) == (1, OTHERS, 4)
        figures = standing(session, today.day).total
        assert (figures.not_asked, figures.judged, figures.expected) == (1, OTHERS, 4)
        (section,) = [each for each in desk(session, today, "so-ban").sections if each.total]
        assert section.name == "not_asked"


def test_figures_of_a_day_before_the_act_are_what_they_were(kept: Laid) -> None:
    with kept.database.read() as session:
        assert standing(session, date(2021, 6, 24)).total.overdue == OTHERS + 1
        assert standing(session, date(2021, 6, 25)).total.overdue == OTHERS


def test_it_is_told_as_no_longer_overdue_and_a_task_in_time_as_nothing(database: Database) -> None:
    laid = lay(database, now=at("2021-04-07"))
    changed = {}
    for task, now in ((TASK, at("2021-06-24")), (("IV.4.1", "so-chinh"), at("2021-06-17"))):
        with database.read() as session:
            then = counted(session, now)[LEADERSHIP]
        with database.write() as session:
            basis = {"followed_by": ("tinh",), "basis": "Nghị quyết 1", "actor": "account:1", "now": now}
            lifecycle.keep_for_figures(session, laid.assignment(*task), **basis)
            found = since(then, counted(session, now)[LEADERSHIP], {})
        assert found is not None
        changed[task[1]] = {each.id: (each.newly_overdue, each.done) for each in found.agencies}
    assert changed == {"so-ban": {"so-ban": (-1, 0)}, "so-chinh": {"so-chinh": (0, 0)}}


def test_nobody_is_chased_after_a_report_of_it_came_and_went_back(kept: Laid) -> None:
    task, database = kept.assignment(*TASK), kept.database
    report_partly(database, task, now=at("2021-06-28", "10:00"))
    assert row(database, Assignment, id=task).quiet is Quiet.FOLLOWED
    do(database, Action.RETURN, task, now=at("2021-06-29", "10:00"))
    returned = row(database, Assignment, id=task)
    assert (returned.state, returned.quiet, returned.next_action_at) == (State.RETURNED, Quiet.FOLLOWED, None)
    before = told(database)
    for day in ("2021-07-06", "2021-07-09", "2021-07-20", "2021-08-20"):
        swept(database, at(day, "07:00"))
    assert not [line for line in told(database) if line not in before and line[0].startswith("so-ban")]


def test_a_report_that_says_done_still_counts(kept: Laid) -> None:
    do(kept.database, Action.REPORT, kept.assignment(*TASK), now=MONDAY)
    with kept.database.read() as session:
        total = standing(session, MONDAY.date()).total
    assert (total.late, total.not_asked) == (1, 0)


def test_what_a_machine_of_the_version_before_kept_has_its_day_the_next_night(kept: Laid) -> None:
    a = table(Assignment)
    with kept.database.write() as session:
        session.connection().execute(update(a).values(not_asked_on=None))
        run_daily_cleanup(session, MONDAY)
    days = {each.agency_id: each.not_asked_on for each in rows(kept.database, Assignment) if each.not_asked_on}
    assert days == {"so-ban": MONDAY.date()}
