"""Spreadsheets as offices have them (.xlsx, .ods, .csv) read into tables of text; nothing is decided here.

What strangers wrote is read in a child process with bounded time and memory (``read_tables``).

How much a plan document may be. A plan of a thousand pages is 3 MB of text.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from statistics import median
from typing import IO, Any

from engine.errors import BadInput
from engine.limited_process import CallFailed, LimitExceeded, shared_process
from engine.rules.vietnamese import has_hidden_character
from engine.text import Text

MAX_FILE_BYTES = 5_000_000
MAX_UNPACKED_BYTES = 50_000_000
MAX_SHEETS = 20
MAX_LINES = 20_000
"""Lines of a sheet that are looked at, empty ones too."""
MAX_COLUMNS = 40
MAX_CELL_CHARS = 300
READ_SECONDS = 20.0
SAMPLE_LINES = 30
"""Lines of a CSV file by which its separator is found."""
OLD_EXCEL = b"\xd0\xcf\x11\xe0"
"""An .xls of Excel 97, and an .xlsx with a password."""
ODS = "application/vnd.oasis.opendocument.spreadsheet"
_MERGED = re.compile(rb'<mergeCell [^>]*ref="([A-Z]{1,3})(\d+):([A-Z]{1,3})(\d+)"')
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_PARAGRAPH = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}p"

Span = tuple[int, int, int, int]
"""Merged cells: first row, first column, last row, last column; from 0."""


@dataclass(frozen=True, slots=True)
class Table:
    """A sheet. ``rows``: the text of its cells; a cell that is merged downwards stands in each of its rows. ``across``:
    (row, first column, last column) of cells merged sideways, which stand in the first column alone."""

    name: str
    rows: tuple[tuple[str, ...], ...]
    across: tuple[tuple[int, int, int], ...] = ()

    def spread(self, row: int) -> list[str]:
        """A row in which cells merged sideways stand in each of their columns, as headings do."""
        cells = list(self.rows[row]) if 0 <= row < len(self.rows) else []
        for at, first, last in self.across:
            if at == row and first < len(cells):
                cells += [""] * (last + 1 - len(cells))
                cells[first : last + 1] = [cells[first]] * (last + 1 - first)
        return cells


def read_tables(raw: bytes) -> tuple[Table, ...]:
    """The visible sheets. Raises BadInput if it is no spreadsheet, too large, or takes too long to read."""
    if len(raw) > MAX_FILE_BYTES:
        raise refused(f"lớn quá {MAX_FILE_BYTES // 1_000_000} MB", f"is larger than {MAX_FILE_BYTES // 1_000_000} MB")
    try:
        return shared_process("contacts").call(READ_SECONDS, parse_tables, raw)
    except (LimitExceeded, CallFailed) as error:
        raise refused("hỏng hoặc quá lớn", "is broken or far too large") from error


def parse_tables(raw: bytes) -> tuple[Table, ...]:
    """As ``read_tables``, in this process. Raises BadInput."""
    if raw[:4] == OLD_EXCEL:
        raise refused(
            "là .xls đời cũ hoặc có mật khẩu: mở bằng Excel rồi lưu lại thành .xlsx",
            "is an old .xls or has a password: open it in Excel and save it as .xlsx",
        )
    if raw[:2] != b"PK":
        return (_table("", _csv(raw), ()),)
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as packed:
            if sum(entry.file_size for entry in packed.infolist()) > MAX_UNPACKED_BYTES:
                raise refused("giải nén ra quá lớn", "unpacks to far too much")
            if "content.xml" in packed.namelist():
                with packed.open("content.xml") as content:
                    return tuple(islice(_ods(content), MAX_SHEETS))
        return tuple(islice(_xlsx(raw), MAX_SHEETS))
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, SyntaxError) as error:
        raise refused("hỏng, không mở được", "is broken and cannot be opened") from error


def column_letters(at: int) -> str:
    """0 -> «A», 26 -> «AA»."""
    return chr(65 + at) if at < 26 else f"{chr(64 + at // 26)}{chr(65 + at % 26)}"


def refused(vi: str, en: str) -> BadInput:
    return BadInput(
        Text(f"Bảng tính {vi}. Hãy tải mẫu ở trang này và điền vào đó.", f"The sheet {en}. Fill in the template.")
    )


def _table(name: str, rows: Iterable[Sequence[str]], merged: Iterable[Span]) -> Table:
    lines = [[_clean(cell) for cell in row[:MAX_COLUMNS]] for row in islice(rows, MAX_LINES)]
    del lines[max((at for at, line in enumerate(lines, 1) if any(line)), default=0) :]
    across = []
    for first, left, last, right in merged:
        if first >= len(lines) or left >= len(lines[first]):
            continue
        for line in lines[first + 1 : last + 1]:
            line += [""] * (left + 1 - len(line))
            line[left] = lines[first][left]
        if right > left:
            across += [(row, left, min(right, MAX_COLUMNS - 1)) for row in range(first, min(last + 1, len(lines)))]
    return Table(name, tuple(map(_without_end, lines)), tuple(across))


def _without_end(cells: Sequence[str]) -> tuple[str, ...]:
    """Without the empty cells at the end."""
    return tuple(cells[: max((at for at, cell in enumerate(cells, 1) if cell), default=0)])


def _clean(text: str) -> str:
    """One line without characters that nobody sees, such as come along when text is copied from a web page."""
    words = " ".join(unicodedata.normalize("NFC", text).split())[:MAX_CELL_CHARS]
    return words if words.isprintable() else "".join(char for char in words if not has_hidden_character(char))


# --- .xlsx ----------------------------------------------------------------------------------------------------------


def _xlsx(raw: bytes) -> Iterator[Table]:
    from openpyxl import load_workbook

    book: Any = load_workbook(io.BytesIO(raw), read_only=True, data_only=True)
    for sheet in book.worksheets:
        if sheet.sheet_state != "visible":
            continue
        with sheet._get_source() as source:  # merged cells are not read by openpyxl where it reads row by row
            merged = [_span(match) for match in _MERGED.finditer(source.read())]
        sheet.reset_dimensions()  # a file may claim a million empty rows
        rows = ([_text(cell) for cell in row] for row in sheet.iter_rows(max_col=MAX_COLUMNS, values_only=True))
        yield _table(sheet.title, rows, merged)


def _span(match: re.Match[bytes]) -> Span:
    left, top, right, bottom = (part.decode() for part in match.groups())
    return int(top) - 1, _index(left), int(bottom) - 1, _index(right)


def _index(letters: str) -> int:
    index = 0
    for letter in letters:
        index = index * 26 + ord(letter) - 64
    return index - 1


def _text(value: Any) -> str:
    """A cell as text."""
    if isinstance(value, datetime | date):
        return (value.date() if isinstance(value, datetime) else value).isoformat()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else str(value)


# --- .ods -----------------------------------------------------------------------------------------------------------


def _ods(content: IO[bytes]) -> Iterator[Table]:
    """OpenDocument 1.3, part 3, chapter 9: cells and rows that repeat are written once."""
    from lxml import etree

    name, lines, merged = "", list[list[str]](), list[Span]()
    tags = (f"{_TABLE}table", f"{_TABLE}table-row")
    events = etree.iterparse(content, ("start", "end"), tag=tags, resolve_entities=False, no_network=True)
    for event, element in events:
        if element.tag == f"{_TABLE}table":
            if event == "end":
                yield _table(name, lines, merged)
            name, lines, merged = element.get(f"{_TABLE}name") or "", [], []
        elif event == "end":
            line = _ods_row(element, len(lines), merged)
            times = int(element.get(f"{_TABLE}number-rows-repeated") or 1)
            lines += [list(line) for _ in range(min(times, MAX_LINES - len(lines)))]
            element.clear()


def _ods_row(row: Any, at: int, merged: list[Span]) -> list[str]:
    """The cells of a row; adds to ``merged`` those that span others."""
    line: list[str] = []
    for cell in row:
        down = int(cell.get(f"{_TABLE}number-rows-spanned") or 1)
        right = int(cell.get(f"{_TABLE}number-columns-spanned") or 1)
        if down > 1 or right > 1:
            merged.append((at, len(line), at + down - 1, len(line) + right - 1))
        times = int(cell.get(f"{_TABLE}number-columns-repeated") or 1)
        line += [_ods_text(cell)] * min(times, MAX_COLUMNS - len(line))
    return line


def _ods_text(cell: Any) -> str:
    kind = cell.get(f"{_OFFICE}value-type")
    if kind == "float":
        return _text(float(cell.get(f"{_OFFICE}value") or 0))
    if kind == "date":
        return (cell.get(f"{_OFFICE}date-value") or "")[:10]
    return " ".join("".join(paragraph.itertext()) for paragraph in cell.findall(_PARAGRAPH))


# --- CSV ------------------------------------------------------------------------------------------------------------


def _csv(raw: bytes) -> Iterator[list[str]]:
    text = _decoded(raw)
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text)):
            yield [cell.removeprefix("'") for cell in row[:MAX_COLUMNS]]
    except csv.Error as error:
        raise refused(f"không đọc được ({error})", f"cannot be read ({error})") from error


def _decoded(raw: bytes) -> str:
    """As Excel writes CSV: UTF-8, with a mark or without; UTF-16 («Unicode text»); windows-1258 on a Vietnamese
    Windows."""
    for encoding in ("utf-16",) if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "cp1258"):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not any(unicodedata.category(char) == "Cc" and char not in "\t\r\n" for char in text):
            return text
    raise refused("không phải .xlsx, .ods hay CSV UTF-8", "is neither .xlsx nor .ods nor CSV in UTF-8")


def _separator(text: str) -> str:
    """The one that cuts most lines into most cells: a title has none, a name may hold commas."""

    def cells(separator: str) -> float:
        rows = list(islice(csv.reader(io.StringIO(text, newline=""), delimiter=separator), SAMPLE_LINES))
        return median([len(row) for row in rows if any(row)] or [0])

    return max(";,\t", key=cells)


MAX_DOCUMENT_BYTES = 25_000_000
MAX_DOCUMENT_CHARS = 4_000_000
