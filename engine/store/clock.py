"""The current time. Only the interfaces and the heartbeat read a clock; other code takes ``now`` as an argument."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from engine.errors import Unavailable
from engine.store.database import Database
from engine.store.facts import read_fact, write_fact
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
