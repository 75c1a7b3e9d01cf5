"""The server process: builds the web application from a System, and runs it with the heartbeat and Prefect.

``serve`` is the default deployment: the pages; the heartbeat in a process beside them, or in a thread where there is
one processor and in the demonstration; a local Prefect server as a child process.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import sys
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import typer

from config.settings import Settings
from engine.store.version import version_line
from engine.text import Text
from notifications.letters.preview import preview_letter
from workflows.operation.upgrade import gone, upgrade
from workflows.run import channel_wiring
from workflows.run.installation import establish, require_installation
from workflows.run.prefect_server import MISSING, PrefectServer, installed
from workflows.run.private_files import make_private
from workflows.run.system import Running, System, announce_removed_settings, announce_setup_code, compose
from workflows.serving.process import READY, STOPPING, ServiceManager, few_arenas, listen_at

if TYPE_CHECKING:
    from fastapi import FastAPI

log = logging.getLogger(__name__)


def application(system: System) -> FastAPI:
    """The web application of a system; its database must be migrated."""
    from engine.accounts.oidc import provider_of
    from engine.application.app import make_app
    from engine.http.app_context import AppContext
    from workflows.operation.doctor import examine
    from workflows.operation.trial_letter import send_test
    from workflows.simulation.demo import stepper
    from workflows.simulation.simulation import cached_simulation

    settings, signer = system.settings, system.signer
    running = Running(system)

    def current() -> Settings:
        return running().settings

    app = make_app(
        AppContext(
            database=system.database,
            clock=system.clock,
            signer=signer,
            settings=settings,
            step=stepper(system) if settings.demo else None,
            simulate=cached_simulation(system.database),
            links=channel_wiring.sign_in_mailer(current, signer),
            single_sign_on=provider_of(settings),
            preview=partial(preview_letter, system.delivery.renderer),
            examine=lambda connections: examine(running(), connections=connections),
            send_test=lambda to, language, by: send_test(replace(system, settings=by), to, language),
            check_settings=lambda by: check_settings(by, system),
            current=current,
            open_desk=settings.demo,
        )
    )
    _add_machine_routes(app, system, running)
    return app


def serve(settings: Settings, tick_seconds: int = 0) -> None:
    """Run the web server, the heartbeat beside it and a local Prefect server until SIGINT or SIGTERM.
    ``tick_seconds``: between two looks for what is due; 0: as usual."""
    gc.disable()  # a tenth of the time to start went into looking for garbage
    few_arenas()
    from engine.application.first_of_day import read_first
    from workflows.serving.heartbeat import daily
    from workflows.serving.sending import TICK_SECONDS, Sending, sending_process
    from workflows.web_server import SWITCH_SECONDS, WebServer, limits_for_this_process

    log.info("Đôn Đốc %s", version_line("en"))
    manager = ServiceManager.of(os.environ)
    require_installation(settings)
    make_private(settings)
    system = compose(settings)
    if (upgraded := upgrade(system)) is not None:
        for line in (upgraded, *gone(system)):
            log.warning("%s", line)
    if not settings.demo:
        establish(system)
    system.observe()
    announce_removed_settings(system)
    announce_setup_code(system)
    app = application(system)
    local_prefect = PrefectServer(settings.prefect_home, settings.prefect_port)
    has_prefect = installed()
    if settings.prefect and not has_prefect:
        log.warning("%s", MISSING)
    starts_prefect = settings.prefect and not settings.prefect_api_url and has_prefect
    every = tick_seconds or TICK_SECONDS
    sending = sending_process(settings, every) if settings.apart else Sending(system, every)
    first_reads = daily("first reads", partial(read_first, system.database, app.state.tools.kept, system.clock))
    listener = listen_at(settings.host, settings.port)
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.freeze()  # objects made at start-up live for ever: exclude them from garbage collection
    gc.enable()
    first_reads.start()
    try:
        sending.start()
        if starts_prefect:
            local_prefect.start()
            if settings.demo:
                where = f"http://127.0.0.1:{settings.prefect_port}, {local_prefect.auth}"
                typer.echo(
                    Text(f"Prefect và chuỗi đăng nhập: {where}", f"Prefect and the string that it asks for: {where}")
                )
        log.info("Đôn Đốc: http://%s:%s", settings.host, settings.port)
        manager.tell(READY)
        WebServer(app, limits_for_this_process()).run(sockets=[listener])
    finally:
        manager.tell(STOPPING)
        first_reads.shutdown()
        sending.stop()
        if starts_prefect:
            local_prefect.stop()
        system.database.dispose()


def check_settings(settings: Settings, system: System) -> None:
    """Raises BadInput where channels cannot be made of these settings."""
    channel_wiring.email_channel(settings, system.signer)
    channel_wiring.phone_channel(settings, system.signer, system.database)


def _add_machine_routes(app: FastAPI, system: System, running: Running) -> None:
    """Add the routes that machines call: callbacks of gateways and of Prefect, and Prometheus metrics."""
    from notifications.finding_alarm import alarm_from_prefect
    from notifications.inbound import callbacks
    from workflows.run import inbound_passes

    settings, signer = system.settings, system.signer
    secrets = partial(channel_wiring.callback_secrets, signer)
    zalo = {"zalo_app_id": settings.zalo_app_id, "zalo_oa_secret": settings.zalo_oa_secret.get_secret_value()}

    def alarm(told: dict[str, Any]) -> object:
        channels, operator = running().alarms, channel_wiring.operator(running().settings)
        return asyncio.run(alarm_from_prefect(system.database, system.clock(), channels, operator, told))

    told = callbacks.Callbacks(system.database, system.clock, secrets, **zalo, alarm=alarm)
    app.include_router(callbacks.router(told))
    inbound_passes.add_metrics(app, system.database, system.clock, settings)
