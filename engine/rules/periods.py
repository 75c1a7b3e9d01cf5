"""Reporting periods: their data windows and their due dates, which differ.

Pure. The windows are those of Decree 09/2019/NĐ-CP art. 12: month 15th of the month before – 14th; quarter 15th of the
month before it – 14th of its last month; half-year 15/12–14/6 and 15/6–14/12; nine months 15/12–14/9; year
15/12–14/12. It knows no shorter ones: half a month is 1st–15th or 16th–last, a week Monday–Sunday, and a week belongs
to the month and the year of its Thursday (ISO 8601). The sending date is the plan's, or set locally (``ReportDays``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from engine.enums import complete
from engine.errors import BadInput
from engine.rules.calendar import ONE_DAY, add_months
from engine.text import Text


class Cadence(StrEnum):
    """How often a report is due. ``AD_HOC`` is due on an event and is never opened automatically."""

    ONCE = "once"
    WEEK = "week"
    HALF_MONTH = "half_month"
    MONTH = "month"
    QUARTER = "quarter"
    HALF_YEAR = "half_year"
    NINE_MONTH = "nine_month"
    YEAR = "year"
    AD_HOC = "ad_hoc"

    @property
    def cycle(self) -> Cycle | None:
        """How it returns in a year; None for what does not."""
        return _CADENCES[self][1]

    @property
    def words(self) -> Text:
        return _CADENCES[self][0]


@dataclass(frozen=True, slots=True)
class Cycle:
    """``months``: the length of a period, 0 for less than one. ``label``: of the n-th in a year, in its key. ``days``:
    the most that one lasts."""

    months: int
    label: str
    in_year: int
    days: int

    def count(self, year: int) -> int:
        """Periods of a year: some have a week more."""
        return date(year, 12, 28).isocalendar().week if self.in_year == _WEEKS else self.in_year


_WEEKS = 52
_YEAR_DAYS = 372
_CADENCES = complete(
    Cadence,
    {
        Cadence.ONCE: (Text("một lần", "once"), None),
        Cadence.WEEK: (Text("hằng tuần", "weekly"), Cycle(0, "W{:02d}", _WEEKS, 7)),
        Cadence.HALF_MONTH: (Text("nửa tháng", "twice a month"), Cycle(0, "{:02d}{}", 24, 16)),
        Cadence.MONTH: (Text("hằng tháng", "monthly"), Cycle(1, "{:02d}", 12, 31)),
        Cadence.QUARTER: (Text("hằng quý", "quarterly"), Cycle(3, "Q{}", 4, 93)),
        Cadence.HALF_YEAR: (Text("6 tháng", "half-yearly"), Cycle(6, "H{}", 2, 186)),
        Cadence.NINE_MONTH: (Text("9 tháng", "nine months"), Cycle(9, "9M", 1, 279)),
        Cadence.YEAR: (Text("hằng năm", "yearly"), Cycle(12, "Y", 1, _YEAR_DAYS)),
        Cadence.AD_HOC: (Text("khi phát sinh", "as it arises"), None),
    },
)


@dataclass(frozen=True)
class Window:
    """Cut-off days of the data: a window starts on ``start_day`` of the month before the period and ends on
    ``end_day`` of its last month. ``start_day=1, end_day=0`` means whole calendar months."""

    start_day: int = 15
    end_day: int = 14
    basis: str = "Nghị định 09/2019/NĐ-CP, Điều 12"


DECREE_09 = Window()
_WHOLE_MONTHS = Window(1, 0)


@dataclass(frozen=True)
class Period:
    """One period of a cadence. ``key``: ``2021-W24``, ``2021-06A``, ``2021-06``, ``2021-Q2``, ``2021-H1``, ``2021-9M``,
    ``2021-Y``, ``once``."""

    key: str
    cadence: Cadence
    start: date
    end: date

    @property
    def year(self) -> int:
        return int(self.key[:4])

    @property
    def closes(self) -> date:
        """The day by which it belongs to a year: of a week its Thursday."""
        return self.end - 3 * ONE_DAY if self.cadence is Cadence.WEEK else self.end


_HALVES = "AB"
_MID_MONTH = 15
_KEY = re.compile(
    r"(?P<year>[12][0-9]{3})-(?:(?P<month>0[1-9]|1[0-2])(?P<part>[AB])?|W(?P<week>0[1-9]|[1-4][0-9]|5[0-3])"
    r"|Q(?P<quarter>[1-4])|H(?P<half>[12])|9M|Y)"
)


def period(cadence: Cadence, year: int, n: int = 1, window: Window = DECREE_09) -> Period:
    """The n-th period (from 1) of a cadence with a cycle in a year, with its data window. Raises ValueError."""
    cycle = cadence.cycle
    if cycle is None:
        raise ValueError(f"{cadence} has no cycle")
    if cadence is Cadence.WEEK:
        start = date.fromisocalendar(year, n, 1)
        return Period(f"{year}-{cycle.label.format(n)}", cadence, start, start + 6 * ONE_DAY)
    if cadence is Cadence.HALF_MONTH:
        month, second = divmod(n - 1, 2)
        first = date(year, month + 1, 1)
        start = first.replace(day=_MID_MONTH + 1) if second else first
        end = add_months(first, 1) - ONE_DAY if second else first.replace(day=_MID_MONTH)
        return Period(f"{year}-{cycle.label.format(month + 1, _HALVES[second])}", cadence, start, end)
    first = date(year, (n - 1) * cycle.months + 1, 1)
    last = add_months(first, cycle.months - 1)
    if window.end_day == 0:
        start, end = first, add_months(first, cycle.months) - ONE_DAY
    else:
        start = numbered_day(add_months(first, -1), window.start_day)
        end = numbered_day(last, window.end_day)
    return Period(f"{year}-{cycle.label.format(n)}", cadence, start, end)


def named(key: str, window: Window = DECREE_09) -> Period:
    """Parse a period key. Raises BadInput for an invalid key, and for ``once``, which has no window."""
    found = found_period(key, window)
    if found is None:
        raise BadInput(
            Text(
                f"«{key}» không phải kỳ báo cáo; hãy viết như 2021-W24, 2021-06A, 2021-06, 2021-Q2, 2021-H1, 2021-9M "
                "hoặc 2021-Y.",
                f"“{key}” names no period; write 2021-W24, 2021-06A, 2021-06, 2021-Q2, 2021-H1, 2021-9M or 2021-Y.",
            )
        )
    return found


def found_period(key: str, window: Window = DECREE_09) -> Period | None:
    """The same; None for a key without a cycle."""
    found = _parsed(key)
    return found and period(*found, window)


def _parsed(key: str) -> tuple[Cadence, int, int] | None:
    """Cadence, year and number in the year; None for a key without a cycle."""
    match = _KEY.fullmatch(key)
    if match is None:
        return None
    year = int(match["year"])
    if match["part"]:
        return Cadence.HALF_MONTH, year, 2 * int(match["month"]) - 1 + _HALVES.index(match["part"])
    if match["week"]:
        known = int(match["week"]) <= date(year, 12, 28).isocalendar().week
        return (Cadence.WEEK, year, int(match["week"])) if known else None
    for cadence, group in (
        (Cadence.MONTH, "month"),
        (Cadence.QUARTER, "quarter"),
        (Cadence.HALF_YEAR, "half"),
    ):
        if match[group]:
            return cadence, year, int(match[group])
    return Cadence.NINE_MONTH if key.endswith("9M") else Cadence.YEAR, year, 1


def days_ahead(cadence: Cadence, most: int) -> int:
    """How many days before its due date a period opens: one length of its cycle, and never more than ``most``. So a
    monthly duty has one period open ahead, not three."""
    return min(most, cadence.cycle.days if cadence.cycle else _YEAR_DAYS)


_AFTER = "~"


def after(key: str, day: date) -> str:
    """The key of what successors report of a period that was over before their day: «2025-H1» of 1 July 2025 is
    «2025-H1~250701», a line of its own beside the figures of the period."""
    return f"{key.partition(_AFTER)[0]}{_AFTER}{day:%y%m%d}"


def split_after(key: str) -> tuple[str, date | None]:
    """The period of a key and, for ``after`` ones, its day."""
    base, _, day = key.partition(_AFTER)
    try:
        return base, date(2000 + int(day[:2]), int(day[2:4]), int(day[4:])) if day else None
    except ValueError:
        return key, None


def within(outer: str, inner: str) -> bool:
    """True if a period, by its key, falls into another: quarter I into the first half-year, both into the year. Every
    period falls into itself."""
    if outer == inner:
        return True
    spans = _span(outer), _span(inner)
    if spans[0] is None or spans[1] is None:
        return False
    (first, last), (begins, ends) = spans[0], spans[1]
    return first <= begins and ends <= last


def _span(key: str) -> tuple[date, date] | None:
    """The first and the last day that a period is about, whatever its data window; of a week its Thursday. None for a
    key without a cycle."""
    about = found_period(key, _WHOLE_MONTHS)
    if about is None:
        return None
    return (about.closes, about.closes) if about.cadence is Cadence.WEEK else (about.start, about.end)


def periods(
    cadences: Iterable[Cadence], start: date, end: date, window: Window = DECREE_09, *, year_covers_h2: bool = True
) -> Iterator[Period]:
    """All periods whose data window closes between ``start`` and ``end`` (both included), by closing date.

    When half-years and years are both owed («6 tháng, 01 năm») the yearly report covers the second half-year, so H2
    is left out unless ``year_covers_h2`` is false. ``once`` and ``ad_hoc`` have no cycle and yield nothing.
    """
    requested = set(cadences)
    skip_h2 = year_covers_h2 and {Cadence.HALF_YEAR, Cadence.YEAR} <= requested
    result = []
    for cadence in requested:
        for year in range(start.year, end.year + 2):
            for n in range(1, (cadence.cycle.count(year) if cadence.cycle else 0) + 1):
                if cadence is Cadence.HALF_YEAR and n == 2 and skip_h2:
                    continue
                candidate = period(cadence, year, n, window)
                if start <= candidate.closes <= end:
                    result.append(candidate)
    yield from sorted(result, key=lambda each: (each.end, each.start, each.key))


def numbered_day(month: date, day: int) -> date:
    """Day ``day`` in the month of ``month``, or the last day of that month (Civil Code 2015 art. 147.3)."""
    first = month.replace(day=1)
    return min(first + (day - 1) * ONE_DAY, add_months(first, 1) - ONE_DAY)


class Weekday(StrEnum):
    """In the order of ``date.weekday``."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


