"""A tick on a worker as real tasks: opening, acting on a batch of owners, the digest. Imported where Prefect is used.

A task is tried again where the database could not be reached, or had to end one of two transactions that waited for
each other. Ticks may overlap: each begins at another batch, and what one has done is no longer due for the other. A
duty whose rows cannot be read makes its task Failed; the next tick tries it again.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar, cast

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed

from engine.assignments import escalation
from engine.assignments.escalation import DueBatch, EscalationResult
from engine.errors import Unavailable
from engine.store.database import Database
from engine.terms import PassName
from notifications.delivery import DeliveryContext
from workflows.run import passes
from workflows.run.passes import DATABASE_PASSES, PassReport, failures_recorded

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
async def work(what: str, run: Callable[[], T], told: Callable[[T], State[T]]) -> State[T]:
    """``what`` as it is named in Prefect; ``run`` does it, in a thread; ``told``: the state of what came of it."""
    return told(await asyncio.to_thread(run))


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
        def run() -> PassReport:
            with failures_recorded(self.database, name, self.now):
                return DATABASE_PASSES[name](self.database, self.now)

        done = await self._task(name.value, run, lambda report: Completed(message=str(report), data=report))
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
            done = await self._task(f"act: {batch}", self._acting(batch), _told)
            if done is not None:
                total.add(done)
        if len(self.failed) == before:
            self.reports.append(passes.acted(self.database, self.now, began, total))

    def _acting(self, batch: DueBatch) -> Callable[[], EscalationResult]:
        def run() -> EscalationResult:
            with failures_recorded(self.database, PassName.ACT, self.now):
                return passes.act_on(self.database, self.now, batch)

        return run

    async def _task(self, what: str, run: Callable[[], T], told: Callable[[T], State[T]]) -> T | None:
        """The result; of a task that failed its error is kept."""
        started: Any = work(what, run, told, return_state=True)
        state = await started
        found: Any = await state.aresult(raise_on_failure=False)
        if state.is_completed():
            return cast("T", found)
        self.failed.append(found if isinstance(found, Exception) else RuntimeError(f"{what}: {state.message}"))
        return None


def _told(done: EscalationResult) -> State[EscalationResult]:
    if not done.seen:
        return Completed(name=DONE_BY_ANOTHER, message="another tick has acted on it", data=done)
    return Completed(message=f"{done.seen} assignments, {done.notices} notices", data=done)
