"""Duty tables: which column holds what, and the rows as entries with owners, coordinating bodies, deadline, product.

A merged cell stands for all the rows it covers. A row without bodies that spans the table, or has a Roman number, is a
heading of the rows below it.

Duty tables in documents saved as text: cells between bars or tabs on one line, or on lines of their own with a bar
after each.

Only runs whose first cells read like the heads of a duty table become tables again; everything else stays lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from engine.features.plan_import.importer.base.model import Place
from engine.features.plan_import.importer.phrases.agency_lists import labelled, lead_of
from engine.features.plan_import.importer.phrases.deadlines import deadlines_in
from engine.features.plan_import.importer.phrases.labels import Label, label_of_column
from engine.features.plan_import.importer.phrases.marks import BULLETS, Rank, body_of, mark_of
from engine.features.plan_import.importer.phrases.names import Name
from engine.features.plan_import.importer.phrases.owners import bodies_alone
from engine.features.plan_import.importer.reading.pdf import BAR, Block, Table, TextLine
from engine.features.plan_import.importer.structure.facts import Facts
from engine.rules.vietnamese import is_capital

_INDEX = re.compile(r"[\s(\[]*\d{0,2}[a-z]?[\s)\]]*")
_GROUP_NUMBER = re.compile(r"[IVX]{1,5}[.)]?|[A-HĐ][.)]?")
_ROW_NUMBER = re.compile(r"\d{1,3}(?:\.\d{1,2})*[.)]?")
_IN_BRACKETS = re.compile(r"\(([^()]+)\)[.;]?")
_HEAD_ROWS = 5
_LOOKED_AT = 40


@dataclass(frozen=True)
class Columns:
    """Where the first row of duties is, and which column each label has."""

    first: int
    at: Mapping[Label, int]
    width: int


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of duties. ``texts`` are its duties; ``same``: it belongs to the entry above (a merged owner)."""

    no: str
    owners: tuple[Name, ...]
    texts: tuple[str, ...]
    place: Place
    facts: Facts
    topic: str = ""
    group: str = ""
    persons: str = ""
    same: bool = False


def columns_of(table: Table) -> Columns | None:
    """The columns of a duty table; None for any other table."""
    for r, row in enumerate(table.rows[:_HEAD_ROWS]):
        labels = [label_of_column(cell) for cell in row]
        if {Label.LEAD, Label.TASK} & set(labels):
            labels = _by_contents(table, r, labels)
        if Label.LEAD in labels and len(set(labels) - {None}) >= 2:
            return _columns(table, r, labels)
    return None


def persons_of(table: Table) -> Mapping[int, str]:
    """Row → the names in it, of a table that gives tasks to persons («Nhiệm vụ», «Người thực hiện») and to no body;
    empty for any other table."""
    for r, row in enumerate(table.rows[:_HEAD_ROWS]):
        labels = [label_of_column(cell) for cell in row]
        if Label.PERSON in labels and Label.TASK in labels and Label.LEAD not in labels:
            return {n: table.rows[n][labels.index(Label.PERSON)] for n in range(r + 1, len(table.rows))}
    return {}


def _by_contents(table: Table, top: int, labels: list[Label | None]) -> list[Label | None]:
    """The labels, with the columns under words that no table knows by what most of their cells hold: bodies or times.
    The first column of bodies leads if no other does, the next ones help."""
    rows = table.rows[top + 1 :][:_LOOKED_AT]
    found = list(labels)
    for c in (c for c, label in enumerate(labels) if label is None):
        cells = _column(rows, c)
        if len(cells) < 2:
            continue
        if 3 * sum(bodies_alone(cell) is not None for cell in cells) >= 2 * len(cells):
            found[c] = Label.COORDINATING if Label.LEAD in found else Label.LEAD
        elif Label.DEADLINE not in found and 3 * sum(map(_is_time, cells)) >= 2 * len(cells):
            found[c] = Label.DEADLINE
    return found


def _column(rows: Iterable[Sequence[str]], c: int) -> list[str]:
    """The cells of a column that hold something, of each as much as is looked at."""
    return [cell for row in rows if c < len(row) and (cell := row[c].strip()[:400])]


