"""Progress of plans on a given day: the four boxes, the on-time rate by agency (worst first), totals by period.

Used for today's figures, for comparison with last week, and for published figures. Computed from what is known now
about that day: a report returned since counts as not done, and an extension granted since counts. Requests («Đề nghị»)
are counted apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement, case, func, select
from sqlmodel import Session

from engine.assignments.measures import report_timing_column, time_class_column
from engine.queries.figures.reporting_rates import rate
from engine.rules.calendar import ONE_DAY
from engine.store.database import table
from engine.store.records import Agency, Assignment, Plan
from engine.terms import COUNTED_STATES, PlanState, TimeClass, Timing


@dataclass(frozen=True, slots=True)
class Boxes:
    """Tasks per box, and their reports. ``rate``: percentage done on time of those done or past due; None while nothing
    has come due. Assignments not yet due do not count. ``reported``: reports in, of which ``reported_on_time``,
    ``returned`` since, and ``undone``: in, but the task is not finished."""

    on_time: int = 0
    late: int = 0
    in_term: int = 0
    overdue: int = 0
    no_deadline: int = 0
    reported: int = 0
    reported_on_time: int = 0
    returned: int = 0
    undone: int = 0

    @property
    def expected(self) -> int:
        return self.on_time + self.late + self.in_term + self.overdue + self.no_deadline

    @property
    def judged(self) -> int:
        return self.on_time + self.late + self.overdue

    @property
    def rate(self) -> float | None:
        return rate(self.on_time, self.judged)

    @classmethod
    def sum(cls, boxes: Sequence[Boxes]) -> Boxes:
        return cls(*(sum(map(value, boxes)) for value in _VALUES))


_VALUES = tuple(attrgetter(each.name) for each in fields(Boxes))


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
    """Progress on one day; ``agencies`` worst first, ``periods`` by due date. ``asked`` and ``asked_total``: requests,
    which are in none of the others."""

    as_of: date
    total: Boxes
    agencies: tuple[AgencyStanding, ...]
    periods: tuple[PeriodStanding, ...]
    asked_total: Boxes = Boxes()
    asked: tuple[AgencyStanding, ...] = ()


STANDING_SORTS = ("name", "on_time", "rate", "done_late", "overdue")
"""The columns by which a standing's agencies can be sorted; its own order is worst first."""


def sorted_agencies(agencies: Sequence[AgencyStanding], sort: str) -> tuple[AgencyStanding, ...]:
    """By a column of ``STANDING_SORTS`` («-rate»: backwards); without one as they are. No rate counts as the lowest."""
    if not sort:
        return tuple(agencies)

    def key(each: AgencyStanding) -> tuple[float, str]:
        tally = each.tally
        rate = -1.0 if tally.rate is None else tally.rate
        values = {
            "name": 0.0,
            "on_time": tally.on_time,
            "rate": rate,
            "done_late": tally.late,
            "overdue": tally.overdue,
        }
        return values[sort.removeprefix("-")], each.name

    return tuple(sorted(agencies, key=key, reverse=sort.startswith("-")))


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
    """The number of assignments of an agency and period that are alike by both measures. ``reporting``: timeliness of
    the first report; ``stands``: a report stands, it was not returned."""

    agency_id: str
    name: str
    level: str
    period: str
    time_class: TimeClass
    count: int
    due_on: date | None
    reporting: Timing = Timing.OPEN
    done: bool = False
    stands: bool = False
    request: bool = False

    @property
    def boxes(self) -> Boxes:
        reported, box = self.reporting is not Timing.OPEN, BOX[self.time_class]
        return Boxes(
            **{box: self.count},
            reported=self.count if reported else 0,
            reported_on_time=self.count if self.reporting is Timing.ON_TIME else 0,
            returned=self.count if reported and not self.stands else 0,
            undone=self.count if reported and self.stands and not self.done else 0,
        )


def standing(session: Session, as_of: date, *, plan_id: int | None = None, period: str = "") -> Standing:
    """Progress on one day, in one query; of all active plans unless one is given."""
    return standings(session, (as_of,), plan_id=plan_id, period=period).days[0]


