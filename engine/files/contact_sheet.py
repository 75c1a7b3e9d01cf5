"""An office's sheet of contacts: its rows as fields, the template that people fill in, and the rows that were wrong.

Reading decides nothing but what a cell says; ``engine.agencies.contact_import`` compares it with what is stored.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from engine.errors import BadInput
from engine.files.contact_columns import (
    COLUMNS,
    NOT_TAKEN,
    OF_PERSON,
    PERSONS,
    Choices,
    Heading,
    Layout,
    choice_key,
    guess_level,
    guess_role,
    layout_of,
    names_several,
    numbered,
    stored_level,
    stored_role,
)
from engine.files.directory import fold
from engine.files.spreadsheet import Table, column_letters, read_tables, refused
from engine.rules.words import LEVELS
from engine.terms import Role
from engine.text import Text

MAX_ROWS = 3_000
_WITHOUT_ZERO = re.compile(r"^(?:[1-9][0-9]{8}|2[0-9]{9})$")
"""A mobile number or one of an office whose first zero a spreadsheet dropped."""
_WIDTHS = {"agency": 42, "level": 22, "role": 20, "label": 28, "email": 36, "phone": 18}
_AMBIGUOUS = "lanh dao"
"""The program's word for the leadership of the province, and an office's for its own head."""


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A contact of one row: the row's number in the sheet and the text of its cells by field. ``columns``: field ->
    «F». ``sheet``: its name, where several are read."""

    number: int
    values: Mapping[str, str]
    columns: Mapping[str, str]
    sheet: str = ""

    def cell(self, field: str) -> str:
        """«F12», «Huyện!F12»."""
        return f"{f'{self.sheet}!' if self.sheet else ''}{self.columns.get(field, '')}{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedWord:
    """A word of the sheet and what it is taken for ("" if unknown); asked once, however many rows have it."""

    key: str
    word: str
    meaning: str
    rows: int


@dataclass(frozen=True, kw_only=True)
class ContactSheet:
    """``tables``: the sheets that are read, each with its layout; ``words``: those for roles and kinds that the program
    does not call so, unknown ones first."""

    tables: tuple[Table, ...]
    layouts: tuple[Layout, ...]
    rows: tuple[SheetRow, ...]
    words: tuple[AskedWord, ...]

    def original(self, sheet: str, number: int) -> tuple[str, ...]:
        """The cells of a row as they stand in the sheet."""
        table = next(each for each in self.tables if sheet in ("", each.name))
        return table.rows[number - 1]


def read_contact_sheet(raw: bytes, choices: Choices) -> ContactSheet:
    """As ``contact_sheet``, of a file that strangers wrote."""
    return contact_sheet(read_tables(raw), choices)


def contact_sheet(tables: Sequence[Table], choices: Choices) -> ContactSheet:
    """The rows of every sheet that names agencies; of the first one if none does. Raises BadInput where no column holds
    the agencies, or there are too many rows."""
    every = [(table, layout_of(table, choices)) for table in tables]
    used = [(table, layout) for table, layout in every if layout.at("agency") is not None]
    if not used:
        needed = " và ".join(f"«{COLUMNS[name].vi}»" for name in ("agency", "email"))
        raise refused(f"không có dòng tiêu đề với các cột {needed}", "has no headings such as “Agency” and “Mailbox”")
    words = _Words(choices)
    rows: list[SheetRow] = []
    for table, layout in used:
        rows += _rows(table, layout, words, table.name if len(used) > 1 else "")
        if len(rows) > MAX_ROWS:
            raise refused(f"có trên {MAX_ROWS} dòng", f"has over {MAX_ROWS} rows")
    return ContactSheet(
        tables=tuple(table for table, _ in used),
        layouts=tuple(layout for _, layout in used),
        rows=tuple(rows),
        words=tuple(sorted(words.asked.values(), key=lambda each: (bool(each.meaning), each.key))),
    )


def guessed_choices(tables: Sequence[Table]) -> dict[str, str]:
    """What the columns and words of the sheets are taken for if nobody says otherwise."""
    headings = [heading for table in tables for heading in layout_of(table, {}).headings]
    guesses = {each.key: each.field or NOT_TAKEN for each in headings}
    try:
        return guesses | {each.key: each.meaning for each in contact_sheet(tables, {}).words}
    except BadInput:
        return guesses


def first_headings(tables: Sequence[Table], choices: Choices) -> tuple[Table, Layout] | None:
    """The sheet with most columns, for a person to say what they hold; None of an empty file."""
    found = max(tables, key=lambda table: max(map(len, table.rows), default=0), default=None)
    return (found, layout_of(found, choices)) if found is not None and found.rows else None


@dataclass
class _Words:
    """What the words of the sheet mean, and which of them a person is asked for."""

    choices: Choices
    asked: dict[str, AskedWord] = field(default_factory=dict)
    template: bool = False
    """Whether the program itself wrote the sheet: then its words are the program's."""

    def role(self, word: str, *, post: bool) -> str:
        """The role of a word; the word itself if it is unknown. ``post``: it says what somebody is, not their role:
        then they are a coordinator unless it tells more."""
        exact = stored_role(word)
        if exact and (self.template or fold(word) != _AMBIGUOUS):
            return exact
        guess = guess_role(word) or (Role.COORDINATOR if post or not word else "")
        return self._meaning("role", word, guess) or word

    def level(self, word: str) -> str:
        """The kind of agency that a word means; the word itself if it is unknown or empty."""
        return word and (stored_level(word) or self._meaning("level", word, guess_level(word)) or word)

    def _meaning(self, kind: str, word: str, guess: str) -> str:
        key = choice_key(kind, word)
        meaning = self.choices.get(key, guess)
        meaning = meaning if meaning in (LEVELS if kind == "level" else tuple(Role)) else ""
        before = self.asked.get(key)
        rows = before.rows + 1 if before else 1
        self.asked[key] = AskedWord(key=key, word=word, meaning=meaning, rows=rows)
        return meaning


