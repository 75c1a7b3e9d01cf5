"""The demonstration: plan 188 from 7 April 2021, the clock standing at Monday 7 June, and a bar that steps it.

Everything is the real thing but the clock and the post: letters go to a Maildir, passes are those that run live.
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
from workflows import passes
from workflows.simulation.fast_forward import live
from workflows.simulation.scenarios import people

if TYPE_CHECKING:
    from workflows.system import System

BEGAN = instant(date(2021, 4, 7), time(9, 0))
STANDS = instant(date(2021, 6, 7), time(8, 0))
STEPS = {"day": timedelta(days=1), "week": timedelta(days=7)}


def load_province(database: Database, now: datetime, *, actor: str = "cli") -> None:
    """The directory, the policy and the calendar that ship with the product. Loading again changes nothing."""
    with database.write() as session:
        directory_loading.load_directory(session, load_directory(DATA / "agencies/nghe-an.yaml"), actor=actor, now=now)
        loading.load_policy(session, read(DATA / "policies/default.yaml", Policy), actor=actor, now=now)
        loading.load_days(session, load_calendar(DATA / "calendars/vn.yaml").exceptions.values())


def prepare(system: System) -> bool:
    """Set the demonstration up, once: two months of plan 188 already lived. False if it stands already. The clock is
    set last, so a set-up that was interrupted is taken up where it stopped."""
    system.database.upgrade()
    with system.database.read() as session:
        if session.connection().scalar(select(table(Fact).c.value).where(table(Fact).c.name == FACT)) is not None:
            return False
    load_province(system.database, BEGAN)
    plan, plans = load_plan(DATA / "plans/188-kh-ubnd-2021.yaml"), table(Plan)
    with system.database.write() as session:
        plan_id = loading.load_plan(session, plan, actor="cli", now=BEGAN)
        state = session.connection().scalar(select(plans.c.state).where(plans.c.id == plan_id))
        if state is PlanState.LOADED:
            opening.activate(session, plan_id, actor="cli", now=BEGAN)
    asyncio.run(_live_until(system, BEGAN, STANDS, _people(system.database)))
    DemoClock(system.database).set(STANDS)
    return True


def _people(database: Database) -> Callable[[datetime], None]:
    """Agencies that are punctual, late or silent; what they report waits for the visitor to accept it."""
    with database.read() as session:
        policy = read_rulebook(session).policy("default")
    return people(database, Scenario.MIXED, policy, accepts=False)


async def _live_until(
    system: System, start: datetime, until: datetime, between: Callable[[datetime], None] | None = None
) -> datetime:
    async def tick(now: datetime) -> object:
        return await passes.tick(system.database, now, system.delivery)

    return await live(system.database, start, until, tick, between)


def stepper(system: System) -> Callable[[str], None]:
    """What the bar's buttons call: ``event``, ``day`` or ``week``. One step at a time."""
    clock = DemoClock(system.database)
    one_at_a_time = threading.Lock()

    def step(how: str) -> None:
        if not one_at_a_time.acquire(blocking=False):
            raise Conflict(Text("Đồng hồ đang chạy; đợi một chút.", "The clock is being moved; wait a moment."))
        try:
            now = clock()
            until = now + STEPS[how] if how in STEPS else _next_letters(system.database, now)
            asyncio.run(_stepping(system, clock, now, until))
        finally:
            one_at_a_time.release()

    return step


def _next_letters(database: Database, now: datetime) -> datetime:
    """The moment letters next leave: half an hour after the next thing is decided, or when queued ones may go."""
    with database.read() as session:
        following = next_moment(session, now)
        if following is None:
            return now + timedelta(days=1)
        return max(following, instant(local_date(following), time(7, 30)))


async def _stepping(system: System, clock: DemoClock, now: datetime, until: datetime) -> None:
    """Live through the time between, the clock shown to the pages moving along."""

    async def tick(moment: datetime) -> object:
        clock.set(max(moment, now))
        return await system.tick(moment)

    await live(system.database, now, until, tick, _people(system.database))
    clock.set(until.astimezone(UTC))