def standings(session: Session, days: Sequence[date], *, plan_id: int | None = None, period: str = "") -> Standings:
    """Progress on several days, in one query."""
    a, p, g = table(Assignment), table(Plan), table(Agency)
    stands = a.c.outcome.is_not(None).label("stands")
    on = [case((a.c.opened_on <= day, class_on(day))).label(f"on_{n}") for n, day in enumerate(days)]
    on += [report_timing_column(day).label(f"reporting_{n}") for n, day in enumerate(days)]
    on += [done_on_day(day).label(f"done_{n}") for n, day in enumerate(days)]
    each = (
        select(a.c.agency_id, a.c.period, a.c.due_on, a.c.request, stands, *on)
        .select_from(a)
        .join(p, p.c.id == a.c.plan_id)
        .where(*counted_on(max(days), plan_id, ""))
        .subquery()
    )
    keys = [each.c[name] for name in ("agency_id", "period", "request", "stands", *(label.name for label in on))]
    grouped = select(*keys, func.count().label("n"), func.min(each.c.due_on).label("due_on")).group_by(*keys).subquery()
    statement = select(grouped, g.c.name, g.c.level).join(g, g.c.id == grouped.c.agency_id)
    rows = session.connection().execute(statement).all()
    found = tuple(from_cells(day, _cells(rows, n, period)) for n, day in enumerate(days))
    dues = {row.period: row.due_on or date.max for row in sorted(rows, key=lambda row: row.due_on or date.max)[::-1]}
    return Standings(found, tuple(sorted(dues, key=lambda each: (dues[each], each))))


def _cells(rows: Sequence[Any], nth: int, period: str) -> Iterator[Cell]:
    """The cells of the nth day: its class is None for assignments that had not been opened."""
    for row in rows:
        found, reporting = getattr(row, f"on_{nth}"), getattr(row, f"reporting_{nth}")
        if found is not None and period in ("", row.period):
            yield Cell(
                row.agency_id,
                row.name,
                row.level,
                row.period,
                TimeClass(found),
                row.n,
                row.due_on,
                Timing(reporting),
                bool(getattr(row, f"done_{nth}")),
                bool(row.stands),
                bool(row.request),
            )


def from_cells(as_of: date, cells: Iterable[Cell]) -> Standing:
    """Progress as the sum of cells."""
    known = [(cell, cell.boxes) for cell in cells]
    orders, asked = ([each for each in known if each[0].request is request] for request in (False, True))
    by_period: dict[str, list[Boxes]] = defaultdict(list)
    dues: dict[str, date] = {}
    for cell, boxes in orders:
        by_period[cell.period].append(boxes)
        if cell.due_on is not None:
            dues[cell.period] = min(dues.get(cell.period, date.max), cell.due_on)
    periods = [PeriodStanding(period, dues.get(period), Boxes.sum(boxes)) for period, boxes in by_period.items()]
    return Standing(
        as_of,
        Boxes.sum([each.tally for each in periods]),
        _by_agency(orders),
        tuple(sorted(periods, key=lambda each: (each.due_on or date.max, each.period))),
        Boxes.sum([boxes for _, boxes in asked]),
        _by_agency(asked),
    )


def _by_agency(cells: Iterable[tuple[Cell, Boxes]]) -> tuple[AgencyStanding, ...]:
    names: dict[str, tuple[str, str]] = {}
    counted: dict[str, list[Boxes]] = defaultdict(list)
    for cell, boxes in cells:
        names[cell.agency_id] = cell.name, cell.level
        counted[cell.agency_id].append(boxes)
    agencies = [AgencyStanding(id_, *names[id_], Boxes.sum(boxes)) for id_, boxes in counted.items()]
    return tuple(sorted(agencies, key=_worst_first))


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
    return time_class_column(as_of, as_of - ONE_DAY, as_of)


def done_on_day(as_of: date) -> ColumnElement[bool]:
    """SQL expression: true if the task was done by the end of a day; never null."""
    a = table(Assignment)
    return func.coalesce(a.c.done_on <= as_of, False)


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
