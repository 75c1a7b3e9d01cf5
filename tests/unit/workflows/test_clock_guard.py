"""Which readings of a wall clock are believed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from ground.factory import CONFIG, at

from engine.files.calendar import load_calendar
from engine.rules.calendar import DayException, DayKind, WorkCalendar
from workflows.run.clock_guard import ClockReading, Suspicion, judge

NOW = at("2021-06-18", "09:00")
BEFORE = ClockReading(NOW, 5_000.0, "this start")
CALENDAR = WorkCalendar()


def later(wall: timedelta, uptime: float, boot: str = "this start") -> ClockReading:
    return ClockReading(NOW + wall, 5_000.0 + uptime, boot)


def kept(wall: timedelta) -> ClockReading:
    """At the next start, by a clock that a time service keeps."""
    return ClockReading(NOW + wall, 1_000.0, "the next start", kept=True)


@pytest.mark.parametrize(
    ("current", "expected"),
    [
        (later(timedelta(hours=3), 3 * 3600), None),
        (later(timedelta(hours=3, minutes=10), 3 * 3600), None),
        (later(timedelta(days=730), 3 * 3600), Suspicion.MOVED),
        (later(timedelta(days=-2), 3 * 3600), Suspicion.MOVED),
        (later(timedelta(days=40), 40 * 86_400), None),
        (later(timedelta(days=3), -4_000, "the next start"), None),
        (later(timedelta(days=2), -4_000, "the next start"), None),
        (later(timedelta(days=4), -4_000, "the next start"), Suspicion.SILENCE),
        (kept(timedelta(days=4)), None),
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
        "was off from Friday to Monday",
        "starts on a Sunday",
        "starts on a Tuesday after a Monday without it",
        "so it does by a clock that a time service keeps",
        "was off for weeks",
        "starts two years ahead",
        "starts behind",
        "no battery",
    ],
)
def test_a_clock_is_believed_while_it_moves_as_the_machine_does(
    current: ClockReading, expected: Suspicion | None
) -> None:
    assert judge([BEFORE], current, NOW, CALENDAR) is expected


def test_another_machine_that_was_seen_of_late_is_enough() -> None:
    other = ClockReading(NOW + timedelta(days=39), 9_000.0, "another machine")
    assert judge([BEFORE, other], later(timedelta(days=40), -4_000, "the next start"), NOW, CALENDAR) is None


def test_a_first_reading_is_believed() -> None:
    assert judge([], BEFORE, None, CALENDAR) is None


@pytest.mark.parametrize(
    ("last", "starts", "expected"),
    [
        ("2021-02-09", "2021-02-17", None),  # Tết Tân Sửu: closed from Wednesday to Tuesday
        ("2021-02-09", "2021-02-18", Suspicion.SILENCE),
        ("2021-06-16", "2021-06-17", None),  # a day ahead: nothing to tell it from a night
        ("2021-06-16", "2021-06-18", Suspicion.SILENCE),
        ("2021-06-18", "2021-06-21", None),
    ],
)
def test_an_office_that_was_closed_goes_on_and_a_working_day_without_a_sign_is_asked_about(
    last: str, starts: str, expected: Suspicion | None
) -> None:
    """«Quá hạn» two days early, after a reboot with a clock two days ahead."""
    calendar = load_calendar(CONFIG / "calendars/vn.yaml")
    before = ClockReading(at(last, "16:30"), 5_000.0, "this start")
    assert judge([before], ClockReading(at(starts, "07:00"), 60.0, "the next start"), None, calendar) is expected


def test_a_calendar_in_which_nothing_is_worked_does_not_make_a_year_pass_unseen() -> None:
    days = (NOW.date() + timedelta(n) for n in range(90))
    closed = WorkCalendar.of(DayException(day, DayKind.HOLIDAY, "Nghỉ") for day in days)
    assert judge([BEFORE], later(timedelta(days=30), 60.0, "the next start"), NOW, closed) is None
    assert judge([BEFORE], later(timedelta(days=40), 60.0, "the next start"), NOW, closed) is Suspicion.SILENCE
