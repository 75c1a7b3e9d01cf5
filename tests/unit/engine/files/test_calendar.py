"""The calendar file: what it adds, what it refuses, and when it says that next year's Tết is missing."""

from datetime import date

import pytest
from ground.paths import CONFIG

from engine.errors import FileRefused
from engine.files.calendar import CalendarFile, load_calendar, load_calendar_file, warnings
from engine.files.yaml_reader import read

PATH = CONFIG / "calendars/vn.yaml"
HEAD = "schema: dondoc/calendar@1\nid: vn\nname: Lịch\nknown_until: 2026\n"


def test_the_file_wins_over_the_public_holidays():
    calendar = read(HEAD + "days: [{day: 2021-09-02, kind: worked, name: trực}]\n", CalendarFile).calendar()
    assert calendar.is_working(date(2021, 9, 2))
    assert not calendar.is_working(date(2021, 9, 3))


def test_a_swap_announced_late_is_two_lines_in_the_file():
    days = "days:\n  - {day: 2026-06-19, kind: day_off, name: đổi}\n  - {day: 2026-06-20, kind: worked, name: bù}\n"
    calendar = read(HEAD + days, CalendarFile).calendar()
    assert (calendar.is_working(date(2026, 6, 19)), calendar.is_working(date(2026, 6, 20))) == (False, True)


def test_public_holidays_can_be_left_out():
    assert read(HEAD + "public: false\n", CalendarFile).calendar().is_working(date(2021, 9, 2))


@pytest.mark.parametrize(
    ("days", "field"),
    [
        ("[{day: 2021-09-02, kind: holiday, name: a}, {day: 2021-09-02, kind: day_off, name: b}]", "days[1].day"),
        ("[{day: 2021-06-17, kind: worked, name: a}]", "days[0].kind"),
        ("[{day: 2021-06-17, kind: workd, name: a}]", "days[0].kind"),
        ("[{day: 17/6/2021, kind: worked, name: a}]", "days[0].day"),
        ("[{day: 2021-06-31, kind: holiday, name: a}]", "days[0].day"),
        ("[{day: 2021-06-17, kind: holiday, name: ''}]", "days[0].name"),
    ],
)
def test_mistakes_in_a_calendar_are_told_where_they_stand(days, field):
    with pytest.raises(FileRefused) as refused:
        read(HEAD + f"days: {days}\n", CalendarFile)
    assert field in [each.field for each in refused.value.problems]


@pytest.mark.parametrize(("today", "told"), [(date(2025, 12, 31), 0), (date(2026, 1, 1), 1), (date(2028, 5, 5), 1)])
def test_an_operator_is_told_when_next_years_tet_is_not_known(today, told):
    said = warnings(load_calendar_file(PATH), today)
    assert len(said) == told
    assert all("Tết" in each and "2027" in each for each in said)
    assert len(warnings(load_calendar_file(PATH), today, "en")) == told


def test_the_shipped_calendar_names_the_decision_behind_a_swap():
    calendar = load_calendar(PATH)
    assert calendar.exceptions[date(2026, 1, 10)].basis == "12729/VPCP-KGVX, 25/12/2025"
