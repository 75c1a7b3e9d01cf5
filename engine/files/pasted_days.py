"""Days off and worked days as an office pastes them, a line each: «2/9/2026 nghỉ Quốc khánh (Bộ luật Lao động)».

Pure. A line is a day or a span of days, what it is, its name, and in brackets its legal basis:

    14/2/2026 - 22/2/2026 nghỉ Tết Bính Ngọ (Thông báo 1234/TB-BNV)
    31/8/2026 nghỉ hoán đổi với thứ Bảy 22/8
    22/8/2026 làm bù ngày 31/8
    2/9/2026 bỏ
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta

from engine.errors import Problem
from engine.rules.calendar import DayException, DayKind, WorkCalendar, read_day
from engine.text import Text

MAX_DAYS = 100
MAX_SPAN = timedelta(days=31)
LONGEST_NAME, LONGEST_BASIS = 120, 200
_DAY = r"(?:\d{4}-\d{1,2}-\d{1,2}|\d{1,2}/\d{1,2}/\d{4})"
_LINE = re.compile(rf"[-•*]?\s*({_DAY})(?:\s*(?:-|–|đến|to)\s*({_DAY}))?\s*[:;,]?\s*(.*)")
_BASIS = re.compile(r"\s*\(([^()]*)\)\s*\.?$")
# The first words that fit; with what kind of day they mean, and whether they are no part of its name.
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
    """What was read; ``problems`` name the lines that could not be."""

    set: tuple[DayException, ...] = ()
    drop: tuple[date, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class _Line:
    days: tuple[date, ...]
    kind: DayKind | None
    name: str
    basis: str


class _Wrong(Exception):
    """What is wrong with a line, and how to mend it."""


def read_days(text: str, calendar: WorkCalendar) -> DayList:
    """The days of a pasted list. ``calendar``: as it is, to tell a day that is said to be worked and is anyway."""
    entries: list[DayException] = []
    dropped: list[date] = []
    problems: list[Problem] = []
    seen: dict[date, int] = {}
    for number, written in enumerate(text.splitlines(), 1):
        if not written.strip() or written.lstrip().startswith("#"):
            continue
        try:
            line = _read(unicodedata.normalize("NFC", written.strip()))
            for day in line.days:
                _must_be_new(day, seen)
                seen[day] = number
                _must_change(day, line.kind, calendar)
        except _Wrong as wrong:
            what, fix = wrong.args
            problems.append(Problem("", number, written.strip()[:60], what, fix))
            continue
        if line.kind is None:
            dropped += line.days
        else:
            entries += (DayException(day, line.kind, line.name, line.basis) for day in line.days)
    if len(seen) > MAX_DAYS:
        what = Text(f"nhiều quá {MAX_DAYS} ngày một lần", f"more than {MAX_DAYS} days at once")
        problems.append(Problem("", 0, "", what, Text("chia làm nhiều lần", "split it")))
    return DayList(tuple(entries), tuple(dropped), tuple(problems))


def _read(text: str) -> _Line:
    found = _LINE.fullmatch(text)
    if found is None:
        raise _Wrong(
            Text("không bắt đầu bằng một ngày", "does not begin with a day"),
            Text("viết như «2/9/2026 nghỉ Quốc khánh»", "write like “2/9/2026 nghỉ Quốc khánh”"),
        )
    first = _day(found[1])
    last = _day(found[2]) if found[2] else first
    if not timedelta(0) <= last - first <= MAX_SPAN:
        raise _Wrong(
            Text("khoảng ngày ngược, hoặc dài quá một tháng", "the span is reversed or over a month"),
            Text("viết ngày đầu rồi ngày cuối", "write the first day, then the last"),
        )
    said, basis = found[3], ""
    in_brackets = _BASIS.search(said)
    if in_brackets:
        said, basis = said[: in_brackets.start()], " ".join(in_brackets[1].split())
    kind, name = _kind(" ".join(said.split()))
    if len(name) > LONGEST_NAME or len(basis) > LONGEST_BASIS:
        raise _Wrong(
            Text("tên hoặc căn cứ dài quá", "the name or basis is too long"), Text("viết ngắn lại", "shorten it")
        )
    span = (last - first).days + 1
    return _Line(tuple(first + timedelta(days=n) for n in range(span)), kind, name, basis)


def _kind(said: str) -> tuple[DayKind | None, str]:
    for pattern, kind, apart in _KINDS:
        found = pattern.match(said)
        if found is None:
            continue
        name = said[found.end() :].strip(" :,.") if apart else said.strip(" .")
        if kind is not None and not name:
            raise _Wrong(
                Text("thiếu tên ngày", "the day has no name"), Text("viết thêm tên, như «Quốc khánh»", "add its name")
            )
        return kind, name[:1].upper() + name[1:]
    raise _Wrong(
        Text("không rõ nghỉ hay làm bù", "it does not say whether closed or worked"),
        Text("sau ngày viết «nghỉ», «nghỉ bù», «làm bù» hoặc «bỏ»", "after the day write nghỉ, nghỉ bù, làm bù or bỏ"),
    )


def _day(text: str) -> date:
    found = read_day(text)
    if found is None:
        raise _Wrong(
            Text(f"«{text}» không phải ngày có thật", "is no day of the calendar"),
            Text("viết như 2/9/2026", "write like 2/9/2026"),
        )
    return found


def _must_be_new(day: date, seen: dict[date, int]) -> None:
    if day in seen:
        raise _Wrong(
            Text(f"ngày {day.day}/{day.month}/{day.year} đã có ở dòng {seen[day]}", f"stands on line {seen[day]} too"),
            Text("giữ một dòng", "keep one of them"),
        )


def _must_change(day: date, kind: DayKind | None, calendar: WorkCalendar) -> None:
    """A worked day that is one anyway, and a day to be dropped that nobody entered, are slips of the pen."""
    shown = f"{day.day}/{day.month}/{day.year}"
    if kind is DayKind.WORKED and day.weekday() < 5 and calendar.is_working(day) and day not in calendar.exceptions:
        raise _Wrong(
            Text(f"{shown} vốn là ngày làm việc", "is a working day anyway"), Text("xem lại ngày", "check the day")
        )
    if kind is None and day not in calendar.exceptions:
        raise _Wrong(
            Text(f"{shown} chưa được nhập nên không có gì để bỏ", "was never entered"),
            Text("xóa dòng", "remove the line"),
        )
