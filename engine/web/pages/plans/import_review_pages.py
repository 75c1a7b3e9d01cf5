"""Pagination of the review of a long document: which items are on which page, and values typed on other pages.

Values of other pages are carried as differences from the imported ones, which are small. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from engine.web.pages.plans.import_review import PLAIN, Fields, Sheet

HEAD = ""
"""The part for the plan's own fields, on the first page."""
HEAD_FIELDS = frozenset({*PLAIN, "issued_on", "issuer", "supervisor", "due_day"})
MAX_PAGE_BYTES = 31_000
"""Maximum size of a page's items in bytes; a single item may exceed it."""
HEAD_BYTES, ITEM_BYTES, DUTY_BYTES = 3_000, 1_500, 2_400
"""Approximate bytes of the plan's own fields, an item and a duty, without their texts."""


@dataclass(frozen=True)
class Leaves:
    """The parts of each page in order; a part is an item's path, or HEAD."""

    pages: tuple[tuple[str, ...], ...]
    places: Mapping[str, int]
    """Citation («IV.3», «IV.3.1») -> page."""

    @classmethod
    def of(cls, sheet: Sheet) -> Leaves:
        pages: list[list[str]] = [[HEAD]]
        places: dict[str, int] = {}
        page_bytes = HEAD_BYTES
        for path, section, item, _ in sheet.items:
            item_bytes = ITEM_BYTES + sum(DUTY_BYTES + len(duty["text"].encode()) for duty in item["duties"])
            if page_bytes + item_bytes > MAX_PAGE_BYTES and pages[-1] != [HEAD]:
                pages.append([])
                page_bytes = 0
            pages[-1].append(path)
            page_bytes += item_bytes
            places[f"{section['roman']}.{item['no']}"] = len(pages) - 1
            places |= {duty["citation"]: len(pages) - 1 for duty in item["duties"]}
        return cls(tuple(map(tuple, pages)), places)

    @cached_property
    def _by_part(self) -> Mapping[str, int]:
        return {part: number for number, parts in enumerate(self.pages) for part in parts}

    def page_of(self, field: str) -> int:
        """The page of a field; the first page for fields outside items."""
        return self._by_part.get(part_of(field), 0)

    def clamp(self, number: int) -> int:
        return min(max(number, 0), len(self.pages) - 1)


def part_of(field: str) -> str:
    """The part of a field: its item's path («sections[0].items[2]»), or HEAD."""
    section, dot, rest = field.partition(".")
    return f"{section}.{rest.partition('.')[0]}" if dot and section.startswith("sections[") else HEAD


def merged(found: Fields, elsewhere: Fields, sent: Fields, shown: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """All fields: imported values, overridden by values typed on other pages and by the submitted page. On the
    submitted page a missing field counts as empty, since unticked boxes are not sent."""
    fields = {name: values for name, values in found.items() if part_of(name) not in shown}
    fields |= {name: tuple(values) for name, values in elsewhere.items() if part_of(name) not in shown}
    fields |= {name: values for name, values in sent.items() if name in HEAD_FIELDS or part_of(name) != HEAD}
    return {name: values for name, values in fields.items() if values}


def aside(found: Fields, fields: Fields, shown: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Values on the other pages that differ from the imported ones; empty where a field was cleared."""
    names = [name for name in {**found, **fields} if part_of(name) not in shown]
    return {name: fields.get(name, ()) for name in names if fields.get(name, ()) != found.get(name, ())}
