"""Shorten long lists in letters. Letters to monitors and leadership have one line per agency, not per duty.

Pure. Omitted assignments are counted, so that a letter can say how many more there are on the board.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Generic, Literal, TypeVar

from engine.assignments.chasing import Chased
from engine.assignments.weekly_digest import OverdueRow
from engine.rules.words import name_order
from engine.terms import Outcome, State
from notifications.letters.facts import Item

MAX_DUTIES = 20
"""Duties listed in one part of a coordinator's letter."""
MAX_AGENCIES = 60
"""Agencies listed in one part of a monitor's letter; a province of 2021 has 55."""
MAX_ESCALATED = 20
"""Agencies listed in a letter to the leadership."""
MAX_NAME_WORDS = 6
"""Words by which a duty is named beside its citation."""
MAX_WORST = 10
"""Assignments listed in the leadership's digest."""

Shown = TypeVar("Shown")


@dataclass(frozen=True, slots=True)
class Shortened(Generic[Shown]):
    """The first entries of a list; ``left``: the number of assignments omitted."""

    shown: tuple[Shown, ...]
    left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyGroup:
    """Assignments of one agency that differ only in their citation. ``days`` as in ``Item``."""

    plan: str
    period: str
    due_on: date | None
    due_why: str = ""
    days: int | None
    request: bool
    report: Outcome | Literal["", "returned"]
    """What became of the report: "" (none is in), "returned", or the outcome it states, which leaves the task open."""
    chased: Chased | None
    escalating: bool = False
    asks_paper: bool = False
    reported_on: date | None = None
    """Of the report that moved ``chased_from``."""
    chased_from: date | None = None
    """As in ``Item``."""
    promised_on: date | None = None
    promises: int = 0
    promise_past: bool = False
    promise_waits: date | None = None
    citations: tuple[str, ...] = ()
    """Each with the name of its duty."""
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
                item.agency,
                DutyGroup(
                    plan=item.plan,
                    period=item.period,
                    due_on=item.due_on,
                    due_why=item.due_why,
                    days=item.days,
                    request=item.request,
                    report=report_state(item.state is State.RETURNED, item.outcome),
                    chased=item.chased,
                    escalating=item.escalating,
                    asks_paper=item.asks_paper,
                    reported_on=item.reported_on if item.chased_from else None,
                    chased_from=item.chased_from,
                    promised_on=item.promised_on,
                    promises=item.promises,
                    promise_past=item.promise_past,
                    promise_waits=item.promise_waits,
                ),
                named(item.citation, item.text),
            )
            for item in items
        ),
        limit,
    )


def group_rows(rows: Iterable[tuple[OverdueRow, int]], limit: int) -> Agencies:
    return _group(
        (
            (
                row.agency,
                DutyGroup(
                    plan=row.plan,
                    period=row.period,
                    due_on=row.due_on,
                    days=-late,
                    request=row.request,
                    report=report_state(row.returned, row.outcome),
                    chased=row.chased,
                    promised_on=row.promised_on,
                    promises=row.promises,
                    promise_past=row.promise_past,
                    promise_waits=row.promise_waits,
                ),
                named(row.citation, row.text),
            )
            for row, late in rows
        ),
        limit,
    )


def named(citation: str, text: str) -> str:
    """A citation with the first words of its duty: nobody knows by heart what «V.1» is."""
    words = text.split()
    if len(words) > MAX_NAME_WORDS + 1:
        words = [*words[:MAX_NAME_WORDS], "…"]
    return " ".join([citation, *words]).rstrip(".,;")


Explained = TypeVar("Explained", Item, DutyGroup)


def explained_once(lines: Iterable[Explained], said: set[str]) -> Iterator[Explained]:
    """The lines, each reason of a due date at the first of them only; ``said``: what stands above, added to."""
    for line in lines:
        yield replace(line, due_why="") if line.due_why in said else line
        said |= {line.due_why} - {""}


def agencies_explained_once(found: Agencies, said: set[str]) -> Agencies:
    """``explained_once`` of what agencies have in common and of what is written out beside some."""
    (common,) = (None,) if found.common is None else explained_once([found.common], said)
    shown = tuple(replace(body, alike=tuple(explained_once(body.alike, said))) for body in found.shown)
    return replace(found, common=common, shown=shown)


def report_state(returned: bool, outcome: Outcome | None) -> Outcome | Literal["", "returned"]:
    """``DutyGroup.report`` of one assignment."""
    return "returned" if returned else "" if outcome is None or outcome.ends else outcome


def _group(lines: Iterable[tuple[str, DutyGroup, str]], limit: int) -> Agencies:
    """``lines``: agency, what its assignment has in common with others, citation."""
    by_agency: dict[str, dict[DutyGroup, list[str]]] = {}
    for agency, group, citation in lines:
        by_agency.setdefault(agency, {}).setdefault(group, []).append(citation)
    uses = Counter(group for groups in by_agency.values() for group in groups)
    common, times = uses.most_common(1)[0] if uses else (None, 0)
    if times < 2:
        common = None
    lists = [
        AgencyList(
            agency,
            tuple(
                replace(group, citations=tuple(citations), noted=group != common) for group, citations in groups.items()
            ),
        )
        for agency, groups in by_agency.items()
    ]
    lists.sort(
        key=lambda each: (
            min((alike.days or 0 for alike in each.alike), default=0),
            -each.count,
            name_order(each.agency),
        )
    )
    shown, left = tuple(lists[:limit]), sum(each.count for each in lists[limit:])
    return Agencies(shown, left, common, len(uses) > 1)
