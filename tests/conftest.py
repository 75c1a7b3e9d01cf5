"""Fixtures for all tests: migrated databases on SQLite and PostgreSQL; network access outside this machine is blocked.

``database``          an empty, migrated ``engine.store.database.Database``; the test runs on SQLite and on PostgreSQL
``url``               the same as a URL, for tests that start processes of their own
``sqlite_database``   the same on SQLite alone, where the database does not matter
``empty_url``         a database without a schema, on both
"""

from __future__ import annotations

import gc
import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest
from _pytest.unraisableexception import gc_collect_iterations_key
from ground.loopback import refuse_the_outside
from ground.postgres import Ground

if TYPE_CHECKING:
    from engine.store.database import Database

# ``ground.databases`` is imported where it is used: the main process of xdist and the unit tests need no tables.
SHARED = "DONDOC_TEST_GROUND"
BOTH = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]

# The same examples each time: flaky tests teach people to re-run them. DONDOC_TEST_EXAMPLES asks for so many new ones
# of each property («make deep EXAMPLES=1000»); it changes nothing else.
hypothesis.settings.register_profile("same", deadline=None, derandomize=True, max_examples=50, database=None)
if new := os.environ.get("DONDOC_TEST_EXAMPLES"):
    hypothesis.settings.register_profile(
        "new", deadline=None, derandomize=False, max_examples=int(new), database=None, print_blob=True
    )
hypothesis.settings.load_profile("new" if new else "same")
refuse_the_outside()
gc.disable()  # while everything is imported and collected: a quarter of that time


def pytest_configure(config: pytest.Config) -> None:
    """The main process creates the folder that the xdist workers share."""
    config.stash[gc_collect_iterations_key] = 1  # at the end pytest looks for garbage five times: 2 s of each process
    if not hasattr(config, "workerinput"):
        shared = Ground.begin()
        os.environ[SHARED] = f"{shared.folder}:{shared.owner}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files are dealt out in this order: those of few tests first, among which are all that take a minute (browsers,
    processes, lives of a year), so that no worker is left with one at the end."""
    sizes = Counter(item.path for item in items)
    items.sort(key=lambda item: sizes[item.path])


def pytest_collection_finish(session: pytest.Session) -> None:
    """What is there now stays till the end: the garbage collector need not look at it again and again."""
    if "engine.accounts.passwords" in sys.modules:  # only where a test signs somebody in
        from ground.hashing import hash_cheaply

        hash_cheaply()
    if "ground.databases" in sys.modules:
        from ground.databases import share_schema

        share_schema(_ground())
    if "workflows.cli" in sys.modules:
        from ground.commands import share_command_tree

        share_command_tree()
    if "engine.template_cache" in sys.modules and session.config.pluginmanager.has_plugin("cacheprovider"):
        from ground.templates import read_kept

        read_kept(session.config.cache.mkdir("templates"))  # type: ignore[union-attr]
    gc.freeze()  # with what garbage there is: to look for it takes longer than to keep it
    gc.enable()
    gc.set_threshold(10_000, 20, 20)  # a twentieth of all processor time went into looking for garbage


def pytest_unconfigure(config: pytest.Config) -> None:
    if "ground.templates" in sys.modules:
        from ground.templates import keep

        keep(config.cache.mkdir("templates"))  # type: ignore[union-attr]
    if not hasattr(config, "workerinput"):
        _ground().stop()


def _ground() -> Ground:
    folder, _, owner = os.environ[SHARED].rpartition(":")
    return Ground(Path(folder), int(owner))


@pytest.fixture(scope="session")
def ground() -> Ground:
    return _ground()


@pytest.fixture(scope="session")
def worker_url(ground: Ground) -> str:
    """This worker's own PostgreSQL database, migrated."""
    from ground.databases import postgres_migrated

    return postgres_migrated(ground, f"dondoc_{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}")


@pytest.fixture(scope="session")
def worker_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of this worker's SQLite files, each in its own folder and with the same URL for every test."""
    return tmp_path_factory.mktemp("databases")


@pytest.fixture(params=BOTH)
def url(request: pytest.FixtureRequest, ground: Ground, worker_folder: Path) -> str:
    """The URL of an empty, migrated database: once SQLite, once PostgreSQL."""
    from ground.databases import postgres_emptied, sqlite_copy

    if request.param == "sqlite":
        return sqlite_copy(ground, worker_folder / "empty")
    return postgres_emptied(request.getfixturevalue("worker_url"))


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """An empty, migrated database: once SQLite, once PostgreSQL."""
    from ground.databases import reopened_database

    with reopened_database(url) as database:
        yield database


@pytest.fixture
def sqlite_database(ground: Ground, worker_folder: Path) -> Iterator[Database]:
    """An empty, migrated SQLite database, for tests where the kind does not matter."""
    from ground.databases import reopened_database, sqlite_copy

    with reopened_database(sqlite_copy(ground, worker_folder / "alone")) as database:
        yield database


@pytest.fixture
def postgres_url(worker_url: str) -> str:
    """An empty, migrated PostgreSQL database; mark the test ``postgres``."""
    from ground.databases import postgres_emptied

    return postgres_emptied(worker_url)


@pytest.fixture(params=BOTH)
def empty_url(request: pytest.FixtureRequest, ground: Ground, tmp_path: Path) -> str:
    """A database without a schema: once SQLite, once PostgreSQL."""
    from ground.databases import postgres_database

    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/fresh.db"
    return postgres_database(ground, f"fresh_{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}")
