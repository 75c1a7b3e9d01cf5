"""Progress of plans on a given day: the four boxes, the on-time rate by agency (worst first), totals by period.

Used for today's figures, for comparison with last week, and for published figures. Computed from what is known now
about that day: a report returned since counts as not done, and an extension granted since counts.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, case, func, literal, select, type_coerce
from sqlmodel import Session

from engine.queries.figures.reporting_rates import rate
from engine.queries.time_class import TIME_CLASS
from engine.store.database import table
from engine.store.records import Agency, Assignment, Plan
from engine.terms import COUNTED_STATES, PlanState, TimeClass


@dataclass(frozen=True, slots=True)
class Boxes:
    """Assignments per box. ``rate``: percentage done on time of those done or past due; None while nothing has come
    due. Assignments not yet due do not count."""

    on_time: int = 0
    late: int = 0
    in_term: int = 0
    overdue: int = 0
    no_deadline: int = 0

    @property
    def expected(self) -> int:
        return self.on_time + self.late + self.in_term + self.overdue + self.no_deadline

    @property
    def judged(self) -> int:
        return self.on_time + self.late + self.overdue

    @property
    def rate(self) -> float | None:
        return rate(self.on_time, self.judged)

    def __add__(self, other: Boxes) -> Boxes:
        return Boxes(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(Boxes)))


BOX: Mapping[TimeClass, str] = {
    TimeClass.DONE_ON_TIME: "on_time",
    TimeClass.DONE_LATE: "late",
    TimeClass.OPEN_IN_TIME: "in_term",
    TimeClass.OPEN_OVERDUE: "overdue",
    TimeClass.NO_DEADLINE: "no_deadline",
}


@dataclass(frozen=True, slots=True)
class AgencyStanding:
    id: str
    name: str
    level: str
    tally: Boxes


@dataclass(frozen=True, slots=True)
class PeriodStanding:
    """``due_on``: the first due date of the period."""

    period: str
    due_on: date | None
    tally: Boxes


@dataclass(frozen=True)
class Standing:
    """Progress on one day; ``agencies`` worst first, ``periods`` by due date."""

    as_of: date
    total: Boxes
    agencies: tuple[AgencyStanding, ...]
    periods: tuple[PeriodStanding, ...]


@dataclass(frozen=True)
class Standings:
    """Progress on several days. ``choices``: all periods the filter can select, by due date."""

    days: tuple[Standing, ...]
    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AgencyChange:
    """Change of an agency's figures between two days."""

    id: str
    name: str
    was: Boxes
    now: Boxes

    @property
    def done(self) -> int:
        return self.now.on_time + self.now.late - self.was.on_time - self.was.late

    @property
    def overdue(self) -> int:
        return self.now.overdue - self.was.overdue


@dataclass(frozen=True, slots=True)
class Cell:
    """The number of assignments of an agency and period that are in one time class."""

    agency_id: str
    name: str
    level: str
    period: str
    time_class: TimeClass
    count: int
    due_on: date | None


def standing(session: Session, as_of: date, *, plan_id: int | None = None, period: str = "") -> Standing:
    """Progress on one day, in one query; of all active plans unless one is given."""
    return standings(session, (as_of,), plan_id=plan_id, period=period).days[0]


def standings(session: Session, days: Sequence[date], *, plan_id: int | None = None, period: str = "") -> Standings:
    """Progress on several days, in one query."""
    a, p, g = table(Assignment), table(Plan), table(Agency)
    on = [case((a.c.opened_on <= day, class_on(day))).label(f"on_{n}") for n, day in enumerate(days)]
    each = (
        select(a.c.agency_id, a.c.period, a.c.due_on, *on)
        .select_from(a)
        .join(p, p.c.id == a.c.plan_id)
        .where(*counted_on(max(days), plan_id, ""))
        .subquery()
    )
    keys = [each.c.agency_id, each.c.period, *(each.c[label.name] for label in on)]
    grouped = select(*keys, func.count().label("n"), func.min(each.c.due_on).label("due_on")).group_by(*keys).subquery()
    statement = select(grouped, g.c.name, g.c.level).join(g, g.c.id == grouped.c.agency_id)
    rows = session.connection().execute(statement).all()
    found = tuple(from_cells(day, _cells(rows, 2 + n, period)) for n, day in enumerate(days))
    dues = {row.period: row.due_on or date.max for row in sorted(rows, key=lambda row: row.due_on or date.max)[::-1]}
    return Standings(found, tuple(sorted(dues, key=lambda each: (dues[each], each))))


