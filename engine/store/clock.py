"""The current time. Only the interfaces and the heartbeat read a clock; other code takes ``now`` as an argument.

A lease is the exception: it is about processes, not about the plan, and the machines of one PostgreSQL may disagree by
more than a lease. So there it is written and judged by the server's clock (``lease_clock``).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlmodel import Session
from sqlmodel.sql.sqltypes import UTCDateTime

from engine.errors import Unavailable
from engine.store.database import Database
from engine.store.facts import read_fact, write_fact
from engine.text import Text

Clock = Callable[[], datetime]
FACT = "demo_clock"


def system_clock() -> datetime:
    """The machine's time, aware UTC."""
    return datetime.now(UTC)


def lease_clock(dialect: str, moment: datetime | ColumnElement[datetime]) -> Any:
    """The instant by which leases are written and judged, for a statement: the server's clock on PostgreSQL, whatever
    the caller's says; ``moment`` on SQLite, where one file is one machine. Under a simulated clock a lease on
    PostgreSQL lasts as many real minutes."""
    if dialect == "postgresql":
        return func.clock_timestamp(type_=UTCDateTime())
    return moment


def shared_clock(session: Session, now: datetime) -> datetime:
    """The instant by which machines are compared: the server's on PostgreSQL, ``now`` on SQLite."""
    clock = lease_clock(session.connection().dialect.name, now)
    at: datetime = now if clock is now else session.connection().scalars(select(clock)).one()
    return at


class DemoClock:
    """The demonstration's clock: it moves only when it is set, and is stored in the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def __call__(self) -> datetime:
        with self._database.read() as session:
            value = read_fact(session, FACT)
        if value is None:
            raise Unavailable(
                Text(
                    "Đồng hồ trình diễn chưa được đặt; chạy «make run».",
                    "The demonstration clock is not set; run make run.",
                )
            )
        return datetime.fromisoformat(value)

    def set(self, now: datetime) -> None:
        """Set the clock to an aware instant."""
        with self._database.write() as session:
            write_fact(session, FACT, now.astimezone(UTC).isoformat())
