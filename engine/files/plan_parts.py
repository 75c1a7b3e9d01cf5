"""The parts of a plan file: rules, indicators, sections, items, duties, and their field types.

``engine.files.plan`` combines them and checks rules that involve several of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from engine.files.base_model import Day, FileModel, Flag, Slug, Whole, field_error, textual
from engine.files.directory import NonEmpty, fold
from engine.rules.outputs import MAX_WHAT_CHARS
from engine.rules.periods import DECREE_09, Cadence, DayOfYear, ReportDays, Weekday, Window
from engine.terms import OutputKind
from engine.text import Text

# Law 91/2025/QH15, HIV law 64/2006 arts 4 and 8: not allowed in an SMS or in the subject of a letter.
SUBJECT_WORDS = ("mại dâm", "bán dâm", "ma túy", "HIV", "AIDS")


def subject_words(text: str) -> tuple[str, ...]:
    """The subject words in a text, in any spelling: without tones, joined, next to digits."""
    plain = fold(text)
    return tuple(word for word in SUBJECT_WORDS if _pattern(word).search(plain))


@cache
def _pattern(word: str) -> re.Pattern[str]:
    """A word of several syllables also matches inside another; one of a single syllable only between non-letters."""
    syllables = fold(word).split()
    return re.compile(" ?".join(syllables) if len(syllables) > 1 else rf"(?<![a-z]){syllables[0]}(?![a-z])")


def _neutral(text: str) -> str:
    words = subject_words(text)
    if words:
        raise field_error(
            Text("có từ ngữ nhạy cảm của lĩnh vực", f"names the subject: {', '.join(words)}"),
            Text("đặt tên trung tính, như «Kế hoạch 188/KH-UBND năm 2021»", "choose a neutral name"),
        )
    return text


Number = Annotated[
    str, *textual(r"[0-9]+[a-zA-Z]?[-/][^\s/][^\s]*", Text("viết như 188/KH-UBND", "write like 188/KH-UBND"))
]
SECTION_NUMBER = r"(?:PL(?:[0-9]{1,2}|[IVX]{1,4})?|[IVXLC]+|[A-HĐ])(?:\.(?:[IVXLC]+|[0-9]+)){0,3}"
Roman = Annotated[
    str, *textual(SECTION_NUMBER, Text("số của mục, như IV, II.6, PL", "the section's number, like IV, II.6, PL"))
]
Citation = Annotated[
    str, *textual(rf"{SECTION_NUMBER}(?:\.[0-9]+){{1,2}}", Text("viết như IV.16.1, V.1", "write like IV.16.1, V.1"))
]
Code = Annotated[
    str, *textual(r"[IVXLC]+\.[0-9]+(?:\.[0-9a-z]+)?", Text("viết như II.1, II.4.a", "write like II.1, II.4.a"))
]
Neutral = Annotated[str, Field(min_length=1, max_length=80), AfterValidator(_neutral)]
SmsName = Annotated[
    str,
    *textual(
        r"[A-Za-z0-9][A-Za-z0-9 .-]{0,10}",
        Text("nhiều nhất 11 ký tự không dấu, như KH188", "at most 11 characters without diacritics, like KH188"),
    ),
    AfterValidator(_neutral),
]
DayOfMonth = Annotated[Whole, Field(ge=1, le=31)]


def _day_of_year(text: str) -> str:
    day = DayOfYear.read(text)
    if day is None:
        raise field_error(
            Text(f"«{text}» không phải một ngày của năm", "is no day of a year"),
            Text("viết như 30/11 hoặc 15/01 năm sau", "write like 30/11, or 15/01 năm sau for the year after"),
        )
    return str(day)


DayOfYearText = Annotated[str, AfterValidator(_day_of_year)]


class RuleSource(StrEnum):
    """The source of a due date. ``LOCAL`` is shown as "configured", never as "from the plan"."""

    LOCAL = "local"
    LAW = "law"
    PLAN = "plan"


class WindowEntry(FileModel):
    """Cut-off days of the data, if they differ from Decree 09/2019/NĐ-CP. 1 and 0: whole calendar months."""

    start_day: Annotated[Whole, Field(ge=1, le=28)]
    end_day: Annotated[Whole, Field(ge=0, le=28)]
    basis: NonEmpty


class Override(FileModel):
    """Another due date for one period, set by the dispatch with number ``basis``."""

    period: NonEmpty
    due: Day
    basis: NonEmpty


class ReportRule(FileModel):
    """When and to whom to report. Periodic duties use one of these (``ReportDays``): ``due_day``, the first day of that
    number on which the data is complete, with ``in_last_month`` («trước ngày 10 của tháng cuối quý») or
    ``in_next_month`` («ngày 20 tháng sau»); ``due_on``, days of the year, as many as it has periods; of a duty twice a
    month ``due_days``, of a weekly one ``weekday``. ``ask_day``: the document names none of them, the office does when
    it activates the plan. One-time duties use ``on`` or ``months_after_issue`` (Civil Code 2015 art. 148). ``wording``
    is the document's."""

    source: RuleSource
    basis: str = ""
    to: Slug
    due_day: DayOfMonth | None = None
    roll: Flag = True
    wording: str = ""
    window: WindowEntry | None = None
    overrides: tuple[Override, ...] = ()
    year_covers_h2: Flag = True
    on: Day | None = None
    months_after_issue: Annotated[Whole, Field(ge=1, le=60)] | None = None
    in_last_month: Flag = False
    in_next_month: Flag = False
    due_on: tuple[DayOfYearText, ...] = ()
    due_days: tuple[DayOfMonth, ...] = ()
    weekday: Weekday | None = None
    ask_day: Flag = False

    @property
    def data_window(self) -> Window:
        return Window(self.window.start_day, self.window.end_day, self.window.basis) if self.window else DECREE_09

    @property
    def days(self) -> ReportDays:
        return ReportDays(
            day=self.due_day,
            in_last_month=self.in_last_month,
            in_next_month=self.in_next_month,
            on=tuple(filter(None, map(DayOfYear.read, self.due_on))),
            twice=self.due_days,
            weekday=self.weekday,
        )


