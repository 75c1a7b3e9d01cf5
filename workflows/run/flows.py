"""The passes as Prefect flow runs. Imported only when Prefect is used.

In the process of ``serve`` a flow run does its work by the plain passes, in a thread of its own: nothing that Prefect
does or fails to do stops, repeats or slows it. On a worker a tick is tasks (``flow_tasks``). A duty that failed makes
the run Failed; what is still due is done by the next run. What became of each duty is shown by
``workflows.projection``.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from prefect import flow
from prefect.context import get_run_context
from prefect.events.worker import EventsWorker

from engine.assignments.due_work import Due
from engine.rules.calendar import PLAN_TIME
from engine.store.database import Database
from engine.terms import PassName
from notifications.delivery import DeliveryContext
from workflows.run import clock_guard, passes
from workflows.run.installation import check_installation
from workflows.run.passes import PassReport

log = logging.getLogger(__name__)
SHOW_TIMEOUT_SECONDS = 20
"""Time for Prefect to record a run whose work is done; then it is left unfinished."""
MAX_DRAIN_SECONDS = 60
"""A run of ``dondoc-deliver`` claims letters for this long; the next run goes on."""
STOP_TIMEOUT_SECONDS = 5
"""Time for the work of a run that is told to stop: letters on the wire are settled. What is not done then is left, as
by a crash, to the next run."""


class Stopped(Exception):
    """The run was told to stop and did not get to an end in time."""


@dataclass(frozen=True)
class FlowContext:
    """What the flows need in this process."""

    database: Database
    delivery: DeliveryContext
    work: asyncio.Future[Work] | None = None
    """The work of this flow run, if it has begun already."""


@dataclass(frozen=True)
class Work:
    """What the passes did, and the first error."""

    reports: list[PassReport]
    error: Exception | None = None


_flow_context: ContextVar[FlowContext | None] = ContextVar("dondoc_flow_context", default=None)


def flow_context() -> FlowContext:
    """The context set by ``observed_tick``, else created from the settings (on a Prefect worker)."""
    context = _flow_context.get()
    if context is None:
        from workflows.run.private_files import create_privately
        from workflows.run.system import compose_installed

        create_privately()
        system = compose_installed()
        context = FlowContext(system.database, system.delivery)
        _flow_context.set(context)
    return context


def _check_clock(context: FlowContext, now: str) -> None:
    """A worker whose clock is not the database server's does nothing, and health says so. ``now``: a time that was
    given is believed; work that serve has put into the context was judged there."""
    moment = _moment(now)
    if not now and context.work is None:
        try:
            clock_guard.require_agreement(context.database, moment)
        except clock_guard.ClockNotBelieved as error:
            passes.record_failure(context.database, PassName.DELIVER, error, moment)
            raise


def _run_name() -> str:
    """Of a deployment's run, which is scheduled under a random name: what it is and when it began."""
    run = get_run_context()
    return f"{run.flow.name} {datetime.now(PLAN_TIME):%Y-%m-%d %H:%M:%S}"  # type: ignore[union-attr]


@flow(name="dondoc-tick", flow_run_name=_run_name, validate_parameters=False, persist_result=False)
async def tick(now: str = "", letters: bool = True, installation: str = "") -> dict[str, Any]:
    """Open, act, make digests, send. ``now``: ISO timestamp; empty: the system clock. ``letters`` False leaves sending
    to ``deliver``. ``installation``: what the deployment was registered with; a worker elsewhere refuses to run."""
    context, moment = flow_context(), _moment(now)
    check_installation(context.database, installation)
    _check_clock(context, now)
    work = context.work or asyncio.ensure_future(_in_tasks(context, moment, letters=letters))
    done = await _finish(work, context.delivery.stop)
    if done.error is not None:
        raise done.error
    return {each.name.value: each.counts for each in done.reports}


async def _in_tasks(context: FlowContext, now: datetime, *, letters: bool) -> Work:
    """A tick on a worker: every pass is a task, and so is every batch of owners that is acted on."""
    from workflows.run.flow_tasks import TickTasks

    turn = get_run_context().flow_run.id.int  # type: ignore[union-attr]
    tasks = TickTasks(context.database, now, context.delivery, turn)
    try:
        await tasks.run(context.delivery.stop)
        if letters:
            tasks.reports += await _deliver(context.database, now, context.delivery)
    except Exception as error:  # noqa: BLE001 - raised by the flow
        tasks.failed.insert(0, error)
    return Work(tasks.reports, next(iter(tasks.failed), None))


