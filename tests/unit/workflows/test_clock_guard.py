"""Which readings of a wall clock are believed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from ground.factory import at

from workflows.run.clock_guard import ClockReading, Suspicion, judge

NOW = at("2021-06-18", "09:00")
BEFORE = ClockReading(NOW, 5_000.0, "this start")


def later(wall: timedelta, uptime: float, boot: str = "this start") -> ClockReading:
    return ClockReading(NOW + wall, 5_000.0 + uptime, boot)


@pytest.mark.parametrize(
    ("current", "expected"),
    [
        (later(timedelta(hours=3), 3 * 3600), None),
        (later(timedelta(hours=3, minutes=10), 3 * 3600), None),
        (later(timedelta(days=730), 3 * 3600), Suspicion.MOVED),
        (later(timedelta(days=-2), 3 * 3600), Suspicion.MOVED),
        (later(timedelta(days=40), 40 * 86_400), None),
        (later(timedelta(days=6), -4_000, "the next start"), None),
        (later(timedelta(days=40), -4_000, "the next start"), Suspicion.SILENCE),
        (later(timedelta(days=730), -4_000, "the next start"), Suspicion.SILENCE),
        (later(timedelta(hours=-2), -4_000, "the next start"), Suspicion.BEHIND),
        (later(timedelta(days=-40), -4_000, "the next start"), Suspicion.BEHIND),
    ],
    ids=[
        "runs",
        "corrected",
        "two years ahead",
        "set back",
        "suspended for weeks",
        "was off for days",
        "was off for weeks",
        "starts two years ahead",
        "starts behind",
        "no battery",
    ],
)
def test_a_clock_is_believed_while_it_moves_as_the_machine_does(
    current: ClockReading, expected: Suspicion | None
) -> None:
    assert judge([BEFORE], current, last_event=NOW) is expected


def test_another_machine_that_was_seen_of_late_is_enough() -> None:
    other = ClockReading(NOW + timedelta(days=39), 9_000.0, "another machine")
    assert judge([BEFORE, other], later(timedelta(days=40), -4_000, "the next start"), last_event=NOW) is None


def test_a_first_reading_is_believed() -> None:
    assert judge([], BEFORE, None) is None
