"""The passes as Prefect flow runs: the only module that imports Prefect, itself imported only when it is used.

An observer. Each tick that has something due is one flow run; acting makes one task run per duty that has something
due, named and tagged by plan, citation and owner. Whatever Prefect fails to run stays due, and the plain tick that
follows does it: deleting Prefect's database or stopping its server loses nothing.
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

from engine.assignments.escalation import DueDuty, due_duties
from engine.rules.calendar import PLAN_TIME
from engine.store.database import Database
from notifications.delivery import DeliveryContext
from workflows import passes
from workflows.passes import PassReport

log = logging.getLogger(__name__)
PREFECT_TIMEOUT_SECONDS = 60
"""Seconds after which a flow run is left to itself and the plain tick takes over. Letters on their way are not
interrupted by it: they would be sent a second time."""
MAX_THREADS = 100
"""Prefect keeps a thread and a client for every set of tags it has seen; above this they are let go."""
MAX_OWNER_TAGS = 30


@dataclass
class Workplace:
    """What the flows work on, in this process; ``sending`` is a delivery that has begun."""

    database: Database
    delivery: DeliveryContext
    sending: asyncio.Task[PassReport] | None = None


_workplace: ContextVar[Workplace | None] = ContextVar("dondoc_workplace", default=None)


def workplace() -> Workplace:
    """The process's own when it called the flow; made from the settings on a worker that Prefect started."""
    found = _workplace.get()
    if found is None:
        from workflows.system import compose

        system = compose()
        found = Workplace(system.database, system.delivery)
        _workplace.set(found)
    return found


@task(retries=2, retry_delay_seconds=1, cache_policy=NO_CACHE)
def act_on_duty(duty_id: int, now: str) -> dict[str, int]:
    """Act on what is due of one duty."""
    return passes.act(workplace().database, datetime.fromisoformat(now), duty_id).counts


@task(cache_policy=NO_CACHE)
def open_assignments(now: str) -> dict[str, int]:
    return passes.open_assignments(workplace().database, datetime.fromisoformat(now)).counts


@task(cache_policy=NO_CACHE)
def make_digests(now: str) -> dict[str, int]:
    return passes.digest(workplace().database, datetime.fromisoformat(now)).counts


@task(cache_policy=NO_CACHE)
async def deliver_letters(now: str) -> dict[str, int]:
    here = workplace()
    here.sending = asyncio.create_task(passes.deliver(here.database, datetime.fromisoformat(now), here.delivery))
    return (await asyncio.shield(here.sending)).counts


def _tags(duty: DueDuty) -> list[str]:
    owners = [f"owner:{owner}" for owner in duty.owners[:MAX_OWNER_TAGS]]
    return ["dondoc", f"plan:{duty.plan}", f"citation:{duty.citation}", *owners]


def _name(duty: DueDuty) -> str:
    owners = duty.owners[0] if len(duty.owners) == 1 else f"{len(duty.owners)} owners"
    return f"{duty.plan} {duty.citation} · {owners}"


@flow(name="dondoc-tick", validate_parameters=False, persist_result=False)
async def tick(now: str = "") -> dict[str, Any]:
    """Everything that is due at ``now`` (ISO instant; the machine's clock when a worker runs it as a deployment)."""
    here, moment = workplace(), now or datetime.now(UTC).isoformat()
    at = datetime.fromisoformat(moment)
    done: dict[str, Any] = {}
    if passes.due(here.database, at).open:
        done["open"] = await _outcome(open_assignments(moment, return_state=True))
    with here.database.read() as session:
        duties = due_duties(session, at)
    failed = 0
    for duty in duties:
        shown = act_on_duty.with_options(task_run_name=_name(duty), tags=_tags(duty))
        state = shown(duty.duty_id, moment, return_state=True)
        failed += state.is_failed() or state.is_crashed()
    done["act"] = {"duties": len(duties), "failed": failed}
    if passes.due(here.database, at).digest:
        done["digest"] = await _outcome(make_digests(moment, return_state=True))
    if passes.due(here.database, at).deliver:
        delivered: State[Any] = await deliver_letters(moment, return_state=True)  # type: ignore[misc]
        done["deliver"] = await _outcome(delivered)
    return done


async def _outcome(state: State[Any]) -> Any:
    return await state.aresult(raise_on_failure=False) if state.is_completed() else state.name


async def observed_tick(database: Database, now: datetime, delivery: DeliveryContext) -> list[PassReport]:
    """Tick inside a flow run, then plainly for whatever the observer did not get done."""
    if not passes.due(database, now).anything:
        return []
    here = Workplace(database, delivery)
    _workplace.set(here)
    named = tick.with_options(flow_run_name=f"{now.astimezone(PLAN_TIME):%Y-%m-%d %H:%M}")
    try:
        await asyncio.wait_for(named(now.isoformat()), PREFECT_TIMEOUT_SECONDS)
    except Exception as error:  # noqa: BLE001 - whatever befalls the observer, the work below goes on
        log.warning("Prefect did not carry the tick of %s (%s); it runs without", now, type(error).__name__)
    if here.sending is not None:
        await asyncio.wait([here.sending])
    await _let_go()
    return await passes.tick(database, now, delivery)


async def _let_go() -> None:
    if threading.active_count() > MAX_THREADS:
        drained: Any = ConcurrencySlotAcquisitionWithLeaseService.drain_all(timeout=5)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(drained, 10)


def leave(code: int, seconds: float = 3) -> None:
    """End this process. What Prefect has not told its server yet gets a moment; left to itself it would go on asking
    a server that is gone for minutes, while an operator waits for ours to stop."""
    ConcurrencySlotAcquisitionWithLeaseService.drain_all(timeout=seconds)
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
