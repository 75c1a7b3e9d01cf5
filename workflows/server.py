"""The composition root: settings become a database, a clock, a post office and a web application, once.

Nothing is made at import. ``serve`` is the embedded default: one process, the heartbeat in a thread, Prefect beside.
"""

from __future__ import annotations

import gc
import logging
import signal
import sys
from typing import TYPE_CHECKING

from config.settings import Settings
from workflows import channel_wiring
from workflows.listen_socket import listen_at
from workflows.prefect_server import PrefectServer
from workflows.system import System, beat, compose, listen, look_over

if TYPE_CHECKING:
    from fastapi import FastAPI

log = logging.getLogger(__name__)


def application(system: System) -> FastAPI:
    """Everything that is answered over HTTP, over a system whose database stands."""
    from engine.accounts.oidc import provider_of
    from engine.app import make_app
    from engine.http.app_context import AppContext
    from workflows.simulation.demo import stepper
    from workflows.simulation.simulation import cached_simulation

    settings, signer = system.settings, system.signer
    app = make_app(
        AppContext(
            system.database,
            system.clock,
            signer,
            settings,
            stepper(system) if settings.demo else None,
            simulate=cached_simulation(system.database),
            links=channel_wiring.sign_in_mailer(settings, signer),
            single_sign_on=provider_of(settings),
            wording=channel_wiring.template_editor(settings, system.database, system.delivery.renderer),
        )
    )
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
    heartbeat = Heartbeat(
        lambda: beat(system),
        lambda: look_over(system),
        settings.tick_seconds,
        lambda: listen(system),
        settings.receive_seconds,
    )
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
        system.delivery.stop.set()  # no further letter is offered; those on the wire get a few seconds
        heartbeat.stop()
        if starts_prefect:
            local_prefect.stop()
        system.database.dispose()


def _mount(app: FastAPI, system: System) -> None:
    """The addresses that machines call: gateways, Prometheus."""
    from notifications.inbound import callbacks
    from workflows import inbound_passes

    settings, signer = system.settings, system.signer
    secret = channel_wiring.callback_secret(settings, signer)
    app.include_router(callbacks.router(callbacks.Callbacks(system.database, system.clock, secret)))
    token = settings.metrics_token.get_secret_value()
    inbound_passes.add_metrics(app, system.database, system.clock, token, settings.host)