def _is_time(cell: str) -> bool:
    return len(cell) < 60 and any(each.days for each in deadlines_in(cell, column=True))


def _columns(table: Table, top: int, labels: list[Label | None]) -> Columns | None:
    """The heads may take several rows: «Phân công» over «Chủ trì» and «Phối hợp»."""
    first = top + 1
    while first < min(len(table.rows), top + 3) and (lower := _lower_heads(table, top, first)) is not None:
        both = [lower.get(c) or label for c, label in enumerate(labels)]
        if Label.LEAD not in both:
            break  # a row of duties that reads like heads
        labels = both
        first += 1
    at = {label: c for c, label in reversed([*enumerate(labels)]) if label is not None}  # the first of a kind
    if Label.TASK not in at:
        free = [c for c, label in enumerate(labels) if label is None]
        if not free:
            return None
        at[Label.TASK] = max(free, key=lambda c: sum(len(row[c]) for row in table.rows[first:]))
    return Columns(first, at, len(labels))


def _lower_heads(table: Table, top: int, r: int) -> Mapping[int, Label | None] | None:
    """Column → the label of a head below another, or of the number of a column; None for a row that is no head."""
    row = table.rows[r]
    new = [c for c, cell in enumerate(row) if cell and (r, c) not in table.spans and cell != table.rows[top][c]]
    found = {c: label_of_column(row[c]) for c in new}
    return found if all(found.values()) or all(_INDEX.fullmatch(row[c]) for c in new) else None


def continued(table: Table, columns: Columns) -> Columns | None:
    """The columns for a table that goes on after a page break without repeating its heads."""
    return replace(columns, first=0) if table.rows and len(table.rows[0]) == columns.width else None


def rows_of(table: Table, columns: Columns) -> Iterator[Row]:
    """The rows of duties in order."""
    topic = group = ""
    for r in range(columns.first, len(table.rows)):
        cells = _aligned(table.rows[r], columns)
        get = {label: cells[c].strip() for label, c in columns.at.items()}
        place = replace(table.place, row=r + 1)
        heading = _heading(cells, get)
        if heading:
            number = _GROUP_NUMBER.fullmatch(get.get(Label.NUMBER, ""))
            topic, group = heading, number.group().rstrip(".)") if number else ""
            continue
        yield replace(_row(table, columns, r, get, place), topic=topic, group=group)


def _aligned(cells: tuple[str, ...], columns: Columns) -> tuple[str, ...]:
    """A row that a page printed one cell too far to the right, moved back: its number stands where the task should."""
    number, task = columns.at.get(Label.NUMBER), columns.at[Label.TASK]
    if number is None or task != number + 1 or cells[number].strip():
        return cells
    return (*cells[:number], *cells[number + 1 :]) if _ROW_NUMBER.fullmatch(cells[task].strip()) else cells


def _heading(cells: tuple[str, ...], get: Mapping[Label, str]) -> str:
    """The text of a row that is a heading; empty for a row of duties."""
    texts = [cell.strip() for cell in dict.fromkeys(cells) if not _INDEX.fullmatch(cell)]
    if len(texts) == 1 and sum(cell.strip() == texts[0] for cell in cells) > 1:
        return texts[0]
    number, lead = get.get(Label.NUMBER, ""), get.get(Label.LEAD, "")
    said = [text for text in texts if text != number]
    return said[0] if len(said) == 1 and len(said[0]) < 300 and lead in ("", said[0]) else ""


def _row(table: Table, columns: Columns, r: int, get: Mapping[Label, str], place: Place) -> Row:
    parts = labelled(get.get(Label.LEAD, ""))
    with_ = "\n".join(filter(None, (parts.get(Label.COORDINATING, ""), get.get(Label.COORDINATING, ""))))
    words, note = _without_note(get.get(Label.TASK, ""))
    get = {**get, **parts, Label.COORDINATING: with_, Label.DETAIL: note}
    number = get.get(Label.NUMBER, "")
    covered = (r, columns.at[Label.LEAD]) in table.spans
    fresh = bool(number) and (r, columns.at.get(Label.NUMBER)) not in table.spans
    task, marked = _task(words)
    return Row(
        no=(number if number.startswith("(") else number.rstrip(".) ")) or marked,
        owners=tuple(lead_of(get.get(Label.LEAD, ""))[0]),
        texts=task,
        place=place,
        facts=Facts.of([(label, value) for label, value in get.items() if value]),
        persons=get.get(Label.PERSON, ""),
        same=covered and not fresh,
    )


