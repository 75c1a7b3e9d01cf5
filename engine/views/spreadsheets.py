"""A list as a spreadsheet: columns declared as data, written as XLSX or CSV row by row, in constant memory.

The first line says what the list is, of when and by which filter; the second holds the headings. openpyxl makes the
workbook with its first two lines, widths, frozen head and filter; the rows are then written into its sheet as XML,
which is several times faster than a cell object for each value.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import partial
from html import escape
from itertools import islice, repeat
from typing import IO, TYPE_CHECKING, Any, Generic, TypeVar

from engine.enums import complete
from engine.rules.calendar import PLAN_TIME
from engine.rules.words import short_day, short_moment
from engine.text import Text

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
