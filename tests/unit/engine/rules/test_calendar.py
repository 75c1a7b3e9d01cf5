"""Working days against brute force over 2015–2035, and against the published holidays of 2021 and 2026."""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache

import holidays
import pytest
from ground.paths import CONFIG
from hypothesis import given
from hypothesis import strategies as st

from engine.files.calendar import load_calendar
from engine.rules.calendar import DayException, DayKind, WorkCalendar, add_months, instant, local_date, written

VN = load_calendar(CONFIG / "calendars/vn.yaml")
days = st.dates(date(2015, 1, 1), date(2035, 12, 31))
kinds = st.sampled_from(DayKind)
exceptions = st.dictionaries(days, kinds, max_size=30).map(
    lambda chosen: [DayException(day, kind, kind.value) for day, kind in chosen.items()]
)


def between(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


@cache
def reference_year(year: int) -> frozenset[date]:
    """Working days of a year by the plainest reading of the package."""
    known = holidays.country_holidays("VN", years=[year - 1, year, year + 1])
    worked = known.weekend_workdays
    return frozenset(
        day
        for day in between(date(year, 1, 1), date(year, 12, 31))
        if day in worked or (day.weekday() < 5 and day not in known)
    )


def works(day: date, entries: list[DayException]) -> bool:
    mine = {each.day: each.kind for each in entries}
    return mine[day] is DayKind.WORKED if day in mine else day in reference_year(day.year)


def test_every_day_of_twenty_one_years_agrees_with_the_plainest_reading():
    calendar = WorkCalendar.of(())
    wrong = [d for d in between(date(2015, 1, 1), date(2035, 12, 31)) if calendar.is_working(d) != works(d, [])]
    assert wrong == []


@given(exceptions, days)
def test_the_operators_entry_wins_over_holiday_and_weekday(entries, day):
    calendar = WorkCalendar.of(entries)
    assert calendar.is_working(day) == works(day, entries)
    for entry in entries:
        assert calendar.is_working(entry.day) == (entry.kind is DayKind.WORKED)


@given(exceptions, days)
def test_a_due_date_rolls_forward_to_the_first_working_day_not_before_it(entries, day):
    rolled = WorkCalendar.of(entries).on_or_after(day)
    assert works(rolled, entries)
    assert not any(works(each, entries) for each in between(day, rolled)[:-1])


@given(exceptions, days, st.integers(-40, 40))
def test_shifting_counts_working_days_one_by_one_without_the_first(entries, day, count):
    shifted = WorkCalendar.of(entries).shift(day, count)
    low, high = sorted((day, shifted))
    passed = [each for each in between(low, high) if each != day and works(each, entries)]
    assert len(passed) == abs(count)
    assert shifted == day if count == 0 else works(shifted, entries)
    assert (shifted > day) == (count > 0)


@given(exceptions, days, st.integers(0, 400))
def test_distance_is_the_number_of_working_days_after_the_start(entries, start, length):
    end = start + timedelta(days=length)
    calendar = WorkCalendar.of(entries)
    expected = sum(works(each, entries) for each in between(start, end)[1:])
    assert calendar.distance(start, end) == expected
    assert calendar.distance(end, start) == -expected


@given(exceptions, days, st.integers(0, 60))
def test_distance_undoes_a_shift(entries, start, count):
    calendar = WorkCalendar.of(entries)
    assert calendar.distance(start, calendar.shift(start, count)) == count


@pytest.mark.parametrize(
    ("year", "closed"),
    [
        (2021, "01-01 02-10 02-11 02-12 02-15 02-16 04-21 04-30 05-03 09-02 09-03"),
        (2026, "01-01 01-02 02-16 02-17 02-18 02-19 02-20 04-27 04-30 05-01 08-31 09-01 09-02 11-24"),
    ],
)
def test_weekdays_closed_are_those_published(year, closed):
    year_days = between(date(year, 1, 1), date(year, 12, 31))
    found = [day for day in year_days if day.weekday() < 5 and not VN.is_working(day)]
    assert [day.strftime("%m-%d") for day in found] == closed.split()


def test_the_saturdays_worked_in_2026_are_the_two_swapped_ones_and_none_in_2021():
    weekend = [d for d in between(date(2021, 1, 1), date(2026, 12, 31)) if d.weekday() > 4 and d.year in (2021, 2026)]
    assert [day for day in weekend if VN.is_working(day)] == [date(2026, 1, 10), date(2026, 8, 22)]


def test_a_due_date_on_sunday_rolls_to_monday_and_shows_its_arithmetic():
    due = VN.due(date(2021, 6, 20))
    assert (due.nominal, due.on) == (date(2021, 6, 20), date(2021, 6, 21))
    assert due.why["vi"] == "ngày 20/6/2021 là Chủ nhật, hạn chuyển sang thứ Hai, 21/6/2021"
    assert due.why["en"] == "20/6/2021 is closed (Sunday), so it moves to Monday, 21/6/2021"


def test_a_due_date_in_tet_rolls_over_the_whole_of_it_and_names_it():
    due = VN.due(date(2026, 2, 14))
    assert due.on == date(2026, 2, 23)
    assert "ngày nghỉ (Tết Bính Ngọ)" in due.why["vi"]


def test_a_due_date_on_a_worked_saturday_stays():
    due = VN.due(date(2026, 1, 10))
    assert due.on == date(2026, 1, 10)
    assert due.why["vi"] == "thứ Bảy, 10/01/2026"


def test_a_date_fixed_by_special_law_does_not_move():
    assert VN.due(date(2021, 6, 20), roll=False).on == date(2021, 6, 20)


def test_without_public_holidays_only_weekdays_and_the_file_count():
    calendar = WorkCalendar.of([DayException(date(2021, 1, 4), DayKind.DAY_OFF, "nghỉ")], public=False)
    assert calendar.is_working(date(2021, 1, 1))
    assert not calendar.is_working(date(2021, 1, 4))


def test_a_closed_day_says_why_and_a_working_day_says_nothing():
    assert VN.closed_because(date(2026, 1, 2)) == "Hoán đổi với thứ Bảy 10/01"
    assert VN.closed_because(date(2021, 6, 20), "en") == "Sunday"
    assert VN.closed_because(date(2021, 6, 21)) == ""


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2021, 1, 31), 1, date(2021, 2, 28)),
        (date(2020, 1, 31), 1, date(2020, 2, 29)),
        (date(2021, 3, 31), -1, date(2021, 2, 28)),
        (date(2021, 4, 7), 3, date(2021, 7, 7)),
        (date(2021, 12, 15), 1, date(2022, 1, 15)),
        (date(2021, 1, 1), -1, date(2020, 12, 1)),
        (date(2020, 2, 29), 12, date(2021, 2, 28)),
    ],
)
def test_a_term_in_months_ends_on_the_same_numbered_day_or_the_months_last(day, months, expected):
    assert add_months(day, months) == expected


@given(days, st.integers(-200, 200))
def test_a_term_in_months_lands_in_the_right_month_on_the_greatest_day_it_can(day, months):
    end = add_months(day, months)
    assert (end.year * 12 + end.month) - (day.year * 12 + day.month) == months
    assert end.day == day.day or (end.day < day.day and (end + timedelta(days=1)).day == 1)


def test_a_day_ends_at_midnight_in_ha_noi_not_in_utc():
    assert instant(date(2021, 6, 18), time()) == datetime(2021, 6, 17, 17, tzinfo=UTC)
    assert local_date(datetime(2021, 6, 17, 16, 59, tzinfo=UTC)) == date(2021, 6, 17)
    assert local_date(datetime(2021, 6, 17, 17, tzinfo=UTC)) == date(2021, 6, 18)


def test_a_date_is_written_with_its_weekday():
    assert written(date(2021, 6, 17)) == "thứ Năm, 17/6/2021"
    assert written(date(2021, 6, 17), "en") == "Thursday, 17/6/2021"
