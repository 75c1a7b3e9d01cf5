"""Work that takes longer than a request should: it runs in a thread, and its answer is stored in the database, where
every process finds it. It writes in one transaction, so a killed process leaves nothing half-written; its heartbeat
then stops, and the waiting page says so.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass
from datetime import timedelta
from threading import Thread
from typing import TypeVar

from sqlmodel import Session

from engine.errors import Unavailable
from engine.store.clock import system_clock
from engine.store.database import BUSY_SECONDS, Database
from engine.store.pending_answers import Begun, beat, begin, end

log = logging.getLogger(__name__)
PATIENCE_SECONDS = 1.0
"""Seconds before we redirect to the waiting page."""
BEAT_SECONDS = 5.0
PROGRESS_SECONDS = 1.0
"""Seconds between two updates of the progress shown, for work that reports it."""
STALE = timedelta(seconds=2 * BUSY_SECONDS)
"""Longer than a heartbeat may wait for another writer's lock."""
TRIES = 5


T = TypeVar("T")


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

    def start(self, act: Callable[[], T]) -> Future[T]:
        future: Future[T] = Future()
        Thread(target=_do, args=(future, act), daemon=True).start()
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


def _do(future: Future[T], act: Callable[[], T]) -> None:
    try:
        future.set_result(act())
    except Exception as error:  # noqa: BLE001 - told to whoever waits
        future.set_exception(error)
