"""Every window says the same of every task on every day, and what a page offers is what can be done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ground.databases import reopened_database, sqlite_copy
from ground.factory import rows
from ground.generated_year import STEPS, Year, drawn
from ground.postgres import Ground
from ground.windows import asked_for_nothing, disagreements
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from engine.assignments import lifecycle
from engine.assignments.lifecycle import ReportText
from engine.assignments.promise_rows import PromiseText
from engine.assignments.promises import make_promise
from engine.enums import complete
from engine.errors import DondocError, ForbiddenMove
from engine.plans.closing import redate_all
from engine.rules.calendar import local_date
from engine.rules.situation import Action, situation
from engine.store.database import Database, table
from engine.store.records import Assignment
from engine.store.stored_rows import StoredAssignment, object_of, select_assignments

OUTCOME = ReportText(body="Đã làm xong.")


def attempts(now: datetime, due: date | None) -> Mapping[Action, Callable[[Session, int], object]]:
    """Each act that one task can have, with what it needs."""
    who: dict[str, Any] = {"actor": "account:1", "now": now}
    later, today = (due or local_date(now)) + timedelta(days=40), local_date(now)
    promise = PromiseText(on=today + timedelta(days=30), reason="Chờ kinh phí.")
    return complete(
        Action,
        {
            Action.ACKNOWLEDGE: lambda s, task: lifecycle.acknowledge(s, task, **who),
            Action.DECLINE: lambda s, task: lifecycle.decline(s, task, **who),
            Action.REPORT: lambda s, task: lifecycle.report(s, task, OUTCOME, **who),
            Action.ASK_EXTENSION: lambda s, task: lifecycle.ask_extension(s, task, until=later, reason="Bão.", **who),
            Action.PROMISE: lambda s, task: make_promise(s, task, promise, "difficulty", **who),
            Action.ACCEPT: lambda s, task: lifecycle.accept(s, task, complete=True, **who),
            Action.RETURN: lambda s, task: lifecycle.return_report(s, task, reason="Thiếu.", **who),
            Action.CHASE: lambda s, task: lifecycle.chase(s, task, **who),
            Action.REDATE: lambda s, task: redated(s, task, later, **who),
            Action.TRANSFER: lambda s, task: lifecycle.transfer(s, task, to_agency="mat-tran", reason="QĐ 5.", **who),
            Action.CANCEL: lambda s, task: lifecycle.cancel(s, task, reason="Thôi.", **who),
            Action.FOLLOW: lambda s, task: lifecycle.keep_for_figures(s, task, followed_by=(), basis="NQ", **who),
        },
    )


def redated(session: Session, task: int, day: date, *, actor: str, now: datetime) -> None:
    statement = select_assignments().where(table(Assignment).c.id == task)
    row = object_of(StoredAssignment, session.connection().execute(statement).one())
    lifecycle.require(session, row, Action.REDATE, now)
    redate_all(session, [task], day=day, basis="CV 9", actor=actor, now=now)


class Undone(Exception):
    """Nothing stays done."""


def acts_that_differ(year: Year, task: Assignment) -> list[str]:
    """Acts that the table allows and lifecycle refuses, or the other way round."""
    may = situation(task, year.today).may
    wrong = []
    for action, attempt in attempts(year.now, task.due_on).items():
        done: object = None
        try:
            with year.database.write() as session:
                done = attempt(session, int(task.id or 0))
                raise Undone
        except Undone:
            possible = action is Action.CHASE or done is not False  # False: chased today, acknowledged before
        except ForbiddenMove:
            possible = False
        except DondocError:
            continue  # possible, and something else is missing
        if possible is not (action in may):
            wrong.append(f"{action.value} of {task.id} ({task.state.value}, due {task.due_on})")
    return wrong


def agreeing(database: Database, steps: list[tuple[int, int, int, int]]) -> None:
    year = Year(database)
    for step in steps:
        year.step(*step)
        tasks = rows(database, Assignment)
        assert acts_that_differ(year, tasks[step[2] % len(tasks)]) == [], step
        assert disagreements(database, year.now) == [], step
        assert asked_for_nothing(database, year.now) == [], step


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(STEPS, min_size=3, max_size=6))
def test_all_windows_show_the_same_whatever_people_do(
    ground: Ground, worker_folder: Path, steps: list[tuple[int, int, int, int]]
) -> None:
    with reopened_database(sqlite_copy(ground, worker_folder / "windows")) as database:
        agreeing(database, steps)


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(2))
def test_all_windows_show_the_same_through_a_hundred_steps(database: Database, seed: int) -> None:
    agreeing(database, drawn(seed, 100))
