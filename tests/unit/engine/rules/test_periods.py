"""Data windows and due dates: Decree 09/2019/NĐ-CP word by word, and against brute force over 2015–2035."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import BadInput
from engine.rules import periods as module
from engine.rules.calendar import Due, WorkCalendar
from engine.rules.periods import (
    DECREE_09,
    Cadence,
    Cycle,
    DayOfYear,
    Period,
    ReportDays,
    Weekday,
    Window,
    days_ahead,
    named,
    period,
    periods,
    within,
)

CYCLES = (
    Cadence.WEEK,
    Cadence.HALF_MONTH,
    Cadence.MONTH,
    Cadence.QUARTER,
    Cadence.HALF_YEAR,
    Cadence.NINE_MONTH,
    Cadence.YEAR,
)
WHOLE_MONTHS = Window(1, 0, "công văn")
years = st.integers(2015, 2035)
cadences = st.sets(st.sampled_from(CYCLES), min_size=1)
windows = st.builds(Window, st.integers(1, 31), st.integers(0, 31), st.just("quy định riêng"))
OFFICE = WorkCalendar.of(())


def due_day(of: Period, day: int, calendar: WorkCalendar, *, roll: bool = True, in_last_month: bool = False) -> Due:
    nominal = ReportDays(day=day, in_last_month=in_last_month).nominal(of)
    assert nominal is not None
    return calendar.due(nominal, roll=roll)


def days_of(cadence: Cadence, days: ReportDays, year: int = 2026) -> list[date | None]:
    found = periods({cadence}, date(year, 1, 1), date(year, 12, 31))
    return [days.nominal(each, nth) for nth, each in enumerate(found)]


@pytest.mark.parametrize(
    ("key", "start", "end"),
    [
        ("2021-01", date(2020, 12, 15), date(2021, 1, 14)),
        ("2021-06", date(2021, 5, 15), date(2021, 6, 14)),
        ("2021-Q1", date(2020, 12, 15), date(2021, 3, 14)),
        ("2021-Q2", date(2021, 3, 15), date(2021, 6, 14)),
        ("2021-Q4", date(2021, 9, 15), date(2021, 12, 14)),
        ("2021-H1", date(2020, 12, 15), date(2021, 6, 14)),
        ("2021-H2", date(2021, 6, 15), date(2021, 12, 14)),
        ("2021-9M", date(2020, 12, 15), date(2021, 9, 14)),
        ("2021-Y", date(2020, 12, 15), date(2021, 12, 14)),
        ("2021-02A", date(2021, 2, 1), date(2021, 2, 15)),
        ("2021-02B", date(2021, 2, 16), date(2021, 2, 28)),
        ("2021-W01", date(2021, 1, 4), date(2021, 1, 10)),
        ("2020-W53", date(2020, 12, 28), date(2021, 1, 3)),
    ],
)
def test_data_windows_are_those_of_the_decree(key, start, end):
    found = named(key)
    assert (found.key, found.start, found.end) == (key, start, end)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "once",
        "2021",
        "2021-13",
        "2021-00",
        "2021-Q5",
        "2021-H3",
        "2021-W53",
        "2021-13A",
        "2021-06C",
        "0000-Y",
        "２０２１-Y",
    ],
)
def test_a_key_that_names_no_period_is_refused_with_examples(key):
    with pytest.raises(BadInput, match="2021-H1"):
        named(key)


def all_periods(window: Window) -> list:  # type: ignore[type-arg]
    numbers = {Cadence.HALF_MONTH: 24, Cadence.MONTH: 12, Cadence.QUARTER: 4, Cadence.HALF_YEAR: 2}
    return [
        period(cadence, year, n, window)
        for year in range(2013, 2038)
        for cadence in CYCLES
        for n in range(1, (weeks_of(year) if cadence is Cadence.WEEK else numbers.get(cadence, 1)) + 1)
    ]


def weeks_of(year: int) -> int:
    """Those whose Thursday lies in the year."""
    days = (date(year, 1, 1) + timedelta(n) for n in range(366))
    return sum(day.year == year and day.weekday() == 3 for day in days)


@given(years, cadences, windows, st.integers(0, 500), st.integers(0, 800), st.booleans())
def test_periods_are_exactly_those_that_close_between_two_days(year, wanted, window, offset, length, covers):
    start = date(year, 1, 1) + timedelta(days=offset)
    end = start + timedelta(days=length)
    no_h2 = covers and {Cadence.HALF_YEAR, Cadence.YEAR} <= wanted
    expected = {
        each.key
        for each in all_periods(window)
        if each.cadence in wanted and start <= each.closes <= end and not (no_h2 and each.key.endswith("H2"))
    }
    found = list(periods(wanted, start, end, window, year_covers_h2=covers))
    assert {each.key for each in found} == expected
    assert len(found) == len(expected)
    assert [each.end for each in found] == sorted(each.end for each in found)


@given(st.integers(1, 12), years)
def test_months_follow_each_other_without_gap_or_overlap(month, year):
    this = period(Cadence.MONTH, year, month)
    after = period(Cadence.MONTH, year + month // 12, month % 12 + 1)
    assert after.start - this.end == timedelta(days=1)


@given(years, cadences, windows)
def test_a_period_is_found_again_by_its_key(year, wanted, window):
    for each in periods(wanted, date(year, 1, 1), date(year, 12, 31), window):
        assert named(each.key, window) == each


def test_windows_of_whole_calendar_months_run_from_the_first_to_the_last():
    quarter = period(Cadence.QUARTER, 2021, 1, WHOLE_MONTHS)
    assert (quarter.start, quarter.end) == (date(2021, 1, 1), date(2021, 3, 31))


def test_a_window_cut_on_the_31st_is_cut_on_the_last_of_a_shorter_month():
    march = period(Cadence.MONTH, 2021, 3, Window(31, 30))
    assert (march.start, march.end) == (date(2021, 2, 28), date(2021, 3, 30))
    assert period(Cadence.MONTH, 2021, 2, Window(31, 30)).end == date(2021, 2, 28)


def test_the_years_report_covers_the_second_half_unless_told_otherwise():
    both = {Cadence.HALF_YEAR, Cadence.YEAR}
    first, last = date(2021, 4, 7), date(2021, 12, 31)
    assert [each.key for each in periods(both, first, last)] == ["2021-H1", "2021-Y"]
    kept = periods(both, first, last, year_covers_h2=False)
    assert {each.key for each in kept} == {"2021-H1", "2021-Y", "2021-H2"}


def test_half_years_alone_keep_their_second_half():
    found = periods({Cadence.HALF_YEAR}, date(2021, 1, 1), date(2021, 12, 31))
    assert [each.key for each in found] == ["2021-H1", "2021-H2"]


def test_a_single_act_and_an_ad_hoc_report_have_no_cycle():
    assert list(periods({Cadence.ONCE, Cadence.AD_HOC}, date(2021, 1, 1), date(2021, 12, 31))) == []


def test_reports_are_due_on_the_numbered_day_and_roll_from_sunday():
    half = named("2021-H1")
    assert due_day(half, 17, OFFICE).on == date(2021, 6, 17)
    assert due_day(half, 20, OFFICE).on == date(2021, 6, 21)
    assert due_day(half, 20, OFFICE, roll=False).on == date(2021, 6, 20)


def test_a_day_of_the_last_month_lies_in_it_though_the_data_closes_later():
    assert due_day(named("2026-Q4"), 9, OFFICE, in_last_month=True).on == date(2026, 12, 9)
    assert due_day(named("2026-Q2", WHOLE_MONTHS), 9, OFFICE, in_last_month=True).nominal == date(2026, 6, 9)
    sunday = due_day(named("2026-Q2"), 7, OFFICE, in_last_month=True)
    assert (sunday.nominal, sunday.on) == (date(2026, 6, 7), date(2026, 6, 8))
    assert sunday.why["vi"] == "ngày 07/6/2026 là Chủ nhật, hạn chuyển sang thứ Hai, 08/6/2026"


def test_the_31st_of_a_short_month_is_its_last_day():
    assert due_day(named("2021-06"), 31, OFFICE).nominal == date(2021, 6, 30)
    assert due_day(named("2021-02"), 31, OFFICE).nominal == date(2021, 2, 28)


def test_a_day_before_the_data_is_complete_means_the_next_month():
    assert due_day(named("2021-H1"), 5, OFFICE).nominal == date(2021, 7, 5)
    assert due_day(named("2021-Y", WHOLE_MONTHS), 5, OFFICE).nominal == date(2022, 1, 5)


@given(years, st.sets(st.sampled_from(CYCLES[2:]), min_size=1), windows, st.integers(1, 31))
def test_no_report_is_due_before_its_data_is_complete_nor_a_month_later(year, wanted, window, day):
    for each in periods(wanted, date(year, 1, 1), date(year, 12, 31), window):
        nominal = due_day(each, day, OFFICE).nominal
        assert each.end <= nominal <= each.end + timedelta(days=31)
        assert nominal.day == day or (nominal + timedelta(days=1)).day == 1


def test_the_decree_is_the_default_window():
    assert period(Cadence.YEAR, 2021) == period(Cadence.YEAR, 2021, 1, DECREE_09)


@pytest.mark.parametrize(
    ("outer", "inner", "inside"),
    [
        ("2021-H1", "2021-Q2", True),
        ("2021-H1", "2021-06", True),
        ("2021-H1", "2021-Q3", False),
        ("2021-Y", "2021-H2", True),
        ("2021-9M", "2021-Q3", True),
        ("2021-9M", "2021-Q4", False),
        ("2021-Q2", "2021-H1", False),
        ("2021-Y", "2020-12", False),
        ("2021-Q2", "2021-03", False),
        ("2021-Q2", "2021-04", True),
        ("2021-Q2", "2021-06", True),
        ("2021-Q2", "2021-07", False),
        ("2021-H1", "2021-01", True),
        ("2021-H1", "2021-07", False),
        ("2021-H2", "2021-06", False),
        ("2021-H2", "2021-12", True),
        ("2021-9M", "2021-09", True),
        ("2021-9M", "2021-10", False),
        ("2021-Y", "2021-01", True),
        ("2021-Y", "2021-12", True),
        ("2021-06", "2021-06A", True),
        ("2021-Q2", "2021-06B", True),
        ("2021-06A", "2021-06", False),
        ("2021-06", "2021-W26", False),
        ("2021-06", "2021-W24", True),
        ("2021-Y", "2020-W53", False),
        ("2021-Y", "2022-01", False),
        ("2021-03", "2021-04", False),
        ("once", "once", True),
        ("2021-Y", "once", False),
    ],
)
def test_a_period_falls_into_a_longer_one(outer: str, inner: str, inside: bool) -> None:
    assert within(outer, inner) is inside


def test_a_cycle_whose_periods_nobody_can_count_is_found_when_it_is_declared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of keys that are not read back; a cycle of two periods that end on one day; none at all."""
    assert not any(map(module.uncounted, Cadence))
    cadences = dict(module._CADENCES)
    for cycle in (Cycle(1, "{:02d}a", 12, 31), Cycle(0, "H{}", 2, 186), None):
        monkeypatch.setattr(module, "_CADENCES", cadences | {Cadence.HALF_YEAR: (Cadence.HALF_YEAR.words, cycle)})
        assert module.uncounted(Cadence.HALF_YEAR)


