"""The heartbeat: APScheduler calls the tick, the audit and the inbound passes. Stateless: a restart loses nothing.

Memory job store; missed runs are coalesced into one, never run concurrently, and never dropped as too late.

The projector as a job of the heartbeat: one sentence in the log when Prefect does not answer, and one when it does
again.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from apscheduler.schedulers.background import BackgroundScheduler

from engine.errors import Unavailable
from engine.rules.calendar import PLAN_TIME
from workflows.projection.prefect_api import take_turn
from workflows.projection.projector import Projector
from workflows.run import channel_wiring
from workflows.run.installation import installation_id
from workflows.run.prefect_deployments import prepare
from workflows.run.system import System

log = logging.getLogger(__name__)
# A tick that finds the one before still delivering has nothing to do; that is no warning.
logging.getLogger("apscheduler.scheduler").setLevel(logging.ERROR)
HANGS_AFTER_SECONDS = 1800
AFTER_START_SECONDS = 2
LONG = ("tick",)
"""Jobs that may take hours: ten thousand letters through a slow relay. What they leave undone is found in the rows."""


class Heartbeat:
    """Calls each job every so many seconds, first immediately; by its name."""

    def __init__(self, jobs: Mapping[str, tuple[Callable[[], None], float]]) -> None:
        self._began: dict[str, float] = {}
        scheduler_class: Any = BackgroundScheduler  # untyped
        self._scheduler = scheduler_class(
            job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1}, timezone=UTC
        )
        for name, (job, every) in jobs.items():
            run = logging_errors(name, self._timed(name, job))
            self._scheduler.add_job(run, "interval", seconds=every, id=name, next_run_time=datetime.now(UTC))

    def start(self) -> None:
        self._scheduler.start()

    def hanging(self, seconds: float = HANGS_AFTER_SECONDS) -> int:
        """How many jobs have been running for so long. Until they end none of their kind runs."""
        now = time.monotonic()
        return sum(now - began > seconds for name, began in list(self._began.items()) if name not in LONG)

    def _timed(self, name: str, job: Callable[[], None]) -> Callable[[], None]:
        def run() -> None:
            self._began[name] = time.monotonic()
            try:
                job()
            finally:
                self._began.pop(name, None)

        return run

    def stop(self) -> None:
        """Stop after the running jobs have ended."""
        self._scheduler.shutdown(wait=True)


def logging_errors(name: str, job: Callable[[], None]) -> Callable[[], None]:
    """Log the exceptions of a job; the next run does the remaining work. A fault is told once, with its traceback
    unless it is a sentence of ours (Unavailable, however worded), then in one sentence with how often, each time that
    has doubled: a full disk wrote 92 lines a tick."""
    last, times = "", 0

    def run() -> None:
        nonlocal last, times
        try:
            job()
        except Exception as error:
            ours, said = isinstance(error, Unavailable), str(error).partition("\n")[0]
            fault = type(error).__name__ if ours else f"{type(error).__name__}: {said}"
            times = times + 1 if fault == last else 1
            last = fault
            if times == 1:
                traceback = None if ours else error
                log.error("%s failed; it will be tried again at the next run: %s", name, said, exc_info=traceback)
            elif times & (times - 1) == 0:
                log.error("%s failed again, %d times now: %s", name, times, said)
        else:
            last, times = "", 0

    return run


def daily(name: str, job: Callable[[], None]) -> Any:
    """A scheduler, not begun: it runs the job soon after it has begun, and when a day in Vietnam has."""
    scheduler_class: Any = BackgroundScheduler  # untyped
    scheduler = scheduler_class(job_defaults={"misfire_grace_time": None}, timezone=PLAN_TIME)
    first = datetime.now(UTC) + timedelta(seconds=AFTER_START_SECONDS)
    scheduler.add_job(logging_errors(name, job), "cron", hour=0, minute=1, id=name, next_run_time=first)
    return scheduler


def projector(system: System) -> Projector:
    """The projector of this installation; a demonstration has a clock of its own. At the server beside ``serve``, which
    has no deployments, it sees to the alarms, too."""
    settings = system.settings
    pages = f"http://{own_host(settings.host)}:{settings.port}"
    address = channel_wiring.alarm_address(settings, system.signer, pages)
    return Projector(
        database=system.database,
        api_url=system.prefect_api,
        auth=system.prefect_auth,
        installation=installation_id(system.database) or "demo",
        base_url=settings.base_url,
        overdue=settings.prefect_overdue,
        own_clock=settings.demo,
        prepare=lambda api: prepare(api, address, alarms=not settings.prefect_api_url),
    )


class Projecting:
    def __init__(self, system: System) -> None:
        self._system, self._holder = system, secrets.token_hex(8)
        self._projector: Projector | None = None
        self._silent = False

    def run(self) -> None:
        """One pass, if it is this process's turn and Prefect answers."""
        system = self._system
        if not system.prefect_answers() or not take_turn(system.database, self._holder):
            return
        self._projector = self._projector or projector(system)
        self._projector.auth = system.prefect_auth  # another one since our server was started again
        try:
            done = self._projector.run(system.clock())
        except httpx.HTTPError as error:
            if not self._silent:
                log.warning("Prefect does not take the picture (%s); it is tried again and again", error)
            self._silent = True
            return
        if self._silent:
            log.info("Prefect takes the picture again")
        self._silent = False
        if done.runs or done.events:
            log.info(
                "Prefect: %d runs, %d lines, %d events by %d calls", done.runs, done.lines, done.events, done.calls
            )


def own_host(host: str) -> str:
    """Where this machine reaches the pages: an address that stands for all of them is not one to call."""
    here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"[{here}]" if ":" in here else here
