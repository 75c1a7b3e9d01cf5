"""Reporting periods: their data windows and their due dates, which differ.

Pure. The windows are those of Decree 09/2019/NĐ-CP art. 12: month 15th of the month before – 14th; quarter 15th of the
month before it – 14th of its last month; half-year 15/12–14/6 and 15/6–14/12; nine months 15/12–14/9; year
15/12–14/12. The sending date is set locally, by a ReportRule of the plan file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from engine.enums import complete
from engine.errors import BadInput
from engine.rules.calendar import ONE_DAY, Due, WorkCalendar, add_months
from engine.text import Text


class Cadence(StrEnum):
    """How often a report is due. ``AD_HOC`` is due on an event and is never opened automatically."""

    ONCE = "once"
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
    """``months``: the length of a period. ``label``: of the n-th in a year, in its key."""

    months: int
    label: str
    in_year: int


_CADENCES = complete(
    Cadence,
    {
        Cadence.ONCE: (Text("một lần", "once"), None),
        Cadence.MONTH: (Text("hằng tháng", "monthly"), Cycle(1, "{:02d}", 12)),
        Cadence.QUARTER: (Text("hằng quý", "quarterly"), Cycle(3, "Q{}", 4)),
        Cadence.HALF_YEAR: (Text("6 tháng", "half-yearly"), Cycle(6, "H{}", 2)),
        Cadence.NINE_MONTH: (Text("9 tháng", "nine months"), Cycle(9, "9M", 1)),
        Cadence.YEAR: (Text("hằng năm", "yearly"), Cycle(12, "Y", 1)),
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


@dataclass(frozen=True)
class Period:
    """One period of a cadence. ``key``: ``2021-06``, ``2021-Q2``, ``2021-H1``, ``2021-9M``, ``2021-Y``, ``once``."""

    key: str
    cadence: Cadence
    start: date
    end: date


_MONTH_DAYS = 31
_KEY = re.compile(r"(?P<year>[12][0-9]{3})-(?:(?P<month>0[1-9]|1[0-2])|Q(?P<quarter>[1-4])|H(?P<half>[12])|9M|Y)")


def period(cadence: Cadence, year: int, n: int = 1, window: Window = DECREE_09) -> Period:
    """The n-th period (from 1) of a cadence with a cycle in a year, with its data window."""
    cycle = cadence.cycle
    if cycle is None:
        raise ValueError(f"{cadence} has no cycle")
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
    found = _parsed(key)
    if found is None:
        raise BadInput(
            Text(
                f"«{key}» không phải kỳ báo cáo; hãy viết như 2021-06, 2021-Q2, 2021-H1, 2021-9M hoặc 2021-Y.",
                f"“{key}” names no period; write 2021-06, 2021-Q2, 2021-H1, 2021-9M or 2021-Y.",
            )
        )
    return period(*found, window)


def _parsed(key: str) -> tuple[Cadence, int, int] | None:
    """Cadence, year and number in the year; None for a key without a cycle."""
    match = _KEY.fullmatch(key)
    if match is None:
        return None
    year = int(match["year"])
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
    return min(most, (cadence.cycle.months if cadence.cycle else 12) * _MONTH_DAYS)


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
    spans = _months(outer), _months(inner)
    if spans[0] is None or spans[1] is None:
        return False
    (first, last), (begins, ends) = spans[0], spans[1]
    return first <= begins and ends <= last


def _months(key: str) -> tuple[int, int] | None:
    """The first and last month of a period, counted from year 0; None for a key without a cycle."""
    found = _parsed(key)
    if found is None or (cycle := found[0].cycle) is None:
        return None
    _, year, n = found
    first = year * 12 + (n - 1) * cycle.months
    return first, first + cycle.months - 1


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
        per_year = cadence.cycle.in_year if cadence.cycle else 0
        for year in range(start.year, end.year + 2):
            for n in range(1, per_year + 1):
                if cadence is Cadence.HALF_YEAR and n == 2 and skip_h2:
                    continue
                candidate = period(cadence, year, n, window)
                if start <= candidate.end <= end:
                    result.append(candidate)
    yield from sorted(result, key=lambda each: (each.end, each.start, each.key))


def numbered_day(month: date, day: int) -> date:
    """Day ``day`` in the month of ``month``, or the last day of that month (Civil Code 2015 art. 147.3)."""
    first = month.replace(day=1)
    return min(first + (day - 1) * ONE_DAY, add_months(first, 1) - ONE_DAY)


def nominal_due(each: Period, day: int, *, in_last_month: bool = False) -> date:
    """The first day number ``day`` after the data window closes: for a window to 14/6, day 17 is 17/6 and day 5 is 5/7,
    because data that is still being collected cannot be reported. ``in_last_month``: the plan itself names a day of the
    period's last month («trước ngày 10 của tháng cuối quý»), which then holds though the data closes later."""
    nominal = numbered_day(each.end, day)
    if nominal < each.end and not in_last_month:
        nominal = numbered_day(add_months(each.end, 1), day)
    return nominal


def due_day(each: Period, day: int, calendar: WorkCalendar, *, roll: bool = True, in_last_month: bool = False) -> Due:
    """``nominal_due``, rolled over closed days."""
    return calendar.due(nominal_due(each, day, in_last_month=in_last_month), roll=roll)


def uncounted(cadence: Cadence) -> bool:
    """True if it has a cycle of which not every period has a key that is read back and an end of its own: it would open
    nothing, or two things on one day; or if it has none, and is not one of the two that do without."""
    if cadence.cycle is None:
        return cadence not in (Cadence.ONCE, Cadence.AD_HOC)
    found = [period(cadence, 2021, n) for n in range(1, cadence.cycle.in_year + 1)]
    try:
        return [named(each.key) for each in found] != found or len({each.end for each in found}) < len(found)
    except BadInput:
        return True


if wrong := [*filter(uncounted, Cadence)]:
    raise TypeError(f"periods cannot be counted for {wrong}")
