"""The board: summary, the four boxes, and the matrix agency x period. One grouped query feeds all three."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import func, literal, select, true
from sqlmodel import Session

from engine.assignments.counters import counter_totals
from engine.queries.time_class import BOXES, Today, counter_class, time_class, worst
from engine.queries.work.assignments import AssignmentFilter, conditions
from engine.rules.words import level_rank
from engine.store.database import table
from engine.store.records import Agency, Assignment, Duty, Plan
from engine.terms import COUNTED_STATES, TimeClass

DONE = (TimeClass.DONE_ON_TIME, TimeClass.DONE_LATE)
COMING = tuple(each for each in TimeClass if each not in (*DONE, TimeClass.OPEN_OVERDUE))


@dataclass(frozen=True)
class Counts:
    """Assignments per time class; ``earliest`` is the first due date of those not yet due, ``late_since`` the oldest
    overdue one."""

    by_class: Mapping[TimeClass, int]
    earliest: date | None = None
    late_since: date | None = None

    @property
    def expected(self) -> int:
        return sum(self.by_class.values())

    @property
    def reported(self) -> int:
        return sum(self.by_class.get(each, 0) for each in DONE)

    @property
    def overdue(self) -> int:
        return self.by_class.get(TimeClass.OPEN_OVERDUE, 0)

    @property
    def soon(self) -> int:
        return self.by_class.get(TimeClass.DUE_SOON, 0)

    @property
    def worst(self) -> TimeClass:
        return worst(self.by_class)

    def box(self, which: TimeClass) -> int:
        return sum(self.by_class.get(each, 0) for each in BOXES[which])


@dataclass(frozen=True)
class AgencyLine:
    """Counts of an agency, in total and by period."""

    id: str
    name: str
    level: str
    total: Counts
    cells: Mapping[str, Counts]


@dataclass(frozen=True)
class Board:
    """``agencies`` in directory order, ``periods`` by due date. ``latest``: the agency furthest behind. ``choices``:
    all periods the filter can select, by due date."""

    total: Counts
    periods: tuple[str, ...]
    agencies: tuple[AgencyLine, ...]
    latest: AgencyLine | None
    choices: tuple[str, ...] = ()

    def by_lateness(self) -> tuple[AgencyLine, ...]:
        return tuple(sorted(self.agencies, key=_lateness))

    def late_for(self, days: int, today: Today) -> Board:
        """Only agencies with an assignment overdue for at least ``days`` working days; the total is unchanged."""
        late = (line for line in self.agencies if -(today.days_left(line.total.late_since) or 0) >= days)
        return replace(self, agencies=tuple(line for line in late if line.total.overdue))


@dataclass(frozen=True, slots=True)
class _Cell:
    """One agency and period; ``first`` is the earliest due date of any assignment in it."""

    agency_id: str
    name: str
    level: str
    period: str
    first: date | None
    counts: Counts


def board(session: Session, today: Today, wanted: AssignmentFilter) -> Board:
    """The board for a filter, in one query. It reads all periods, because the others are offered as choices."""
    g = table(Agency)
    each, source = _counted(session, today, replace(wanted, period="", kind=""))
    n, which, due = each.c.n, each.c["class"], each.c.due_on
    grouped = (
        select(each.c.agency_id, each.c.period, which, func.sum(n).label("n"), func.min(due).label("due_on"))
        .select_from(source)
        .group_by(each.c.agency_id, each.c.period, which)
        .subquery()
    )
    n, which, due = grouped.c.n, grouped.c["class"], grouped.c.due_on
    statement = (
        select(
            grouped.c.agency_id,
            g.c.name,
            g.c.level,
            grouped.c.period,
            func.min(due),
            func.min(due).filter(which.in_(COMING)),
            func.min(due).filter(which == TimeClass.OPEN_OVERDUE),
            *(func.sum(n).filter(which == each) for each in TimeClass),
        )
        .join(g, g.c.id == grouped.c.agency_id)
        .where(*([g.c.level == wanted.kind] if wanted.kind else ()))
        .group_by(grouped.c.agency_id, g.c.name, g.c.level, g.c.code, grouped.c.period)
        .order_by(g.c.code, g.c.name)
    )
    cells = [_cell(row) for row in session.connection().execute(statement)]
    found = _board([cell for cell in cells if wanted.period in ("", cell.period)])
    return replace(found, choices=_by_due_date(cells))


def _counted(session: Session, today: Today, wanted: AssignmentFilter) -> tuple[Any, Any]:
    """Counts by agency, period, due date and class, and the FROM clause for selecting them. Without a filter they come
    from the counter table; otherwise assignments are counted.

    On PostgreSQL the OFFSET keeps the lateral subquery from being flattened, so plans are read one by one through the
    index: the default plan joins every row to the plans (half as slow again) and reads plans that ended long ago.
    """
    a, d, p = table(Assignment), table(Duty), table(Plan)
    if wanted == AssignmentFilter():
        counters = counter_totals()
        each = select(
            counters.c.agency_id,
            counters.c.period,
            counters.c.due_on,
            counter_class(today, counters).label("class"),
            counters.c.n,
        ).subquery()
        return each, each
    counted = select(a.c.agency_id, a.c.period, a.c.due_on, time_class(today).label("class"), literal(1).label("n"))
    counted = counted.where(a.c.plan_id == p.c.id, a.c.state.in_(COUNTED_STATES), *conditions(wanted, today))
    if wanted.citation:
        counted = counted.where(d.c.id == a.c.duty_id)
    if session.connection().dialect.name == "postgresql":
        by_plan = counted.correlate(p).offset(0).lateral()
        return by_plan, p.join(by_plan, true())
    each = counted.subquery()
    return each, each


def _board(cells: Sequence[_Cell]) -> Board:
    by_agency: dict[str, list[_Cell]] = defaultdict(list)
    for cell in cells:
        by_agency[cell.agency_id].append(cell)
    agencies = tuple(sorted((_line(found) for found in by_agency.values()), key=lambda line: level_rank(line.level)))
    latest = min((line for line in agencies if line.total.overdue), key=_lateness, default=None)
    return Board(_counts(cells), _by_due_date(cells), agencies, latest)


def _by_due_date(cells: Sequence[_Cell]) -> tuple[str, ...]:
    """Periods by their first due date."""
    first_due: dict[str, date] = {}
    for cell in cells:
        first_due[cell.period] = min(first_due.get(cell.period, date.max), cell.first or date.max)
    return tuple(sorted(first_due, key=lambda period: (first_due[period], period)))


def _line(cells: Sequence[_Cell]) -> AgencyLine:
    one = cells[0]
    return AgencyLine(one.agency_id, one.name, one.level, _counts(cells), {cell.period: cell.counts for cell in cells})


def _cell(row: Any) -> _Cell:
    agency_id, name, level, period, first, coming, late, *by_class_counts = row
    by_class = {each: int(n) for each, n in zip(TimeClass, by_class_counts, strict=True) if n}
    return _Cell(agency_id, name, level, period, first, Counts(by_class, coming, late))


def _counts(cells: Sequence[_Cell]) -> Counts:
    """The sum of several cells."""
    by_class: dict[TimeClass, int] = {}
    for cell in cells:
        for each, n in cell.counts.by_class.items():
            by_class[each] = by_class.get(each, 0) + n
    coming = min((cell.counts.earliest for cell in cells if cell.counts.earliest), default=None)
    late = min((cell.counts.late_since for cell in cells if cell.counts.late_since), default=None)
    return Counts(by_class, coming, late)


def _lateness(line: AgencyLine) -> tuple[date, int, date, str]:
    """Longest overdue first, then most overdue, then what is due next."""
    return (line.total.late_since or date.max, -line.total.overdue, line.total.earliest or date.max, line.name)
