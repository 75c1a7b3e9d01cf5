"""The days of reports as people type them and read them: «15», «20 tháng sau», «10 tháng cuối», «29/11 hằng năm»,
«15/01 năm sau», «15, 30» (twice a month), «thứ Sáu», a last day «30/6/2021»; several parts separated by «;». Pure.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import date

from engine.rules.calendar import WEEKDAYS, day_digits, in_sentence
from engine.rules.periods import Cadence, DayOfYear, ReportDays, Weekday
from engine.rules.typed_day import read_typed_day
from engine.text import Text

_NUMBER = r"(?:ngày )?(0?[1-9]|[12]\d|3[01])"
_BARE = re.compile(_NUMBER)
_LAST = re.compile(rf"{_NUMBER} (?:của )?tháng cuối(?: của)?(?: kỳ| quý)?")
_NEXT = re.compile(rf"{_NUMBER} (?:của )?tháng (?:sau|kế tiếp|tiếp theo)")
_YEARLY = re.compile(r"(?:ngày )?(\d{1,2}/\d{1,2})(?: (hằng năm|hàng năm|năm sau))*")
_NAMES = {name.casefold(): day for name, day in zip(WEEKDAYS["vi"], Weekday, strict=True)}
_DIGITS = {f"thứ {n}": day for n, day in zip(range(2, 8), Weekday, strict=False)}
_OF_YEAR = frozenset({Cadence.QUARTER, Cadence.HALF_YEAR, Cadence.NINE_MONTH, Cadence.YEAR})


@dataclass(frozen=True, kw_only=True)
class TypedDays:
    """``on``: of a single act."""

    on: date | None = None
    days: ReportDays = field(default_factory=ReportDays)

    def __str__(self) -> str:
        """As a person types it."""
        days = self.days
        kind = " tháng cuối" if days.in_last_month else " tháng sau" if days.in_next_month else ""
        parts = [f"{days.day}{kind}"] if days.day else []
        parts += [f"{each}{'' if each.next_year else ' hằng năm'}" for each in days.on]
        parts += [", ".join(map(str, days.twice))] if days.twice else []
        parts += [weekday_name(days.weekday)] if days.weekday else []
        return "; ".join([*parts, *([day_digits(self.on)] if self.on else [])])


def weekday_name(weekday: Weekday, language: str = "vi") -> str:
    return in_sentence(WEEKDAYS[language][list(Weekday).index(weekday)])


def read_report_days(
    typed: str, since: date | None, cadences: Collection[str] = ()
) -> tuple[TypedDays, tuple[str, ...]]:
    """The days that were typed, and the parts that name none. ``since``: from which a last day without a year is the
    next; of reports of a year («cadences») it is one of each year."""
    yearly = bool(_OF_YEAR & set(cadences))
    whole = None if yearly and _YEARLY.fullmatch(" ".join(typed.split())) else read_typed_day(typed, since)
    if whole is not None:
        return TypedDays(on=whole), ()
    on, days, unread, numbers = None, ReportDays(), list[str](), list[int]()
    for part in filter(None, (" ".join(each.split()) for each in re.split(r"[;,]| và ", typed))):
        if bare := _BARE.fullmatch(part.casefold()):
            numbers.append(int(bare[1]))
        elif read := _read_part(part.casefold(), days, yearly=yearly):
            days = read
        elif last := read_typed_day(part, since):
            on = last
        else:
            unread.append(part)
    if len(numbers) == 2:
        days = replace(days, twice=tuple(numbers))
    elif numbers:
        days = replace(days, day=numbers[0])
        unread += map(str, numbers[1:])
    return TypedDays(on=on, days=days), tuple(unread)


def _read_part(said: str, days: ReportDays, *, yearly: bool) -> ReportDays | None:
    """With what one part says besides; None if it says nothing of reports that return."""
    if last := _LAST.fullmatch(said):
        return replace(days, day=int(last[1]), in_last_month=True)
    if following := _NEXT.fullmatch(said):
        return replace(days, day=int(following[1]), in_next_month=True)
    if weekday := _NAMES.get(said) or _DIGITS.get(said):
        return replace(days, weekday=weekday)
    of_year = _YEARLY.fullmatch(said)
    day = DayOfYear.read(of_year[1]) if of_year and (yearly or of_year[2]) else None
    return replace(days, on=(*days.on, replace(day, next_year="năm sau" in said))) if day else None


TYPED_AS = Text(
    "viết như 15; 20 tháng sau; 10 tháng cuối; 30/11 hằng năm; 15/01 năm sau; 15, 30; thứ Sáu; hoặc 30/6/2021",
    "write 15; 20 tháng sau (of the next month); 10 tháng cuối (of the last); 30/11 hằng năm; 15/01 năm sau; 15, 30; "
    "thứ Sáu; or 30/6/2021",
)