@flow(name="dondoc-deliver", flow_run_name=_run_name, validate_parameters=False, persist_result=False)
async def deliver(now: str = "", seconds: float = MAX_DRAIN_SECONDS, installation: str = "") -> dict[str, int]:
    """Send the letters that are owed, for at most ``seconds``. Any number of runs at once: claims keep them apart."""
    context, moment = flow_context(), _moment(now)
    check_installation(context.database, installation)
    _check_clock(context, now)
    stop = threading.Event()
    timer = threading.Timer(seconds, stop.set)
    timer.start()
    try:
        done = await _finish(
            _begin(lambda: _deliver(context.database, moment, replace(context.delivery, stop=stop))), stop
        )
    finally:
        timer.cancel()
    if done.error is not None:
        raise done.error
    return done.reports[0].counts


async def _deliver(database: Database, now: datetime, delivery: DeliveryContext) -> list[PassReport]:
    return [await passes.deliver(database, now, delivery)]


def _moment(now: str) -> datetime:
    return datetime.fromisoformat(now) if now else datetime.now(UTC)


def _begin(work: Callable[[], Awaitable[list[PassReport]]]) -> asyncio.Future[Work]:
    """Begin the work in a thread with an event loop of its own. The process does not wait for it when it ends."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Work] = loop.create_future()

    async def run() -> Work:
        try:
            return Work(await work())
        except Exception as error:  # noqa: BLE001 - raised by the flow, once what was done is shown
            return Work([], error)

    def tell(result: Work) -> None:
        if not done.cancelled():
            done.set_result(result)

    def live() -> None:
        result = asyncio.run(run())
        with contextlib.suppress(RuntimeError):  # the loop that asked has ended
            loop.call_soon_threadsafe(tell, result)

    threading.Thread(target=live, name="dondoc-work", daemon=True).start()
    return done


async def _finish(work: asyncio.Future[Work], stop: threading.Event) -> Work:
    """Wait for the work. On SIGTERM, which a worker hands to its runs, and when the flow is cancelled, ``stop`` is set:
    no further letter is offered, those on the wire are settled. Raises Stopped if that takes too long."""
    with _told_to_stop(stop) as told:
        waiting = asyncio.ensure_future(told.wait())
        either: set[asyncio.Future[Any]] = {work, waiting}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                await asyncio.wait({work}, timeout=STOP_TIMEOUT_SECONDS)
        except asyncio.CancelledError:
            stop.set()
            raise
        finally:
            waiting.cancel()
    if not work.done():
        raise Stopped(f"told to stop; the work did not end in {STOP_TIMEOUT_SECONDS} s and is left to the next run")
    return work.result()


@contextmanager
def _told_to_stop(stop: threading.Event) -> Iterator[asyncio.Event]:
    """``stop`` and the yielded event are set on SIGTERM. In the process of ``serve`` that signal is the server's."""
    loop, told = asyncio.get_running_loop(), asyncio.Event()

    def handle(*_: object) -> None:
        stop.set()
        loop.call_soon_threadsafe(told.set)

    if threading.current_thread() is not threading.main_thread():
        yield told
        return
    before = signal.signal(signal.SIGTERM, handle)
    try:
        yield told
    finally:
        signal.signal(signal.SIGTERM, before)


# --- in the process of ``serve`` --------------------------------------------------------------------------------------


async def observed_tick(
    database: Database, now: datetime, delivery: DeliveryContext, found: Due | None = None
) -> list[PassReport]:
    """Tick, and show it as a flow run. ``found``: what is due, if the caller has asked. The work begins at once and
    goes on whatever becomes of the flow run; its error is raised at the end."""
    found = found or passes.due(database, now)
    if not found.anything:
        return []
    work = _begin(lambda: passes.tick(database, now, delivery, found))
    _flow_context.set(FlowContext(database, delivery, work=work))
    named_tick: Any = tick.with_options(flow_run_name=f"{now.astimezone(PLAN_TIME):%Y-%m-%d %H:%M}")
    shown: asyncio.Task[Any] = asyncio.create_task(named_tick(now.isoformat(), return_state=True))
    done = await asyncio.shield(work)
    await asyncio.wait([shown], timeout=SHOW_TIMEOUT_SECONDS)
    if not shown.done():
        shown.cancel()
        log.warning("Prefect did not finish recording the tick of %s; the tick itself is done", now)
    elif shown.exception() is not None:
        log.warning("Prefect did not record the tick of %s (%s)", now, type(shown.exception()).__name__)
    if done.error is not None:
        raise done.error
    return done.reports


def exit_process(code: int, seconds: float = 3) -> None:
    """End this process. Prefect gets a few seconds to send outstanding data; without this limit it would retry for
    minutes if its server is gone."""
    EventsWorker.drain_all(timeout=seconds)
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
