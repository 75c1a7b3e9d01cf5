"""What the heartbeat calls: a tick (in a Prefect flow run where its API answers), incoming messages, the audit."""

from __future__ import annotations

import asyncio
import logging
import os
from datetime import datetime, timedelta

from engine.assignments.due_work import Due
from engine.terms import PassName
from notifications.webhooks import delivery as webhooks
from workflows.run import channel_wiring, clock_guard, passes
from workflows.run.passes import PassReport, failures_recorded
from workflows.run.prefect_server import answers
from workflows.run.private_files import too_wide
from workflows.run.system import System

log = logging.getLogger(__name__)


async def tick(system: System, now: datetime, found: Due | None = None) -> list[PassReport]:
    """Run what is due; inside a Prefect flow run if Prefect is enabled and its API responds. ``found``: what is
    due, if the caller has asked."""
    found = found or passes.due(system.database, now)
    if not found.anything:
        return []
    if system.settings.prefect and answers(system.prefect_api):
        os.environ.update(system.prefect)
        from workflows.run.flows import observed_tick

        return await observed_tick(system.database, now, system.delivery, found)
    return await passes.tick(system.database, now, system.delivery, found)


def run_tick(system: System) -> None:
    """Run one tick at the clock's time. If nothing is due it costs one statement."""
    now = system.clock()
    found = passes.due(system.database, now)
    if found.anything and _clock_believed(system):
        for report in asyncio.run(tick(system, now, found)):
            log.info("%s", report)


def run_webhooks(system: System) -> None:
    """Tell other systems what is owed to them. If nothing is, it costs one statement."""
    now = system.clock()
    if not webhooks.anything_owed(system.database, now) or not _clock_believed(system):
        return
    with failures_recorded(system.database, PassName.WEBHOOKS, now):
        log.info("%s", asyncio.run(passes.tell_webhooks(system.database, now, system.webhooks)))


def run_inbound(system: System) -> None:
    """Process incoming messages, then send alarms about channels that are down."""
    from workflows.run import inbound_passes

    if not _clock_believed(system):
        return
    now = system.clock()
    with failures_recorded(system.database, PassName.RECEIVE, now):
        received = inbound_passes.receive(system.database, now, system.inbound)
    operator = channel_wiring.operator(system.settings)
    with failures_recorded(system.database, PassName.WATCH, now):
        watched = asyncio.run(inbound_passes.watch(system.database, now, system.delivery.channels, operator))
    for report in (received, watched):
        if any(report.counts.values()):
            log.info("%s", report)


def run_audit(system: System) -> None:
    """Run the self-audit, and once a day the cleanup."""
    from workflows.run.audit import audit

    reading = clock_guard.read_clock(system.clock())
    now, believed = reading.wall, clock_guard.suspicion(system, reading) is None
    system.observe()
    audit(
        system.database,
        now,
        system.settings.heartbeat_url,
        may_rest=not passes.may_send(system.database, now),
        outside={"open_files": len(list(too_wide(system.settings))), "clock_wrong": int(not believed)},
    )
    if not believed:
        return
    clock_guard.remember(system.database, reading)
    with failures_recorded(system.database, PassName.UPKEEP, now):
        passes.upkeep(system.database, now, system.settings.files, timedelta(days=system.settings.keep_bodies_days))


def _clock_believed(system: System) -> bool:
    why = clock_guard.suspicion(system)
    if why is not None:
        log.error("%s", clock_guard.ClockNotBelieved(why).said("en"))
    return why is None
