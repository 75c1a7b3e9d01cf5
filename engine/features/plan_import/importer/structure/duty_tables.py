"""Duty tables: which column holds what, and the rows as entries with owners, coordinating bodies, deadline, product.

A merged cell stands for all the rows it covers. A row without bodies that spans the table, or has a Roman number, is a
heading of the rows below it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from engine.features.plan_import.importer.base.model import Place
from engine.features.plan_import.importer.phrases.agency_lists import labelled, lead_of
from engine.features.plan_import.importer.phrases.deadlines import deadlines_in
from engine.features.plan_import.importer.phrases.labels import Label, label_of_column
from engine.features.plan_import.importer.phrases.marks import BULLETS, body_of, mark_of
from engine.features.plan_import.importer.phrases.names import Name
from engine.features.plan_import.importer.phrases.owners import bodies_alone
from engine.features.plan_import.importer.reading.pages import Table
from engine.features.plan_import.importer.structure.facts import Facts

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
        if all(_INDEX.fullmatch(cell) for cell in cells):
            continue
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
