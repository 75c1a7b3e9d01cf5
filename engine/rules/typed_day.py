"""A day as people type it, in a form, a sheet, a list, a mail or an SMS: 17/6/2021, 17-6-21, 17.6.2021, 17062021; and
the days of reports: «15», «20 tháng sau», «10 tháng cuối», «29/11 hằng năm».

And as programs write it: 2021-06-17. Within a longer text, or by itself in a form, also in words: «cuối tháng», «thứ
Sáu tuần tới», «thêm 1 tuần», «hết quý II». Pure.

What is said of a promise, beside how late its task is: on pages, in files and in papers. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from engine.errors import BadInput
from engine.rules.calendar import (
    FIRST_YEAR,
    LAST_YEAR,
    ONE_DAY,
    WEEKDAYS,
    WorkCalendar,
    add_months,
    day_digits,
    in_sentence,
    written,
)
from engine.rules.periods import Cadence, DayOfYear, ReportDays, Weekday
from engine.rules.vietnamese import without_marks
from engine.rules.words import working_days
from engine.text import Text

if TYPE_CHECKING:
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
_BETWEEN = re.compile(r"\s*(?:[/.\-]|\bth[áa]ng\b|\bn[ăa]m\b)\s*")
PATTERN = r"(\D*\d{1,4}\D+\d{1,2}(\D+\d{2,4})?|\d{4}|\d{6}|\d{8}|\D{5,}\d{0,2}\D*)\s*"
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


def read_typed_day(text: str, today: date | None, *, past: bool = False, words: bool = False) -> date | None:
    """The day that was typed; None if it is none, or its year lies outside FIRST_YEAR..LAST_YEAR. Without a year it is
    the next such day, ``today`` included; ``past``: the last one; it is none where no day is known to count from.
    ``words``: also «cuối tháng», «thứ Sáu tuần tới»; where reports that return are typed they say something else."""
    digits = _BETWEEN.sub("/", _NAME_BEFORE.sub("", text.strip()))
    found = next((match for form in _FORMS if (match := form.fullmatch(digits))), None)
    if found is None:
        said = days_in(text.strip(), today) if words and today is not None and not past else ()
        return said[0].on if said and (said[0].start, said[0].end) == (0, len(text.strip())) else None
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


@dataclass(frozen=True, slots=True)
class FoundDay:
    """A day in a text, at these positions."""

    start: int
    end: int
    on: date


_COUNTS = {word: n for n, word in enumerate(["mot", "hai", "ba", "bon", "nam", "sau", "bay", "tam", "chin", "muoi"], 1)}
_WEEKDAYS = {name: n for n, name in enumerate(["hai", "ba", "tu", "nam", "sau", "bay"])}
_QUARTERS = {"i": 1, "ii": 2, "iii": 3, "iv": 4}
_BEFORE_WEEKDAY = r"(?:(?<=den )|(?<=toi )|(?<=vao )|(?<=truoc )|(?<=hen )|(?<=het )|(?<=ngay )|(?<=chieu )|(?<=sang ))"
_NUMBER = rf"[0-9]{{1,2}}|{'|'.join(_COUNTS)}"
_UNIT = r"ngay lam viec|ngay|tuan|thang"
_SHARE = r"(?!\s*(?:%|ty|trieu|nghin|ha|km|so|viec|nhiem|xa|chi tieu|don vi|noi dung|muc)\b)"
"""«2/3 số xã» and «3.5 tỷ» are no days."""
_IN_TEXT = re.compile(
    r"(?<![\w/.-])(?:"
    r"(?P<iso>20[0-9]{2}-[0-9]{1,2}-[0-9]{1,2})(?![0-9])"
    r"|(?P<digits>[0-9]{1,2}(?:\s*[/.-]\s*|\s+thang\s+)[0-9]{1,2}(?:(?:\s*[/.-]\s*|\s+nam\s+)(?:[0-9]{4}|[0-9]{2}))?)"
    rf"(?![0-9/]){_SHARE}"
    r"|(?:ngay|mong|mung) (?P<of_month>[0-9]{1,2})(?! *[/.-] *[0-9]| thang [0-9]|[0-9])"
    r"(?: (?P<which>thang (?:nay|sau|toi)))?"
    r"|(?:cuoi|het) thang(?: (?P<month>nay|sau|toi|[0-9]{1,2})(?!\w))?"
    r"|(?P<of_quarter>cuoi|het) quy(?: (?P<quarter>iv|i{1,3}|[1-4])(?!\w))?(?! sau| toi)"
    r"|(?P<year>(?:cuoi|het) nam)(?: nay|(?: (?P<of_year>20[0-9]{2})))?(?! \w* ?(?:hoc|truoc|ngoai))"
    r"|(?:(?:thu (?P<weekday>hai|ba|tu|nam|sau|bay|[2-7])|(?P<sunday>chu nhat))"
    r" (?P<week>tuan (?:nay|toi|sau)|toi|nay)(?!\w)"
    rf"|{_BEFORE_WEEKDAY}thu (?P<next_weekday>hai|ba|tu|nam|sau|bay)(?![\w]| *,? *(?:ngay )?[0-9]))"
    rf"|(?P<more>them|sau|trong|trong vong) (?P<count>{_NUMBER}) (?P<unit>{_UNIT})(?!\w)"
    rf"|(?P<count_left>{_NUMBER}) (?P<unit_left>{_UNIT}) (?:nua|toi)(?!\w)"
    r"|(?P<named>ngay mai|ngay kia)(?!\w)"
    r")"
)
MAX_LEAD, MAX_NEXT_YEAR_LEAD = timedelta(days=366), timedelta(days=183)
"""A later day is a mistyped year; one without a year is not meant of so far into the next."""


def days_in(text: str, today: date, *, since: date | None = None) -> tuple[FoundDay, ...]:
    """The days to come that a text names, in their order; ``since``: what «thêm 1 tuần» is counted from. A day that is
    past, is in no calendar or is not certain («tuần sau») is none."""
    return tuple(_days_in(without_marks(text), today, max(since or today, today)))


def _days_in(folded: str, today: date, since: date) -> Iterator[FoundDay]:
    for found in _IN_TEXT.finditer(folded):
        on = _named_day(found.groupdict(), today, since)
        if on is not None and today <= on <= today + MAX_LEAD:
            yield FoundDay(found.start(), found.end(), on)


def _named_day(found: dict[str, str | None], today: date, since: date) -> date | None:
    def part(*names: str) -> str:
        return next((value for name in names if (value := found[name])), "")

    if digits := part("iso", "digits"):
        return _in_digits(digits, today)
    if day := part("of_month"):
        return _of_month(int(day), today, found["which"])
    if part("week", "next_weekday"):
        return _weekday(part("weekday", "next_weekday"), today, part("week"))
    if unit := part("unit", "unit_left"):
        count = part("count", "count_left")
        return _later(since if found["more"] == "them" else today, _COUNTS.get(count) or int(count), unit)
    if named := part("named"):
        return today + ONE_DAY * (1 if named == "ngay mai" else 2)
    return _end_of(found, today)


def _in_digits(digits: str, today: date) -> date | None:
    on = read_typed_day(digits, today)
    if on is not None and len(re.findall("[0-9]+", digits)) < 3:
        return on if on.year == today.year or on <= today + MAX_NEXT_YEAR_LEAD else None
    return on


def _of_month(day: int, today: date, which: str | None) -> date | None:
    months = 1 if which in ("thang sau", "thang toi") else 0
    first = add_months(today.replace(day=1), months)
    on = _in_year(day, first.month, first.year)
    if on is not None and on < today and which is None:
        following = add_months(first, 1)
        return _in_year(day, following.month, following.year)
    return on


def _weekday(name: str, today: date, week: str) -> date:
    number = int(name) - 2 if name.isdigit() else _WEEKDAYS.get(name, 6)
    monday = today - ONE_DAY * today.weekday()
    if week.startswith("tuan"):
        return monday + ONE_DAY * (number + (0 if week == "tuan nay" else 7))
    return today + ONE_DAY * ((number - today.weekday() - 1) % 7 + 1)


def _later(start: date, count: int, unit: str) -> date:
    if unit == "thang":
        return add_months(start, count)
    if unit == "ngay lam viec":
        return WorkCalendar.of(()).shift(start, count)
    return start + ONE_DAY * (count * (7 if unit == "tuan" else 1))


def _end_of(found: dict[str, str | None], today: date) -> date:
    """The last day of a month, quarter or year."""
    first = today.replace(day=1)
    if found["year"]:
        return date(int(found["of_year"] or today.year), 12, 31)
    month = found["month"]
    if found["of_quarter"]:
        quarter = found["quarter"] or str((today.month + 2) // 3)
        month = str(3 * (_QUARTERS.get(quarter) or int(quarter)))
    if month is not None and month.isdigit():
        year = today.year + (int(month) < today.month)
        return add_months(date(year, min(int(month) or 1, 12), 1), 1) - ONE_DAY
    return add_months(first, 2 if month in ("sau", "toi") else 1) - ONE_DAY


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


_DAY_NUMBER = r"(?:ngày )?(0?[1-9]|[12]\d|3[01])"
_BARE = re.compile(_DAY_NUMBER)
_LAST = re.compile(rf"{_DAY_NUMBER} (?:của )?tháng cuối(?: của)?(?: kỳ| quý)?")
_NEXT = re.compile(rf"{_DAY_NUMBER} (?:của )?tháng (?:sau|kế tiếp|tiếp theo)")
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


def weekday_name(weekday: Weekday) -> str:
    return in_sentence(WEEKDAYS["vi"][list(Weekday).index(weekday)])


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