_DAY_OF_YEAR = re.compile(r"(0?[1-9]|[12][0-9]|3[01])/(0?[1-9]|1[0-2])( năm sau)?")


@dataclass(frozen=True)
class DayOfYear:
    """«29/11», «15/01 năm sau»: a day of each year, or of the year after it."""

    day: int
    month: int
    next_year: bool = False

    @classmethod
    def read(cls, text: str) -> DayOfYear | None:
        """29/02 is the last of February."""
        found = _DAY_OF_YEAR.fullmatch(" ".join(text.split()))
        known = found and numbered_day(date(_LEAP_YEAR, int(found[2]), 1), int(found[1])).day == int(found[1])
        return cls(int(found[1]), int(found[2]), bool(found[3])) if found and known else None

    def of(self, year: int) -> date:
        return numbered_day(date(year + self.next_year, self.month, 1), self.day)

    def __str__(self) -> str:
        """As a date is written: a zero before days below 10 and months 1 and 2."""
        month = f"0{self.month}" if self.month < 3 else str(self.month)
        return f"{self.day:02d}/{month}{' năm sau' if self.next_year else ''}"


_LEAP_YEAR = 2024
_EARLY = 8


@dataclass(frozen=True, kw_only=True)
class ReportDays:
    """The days on which the periods of a rule are due; none of them: nobody has named one yet.

    ``day``: the first of that number after the data closes; with ``in_last_month`` that of the period's last month
    («trước ngày 10 của tháng cuối quý»), which then holds though the data closes later; with ``in_next_month`` that of
    the month after it («ngày 20 tháng sau»). ``on``: days of the year, one for each of its periods. ``twice``: two
    numbers of each month. ``weekday``: of each week.
    """

    day: int | None = None
    in_last_month: bool = False
    in_next_month: bool = False
    on: tuple[DayOfYear, ...] = ()
    twice: tuple[int, ...] = ()
    weekday: Weekday | None = None

    def nominal(self, each: Period, nth: int = 0) -> date | None:
        """The day for a period, before days off move it; None where nobody has named one. ``nth``: of its year."""
        if each.cadence is Cadence.WEEK:
            return self._in_week(each, list(Weekday).index(self.weekday)) if self.weekday else None
        if each.cadence is Cadence.HALF_MONTH:
            return self._twice(each) if self.twice else None
        if self.on:
            return self.on[nth].of(each.year) if nth < len(self.on) else None
        if self.day is None:
            return None
        if self.in_next_month:
            return numbered_day(add_months(each.end, 1), self.day)
        nominal = numbered_day(each.end, self.day)
        return nominal if self.in_last_month or nominal >= each.end else numbered_day(add_months(each.end, 1), self.day)

    def _in_week(self, each: Period, weekday: int) -> date:
        """From Thursday on that of the week itself, before it that of the next."""
        return each.start + (weekday + (0 if weekday >= 3 else 7)) * ONE_DAY

    def _twice(self, each: Period) -> date:
        """The numbers in their order; where the first lies in the first week, it is about the half month before."""
        first, second = sorted(self.twice)
        is_first, shifted = each.start.day == 1, first < _EARLY
        month = each.start if is_first or not shifted else add_months(each.start.replace(day=1), 1)
        return numbered_day(month, first if is_first is not shifted else second)


def uncounted(cadence: Cadence) -> bool:
    """True if it has a cycle of which not every period has a key that is read back and an end of its own: it would open
    nothing, or two things on one day; or if it has none, and is not one of the two that do without."""
    if cadence.cycle is None:
        return cadence not in (Cadence.ONCE, Cadence.AD_HOC)
    found = [period(cadence, 2021, n) for n in range(1, cadence.cycle.count(2021) + 1)]
    try:
        return [named(each.key) for each in found] != found or len({each.end for each in found}) < len(found)
    except BadInput:
        return True


if wrong := [*filter(uncounted, Cadence)]:
    raise TypeError(f"periods cannot be counted for {wrong}")
