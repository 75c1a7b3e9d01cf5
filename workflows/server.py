"""The server process: builds the web application from a System, and runs it with the heartbeat and Prefect; uvicorn
with time limits on what clients send, and a bound on connections below the open files of the process.

uvicorn has neither: whoever sends half a request keeps its connection for ever, and a few thousand of those use up the
open files, after which every attempt to accept another one is a traceback. Its ``timeout_keep_alive`` runs between two
requests only, and its ``limit_concurrency`` refuses whole requests, while any number of connections may stay open.
Behind a proxy that reads requests whole (nginx does by default) these limits are never met; an office without one, in
its own network, has only them.

``serve`` is the default deployment: the pages; the heartbeat in a process beside them, or in a thread where there is
one processor and in the demonstration; a local Prefect server as a child process.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import resource
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import h11
import typer
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from config.settings import Settings
from engine.store.version import version_line
from engine.text import Text
from workflows.operation.upgrade import gone, upgrade
from workflows.run import channel_wiring
from workflows.run.installation import establish, require_installation
from workflows.run.prefect_server import MISSING, PrefectServer, installed
from workflows.run.private_files import make_private
from workflows.run.system import Running, System, announce_removed_settings, announce_setup_code, compose
from workflows.serving.sending import READY, STOPPING, ServiceManager, few_arenas, listen_at

if TYPE_CHECKING:
    from fastapi import FastAPI

log = logging.getLogger(__name__)
RESERVED_FILES = 256
"""Open files that are not connections of clients: database, relay, mailbox, templates, logs."""
BACKLOG = 128
"""Connections waiting to be accepted; asyncio accepts at most so many in one go, before any can be turned away."""
BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 10\r\nContent-Length: 0\r\nConnection: close\r\n"
    b"Cache-Control: no-store\r\n\r\n"
)
SWITCH_SECONDS = 0.0005
"""How long a thread computes before another may go on; Python's own is 5 ms. A page gives the interpreter away at every
row that it reads, and would wait that long for each while a tick renders letters in its thread."""
QUIET_SECONDS = 60.0
"""The same trouble with the network is logged at most so often."""


@dataclass(frozen=True)
class ConnectionLimits:
    """``header_seconds``: from the connection, or the first byte of a further request, to the end of its headers. Of a
    body at least ``body_bytes`` must come in every ``body_seconds``, and all of it within ``whole_body_seconds``."""

    connections: int = 1_000
    header_seconds: float = 10.0
    body_seconds: float = 10.0
    body_bytes: int = 10_000
    whole_body_seconds: float = 600.0


def limits_for_this_process() -> ConnectionLimits:
    """The limits, with as many connections as the open files allow; raises the soft limit of those to the hard one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = 4_096 if hard == resource.RLIM_INFINITY else hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
    most = max(files - RESERVED_FILES - BACKLOG, 16)
    return ConnectionLimits(connections=min(ConnectionLimits.connections, most))


class WebServer(uvicorn.Server):
    """The server; trouble with accepting connections is one line a minute, without a traceback."""

    def __init__(self, app: Any, limits: ConnectionLimits) -> None:
        protocol = type("LimitedProtocol", (_LimitedProtocol,), {"limits": limits})
        super().__init__(
            uvicorn.Config(
                app,
                http=protocol,
                ws="none",
                log_level="warning",
                access_log=False,
                server_header=False,
                proxy_headers=False,  # done by the application
                backlog=BACKLOG,
            )
        )
        self._logged_at: dict[str, float] = {}

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        asyncio.get_running_loop().set_exception_handler(self._note_trouble)
        await super().startup(sockets)

    def _note_trouble(self, loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
        """Instead of asyncio's default, which writes a traceback each time."""
        message, error = str(context.get("message", "")), context.get("exception")
        if not isinstance(error, OSError):
            loop.default_exception_handler(dict(context))
            return
        if loop.time() - self._logged_at.get(message, -QUIET_SECONDS) >= QUIET_SECONDS:
            self._logged_at[message] = loop.time()
            log.error("%s: %s", message, error.strerror or type(error).__name__)


class _LimitedProtocol(H11Protocol):
    """One connection. At any time at most one timer runs: for headers or for the body."""

    limits = ConnectionLimits()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._timer: asyncio.TimerHandle | None = None
        self._phase = ""
        self._received = 0
        self._body_began = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self.limits.connections:
            transport.write(BUSY)
            transport.close()
            return
        self._enter("headers")

    def connection_lost(self, exc: Exception | None) -> None:
        self._enter("")
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        self._received += len(data)
        super().data_received(data)
        self._follow()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._follow()

    def _follow(self) -> None:
        """Enter the phase that the client is in; between two requests the keep-alive timer of uvicorn runs instead."""
        if self.transport.is_closing():
            self._enter("")
        elif self.conn.their_state is h11.SEND_BODY:
            self._enter("body")
        elif self.conn.their_state is h11.IDLE and (self.cycle is None or self.conn.trailing_data[0]):
            self._enter("headers")
        else:
            self._enter("")

    def _enter(self, phase: str) -> None:
        if phase == self._phase:
            return
        self._phase = phase
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if phase == "headers":
            self._timer = self.loop.call_later(self.limits.header_seconds, self._give_up)
        elif phase == "body":
            self._received, self._body_began = 0, self.loop.time()
            self._timer = self.loop.call_later(self.limits.body_seconds, self._check_body)

    def _check_body(self) -> None:
        """Go on if enough has come, or if it is the application that does not read."""
        late = self.loop.time() - self._body_began > self.limits.whole_body_seconds
        if late or (self._received < self.limits.body_bytes and not self.flow.read_paused):
            self._give_up()
            return
        self._received = 0
        self._timer = self.loop.call_later(self.limits.body_seconds, self._check_body)

    def _give_up(self) -> None:
        self._timer = None
        if not self.transport.is_closing():
            self.transport.abort()


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
            preview=partial(channel_wiring.preview_letter, system.delivery.renderer),
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
    from workflows.server import SWITCH_SECONDS, WebServer, limits_for_this_process
    from workflows.serving.heartbeat import daily
    from workflows.serving.sending import TICK_SECONDS, Sending, sending_process

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
