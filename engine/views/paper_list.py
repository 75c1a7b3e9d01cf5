"""A list as it goes on paper: its columns without those that say nothing there, and their widths. Pure.

A spreadsheet may have seventeen columns; a landscape sheet holds some 170 characters across. What all rows have in
common is said once above the table, two columns of the same days become one under both headings, columns without any
value go, and a long text is cut where its row would take more than ``MAX_LINES`` lines; the spreadsheet has it whole.

What is said of a simulated letter: what it is, and of which assignments it tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from engine.plans.simulated_year import SimulatedLetter, SimulatedYear
from engine.rules.words import period_words, rung_words
from engine.terms import NoticeKind
from engine.text import Text
from engine.views.labels import label
from engine.views.spreadsheets import Cell, Kind, Sheet, SheetColumn, written_cell

PAPER_WIDTH = 172
"""Characters across a landscape sheet in the print's size, with the space between the columns."""
MAX_LINES = 2
LONG_TEXT = 50
"""The declared width from which a column's texts are cut; those that are longer than two declared lines are, too."""
UNBROKEN, UNBROKEN_IF_NARROW = 22, 12
"""Texts up to this length stand on one line; the second where the sheet is narrow for its columns."""
GAP = 2
"""Characters between two columns."""
BOLD = 1.2
"""Of a heading's letter to one of the table."""
FILLED = 0.93
"""Share of a line that text fills before a word goes to the next."""
NARROWEST = 12
"""Characters that a column of texts has at least, or half of what was declared."""


@dataclass(frozen=True, kw_only=True)
class PaperColumn:
    """``share``: of the table's width, in percent; ``whole``: its values are not broken into lines."""

    heading: str
    share: float
    whole: bool
    number: bool


@dataclass(frozen=True, kw_only=True)
class PaperList:
    """``common``: what all rows have in common, with its heading; ``cut``: some texts are not whole; ``more``: that
    there are more rows than paper holds."""

    columns: Sequence[PaperColumn]
    rows: Sequence[Sequence[str]]
    common: Sequence[tuple[str, str]]
    cut: bool
    more: str


