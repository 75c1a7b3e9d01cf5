"""Baseline of the benchmark: two statements of raw SQL, and aiosmtplib's ``sendmail`` on kept connections.

Without notices, letter texts, events, checks at send time and stored outcomes.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from datetime import datetime
from datetime import time as wall
from typing import Any, TypeVar

import psycopg
from aiosmtplib import SMTP

from engine.rules.calendar import instant
from engine.store.database import Database
from tests.bench.ours import NOW, TODAY

T = TypeVar("T")
OWED = """
INSERT INTO bench_outbox (key, assignment_id, contact_id)
SELECT 'assignment:' || a.id || ':' || a.due_on || ':T-3:' || c.id, a.id, c.id
FROM assignment a JOIN contact c ON c.agency_id = a.agency_id AND c.role = 'coordinator'
WHERE a.next_action_at IS NOT NULL AND a.next_action_at <= {0}
ON CONFLICT DO NOTHING
"""
MARK = "UPDATE assignment SET next_action_at = {0} WHERE next_action_at IS NOT NULL AND next_action_at <= {0}"
LATER = instant(TODAY.replace(day=17), wall(7))


def sweep(database: Database) -> float:
    """Seconds to insert what is due into an outbox and mark it, in one transaction of the bare driver."""
    if database.dialect == "sqlite":
        return _sqlite(str(database.url.database))
    return _postgres(database.url.set(drivername="postgresql").render_as_string(hide_password=False))


def _sqlite(path: str) -> float:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "cache_size=-65536"):
            connection.execute(f"PRAGMA {pragma}")
        start = time.perf_counter()
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(OWED.format("?"), (_stored(NOW),))
        connection.execute(MARK.replace("{0}", "?"), (_stored(LATER), _stored(NOW)))
        connection.execute("COMMIT")
        return time.perf_counter() - start


def _stored(moment: datetime) -> str:
    """A time in the format of the records on SQLite."""
    return moment.replace(tzinfo=None).isoformat(" ", "microseconds")


def _postgres(url: str) -> float:
    with closing(psycopg.connect(url)) as connection:
        start = time.perf_counter()
        connection.execute(OWED.replace("{0}", "%s").encode(), (NOW,))
        connection.execute(MARK.replace("{0}", "%s").encode(), (LATER, NOW))
        connection.commit()
        return time.perf_counter() - start


async def shared(things: Sequence[T], width: int, act: Callable[[int, T], Awaitable[Any]]) -> None:
    """Process ``things`` with ``width`` concurrent workers."""
    queue = iter(things)

    async def worker(number: int) -> None:
        for each in queue:
            await act(number, each)

    await asyncio.gather(*(worker(number) for number in range(width)))


async def send(messages: Sequence[tuple[str, bytes]], sender: str, port: int, width: int = 4) -> float:
    """Seconds to send (recipient, message) pairs, composed before timing starts, on kept connections."""
    clients = [SMTP(hostname="127.0.0.1", port=port, start_tls=False) for _ in range(width)]
    for client in clients:
        await client.connect()

    async def one(number: int, each: tuple[str, bytes]) -> None:
        await clients[number].sendmail(sender, [each[0]], each[1])

    start = time.perf_counter()
    await shared(messages, width, one)
    spent = time.perf_counter() - start
    for client in clients:
        await client.quit()
    return spent