@pytest.mark.parametrize(
    ("cadence", "days", "first", "last", "count"),
    [
        (Cadence.MONTH, ReportDays(day=30), date(2026, 1, 30), date(2026, 12, 30), 12),
        (Cadence.MONTH, ReportDays(day=20, in_next_month=True), date(2026, 2, 20), date(2027, 1, 20), 12),
        (Cadence.QUARTER, ReportDays(day=5, in_next_month=True), date(2026, 4, 5), date(2027, 1, 5), 4),
        (Cadence.YEAR, ReportDays(on=(DayOfYear(29, 11),)), date(2026, 11, 29), date(2026, 11, 29), 1),
        (Cadence.YEAR, ReportDays(on=(DayOfYear(15, 1, True),)), date(2027, 1, 15), date(2027, 1, 15), 1),
        (
            Cadence.HALF_YEAR,
            ReportDays(on=(DayOfYear(1, 6), DayOfYear(15, 11))),
            date(2026, 6, 1),
            date(2026, 11, 15),
            2,
        ),
        (Cadence.HALF_MONTH, ReportDays(twice=(15, 30)), date(2026, 1, 15), date(2026, 12, 30), 24),
        (Cadence.HALF_MONTH, ReportDays(twice=(15, 1)), date(2026, 1, 15), date(2027, 1, 1), 24),
        (Cadence.WEEK, ReportDays(weekday=Weekday.FRIDAY), date(2026, 1, 2), date(2027, 1, 1), 53),
        (Cadence.WEEK, ReportDays(weekday=Weekday.MONDAY), date(2026, 1, 5), date(2027, 1, 4), 53),
    ],
)
def test_the_days_of_a_year_are_those_that_are_named(
    cadence: Cadence, days: ReportDays, first: date, last: date, count: int
) -> None:
    found = [day for day in days_of(cadence, days) if day is not None]
    assert (min(found), max(found), len(set(found))) == (first, last, count)
    assert found == sorted(found)


