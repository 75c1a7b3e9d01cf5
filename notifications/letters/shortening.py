"""Long lists made short. A monitor or a leader reads one line an agency, not one a duty, and no letter is endless.

Pure. What is cut off is counted, so that a letter can say how much more there is on the board.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Generic, TypeVar

from engine.assignments.weekly_digest import OverdueRow
from notifications.letters.facts import Item

MAX_DUTIES = 20
"""Duties that one part of a coordinator's letter names."""
MAX_AGENCIES = 60
"""Agencies that one part of a monitor's letter names; a province of 2021 has 55."""
MAX_ESCALATED = 20
"""Agencies that a letter to the leadership names."""
MAX_WORST = 10
"""Assignments that the leadership's digest names."""

Shown = TypeVar("Shown")


@dataclass(frozen=True, slots=True)
class Shortened(Generic[Shown]):
    """The first of a list, and how many assignments are left out."""

    shown: tuple[Shown, ...]
    left: int


@dataclass(frozen=True, slots=True)
class DutyGroup:
    """Assignments of one agency that differ in their citation alone. ``days`` as in ``Item``."""

    plan: str
    period: str
    due_on: date | None
    due_why: str
    days: int | None
    level: int
    citations: tuple[str, ...]
    noted: bool = True
    """It differs from what most of the list have in common, and must be written out."""


@dataclass(frozen=True, slots=True)
class AgencyList:
    """What is to be said of one agency."""

    agency: str
    alike: tuple[DutyGroup, ...]

    @property
    def count(self) -> int:
        return sum(len(each.citations) for each in self.alike)


@dataclass(frozen=True, slots=True)
class Agencies(Shortened[AgencyList]):
    """Agencies, the latest first. ``common``: what most of them have in common, said once and not on every line;
    ``exceptions``: not all of them have."""

    common: DutyGroup | None = None
    exceptions: bool = False


def first(items: Sequence[Shown], most: int) -> Shortened[Shown]:
    return Shortened(tuple(items[:most]), max(len(items) - most, 0))


def of_items(items: Iterable[Item], most: int) -> Agencies:
    return _grouped(
        (
            (each.agency, (each.plan, each.period, each.due_on, each.due_why, each.days, each.level), each.citation)
            for each in items
        ),
        most,
    )


def of_rows(rows: Iterable[tuple[OverdueRow, int]], most: int) -> Agencies:
    return _grouped(
        ((row.agency, (row.plan, row.period, row.due_on, "", -late, row.level), row.citation) for row, late in rows),
        most,
    )


_Key = tuple[str, str, date | None, str, int | None, int]


def _grouped(lines: Iterable[tuple[str, _Key, str]], most: int) -> Agencies:
    found: dict[str, dict[_Key, list[str]]] = {}
    for agency, key, citation in lines:
        found.setdefault(agency, {}).setdefault(key, []).append(citation)
    uses = Counter(key for alike in found.values() for key in alike)
    common, times = uses.most_common(1)[0] if uses else (None, 0)
    if times < 2:
        common = None
    lists = [
        AgencyList(agency, tuple(DutyGroup(*key, tuple(cited), key != common) for key, cited in alike.items()))
        for agency, alike in found.items()
    ]
    lists.sort(key=lambda each: min((alike.days or 0 for alike in each.alike), default=0))
    shown, left = tuple(lists[:most]), sum(each.count for each in lists[most:])
    return Agencies(shown, left, None if common is None else DutyGroup(*common, ()), len(uses) > 1)
