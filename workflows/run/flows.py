"""The passes as Prefect flow runs on workers. Imported only there, and where they are registered.

A tick is real tasks: opening, acting on a batch of owners, the digest. A task is tried again where the database could
not be reached, or had to end one of two transactions that waited for each other. Ticks may overlap: each begins at
another batch, and what one has done is no longer due for the other. A duty whose rows cannot be read makes its task and
the run Failed; the next tick tries it again. Letters are sent by runs of their own, which a tick starts as they are
owed. What became of each duty is shown by ``workflows.projection``.
"""

from __future__ import annotations

import asyncio
import logging
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, cast

import httpx
from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowFilter, FlowRunFilter, WorkerFilter
from prefect.client.schemas.objects import State
from prefect.context import get_run_context
from prefect.deployments import arun_deployment
from prefect.exceptions import PrefectException
from prefect.states import Completed

from engine.assignments import escalation
from engine.assignments.escalation import DueBatch, EscalationResult
from engine.errors import Unavailable
from engine.rules.calendar import PLAN_TIME
from engine.store.database import Database
from engine.store.facts import held_letters
from engine.terms import PassName
from notifications.delivery import DeliveryContext
from workflows.projection.shown_runs import TICK_FLOW
from workflows.run import clock_guard, passes
from workflows.run.installation import check_installation
from workflows.run.passes import DATABASE_PASSES, PassReport, failures_recorded
from workflows.run.system import System

log = logging.getLogger(__name__)
DELIVER_FLOW, ON_DEMAND = "dondoc-deliver", "on-demand"
MAX_DRAIN_SECONDS = 60
"""A run of ``dondoc-deliver`` claims letters for this long; the next run goes on."""
LETTERS_A_RUN = 1000
"""So many owed letters are worth one more run that sends."""
STOP_TIMEOUT_SECONDS = 5
"""Time for the work of a run that is told to stop: letters on the wire are settled. What is not done then is left, as
by a crash, to the next run."""
UNFINISHED = ["SCHEDULED", "PENDING", "RUNNING"]
HOW: dict[str, Any] = {"persist_result": False, "validate_parameters": False}


class Stopped(Exception):
    """The run was told to stop and did not get to an end in time."""


def worker_system(installation: str, now: str = "") -> System:
    """The System of a worker, from its settings. ``installation``: what the deployment was registered with; a worker
    elsewhere refuses to run. One whose clock is not the database server's does nothing, and health says so; a time that
    is given is believed."""
    from workflows.run.private_files import create_privately
    from workflows.run.system import compose_installed

    create_privately()
    system = compose_installed()
    check_installation(system.database, installation)
    if not now:
        moment = system.clock()
        try:
            clock_guard.require_agreement(system.database, moment)
        except clock_guard.ClockNotBelieved as error:
            passes.record_failure(system.database, PassName.DELIVER, error, moment)
            raise
    return system


def _run_name() -> str:
    """Of a deployment's run, which is scheduled under a random name: what it is and when it began."""
    run = get_run_context()
    return f"{run.flow.name} {datetime.now(PLAN_TIME):%Y-%m-%d %H:%M:%S}"  # type: ignore[union-attr]


@flow(name=TICK_FLOW, flow_run_name=_run_name, **HOW)
async def tick(now: str = "", installation: str = "") -> dict[str, Any]:
    """Open, act, make digests, and have sent what is owed. ``now``: ISO timestamp; empty: the system clock."""
    system, moment = worker_system(installation, now), _moment(now)
    run: Any = get_run_context().flow_run  # type: ignore[union-attr]
    tasks = TickTasks(system.database, moment, system.delivery, run.id.int)
    await _start_deliveries(system.database, moment, run)
    try:
        await _finish(tasks.run(system.delivery.stop), system.delivery.stop)
    except Exception as error:  # noqa: BLE001 - raised below
        tasks.failed.insert(0, error)
    await _start_deliveries(system.database, moment, run)
    if tasks.failed:
        raise tasks.failed[0]
    passes.ticked(system.database)
    return {report.name.value: report.counts for report in tasks.reports}


async def _start_deliveries(database: Database, now: datetime, asks: Any) -> None:
    """As many runs that send as letters are owed for, one a worker that is online; fewer those that are on their way. A
    run that should have ended long ago is one of a machine that is gone. ``asks``: the run that starts them, which does
    not count; by hand, without a pool, it starts none."""
    if asks.work_pool_name is None or not passes.due(database, now).deliver:
        return
    with database.read() as session:
        owed = held_letters(session, now)
    alive = datetime.now(UTC) - timedelta(seconds=MAX_DRAIN_SECONDS + STOP_TIMEOUT_SECONDS)
    try:
        async with get_client() as client:
            workers = await client.read_workers_for_work_pool(
                asks.work_pool_name, WorkerFilter(status={"any_": ["ONLINE"]})
            )
            found = await client.read_flow_runs(
                flow_filter=FlowFilter(name={"any_": [DELIVER_FLOW]}),
                flow_run_filter=FlowRunFilter(state={"type": {"any_": UNFINISHED}}),
            )
        lives = [run for run in found if run.state_type == "SCHEDULED" or (run.start_time or alive) >= alive]
        going = sum(run.id != asks.id for run in lives)
        for _ in range(min(math.ceil(owed / LETTERS_A_RUN), max(1, len(workers))) - going):
            await arun_deployment(f"{DELIVER_FLOW}/{ON_DEMAND}", timeout=0, as_subflow=False)
    except (httpx.HTTPError, PrefectException) as error:
        log.warning("no run that sends was started; the next tick looks again (%s)", type(error).__name__)