def test_a_month_without_a_30th_is_asked_on_its_last_day_and_not_skipped() -> None:
    """Civil Code 2015 art. 147.3."""
    assert days_of(Cadence.MONTH, ReportDays(day=30))[1] == date(2026, 2, 28)
    assert days_of(Cadence.HALF_MONTH, ReportDays(twice=(15, 30)))[3] == date(2026, 2, 28)
    last_of_february = ReportDays(on=(DayOfYear(29, 2),))
    assert [days_of(Cadence.YEAR, last_of_february, year)[0] for year in (2026, 2028)] == [
        date(2026, 2, 28),
        date(2028, 2, 29),
    ]


def test_a_period_without_a_named_day_has_none() -> None:
    assert {*days_of(Cadence.QUARTER, ReportDays()), *days_of(Cadence.WEEK, ReportDays(day=5))} == {None}


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("30/11", DayOfYear(30, 11)),
        ("1/6", DayOfYear(1, 6)),
        ("15/01 năm sau", DayOfYear(15, 1, True)),
        ("31/11", None),
        ("30/13", None),
        ("30-11", None),
    ],
)
def test_a_day_of_the_year_is_read(text: str, day: DayOfYear | None) -> None:
    assert DayOfYear.read(text) == day


def test_a_period_opens_one_length_ahead_at_most() -> None:
    assert [days_ahead(each, 90) for each in (Cadence.WEEK, Cadence.HALF_MONTH, Cadence.MONTH, Cadence.YEAR)] == [
        7,
        16,
        31,
        90,
    ]
