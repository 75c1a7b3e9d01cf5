"""A list as a spreadsheet: columns declared as data, written as XLSX or CSV row by row, in constant memory.

The first line says what the list is, of when and by which filter; the second holds the headings. openpyxl makes the
workbook with its first two lines, widths, frozen head and filter; the rows are then written into its sheet as XML,
which is several times faster than a cell object for each value.

A list as it goes on paper: its columns without those that say nothing there, and their widths. Pure.

A spreadsheet may have seventeen columns; a landscape sheet holds some 170 characters across. What all rows have in
common is said once above the table, two columns of the same days become one under both headings, columns without any
value go, and a long text is cut where its row would take more than ``MAX_LINES`` lines; the spreadsheet has it whole.

What is said of a simulated letter: what it is, and of which assignments it tells.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from functools import partial
from html import escape
from itertools import islice, repeat
from typing import IO, TYPE_CHECKING, Any, Generic, TypeVar

from engine.enums import complete
from engine.plans.simulated_year import SimulatedLetter, SimulatedYear
from engine.rules.calendar import PLAN_TIME
from engine.rules.words import period_words, rung_words, short_day, short_moment
from engine.terms import NoticeKind
from engine.text import Text
from engine.views.labels import label

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.worksheet._write_only import WriteOnlyWorksheet

T = TypeVar("T")
Cell = str | int | float | date | datetime | None
MAX_ROWS = 100_000
"""Rows of one file; a list that has more is cut, and its last line says so."""
BATCH_ROWS = 500
MAX_KNOWN = 2_000
"""Values of a column that are kept as they are written."""
COMPRESSION = 1
"""zlib level: level 6 makes the file a third smaller and takes three times as long."""
FORMULA_PREFIXES = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet would evaluate CSV text with such a prefix, which might even call out (OWASP, CSV injection)."""
DAY_ZERO = date(1899, 12, 30)
"""Spreadsheets count days from here."""
NOT_IN_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
IN_QUOTES = re.compile(r'[",\r\n]')
TO_ESCAPE = re.compile(f"[&<>]|{NOT_IN_XML.pattern}")


class Kind(StrEnum):
    """What a column holds."""

    TEXT = "text"
    NUMBER = "number"
    DAY = "day"
    MOMENT = "moment"


FORMATS = complete(
    Kind, {Kind.TEXT: "@", Kind.NUMBER: "General", Kind.DAY: "DD/MM/YYYY", Kind.MOMENT: "HH:MM DD/MM/YYYY"}
)


@dataclass(frozen=True)
class SheetColumn(Generic[T]):
    """A column of a list: its heading, a row's value in a language, what it holds, its width in characters, and whether
    paper has it too."""

    heading: Text
    value: Callable[[T, str], Cell]
    kind: Kind = Kind.TEXT
    width: int = 14
    on_paper: bool = True


@dataclass(frozen=True)
class Sheet(Generic[T]):
    """A list to be written. ``caption`` is its first line."""

    title: Text
    caption: str
    columns: Sequence[SheetColumn[T]]
    rows: Iterable[T]

    def values(self, language: str, most: int) -> Iterator[list[Cell]]:
        """The rows' values; after ``most`` rows a last line says that the list was cut."""
        for batch in self.batches(language, most):
            yield from map(list, zip(*batch, strict=True))

    def batches(self, language: str, most: int) -> Iterator[list[list[Cell]]]:
        """The same, some rows at a time, column by column."""
        rows, left = iter(self.rows), most
        while batch := list(islice(rows, min(left, BATCH_ROWS))):
            left -= len(batch)
            yield [list(map(column.value, batch, repeat(language))) for column in self.columns]
        if next(rows, None) is not None:
            rest: list[list[Cell]] = [[None] for _ in self.columns[1:]]
            yield [[CUT.filled(most=most).said(language)], *rest]


CUT = Text(
    "Cắt ở đây: một tệp chứa nhiều nhất {most} dòng. Hãy lọc hẹp hơn.",
    "Truncated: a file holds at most {most} lines. Narrow the filter.",
)


def write_csv(sheet: Sheet[T], language: str, file: IO[bytes], most: int = MAX_ROWS) -> None:
    """UTF-8 with a byte order mark, as Excel needs it. Days and moments are ISO; text that looks like a formula is
    prefixed with an apostrophe."""
    written = [_Written(csv_field) for _ in sheet.columns]
    headings = ",".join(csv_field(column.heading.said(language)) for column in sheet.columns)
    file.write(f"\ufeff{csv_field(sheet.caption)}\r\n{headings}\r\n".encode())
    for batch in sheet.batches(language, most):
        columns = (map(each.__getitem__, values) for each, values in zip(written, batch, strict=True))
        lines = "\r\n".join(map(",".join, zip(*columns, strict=True)))
        file.write(f"{lines}\r\n".encode())


