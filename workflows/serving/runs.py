"""What the heartbeat and ``dondoc once`` call: a tick (and its flow run where Prefect answers), and each pass."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import assert_never

import httpx

from engine.assignments.due_work import Due
from engine.store import machines
from engine.store.high_water import MarkUnusable
from engine.terms import PassName
from notifications import webhooks
from notifications.finding_alarm import alarm_findings
from workflows.projection.prefect_api import PrefectApi
from workflows.projection.shown_runs import TICK_FLOW, RunState, run_of_tick
from workflows.run import channel_wiring, clock_guard, passes
from workflows.run.installation import observe_in_mailbox
from workflows.run.passes import DATABASE_PASSES, PassReport, failures_recorded
from workflows.run.private_files import too_wide
from workflows.run.system import System

log = logging.getLogger(__name__)
SHOW_SECONDS = 1.5
"""The end of a tick waits no longer for Prefect; what is to be told is told all the same, while the process lives."""
MESSAGE_CHARS = 1000


async def tick(system: System, now: datetime, found: Due | None = None) -> list[PassReport]:
    """Run what is due; a Prefect flow run shows it if Prefect is enabled and its API responds: Running while it goes
    on, then Completed or Failed as it was. A thread tells Prefect; nothing waits for it but, shortly, the end of the
    tick. ``found``: what is due, if the caller has asked."""
    found = found or passes.due(system.database, now)
    if not found.anything:
        return []
    ended: Future[RunState] = Future()
    shown = threading.Thread(target=_show, args=(system, now, ended), daemon=True)
    if system.settings.prefect:
        shown.start()
    try:
        reports = await passes.tick(system.database, now, system.delivery, found)
    except Exception as error:
        ended.set_result(RunState("FAILED", "Failed", message=f"{type(error).__name__}: {error}"[:MESSAGE_CHARS]))
        raise
    else:
        ended.set_result(RunState("COMPLETED", "Completed", message="; ".join(map(str, reports))))
        return reports
    finally:
        if shown.is_alive():
            shown.join(SHOW_SECONDS)


def _show(system: System, now: datetime, ended: Future[RunState]) -> None:
    try:
        if system.prefect_answers():
            with PrefectApi(system.prefect_api, system.prefect_auth) as api:
                run_id = api.make(run_of_tick(now), TICK_FLOW)
                api.set_state(run_id, ended.result())
    except httpx.HTTPError as error:
        log.warning("Prefect did not record the tick of %s (%s)", now, type(error).__name__)


def run_tick(system: System) -> None:
    """Run one tick at the clock's time. If nothing is due it costs two statements. This and those below raise
    ClockNotBelieved."""
    now = system.clock()
    found = passes.due(system.database, now)
    if found.anything:
        clock_guard.go_by_clock(system)
        for report in asyncio.run(tick(system, now, found)):
            if any(report.counts.values()):
                log.info("%s", report)
    passes.ticked(system.database)


def run_webhooks(system: System) -> None:
    """Tell other systems what is owed to them. If nothing is, it costs one statement."""
    now = system.clock()
    if not webhooks.anything_owed(system.database, now):
        return
    clock_guard.go_by_clock(system)
    with failures_recorded(system.database, PassName.WEBHOOKS, now):
        log.info("%s", run_pass(system, PassName.WEBHOOKS, now))


def run_inbound(system: System) -> None:
    """Process incoming messages, then send alarms about channels that are down. While the clock is not believed only
    the operator is told what the audit finds, which is that."""
    now = system.clock()
    try:
        clock_guard.go_by_clock(system)
    except clock_guard.ClockNotBelieved:
        operator = channel_wiring.operator(system.settings)
        asyncio.run(alarm_findings(system.database, now, system.alarms, operator))
        raise
    for name in (PassName.RECEIVE, PassName.WATCH):
        with failures_recorded(system.database, name, now):
            report = run_pass(system, name, now)
        if any(report.counts.values()):
            log.info("%s", report)


def run_audit(system: System, hanging: int = 0) -> None:
    """Run the self-audit, and once a day the cleanup. ``hanging``: jobs of this process that do not end."""
    reading = clock_guard.read_clock(system.clock())
    now, believed = reading.wall, clock_guard.suspicion(system, reading) is None
    told = {"clock_wrong": int(not believed), "passes_hang": hanging, "mark_unusable": 0}
    try:
        system.observe()
    except MarkUnusable as error:  # nothing leaves from here, which the audit is to say
        log.error("%s", error)
        told["mark_unusable"] = 1
    observe_in_mailbox(system)
    run_pass(system, PassName.AUDIT, now, told)
    if not believed:
        return
    clock_guard.believe(system, reading)
    with failures_recorded(system.database, PassName.UPKEEP, now):
        run_pass(system, PassName.UPKEEP, now)


def run_pass(
    system: System, name: PassName, now: datetime, told: Mapping[str, int] = MappingProxyType({})
) -> PassReport:
    """Run one pass, whether or not it is due. ``told``: findings of this process, for the audit."""
    database, settings = system.database, system.settings
    match name:
        case PassName.OPEN | PassName.ACT | PassName.DIGEST:
            return DATABASE_PASSES[name](database, now)
        case PassName.DELIVER:
            return asyncio.run(passes.deliver(database, now, system.delivery))
        case PassName.WEBHOOKS:
            return asyncio.run(passes.tell_webhooks(database, now, system.webhooks))
        case PassName.UPKEEP:
            return passes.upkeep(database, now, settings.files, timedelta(days=settings.keep_bodies_days))
        case PassName.RECEIVE:
            from workflows.run.inbound_passes import receive

            return receive(database, now, system.inbound)
        case PassName.WATCH:
            from workflows.run.inbound_passes import watch

            operator = channel_wiring.operator(settings)
            own_mailbox = channel_wiring.own_mailbox(settings, system.signer)
            arrival_link = channel_wiring.arrival_link(settings, system.signer)
            return asyncio.run(watch(database, now, system.alarms, operator, own_mailbox, arrival_link))
        case PassName.AUDIT:
            from workflows.checks.audit import audit
            from workflows.checks.record_checks import machine_findings, office_findings

            found = {"open_files": len(list(too_wide(settings))), **told}
            if not settings.demo:  # which is never backed up, and its years go by in minutes
                machines.say(database, now, system.machine, found | machine_findings(settings, database))
                with database.read() as session:
                    found = office_findings(session, settings, now) | machines.findings(session, now)
            may_rest = not passes.may_send(database, now)
            url, logs = settings.heartbeat_url, not told.get("clock_wrong")
            return audit(database, now, url, may_rest=may_rest, outside=found, logs=logs)
        case unknown:
            assert_never(unknown)
