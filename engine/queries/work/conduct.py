"""How work is conducted, beside its timeliness: promises kept, outputs complete, and how long it takes to acknowledge,
to report and to accept; by agency and by the department above. Requests («Đề nghị») are in none of it.

Times are medians of working days, of the newest ``MAX_STEPS`` steps of a province, or of what a filter selects. Read
for pages of figures, papers and the API, never for the board.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from operator import attrgetter
from statistics import median
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, Table, case, func, or_, select
from sqlmodel import Session

from engine.assignments.promise_rows import passed
from engine.queries.time_class import Today
from engine.queries.work.assignments import AssignmentFilter, conditions, joined
from engine.rules.calendar import WorkCalendar, local_date
from engine.rules.words import name_order
from engine.store.data_versions import Topic, ask, by_agency, depends_on, is_read, of_agencies
from engine.store.database import among, table, unindexed
from engine.store.records import Agency, Assignment, Event, Promise, Report
from engine.store.records.work import JUDGED
from engine.store.stored_rows import objects
from engine.terms import COUNTED_STATES, EventKind, PromiseState, State

MAX_STEPS, MAX_STEPS_OF_ONE = 5_000, 1_000
"""Of the newest, that are looked at for one answer; of one agency those of some three hundred tasks."""
WINDOW = 2_000
"""Steps are kept from an event of this round number on, so that a new one does not change what is kept."""
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

    id: int
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
    """Of the tasks that a filter selects: a plan, a period, an agency."""
    wanted = replace(wanted, states=COUNTED_STATES, request=False)
    of_agency: dict[str, _Sums] = defaultdict(_Sums)
    of_department: dict[str, _Sums] = defaultdict(_Sums)
    every = _Sums()

    def of(agency_id: str, supervisor_id: str) -> tuple[_Sums, _Sums, _Sums]:
        return every, of_agency[agency_id], of_department[supervisor_id]

    for agency_id, words in ask(session, words_of_each, today, wanted).items():
        for line in words:
            for each in of(agency_id, line.supervisor_id):
                each.promises += line.promises
                each.kept += line.kept
                each.outputs += line.outputs
                each.complete += line.complete
    for agency_id, took in _newest(session, today, wanted):
        for each in of(agency_id, took.supervisor_id):
            each.days[took.what].append(took.days)
    names = _names(session, {*of_agency, *of_department})
    return ConductOfAll(
        total=_conduct("", "", every),
        agencies=_lines(of_agency, names),
        departments=_lines(of_department, names),
    )


def _lines(sums: Mapping[str, _Sums], names: Mapping[str, str]) -> tuple[Conduct, ...]:
    found = (_conduct(id, names.get(id, id), each) for id, each in sums.items())
    judged = [each for each in found if each.anything]
    return tuple(sorted(judged, key=lambda each: (-each.missed, name_order(each.name))))


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


class _Words(NamedTuple):
    """Of an agency and the department above."""

    supervisor_id: str
    promises: int = 0
    kept: int = 0
    outputs: int = 0
    complete: int = 0


@by_agency(Topic.PLANS, Topic.WORK, Topic.DIRECTORY)
def words_of_each(
    session: Session, today: Today, wanted: AssignmentFilter, *, agencies: Collection[str] | None = None
) -> Mapping[str, Sequence[_Words]]:
    """Promises kept and outputs complete, of each agency."""
    if wanted.agency_id and not is_read(wanted.agency_id, agencies):
        return {}
    of_some = of_agencies(table(Assignment).c.agency_id, agencies)
    found: dict[str, list[_Words]] = defaultdict(list)
    for owner, *line in session.connection().execute(_promises(today, wanted).where(*of_some)):
        found[owner].append(_Words(line[0], promises=line[1], kept=line[2]))
    for owner, *line in session.connection().execute(_outputs(today, wanted).where(*of_some)):
        found[owner].append(_Words(line[0], outputs=line[1], complete=line[2]))
    return dict(found)


def _promises(today: Today, wanted: AssignmentFilter) -> Select[Any]:
    """Promises whose day has come, and those of them that were kept."""
    a, p = table(Assignment), table(Promise)
    ended = or_(p.c.state.in_((PromiseState.KEPT, PromiseState.BROKEN)), passed(today.day))
    kept = func.sum(case((p.c.state == PromiseState.KEPT, 1), else_=0))
    statement = joined(select(a.c.agency_id, a.c.supervisor_id, func.count(), kept)).join(p, _of_task(p, wanted))
    keys = a.c.agency_id, a.c.supervisor_id
    return statement.where(*conditions(wanted, today), ended).group_by(*keys).order_by(*keys)


def _outputs(today: Today, wanted: AssignmentFilter) -> Select[Any]:
    """Reports accepted as done of duties that owed an output, and those whose output was complete."""
    a, r = table(Assignment), table(Report)
    complete = func.sum(case((r.c.output_complete, 1), else_=0))
    statement = joined(select(a.c.agency_id, a.c.supervisor_id, func.count(), complete)).join(r, _of_task(r, wanted))
    of_those = (a.c.state == State.ACCEPTED, JUDGED, r.c.superseded_at.is_(None))
    keys = a.c.agency_id, a.c.supervisor_id
    return statement.where(*conditions(wanted, today), *of_those).group_by(*keys).order_by(*keys)


def _of_task(source: Table, wanted: AssignmentFilter, *, few: bool = False) -> ColumnElement[bool]:
    """The join of promises or reports with their tasks: of a plan or an agency found by the tasks, which are ``few``,
    else the tasks by the few rows there are."""
    a = table(Assignment)
    few = few or wanted.plan_id is not None or bool(wanted.agency_id)
    return (source.c.assignment_id if few else unindexed(source.c.assignment_id)) == a.c.id  # type: ignore[no-any-return]


class _Took(NamedTuple):
    """How many working days a step took: one of «acknowledge», «report», «accept». ``step``: the event's id."""

    step: int
    supervisor_id: str
    what: str
    days: int


