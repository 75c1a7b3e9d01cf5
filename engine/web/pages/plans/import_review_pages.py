"""The review of a long document in pages: a line a duty, and a duty's fields only where it was opened.

Values of what is not shown are carried as differences from the imported ones, which are small. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from engine.importer.base.model import Origin
from engine.web.pages.plans.import_review import PLAIN, Fields, value_of
from engine.web.pages.plans.import_sheet import Row, Sheet

HEAD = ""
"""The part for the plan's own fields and the choices for all duties, on the first page."""
HEAD_FIELDS = frozenset({*PLAIN, "issued_on", "year", "issuer", "supervisor", "due_day", "undated", "remember"})
PAGE_BUDGET_BYTES = 20_000
"""Maximum size of a page's lines and open duties in bytes; one duty that is larger has a page of its own."""
MAX_OPEN_BYTES = 12_000
"""Maximum size of the fields of open duties; opening another closes those that were opened first."""
HEAD_BYTES, ITEM_BYTES, DUTY_BYTES, LINE_BYTES, LEFT_BYTES, BODY_BYTES = 4_500, 1_500, 3_000, 590, 520, 900
"""Approximate bytes of the plan's own fields, an item's fields, an open duty without its text, a duty's line, a line
left out, an unknown body."""
GUESS_BYTES = 120
"""Bytes of the mark beside owners that no heading names."""
HEADING = Origin.HEADING.value
MIN_RUN = 3
"""How many lines left out one after another may be taken at once."""
_PART = re.compile(r"(left\[\d+\]|sections\[\d+\]\.items\[\d+\](?:\.duties\[\d+\])?)\.")


@dataclass(frozen=True, kw_only=True)
class Block:
    """What stands together on a page: a duty, lines left out one after another, the choice to take a ``run`` of them.
    ``headed``: an open duty, with the fields of its item. ``folded``: lines in which nothing looks like a duty."""

    row: Row | None = None
    dropped: bool = False
    opened: bool = False
    headed: bool = False
    lines: tuple[int, ...] = ()
    folded: bool = False
    run: tuple[int, ...] = ()


@dataclass(frozen=True)
class ReviewPages:
    """The parts of each page in order; a part is a duty's path, that of an item before the first of its duties that is
    open, a line left out («left[3]»), or HEAD."""

    sheet: Sheet
    pages: tuple[tuple[str, ...], ...]
    opened: tuple[str, ...]
    """The paths of the open duties, the one opened last at the end."""

    @classmethod
    def of(cls, sheet: Sheet, fields: Fields | None = None) -> ReviewPages:
        opened = _opened(sheet, fields or {})
        pages: list[list[str]] = [[HEAD]]
        page_bytes = HEAD_BYTES + BODY_BYTES * len(sheet.unknown)

        def put(size: int, *parts: str) -> None:
            nonlocal page_bytes
            if page_bytes + size > PAGE_BUDGET_BYTES and pages[-1] != [HEAD]:
                pages.append([])
                page_bytes = 0
            pages[-1] += parts
            page_bytes += size

        left = [n for n, each in enumerate(sheet.found["left"]) if not each["taken"]]
        headed: set[str] = set()
        for before, row in enumerate(sheet.rows):
            while left and sheet.after(left[0]) <= before:
                put(LEFT_BYTES, f"left[{left.pop(0)}]")
            if row.path not in opened:
                put(LINE_BYTES + GUESS_BYTES * (row.found.get("origin", HEADING) != HEADING), row.path)
            elif row.item_path in headed:
                put(_open_bytes(row), row.path)
            else:
                headed.add(row.item_path)
                put(ITEM_BYTES + _open_bytes(row), row.item_path, row.path)
        for n in left:
            put(LEFT_BYTES, f"left[{n}]")
        return cls(sheet, tuple(map(tuple, pages)), opened)

    @cached_property
    def _by_part(self) -> Mapping[str, int]:
        found = {part: number for number, parts in enumerate(self.pages) for part in parts}
        for row in self.sheet.rows:
            found.setdefault(row.item_path, found[row.path])
        return found

    @cached_property
    def places(self) -> Mapping[str, int]:
        """Citation («IV.3», «IV.3.1») -> page."""
        found: dict[str, int] = {}
        for row in self.sheet.rows:
            for name in (row.number, row.duty["citation"]):
                found.setdefault(name, self._by_part[row.path])
        return found

    def page_of(self, field: str) -> int:
        """The page of a field; the first page for fields outside items."""
        return self._by_part.get(part_of(field), 0)

    def clamp(self, number: int) -> int:
        return min(max(number, 0), len(self.pages) - 1)

    def shown(self, number: int) -> tuple[str, ...]:
        """The parts of a page whose fields are in its form: all but the closed duties."""
        return tuple(part for part in self.pages[number] if ".duties[" not in part or part in self.opened)

    def blocks(self, number: int, fields: Fields) -> Iterator[Block]:
        """What a page shows, in order."""
        rows = {row.path: row for row in self.sheet.rows}
        left = self.sheet.found["left"]
        parts = self.pages[number]
        for is_left, group in groupby(filter(None, parts), lambda part: part.startswith("left[")):
            if is_left:
                for _, run in groupby(map(_number, group), lambda n: left[n]["section"]):
                    yield from self._run(tuple(run), fields)
            else:
                among = list(group)
                for before, part in zip(["", *among], among, strict=False):
                    if part in rows:
                        row = rows[part]
                        opened, headed = part in self.opened, before == row.item_path
                        yield Block(row=row, dropped=is_dropped(row, fields), opened=opened, headed=headed)

    def _run(self, run: tuple[int, ...], fields: Fields) -> Iterator[Block]:
        """The lines of one section one after another: those that look like duties by themselves."""

        def is_plain(n: int) -> bool:
            each = self.sheet.found["left"][n]
            return not (each["serious"] or each["doubted"] or f"left[{n}].take" in fields)

        several = run if len(run) >= MIN_RUN else ()
        pieces = [(folded, tuple(lines)) for folded, lines in groupby(run, is_plain)]
        if len(pieces) == 1 and pieces[0][0]:
            yield Block(lines=run, folded=True, run=several)
            return
        if several:
            yield Block(run=several)
        for folded, lines in pieces:
            yield Block(lines=lines, folded=folded)


