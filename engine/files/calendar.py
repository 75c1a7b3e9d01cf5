"""The calendar file: the operator's exceptions to the weekday rule and the public holidays.

It overrides the public holidays of package ``holidays``. Swapped days are announced late (2 January 2026 was decided on
25 December 2025), so the file is meant to be edited at a week's notice.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import Field

from engine.files.base_model import Day, FileModel, Flag, Mistake, Slug, Whole
from engine.files.directory import NonEmpty
from engine.files.yaml_reader import read
from engine.rules.calendar import DayException, DayKind, WorkCalendar
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