def _without_note(text: str) -> tuple[str, str]:
    """The words of a task, and what its last line says in brackets («(Theo Thông báo số 7/TB-UBND)»)."""
    words, _, last = text.strip().rpartition("\n")
    found = _IN_BRACKETS.fullmatch(last.strip()) if words.strip() else None
    return (words, found[1]) if found else (text, "")


def _task(text: str) -> tuple[tuple[str, ...], str]:
    """The duties in a cell and the number that it begins with: one, or one a bullet where all its lines are bullets."""
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    if not lines:
        return (), ""
    marks = [mark_of(line) for line in lines]
    if len(lines) > 1 and all(mark is not None and mark.rank in BULLETS for mark in marks):
        return tuple(map(body_of, lines)), ""
    if (mark := marks[0]) and mark.value:
        return ("\n".join([body_of(lines[0]), *lines[1:]]),), mark.label
    return ("\n".join(lines),), ""


_NUMBERED = re.compile(r"(?:\d{1,3}(?:\.\d{1,2}){0,2}|[IVX]{1,5}|[A-Za-z])[.)]?")
_WIDEST = 20
_HEAD_LINES = 12
_LONGEST_CELL = 60
_TAB = re.compile(r"\s*\t\s*")


def with_text_tables(blocks: Sequence[Block]) -> list[Block]:
    """The blocks with every run of lines that is a duty table turned into one; a tab in any other line is a blank."""
    found: list[Block] = []
    count = sum(isinstance(each, Table) for each in blocks)
    n = 0
    while n < len(blocks):
        block = blocks[n]
        rows, after = _ruled(blocks, n) or _barred(blocks, n) or ([], n + 1)
        if rows:
            count += 1
            width = max(map(len, rows))
            cells = tuple((*row, *[""] * (width - len(row))) for row in rows)
            block = Table(cells, replace(block.place, table=count))
        elif isinstance(block, TextLine):
            block = replace(block, text=_TAB.sub(" ", block.text).strip())
        found.append(block)
        n = after
    return found


_Rows = tuple[list[list[str]], int]
"""The rows of a table, and the index of the block after them."""


def _parts(block: Block) -> list[str]:
    """The cells of a line that tabs or bars divide; none of any other line."""
    text = block.text if isinstance(block, TextLine) else ""
    sign = "\t" if "\t" in text else BAR
    parts = text.split(sign) if sign == "\t" else text.removeprefix(BAR).removesuffix(BAR).split(BAR)
    return [part.strip() for part in parts] if text.count(sign) > (sign == BAR) else []


def _parts_at(blocks: Sequence[Block], n: int) -> list[str]:
    """The cells of a line, or what it adds to one where rows go on below it; none where a table ends or begins."""
    block = blocks[n] if n < len(blocks) else None
    below = next(filter(None, map(_parts, blocks[n : n + 3])), [])
    if not isinstance(block, TextLine) or not below or _is_head(below):
        return []
    return _parts(block) or [part.strip() for part in block.text.split(BAR)]  # «II | Kiểm tra»


def _ruled(blocks: Sequence[Block], start: int) -> _Rows | None:
    """Rows written on one line each, or on several where a cell holds a line break: a row begins with its number, or
    where the one before is full or would be wider than the heads; where tasks are numbered in their cells, with a later
    number after a full row."""
    heads, n = _heads(blocks, start)
    if not _is_head(heads):
        return None
    rows, last = [heads], 0
    inside = label_of_column(heads[0]) is Label.TASK and _number(*_parts_at(blocks, n)[:1]) == 1
    while parts := _parts_at(blocks, n):
        n += 1
        if _begins_row(parts, rows) and (not inside or last < _number(parts[0]) < last + 4):
            rows.append(parts if inside or len(parts) > 1 else ["", *parts])  # «II. Kiểm tra» alone
            last = _number(parts[0])
        else:
            rows[-1] = _longer(rows[-1], parts)
    return (rows, n) if len(rows) > 1 else None


