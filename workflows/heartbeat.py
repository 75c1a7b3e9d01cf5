"""The heartbeat: APScheduler calls the tick and the audit. It holds no truth: restarting it loses nothing.

Memory job store, missed beats coalesced into one, never two at a time, and no beat too late to count.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from apscheduler.schedulers.background import BackgroundScheduler

log = logging.getLogger(__name__)
AUDIT_SECONDS = 300


class Heartbeat:
    """Calls ``beat`` every few seconds, ``audit`` every five minutes, and ``listen`` on a beat of its own; at once for
    the first time."""

    def __init__(
        self,
        beat: Callable[[], None],
        audit: Callable[[], None],
        seconds: int,
        listen: Callable[[], None] | None = None,
        listen_seconds: int = 60,
    ) -> None:
        make: Any = BackgroundScheduler  # untyped
        self._scheduler = make(
            job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1}, timezone=UTC
        )
        jobs = [("tick", beat, seconds), ("audit", audit, AUDIT_SECONDS)]
        if listen is not None:
            jobs.append(("listen", listen, listen_seconds))
        for name, job, every in jobs:
            self._scheduler.add_job(
                _steady(name, job), "interval", seconds=every, id=name, next_run_time=datetime.now(UTC)
            )

    def start(self) -> None:
        self._scheduler.start()

    def stop(self) -> None:
        """Stop after the beat that is running, if any."""
        self._scheduler.shutdown(wait=True)


def _steady(name: str, job: Callable[[], None]) -> Callable[[], None]:
    """A beat that fails is said in the log; the next one comes all the same and does what was left."""

    def run() -> None:
        try:
            job()
        except Exception:
            log.exception("%s failed; it will be tried again at the next beat", name)

    return run
