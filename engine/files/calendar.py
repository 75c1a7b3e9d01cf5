"""The calendar file: the operator's exceptions to the weekday rule and the public holidays.

It overrides the public holidays of package ``holidays``. Swapped days are announced late (2 January 2026 was decided on
25 December 2025), so the file is meant to be edited at a week's notice.

Parser for pasted lists of days off and worked days, one per line: «2/9/2026 nghỉ Quốc khánh (Bộ luật Lao động)».

Pure. A line is a day or a span of days, its kind, its name, and in brackets its legal basis:

    14/2/2026 - 22/2/2026 nghỉ Tết Bính Ngọ (Thông báo 1234/TB-BNV)
    31/8/2026 nghỉ hoán đổi với thứ Bảy 22/8
    22/8/2026 làm bù ngày 31/8
    2/9/2026 bỏ
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Literal

from pydantic import Field

from engine.errors import Problem
from engine.files.base_model import Day, FileModel, Flag, Mistake, Slug, Whole
from engine.files.directory import NonEmpty
from engine.files.yaml_reader import read
from engine.rules.calendar import DayException, DayKind, WorkCalendar, day_digits
from engine.rules.typed_day import WITH_YEAR, read_typed_day
from engine.text import Text


class DayEntry(FileModel):
    """One day. ``basis``: the number of the decision."""

    day: Day
    kind: DayKind
    name: NonEmpty
    basis: str = ""


class CalendarFile(FileModel):
    """A calendar file. ``known_until``: the last year whose Tết and swapped days have been entered. ``public: false``
    leaves out the public holidays of the package."""

    format: Literal["dondoc/calendar@1"] = Field(alias="schema")
    id: Slug
    name: NonEmpty
    known_until: Whole = Field(ge=2000, le=2100)
    public: Flag = True
    days: tuple[DayEntry, ...] = ()

    def calendar(self) -> WorkCalendar:
        entries = (DayException(each.day, each.kind, each.name, each.basis) for each in self.days)
        return WorkCalendar.of(entries, public=self.public)

    def mistakes(self) -> Iterator[Mistake]:
        public, seen = WorkCalendar.of((), public=self.public), set()
        for n, each in enumerate(self.days):
            if each.day in seen:
                what = Text(f"ngày {each.day} viết hai lần", "the day is given twice")
                yield Mistake(("days", n, "day"), what, Text("giữ một dòng", "keep one of them"))
            seen.add(each.day)
            if each.kind is DayKind.WORKED and each.day.weekday() < 5 and public.is_working(each.day):
                what = Text(f"ngày {each.day} vốn là ngày làm việc", "is already a working day")
                yield Mistake(("days", n, "kind"), what, Text("xem lại ngày, hoặc xóa", "check the day, or remove it"))


def warnings(file: CalendarFile, today: date, language: str = "vi") -> tuple[str, ...]:
    """A warning if Tết and the swapped days of this year or the next have not been entered yet."""
    year = file.known_until + 1
    if year > today.year + 1:
        return ()
    message = {
        "vi": f"Lịch nghỉ Tết và hoán đổi ngày làm việc năm {year} chưa được nhập vào lịch «{file.id}».",
        "en": f"Tết and the swapped working days of {year} have not been entered in calendar “{file.id}”.",
    }
    return (message[language],)


def load_calendar_file(path: Path) -> CalendarFile:
    """Load a calendar file, with its ``known_until``. Raises FileRefused."""
    return read(path, CalendarFile)


def load_calendar(path: Path) -> WorkCalendar:
    """Load the working days of a calendar file. Raises FileRefused."""
    return load_calendar_file(path).calendar()


MAX_DAYS = 100
MAX_SPAN = timedelta(days=31)
MAX_NAME_CHARS, MAX_BASIS_CHARS = 120, 200
_LINE = re.compile(rf"[-•*]?\s*({WITH_YEAR})(?:\s*(?:-|–|đến|to)\s*({WITH_YEAR}))?\s*[:;,]?\s*(.*)")
_BASIS = re.compile(r"\s*\(([^()]*)\)\s*\.?$")
# First match wins: pattern, kind of day (None: drop), and whether the matched words are left out of the name.
_KINDS: tuple[tuple[re.Pattern[str], DayKind | None, bool], ...] = (
    (re.compile(r"(?:bỏ|xóa|xoá|drop)\b", re.IGNORECASE), None, True),
    (re.compile(r"(?:làm bù|làm việc|đi làm|worked)\b", re.IGNORECASE), DayKind.WORKED, False),
    (re.compile(r"nghỉ\s+(?=hoán đổi)", re.IGNORECASE), DayKind.DAY_OFF, True),
    (re.compile(r"(?:nghỉ bù|hoán đổi)\b", re.IGNORECASE), DayKind.DAY_OFF, False),
    (re.compile(r"day off\b", re.IGNORECASE), DayKind.DAY_OFF, True),
    (re.compile(r"(?:nghỉ lễ|nghỉ|holiday)\b", re.IGNORECASE), DayKind.HOLIDAY, True),
)


@dataclass(frozen=True)
class DayList:
    """The parsed days; ``problems`` lists the lines that could not be parsed."""

    set: tuple[DayException, ...] = ()
    drop: tuple[date, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class _Line:
    days: tuple[date, ...]
    kind: DayKind | None
    name: str
    basis: str


class _LineError(Exception):
    """What is wrong with a line, and how to fix it."""


def read_days(text: str, calendar: WorkCalendar) -> DayList:
    """Parse a pasted list. ``calendar``: the current one, to detect worked days that are working days already."""
    entries: list[DayException] = []
    dropped: list[date] = []
    problems: list[Problem] = []
    seen: dict[date, int] = {}
    for number, raw in enumerate(text.splitlines(), 1):
        if not raw.strip() or raw.lstrip().startswith("#"):
            continue
        try:
            line = _parse_line(unicodedata.normalize("NFC", raw.strip()))
            for day in line.days:
                _require_new(day, seen)
                seen[day] = number
                _require_change(day, line.kind, calendar)
        except _LineError as error:
            what, fix = error.args
            problems.append(Problem("", number, raw.strip()[:60], what, fix))
            continue
        if line.kind is None:
            dropped += line.days
        else:
            entries += (DayException(day, line.kind, line.name, line.basis) for day in line.days)
    if len(seen) > MAX_DAYS:
        what = Text(f"nhiều quá {MAX_DAYS} ngày một lần", f"more than {MAX_DAYS} days at once")
        problems.append(Problem("", 0, "", what, Text("chia làm nhiều lần", "split it")))
    return DayList(tuple(entries), tuple(dropped), tuple(problems))


def _parse_line(text: str) -> _Line:
    match = _LINE.fullmatch(text)
    if match is None:
        raise _LineError(
            Text("không bắt đầu bằng một ngày", "does not begin with a day"),
            Text("viết như «2/9/2026 nghỉ Quốc khánh»", "write like “2/9/2026 nghỉ Quốc khánh”"),
        )
    first = _parse_day(match[1])
    last = _parse_day(match[2]) if match[2] else first
    if not timedelta(0) <= last - first <= MAX_SPAN:
        raise _LineError(
            Text("khoảng ngày ngược, hoặc dài quá một tháng", "the span is reversed or over a month"),
            Text("viết ngày đầu rồi ngày cuối", "write the first day, then the last"),
        )
    rest, basis = match[3], ""
    in_brackets = _BASIS.search(rest)
    if in_brackets:
        rest, basis = rest[: in_brackets.start()], " ".join(in_brackets[1].split())
    kind, name = _parse_kind(" ".join(rest.split()))
    if len(name) > MAX_NAME_CHARS or len(basis) > MAX_BASIS_CHARS:
        raise _LineError(
            Text("tên hoặc căn cứ dài quá", "the name or basis is too long"), Text("viết ngắn lại", "shorten it")
        )
    span = (last - first).days + 1
    return _Line(tuple(first + timedelta(days=n) for n in range(span)), kind, name, basis)


def _parse_kind(text: str) -> tuple[DayKind | None, str]:
    for pattern, kind, left_out in _KINDS:
        match = pattern.match(text)
        if match is None:
            continue
        name = text[match.end() :].strip(" :,.") if left_out else text.strip(" .")
        if kind is not None and not name:
            raise _LineError(
                Text("thiếu tên ngày", "the day has no name"), Text("viết thêm tên, như «Quốc khánh»", "add its name")
            )
        return kind, name[:1].upper() + name[1:]
    raise _LineError(
        Text("không rõ nghỉ hay làm bù", "it does not say whether the day is off or worked"),
        Text("sau ngày viết «nghỉ», «nghỉ bù», «làm bù» hoặc «bỏ»", "after the day write nghỉ, nghỉ bù, làm bù or bỏ"),
    )


def _parse_day(text: str) -> date:
    day = read_typed_day(text, None)
    if day is None:
        raise _LineError(
            Text(f"«{text}» không phải ngày có thật", "is not a valid date"),
            Text("viết như 2/9/2026", "write like 2/9/2026"),
        )
    return day


def _require_new(day: date, seen: dict[date, int]) -> None:
    if day in seen:
        raise _LineError(
            Text(
                f"ngày {day_digits(day)} đã có ở dòng {seen[day]}",
                f"is already given on line {seen[day]}",
            ),
            Text("giữ một dòng", "keep one of them"),
        )


def _require_change(day: date, kind: DayKind | None, calendar: WorkCalendar) -> None:
    """Reject probable slips: a worked day that is a working day already, and dropping a day that was never entered."""
    shown = day_digits(day)
    if kind is DayKind.WORKED and day.weekday() < 5 and calendar.is_working(day) and day not in calendar.exceptions:
        raise _LineError(
            Text(f"{shown} vốn là ngày làm việc", "is already a working day"), Text("xem lại ngày", "check the day")
        )
    if kind is None and day not in calendar.exceptions:
        raise _LineError(
            Text(f"{shown} chưa được nhập nên không có gì để bỏ", "was never entered"),
            Text("xóa dòng", "remove the line"),
        )