def _rows(table: Table, layout: Layout, words: _Words, sheet: str) -> Iterator[SheetRow]:
    """The rows below the headings, one a contact; lines that are no row of the list are left out."""
    words.template = layout.at("contact") is not None
    agency = ""
    for line, cells in enumerate(table.rows[layout.first :], layout.first + 1):
        shared = _held(layout.headings, cells)
        if not any(shared.values()):
            continue
        if layout.goes_on(cells) and not shared.get("agency"):
            shared["agency"] = agency  # of a row that goes on with the one above, as CSV writes merged cells
        agency = shared.get("agency", "")
        reached = [n for n in PERSONS if shared.get(numbered("email", n)) or shared.get(numbered("phone", n))]
        if reached or not (names_several(agency) or layout.is_uncounted(cells)):
            for nth in reached or [1]:
                yield _row(SheetRow(line, shared, {}, sheet), layout, nth, words)


def _held(headings: Iterable[Heading], cells: Sequence[str]) -> dict[str, str]:
    """Field -> text, of one row."""
    return {each.field: cells[each.at] if each.at < len(cells) else "" for each in headings if each.field}


def _row(row: SheetRow, layout: Layout, nth: int, words: _Words) -> SheetRow:
    """The nth contact of a row."""
    own = {field: numbered(field, nth) for field in OF_PERSON}
    named = {own.get(field, field): field for field in COLUMNS}
    values = dict.fromkeys(COLUMNS, "") | {named[name]: text for name, text in row.values.items() if name in named}
    columns = {named[each.field]: column_letters(each.at) for each in layout.headings if each.field in named}
    values["email"] = values["email"].removeprefix("mailto:")
    values["phone"] = _WITHOUT_ZERO.sub(r"0\g<0>", values["phone"])
    if values["email"] or values["phone"] or values["contact"]:
        given = values["role"] or layout.person(nth)
        values["role"] = words.role(given or values["label"], post=not given)
    values["level"] = words.level(values["level"])
    return replace(row, values=values, columns=columns)


# --- written --------------------------------------------------------------------------------------------------------


def write_contact_sheet(
    rows: Iterable[Mapping[str, str]], choices: Mapping[str, Sequence[str]], language: str
) -> bytes:
    """A workbook with the rows, and on a second sheet the words that may stand in some columns. Every cell is text, so
    that a telephone number keeps its zero and nothing is evaluated."""
    headings = [heading.said(language) for heading in COLUMNS.values()]
    lines = [[row.get(field, "") for field in COLUMNS] for row in rows]
    book, sheet = _workbook(Text("Đầu mối", "Contacts").said(language), headings, lines)
    for at, name in enumerate(COLUMNS):
        sheet.column_dimensions[column_letters(at)].width = _WIDTHS.get(name, 12)
        for spare in range(1, len(lines) + 201):
            sheet.cell(spare, at + 1).number_format = "@"
    words = book.create_sheet(Text("Cách điền", "How to fill in").said(language))
    for column, (name, allowed) in enumerate(choices.items(), 1):
        _write_cell(words, 1, column, COLUMNS[name].said(language))
        for line, word in enumerate(allowed, 2):
            _write_cell(words, line, column, word)
    return _saved(book)


def write_wrong_rows(sheet: ContactSheet, wrong: Iterable[tuple[SheetRow, str]], language: str) -> bytes:
    """A workbook with rows as they stood in their sheet, under its own headings, and why each was not taken. It can be
    uploaded again."""
    layout = sheet.layouts[0]
    texts = [f"{each.person} {each.text}".strip() if each.person else each.text for each in layout.headings]
    why = Text("Lý do chưa nhận", "Why it was not taken").said(language)
    lines = [[*_padded(sheet.original(row.sheet, row.number), len(texts)), words] for row, words in wrong]
    book, _ = _workbook(Text("Dòng cần sửa", "Rows to correct").said(language), [*texts, why], lines)
    return _saved(book)


def _padded(cells: Sequence[str], width: int) -> list[str]:
    return [*cells[:width], *[""] * (width - len(cells))]


def _workbook(title: str, headings: Sequence[str], lines: Iterable[Sequence[str]]) -> tuple[Any, Any]:
    from openpyxl import Workbook
    from openpyxl.styles import Font, PatternFill

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = title
    sheet.freeze_panes = "A2"
    for number, line in enumerate((headings, *lines), 1):
        for column, value in enumerate(line, 1):
            _write_cell(sheet, number, column, value)
    for cell in sheet[1]:
        cell.font, cell.fill = Font(bold=True), PatternFill("solid", fgColor="E7EFEF")
    return book, sheet


def _saved(book: Any) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _write_cell(sheet: Any, row: int, column: int, value: str) -> None:
    cell = sheet.cell(row, column)
    cell.value = value
    if value:
        cell.data_type = "s"