def rule_fields(days: ReportDays) -> dict[str, object]:
    """The fields of a rule that name these days; only those that are needed."""
    fields: dict[str, object] = {
        "due_day": days.day,
        "in_last_month": days.in_last_month,
        "in_next_month": days.in_next_month,
        "due_on": [*map(str, days.on)],
        "due_days": [*days.twice],
        "weekday": days.weekday and days.weekday.value,
    }
    return {name: value for name, value in fields.items() if value}


class Gap(FileModel):
    """A number that is missing in the document."""

    citation: Citation
    note: str = ""


class FocusArea(FileModel):
    code: Code
    title: NonEmpty


class Indicator(FileModel):
    """A figure requested in reports. ``asked_of``: agency or group ids, or citations. ``part_of``: code of the figure
    that this one is a subset of. ``target``: from the document. ``total_of``: code of the figure whose sum over its
    agencies this one must equal; it is given by the agency that consolidates their reports."""

    code: Code
    text: NonEmpty
    name: NonEmpty
    unit: Literal["percent", "count", "text"]
    asked_of: tuple[str, ...] = ()
    aggregate: Literal["sum", "last", "none"] = "none"
    min: float | None = None
    max: float | None = None
    target: float | None = None
    part_of: Code | None = None
    total_of: Code | None = None


class OutputEntry(FileModel):
    """What proves a duty done («sản phẩm»): a document, a figure or an event. Reports are asked for it."""

    what: Annotated[NonEmpty, Field(max_length=MAX_WHAT_CHARS)]
    kind: OutputKind = OutputKind.DOCUMENT


class DutyEntry(FileModel):
    """One numbered line of the document with its full text. ``owners`` override those of the item.
    ``cadence_choices``: the cadences among which the office chooses one when it activates the plan («hàng tháng, quý»);
    ``cadence`` holds where it does not choose."""

    citation: Citation
    text: NonEmpty
    cadence: tuple[Cadence, ...] = Field(min_length=1)
    rule: Slug
    coordinating: tuple[Slug, ...] = ()
    area: Code | None = None
    owners: tuple[Slug, ...] = ()
    repeats: Citation | None = None
    waits_for: tuple[Citation, ...] = ()
    cadence_choices: tuple[Cadence, ...] = ()
    output: OutputEntry | None = None


class ItemEntry(FileModel):
    """One numbered item: a heading that names the owners, and its duties. ``request``: «Đề nghị» (not an order)."""

    no: Annotated[Whole, Field(ge=1)]
    heading: NonEmpty
    owners: tuple[Slug, ...] = Field(min_length=1)
    request: Flag = False
    duties: tuple[DutyEntry, ...] = Field(min_length=1)


class Section(FileModel):
    """A part of the document that assigns work, or (``standing``) obliges everyone."""

    roman: Roman
    heading: NonEmpty
    kind: Literal["assignments", "standing"]
    items: tuple[ItemEntry, ...] = Field(min_length=1)

    @property
    def missing(self) -> tuple[str, ...]:
        """Citations of the numbers missing between 1 and the last."""
        numbers = {item.no for item in self.items}
        return tuple(f"{self.roman}.{no}" for no in range(1, max(numbers)) if no not in numbers)


@dataclass(frozen=True)
class PlacedDuty:
    """A duty with its section and item."""

    section: Section
    item: ItemEntry
    duty: DutyEntry

    @property
    def owners(self) -> tuple[str, ...]:
        """Agency or group ids; groups are not expanded."""
        return self.duty.owners or self.item.owners
