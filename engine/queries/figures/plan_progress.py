"""Progress of plans on a given day: the four boxes, the on-time rate by agency (worst first), totals by period.

Used for today's figures, for comparison of two days, and for published figures. Computed from what is known now
about that day: a report returned since counts as not done, and an extension granted since counts. Requests («Đề nghị»)
are counted apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import chain

from sqlalchemy import ColumnElement, func, select
from sqlmodel import Session

from engine.assignments import situations
from engine.assignments.situations import BOX, BOX_VALUES, Boxes, box_conditions
from engine.queries.filter_choices import Orders
from engine.rules.words import name_order
from engine.store.data_versions import Topic, ask, by_agency, depends_on, of_agencies
from engine.store.database import table
from engine.store.records import Agency, Assignment, Plan
from engine.terms import PlanState, TimeClass, Timing


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


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Progress on one day; ``agencies`` worst first, ``periods`` by due date. ``asked`` and ``asked_total``: requests,
    which are in none of the others."""

    as_of: date
    total: Boxes
    agencies: tuple[AgencyStanding, ...]
    periods: tuple[PeriodStanding, ...]
    asked_total: Boxes = field(default_factory=Boxes)
    asked: tuple[AgencyStanding, ...] = ()

    @property
    def boxes(self) -> Mapping[str, Boxes]:
        """Of each agency."""
        return {each.id: each.tally for each in self.agencies}


STANDING_SORTS: Orders[AgencyStanding] = {
    "name": lambda each: name_order(each.name),
    "on_time": lambda each: (each.tally.on_time, name_order(each.name)),
    "rate": lambda each: (-1.0 if each.tally.rate is None else each.tally.rate, name_order(each.name)),
    "done_late": lambda each: (each.tally.late, name_order(each.name)),
    "overdue": lambda each: (each.tally.overdue, name_order(each.name)),
}
"""The orders of a standing's agencies; their own is worst first. No rate counts as the lowest."""


@dataclass(frozen=True)
class Standings:
    """Progress on several days. ``choices``: all periods the filter can select, by due date."""

    days: tuple[Standing, ...]
    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """The assignments of an agency and period. ``due_on``: the first due date of them, or of the whole period."""

    agency_id: str
    name: str
    level: str
    period: str
    request: bool
    due_on: date | None
    boxes: Boxes


def boxes_of_one(time_class: TimeClass, reporting: Timing, *, done: bool, stands: bool) -> Boxes:
    """What one assignment counts as. ``reporting``: timeliness of the first report; ``stands``: a report stands, it was
    not returned."""
    reported = reporting is not Timing.OPEN
    return Boxes(
        **{BOX[time_class]: 1},
        reported=int(reported),
        reported_on_time=int(reporting is Timing.ON_TIME),
        returned=int(reported and not stands),
        undone=int(reported and stands and not done),
    )


def standing(
    session: Session, as_of: date, *, plan_id: int | None = None, period: str = "", without: Collection[int] = ()
) -> Standing:
    """Progress on one day; of all active plans but those of ``without``, unless one is given."""
    return standings(session, (as_of,), plan_id=plan_id, period=period, without=without).days[0]


@depends_on(Topic.PLANS, Topic.WORK, Topic.DIRECTORY)
def standings(
    session: Session,
    days: Sequence[date],
    *,
    plan_id: int | None = None,
    period: str = "",
    without: Collection[int] = (),
) -> Standings:
    """Progress on several days."""
    cells = [list(chain(*ask(session, cells_on, day, plan_id, tuple(without)).values())) for day in days]
    first_due: dict[str, date] = {}
    for cell in chain(*cells):
        first_due[cell.period] = min(first_due.get(cell.period, date.max), cell.due_on or date.max)
    found = (
        from_cells(day, (cell for cell in known if period in ("", cell.period)))
        for day, known in zip(days, cells, strict=True)
    )
    return Standings(tuple(found), tuple(sorted(first_due, key=lambda each: (first_due[each], each))))


_CellsByAgency = Mapping[str, Sequence[Cell]]


