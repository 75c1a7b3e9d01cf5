"""``dondoc serve`` in the middle of its letters: killed, told to stop, its disk full, its database away. See
tests/crash/campaign.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from crash.campaign import Result, run, started
from crash.faults import Strike, away, disk_full, killed, told_to_stop
from crash.relay import SlowRelay
from ground.databases import reopened_database

from engine.store.database import Database

LETTERS = 200


def struck(database: Database, folder: Path, strike: Strike) -> Result:
    with SlowRelay(sample=10).running() as relay, started(database, folder, relay) as form:
        result = run(database, form, relay, letters=LETTERS, faults=1, strike=strike)
    print(result)
    assert result.faults == 1
    assert result.confirmed
    assert result.kept
    assert result.doubtful == 0
    return result


@pytest.mark.parametrize(
    "url",
    [pytest.param("sqlite", marks=pytest.mark.deep), pytest.param("postgres", marks=pytest.mark.postgres)],
    indirect=True,
)
def test_killed_it_loses_nothing_and_doubles_at_most_what_was_on_the_wire(database: Database, tmp_path: Path) -> None:
    struck(database, tmp_path, killed)
    assert "Traceback" not in (tmp_path / "serve.log").read_text()


@pytest.mark.deep
def test_told_to_stop_it_doubles_nothing(sqlite_database: Database, tmp_path: Path) -> None:
    result = struck(sqlite_database, tmp_path, told_to_stop)
    assert result.second == 0
    assert result.slowest_stop < 10
    assert "Traceback" not in (tmp_path / "serve.log").read_text()


@pytest.mark.deep
def test_a_full_disk_doubles_nothing(sqlite_database: Database, tmp_path: Path) -> None:
    assert struck(sqlite_database, tmp_path, disk_full).second == 0


@pytest.mark.deep
@pytest.mark.postgres
def test_a_database_that_goes_away_doubles_nothing(postgres_url: str, tmp_path: Path) -> None:
    with reopened_database(postgres_url) as database:
        assert struck(database, tmp_path, away).second == 0
