"""Shorten long lists in letters. Letters to monitors and leadership have one line per agency, not per duty.

Pure. Omitted assignments are counted, so that a letter can say how many more there are on the board.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Generic, TypeVar

from engine.assignments.chasing import Chased
from engine.assignments.weekly_digest import OverdueRow
from engine.terms import Outcome, State
from notifications.letters.facts import Item

MAX_DUTIES = 20
"""Duties listed in one part of a coordinator's letter."""
MAX_AGENCIES = 60
"""Agencies listed in one part of a monitor's letter; a province of 2021 has 55."""
MAX_ESCALATED = 20
"""Agencies listed in a letter to the leadership."""
MAX_WORST = 10
"""Assignments listed in the leadership's digest."""

Shown = TypeVar("Shown")


@dataclass(frozen=True, slots=True)
class Shortened(Generic[Shown]):
    """The first entries of a list; ``left``: the number of assignments omitted."""

    shown: tuple[Shown, ...]
    left: int


@dataclass(frozen=True, slots=True)
class DutyGroup:
    """Assignments of one agency that differ only in their citation. ``days`` as in ``Item``."""

    plan: str
    period: str
    due_on: date | None
    due_why: str
    days: int | None
    request: bool
    report: str
    """What became of the report: "" (none is in), "returned", or the outcome it states, which leaves the task open."""
    chased: Chased | None
    escalating: bool
    asks_paper: bool
    reported_on: date | None
    """Of the report that moved ``chased_from``."""
    chased_from: date | None
    """As in ``Item``."""
    citations: tuple[str, ...]
    noted: bool = True
    """Differs from ``Agencies.common``, so its details must be written out."""


@dataclass(frozen=True, slots=True)
class AgencyList:
    """The assignments of one agency, grouped."""

    agency: str
    alike: tuple[DutyGroup, ...]

    @property
    def count(self) -> int:
        return sum(len(each.citations) for each in self.alike)


@dataclass(frozen=True, slots=True)
class Agencies(Shortened[AgencyList]):
    """Agencies, most overdue first. ``common``: the details shared by most of them, written once instead of on every
    line; ``exceptions``: True if some differ from it."""

    common: DutyGroup | None = None
    exceptions: bool = False


def shorten(items: Sequence[Shown], limit: int) -> Shortened[Shown]:
    return Shortened(tuple(items[:limit]), max(len(items) - limit, 0))


def group_items(items: Iterable[Item], limit: int) -> Agencies:
    return _group(
        (
            (
                each.agency,
                (
                    *(each.plan, each.period, each.due_on, each.due_why, each.days, each.request),
                    report_state(each.state is State.RETURNED, each.outcome),
                    *(each.chased, each.escalating, each.asks_paper),
                    *(each.reported_on if each.chased_from else None, each.chased_from),
                ),
                each.citation,
            )
            for each in items
        ),
        limit,
    )


def group_rows(rows: Iterable[tuple[OverdueRow, int]], limit: int) -> Agencies:
    return _group(
        (
            (
                row.agency,
                (
                    *(row.plan, row.period, row.due_on, "", -late, row.request),
                    report_state(row.returned, row.outcome),
                    *(row.chased, False, False, None, None),
                ),
                row.citation,
            )
            for row, late in rows
        ),
        limit,
    )


def report_state(returned: bool, outcome: Outcome | None) -> str:
    """``DutyGroup.report`` of one assignment."""
    return "returned" if returned else "" if outcome in (None, Outcome.DONE) else str(outcome)


_Key = tuple[str, str, date | None, str, int | None, bool, str, Chased | None, bool, bool, date | None, date | None]


def _group(lines: Iterable[tuple[str, _Key, str]], limit: int) -> Agencies:
    by_agency: dict[str, dict[_Key, list[str]]] = {}
    for agency, key, citation in lines:
        by_agency.setdefault(agency, {}).setdefault(key, []).append(citation)
    uses = Counter(key for alike in by_agency.values() for key in alike)
    common, times = uses.most_common(1)[0] if uses else (None, 0)
    if times < 2:
        common = None
    lists = [
        AgencyList(agency, tuple(DutyGroup(*key, tuple(cited), key != common) for key, cited in alike.items()))
        for agency, alike in by_agency.items()
    ]
    lists.sort(key=lambda each: min((alike.days or 0 for alike in each.alike), default=0))
    shown, left = tuple(lists[:limit]), sum(each.count for each in lists[limit:])
    return Agencies(shown, left, None if common is None else DutyGroup(*common, ()), len(uses) > 1)
