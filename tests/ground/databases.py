"""Empty but migrated databases for tests: a copied file for SQLite, one emptied database a worker for PostgreSQL; and
the SQL statements that are sent to one: ``with statements(database) as sent:``.

Measured: deleting all rows 1 ms, TRUNCATE 30 ms, CREATE DATABASE … TEMPLATE 40–70 ms; a commit that waits for the disk
5 ms, one that does not 0.01 ms; a statement compiled 3 ms, one that this engine has compiled before 0.03 ms. A small
plan laid and swept on new connections to PostgreSQL costs its server 22 ms and the test 12 ms, on kept ones 11 and 8.
"""

from __future__ import annotations

import atexit
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
from ground.postgres import Ground
from sqlalchemy import event
from sqlmodel import SQLModel

import engine.store.records as _tables  # noqa: F401  (fills SQLModel.metadata)
from engine.store.database import Database

POSTGRES_IS_DEEP = pytest.mark.parametrize(
    "url", ["sqlite", pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.deep])], indirect=True
)
"""On both databases, of which ``make test`` takes SQLite."""
ALONE = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid() AND state IS DISTINCT FROM 'idle'"
)
STEP_BY_STEP = Database.upgrade
FROM_ONE = "SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, 1, false) FROM pg_sequences"


def sqlite_template(ground: Ground) -> Path:
    """A migrated SQLite file, created once per run."""
    template = ground.folder / "migrated.db"
    with ground.locked():
        if not template.exists():
            fresh = template.with_suffix(".new")
            with real_migrations(), closing_database(f"sqlite:///{fresh}") as database:
                database.upgrade()
            fresh.rename(template)
    return template


def share_schema(ground: Ground) -> None:
    """A SQLite file that does not exist yet gets its schema by copying the template, 1 ms instead of 400: commands and
    simulations make dozens. ``Database.upgrade`` then finds it up to date."""

    def upgrade(self: Database, before: Callable[[str, str], None] | None = None) -> None:
        file = self.url.database if self.dialect == "sqlite" else None
        if file and file != ":memory:" and not Path(file).exists():
            shutil.copyfile(sqlite_template(ground), file)
        STEP_BY_STEP(self, before)

    Database.upgrade = upgrade  # type: ignore[assignment, method-assign]


@contextmanager
def real_migrations() -> Iterator[None]:
    """Every step of the schema is taken, for the block."""
    shared = Database.upgrade
    Database.upgrade = STEP_BY_STEP  # type: ignore[method-assign]
    try:
        yield
    finally:
        Database.upgrade = shared  # type: ignore[method-assign]


def sqlite_copy(ground: Ground, folder: Path) -> str:
    """The URL of a migrated, empty SQLite file in a folder."""
    return copied(sqlite_template(ground), folder)


def copied(template: Path, folder: Path) -> str:
    """The URL of a copy of a SQLite file in a folder; replaces an earlier copy. Connections that still have the earlier
    one open keep using its deleted file."""
    folder.mkdir(exist_ok=True)
    for name in ("dondoc.db", "dondoc.db-wal", "dondoc.db-shm"):
        (folder / name).unlink(missing_ok=True)
    shutil.copyfile(template, folder / "dondoc.db")
    return f"sqlite:///{folder}/dondoc.db"


def postgres_database(ground: Ground, name: str, template: str = "template1") -> str:
    """The URL of a new PostgreSQL database, without a schema unless the template has one."""
    server = ground.postgres()
    with closing(psycopg.connect(server, autocommit=True)) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    return server.rpartition("/")[0] + "/" + name


def postgres_migrated(ground: Ground, name: str) -> str:
    """The URL of a new PostgreSQL database with the schema: a copy of one that is migrated once per run."""
    template = "dondoc_migrated"
    with ground.locked(f"{template}.lock"):
        if not (ground.folder / template).exists():
            with closing_database(postgres_database(ground, template)) as database:
                database.upgrade()
            (ground.folder / template).touch()
    return postgres_database(ground, name, template)


def postgres_emptied(url: str) -> str:
    """The same URL after deleting all rows, resetting sequences and closing other connections that are at something."""
    rows = "; ".join(f'DELETE FROM "{table.name}"' for table in reversed(SQLModel.metadata.sorted_tables))
    connection = control(url)
    connection.execute(ALONE)
    connection.execute(rows)
    connection.execute(FROM_ONE)
    return url


def control(url: str) -> psycopg.Connection[Any]:
    """A connection beside those of the tests, kept for the whole run: a new one reads the whole catalogue again, which
    costs more than what it is asked."""
    kept = _controls.get(url)
    if kept is not None and not kept.closed:
        with suppress(psycopg.OperationalError):  # a test may have ended it
            kept.execute("SELECT 1")
            return kept
    made = psycopg.connect(url, autocommit=True)
    atexit.register(made.close)
    _controls[url] = made
    return made


@contextmanager
def controlled(url: str) -> Iterator[psycopg.Connection[Any]]:
    """The kept connection of a database that is emptied again and again; any other has one for the block, since it may
    be dropped or copied next."""
    if url in _controls:
        yield control(url)
    else:
        with closing(psycopg.connect(url, autocommit=True)) as connection:
            yield connection


_controls: dict[str, psycopg.Connection[Any]] = {}


@contextmanager
def closing_database(url: str) -> Iterator[Database]:
    """A database without fsync, disposed at the end."""
    database = Database(url, durable=False)
    try:
        yield database
    finally:
        database.dispose()


@contextmanager
def reopened_database(url: str) -> Iterator[Database]:
    """The Database for a URL that many tests use, with its compiled statements. Its connections are closed after each
    test on SQLite, where the next one has another file; on PostgreSQL they are kept, unless a test has one still."""
    database = _idle.pop(url, None) or _kept_database(url)
    try:
        yield database
    finally:
        if database.dialect == "sqlite" or database.bind.pool.checkedout():  # type: ignore[attr-defined]
            database.dispose()
        _idle[url] = database


def _kept_database(url: str) -> Database:
    database = Database(url, durable=False)
    atexit.register(database.dispose)
    return database


_idle: dict[str, Database] = {}


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        sent.append(statement)

    event.listen(database.bind, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(database.bind, "before_cursor_execute", note)
