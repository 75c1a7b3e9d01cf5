"""The demo: an example plan eleven days behind its first due date, the clock stopped, with buttons to advance it.

Only the clock and the channel differ from production: letters go to a Maildir; the passes are the live ones.

Fast-forward through time: advance to each moment at which something is due and run the live passes.

Used by the demo, the simulation and the story test.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from engine.agencies.contacts import change, contact_lines
from engine.assignments import opening
from engine.assignments.due_work import next_moment
from engine.errors import Conflict
from engine.files.plan import load_plan
from engine.plans import loading
from engine.rules.calendar import instant, local_date
from engine.store.clock import FACT, DemoClock
from engine.store.database import Database, table
from engine.store.facts import read_fact
from engine.store.records import Plan
from engine.store.rulebook import read_rulebook
from engine.terms import PlanState, Role, Scenario
from engine.text import Text
from workflows.run import passes
from workflows.run.installation import load_defaults
from workflows.serving import runs
from workflows.simulation.examples import EXAMPLES, Example, load_example
from workflows.simulation.scenarios import simulated_agencies

if TYPE_CHECKING:
    from workflows.run.system import System


Tick = Callable[[datetime], Awaitable[object]]
Between = Callable[[datetime], None]


async def fast_forward(
    database: Database, start: datetime, until: datetime, tick: Tick, between: Between | None = None
) -> datetime:
    """Tick at ``start`` and at every moment up to ``until`` at which something is due; ``between`` is called after each
    tick, for simulated people. Returns ``until``."""
    now = start
    while True:
        await tick(now)
        if between is not None:
            between(now)
        with database.read() as session:
            next_due = next_moment(session, now)
        if next_due is None or next_due > until:
            return until
        now = next_due


STEPS = {"day": timedelta(days=1), "week": timedelta(days=7)}


def prepare(system: System, example: Example, until: datetime | None = None) -> bool:
    """Set up the demo with the example's plan lived until its week with something overdue, or ``until``; False if it is
    set up already. The clock is set last, so an interrupted set-up is resumed."""
    system.database.upgrade()
    with system.database.read() as session:
        if read_fact(session, FACT) is not None:
            return False
    data = EXAMPLES[example]
    load_defaults(system.database, data.issued_at)
    load_example(system.database, example, data.issued_at)
    _give_numbers(system.database, data.issued_at)
    plan, plans = load_plan(data.plan), table(Plan)
    with system.database.write() as session:
        plan_id = loading.load_plan(session, plan, actor="cli", now=data.issued_at)
        state = session.connection().scalar(select(plans.c.state).where(plans.c.id == plan_id))
        if state is PlanState.LOADED:
            opening.activate(session, plan_id, actor="cli", now=data.issued_at)
    until = until or data.clock_start
    asyncio.run(_fast_forward(system, data.issued_at, until, _demo_agencies(system.database)))
    DemoClock(system.database).set(until)
    return True


def _give_numbers(database: Database, now: datetime) -> None:
    """To coordinators, numbers that no exchange gives out (subscribers' begin with 3 and above): whom to call is shown
    as it would be."""
    with database.write() as session:
        called = (each for each in contact_lines(session) if each.role is Role.COORDINATOR)
        for place, each in enumerate(called, 1):
            change(session, each.id, phone=f"+8423800{place:05}", actor="cli", now=now)


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
