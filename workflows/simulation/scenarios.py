"""Scenarios for simulations: agencies that are silent, punctual, late, or a seeded mixture. They use the lifecycle."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlmodel import Session

from engine.assignments import lifecycle
from engine.assignments.lifecycle import ReportText
from engine.enums import complete
from engine.rules.calendar import WorkCalendar, instant, local_date
from engine.rules.policy import Policy
from engine.store.database import Database, table
from engine.store.records import Assignment
from engine.store.rulebook import read_calendar
from engine.store.stored_rows import columns_for, objects
from engine.terms import Scenario, State


@dataclass(frozen=True)
class Habit:
    """When an agency acknowledges, in working days after opening, and reports, in working days from the due date."""

    acknowledges: int | None = None
    reports: int | None = None


HABITS = complete(
    Scenario,
    {
        Scenario.SILENT: Habit(),
        Scenario.PUNCTUAL: Habit(acknowledges=0, reports=-3),
        Scenario.LATE: Habit(acknowledges=3, reports=3),
    },
    but=(Scenario.MIXED,),
)
WAITING = (State.ASSIGNED, State.ACKNOWLEDGED, State.RETURNED, State.REPORTED)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """An assignment of which its agency or its monitor has something to do."""

    id: int
    agency_id: str
    state: State
    opened_on: date
    due_on: date | None


def habit(scenario: Scenario, agency_id: str, seed: int) -> Habit:
    """The habit of an agency; depends only on scenario, agency and seed."""
    if scenario is not Scenario.MIXED:
        return HABITS[scenario]
    random_byte = hashlib.blake2b(f"{seed}:{agency_id}".encode(), digest_size=1).digest()[0]
    return list(HABITS.values())[(0, 1, 1, 1, 2, 2)[random_byte % 6]]


def simulated_agencies(
    database: Database, scenario: Scenario, policy: Policy, seed: int = 0, *, accepts: bool = True
) -> Callable[[datetime], None]:
    """A function that lets all agencies act after the day's letters: acknowledge, report, accept.
    ``accepts=False``: reports are not accepted automatically (demo)."""
    with database.read() as session:
        calendar = read_calendar(session)

    def act(now: datetime) -> None:
        if scenario is Scenario.SILENT or now < instant(local_date(now), policy.send_at):
            return
        a = table(Assignment)
        statement = select(*columns_for(_Waiting, a)).where(a.c.state.in_(WAITING))
        with database.read() as session:
            rows = objects(_Waiting, session.connection().execute(statement))
        actions = [
            action for row in rows if (action := _next_action(row, habit(scenario, row.agency_id, seed), calendar, now))
        ]
        if not accepts:
            actions = [(row, name) for row, name in actions if name != "accept"]
        if actions:
            with database.write() as session:
                for row, name in actions:
                    _perform(session, row, name, now)
                    if name == "report" and accepts:
                        _perform(session, row, "accept", now)

    return act


def _next_action(row: _Waiting, habit: Habit, calendar: WorkCalendar, now: datetime) -> tuple[_Waiting, str] | None:
    today = local_date(now)
    if row.state is State.REPORTED:
        return row, "accept"
    if row.state is State.ASSIGNED:
        acknowledge_on = _shifted(calendar, calendar.on_or_after(row.opened_on), habit.acknowledges)
        return (row, "acknowledge") if acknowledge_on is not None and today >= acknowledge_on else None
    report_on = None if row.due_on is None else _shifted(calendar, row.due_on, habit.reports)
    return (row, "report") if report_on is not None and today >= report_on else None


def _shifted(calendar: WorkCalendar, day: date, after: int | None) -> date | None:
    return None if after is None else calendar.shift(day, after)


def _perform(session: Session, row: _Waiting, name: str, now: datetime) -> None:
    actor = f"agency:{row.agency_id}"
    if name == "acknowledge":
        lifecycle.acknowledge(session, row.id, actor=actor, now=now)
    elif name == "report":
        lifecycle.report(session, row.id, ReportText(), actor=actor, now=now)
    else:
        lifecycle.accept(session, row.id, complete=True, actor="monitor", now=now)
