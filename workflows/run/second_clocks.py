"""Clocks of other machines, by which this one's is judged: of the database server, of the heartbeat's monitor, of
Prefect's server, where they are elsewhere, and of the relay, if its greeting names the time. And what this machine's
kernel knows of a time service, which asks other machines itself."""

from __future__ import annotations

import ctypes
import email.utils
import re
import socket
import ssl
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from sqlalchemy import func, select

from config.settings import LOOPBACK, Settings
from engine.store.database import Database

SecondClock = Callable[[], datetime | None]
SECONDS = 5.0
TIMEX_BYTES, TIME_ERROR = 512, 5
"""More than ``struct timex`` has; zeros only read. The answer where nobody keeps the clock."""
SYSTEMD = Path("/run/systemd/system")
"""There where systemd runs: sd_booted(3)."""
_DATE = re.compile(rb"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{1,2} \w{3} \d{4} \d{2}:\d{2}:\d{2} [+-]\d{4}")


def second_clocks(settings: Settings, database: Database, prefect_api: str) -> list[SecondClock]:
    """Each answers None where it cannot be read."""
    clocks: list[SecondClock] = []
    if database.url.host not in {None, "", *LOOPBACK}:
        clocks.append(lambda: database_clock(database))
    if settings.heartbeat_url:
        clocks.append(lambda: _http_clock(settings.heartbeat_url))
    if settings.prefect and urlsplit(prefect_api).hostname not in LOOPBACK:
        clocks.append(lambda: _http_clock(prefect_api))
    if not settings.demo and settings.smtp_host and settings.smtp_host not in LOOPBACK:
        clocks.append(lambda: relay_clock(settings))
    return clocks


def kept_by_time_service() -> bool:
    """Whether NTP keeps this machine's clock. Under systemd ``timedatectl`` is asked: the unit's filter would kill this
    process for adjtimex(2). Elsewhere any answer of the kernel but TIME_ERROR says yes."""
    if SYSTEMD.exists():
        return _said_by_systemd()
    ask = getattr(ctypes.CDLL(None), "adjtimex", None)
    return ask is not None and 0 <= ask(ctypes.create_string_buffer(TIMEX_BYTES)) < TIME_ERROR


def _said_by_systemd() -> bool:
    command = ["timedatectl", "show", "--property=NTPSynchronized", "--value"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.stdout.strip() == "yes"


def database_clock(database: Database) -> datetime | None:
    """Of PostgreSQL's server; None on SQLite, which has none of its own."""
    if database.url.get_backend_name() != "postgresql":
        return None
    with database.read() as session:
        at: object = session.connection().scalar(select(func.clock_timestamp()))
    return at if isinstance(at, datetime) else None


def _http_clock(url: str) -> datetime | None:
    """The Date header of the URL's server. Its root is asked: a monitor would take its own URL for a sign of life."""
    try:
        said = httpx.head(httpx.URL(url).copy_with(raw_path=b"/"), timeout=5).headers.get("date", "")
        return email.utils.parsedate_to_datetime(said).astimezone(UTC) if said else None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        return None


def relay_clock(settings: Settings) -> datetime | None:
    """The time in the relay's greeting: many relays name it («220 … ready at Wed, 25 Nov 2026 09:00:00 +0700»)."""
    if settings.demo or not settings.smtp_host:
        return None
    try:
        with socket.create_connection((settings.smtp_host, settings.smtp_port), timeout=SECONDS) as plain:
            if settings.smtp_security != "tls":
                greeting = plain.recv(1_000)
                plain.sendall(b"QUIT\r\n")
            else:
                context = ssl.create_default_context(cafile=str(settings.smtp_ca_file or "") or None)
                with context.wrap_socket(plain, server_hostname=settings.smtp_host) as connection:
                    greeting = connection.recv(1_000)
                    connection.sendall(b"QUIT\r\n")
    except (OSError, ValueError):
        return None  # the line about the relay says what is wrong
    found = _DATE.search(greeting)
    try:
        return email.utils.parsedate_to_datetime(found[0].decode()).astimezone(UTC) if found else None
    except ValueError:
        return None
