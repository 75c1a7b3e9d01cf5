"""A year of the working calendar: days that differ from their weekday's rule, and the source of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

from engine.rules.calendar import DayException, DayKind, WorkCalendar


@dataclass(frozen=True, slots=True)
class DayLine:
    """One such day. ``entered``: entered by this installation; otherwise a public holiday that the program computes."""

    day: date
    kind: DayKind
    name: str
    basis: str
    entered: bool


@dataclass(frozen=True)
class CalendarYear:
    """``known``: the year's holidays have been entered; without them Tết and swapped days are only estimates."""

    year: int
    days: tuple[DayLine, ...]
    known: bool

    @cached_property
    def by_day(self) -> Mapping[date, DayLine]:
        return {line.day: line for line in self.days}


def calendar_year(calendar: WorkCalendar, year: int) -> CalendarYear:
    """The year's exceptions in order. Pure."""
    first = date(year, 1, 1)
    every = (first + timedelta(days=n) for n in range((date(year + 1, 1, 1) - first).days))
    lines = tuple(_line(entry, calendar) for day in every if (entry := calendar.exception(day)) is not None)
    known = any(line.entered and line.kind is DayKind.HOLIDAY for line in lines)
    return CalendarYear(year, lines, known)


def known_until(calendar: WorkCalendar, year: int) -> int:
    """The year if its days have been entered, else the year before."""
    return year if calendar_year(calendar, year).known else year - 1


def _line(entry: DayException, calendar: WorkCalendar) -> DayLine:
    return DayLine(entry.day, entry.kind, entry.name, entry.basis, entry.day in calendar.exceptions)
