"""A day as people type it, in a form, a sheet, a list, a mail or an SMS: 17/6/2021, 17-6-21, 17.6.2021, 17062021,
2021-06-17, «thứ Năm, 17/6/2021», «17 tháng 6 năm 2021», 17/6. And as programs write it: 2021-06-17. Pure.

What is said of a promise, beside how late its task is: on pages, in files and in papers. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from engine.errors import BadInput
from engine.rules.calendar import FIRST_YEAR, LAST_YEAR, ONE_DAY, WorkCalendar, add_months, written
from engine.rules.words import working_days
from engine.text import Text

if TYPE_CHECKING:  # pydantic is not imported to read a day of the command line
    from engine.rules.policy import Reason

_FORMS = tuple(
    re.compile(form)
    for form in (
        r"(?P<day>[0-9]{1,2})[/.\- ](?P<month>[0-9]{1,2})(?:[/.\- ](?P<year>[0-9]{4}|[0-9]{2}))?",
        r"(?P<year>[0-9]{4})[/.\- ](?P<month>[0-9]{1,2})[/.\- ](?P<day>[0-9]{1,2})",
        # A telephone may show digits alone for a field of numbers.
        r"(?P<day>[0-9]{2})(?P<month>[0-9]{2})(?P<year>[0-9]{4}|[0-9]{2})?",
    )
)
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NAME_BEFORE = re.compile(r"^(?:[^\W\d]+[,\s]+)+")
"""«thứ Năm, », «ngày », copied with the day from a page."""
_BETWEEN = re.compile(r"\s*(?:[/.\-]|\btháng\b|\bnăm\b)\s*")
PATTERN = r"(\D*\d{1,4}\D+\d{1,2}(\D+\d{2,4})?|\d{4}|\d{6}|\d{8})\s*"
"""For the ``pattern`` of a text field; looser than what is read."""
LEAP_CYCLE_YEARS = 8
"""29 February recurs within this many years."""
LIKELY_WORKING_DAYS = (1, 3, 5, 10)


WITH_YEAR = (
    r"(?:(?:ngày|thứ\s+\w+|chủ nhật)[,\s]+)*(?:\d{4}[/.\- ]\d{1,2}[/.\- ]\d{1,2}|\d{8}|\d{6}"
    r"|\d{1,2}(?:\s*[/.\-]\s*|\s+(?:tháng\s+)?)\d{1,2}(?:\s*[/.\-]\s*|\s+(?:năm\s+)?)(?:\d{4}|\d{2}))(?!\d)"
)
"""Finds such a day, with its year, in a longer line; looser than what is read."""


def iso_day(text: str) -> date:
    """A day as programs write it: files, API, commands. 07/04/2021 is ambiguous between countries. Raises BadInput."""
    try:
        if _ISO.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise BadInput(Text(f"«{text}» không phải ngày; viết như 2021-06-25.", f"“{text}” is not a date."))


def read_typed_day(text: str, today: date | None, *, past: bool = False) -> date | None:
    """The day that was typed; None if it is none, or its year lies outside FIRST_YEAR..LAST_YEAR. Without a year it is
    the next such day, ``today`` included; ``past``: the last one; it is none where no day is known to count from."""
    digits = _BETWEEN.sub("/", _NAME_BEFORE.sub("", text.strip()))
    found = next((match for form in _FORMS if (match := form.fullmatch(digits))), None)
    if found is None:
        return None
    day, month, year = int(found["day"]), int(found["month"]), found["year"]
    if year is None:
        return None if today is None else _without_year(day, month, today, past)
    return _in_year(day, month, int(year) if len(year) == 4 else 2000 + int(year))


def _without_year(day: int, month: int, today: date, past: bool) -> date | None:
    step = -1 if past else 1
    found = (_in_year(day, month, today.year + step * years) for years in range(LEAP_CYCLE_YEARS + 1))
    return next((each for each in found if each and (each <= today if past else each >= today)), None)


def _in_year(day: int, month: int, year: int) -> date | None:
    try:
        return date(year, month, day) if FIRST_YEAR <= year <= LAST_YEAR else None
    except ValueError:
        return None


def likely_days(today: date, calendar: WorkCalendar) -> tuple[tuple[date, Text], ...]:
    """The days that a deadline is likely to be set to, in order: some working days from now, the last working day of
    this month and the next."""
    found = {calendar.shift(today, days): _from_now(days) for days in LIKELY_WORKING_DAYS}
    for months in (1, 2):
        last = add_months(today.replace(day=1), months) - ONE_DAY
        while last > today and not calendar.is_working(last):
            last -= ONE_DAY
        if last > today:
            found[last] = Text(f"cuối tháng {last.month}", f"end of {last:%B}")
    return tuple(sorted(found.items()))


def _from_now(days: int) -> Text:
    if days == 1:
        return Text("ngày làm việc kế tiếp", "next working day")
    count = working_days(days)
    return Text(f"sau {count.vi}", f"in {count.en}")


def promise_words(promised_on: date | None, number: int, today: date) -> Text | None:
    """«đã hẹn thứ Tư, 30/6/2021», from the second promise of the task on with «(lần 2)»; once its day has passed
    «lời hẹn thứ Tư, 30/6/2021 đã qua». None without a promise that counts."""
    if promised_on is None:
        return None
    vi, en = written(promised_on), written(promised_on, "en")
    again = Text(f" (lần {number})", f" (no. {number})") if number > 1 else Text("", "")
    if promised_on < today:
        return Text(f"lời hẹn {vi} đã qua{again.vi}", f"the promise of {en} has passed{again.en}")
    return Text(f"đã hẹn {vi}{again.vi}", f"promised for {en}{again.en}")


def reason_words(code: str, reasons: Sequence[Reason]) -> Text:
    """A reason code in words; one that the policy no longer has is shown as it is."""
    return next((each.text for each in reasons if each.code == code), Text.same(code))
