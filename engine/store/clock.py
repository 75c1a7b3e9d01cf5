"""The current time. Only the interfaces and the heartbeat read a clock; other code takes ``now`` as an argument."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy import select, update

from engine.errors import Unavailable
from engine.store.database import Database, insert_new, table
from engine.store.records import Fact
from engine.text import Text

Clock = Callable[[], datetime]
FACT = "demo_clock"


def system_clock() -> datetime:
    """The machine's time, aware UTC."""
    return datetime.now(UTC)


class DemoClock:
    """The demonstration's clock: it moves only when it is set, and is stored in the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def __call__(self) -> datetime:
        with self._database.read() as session:
            value = session.connection().scalar(select(table(Fact).c.value).where(table(Fact).c.name == FACT))
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
        facts = table(Fact)
        value = now.astimezone(UTC).isoformat()
        with self._database.write() as session:
            changed = session.connection().execute(update(facts).where(facts.c.name == FACT).values(value=value))
            if changed.rowcount == 0:
                insert_new(session, Fact, [{"name": FACT, "value": value}])
