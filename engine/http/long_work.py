"""Work that takes longer than a request should: it runs in a thread, and its answer is stored in the database, where
every process finds it. It writes in one transaction, so a killed process leaves nothing half-written; its heartbeat
then stops, and the waiting page says so.
"""

from __future__ import annotations

import logging
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Condition, Thread
from typing import TypeVar

from sqlmodel import Session

from engine.errors import Busy, TooOften, Unavailable
from engine.store.clock import system_clock
from engine.store.database import BUSY_SECONDS, Database
from engine.store.pending_answers import Begun, beat, begin, end
from engine.text import Text

log = logging.getLogger(__name__)
PATIENCE_SECONDS = 1.0
"""Seconds before we redirect to the waiting page."""
BEAT_SECONDS = 5.0
PROGRESS_SECONDS = 1.0
"""Seconds between two updates of the progress shown, for work that reports it."""
STALE = timedelta(seconds=2 * BUSY_SECONDS)
"""Longer than a heartbeat may wait for another writer's lock."""
TRIES = 5
PLACES = 4
"""Long work at once: a tenth of the threads that answer pages."""
HOURLY = 300
"""Of one person: a file or a preview every twelve seconds, for an hour on end."""
TURN_SECONDS = 600.0
"""What waits here holds no thread of the pages."""
T = TypeVar("T")


class Turns:
    """Who does long work in this process: ``places`` at once, of one person one at a time and one that waits, and
    ``hourly`` within an hour."""

    def __init__(self, places: int = PLACES, hourly: int = HOURLY) -> None:
        self.places, self.hourly = places, hourly
        self.changed = Condition()
        self.asked: defaultdict[str, list[Turn]] = defaultdict(list)
        self._begun: defaultdict[str, deque[datetime]] = defaultdict(lambda: deque(maxlen=hourly))

    def ask(self, person: str, now: datetime) -> Turn:
        """A place in the queue, to be ended by whoever asked. Raises Busy where one waits already, or TooOften."""
        with self.changed:
            begun = self._begun[person]
            if len(begun) == self.hourly and now < begun[0] + timedelta(hours=1):
                raise TooOften(
                    Text(
                        f"Đã có {self.hourly} lượt tải tệp, xem trước hoặc nạp văn bản trong một giờ; đề nghị chờ.",
                        f"{self.hourly} files, previews or imports were asked for within an hour; wait a while.",
                    ),
                    begun[0] + timedelta(hours=1),
                )
            if len(self.asked[person]) > 1:
                raise Busy
            begun.append(now)
            turn = Turn(self, person)
            self.asked[person].append(turn)
            return turn


@dataclass(eq=False)
class Turn:
    among: Turns
    person: str
    running: bool = False

    def begin(self) -> bool:
        """Whether it is this turn now. Does not wait."""
        with self.among.changed:
            return self._begin()

    def wait(self) -> None:
        """Raises Busy."""
        with self.among.changed:
            if not self.among.changed.wait_for(self._begin, TURN_SECONDS):
                raise Busy

    def end(self) -> None:
        """Also a second time."""
        with self.among.changed:
            waiting = self.among.asked.get(self.person, [])
            if self in waiting:
                waiting.remove(self)
            if not waiting:
                self.among.asked.pop(self.person, None)
            self.among.changed.notify_all()

    def _begin(self) -> bool:
        asked = self.among.asked
        running = sum(turns[0].running for turns in asked.values())
        self.running = self.running or (asked[self.person][0] is self and running < self.among.places)
        return self.running


@dataclass(frozen=True)
class JobAnswer:
    """A stored answer: a redirect, or the page in each language."""

    status: int
    location: str
    pages: Mapping[str, str]


@dataclass
class Progress:
    """The share of the work that is done, from 0 to 1, as its thread reports it; None before the first report."""

    share: float | None = None

    def tell(self, share: float) -> None:
        self.share = share


@dataclass
class LongWork:
    """How long to wait, and how the work is run."""

    patience: float = PATIENCE_SECONDS
    beat: float = BEAT_SECONDS
    stale: timedelta = STALE
    turns: Turns = field(default_factory=Turns)

    def start(self, act: Callable[[], T], turn: Turn) -> Future[T]:
        """In a thread that waits for its turn."""
        future: Future[T] = Future()
        Thread(target=_do, args=(future, act, turn), daemon=True).start()
        return future

    def is_quick(self, future: Future[T]) -> bool:
        """Whether it finishes within ``patience``."""
        return bool(wait([future], self.patience).done)

    def begin(self, database: Database, work: Begun) -> bool:
        with database.write() as session:
            return begin(session, work, system_clock(), self.stale)

    def keep(
        self,
        database: Database,
        work: Begun,
        future: Future[T],
        answer: Callable[[], JobAnswer],
        progress: Progress | None = None,
    ) -> Thread:
        """Send heartbeats until the work is done, then store its answer; runs in the returned thread."""
        told = progress or Progress()
        pause = min(self.beat, PROGRESS_SECONDS) if progress else self.beat

        def attend() -> None:
            while not wait([future], pause).done:
                _written(database, lambda session: beat(session, work, system_clock(), told.share))
            kept = answer()
            for _ in range(TRIES):
                if _written(
                    database,
                    lambda session: end(session, work, system_clock(), kept.status, kept.location, kept.pages),
                ):
                    return

        thread = Thread(target=attend, daemon=True)
        thread.start()
        return thread


def _written(database: Database, write: Callable[[Session], object]) -> bool:
    try:
        with database.write() as session:
            write(session)
    except Unavailable as error:
        log.warning("the answer of long work could not be kept yet: %s", error)
        return False
    return True


def _do(future: Future[T], act: Callable[[], T], turn: Turn) -> None:
    try:
        turn.wait()
        future.set_result(act())
    except Exception as error:  # noqa: BLE001 - told to whoever waits
        future.set_exception(error)