@flow(name=DELIVER_FLOW, flow_run_name=_run_name, **HOW)
async def deliver(now: str = "", seconds: float = MAX_DRAIN_SECONDS, installation: str = "") -> dict[str, int]:
    """Send the letters that are owed, for at most ``seconds``; what is left then the next run sends, which this one
    starts. Any number of runs at once: claims keep them apart."""
    system, stop = worker_system(installation, now), threading.Event()
    timer = threading.Timer(seconds, stop.set)
    timer.start()
    try:
        work = passes.deliver(system.database, _moment(now), replace(system.delivery, stop=stop))
        report: PassReport = await _finish(work, stop)
    finally:
        timer.cancel()
    if stop.is_set():
        await _start_deliveries(system.database, _moment(now), get_run_context().flow_run)  # type: ignore[union-attr]
    return report.counts


def _moment(now: str) -> datetime:
    return datetime.fromisoformat(now) if now else datetime.now(UTC)


async def _finish(work: Any, stop: threading.Event) -> Any:
    """Wait for the work. On SIGTERM, which a worker hands to its runs, and when the flow is cancelled, ``stop`` is set:
    no further letter is offered, those on the wire are settled. Raises Stopped if that takes too long."""
    doing = asyncio.ensure_future(work)
    with _told_to_stop(stop) as told:
        waiting = asyncio.ensure_future(told.wait())
        try:
            await asyncio.wait({doing, waiting}, return_when=asyncio.FIRST_COMPLETED)
            if not doing.done():
                await asyncio.wait({doing}, timeout=STOP_TIMEOUT_SECONDS)
        except asyncio.CancelledError:
            stop.set()
            raise
        finally:
            waiting.cancel()
    if not doing.done():
        raise Stopped(f"told to stop; the work did not end in {STOP_TIMEOUT_SECONDS} s and is left to the next run")
    return doing.result()


@contextmanager
def _told_to_stop(stop: threading.Event) -> Iterator[asyncio.Event]:
    """``stop`` and the yielded event are set on SIGTERM."""
    loop, told = asyncio.get_running_loop(), asyncio.Event()

    def handle(*_: object) -> None:
        stop.set()
        loop.call_soon_threadsafe(told.set)

    before = signal.signal(signal.SIGTERM, handle)
    try:
        yield told
    finally:
        signal.signal(signal.SIGTERM, before)


T = TypeVar("T")
RETRY_SECONDS = [1.0, 5.0]
DONE_BY_ANOTHER = "DoneByAnother"
"""State of a task whose batch another tick has acted on meanwhile; of type Completed."""


def is_transient(_task: Any, _run: Any, state: State[Any]) -> bool:
    """Whether a task is tried again."""
    return isinstance(state.data, Unavailable)


@task(
    task_run_name="{what}",
    retries=len(RETRY_SECONDS),
    retry_delay_seconds=RETRY_SECONDS,
    retry_condition_fn=is_transient,
    cache_policy=NO_CACHE,
    persist_result=False,
)
async def work(what: str, run: Callable[[], State[T]]) -> State[T]:
    """``what`` as it is named in Prefect; ``run`` does it, in a thread: the state of what came of it."""
    return await asyncio.to_thread(run)


@dataclass
class TickTasks:
    """The tasks of one tick. ``turn``: a number of its own, by which it begins at another batch than others."""

    database: Database
    now: datetime
    delivery: DeliveryContext
    turn: int
    reports: list[PassReport] = field(default_factory=list)
    failed: list[Exception] = field(default_factory=list)

    async def run(self, stop: threading.Event) -> None:
        """Open, act, make digests; all of it, also where a part fails. ``stop``: begins no further task."""
        found = passes.due(self.database, self.now)
        if found.anything:
            passes.look_before(self.database, self.now, self.delivery)
        if found.open:
            await self._pass(PassName.OPEN)
            found = passes.due(self.database, self.now)
        if found.act and not stop.is_set():
            await self._act(stop)
        if found.digest and not stop.is_set():
            await self._pass(PassName.DIGEST)

    async def _pass(self, name: PassName) -> None:
        def run() -> State[PassReport]:
            with failures_recorded(self.database, name, self.now):
                report = DATABASE_PASSES[name](self.database, self.now)
            return Completed(message=str(report), data=report)

        done = await self._task(name.value, run)
        if done is not None:
            self.reports.append(done)

    async def _act(self, stop: threading.Event) -> None:
        """A task for each batch of owners, in order from this tick's own place in them."""
        began, total, before = time.monotonic(), EscalationResult(), len(self.failed)
        with self.database.read() as session:
            batches = escalation.due_batches(session, self.now, passes.ESCALATION_BATCH_ROWS)
        first = self.turn % len(batches) if batches else 0
        for batch in batches[first:] + batches[:first]:
            if stop.is_set():
                break
            done = await self._task(f"act: {batch}", self._acting(batch))
            if done is not None:
                total.add(done)
        if len(self.failed) == before:
            self.reports.append(passes.acted(self.database, self.now, began, total))

    def _acting(self, batch: DueBatch) -> Callable[[], State[EscalationResult]]:
        def run() -> State[EscalationResult]:
            with failures_recorded(self.database, PassName.ACT, self.now):
                done = passes.act_on(self.database, self.now, batch)
            if not done.seen:
                return Completed(name=DONE_BY_ANOTHER, message="another tick has acted on it", data=done)
            return Completed(message=f"{done.seen} assignments, {done.notices} notices", data=done)

        return run

    async def _task(self, what: str, run: Callable[[], State[T]]) -> T | None:
        """The result; of a task that failed its error is kept."""
        started: Any = work(what, run, return_state=True)
        state = await started
        found: Any = await state.aresult(raise_on_failure=False)
        if state.is_completed():
            return cast("T", found)
        self.failed.append(found if isinstance(found, Exception) else RuntimeError(f"{what}: {state.message}"))
        return None
