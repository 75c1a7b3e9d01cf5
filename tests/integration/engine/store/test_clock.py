"""The demonstration's clock stands in the database and outlives the process."""

from __future__ import annotations

from datetime import UTC, timedelta

import pytest
from ground.factory import at

from engine.errors import Unavailable
from engine.store.clock import DemoClock, system_clock
from engine.store.database import Database


def test_the_clock_stands_where_it_was_set_for_everybody(database: Database) -> None:
    DemoClock(database).set(at("2021-06-07"))
    DemoClock(database).set(at("2021-06-14"))
    assert DemoClock(database)() == at("2021-06-14")


def test_a_clock_that_was_never_set_says_how_to_set_it(sqlite_database: Database) -> None:
    with pytest.raises(Unavailable, match="make run"):
        DemoClock(sqlite_database)()


def test_the_machines_clock_is_aware_and_in_utc() -> None:
    assert system_clock().utcoffset() == timedelta()
    assert system_clock().tzinfo is UTC