def _cells(rows: Sequence[Any], at: int, period: str) -> Iterator[Cell]:
    """The cells of one day: its class is in column ``at``, None for assignments that had not been opened."""
    for row in rows:
        if row[at] is not None and period in ("", row.period):
            yield Cell(row.agency_id, row.name, row.level, row.period, TimeClass(row[at]), row.n, row.due_on)


def from_cells(as_of: date, cells: Iterable[Cell]) -> Standing:
    """Progress as the sum of cells."""
    total: Counter[str] = Counter()
    names: dict[str, tuple[str, str]] = {}
    by_agency: dict[str, Counter[str]] = defaultdict(Counter)
    by_period: dict[str, Counter[str]] = defaultdict(Counter)
    dues: dict[str, date] = {}
    for cell in cells:
        for counted in (total, by_agency[cell.agency_id], by_period[cell.period]):
            counted[BOX[cell.time_class]] += cell.count
        names[cell.agency_id] = cell.name, cell.level
        if cell.due_on is not None:
            dues[cell.period] = min(dues.get(cell.period, date.max), cell.due_on)
    agencies = [AgencyStanding(id_, *names[id_], Boxes(**counted)) for id_, counted in by_agency.items()]
    periods = [PeriodStanding(period, dues.get(period), Boxes(**counted)) for period, counted in by_period.items()]
    return Standing(
        as_of,
        Boxes(**total),
        tuple(sorted(agencies, key=_worst_first)),
        tuple(sorted(periods, key=lambda each: (each.due_on or date.max, each.period))),
    )


def changes(then: Standing, now: Standing) -> tuple[AgencyChange, ...]:
    """Agencies whose figures differ, those with most newly overdue first."""
    was = {each.id: each.tally for each in then.agencies}
    found = [
        AgencyChange(each.id, each.name, was.get(each.id, Boxes()), each.tally)
        for each in now.agencies
        if was.get(each.id, Boxes()) != each.tally
    ]
    return tuple(sorted(found, key=lambda each: (-each.overdue, -each.done, each.name)))


def class_on(as_of: date) -> ColumnElement[TimeClass]:
    """SQL expression: the class of an assignment on a day, by what is known now. «Due soon» counts as «in term»
    here."""
    a = table(Assignment)
    done = a.c.reported_on.is_not(None) & (a.c.reported_on <= as_of)
    statement = case(
        (a.c.due_on.is_(None), literal(TimeClass.NO_DEADLINE.value)),
        (done & (a.c.reported_on <= a.c.due_on), literal(TimeClass.DONE_ON_TIME.value)),
        (done, literal(TimeClass.DONE_LATE.value)),
        (a.c.due_on < as_of, literal(TimeClass.OPEN_OVERDUE.value)),
        else_=literal(TimeClass.OPEN_IN_TIME.value),
    )
    return type_coerce(statement, TIME_CLASS)


def counted_on(as_of: date, plan_id: int | None, period: str) -> Sequence[Any]:
    """WHERE conditions: assignments opened by that day and neither cancelled nor transferred."""
    a, p = table(Assignment), table(Plan)
    where: list[Any] = [a.c.state.in_(COUNTED_STATES), a.c.opened_on <= as_of]
    where.append(p.c.state == PlanState.ACTIVE if plan_id is None else a.c.plan_id == plan_id)
    if period:
        where.append(a.c.period == period)
    return where


def _worst_first(each: AgencyStanding) -> tuple[float, int, str]:
    rate_now = each.tally.rate
    return (101.0 if rate_now is None else rate_now, -each.tally.overdue, each.name)
