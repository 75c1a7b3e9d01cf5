"""The review of a long document, some items a page: which stand where, and what was typed on the pages not shown.

What was typed elsewhere is carried as its difference from what was found, which is small. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from engine.web.pages.plans.import_review import PLAIN, Fields, Sheet

HEAD = ""
"""The plan's own fields: a part like an item's, on the first page."""
HEADS = frozenset({*PLAIN, "issued_on", "issuer", "supervisor", "due_day"})
HEAVIEST = 31_000
"""Bytes of items that one page may hold; one item stands on a page however long it is."""
FRAME, ITEM, DUTY = 3_000, 1_500, 2_400
"""About what the head's fields, an item and a duty weigh beside their texts."""


@dataclass(frozen=True)
class Leaves:
    """The parts of each page, in order; a part is an item's path, or HEAD."""

    pages: tuple[tuple[str, ...], ...]
    places: Mapping[str, int]
    """«IV.3», «IV.3.1» -> its page."""

    @classmethod
    def of(cls, sheet: Sheet) -> Leaves:
        pages: list[list[str]] = [[HEAD]]
        places: dict[str, int] = {}
        weight = FRAME
        for path, section, item, _ in sheet.items:
            mine = ITEM + sum(DUTY + len(duty["text"].encode()) for duty in item["duties"])
            if weight + mine > HEAVIEST and pages[-1] != [HEAD]:
                pages.append([])
                weight = 0
            pages[-1].append(path)
            weight += mine
            places[f"{section['roman']}.{item['no']}"] = len(pages) - 1
            places |= {duty["citation"]: len(pages) - 1 for duty in item["duties"]}
        return cls(tuple(map(tuple, pages)), places)

    @cached_property
    def _by_part(self) -> Mapping[str, int]:
        return {part: number for number, parts in enumerate(self.pages) for part in parts}

    def page_of(self, field: str) -> int:
        """Where a field stands; the first page for one of no item."""
        return self._by_part.get(part_of(field), 0)

    def within(self, number: int) -> int:
        return min(max(number, 0), len(self.pages) - 1)


def part_of(field: str) -> str:
    """The item's path of a field («sections[0].items[2]»), or HEAD."""
    section, dot, rest = field.partition(".")
    return f"{section}.{rest.partition('.')[0]}" if dot and section.startswith("sections[") else HEAD


def merged(found: Fields, elsewhere: Fields, sent: Fields, shown: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Every field: as found, with what was typed on other pages, and on the page that was shown just what was sent (a
    box that is not ticked is not sent)."""
    fields = {name: values for name, values in found.items() if part_of(name) not in shown}
    fields |= {name: tuple(values) for name, values in elsewhere.items() if part_of(name) not in shown}
    fields |= {name: values for name, values in sent.items() if name in HEADS or part_of(name) != HEAD}
    return {name: values for name, values in fields.items() if values}


def aside(found: Fields, fields: Fields, shown: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """What stands otherwise than found on the pages that are not shown; nothing where a field has gone."""
    names = [name for name in {**found, **fields} if part_of(name) not in shown]
    return {name: fields.get(name, ()) for name in names if fields.get(name, ()) != found.get(name, ())}
