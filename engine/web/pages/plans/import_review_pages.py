"""The review of a long document in pages: a line a duty, and an item's fields only where it was opened.

Values of what is not shown are carried as differences from the imported ones, which are small. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from engine.web.pages.plans.import_review import PLAIN, Fields
from engine.web.pages.plans.import_sheet import Sheet

HEAD = ""
"""The part for the plan's own fields and the choices for all duties, on the first page."""
HEAD_FIELDS = frozenset({*PLAIN, "issued_on", "issuer", "supervisor", "due_day", "undated"})
MAX_PAGE_BYTES = 20_000
"""Maximum size of a page's lines and open items in bytes; one item that is larger has a page of its own."""
MAX_OPEN_BYTES = 12_000
"""Maximum size of the fields of open items; opening another closes those that were opened first."""
HEAD_BYTES, DUTY_BYTES, LINE_BYTES, LEFT_BYTES, BODY_BYTES = 4_500, 3_000, 470, 520, 900
"""Approximate bytes of the plan's own fields, an open duty without its text, a duty's line, a line left out, an
unknown body."""


@dataclass(frozen=True)
class Leaves:
    """The parts of each page in order; a part is an item's path, a line left out («left[3]»), or HEAD."""

    pages: tuple[tuple[str, ...], ...]
    places: Mapping[str, int]
    """Citation («IV.3», «IV.3.1») -> page."""
    opened: tuple[str, ...]

    @classmethod
    def of(cls, sheet: Sheet, opened: Sequence[str] = ()) -> Leaves:
        opened = _within(sheet, tuple(dict.fromkeys(opened)))
        pages: list[list[str]] = [[HEAD]]
        places: dict[str, int] = {}
        page_bytes = HEAD_BYTES + BODY_BYTES * len(sheet.unknown)

        def put(part: str, size: int) -> None:
            nonlocal page_bytes
            if page_bytes + size > MAX_PAGE_BYTES and pages[-1] != [HEAD]:
                pages.append([])
                page_bytes = 0
            pages[-1].append(part)
            page_bytes += size

        left = [n for n, each in enumerate(sheet.found["left"]) if not each["taken"]]
        before = 0
        for path, section, item, found in sheet.items:
            while left and sheet.after(left[0]) <= before:
                put(f"left[{left.pop(0)}]", LEFT_BYTES)
            before += len(found)
            put(path, _open_bytes(item) if path in opened else LINE_BYTES * len(found))
            places[f"{section['roman']}.{item['no']}"] = len(pages) - 1
            places |= {duty["citation"]: len(pages) - 1 for duty in item["duties"]}
        for n in left:
            put(f"left[{n}]", LEFT_BYTES)
        return cls(tuple(map(tuple, pages)), places, opened)

    @cached_property
    def _by_part(self) -> Mapping[str, int]:
        return {part: number for number, parts in enumerate(self.pages) for part in parts}

    def page_of(self, field: str) -> int:
        """The page of a field; the first page for fields outside items."""
        return self._by_part.get(part_of(field), 0)

    def clamp(self, number: int) -> int:
        return min(max(number, 0), len(self.pages) - 1)

    def shown(self, number: int) -> tuple[str, ...]:
        """The parts of a page whose fields are in its form: all but the closed items."""
        parts = self.pages[number]
        return tuple(part for part in parts if not part.startswith("sections[") or part in self.opened)


def _within(sheet: Sheet, opened: Sequence[str]) -> tuple[str, ...]:
    """The items opened last whose fields fit on a page; one at least."""
    sizes = {path: _open_bytes(item) for path, _, item, _ in sheet.items}
    kept: list[str] = []
    for path in reversed([each for each in opened if each in sizes]):
        if kept and sum(sizes[each] for each in (*kept, path)) > MAX_OPEN_BYTES:
            break
        kept.append(path)
    return tuple(reversed(kept))


def _open_bytes(item: Mapping[str, Any]) -> int:
    return sum(DUTY_BYTES + len(duty["text"].encode()) for duty in item["duties"])


def part_of(field: str) -> str:
    """The part of a field: its item's path («sections[0].items[2]»), a line left out («left[3]»), or HEAD."""
    section, dot, rest = field.partition(".")
    if section.startswith("left["):
        return section
    return f"{section}.{rest.partition('.')[0]}" if dot and section.startswith("sections[") else HEAD


def merged(found: Fields, elsewhere: Fields, sent: Fields, shown: Collection[str]) -> dict[str, tuple[str, ...]]:
    """All fields: imported values, overridden by values typed elsewhere and by the submitted page. In the parts that
    the page shows a missing field counts as empty, since unticked boxes are not sent."""
    fields = {name: values for name, values in found.items() if part_of(name) not in shown}
    fields |= {name: tuple(values) for name, values in elsewhere.items() if part_of(name) not in shown}
    fields |= {name: values for name, values in sent.items() if is_field(name)}
    return {name: values for name, values in fields.items() if values}


def is_field(name: str) -> bool:
    return name in HEAD_FIELDS or name.startswith("body[") or part_of(name) != HEAD


def aside(found: Fields, fields: Fields, shown: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Values elsewhere that differ from the imported ones; empty where a field was cleared."""
    names = [name for name in {**found, **fields} if part_of(name) not in shown]
    return {name: fields.get(name, ()) for name in names if fields.get(name, ()) != found.get(name, ())}
