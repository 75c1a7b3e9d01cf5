"""Nothing that is open and overdue is without a next step, whatever people do and in whatever order.

A state machine: every act of lifecycle, promises, extensions, calendar, amendments and succession, on any day of a
year, with a sweep each morning. After each step every overdue task has a rung to come, a promise that stands, or the
decision of somebody, because a promise waits for it or the ladder has ended.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from ground.databases import reopened_database, sqlite_copy
from ground.generated_year import STEPS, Year, drawn
from ground.postgres import Ground
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.store.database import Database
from workflows.checks.audit import run_checks


def lived(database: Database, steps: list[tuple[int, int, int, int]]) -> datetime:
    year = Year(database)
    for step in steps:
        year.step(*step)
        assert year.without_next_step() == [], step
        assert list(year.promises_in_order()) == [], step
    findings = run_checks(database, year.now).findings
    assert {"without_next_step", "looks_too_late", "overdue_looks", "reported_without_report"} & set(findings) == set()
    return year.now


@settings(
    max_examples=max(3, settings().max_examples // 8),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(STEPS, min_size=5, max_size=25))
def test_whatever_people_do_what_is_overdue_has_a_next_step(
    ground: Ground, worker_folder: Path, steps: list[tuple[int, int, int, int]]
) -> None:
    with reopened_database(sqlite_copy(ground, worker_folder / "steps")) as database:
        lived(database, steps)


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(5))
def test_ten_thousand_steps_leave_nothing_without_a_next_step(database: Database, seed: int) -> None:
    """A thousand steps a seed, of days and acts that a year holds, on both databases."""
    lived(database, drawn(seed, 1000))
