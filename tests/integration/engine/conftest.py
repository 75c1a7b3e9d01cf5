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
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import pytest
from ground.databases import closing_database, copied, postgres_migrated, reopened_database, sqlite_copy, statements
from ground.factory import Laid, laid_once
from ground.office import Office, live_through, looking, open_office
from ground.postgres import Ground
from sqlmodel import Session

from engine.queries.time_class import Today
from engine.store.database import Database

BOTH = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "alone")


@pytest.fixture(scope="session")
def lived_file(ground: Ground, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lived")
    with closing_database(sqlite_copy(ground, folder)) as database:
        _live(database)
    return folder / "dondoc.db"


def _live(database: Database) -> Laid:
    return laid_once(database, "lived", live_through)


@pytest.fixture(scope="session", params=BOTH)
def laid(request: pytest.FixtureRequest, ground: Ground, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laid]:
    if request.param == "sqlite":
        url = sqlite_copy(ground, tmp_path_factory.mktemp("shared"))
    else:
        url = postgres_migrated(ground, f"shared_{WORKER}")
    with closing_database(url) as database:
        yield _live(database)


@pytest.fixture
def fresh(database: Database) -> Laid:
    return _live(database)


@pytest.fixture
def lived(lived_file: Path, worker_folder: Path) -> Iterator[Database]:
    with reopened_database(copied(lived_file, worker_folder / "lived")) as database:
        yield database


@pytest.fixture
def office(lived: Database, tmp_path: Path) -> Office:
    return open_office(lived, tmp_path)


@pytest.fixture(scope="module")
def copy_of_lived(lived_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Database]]:
    """``copy_of_lived()``: another copy, for what the tests of a module look at together."""
    with ExitStack() as stack:

        def copy() -> Database:
            url = copied(lived_file, tmp_path_factory.mktemp("copy"))
            return stack.enter_context(closing_database(url))

        yield copy


@pytest.fixture
def seen(laid: Laid) -> Iterator[tuple[Session, Today]]:
    with looking(laid.database) as found:
        yield found


@pytest.fixture
def counting() -> Callable[[Database], AbstractContextManager[list[str]]]:
    return statements
