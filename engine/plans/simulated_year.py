"""The result of simulating a year: every letter that would be sent, and what is notable about it.

Produced by ``workflows.simulation.simulation``, which runs the real passes through the year; shown by the pages and the
command line. Only data and summaries.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from engine.assignments.weekly_digest import week_of
from engine.files.plan import PlanFile
from engine.terms import NoticeKind, Scenario

BUSY_WEEK = 5
"""Letters to one person in one week from which they count as overloaded (one per working day)."""


@dataclass(frozen=True, kw_only=True)
class SimulatedLetter:
    """One letter that would be sent. ``at`` is local; ``kind`` and ``rung`` are those of its most serious line, of an
    urgent plan if ``every_day``."""

    at: str
    channel: str
    kind: str
    rung: str
    agency: str
    role: str
    assignments: tuple[str, ...]
    key: str
    every_day: bool = False

    @property
    def person(self) -> tuple[str, str]:
        return self.agency, self.role

    @property
    def week(self) -> str:
        return week_of(date.fromisoformat(self.at[:10]))


@dataclass(frozen=True)
class SimulatedDay:
    """How many letters would leave on a day, of which kinds, to which roles."""

    day: date
    letters: int
    kinds: tuple[str, ...]
    roles: tuple[str, ...]

    @property
    def late(self) -> bool:
        return not {NoticeKind.OVERDUE, NoticeKind.ESCALATION}.isdisjoint(self.kinds)


@dataclass(frozen=True)
class SimulatedYear:
    """The simulated letters in order, and the due dates with their explanation."""

    messages: tuple[SimulatedLetter, ...]
    due: tuple[tuple[str, date, int, str], ...]
    """(period, due date, assignments, why it moved in Vietnamese; empty if it did not)"""
    assignments: int
    days: int
    names: Mapping[str, str] = field(default_factory=dict)
    """Agency id -> name."""

    def name(self, agency_id: str) -> str:
        return self.names.get(agency_id, agency_id)

    def some(self, week: str, agency: str) -> list[SimulatedLetter]:
        """The letters of a week to an agency; ``""``: of all."""
        return [each for each in self.messages if week in ("", each.week) and agency in ("", each.agency)]

    def by_day(self) -> list[SimulatedDay]:
        days: dict[str, list[SimulatedLetter]] = {}
        for each in self.messages:
            days.setdefault(each.at[:10], []).append(each)
        return [
            SimulatedDay(
                date.fromisoformat(day),
                len(letters),
                tuple(dict.fromkeys(each.kind for each in letters)),
                tuple(dict.fromkeys(each.role for each in letters)),
            )
            for day, letters in days.items()
        ]

    def per_week(self) -> Counter[tuple[str, str, str]]:
        """(agency, role, ISO week) -> letters."""
        return Counter((*each.person, each.week) for each in self.messages)

    def heat(self) -> tuple[list[str], list[tuple[str, str, list[int]]]]:
        """All ISO weeks from the first letter to the last, and (agency, role, letters per week), most letters first."""
        weekly = self.per_week()
        weeks = _weeks(self.messages[0].at, self.messages[-1].at) if self.messages else []
        people = Counter(each.person for each in self.messages)
        return weeks, [
            (agency, role, [weekly[agency, role, week] for week in weeks])
            for (agency, role), _ in sorted(people.items(), key=lambda each: (-each[1], each[0]))
        ]

    def overloaded(self) -> list[tuple[str, str, str, int]]:
        """(agency, role, week, letters) for people who would get too many."""
        return [(*key, count) for key, count in self.per_week().most_common() if count >= BUSY_WEEK]

    def collisions(self) -> list[tuple[date, int]]:
        """Days on which assignments of more than one period are due at once, busiest first."""
        by_day: dict[date, set[str]] = {}
        counted: Counter[date] = Counter()
        for period, due_on, count, _ in self.due:
            by_day.setdefault(due_on, set()).add(period)
            counted[due_on] += count
        return [(day, count) for day, count in counted.most_common() if len(by_day[day]) > 1]


def _weeks(first: str, last: str) -> list[str]:
    begins, ends = (date.fromisoformat(each[:10]) for each in (first, last))
    begins -= timedelta(days=begins.weekday())
    return [week_of(begins + timedelta(days=days)) for days in range(0, (ends - begins).days + 1, 7)]


TellShare = Callable[[float], None]
"""Told how much of the year is simulated, from 0 to 1."""
SimulateYear = Callable[[PlanFile, date, date, Scenario, TellShare], SimulatedYear]
"""(plan, first day, last day, scenario, told) -> the simulated year, with the installed directory, policy and
calendar."""
