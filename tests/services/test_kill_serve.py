"""``dondoc serve`` in the middle of its letters: killed, told to stop, its disk full, its database away. See
tests/crash/campaign.py."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

import pytest
from crash.campaign import Result, run, started
from crash.faults import Strike, away, disk_full, killed, told_to_stop
from crash.relay import SlowRelay
from ground.databases import reopened_database
from ground.post import KEY
from ground.serving import DONDOC, SOON, free_port

from engine.store.database import Database

LETTERS = 200


def test_told_to_stop_in_the_middle_of_its_start_it_ends(tmp_path: Path) -> None:
    """As process 1 of a container it was deaf until its start was through, and killed, perhaps in a migration."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(SOON)
        url = f"postgresql://dondoc@127.0.0.1:{silent.getsockname()[1]}/dondoc"
        known = {"DONDOC_DATABASE_URL": url, "DONDOC_DATA_DIR": str(tmp_path), "DONDOC_SECRET": KEY}
        command = [DONDOC, "serve", "--no-prefect", "--port", str(free_port())]
        with subprocess.Popen(command, env=os.environ | known, cwd=tmp_path, stderr=subprocess.DEVNULL) as process:
            waiting, _ = silent.accept()
            with waiting:
                process.terminate()
                assert process.wait(SOON) == 0


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
