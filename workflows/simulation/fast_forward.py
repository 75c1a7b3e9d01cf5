"""Living through time: set the clock to each next moment and run the very passes that run live.

Used by the demonstration's clock, the simulation and the story test. Nothing here decides anything.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from engine.assignments.due_work import next_moment
from engine.store.database import Database

Tick = Callable[[datetime], Awaitable[object]]
Between = Callable[[datetime], None]


async def live(
    database: Database, start: datetime, until: datetime, tick: Tick, between: Between | None = None
) -> datetime:
    """Tick at ``start`` and at every moment something is due up to ``until``; people act in ``between`` afterwards.
    Returns ``until``, where the clock then stands."""
    now = start
    while True:
        await tick(now)
        if between is not None:
            between(now)
        with database.read() as session:
            following = next_moment(session, now)
        if following is None or following > until:
            return until
        now = following
