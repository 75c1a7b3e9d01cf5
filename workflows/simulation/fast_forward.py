"""Fast-forward through time: advance to each moment at which something is due and run the live passes.

Used by the demo, the simulation and the story test.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from engine.assignments.due_work import next_moment
from engine.store.database import Database

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
