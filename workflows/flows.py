"""The passes as Prefect flow runs. Imported only when Prefect is used.

Each tick with something due is one flow run; acting makes one task run per due duty, named and tagged by plan, citation
and owner. What Prefect fails to run stays due, and the plain tick that follows does it: deleting Prefect's database or
stopping its server loses nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
import threading
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.concurrency.services import ConcurrencySlotAcquisitionWithLeaseService

from engine.assignments.due_work import Due
from engine.assignments.escalation import DueDuty, due_duties
from engine.rules.calendar import PLAN_TIME
from engine.store.database import Database
from notifications.delivery import DeliveryContext
from workflows import passes
from workflows.passes import PassReport

log = logging.getLogger(__name__)
PREFECT_TIMEOUT_SECONDS = 60
"""Time after which a flow run is cancelled and the plain tick takes over. A delivery in progress is not interrupted,
since its letters would be sent twice."""
MAX_THREADS = 100
"""Prefect keeps a thread and a client for every set of tags it has seen; above this number they are released."""
MAX_OWNER_TAGS = 30


@dataclass
class FlowContext:
    """What the flows need in this process; ``found`` is what is due if that was asked already, for the next flow run
    only; ``sending`` is the delivery in progress."""

    database: Database
    delivery: DeliveryContext
    found: Due | None = None
    sending: asyncio.Task[PassReport] | None = None


_flow_context: ContextVar[FlowContext | None] = ContextVar("dondoc_workplace", default=None)


def flow_context() -> FlowContext:
    """The context set by ``observed_tick``, else created from the settings (on a Prefect worker)."""
    context = _flow_context.get()
    if context is None:
        from workflows.system import compose

        system = compose()
        context = FlowContext(system.database, system.delivery)
        _flow_context.set(context)
    return context


@task(retries=2, retry_delay_seconds=1, cache_policy=NO_CACHE)
def act_on_duty(duty_id: int, now: str) -> dict[str, int]:
    """Act on everything that is due for one duty."""
    return passes.act(flow_context().database, datetime.fromisoformat(now), duty_id).counts


@task(cache_policy=NO_CACHE)
def open_assignments(now: str) -> dict[str, int]:
    return passes.open_assignments(flow_context().database, datetime.fromisoformat(now)).counts


@task(cache_policy=NO_CACHE)
def make_digests(now: str) -> dict[str, int]:
    return passes.digest(flow_context().database, datetime.fromisoformat(now)).counts


@task(cache_policy=NO_CACHE)
async def deliver_letters(now: str) -> dict[str, int]:
    context = flow_context()
    context.sending = asyncio.create_task(
        passes.deliver(context.database, datetime.fromisoformat(now), context.delivery)
    )
    return (await asyncio.shield(context.sending)).counts


def _tags(duty: DueDuty) -> list[str]:
    owners = [f"owner:{owner}" for owner in duty.owners[:MAX_OWNER_TAGS]]
    return ["dondoc", f"plan:{duty.plan}", f"citation:{duty.citation}", *owners]


def _run_name(duty: DueDuty) -> str:
    owners = duty.owners[0] if len(duty.owners) == 1 else f"{len(duty.owners)} owners"
    return f"{duty.plan} {duty.citation} · {owners}"


@flow(name="dondoc-tick", validate_parameters=False, persist_result=False)
async def tick(now: str = "") -> dict[str, Any]:
    """Do everything that is due at ``now`` (ISO timestamp; empty: the system clock, for runs of a deployment)."""
    context, moment = flow_context(), now or datetime.now(UTC).isoformat()
    at = datetime.fromisoformat(moment)
    done: dict[str, Any] = {}
    found, context.found = context.found or passes.due(context.database, at), None
    if found.open:
        done["open"] = await _outcome(open_assignments(moment, return_state=True))
        found = passes.due(context.database, at)
    with context.database.read() as session:
        duties = due_duties(session, at)
    failed = 0
    for duty in duties:
        named_task = act_on_duty.with_options(task_run_name=_run_name(duty), tags=_tags(duty))
        state = named_task(duty.duty_id, moment, return_state=True)
        failed += state.is_failed() or state.is_crashed()
    done["act"] = {"duties": len(duties), "failed": failed}
    if found.digest:
        done["digest"] = await _outcome(make_digests(moment, return_state=True))
    if passes.due(context.database, at).deliver:
        delivered: State[Any] = await deliver_letters(moment, return_state=True)  # type: ignore[misc]
        done["deliver"] = await _outcome(delivered)
    return done


async def _outcome(state: State[Any]) -> Any:
    return await state.aresult(raise_on_failure=False) if state.is_completed() else state.name


async def observed_tick(
    database: Database, now: datetime, delivery: DeliveryContext, found: Due | None = None
) -> list[PassReport]:
    """Tick inside a flow run, then tick without Prefect for anything that it did not do. ``found``: what is due, if the
    caller has asked."""
    found = found or passes.due(database, now)
    if not found.anything:
        return []
    context = FlowContext(database, delivery, found)
    _flow_context.set(context)
    named_tick = tick.with_options(flow_run_name=f"{now.astimezone(PLAN_TIME):%Y-%m-%d %H:%M}")
    try:
        await asyncio.wait_for(named_tick(now.isoformat()), PREFECT_TIMEOUT_SECONDS)
    except Exception as error:  # noqa: BLE001 - any failure of Prefect; the plain tick below does the work
        log.warning("Prefect failed to run the tick of %s (%s); running it without Prefect", now, type(error).__name__)
    if context.sending is not None:
        await asyncio.wait([context.sending])
    await _release_threads()
    return await passes.tick(database, now, delivery)


async def _release_threads() -> None:
    if threading.active_count() > MAX_THREADS:
        drained: Any = ConcurrencySlotAcquisitionWithLeaseService.drain_all(timeout=5)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(drained, 10)


def exit_process(code: int, seconds: float = 3) -> None:
    """End this process. Prefect gets a few seconds to send outstanding data; without this limit it would retry for
    minutes if its server is gone."""
    ConcurrencySlotAcquisitionWithLeaseService.drain_all(timeout=seconds)
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