@by_agency(Topic.PLANS, Topic.WORK, Topic.DIRECTORY)
def cells_on(
    session: Session,
    day: date,
    plan_id: int | None,
    without: tuple[int, ...],
    *,
    agencies: Collection[str] | None = None,
) -> _CellsByAgency:
    """Each agency's assignments on a day, by period; of one plan, or of all active ones but those ``without`` which."""
    a, p, g = table(Assignment), table(Plan), table(Agency)
    each = (
        select(
            a.c.agency_id,
            a.c.period,
            a.c.request,
            a.c.due_on,
            *situations.measured_on(day),
        )
        .join(p, p.c.id == a.c.plan_id)
        .where(*counted_on(day, plan_id, ""), a.c.plan_id.not_in(without), *of_agencies(a.c.agency_id, agencies))
        .subquery()
        .c
    )
    keys = each.agency_id, each.period, each.request
    boxes = [func.count().filter(condition).label(name) for name, condition in box_conditions(each).items()]
    summed = select(*keys, func.min(each.due_on).label("due_on"), *boxes).group_by(*keys).subquery()
    owner, *others = summed.c  # the names come last: grouping by them costs as much as counting
    statement = select(owner, g.c.name, g.c.level, *others).join(g, g.c.id == owner)
    found: dict[str, list[Cell]] = defaultdict(list)
    statement = statement.order_by(owner, summed.c.period, summed.c.request)
    for row in session.connection().execute(statement).mappings():
        cell = Cell(
            agency_id=row["agency_id"],
            name=row["name"],
            level=row["level"],
            period=row["period"],
            request=bool(row["request"]),
            due_on=row["due_on"],
            boxes=Boxes(**{name: row[name] for name in BOX_VALUES}),
        )
        found[cell.agency_id].append(cell)
    return dict(found)


def from_cells(as_of: date, cells: Iterable[Cell]) -> Standing:
    """Progress as the sum of cells."""
    known = list(cells)
    orders, asked = ([each for each in known if each.request is request] for request in (False, True))
    by_period: dict[str, list[Boxes]] = defaultdict(list)
    dues: dict[str, date] = {}
    for cell in orders:
        by_period[cell.period].append(cell.boxes)
        if cell.due_on is not None:
            dues[cell.period] = min(dues.get(cell.period, date.max), cell.due_on)
    periods = [PeriodStanding(period, dues.get(period), Boxes.sum(boxes)) for period, boxes in by_period.items()]
    return Standing(
        as_of=as_of,
        total=Boxes.sum([each.tally for each in periods]),
        agencies=_by_agency(orders),
        periods=tuple(sorted(periods, key=lambda each: (each.due_on or date.max, each.period))),
        asked_total=Boxes.sum([each.boxes for each in asked]),
        asked=_by_agency(asked),
    )


def _by_agency(cells: Iterable[Cell]) -> tuple[AgencyStanding, ...]:
    names: dict[str, tuple[str, str]] = {}
    counted: dict[str, list[Boxes]] = defaultdict(list)
    for cell in cells:
        names[cell.agency_id] = cell.name, cell.level
        counted[cell.agency_id].append(cell.boxes)
    agencies = [AgencyStanding(id_, *names[id_], Boxes.sum(boxes)) for id_, boxes in counted.items()]
    return tuple(sorted(agencies, key=_worst_first))


def counted_on(as_of: date, plan_id: int | None, period: str) -> Sequence[ColumnElement[bool]]:
    """WHERE conditions: assignments opened by that day and neither cancelled nor transferred."""
    a, p = table(Assignment), table(Plan)
    where: list[ColumnElement[bool]] = [situations.counted(), a.c.opened_on <= as_of]
    where.append(p.c.state == PlanState.ACTIVE if plan_id is None else a.c.plan_id == plan_id)
    if period:
        where.append(a.c.period == period)
    return where


def _worst_first(each: AgencyStanding) -> tuple[float, int, tuple[str, str]]:
    return (101.0 if each.tally.rate is None else each.tally.rate, -each.tally.overdue, name_order(each.name))
