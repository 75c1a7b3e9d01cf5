"""The small plan of ``ground.office`` after eleven weeks: lived once a run on each database, then copied.

``lived``    a copy of its own on SQLite, for tests where the database does not matter
``fresh``    a copy of its own as a ``Laid``, once on SQLite, once on PostgreSQL: for tests that write
``laid``     one shared by all tests of this process, on both: never written to
``office``   pages and API over the lived plan, as whoever sits at the machine sees them
``seen``     a reading session over the lived plan on 24 June 2021, and that day
``counting`` ``with counting(database) as sent:`` collects every SQL statement that is sent meanwhile
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from pathlib import Path

import psycopg
import pytest
from ground.databases import closing_database, copied, postgres_database, reopened_database, sqlite_copy
from ground.factory import Laid
from ground.office import Office, live_through, looking, open_office
from ground.postgres import Ground
from ground.statements import statements
from sqlmodel import Session

from engine.queries.time_class import Today
from engine.store.database import Database

BOTH = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "alone")


@pytest.fixture(scope="session")
def lived_file(ground: Ground, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lived")
    with closing_database(sqlite_copy(ground, folder)) as database:
        live_through(database)
    return folder / "dondoc.db"


@pytest.fixture(scope="session")
def lived_postgres(ground: Ground) -> str:
    """The URL of a database that nobody may connect to: it is only copied."""
    url = postgres_database(ground, f"lived_{WORKER}")
    with closing_database(url) as database:
        database.upgrade()
        live_through(database)
    return url


def _postgres_copy(ground: Ground, lived_url: str, name: str) -> str:
    server, lived = ground.postgres(), lived_url.rpartition("/")[2]
    with closing(psycopg.connect(server, autocommit=True)) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{lived}"')
    return server.rpartition("/")[0] + "/" + name


def _copy(request: pytest.FixtureRequest, kind: str, folder: Path, name: str) -> str:
    if kind == "postgres":
        return _postgres_copy(request.getfixturevalue("ground"), request.getfixturevalue("lived_postgres"), name)
    return copied(request.getfixturevalue("lived_file"), folder)


@pytest.fixture(scope="session", params=BOTH)
def laid(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laid]:
    url = _copy(request, request.param, tmp_path_factory.mktemp("shared"), f"shared_{WORKER}")
    with closing_database(url) as database:
        yield Laid(database, 1)


@pytest.fixture(params=BOTH)
def fresh(request: pytest.FixtureRequest, worker_folder: Path) -> Iterator[Laid]:
    url = _copy(request, request.param, worker_folder / "fresh", f"fresh_lived_{WORKER}")
    with reopened_database(url) as database:
        yield Laid(database, 1)


@pytest.fixture
def lived(lived_file: Path, worker_folder: Path) -> Iterator[Database]:
    with reopened_database(copied(lived_file, worker_folder / "lived")) as database:
        yield database


@pytest.fixture
def office(lived: Database, tmp_path: Path) -> Office:
    return open_office(lived, tmp_path)


@pytest.fixture
def seen(laid: Laid) -> Iterator[tuple[Session, Today]]:
    with looking(laid.database) as found:
        yield found


@pytest.fixture
def counting() -> Callable[[Database], AbstractContextManager[list[str]]]:
    return statements
