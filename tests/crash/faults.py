"""What befalls a running product: killed, told to stop, its database locked, its disk full, its database away or
crashed."""

from __future__ import annotations

import contextlib
import os
import random
import resource
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from crash.forms import Form
from sqlalchemy import text

from engine.store.database import Database

HELD_SECONDS = 35.0
"""Longer than a statement of ours waits for a lock (BUSY_SECONDS)."""


@dataclass(frozen=True)
class Struck:
    """``stopped``: the process has ended and is to be started again; ``seconds`` it took to."""

    stopped: bool = True
    seconds: float = 0.0


Strike = Callable[[Form, Database, random.Random], Struck]


def killed(form: Form, database: Database, rng: random.Random) -> Struck:
    """SIGKILL at a random moment."""
    time.sleep(rng.uniform(0, 0.6))
    return Struck(seconds=form.strike(signal.SIGKILL))


def told_to_stop(form: Form, database: Database, rng: random.Random) -> Struck:
    """SIGTERM at a random moment."""
    time.sleep(rng.uniform(0, 0.6))
    return Struck(seconds=form.strike(signal.SIGTERM))


def locked(form: Form, database: Database, rng: random.Random) -> Struck:
    """Somebody holds the write lock, or on PostgreSQL the table of letters, for longer than a statement waits."""
    time.sleep(rng.uniform(0, 0.6))
    with write_lock(database):
        time.sleep(HELD_SECONDS)
    return Struck(stopped=False)


@contextmanager
def write_lock(database: Database) -> Iterator[None]:
    if database.dialect == "postgresql":
        with database.write() as session:
            session.connection().execute(text("LOCK TABLE letter IN ACCESS EXCLUSIVE MODE"))
            yield
        return
    with closing(sqlite3.connect(database.bind.url.database or "", timeout=0, isolation_level=None)) as connection:
        while not connection.in_transaction:  # SQLite's own waiting sleeps, and a busy writer never lets it in
            with contextlib.suppress(sqlite3.OperationalError):
                connection.execute("BEGIN IMMEDIATE")
        yield
        connection.rollback()


def disk_full(form: Form, database: Database, rng: random.Random) -> Struck:
    """The disk takes no more for some seconds. A file beside the database fills its file system, where that is a small
    one of its own (see ``small_disk``); else the processes may write no file beyond its present size."""
    time.sleep(rng.uniform(0, 0.6))
    path = Path(database.bind.url.database or "")
    with _filled(path.parent) if path.parent.is_mount() else _limited(form, path):
        time.sleep(5)
    return Struck(stopped=False)


def away(form: Form, database: Database, rng: random.Random) -> Struck:
    """PostgreSQL ends every connection and takes none for some seconds."""
    time.sleep(rng.uniform(0, 0.6))
    url, name = database.bind.url, database.bind.url.database
    server = url.set(drivername="postgresql", database="postgres").render_as_string(hide_password=False)
    database.dispose()
    with closing(psycopg.connect(server, autocommit=True)) as connection:
        connection.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS false')
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        time.sleep(5)
        connection.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS true')
    return Struck(stopped=False)


def crashed(form: Form, database: Database, rng: random.Random) -> Struck:
    """PostgreSQL itself is killed in one of its processes: it ends every connection, forgets what was not committed and
    recovers from its log. The database has to be ``durable``."""
    time.sleep(rng.uniform(0, 0.6))
    name = database.bind.url.database
    server = database.bind.url.set(drivername="postgresql", database="postgres").render_as_string(hide_password=False)
    database.dispose()
    with closing(psycopg.connect(server, autocommit=True)) as connection:
        pids = connection.execute("SELECT pid FROM pg_stat_activity WHERE datname = %s", [name]).fetchall()
        _kill_one([*rng.sample([pid for (pid,) in pids], len(pids)), connection.info.backend_pid])
    time.sleep(1)  # it has noticed
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(psycopg.OperationalError), closing(psycopg.connect(server)):
            return Struck(stopped=False)
        time.sleep(0.2)
    raise AssertionError("PostgreSQL did not come back")


def _kill_one(pids: list[int]) -> None:
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue  # that connection was closed meanwhile
        return


def durable(database: Database) -> None:
    """What PostgreSQL has confirmed outlives its crash; the server of the tests is made faster than that."""
    with database.bind.connect() as connection:
        connection.exec_driver_sql(f'ALTER DATABASE "{database.bind.url.database}" SET synchronous_commit = on')
        connection.commit()
    database.dispose()


FAULTS: dict[str, Strike] = {
    "kill": killed,
    "term": told_to_stop,
    "lock": locked,
    "full": disk_full,
    "away": away,
    "crash": crashed,
}


@contextmanager
def small_disk(folder: Path, megabytes: int = 64) -> Iterator[Path]:
    """A file system of its own in memory. Needs root."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=False)


@contextmanager
def _filled(folder: Path) -> Iterator[None]:
    ballast = folder / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as output:
        while True:
            output.write(bytes(4096))
    try:
        yield
    finally:
        ballast.unlink()


@contextmanager
def _limited(form: Form, database: Path) -> Iterator[None]:
    wal = database.with_name(f"{database.name}-wal")
    size = max(database.stat().st_size, wal.stat().st_size if wal.exists() else 0)
    before = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in form.pids}
    for pid in before:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, before[pid][1]))
    try:
        yield
    finally:
        for pid, limits in before.items():
            with contextlib.suppress(ProcessLookupError):
                resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)
