"""What is not in the rows stops the heartbeat's ping as well: no backup, a full disk, no holidays for the next year."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from ground.factory import at, lay
from sqlalchemy import insert

from engine.rules.calendar import DayKind
from engine.store.database import Database, table
from engine.store.facts import remember_backup
from engine.store.records import CalendarDay
from workflows.checks.record_checks import backup_old, disk_low, holidays_missing

BEGUN = at("2021-04-07")


@pytest.mark.parametrize(
    ("backup", "days", "old"),
    [
        (None, 2, 0),  # begun the day before yesterday
        (None, 4, 1),
        (10, 12, 0),
        (10, 14, 1),
    ],
)
def test_three_days_without_a_good_backup_are_a_finding(
    database: Database, backup: int | None, days: int, old: int
) -> None:
    lay(database, now=BEGUN)
    with database.write() as session:
        if backup is not None:
            remember_backup(session, BEGUN + timedelta(days=backup))
        assert backup_old(session, BEGUN + timedelta(days=days)) == old


def test_nothing_to_lose_needs_no_backup(database: Database) -> None:
    with database.read() as session:
        assert backup_old(session, BEGUN) == 0
        assert holidays_missing(session, at("2021-12-20")) == 0


def test_the_holidays_of_the_next_year_are_entered_by_the_middle_of_december(database: Database) -> None:
    lay(database, now=BEGUN)
    with database.write() as session:
        assert holidays_missing(session, at("2021-12-14")) == 0
        assert holidays_missing(session, at("2021-12-15")) == 1
        new_year = {"day": date(2022, 1, 3), "kind": DayKind.HOLIDAY, "name": "Tết Dương lịch", "basis": ""}
        session.connection().execute(insert(table(CalendarDay)).values(**new_year))
        assert holidays_missing(session, at("2021-12-15")) == 0


def test_a_disk_with_less_than_a_tenth_free_is_a_finding(tmp_path: Path) -> None:
    assert disk_low(tmp_path, least=0.0) == 0
    assert disk_low(tmp_path, least=1.0) == 1
