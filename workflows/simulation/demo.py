"""The demo: plan 188 from 7 April 2021, the clock stopped at Monday 7 June, with buttons to advance it.

Only the clock and the channel differ from production: letters go to a Maildir; the passes are the live ones.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from config import DATA
from engine.agencies import directory_loading
from engine.assignments import opening
from engine.assignments.due_work import next_moment
from engine.errors import Conflict
from engine.files.calendar import load_calendar
from engine.files.directory import load_directory
from engine.files.plan import load_plan
from engine.files.yaml_reader import read
from engine.plans import loading
from engine.plans.simulated_year import Scenario
from engine.rules.calendar import instant, local_date
from engine.rules.policy import Policy
from engine.store.clock import FACT, DemoClock
from engine.store.database import Database, table
from engine.store.records import Fact, Plan
from engine.store.rulebook import read_rulebook
from engine.terms import PlanState
from engine.text import Text
from workflows import passes, runs
from workflows.simulation.fast_forward import fast_forward
from workflows.simulation.scenarios import simulated_agencies

if TYPE_CHECKING:
    from workflows.system import System

PLAN_START = instant(date(2021, 4, 7), time(9, 0))
CLOCK_START = instant(date(2021, 6, 7), time(8, 0))
STEPS = {"day": timedelta(days=1), "week": timedelta(days=7)}


def load_province(database: Database, now: datetime, *, actor: str = "cli") -> None:
    """Load the directory, policy and calendar that ship with the product. Loading again changes nothing."""
    with database.write() as session:
        directory_loading.load_directory(session, load_directory(DATA / "agencies/nghe-an.yaml"), actor=actor, now=now)
        loading.load_policy(session, read(DATA / "policies/default.yaml", Policy), actor=actor, now=now)
        days = load_calendar(DATA / "calendars/vn.yaml").exceptions.values()
        loading.load_days(session, days, actor=actor, now=now)


def prepare(system: System) -> bool:
    """Set up the demo with two months of plan 188; False if it is set up already. The clock is set last, so an
    interrupted set-up is resumed."""
    system.database.upgrade()
    with system.database.read() as session:
        if session.connection().scalar(select(table(Fact).c.value).where(table(Fact).c.name == FACT)) is not None:
            return False
    load_province(system.database, PLAN_START)
    plan, plans = load_plan(DATA / "plans/188-kh-ubnd-2021.yaml"), table(Plan)
    with system.database.write() as session:
        plan_id = loading.load_plan(session, plan, actor="cli", now=PLAN_START)
        state = session.connection().scalar(select(plans.c.state).where(plans.c.id == plan_id))
        if state is PlanState.LOADED:
            opening.activate(session, plan_id, actor="cli", now=PLAN_START)
    asyncio.run(_fast_forward(system, PLAN_START, CLOCK_START, _demo_agencies(system.database)))
    DemoClock(system.database).set(CLOCK_START)
    return True


def _demo_agencies(database: Database) -> Callable[[datetime], None]:
    """Simulated agencies that are punctual, late or silent; their reports are left for the user to accept."""
    with database.read() as session:
        policy = read_rulebook(session).policy("default")
    return simulated_agencies(database, Scenario.MIXED, policy, accepts=False)


async def _fast_forward(
    system: System, start: datetime, until: datetime, between: Callable[[datetime], None] | None = None
) -> datetime:
    async def tick(now: datetime) -> object:
        return await passes.tick(system.database, now, system.delivery)

    return await fast_forward(system.database, start, until, tick, between)


def stepper(system: System) -> Callable[[str], None]:
    """The function behind the buttons: advances by ``event``, ``day`` or ``week``. Conflict while a step runs."""
    clock = DemoClock(system.database)
    one_at_a_time = threading.Lock()

    def step(how: str) -> None:
        if not one_at_a_time.acquire(blocking=False):
            raise Conflict(Text("Đồng hồ đang chạy; đợi một chút.", "The clock is being advanced; wait a moment."))
        try:
            now = clock()
            until = now + STEPS[how] if how in STEPS else _next_letters(system.database, now)
            asyncio.run(_advance(system, clock, now, until))
        finally:
            one_at_a_time.release()

    return step


def _next_letters(database: Database, now: datetime) -> datetime:
    """The next time at which something is due, but not before 07:30, when letters may be sent; else in one day."""
    with database.read() as session:
        following = next_moment(session, now)
        if following is None:
            return now + timedelta(days=1)
        return max(following, instant(local_date(following), time(7, 30)))


async def _advance(system: System, clock: DemoClock, now: datetime, until: datetime) -> None:
    """Run all passes between two times, advancing the clock that the pages show."""

    async def tick(moment: datetime) -> object:
        clock.set(max(moment, now))
        return await runs.tick(system, moment)

    await fast_forward(system.database, now, until, tick, _demo_agencies(system.database))
    clock.set(until.astimezone(UTC))
    await asyncio.to_thread(runs.run_audit, system)  # the health page is as old as the clock that people see
