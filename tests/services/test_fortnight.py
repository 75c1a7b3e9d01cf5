"""A fortnight of ``dondoc serve`` by a clock that runs fast (tests/crash/fortnight.py): nothing is lost, and whatever
is planted reaches the operator's telephone and the monitor within its time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from crash.campaign import CONNECTIONS
from crash.faults import durable
from crash.fortnight import Lived, live
from ground.databases import closing_database, postgres_database
from ground.postgres import Ground

from engine.store.database import Database

pytestmark = pytest.mark.deep


def judged(lived: Lived) -> None:
    print(lived)
    assert lived.letters > 480, lived.fates
    assert lived.lost == 0
    assert lived.third == 0
    assert lived.kills == 3
    assert lived.second <= 2 * CONNECTIONS * lived.kills
    assert lived.confirmed
    assert lived.forgotten == 0
    assert lived.at_closed_hours == []
    assert len(lived.told) == 6
    assert lived.unheard == []
    assert lived.silent_after < timedelta(hours=1), "all is well again"


@pytest.fixture
def of_its_own() -> Iterator[Ground]:
    """A PostgreSQL that may crash."""
    ground = Ground.begin()
    yield ground
    ground.stop()


def test_on_sqlite_with_a_lock_and_a_full_disk(sqlite_database: Database, tmp_path: Path) -> None:
    judged(live(sqlite_database, tmp_path))


@pytest.mark.postgres
def test_on_a_postgresql_that_crashes(of_its_own: Ground, tmp_path: Path) -> None:
    with closing_database(postgres_database(of_its_own, "fortnight")) as database:
        database.upgrade()
        durable(database)
        judged(live(database, tmp_path, database))
