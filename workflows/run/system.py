"""The composition root: creates database, clock and channels from the settings. Nothing is created at import."""

from __future__ import annotations

import logging
import os
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from urllib.parse import urlsplit

import typer
from pydantic import ValidationError

from config.settings import Settings, read_settings, settings_refused
from engine.accounts.key_ring import load_keys
from engine.accounts.setup_code import issue_setup_code
from engine.accounts.signed_links import Signer
from engine.admin.settings_view import entered, read_entered, removed_lines
from engine.errors import DondocError
from engine.store.clock import Clock, DemoClock, system_clock
from engine.store.database import Database
from engine.store.high_water import NAME, HighWater
from engine.text import Text
from notifications.contract.channel import Channel
from notifications.delivery import DeliveryContext
from notifications.inbound.fetching import InboundSources
from notifications.webhooks import WebhookDelivery
from workflows.run import channel_wiring
from workflows.run.prefect_server import answers, auth_of, environment, is_ours, kept_auth

log = logging.getLogger(__name__)
MAX_NAME_CHARS = 56


@dataclass(frozen=True, kw_only=True)
class System:
    """The wired parts of one process. ``alarms``: channels like those of ``delivery``, for what is sent beside letters:
    connections belong to a loop, and the heartbeat's jobs have each their own."""

    settings: Settings
    database: Database
    clock: Clock
    signer: Signer
    delivery: DeliveryContext
    alarms: Mapping[str, Channel]
    inbound: InboundSources
    webhooks: WebhookDelivery

    def observe(self) -> None:
        """Hold what a database would send that is older than this machine knows (``engine.store.high_water``)."""
        if self.delivery.mark is not None:
            self.delivery.mark.observe(self.database, self.clock())

    @property
    def machine(self) -> str:
        """Its host name."""
        return self.delivery.worker.partition(":")[0][:MAX_NAME_CHARS]

    @property
    def prefect_api(self) -> str:
        """Without user and password."""
        parts = urlsplit(self.settings.prefect_api_url or f"http://127.0.0.1:{self.settings.prefect_port}/api")
        return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()

    @property
    def prefect_auth(self) -> str:
        """«user:password» that Prefect's API asks for; empty before the server beside ``serve`` was first started."""
        if self.settings.prefect_api_url:
            return auth_of(self.settings, self.signer)
        return kept_auth(self.settings.prefect_key)

    def prefect_answers(self, timeout: float = 1.0) -> bool:
        """Whether there is a Prefect that may be shown that: one that the settings name, or at our own server's port a
        process of our own user. ``timeout`` in seconds."""
        known = bool(self.settings.prefect_api_url) or is_ours(self.settings.prefect_port)
        return known and answers(self.prefect_api, timeout)

    @property
    def prefect(self) -> dict[str, str]:
        """The variables of a process that talks to Prefect."""
        return environment(self.settings.prefect_home, self.prefect_api, self.prefect_auth)


def compose(settings: Settings | None = None, *, with_entered: bool = True) -> System:
    """Create a System from the settings (default: read from the environment) and, unless ``with_entered`` is False,
    what an administrator has entered. Raises Unavailable where that cannot be read, SettingsRefused where this version
    has no such setting."""
    settings = settings or read_settings()
    database = Database(settings.database)
    clock: Clock = DemoClock(database) if settings.demo else system_clock
    signer = Signer(partial(load_keys, settings, database) if with_entered else settings.signing_key())
    if with_entered:
        try:
            settings = settings.with_entered(read_entered(database, signer).values)
        except ValidationError as error:  # another version has stored it
            raise settings_refused(error) from None
    return _wire(settings, database, clock, signer, threading.Event())


def compose_existing(*, with_entered: bool = True) -> System:
    """``compose`` for a command that makes nothing. Raises Unavailable, before it makes a secret or a file, where there
    is no database."""
    settings = read_settings()
    if not settings.demo:
        Database(settings.database).require_made()
    return compose(settings, with_entered=with_entered)


def compose_installed() -> System:
    """``compose`` for what runs only where ``init`` has made an installation. Raises Unavailable elsewhere, before it
    makes anything."""
    from workflows.run.installation import require_installation

    settings = read_settings()
    require_installation(settings)
    return compose(settings)


def _wire(settings: Settings, database: Database, clock: Clock, signer: Signer, stop: threading.Event) -> System:
    delivery = DeliveryContext(
        channels=channel_wiring.channels(settings, signer, database),
        renderer=channel_wiring.letter_renderer(settings, signer),
        short_code_key=channel_wiring.short_code_key(settings, signer),
        worker=f"{socket.gethostname()}:{os.getpid()}",
        stop=stop,
        mark=None if settings.demo else HighWater(settings.data_dir / NAME),
    )
    inbound = replace(channel_wiring.inbound_sources(settings, signer), stop=stop)
    webhooks = channel_wiring.webhook_delivery(settings, signer, delivery)
    return System(
        settings=settings,
        database=database,
        clock=clock,
        signer=signer,
        delivery=delivery,
        alarms=channel_wiring.channels(settings, signer, database),
        inbound=inbound,
        webhooks=webhooks,
    )


class Running:
    """The System of a process that runs on: its channels are made anew when an administrator has entered other
    settings. Costs one statement a call. ``changed`` is called with the new System."""

    def __init__(self, system: System, changed: Callable[[System], None] = lambda system: None) -> None:
        self._system, self._changed, self._lock = system, changed, threading.Lock()
        self._sealed: str | None = None
        self._key = system.signer.number

    def __call__(self) -> System:
        system = self._system
        with system.database.read() as session:
            found = entered(session, system.signer)
        key = system.signer.number
        if found.sealed == (self._sealed or "") and key == self._key:
            return system
        with self._lock:
            if found.sealed != self._sealed or key != self._key:
                self._take(system, found.sealed, key, system.settings.with_entered(found.values))
        return self._system

    def _take(self, system: System, sealed: str, key: int, settings: Settings) -> None:
        if settings == system.settings and key == self._key:  # at the start, or entered again as it was
            self._sealed = sealed
            return
        try:
            made = _wire(settings, system.database, system.clock, system.signer, system.delivery.stop)
        except DondocError as error:
            log.error("Settings that were entered cannot be used, those before them stay: %s", error)
        else:
            renderer = system.delivery.renderer  # the editor of templates tells it what was changed
            renderer.settings = made.delivery.renderer.settings
            delivery = replace(made.delivery, renderer=renderer)
            self._system = replace(made, delivery=delivery)
            self._changed(self._system)
        self._sealed, self._key = sealed, key


def announce_removed_settings(system: System) -> None:
    """Log what is still set of earlier versions and has no effect."""
    for line in removed_lines(read_entered(system.database, system.signer).values):
        log.warning("%s", line)


def announce_setup_code(system: System) -> None:
    """While there is no account, print a one-time code for the page that creates the first administrator."""
    if system.settings.demo:
        return
    with system.database.write() as session:
        code = issue_setup_code(session, system.clock())
    if code is not None:
        page = f"{system.settings.base_url}/setup"
        typer.echo(
            Text(
                f"Chưa có tài khoản nào. Mở {page} và nhập mã thiết lập (dùng một lần, trong 24 giờ): {code}",
                f"There is no account yet. Open {page} and enter the set-up code (works once, for 24 hours): {code}",
            )
        )
        sys.stdout.flush()  # a service's output is buffered
