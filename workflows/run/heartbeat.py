"""The heartbeat: APScheduler calls the tick, the audit and the inbound passes. Stateless: a restart loses nothing.

Memory job store; missed runs are coalesced into one, never run concurrently, and never dropped as too late.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from apscheduler.schedulers.background import BackgroundScheduler

log = logging.getLogger(__name__)
# A tick that finds the one before still delivering has nothing to do; that is no warning.
logging.getLogger("apscheduler.scheduler").setLevel(logging.ERROR)
AUDIT_SECONDS, PROJECTION_SECONDS = 300, 5


class Heartbeat:
    """Calls ``tick`` and ``webhooks`` every ``seconds``, ``audit`` every five minutes, ``inbound`` every
    ``inbound_seconds``, ``projection`` every five seconds; first immediately."""

    def __init__(
        self,
        tick: Callable[[], None],
        audit: Callable[[], None],
        seconds: int,
        inbound: Callable[[], None] | None = None,
        inbound_seconds: int = 60,
        webhooks: Callable[[], None] | None = None,
        projection: Callable[[], None] | None = None,
    ) -> None:
        scheduler_class: Any = BackgroundScheduler  # untyped
        self._scheduler = scheduler_class(
            job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1}, timezone=UTC
        )
        jobs = [("tick", tick, seconds), ("audit", audit, AUDIT_SECONDS)]
        if inbound is not None:
            jobs.append(("inbound", inbound, inbound_seconds))
        if webhooks is not None:
            jobs.append(("webhooks", webhooks, seconds))
        if projection is not None:
            jobs.append(("projection", projection, PROJECTION_SECONDS))
        for name, job, every in jobs:
            self._scheduler.add_job(
                _logging_errors(name, job), "interval", seconds=every, id=name, next_run_time=datetime.now(UTC)
            )

    def start(self) -> None:
        self._scheduler.start()

    def stop(self) -> None:
        """Stop after the running jobs have ended."""
        self._scheduler.shutdown(wait=True)


def _logging_errors(name: str, job: Callable[[], None]) -> Callable[[], None]:
    """Log the exceptions of a job; the next run does the remaining work."""

    def run() -> None:
        try:
            job()
        except Exception:
            log.exception("%s failed; it will be tried again at the next run", name)

    return run
