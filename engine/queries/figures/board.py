"""The board: summary, the four boxes, and the matrix agency x period. One grouped query feeds all three.

What an agency is ordered to do and what it is asked for («Đề nghị») are counted apart: requests stand on lines of their
own, in no total and no ranking.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from functools import lru_cache, partial
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Integer,
    RowMapping,
    Select,
    and_,
    bindparam,
    cast,
    func,
    literal,
    select,
    true,
)
from sqlmodel import Session

from engine.assignments import situations
from engine.assignments.situations import report_timing_column
from engine.queries.directory import directory_order
from engine.queries.filter_choices import Orders
from engine.queries.time_class import Thresholds, Today, time_class, worst
from engine.queries.work.assignments import AssignmentFilter, conditions
from engine.rules.words import name_order
from engine.store.data_versions import Topic, ask, by_agency, depends_on
from engine.store.database import table, unindexed
from engine.store.records import Agency, Assignment, Duty, Plan
from engine.store.records.work import PROMISED_ASSIGNMENT
from engine.terms import TimeClass, Timing

RUNNING = AssignmentFilter(past=False)
"""All but the plans past their last date, which wait to be ended."""
COMING = (TimeClass.OPEN_IN_TIME, TimeClass.DUE_SOON, TimeClass.NO_DEADLINE)


@dataclass(frozen=True, slots=True)
class Measures:
    """Numbers of assignments by the two measures (``engine.assignments.situations``): tasks ``done``; and of the
    reports ``reported`` (in, even if returned since), ``on_time`` of these, ``returned`` now, ``undone``: in, but the
    task is not finished."""

    done: int = 0
    reported: int = 0
    on_time: int = 0
    returned: int = 0
    undone: int = 0

    @classmethod
    def of(cls, row: RowMapping) -> Measures:
        """From a row with the columns of ``summed_columns``."""
        return cls(**{name: row[name] for name in _MEASURES})

    @classmethod
    def sum(cls, each: Sequence[Measures]) -> Measures:
        return cls(**{name: sum(map(value, each)) for name, value in _MEASURES.items()})


_CLASS_COUNTS = itemgetter(*(each.value for each in TimeClass))
"""Of the mapping of a row with a column a class: their values, in the order of ``TimeClass``."""
_CLASSES = tuple(TimeClass)
_MEASURES = {each.name: attrgetter(each.name) for each in fields(Measures)}


@dataclass(frozen=True)
class Counts:
    """Assignments per time class; ``earliest`` is the first due date of those not yet due, ``late_since`` the oldest
    overdue one."""

    by_class: Mapping[TimeClass, int]
    earliest: date | None = None
    late_since: date | None = None
    measures: Measures = Measures()

    @classmethod
    def of(cls, row: RowMapping) -> Counts:
        """From a row with the columns of ``summed_columns``."""
        by_class = {each: n for each, n in zip(_CLASSES, _CLASS_COUNTS(row), strict=True) if n}
        return cls(by_class, row["coming"], row["late"], Measures.of(row))

    @property
    def expected(self) -> int:
        return sum(self.by_class.values())

    @property
    def reported(self) -> int:
        return self.measures.reported

    @property
    def done(self) -> int:
        return self.measures.done

    @property
    def overdue(self) -> int:
        return self.by_class.get(TimeClass.OPEN_OVERDUE, 0)

    @property
    def worst(self) -> TimeClass:
        return worst(self.by_class)


@dataclass(frozen=True)
class AgencyLine:
    """Counts of an agency, in total and by period."""

    id: str
    name: str
    level: str
    total: Counts
    cells: Mapping[str, Counts]


@dataclass(frozen=True, kw_only=True)
class Board:
    """``total`` and ``agencies`` (in directory order) count what is ordered; ``asked_total`` and ``asked`` what is
    asked for. ``periods`` by due date. ``latest``: the agencies that have been overdue for longest, all since the same
    day. ``choices``: all periods the filter can select, by due date."""

    total: Counts
    periods: tuple[str, ...]
    agencies: tuple[AgencyLine, ...]
    latest: tuple[AgencyLine, ...]
    asked_total: Counts
    asked: tuple[AgencyLine, ...]
    choices: tuple[str, ...] = ()

    @property
    def most(self) -> tuple[AgencyLine, ...]:
        """Those of ``latest`` with the most overdue tasks, which are equally many."""
        most = max((line.total.overdue for line in self.latest), default=0)
        return tuple(line for line in self.latest if line.total.overdue == most)

    @property
    def sorts(self) -> Orders[AgencyLine]:
        """By name; furthest behind first; by missing reports of a period, most first."""
        by_period = {period: partial(_most_missing, period) for period in self.periods}
        return {"name": lambda line: name_order(line.name), "late": _lateness, **by_period}

    def late_for(self, days: int, today: Today) -> Board:
        """Only agencies with an assignment overdue for at least ``days`` working days; the total is unchanged."""
        late = (line for line in self.agencies if -(today.days_left(line.total.late_since) or 0) >= days)
        return replace(self, agencies=tuple(line for line in late if line.total.overdue))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cell:
    """One agency and period, ordered or asked; ``first`` is the earliest due date of any assignment in it."""

    agency_id: str
    name: str
    level: str
    period: str
    request: bool
    first: date | None
    counts: Counts


@depends_on(Topic.PLANS, Topic.WORK, Topic.DIRECTORY)
def board(session: Session, today: Today, wanted: AssignmentFilter) -> Board:
    """The board for a filter. It reads all periods, because the others are offered as choices."""
    known = ask(session, cells_of_each, today, replace(wanted, period=""))
    cells = [cell for _, of in sorted(known.items()) for cell in of]
    found = _board([cell for cell in cells if wanted.period in ("", cell.period)])
    return replace(found, choices=_by_due_date(cells))


_CellsByAgency = Mapping[str, Sequence[_Cell]]


@by_agency(Topic.PLANS, Topic.WORK, Topic.DIRECTORY)
def cells_of_each(
    session: Session, today: Today, wanted: AssignmentFilter, *, agencies: Collection[str] | None = None
) -> _CellsByAgency:
    """The cells of each agency by period, in one query."""
    connection = session.connection()
    statement = _statement(connection.dialect.name, today.thresholds, wanted, agencies is not None)
    given = {} if agencies is None else {"agencies": sorted(agencies)}
    found = [_cell(row) for row in connection.execute(statement, given).mappings()]
    return {agency_id: tuple(of) for agency_id, of in groupby(found, attrgetter("agency_id"))}


@dataclass(frozen=True, slots=True)
class PromisedCounts:
    """Unfinished tasks that were promised for a day to come, and those whose promised day has passed."""

    standing: int = 0
    past: int = 0


@depends_on(Topic.PLANS, Topic.WORK, Topic.DIRECTORY)
def promised_counts(session: Session, today: Today, wanted: AssignmentFilter) -> PromisedCounts:
    """Of a filter, without requests. One query, by the index of what is promised."""
    a, d, p = table(Assignment), table(Duty), table(Plan)
    wanted = replace(wanted, promised=None, finished=False, request=False)
    past = func.count().filter(situations.promise_past(today.day))
    statement = select(func.count().label("n"), past.label("past")).select_from(a)
    statement = statement.join(p, p.c.id == unindexed(a.c.plan_id))
    if wanted.citation:
        statement = statement.join(d, d.c.id == a.c.duty_id)
    found = session.connection().execute(statement.where(PROMISED_ASSIGNMENT, *conditions(wanted, today))).one()
    return PromisedCounts(found.n - found.past, found.past)


@lru_cache(maxsize=32)
def _statement(dialect: str, today: Thresholds, wanted: AssignmentFilter, some: bool = False) -> Select[Any]:
    """``some``: of the agencies in the parameter «agencies» alone."""
    g = table(Agency)
    each, source = _counted(dialect, today, replace(wanted, kind=""), some)
    keys = [each.c[name] for name in ("agency_id", "period", "request", "class", *MEASURED)]
    grouped = (
        select(*keys, cast(func.sum(each.c.n), Integer).label("n"), func.min(each.c.due_on).label("due_on"))
        .select_from(source)
        .group_by(*keys)
        .subquery()
    )
    summed = (
        select(
            grouped.c.agency_id,
            grouped.c.period,
            grouped.c.request,
            func.min(grouped.c.due_on).label("first"),
            *summed_columns(grouped),
        )
        .group_by(grouped.c.agency_id, grouped.c.period, grouped.c.request)
        .subquery()
    )
    owner, *others = summed.c  # the names come last: grouping and sorting by them costs as much as counting
    return (
        select(owner, g.c.name, g.c.level, *others)
        .join(g, g.c.id == owner)
        .where(*([g.c.level == wanted.kind] if wanted.kind else ()))
        .order_by(owner, summed.c.period, summed.c.request)
    )


def _counted(dialect: str, today: Thresholds, wanted: AssignmentFilter, some: bool) -> tuple[Any, Any]:
    """The assignments by agency, period, due date and class, and the FROM clause for selecting them.

    Of some agencies they are read by the index of an agency. Of all, on PostgreSQL, the OFFSET keeps the lateral
    subquery from being flattened, so plans are read one by one through the index: the default plan joins every row to
    the plans (half as slow again) and reads plans that ended long ago.
    """
    a, p = table(Assignment), table(Plan)
    counted = select(a.c.agency_id, a.c.period, *counted_columns(today))
    counted = counted.where(a.c.plan_id == p.c.id, situations.counted(), *conditions(wanted, today))
    if some:
        counted = counted.where(a.c.agency_id.in_(bindparam("agencies", expanding=True)))
    elif dialect == "postgresql":
        by_plan = counted.correlate(p).offset(0).lateral()
        return by_plan, p.join(by_plan, true())
    each = counted.subquery()
    return each, each


MEASURED = ("done", "reporting", "stands")


def counted_columns(today: Thresholds) -> list[Any]:
    """The columns of the ``assignment`` table that ``summed_columns`` counts: whether it is asked for, its due date and
    time class, whether it is done, the timeliness of the first report, whether a report stands."""
    a = table(Assignment)
    return [
        a.c.request,
        a.c.due_on,
        time_class(today).label("class"),
        a.c.done_on.is_not(None).label("done"),
        report_timing_column().label("reporting"),
        a.c.outcome.is_not(None).label("stands"),
        literal(1).label("n"),
    ]


def summed_columns(each: FromClause) -> list[ColumnElement[Any]]:
    """The columns of ``Counts``: over the rows of a subquery with ``counted_columns``, whose ``n`` may be a sum."""
    n, which, due = each.c.n, each.c["class"], each.c.due_on
    reported = each.c.reporting != Timing.OPEN.value
    conditions = {
        "done": each.c.done,
        "reported": reported,
        "on_time": each.c.reporting == Timing.ON_TIME.value,
        "returned": and_(reported, ~each.c.stands),
        "undone": and_(each.c.stands, ~each.c.done),
    }
    return [
        func.min(due).filter(which.in_(COMING)).label("coming"),
        func.min(due).filter(which == TimeClass.OPEN_OVERDUE).label("late"),
        *(func.coalesce(func.sum(n).filter(condition), 0).label(name) for name, condition in conditions.items()),
        *(func.sum(n).filter(which == one).label(one.value) for one in TimeClass),
    ]


def _board(cells: Sequence[_Cell]) -> Board:
    orders, asked = ([cell for cell in cells if cell.request is request] for request in (False, True))
    agencies = _lines(orders)
    late = [line for line in agencies if line.total.overdue and line.total.late_since]
    oldest = min((line.total.late_since for line in late if line.total.late_since), default=None)
    latest = tuple(line for line in late if line.total.late_since == oldest)
    return Board(
        total=_counts(orders),
        periods=_by_due_date(cells),
        agencies=agencies,
        latest=latest,
        asked_total=_counts(asked),
        asked=_lines(asked),
    )


def _lines(cells: Sequence[_Cell]) -> tuple[AgencyLine, ...]:
    by_agency: dict[str, list[_Cell]] = defaultdict(list)
    for cell in cells:
        by_agency[cell.agency_id].append(cell)
    return tuple(sorted((_line(found) for found in by_agency.values()), key=directory_order))


def _by_due_date(cells: Sequence[_Cell]) -> tuple[str, ...]:
    """Periods by their first due date."""
    first_due: dict[str, date] = {}
    for cell in cells:
        first_due[cell.period] = min(first_due.get(cell.period, date.max), cell.first or date.max)
    return tuple(sorted(first_due, key=lambda period: (first_due[period], period)))


def _line(cells: Sequence[_Cell]) -> AgencyLine:
    one = cells[0]
    return AgencyLine(one.agency_id, one.name, one.level, _counts(cells), {cell.period: cell.counts for cell in cells})


def _cell(row: RowMapping) -> _Cell:
    return _Cell(
        agency_id=row["agency_id"],
        name=row["name"],
        level=row["level"],
        period=row["period"],
        request=bool(row["request"]),
        first=row["first"],
        counts=Counts.of(row),
    )


def _counts(cells: Sequence[_Cell]) -> Counts:
    return total([cell.counts for cell in cells])


def total(counts: Sequence[Counts]) -> Counts:
    """The sum of several counts."""
    by_class: dict[TimeClass, int] = {}
    for one in counts:
        for each, n in one.by_class.items():
            by_class[each] = by_class.get(each, 0) + n
    coming = min((one.earliest for one in counts if one.earliest), default=None)
    late = min((one.late_since for one in counts if one.late_since), default=None)
    return Counts(by_class, coming, late, Measures.sum([one.measures for one in counts]))


def _most_missing(period: str, line: AgencyLine) -> tuple[int, tuple[str, str]]:
    """By the reports of the period that are expected and not in; those of whom nothing is expected last."""
    cell = line.cells.get(period)
    return cell.reported - cell.expected if cell else 1, name_order(line.name)


def _lateness(line: AgencyLine) -> tuple[date, int, date, tuple[str, str]]:
    """Longest overdue first, then most overdue, then what is due next."""
    of = line.total
    return of.late_since or date.max, -of.overdue, of.earliest or date.max, name_order(line.name)