def is_dropped(row: Row, fields: Fields) -> bool:
    """Whether a duty assigns nothing: it was dropped, or its item."""
    return f"{row.path}.drop" in fields or f"{row.item_path}.drop" in fields


def _number(part: str) -> int:
    return int(part[len("left[") : -1])


def _opened(sheet: Sheet, fields: Fields) -> tuple[str, ...]:
    """The duties opened last whose fields fit on a page; one at least."""
    numbers = {row.path: open_number(fields, row.path) for row in sheet.rows}
    kept: list[Row] = []
    for row in sorted(sheet.rows, key=lambda row: numbers[row.path], reverse=True):
        size = sum(ITEM_BYTES + _open_bytes(each) for each in (*kept, row))
        if not numbers[row.path] or (kept and size > MAX_OPEN_BYTES):
            break
        kept.append(row)
    return tuple(row.path for row in reversed(kept))


def _open_bytes(row: Row) -> int:
    return DUTY_BYTES + len(row.duty["text"].encode())


def open_number(fields: Fields, path: str) -> int:
    """When a duty was opened: the higher the later; 0 for a closed one."""
    typed = value_of(fields, f"{path}.open")
    return int(typed) if re.fullmatch(r"[0-9]{1,6}", typed) else 0


def next_number(fields: Fields) -> int:
    """The number of the duty opened next."""
    opened = (name.removesuffix(".open") for name in fields if name.endswith(".open"))
    return 1 + max((open_number(fields, path) for path in opened), default=0)


def part_of(field: str) -> str:
    """The part of a field: its duty's or item's path («sections[0].items[2]»), a line left out («left[3]»), or HEAD."""
    found = _PART.match(f"{field}.")
    return found[1] if found else HEAD


def merged(found: Fields, elsewhere: Fields, sent: Fields, shown: Collection[str]) -> dict[str, tuple[str, ...]]:
    """All fields: imported values, overridden by values typed elsewhere and by the submitted page. In the parts that
    the page shows a missing field counts as empty, since unticked boxes are not sent."""
    fields = {name: values for name, values in found.items() if part_of(name) not in shown}
    fields |= {name: tuple(values) for name, values in elsewhere.items() if part_of(name) not in shown}
    fields |= {name: values for name, values in sent.items() if is_field(name)}
    return {name: values for name, values in fields.items() if values}


def is_field(name: str) -> bool:
    return name in HEAD_FIELDS or name.startswith("body[") or part_of(name) != HEAD


def hidden_values(found: Fields, fields: Fields, shown: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Values elsewhere that differ from the imported ones; empty where a field was cleared."""
    names = [name for name in {**found, **fields} if part_of(name) not in shown]
    return {name: fields.get(name, ()) for name in names if fields.get(name, ()) != found.get(name, ())}
