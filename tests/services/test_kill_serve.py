"""``dondoc serve`` killed, or told to stop, in the middle of its letters: see tests/crash/campaign.py."""

from __future__ import annotations

import signal
from pathlib import Path

from crash.campaign import CONNECTIONS, run

from engine.store.database import Database


def test_killed_it_loses_nothing_and_doubles_at_most_what_was_on_the_wire(database: Database, tmp_path: Path) -> None:
    result = run(database, tmp_path, letters=200, kills=1)
    print(result)
    assert (result.lost, result.third, result.doubtful) == (0, 0, 0)
    assert result.second <= 2 * CONNECTIONS
    assert "Traceback" not in (tmp_path / "serve.log").read_text()


def test_told_to_stop_it_doubles_nothing(sqlite_database: Database, tmp_path: Path) -> None:
    result = run(sqlite_database, tmp_path, letters=200, kills=1, how=signal.SIGTERM)
    print(result)
    assert (result.lost, result.second, result.third, result.doubtful) == (0, 0, 0, 0)