def _heads(blocks: Sequence[Block], start: int) -> tuple[list[str], int]:
    """The heads of a table, which may go on to the first number, and the index after them."""
    heads, n = _parts(blocks[start]), start + 1
    if not heads or label_of_column(heads[0]) is not Label.NUMBER:
        return heads, n
    while n < start + _HEAD_LINES and (parts := _parts_at(blocks, n)) and not _NUMBERED.fullmatch(parts[0]):
        if _is_head(heads) and not any(map(label_of_column, parts)):
            break
        heads, n = _longer(heads, parts), n + 1
    return heads, n


def _begins_row(parts: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether cells begin a row: with a number, or where they have no room in the last row."""
    heads, last = rows[0], rows[-1]
    wide = max(len(parts), len(last)) >= len(heads) or len(last) + len(parts) - 1 > len(heads)
    return wide or _NUMBERED.fullmatch(parts[0]) is not None


def _number(cell: str = "") -> int:
    """The number that a task is written with in its own cell («1. Kiểm kê mỏ đá»); 0 if there is none."""
    mark = mark_of(cell)
    return mark.value if mark is not None and mark.rank is Rank.NUMBER and mark.depth == 1 else 0


def _longer(row: list[str], parts: list[str]) -> list[str]:
    """A row with the cells of its next line, the first of which goes on with its last."""
    return [*row[:-1], f"{row[-1]}\n{parts[0]}".strip(), *parts[1:]]


def _is_head(cells: Sequence[str]) -> bool:
    labels = [label_of_column(cell) for cell in cells]
    who = Label.LEAD in labels or Label.PERSON in labels
    return who and (Label.TASK in labels or Label.NUMBER in labels)


def _barred(blocks: Sequence[Block], start: int) -> _Rows | None:
    """Rows whose cells stand one under another, a bar after each."""
    if not _begins_barred(blocks, start):
        return None
    heads = _count_heads([text for text, _ in islice(_cells(blocks, start), 2 * _WIDEST)])
    if not heads:
        return None
    cells = list(_cells(blocks, start))
    rows = [[text for text, _ in cells[:heads]]]
    for text, _ in cells[heads:]:
        if len(rows) == 1 or len(rows[-1]) >= heads:
            rows.append([])
        rows[-1].append(text)
    return rows, cells[-1][1]


def _count_heads(cells: Sequence[str]) -> int:
    """How many of the first cells are the heads of a duty table with a row at least; 0 for none."""
    heads = next((n for n, text in enumerate(cells) if label_of_column(text) is None), len(cells))
    table = 3 <= heads <= _WIDEST and 2 * heads <= len(cells) and _is_head(cells[:heads])
    return heads if table else 0


def _begins_barred(blocks: Sequence[Block], start: int) -> bool:
    """Whether a line is the first head of a table, and not its title, which names duties too."""
    line, *below = blocks[start : start + 2]
    if not isinstance(line, TextLine) or label_of_column(line.text) not in (Label.NUMBER, Label.TASK):
        return False
    return not any(isinstance(each, TextLine) and label_of_column(each.text) is Label.NUMBER for each in below)


def _begins_part(text: str) -> bool:
    """Whether a line is the heading of a section or annex, which no cell holds."""
    mark = mark_of(text)
    return mark is not None and mark.rank <= Rank.ROMAN and len(text) > mark.length and is_capital(text)


def _cells(blocks: Sequence[Block], start: int) -> Iterator[tuple[str, int]]:
    """The cells from a block on, each with the index after its bar, while every cell ends with one in time."""
    parts: list[str] = []
    for n in range(start, len(blocks)):
        block = blocks[n]
        if not isinstance(block, TextLine) or _begins_part(block.text) or len(parts) == _LONGEST_CELL:
            return
        if block.text == BAR:
            yield " ".join(parts), n + 1
            parts = []
        else:
            parts.append(block.text)
