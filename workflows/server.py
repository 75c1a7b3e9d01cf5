"""The composition root: settings become a database, a clock, a post office and a web application, once.

Nothing is made at import. ``serve`` is the embedded default: one process, the heartbeat in a thread, Prefect beside.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
import sys
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from config.settings import Settings, read_settings
from engine.accounts.signed_links import Signer
from engine.store.clock import Clock, StandingClock, system_clock
from engine.store.database import Database
from notifications.delivery import PostOffice
from notifications.inbound.fetching import Ears
from workflows import channel_wiring, passes
from workflows.listen_socket import listen_at
from workflows.passes import PassReport
from workflows.prefect_server import PrefectServer, answers, environment

if TYPE_CHECKING:
    from fastapi import FastAPI

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class System:
    """Everything that is wired together."""

    settings: Settings
    database: Database
    clock: Clock
    signer: Signer
    office: PostOffice
    ears: Ears = field(default_factory=Ears)

    @property
    def prefect_home(self) -> Path:
        return self.settings.data_dir / "prefect"

    @property
    def prefect_api(self) -> str:
        return self.settings.prefect_api_url or f"http://127.0.0.1:{self.settings.prefect_port}/api"

    async def tick(self, now: datetime) -> list[PassReport]:
        """Run what is due; inside a Prefect flow run when it is wanted and its API answers."""
        if not passes.due(self.database, now).anything:
            return []
        if self.settings.prefect and answers(self.prefect_api):
            os.environ.update(environment(self.prefect_home, self.prefect_api))
            from workflows.flows import observed_tick

            return await observed_tick(self.database, now, self.office)
        return await passes.tick(self.database, now, self.office)


def compose(settings: Settings | None = None) -> System:
    """Wire the parts from the settings (read from the environment when none are given)."""
    settings = settings or read_settings()
    database = Database(settings.database)
    clock: Clock = StandingClock(database) if settings.demo else system_clock
    signer = Signer(settings.signing_key())
    office = PostOffice(
        channels=channel_wiring.channels(settings, signer),
        stationery=channel_wiring.stationery(settings, signer),
        codes=channel_wiring.short_code_key(settings, signer),
        worker=f"{socket.gethostname()}:{os.getpid()}",
        lease=timedelta(seconds=settings.lease_seconds),
        give_up=timedelta(days=settings.give_up_days),
    )
    return System(settings, database, clock, signer, office, channel_wiring.ears(settings, signer))


def application(system: System) -> FastAPI:
    """Everything that is answered over HTTP, over a system whose database stands."""
    from engine.accounts.oidc import provider_of
    from engine.app import make_app
    from engine.http.app_context import Context
    from workflows.simulation.demo import stepper
    from workflows.simulation.simulation import foresee

    settings, signer = system.settings, system.signer
    app = make_app(
        Context(system.database, system.clock, signer, settings, stepper(system) if settings.demo else None,
                simulate=foresee(system.database), links=channel_wiring.link_post(settings, signer),
                single_sign_on=provider_of(settings),
                wording=channel_wiring.wording(settings, system.database, system.office.stationery))
    )  # fmt: skip
    _mount(app, system)
    return app


def serve(settings: Settings) -> None:
    """One process: pages on HTTP, the heartbeat in a thread, a local Prefect server beside. Ends on SIGINT/SIGTERM."""
    import uvicorn

    from workflows.heartbeat import Heartbeat

    system = compose(settings)
    system.database.upgrade()
    app = application(system)
    local_prefect = PrefectServer(system.prefect_home, settings.prefect_port)
    starts_prefect = settings.prefect and not settings.prefect_api_url
    heartbeat = Heartbeat(lambda: beat(system), lambda: look_over(system), settings.tick_seconds,
                          lambda: listen(system), settings.receive_seconds)  # fmt: skip
    # uvicorn hands the signal back once it has closed its doors: end by the finally below, not in the middle.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    door = listen_at(settings.host, settings.port)
    gc.freeze()  # what was made at start is never garbage: the collector need not look at it again
    try:
        heartbeat.start()
        if starts_prefect:
            local_prefect.start()
        log.info("Đôn Đốc: http://%s:%s", settings.host, settings.port)
        told = uvicorn.Config(app, log_level="warning", server_header=False, proxy_headers=False)  # the app does that
        uvicorn.Server(told).run(sockets=[door])
    finally:
        heartbeat.stop()
        if starts_prefect:
            local_prefect.stop()
        system.database.dispose()


def beat(system: System) -> None:
    """One tick at the clock's time. Looks first: with nothing due it costs one statement."""
    now = system.clock()
    if passes.due(system.database, now).anything:
        for report in asyncio.run(system.tick(now)):
            log.info("%s", report)


def listen(system: System) -> None:
    """Fetch answers, then tell of channels that are down."""
    from workflows import inbound_passes

    now = system.clock()
    received = inbound_passes.receive(system.database, now, system.ears)
    operator = channel_wiring.operator(system.settings)
    watched = asyncio.run(inbound_passes.watch(system.database, now, system.office.channels, operator))
    for report in (received, watched):
        if any(report.counts.values()):
            log.info("%s", report)


def _mount(app: FastAPI, system: System) -> None:
    """The addresses that machines call: gateways, Prometheus."""
    from notifications.inbound import callbacks
    from workflows import inbound_passes

    settings, signer = system.settings, system.signer
    secret = channel_wiring.callback_secret(settings, signer)
    app.include_router(callbacks.router(callbacks.Callbacks(system.database, system.clock, secret)))
    token = settings.metrics_token.get_secret_value()
    inbound_passes.add_metrics(app, system.database, system.clock, token, settings.host)


def look_over(system: System) -> None:
    """The self-audit, and once a day the upkeep."""
    from workflows.audit import audit

    now = system.clock()
    audit(system.database, now, system.settings.heartbeat_url, may_rest=not passes.may_send(system.database, now))
    passes.upkeep(system.database, now, system.settings.files)