def write_xlsx(sheet: Sheet[T], language: str, file: IO[bytes], most: int = MAX_ROWS) -> None:
    """A workbook of one sheet. Text is stored as text, so nothing in it is evaluated, not even after editing."""
    frame = io.BytesIO()
    _workbook(sheet, language).save(frame)
    with (
        zipfile.ZipFile(frame) as made,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=COMPRESSION) as out,
    ):
        for name in made.namelist():
            if not name.startswith("xl/worksheets/sheet"):
                out.writestr(name, made.read(name))
                continue
            before, sample, after = _split_at_sample(made.read(name).decode())
            styles = re.findall(r' s="(\d+)"', sample)
            with out.open(name, "w", force_zip64=True) as part:
                part.write(before.encode())
                cells = [_Written(partial(_cell_xml, style)) for style in styles]
                for batch in sheet.batches(language, most):
                    columns = (map(each.__getitem__, values) for each, values in zip(cells, batch, strict=True))
                    rows = "</row><row>".join(map("".join, zip(*columns, strict=True)))
                    part.write(f"<row>{rows}</row>".encode())
                part.write(after.encode())


def _workbook(sheet: Sheet[T], language: str) -> Workbook:
    """The workbook with caption, headings and one sample row, which carries the style of each column."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    book = Workbook(write_only=True)
    page = book.create_sheet(_sheet_name(sheet.title.said(language)))
    page.freeze_panes = "A3"
    for number, column in enumerate(sheet.columns, 1):
        page.column_dimensions[get_column_letter(number)].width = column.width
    caption = WriteOnlyCell(page, sheet.caption)
    caption.data_type, caption.font = "s", Font(bold=True)
    page.append([caption])
    page.append([_heading(page, column.heading.said(language)) for column in sheet.columns])
    page.append([_sample(page, column.kind) for column in sheet.columns])
    page.auto_filter.ref = f"A2:{get_column_letter(len(sheet.columns))}2"
    page.print_title_rows = "2:2"
    page.page_setup.orientation, page.page_setup.paperSize = "landscape", 9
    page.page_setup.fitToWidth, page.page_setup.fitToHeight = 1, 0
    page.sheet_properties.pageSetUpPr.fitToPage = True
    return book


def _heading(page: WriteOnlyWorksheet, words: str) -> Any:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Alignment, Font, PatternFill

    cell = WriteOnlyCell(page, words)
    cell.font, cell.fill = Font(bold=True), PatternFill("solid", fgColor="E7EFEF")
    cell.alignment = Alignment(wrap_text=True, vertical="center")
    return cell


def _sample(page: WriteOnlyWorksheet, kind: Kind) -> Any:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Alignment

    cell = WriteOnlyCell(page, 0)
    cell.number_format = FORMATS[kind]
    cell.alignment = Alignment(wrap_text=kind is Kind.TEXT, vertical="top")
    cell.quotePrefix = kind is Kind.TEXT  # stays text when somebody edits it
    return cell


def _split_at_sample(xml: str) -> tuple[str, str, str]:
    """The sheet's XML before, in and after its last row."""
    begins, ends = xml.rindex("<row "), xml.rindex("</sheetData>")
    return xml[:begins], xml[begins:ends], xml[ends:]


class _Written(dict[Cell, str]):
    """A column's values as they are written; most occur in many rows and are written once (1 and 1.0 are one value)."""

    def __init__(self, write: Callable[[Cell], str]) -> None:
        super().__init__()
        self._write = write

    def __missing__(self, value: Cell) -> str:
        written = self._write(value)
        if len(self) < MAX_KNOWN:
            self[value] = written
        return written


def _cell_xml(style: str, value: Cell) -> str:
    if value is None or value == "":
        return f'<c s="{style}"/>'
    if isinstance(value, str):
        words = escape(NOT_IN_XML.sub("", value), quote=False) if TO_ESCAPE.search(value) else value
        return f'<c s="{style}" t="inlineStr"><is><t xml:space="preserve">{words}</t></is></c>'
    return f'<c s="{style}"><v>{_number(value)}</v></c>'


def _number(value: int | float | date | datetime) -> int | float:
    """A number as it is; a day or a moment (in the plan's time) as days since day zero."""
    if isinstance(value, datetime):
        local = value.astimezone(PLAN_TIME)
        seconds = local.hour * 3600 + local.minute * 60 + local.second
        return (local.date() - DAY_ZERO).days + round(seconds / 86_400, 6)
    return (value - DAY_ZERO).days if isinstance(value, date) else value


def written_cell(value: Cell) -> str:
    """A value as people write it: «17/6/2021», «07:30 17/6/2021»."""
    if isinstance(value, datetime):
        return short_moment(value)
    if isinstance(value, date):
        return short_day(value)
    return "" if value is None else str(value)


def csv_field(value: Cell) -> str:
    """A field as RFC 4180 writes it."""
    if isinstance(value, str):
        words = f"'{value}" if value.startswith(FORMULA_PREFIXES) else value
        doubled = words.replace('"', '""')
        return f'"{doubled}"' if IN_QUOTES.search(words) else words
    if isinstance(value, datetime):
        return value.astimezone(PLAN_TIME).strftime("%Y-%m-%d %H:%M")
    return "" if value is None else value.isoformat() if isinstance(value, date) else str(value)


def _sheet_name(title: str) -> str:
    """Excel allows 31 characters and not these."""
    return re.sub(r"[\[\]:*?/\\]", " ", title)[:31]


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
