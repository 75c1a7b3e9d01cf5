"""The spreadsheet of contacts: reads XLSX or CSV into rows of text, and writes the XLSX that people fill in.

Reading decides nothing but what stands in which cell; ``engine.agencies.contact_import`` compares it with what is
stored. What strangers wrote is read in a child process with bounded time and memory (``read_contact_sheet``).
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import Any

from engine.errors import BadInput
from engine.files.directory import fold
from engine.limited_process import CallFailed, LimitExceeded, shared_process
from engine.text import LANGUAGES, Text

MAX_FILE_BYTES = 5_000_000
MAX_UNPACKED_BYTES = 50_000_000
MAX_ROWS = 3_000
MAX_COLUMNS = 40
MAX_CELL_CHARS = 300
HEADING_ROWS = 10
"""The headings stand in one of the first rows."""
READ_SECONDS = 20.0
_MOBILE_WITHOUT_ZERO = re.compile(r"[1-9][0-9]{8}")

COLUMNS: Mapping[str, Text] = {
    "contact": Text("Số", "No."),
    "agency": Text("Cơ quan", "Agency"),
    "level": Text("Loại cơ quan", "Kind of agency"),
    "role": Text("Vai trò", "Role"),
    "label": Text("Chức danh, phòng", "Post, office"),
    "email": Text("Hộp thư", "Mailbox"),
    "phone": Text("Điện thoại", "Telephone"),
    "language": Text("Ngôn ngữ", "Language"),
    "valid_from": Text("Từ ngày", "From"),
    "valid_until": Text("Đến ngày", "Until"),
}
"""Field -> heading. ``contact``: the number that the program gave; empty for a new contact."""
_WIDTHS = {"agency": 42, "level": 22, "role": 20, "label": 28, "email": 36, "phone": 18}
_NEEDED = ("agency", "role")


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row: its number in the sheet and the text of its cells by field. ``columns``: field -> «F»."""

    number: int
    values: Mapping[str, str]
    columns: Mapping[str, str]

    def cell(self, field: str) -> str:
        """«F12»."""
        return f"{self.columns.get(field, '')}{self.number}"


def read_contact_sheet(raw: bytes) -> tuple[SheetRow, ...]:
    """The rows below the headings. Raises BadInput if it is no such sheet, too large, or takes too long to read."""
    if len(raw) > MAX_FILE_BYTES:
        raise _refused(f"lớn quá {MAX_FILE_BYTES // 1_000_000} MB", f"is larger than {MAX_FILE_BYTES // 1_000_000} MB")
    try:
        return shared_process("contacts").call(READ_SECONDS, parse_contact_sheet, raw)
    except (LimitExceeded, CallFailed) as error:
        raise _refused("hỏng hoặc quá lớn", "is broken or far too large") from error


def parse_contact_sheet(raw: bytes) -> tuple[SheetRow, ...]:
    """As ``read_contact_sheet``, in this process. Raises BadInput."""
    table = _xlsx(raw) if raw[:2] == b"PK" else _csv(raw)
    return tuple(_rows(table))


def write_contact_sheet(
    rows: Iterable[Mapping[str, str]], choices: Mapping[str, Sequence[str]], language: str
) -> bytes:
    """A workbook with the rows, and on a second sheet the words that may stand in some columns. Every cell is text, so
    that a telephone number keeps its zero and nothing is evaluated."""
    from openpyxl import Workbook
    from openpyxl.styles import Font, PatternFill

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = Text("Đầu mối", "Contacts").said(language)
    sheet.freeze_panes = "A2"
    _write_row(sheet, 1, [heading.said(language) for heading in COLUMNS.values()])
    for cell in sheet[1]:
        cell.font, cell.fill = Font(bold=True), PatternFill("solid", fgColor="E7EFEF")
    number = 1
    for number, row in enumerate(rows, 2):
        _write_row(sheet, number, [row.get(field, "") for field in COLUMNS])
    for column, field in enumerate(COLUMNS):
        sheet.column_dimensions[_letters(column)].width = _WIDTHS.get(field, 12)
        for spare in range(1, number + 200):
            sheet.cell(spare, column + 1).number_format = "@"
    words = book.create_sheet(Text("Cách điền", "How to fill in").said(language))
    for column, (field, allowed) in enumerate(choices.items(), 1):
        _write_cell(words, 1, column, COLUMNS[field].said(language))
        for line, word in enumerate(allowed, 2):
            _write_cell(words, line, column, word)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _write_row(sheet: Any, number: int, values: Sequence[str]) -> None:
    for column, value in enumerate(values, 1):
        _write_cell(sheet, number, column, value)


