"""Duty tables in documents saved as text: cells between bars or tabs on one line, or on lines of their own with a bar
after each.

Only runs whose first cells read like the heads of a duty table become tables again; everything else stays lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

from engine.features.plan_import.importer.phrases.labels import Label, label_of_column
from engine.features.plan_import.importer.phrases.marks import Rank, mark_of
from engine.features.plan_import.importer.reading.pages import BAR, Block, Table, TextLine
from engine.rules.vietnamese import is_capital

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
    """Whether cells begin a row: with a number, after the heads, or where they have no room in the last row."""
    heads, last = rows[0], rows[-1]
    wide = max(len(parts), len(last)) >= len(heads) or len(last) + len(parts) - 1 > len(heads)
    return wide or len(rows) == 1 or _NUMBERED.fullmatch(parts[0]) is not None


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
    numbered = label_of_column(cells[0][0]) is Label.NUMBER
    for text, _ in cells[heads:]:
        full = len(rows) == 1 or len(rows[-1]) >= heads
        if full or (numbered and len(rows[-1]) > 1 and _NUMBERED.fullmatch(text)):
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
