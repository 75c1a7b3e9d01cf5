"""`dondoc serve` as a process of its own, on a free port of this machine; what the tests' Prefect servers ask for."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from ground.databases import postgres_database
from ground.factory import at, lay, plan_file, rows
from ground.paths import ROOT
from ground.post import KEY
from ground.postgres import Ground

from config.settings import Settings
from engine.rules.calendar import DayException, DayKind, local_date
from engine.store.clock import system_clock
from engine.store.database import Database
from engine.store.records import Letter
from engine.terms import LetterState
from workflows.run.installation import establish
from workflows.run.prefect_server import PrefectServer, descendants
from workflows.run.system import compose

DONDOC = Path(sys.executable).with_name("dondoc")
SOON = 60.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def install(url: str, folder: Path) -> dict[str, str]:
    """Make a database an installation, as ``dondoc init`` does. Returns its environment variables."""
    settings = Settings(_env_file=None, data_dir=folder, database_url=url, secret=KEY)  # type: ignore[call-arg]
    system = compose(settings)
    system.database.upgrade()
    establish(system)
    system.database.dispose()
    return {"DONDOC_DATABASE_URL": url, "DONDOC_DATA_DIR": str(folder), "DONDOC_SECRET": KEY}


@contextmanager
def serving(
    url: str, folder: Path, *words: str, port: int = 0, **more: str
) -> Iterator[tuple[subprocess.Popen[bytes], str, float]]:
    """`dondoc serve` as a process of its own: the process, its address, seconds until it answered. ``port`` 0: a free
    one. ``more``: further environment variables."""
    port = port or free_port()
    settings = install(url, folder)
    began = time.monotonic()
    with (folder / f"serve-{port}.log").open("wb") as output:
        process = subprocess.Popen(
            [DONDOC, "serve", "--port", str(port), "--every", "1", *(words or ("--no-prefect",))],
            env=os.environ | settings | more,
            cwd=folder,
            stdout=output,
            stderr=output,
        )
    try:
        yield process, f"http://127.0.0.1:{port}", _until_it_answers(process, port, began)
    finally:
        for pid in [process.pid, *descendants(process.pid)] if process.poll() is None else []:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait(timeout=SOON)


def _until_it_answers(process: subprocess.Popen[bytes], port: int, began: float) -> float:
    while time.monotonic() - began < SOON:
        assert process.poll() is None, "it ended before it answered"
        if status(f"http://127.0.0.1:{port}/health"):
            return time.monotonic() - began
        time.sleep(0.05)
    raise AssertionError("it did not answer")


def status(address: str) -> int:
    """Of the answer at an address; 0 without one. To be asked again and again: making an httpx client takes 25 ms."""
    asked = urlsplit(address)
    with closing(HTTPConnection(asked.hostname or "", asked.port, timeout=SOON)) as line:
        try:
            line.request("GET", asked.path)
            return line.getresponse().status
        except (OSError, HTTPException):
            return 0


def owing(database: Database) -> Database:
    """A plan whose first letters left long ago by the calendar; urgent, and these days are holidays, so that these
    letters and no others leave, whatever the hour of the test."""
    today = local_date(system_clock())
    days = tuple(DayException(today + timedelta(n), DayKind.HOLIDAY, "Nghỉ") for n in (-1, 0, 1))
    lay(database, now=at("2021-04-07"), plan=plan_file(urgency="khan"), days=days)
    return database


def wait_for_letters(database: Database) -> list[LetterState]:
    """The states of the urgent letters, once none is owed any more (or time is over). Others wait for the morning."""
    began, states = time.monotonic(), []
    while time.monotonic() - began < SOON:
        states = [letter.state for letter in rows(database, Letter, urgent=True)]
        if states and not set(states) & {LetterState.QUEUED, LetterState.SENDING}:
            break
        time.sleep(0.1)
    return states


AUTH = "dondoc:a-word-for-tests-alone"


def letting_in(api_url: str, auth: str = AUTH) -> str:
    """The address with it."""
    return api_url.replace("://", f"://{auth}@")


def shown() -> tuple[str, str]:
    """It, as httpx shows it."""
    user, _, password = AUTH.partition(":")
    return user, password


def asked(http: httpx.Client, path: str, body: dict[str, Any]) -> Any:
    """The answer of a Prefect server; asked again while it is busy (its SQLite locked: 503)."""
    while (answer := http.post(path, json=body)).status_code == httpx.codes.SERVICE_UNAVAILABLE:
        time.sleep(0.5)
    return answer.raise_for_status().json()


@contextmanager
def prefect_serving(home: Path, migrated: Path) -> Iterator[PrefectServer]:
    """A real Prefect server of our own, answering."""
    mine = PrefectServer(home, free_port(), AUTH)
    if migrated.exists():
        shutil.copyfile(migrated, home / "prefect.db")
    mine.start()
    try:
        for _ in range(600):
            if status(f"{mine.api_url}/health") == 200:
                if not migrated.exists():
                    _keep(home / "prefect.db", migrated)
                break
            time.sleep(0.1)
        yield mine
    finally:
        mine.stop()


@dataclass(frozen=True)
class ServerOfTheManual:
    """A Prefect server as chapter Prefect starts it."""

    home: Path
    api_url: str


@contextmanager
def prefect_by_the_manual(ground: Ground, folder: Path) -> Iterator[ServerOfTheManual]:
    """The very lines of the manual, with addresses of this machine: the server's database is on PostgreSQL."""
    port, home = free_port(), folder / "prefect-server"
    page = (ROOT / "docs/operating/prefect.md").read_text()
    (lines,) = re.findall(r"^ {4}(mkdir -p .*?server start [^\n]*)$", page, re.MULTILINE | re.DOTALL)
    database = postgres_database(ground, f"prefect_{port}").replace("postgresql://", "postgresql+asyncpg://")
    for ours, here in (
        ("postgresql+asyncpg://dondoc:PASSWORD@db.tinh.example/prefect", database),
        ("/var/lib/dondoc/prefect-server", str(home)),
        ("10.20.0.5", "127.0.0.1"),
        ("4200", str(port)),
        ('"$key"', AUTH),
    ):
        assert ours in lines, ours
        lines = lines.replace(ours, here)
    path = f"{DONDOC.parent}:{os.environ['PATH']}"
    server = subprocess.Popen(["bash", "-ec", lines], env=os.environ | {"PATH": path}, start_new_session=True)
    try:
        until = time.monotonic() + 4 * SOON
        while status(f"http://127.0.0.1:{port}/api/health") != httpx.codes.OK:
            assert server.poll() is None, "it ended"
            assert time.monotonic() < until, "it does not answer"
            time.sleep(0.2)
        yield ServerOfTheManual(home, f"http://127.0.0.1:{port}/api")
    finally:
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _keep(made: Path, migrated: Path) -> None:
    half = migrated.with_suffix(".new")
    half.unlink(missing_ok=True)
    with closing(sqlite3.connect(made)) as source, closing(sqlite3.connect(half)) as copy:
        source.backup(copy)
    half.rename(migrated)