def _write_cell(sheet: Any, row: int, column: int, value: str) -> None:
    cell = sheet.cell(row, column)
    cell.value = value
    if value:
        cell.data_type = "s"


def _xlsx(raw: bytes) -> Iterator[list[str]]:
    from openpyxl import load_workbook

    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as packed:
            if sum(entry.file_size for entry in packed.infolist()) > MAX_UNPACKED_BYTES:
                raise _refused("giải nén ra quá lớn", "unpacks to far too much")
        book = load_workbook(io.BytesIO(raw), read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise _refused("hỏng, không mở được", "is broken and cannot be opened") from error
    sheet = book.worksheets[0]
    sheet.reset_dimensions()  # a file may claim a million empty rows
    for row in sheet.iter_rows(max_col=MAX_COLUMNS, values_only=True):
        yield [_text(value) for value in row]


def _csv(raw: bytes) -> Iterator[list[str]]:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _refused("không phải .xlsx hay CSV UTF-8", "is neither .xlsx nor CSV in UTF-8") from None
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
            yield [cell.removeprefix("'") for cell in row[:MAX_COLUMNS]]
    except csv.Error as error:
        raise _refused(f"không đọc được ({error})", f"cannot be read ({error})") from error


def _text(value: Any) -> str:
    """A cell as text. Excel drops the zero of a telephone number that is typed as a number."""
    if isinstance(value, datetime | date):
        return (value.date() if isinstance(value, datetime) else value).isoformat()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = "" if value is None else str(value)
    return f"0{text}" if isinstance(value, int) and _MOBILE_WITHOUT_ZERO.fullmatch(text) else text


def _rows(table: Iterator[list[str]]) -> Iterator[SheetRow]:
    numbered = enumerate(table, 1)
    fields = next(filter(None, (_headings(cells) for _, cells in islice(numbered, HEADING_ROWS))), None)
    if fields is None:
        needed = ", ".join(f"«{COLUMNS[field].vi}»" for field in _NEEDED)
        raise _refused(f"không có dòng tiêu đề với các cột {needed}", f"has no headings with the columns {needed}")
    columns = {field: _letters(at) for at, field in fields.items()}
    found = 0
    for number, cells in numbered:
        values = {field: " ".join(cells[at].split()) for at, field in fields.items() if at < len(cells)}
        if not any(values.values()):
            continue
        found += 1
        if found > MAX_ROWS:
            raise _refused(f"có trên {MAX_ROWS} dòng", f"has over {MAX_ROWS} rows")
        yield SheetRow(number, {field: value[:MAX_CELL_CHARS] for field, value in values.items()}, columns)


def _headings(cells: Sequence[str]) -> dict[int, str]:
    """Column index -> field; empty unless the needed headings stand there."""
    known = {fold(heading.said(language)): field for field, heading in COLUMNS.items() for language in LANGUAGES}
    found = {at: known[fold(cell)] for at, cell in enumerate(cells) if fold(cell) in known}
    return found if set(_NEEDED) <= set(found.values()) else {}


def _letters(at: int) -> str:
    return chr(65 + at) if at < 26 else f"A{chr(65 + at - 26)}"


def _refused(vi: str, en: str) -> BadInput:
    return BadInput(
        Text(f"Bảng tính {vi}. Hãy tải mẫu ở trang này và điền vào đó.", f"The sheet {en}. Fill in the template.")
    )