_TookByAgency = Mapping[str, Sequence[_Took]]


def _newest(session: Session, today: Today, wanted: AssignmentFilter) -> Iterator[tuple[str, _Took]]:
    """By agency, what the newest steps took."""
    first = 0
    found: _TookByAgency
    if replace(wanted, states=(), request=None, past=None) == AssignmentFilter():
        first = _first_step(session)
        found = ask(session, times_of_each, today, wanted, first - first % WINDOW)
    elif wanted.agency_id:
        found = ask(session, times_of_one, today, wanted)
    else:
        found = _times(session, today, _steps(today, wanted).order_by(table(Event).c.id.desc()).limit(MAX_STEPS))
    return ((agency_id, took) for agency_id, times in found.items() for took in times if took.step >= first)


def _first_step(session: Session) -> int:
    """The oldest of the newest steps."""
    e = table(Event)
    newest = select(e.c.id).where(e.c.kind.in_(STEPS)).order_by(e.c.id.desc())
    return session.connection().scalar(newest.offset(MAX_STEPS - 1).limit(1)) or 0


@by_agency(Topic.PLANS, Topic.WORK, Topic.DIRECTORY, Topic.LOG)
def times_of_each(
    session: Session, today: Today, wanted: AssignmentFilter, first: int, *, agencies: Collection[str] | None = None
) -> _TookByAgency:
    """Of the steps of each agency from an event on."""
    of_some = of_agencies(table(Assignment).c.agency_id, agencies)
    newest = _steps(today, wanted, few=bool(of_some)).where(table(Event).c.id >= first, *of_some)
    return _times(session, today, newest)


@by_agency(Topic.PLANS, Topic.WORK, Topic.DIRECTORY, Topic.LOG)
def times_of_one(
    session: Session, today: Today, wanted: AssignmentFilter, *, agencies: Collection[str] | None = None
) -> _TookByAgency:
    """Of the newest steps of the filter's agency."""
    if not is_read(wanted.agency_id, agencies):
        return {}
    return _times(session, today, _steps(today, wanted).order_by(table(Event).c.id.desc()).limit(MAX_STEPS_OF_ONE))


def _times(session: Session, today: Today, steps: Select[Any]) -> _TookByAgency:
    in_order = sorted(objects(_Step, session.connection().execute(steps)), key=attrgetter("id"))
    found: dict[str, list[_Took]] = defaultdict(list)
    for step, what, days in _durations(_standing(in_order), today.calendar):
        found[step.agency_id].append(_Took(step.id, step.supervisor_id, what, days))
    return dict(found)


def _steps(today: Today, wanted: AssignmentFilter, *, few: bool = False) -> Select[Any]:
    a, e = table(Assignment), table(Event)
    undone = case((e.c.kind == EventKind.UNDONE, e.c.detail["of"].as_string())).label("of")
    what = (e.c.id, e.c.assignment_id, a.c.agency_id, a.c.supervisor_id, a.c.opened_on, e.c.kind, e.c.at, undone)
    statement = joined(select(*what)).join(e, _of_task(e, wanted, few=few))
    return statement.where(*conditions(wanted, today), e.c.kind.in_(STEPS))


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