@dataclass(frozen=True, kw_only=True)
class _Shown:
    """A column with its values, and the headings of those that have the same."""

    column: SheetColumn[Any]
    headings: tuple[str, ...]
    values: tuple[Cell, ...]
    written: tuple[str, ...]

    @property
    def heading(self) -> str:
        return " · ".join(self.headings)

    @property
    def longest(self) -> int:
        return max(map(len, self.written), default=0)

    @property
    def long(self) -> bool:
        return self.column.kind is Kind.TEXT and (
            self.column.width >= LONG_TEXT or self.longest > MAX_LINES * self.column.width
        )

    def whole(self, unbroken: int) -> bool:
        return self.column.kind is not Kind.TEXT or self.longest <= min(self.column.width, unbroken)

    def least(self, unbroken: int) -> int:
        """What it needs: unbroken values, and the longest word of its heading."""
        heading = round(BOLD * max(map(len, self.heading.split()), default=0))
        values = self.longest if self.whole(unbroken) else min(self.longest, max(NARROWEST, self.column.width // 2))
        return max(values, heading) + GAP

    @property
    def most(self) -> int:
        """What its values fill; of texts, what was declared."""
        return max(self.least(UNBROKEN), min(self.longest, self.column.width) + GAP)


def paper_list(sheet: Sheet[Any], language: str, most: int) -> PaperList:
    """The first ``most`` rows of a list."""
    values = list(sheet.values(language, most))
    more = str(values.pop()[0]) if len(values) > most else ""
    named = _named(sheet, language, values)
    said = _merged(named) if values else named
    common, shown = _parted(said) if len(values) > 1 else ((), said)
    unbroken = UNBROKEN if sum(each.most for each in shown) <= PAPER_WIDTH else UNBROKEN_IF_NARROW
    widths = _widths(shown, unbroken)
    texts = [_cut(each, width) for each, width in zip(shown, widths, strict=True)]
    return PaperList(
        columns=[
            PaperColumn(
                heading=each.heading,
                share=round(100 * width / sum(widths), 1),
                whole=each.whole(unbroken),
                number=each.column.kind is Kind.NUMBER,
            )
            for each, width in zip(shown, widths, strict=True)
        ],
        rows=list(zip(*texts, strict=True)),
        common=[(each.heading, each.written[0]) for each in common],
        cut=any(text is not each.written for each, text in zip(shown, texts, strict=True)),
        more=more,
    )


def _named(sheet: Sheet[Any], language: str, values: Sequence[Sequence[Cell]]) -> list[_Shown]:
    """The columns that paper has."""
    by_column: Iterable[Sequence[Cell]] = zip(*values, strict=True) if values else [()] * len(sheet.columns)
    return [
        _Shown(
            column=column,
            headings=(column.heading.said(language),),
            values=tuple(cells),
            written=tuple(map(written_cell, cells)),
        )
        for column, cells in zip(sheet.columns, by_column, strict=True)
        if column.on_paper
    ]


def _merged(shown: Iterable[_Shown]) -> list[_Shown]:
    """Columns with some value; two of the same days throughout are one."""
    found: dict[object, _Shown] = {}
    for each in shown:
        if not any(each.written):
            continue
        key = each.values if each.column.kind is Kind.DAY else each.headings
        same = found.get(key)
        found[key] = each if same is None else replace(same, headings=(*same.headings, *each.headings))
    return list(found.values())


def _parted(shown: Sequence[_Shown]) -> tuple[Sequence[_Shown], Sequence[_Shown]]:
    """The columns that say the same of every row, and the others; the first stays if there are no others."""
    common = [each for each in shown if len(set(each.values)) == 1]
    others = [each for each in shown if len(set(each.values)) > 1]
    return (common, others) if others else (common[1:], common[:1])


def _widths(shown: Sequence[_Shown], unbroken: int) -> list[int]:
    """In characters: what each column needs, and its share of the rest of the sheet. If they have what fills them, the
    long texts take what is left."""
    least, most = [each.least(unbroken) for each in shown], [each.most for each in shown]
    left, asked = PAPER_WIDTH - sum(least), sum(most) - sum(least)
    if left <= asked:
        share = max(left, 0) / asked if asked else 0
        return [low + int((high - low) * share) for low, high in zip(least, most, strict=True)]
    longs = sum(each.most for each in shown if each.long)
    rest = left - asked
    return [high + (rest * high // longs if each.long else 0) for each, high in zip(shown, most, strict=True)]


def _cut(shown: _Shown, width: int) -> Sequence[str]:
    """The values as they stand in a column of this width."""
    room = int(MAX_LINES * (width - GAP) * FILLED)
    if not shown.long or shown.longest <= room:
        return shown.written
    return [text if len(text) <= room else _shortened(text, room) for text in shown.written]


def _shortened(text: str, room: int) -> str:
    return f"{text[: room - 2].rpartition(' ')[0].rstrip(';,.')}\u00a0…"


def letter_words(letter: SimulatedLetter, language: str) -> str:
    """«nhắc trước hạn: trước hạn 10 ngày làm việc»; of a weekly digest its name alone."""
    if letter.kind == "digest":
        return Text("tổng hợp tuần", "weekly digest").said(language)
    kind = label(NoticeKind(letter.kind), language)
    return f"{kind}: {rung_words(letter.rung, language, every_day=letter.every_day)}" if letter.rung else kind


def assignment_words(year: SimulatedYear, coded_one: str, language: str) -> str:
    """«188/KH-UBND IV.16.1 UBND huyện Kỳ Sơn, 6 tháng đầu năm 2021»."""
    number, citation, agency_id, period = coded_one.split(" ")
    return f"{number} {citation} {year.name(agency_id)}, {period_words(period, language)}"
