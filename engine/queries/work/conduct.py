"""How work is conducted, beside its timeliness: promises kept, outputs complete, and how long it takes to acknowledge,
to report and to accept; by agency and by the department above. Requests («Đề nghị») are in none of it.

Times are medians of working days, from the newest ``MAX_EVENTS``. Read for pages of figures, papers and the API, never
for the board.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from statistics import median
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, case, func, or_, select
from sqlmodel import Session

from engine.queries.time_class import Today
from engine.queries.work.assignments import AssignmentFilter, conditions, joined
from engine.rules.calendar import WorkCalendar, local_date
from engine.store.data_versions import Topic, depends_on
from engine.store.database import among, table, unindexed
from engine.store.named_rows import objects
from engine.store.records import Agency, Assignment, Event, Promise, Report
from engine.store.records.work import JUDGED
from engine.terms import COUNTED_STATES, EventKind, PromiseState, State

MAX_EVENTS, MAX_EVENTS_OF_ONE = 5_000, 1_000
"""Of the newest, that are looked at for one answer; of one agency those of some three hundred tasks."""
STEPS = (EventKind.ACKNOWLEDGED, EventKind.REPORTED, EventKind.ACCEPTED, EventKind.RETURNED, EventKind.UNDONE)


@dataclass(frozen=True, kw_only=True)
class Conduct:
    """Of one agency or department, or of all. ``kept`` of ``promises`` whose day has come; ``complete`` of ``outputs``
    that were owed with a report accepted as done. Medians in working days, None without a single one: from the opening
    to the acknowledgement and to the first report, and from a report to its acceptance."""

    id: str = ""
    name: str = ""
    promises: int = 0
    kept: int = 0
    outputs: int = 0
    complete: int = 0
    acknowledge_days: float | None = None
    report_days: float | None = None
    accept_days: float | None = None

    @property
    def missed(self) -> int:
        """Promises broken and outputs missing."""
        return self.promises - self.kept + self.outputs - self.complete

    @property
    def anything(self) -> bool:
        times = (self.acknowledge_days, self.report_days, self.accept_days)
        return bool(self.promises or self.outputs or any(each is not None for each in times))


@dataclass(frozen=True, kw_only=True)
class ConductOfAll:
    """``agencies`` and ``departments``, most broken promises and missing outputs first; those without anything to say
    are left out."""

    total: Conduct
    agencies: tuple[Conduct, ...]
    departments: tuple[Conduct, ...]

    @property
    def missing(self) -> tuple[Conduct, ...]:
        """The agencies that broke a promise or whose outputs are missing."""
        return tuple(each for each in self.agencies if each.missed)


@dataclass(slots=True)
class _Sums:
    """What adds up to a ``Conduct``; working days of each step."""

    promises: int = 0
    kept: int = 0
    outputs: int = 0
    complete: int = 0
    days: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """An event of an assignment."""

    assignment_id: int
    agency_id: str
    supervisor_id: str
    opened_on: date
    kind: EventKind
    at: datetime
    of: str | None
    """Which step an UNDONE takes back: the one of that kind before it."""


@depends_on(Topic.PLANS, Topic.WORK, Topic.DIRECTORY, Topic.LOG)
def conduct(session: Session, today: Today, wanted: AssignmentFilter) -> ConductOfAll:
    """Of the tasks that a filter selects: a plan, a period, an agency. Four queries."""
    wanted = replace(wanted, states=COUNTED_STATES, request=False)
    by_agency: dict[str, _Sums] = defaultdict(_Sums)
    by_department: dict[str, _Sums] = defaultdict(_Sums)
    every = _Sums()

    def of(agency_id: str, supervisor_id: str) -> tuple[_Sums, _Sums, _Sums]:
        return every, by_agency[agency_id], by_department[supervisor_id]

    for row in _promises(session, today, wanted):
        for each in of(row.agency_id, row.supervisor_id):
            each.promises += row.promises
            each.kept += row.kept
    for row in _outputs(session, today, wanted):
        for each in of(row.agency_id, row.supervisor_id):
            each.outputs += row.outputs
            each.complete += row.complete
    for step, name, days in _durations(_steps(session, today, wanted), today.calendar):
        for each in of(step.agency_id, step.supervisor_id):
            each.days[name].append(days)
    names = _names(session, {*by_agency, *by_department})
    return ConductOfAll(
        total=_conduct("", "", every),
        agencies=_lines(by_agency, names),
        departments=_lines(by_department, names),
    )


def _lines(sums: Mapping[str, _Sums], names: Mapping[str, str]) -> tuple[Conduct, ...]:
    found = (_conduct(id, names.get(id, id), each) for id, each in sums.items())
    return tuple(sorted((each for each in found if each.anything), key=lambda each: (-each.missed, each.name)))


def _conduct(id: str, name: str, sums: _Sums) -> Conduct:
    times = {f"{step}_days": float(median(days)) for step, days in sums.days.items()}
    return Conduct(
        id=id,
        name=name,
        promises=sums.promises,
        kept=sums.kept,
        outputs=sums.outputs,
        complete=sums.complete,
        **times,
    )


def _promises(session: Session, today: Today, wanted: AssignmentFilter) -> Sequence[Any]:
    """Promises kept, and those whose day has passed, by agency."""
    a, p = table(Assignment), table(Promise)
    past = and_(p.c.state == PromiseState.STANDING, p.c.promised_on < today.day)
    ended = or_(p.c.state.in_((PromiseState.KEPT, PromiseState.BROKEN)), past)
    kept = func.sum(case((p.c.state == PromiseState.KEPT, 1), else_=0)).label("kept")
    statement = joined(select(a.c.agency_id, a.c.supervisor_id, func.count().label("promises"), kept))
    statement = statement.join(p, _of_task(p, wanted)).where(*conditions(wanted, today), ended)
    return session.connection().execute(statement.group_by(a.c.agency_id, a.c.supervisor_id)).all()


def _outputs(session: Session, today: Today, wanted: AssignmentFilter) -> Sequence[Any]:
    """Reports accepted as done of duties that owed an output, by agency, and those whose output was complete."""
    a, r = table(Assignment), table(Report)
    complete = func.sum(case((r.c.output_complete, 1), else_=0)).label("complete")
    statement = joined(select(a.c.agency_id, a.c.supervisor_id, func.count().label("outputs"), complete))
    statement = statement.join(r, _of_task(r, wanted)).where(
        *conditions(wanted, today), a.c.state == State.ACCEPTED, JUDGED, r.c.superseded_at.is_(None)
    )
    return session.connection().execute(statement.group_by(a.c.agency_id, a.c.supervisor_id)).all()


def _of_task(source: Table, wanted: AssignmentFilter) -> ColumnElement[bool]:
    """The join of promises or reports with their tasks: of a plan or an agency found by the tasks, else the tasks by
    the few rows there are."""
    a = table(Assignment)
    few = wanted.plan_id is not None or wanted.agency_id
    return (source.c.assignment_id if few else unindexed(source.c.assignment_id)) == a.c.id  # type: ignore[no-any-return]


def _steps(session: Session, today: Today, wanted: AssignmentFilter) -> Sequence[_Step]:
    """The newest events, oldest first."""
    a, e = table(Assignment), table(Event)
    undone = case((e.c.kind == EventKind.UNDONE, e.c.detail["of"].as_string())).label("of")
    what = (e.c.assignment_id, a.c.agency_id, a.c.supervisor_id, a.c.opened_on, e.c.kind, e.c.at, undone)
    statement = joined(select(*what))
    statement = statement.join(e, _of_task(e, wanted)).where(*conditions(wanted, today), e.c.kind.in_(STEPS))
    most = MAX_EVENTS_OF_ONE if wanted.agency_id else MAX_EVENTS
    rows = session.connection().execute(statement.order_by(e.c.id.desc()).limit(most))
    return _standing(objects(_Step, rows)[::-1])


def _standing(steps: Iterable[_Step]) -> list[_Step]:
    """Without the steps that were undone, and without the undoing."""
    last: dict[tuple[int, str], int] = {}
    found: list[_Step | None] = []
    for step in steps:
        if step.of is None:
            last[step.assignment_id, step.kind] = len(found)
            found.append(step)
        elif (place := last.pop((step.assignment_id, step.of), None)) is not None:
            found[place] = None
    return [step for step in found if step is not None]


def _durations(steps: Iterable[_Step], calendar: WorkCalendar) -> Iterator[tuple[_Step, str, int]]:
    """(step, what took so long, working days). A report that was replaced by another before it was accepted, or was
    returned, counts for no acceptance."""
    distances: dict[tuple[date, date], int] = {}
    first, waiting = set[tuple[int, EventKind]](), dict[int, date]()

    def between(start: date, end: date) -> int:
        if (start, end) not in distances:
            distances[start, end] = max(calendar.distance(start, end), 0)
        return distances[start, end]

    for step in steps:
        on, seen = local_date(step.at), (step.assignment_id, step.kind)
        if step.kind is EventKind.ACCEPTED and step.assignment_id in waiting:
            yield step, "accept", between(waiting.pop(step.assignment_id), on)
        elif step.kind is EventKind.RETURNED:
            waiting.pop(step.assignment_id, None)
        elif step.kind is EventKind.REPORTED:
            waiting[step.assignment_id] = on
        if seen not in first and step.kind in (EventKind.ACKNOWLEDGED, EventKind.REPORTED):
            first.add(seen)
            yield step, "acknowledge" if step.kind is EventKind.ACKNOWLEDGED else "report", between(step.opened_on, on)


def _names(session: Session, ids: Collection[str]) -> dict[str, str]:
    g = table(Agency)
    rows = session.connection().execute(select(g.c.id, g.c.name).where(among(session, g.c.id, ids)))
    return {row.id: row.name for row in rows}
