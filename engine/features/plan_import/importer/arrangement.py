"""The sections and items of an imported plan as a plan file numbers them: with the document's own numbers where it
allows them, else with new ones beside the printed ones. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, count, pairwise

from engine.features.plan_import.importer.base.model import DutyText, ImportedPlan, ItemText, SectionText
from engine.features.plan_import.importer.phrases.marks import roman_value
from engine.features.plan_import.importer.reading.word_numbering import roman
from engine.files.plan_parts import SECTION_NUMBER

_POINT = re.compile(r"(?P<no>\d{1,3})(?:\.(?:\d{1,2}|[a-zđ]))+")


@dataclass(frozen=True)
class DraftItem:
    """One item of the plan file: the duties of one entry, or of the points under one number, each with its entry."""

    no: int
    printed: str
    heading: str
    duties: tuple[tuple[DutyText, ItemText], ...]


@dataclass(frozen=True, kw_only=True)
class DraftSection:
    """``changed``: its number is not the printed one; ``kept``: those of its items are."""

    roman: str
    printed: str
    heading: str
    standing: bool
    kept: bool
    items: tuple[DraftItem, ...]

    @property
    def changed(self) -> bool:
        return self.roman != self.printed

    @property
    def missing(self) -> tuple[int, ...]:
        """The numbers left out before the last item."""
        numbers = {item.no for item in self.items}
        return tuple(n for n in range(1, max(numbers)) if n not in numbers)


def arranged(plan: ImportedPlan) -> tuple[DraftSection, ...]:
    """The sections that have duties."""
    taken: set[str] = set()
    given = ((section, [item for item in section.items if item.duties]) for section in plan.sections)
    return tuple(_section(section, items, taken) for section, items in given if items)


def _section(section: SectionText, items: Sequence[ItemText], taken: set[str]) -> DraftSection:
    grouped = _grouped(items)
    numbers = [int(no) for no, _ in grouped if no.isdigit()]
    kept = len(numbers) == len(grouped) and all(a < b for a, b in pairwise(numbers)) and numbers[0] > 0
    return DraftSection(
        roman=_number(section.roman, taken),
        printed=section.roman,
        heading=section.heading or "Phân công nhiệm vụ",
        standing=all(item.inline for item in items),
        kept=kept,
        items=tuple(_item(int(no) if kept else n, no, group) for n, (no, group) in enumerate(grouped, 1)),
    )


def _item(number: int, printed: str, group: Sequence[ItemText]) -> DraftItem:
    """The entries under one number, their duties in the document's order."""
    heading = (group[0].topic if len(group) > 1 else "") or group[0].owner
    duties = ((duty, item) for item in group for duty in item.duties)
    return DraftItem(number, printed, heading, tuple(sorted(duties, key=lambda each: each[0].place.key)))


def _grouped(items: Sequence[ItemText]) -> list[tuple[str, list[ItemText]]]:
    """Points under one number («1.1», «1.2», each a duty of its own) together; every other entry alone."""
    grouped: list[tuple[str, list[ItemText]]] = []
    for item in items:
        point = _POINT.fullmatch(item.no) if item.inline else None
        if point and grouped and grouped[-1][0] == point["no"]:
            grouped[-1][1].append(item)  # also where the entry above has duties of its own
        else:
            grouped.append((point["no"] if point else item.no, [item]))
    return grouped


def _number(label: str, taken: set[str]) -> str:
    """The section's own number; a Roman one, different from all others, where a plan file cannot hold it."""
    number = label
    if re.fullmatch(SECTION_NUMBER, label) is None or label in taken:
        digits = re.search(r"\d{1,2}", label)
        value = roman_value(label) or (int(digits[0]) if digits else 0)
        wanted = [value] if 0 < value < 40 else []
        number = next(each for n in chain(wanted, count(len(taken) + 1)) if (each := roman(n)) not in taken)
    taken.add(number)
    return number
