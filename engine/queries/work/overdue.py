"""Overdue tasks by agency, the agency furthest behind first, with what was really sent about each. Overdue is a task
that is unfinished after its due date, whether or not a report says so.

Preview of chasing («đôn đốc»): which letters would be sent to whom. Runs the real action in a session that is rolled
back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import chain
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import Select, func, select
from sqlmodel import Session

from engine.assignments import situations
from engine.assignments.chasing import Chased, WaitingChase, asked_days, chased, chases_waiting
from engine.assignments.lifecycle import chase
from engine.queries.filter_choices import Orders, sorted_by_order
from engine.queries.paging import streamed
from engine.queries.time_class import Today
from engine.queries.work.assignments import (
    AssignmentFilter,
    AssignmentRow,
    columns,
    conditions,
    from_rows,
    joined,
)
from engine.queries.work.ladder_steps import PlannedLetter, planned_letters
from engine.rules.calendar import local_date
from engine.rules.words import name_order
from engine.store.data_versions import Topic, ask, by_agency, depends_on, is_read, of_agencies
from engine.store.database import among, numbered, table, unindexed
from engine.store.recipients import read_recipients
from engine.store.records import Agency, Assignment, Duty, Notice, Plan
from engine.store.stored_rows import AnyRow, objects
from engine.terms import NoticeKind, Role, State, TimeClass

AGENCIES_PER_PAGE = 25
ROWS_PER_AGENCY = 4


@dataclass(frozen=True)
class OverdueRow:
    """``late``: working days since the due date; 0 while no working day has passed. ``chased``: None if no letter that
    asked for the report has left. ``waiting``: a chase whose letter has not left yet."""

    assignment: AssignmentRow
    late: int
    chased: Chased | None
    waiting: WaitingChase | None = None


@dataclass(frozen=True, slots=True)
class Contacts:
    """Of an agency's overdue assignments: how many it has not acknowledged, how many are promised for a day to come,
    and when the next letter about one is due."""

    unacknowledged: int = 0
    promised: int = 0
    next_on: date | None = None


@dataclass(frozen=True, kw_only=True)
class LateAgency:
    """``total`` overdue assignments, of which ``rows`` are shown; the oldest was due on ``since``. ``asked``: the days
    on which a letter asked for one of those shown, and whether it was an escalation."""

    id: str
    name: str
    total: int
    since: date
    late: int
    rows: tuple[OverdueRow, ...]
    asked: Mapping[date, bool]
    contacts: Contacts

    @property
    def reminded_on(self) -> list[date]:
        return [day for day, escalated in self.asked.items() if not escalated]

    @property
    def chased_on(self) -> list[date]:
        return [day for day, escalated in self.asked.items() if escalated]


@dataclass(frozen=True, kw_only=True)
class Overdue:
    """One page of agencies; ``total`` assignments of ``agency_count`` agencies; ``next`` is a page number. ``periods``:
    periods with something overdue, ignoring the filter."""

    agencies: tuple[LateAgency, ...]
    total: int
    agency_count: int
    page: int
    next: int | None
    periods: tuple[str, ...]


@depends_on(Topic.PLANS, Topic.WORK, Topic.REMINDERS, Topic.DIRECTORY, Topic.LETTERS, Topic.LOG)
def overdue(
    session: Session,
    today: Today,
    wanted: AssignmentFilter,
    *,
    page: int = 1,
    sort: str = "",
) -> Overdue:
    """A page of agencies, those furthest behind first unless ``sort`` says otherwise."""
    ranked, periods = _late_agencies(session, today, wanted, sort)
    first = (page - 1) * AGENCIES_PER_PAGE
    shown = ranked[first : first + AGENCIES_PER_PAGE]
    shown_ids = tuple(sorted(each[0] for each in shown))
    rows = ask(session, late_rows, today, wanted, shown_ids)
    contacts = ask(session, late_contacts, today, wanted, shown_ids)
    agencies = tuple(
        LateAgency(
            id=agency_id,
            name=name,
            total=count,
            since=since,
            late=-(today.days_left(since) or 0),
            rows=rows[agency_id].rows,
            asked=rows[agency_id].asked,
            contacts=contacts.get(agency_id, Contacts()),
        )
        for agency_id, name, count, since in shown
    )
    more = page + 1 if len(ranked) > first + AGENCIES_PER_PAGE else None
    return Overdue(
        agencies=agencies,
        total=sum(row[2] for row in ranked),
        agency_count=len(ranked),
        page=page,
        next=more,
        periods=periods,
    )


def every_overdue(session: Session, today: Today, wanted: AssignmentFilter, sort: str = "") -> Iterator[OverdueRow]:
    """All rows in the list's order: one statement, of which some rows are read at a time."""
    a, late = table(Assignment), replace(wanted, classes=(TimeClass.OPEN_OVERDUE,))
    ranked, _ = _late_agencies(session, today, wanted, sort)
    place, agency_id = numbered(session, [row[0] for row in ranked])
    found = joined(select(*columns(today))).where(*conditions(late, today), a.c.agency_id == agency_id)
    for some in streamed(session, found.order_by(place, a.c.due_on, a.c.id)):
        yield from _with_chasing(session, today, some)


@depends_on(Topic.PLANS, Topic.WORK, Topic.DIRECTORY)
def how_many_overdue(session: Session, today: Today, wanted: AssignmentFilter) -> int:
    """The number of overdue tasks of a filter."""
    periods = chain(*ask(session, late_periods, today, replace(wanted, period="")).values())
    return sum(each.n for each in periods if wanted.period in ("", each.period))


@by_agency(Topic.PLANS, Topic.WORK, Topic.DIRECTORY)
def unheard_of_each(
    session: Session, today: Today, wanted: AssignmentFilter, *, agencies: Collection[str] | None = None
) -> Mapping[str, int]:
    """Of the agencies that are to be telephoned, how many overdue tasks each has not acknowledged: it has promised no
    day either. Requests are none of it."""
    a = table(Assignment)
    silent = func.count().filter(a.c.state == State.ASSIGNED)
    late = _select_overdue(today, replace(wanted, request=False), a.c.agency_id, silent).group_by(a.c.agency_id)
    unheard = silent > 0, func.count().filter(situations.promise_ahead(today.day)) == 0
    late = late.where(*of_agencies(a.c.agency_id, agencies)).having(*unheard)
    return {row[0]: row[1] for row in session.connection().execute(late)}


@depends_on(Topic.DIRECTORY)
def telephones(session: Session, day: date, agency_ids: Sequence[str]) -> Mapping[str, str]:
    """The number to call at each agency: of its coordinator, else of whoever stands in; empty where none is on
    record."""
    people = read_recipients(session, agency_ids, any_channel=True)
    phones = {each: (one.phone for one in people.on(each, Role.COORDINATOR, day)) for each in agency_ids}
    return {agency_id: next(filter(None, each), "") for agency_id, each in phones.items()}


def counted_overdue(session: Session, today: Today) -> int:
    """The overdue tasks of every active plan, without requests."""
    return sum(ask(session, late_of_each, today.day).values())


@by_agency(Topic.PLANS, Topic.WORK)
def late_of_each(session: Session, day: date, *, agencies: Collection[str] | None = None) -> Mapping[str, int]:
    """By agency, how many tasks are overdue."""
    a = table(Assignment)
    late = select(a.c.agency_id, func.count()).where(situations.overdue(day), ~a.c.request)
    late = late.where(*of_agencies(a.c.agency_id, agencies)).group_by(a.c.agency_id)
    return {row[0]: row[1] for row in session.connection().execute(late)}


_Late = tuple[str, str, int, date]
"""An agency: id, name, number of overdue assignments, oldest due date."""
SORTS: Orders[_Late] = {"agency": lambda row: name_order(row[1]), "count": itemgetter(2), "since": itemgetter(3)}
OWN_SORT = "since"


def _late_agencies(
    session: Session, today: Today, wanted: AssignmentFilter, sort: str
) -> tuple[list[_Late], tuple[str, ...]]:
    """The agencies in order, and the periods with something overdue whichever the filter names."""
    found = list(chain(*ask(session, late_periods, today, replace(wanted, period="")).values()))
    periods = tuple(sorted({each.period for each in found}))
    ranked = _ranked(each for each in found if wanted.period in ("", each.period))
    return sorted_by_order(ranked, SORTS, sort), periods


@dataclass(frozen=True, slots=True, kw_only=True)
class _LatePeriod:
    """An agency's ``n`` overdue tasks of a period."""

    agency_id: str
    name: str
    period: str
    n: int
    since: date


@by_agency(Topic.PLANS, Topic.WORK, Topic.DIRECTORY)
def late_periods(
    session: Session, today: Today, wanted: AssignmentFilter, *, agencies: Collection[str] | None = None
) -> Mapping[str, Sequence[_LatePeriod]]:
    """The overdue tasks of each agency by period. One query."""
    a, g = table(Assignment), table(Agency)
    late = _select_overdue(
        today, wanted, a.c.agency_id, a.c.period, func.count().label("n"), func.min(a.c.due_on).label("since")
    )
    counted = late.where(*of_agencies(a.c.agency_id, agencies)).group_by(a.c.agency_id, a.c.period).subquery()
    statement = select(counted, g.c.name).join(g, g.c.id == counted.c.agency_id)
    statement = statement.order_by(counted.c.agency_id, counted.c.period)
    found: dict[str, list[_LatePeriod]] = defaultdict(list)
    for each in objects(_LatePeriod, session.connection().execute(statement)):
        found[each.agency_id].append(each)
    return dict(found)


def _ranked(found: Iterable[_LatePeriod]) -> list[_Late]:
    """The agencies, the one furthest behind first."""
    by_agency: dict[str, _Late] = {}
    for row in found:
        _, _, n, since = by_agency.get(row.agency_id, ("", "", 0, row.since))
        by_agency[row.agency_id] = (row.agency_id, row.name, n + row.n, min(since, row.since))
    return sorted(by_agency.values(), key=lambda row: (row[3], -row[2], name_order(row[1])))


def _select_overdue(today: Today, wanted: AssignmentFilter, *columns: Any) -> Select[Any]:
    """Select columns of overdue assignments; joins only the tables that the filter needs."""
    a, d, p = table(Assignment), table(Duty), table(Plan)
    late = select(*columns).select_from(a).join(p, p.c.id == unindexed(a.c.plan_id))  # by the index of what is late
    if wanted.citation:
        late = late.join(d, d.c.id == a.c.duty_id)
    return late.where(*conditions(replace(wanted, classes=(TimeClass.OPEN_OVERDUE,)), today))


class _LateRows(NamedTuple):
    rows: tuple[OverdueRow, ...]
    asked: Mapping[date, bool]


@by_agency(Topic.PLANS, Topic.WORK, Topic.REMINDERS, Topic.DIRECTORY, Topic.LETTERS, Topic.LOG)
def late_rows(
    session: Session,
    today: Today,
    wanted: AssignmentFilter,
    shown: Sequence[str],
    *,
    agencies: Collection[str] | None = None,
) -> Mapping[str, _LateRows]:
    """The oldest overdue rows of each shown agency, and the days on which letters asked for them."""
    a, ids = table(Assignment), _among(shown, agencies)
    if not ids:
        return {}
    rank = func.row_number().over(partition_by=a.c.agency_id, order_by=(a.c.due_on, a.c.id)).label("rank")
    ranked = _select_overdue(today, wanted, a.c.id, rank).where(a.c.agency_id.in_(ids)).subquery()
    first = session.connection().scalars(select(ranked.c.id).where(ranked.c.rank <= ROWS_PER_AGENCY)).all()
    statement = joined(select(*columns(today))).where(among(session, a.c.id, first)).order_by(a.c.due_on, a.c.id)
    found: dict[str, list[OverdueRow]] = defaultdict(list)
    for row in _with_chasing(session, today, session.connection().execute(statement).all()):
        found[row.assignment.agency_id].append(row)
    days = asked_days(session, first)
    return {
        agency_id: _LateRows(tuple(rows), _joined(days.get(row.assignment.id, {}) for row in rows))
        for agency_id, rows in found.items()
    }


def _among(shown: Sequence[str], agencies: Collection[str] | None) -> list[str]:
    return [each for each in shown if is_read(each, agencies)]


def _joined(of_rows: Iterable[Mapping[date, bool]]) -> Mapping[date, bool]:
    """The days of several assignments of one agency, in order."""
    found: dict[date, bool] = {}
    for days in of_rows:
        for day, escalated in days.items():
            found[day] = found.get(day, False) or escalated
    return dict(sorted(found.items()))


@by_agency(Topic.PLANS, Topic.WORK, Topic.REMINDERS, Topic.DIRECTORY)
def late_contacts(
    session: Session,
    today: Today,
    wanted: AssignmentFilter,
    shown: Sequence[str],
    *,
    agencies: Collection[str] | None = None,
) -> Mapping[str, Contacts]:
    """What was heard from each shown agency."""
    a, ids = table(Assignment), _among(shown, agencies)
    if not ids:
        return {}
    statement = _select_overdue(
        today,
        wanted,
        a.c.agency_id,
        func.count().filter(a.c.state == State.ASSIGNED).label("unacknowledged"),
        func.count().filter(situations.promise_ahead(today.day)).label("promised"),
        func.min(a.c.next_action_at).label("next_at"),
    )
    rows = session.connection().execute(statement.where(a.c.agency_id.in_(ids)).group_by(a.c.agency_id))
    return {
        row.agency_id: Contacts(
            row.unacknowledged, row.promised, None if row.next_at is None else local_date(row.next_at)
        )
        for row in rows
    }


def _with_chasing(session: Session, today: Today, found: Sequence[AnyRow]) -> list[OverdueRow]:
    """The rows of a statement, with what was sent about each."""
    rows = from_rows(found)
    ids = [row.id for row in rows]
    sent, waiting = chased(session, ids), chases_waiting(session, ids)
    return [OverdueRow(row, -(today.days_left(row.due_on) or 0), sent.get(row.id), waiting.get(row.id)) for row in rows]


@dataclass(frozen=True)
class ChasePreview:
    """``chased_today``: already chased today; ``unreachable``: no contact can be reached. Chasing these sends
    nothing."""

    letters: tuple[PlannedLetter, ...]
    chased_today: tuple[AssignmentRow, ...]
    unreachable: tuple[AssignmentRow, ...]

    @property
    def assignments(self) -> int:
        return len({each for letter in self.letters for each in letter.assignment_ids})


def rows_to_chase(session: Session, today: Today, ids: Sequence[int]) -> list[AssignmentRow]:
    """The selected assignments whose tasks are unfinished."""
    statement = joined(select(*columns(today))).where(*conditions(AssignmentFilter(ids=tuple(ids)), today))
    rows = from_rows(session.connection().execute(statement.order_by(table(Assignment).c.due_on)).all())
    return [row for row in rows if row.unfinished]


def preview_chase(session: Session, today: Today, rows: Sequence[AssignmentRow], actor: str) -> ChasePreview:
    """Chase in a session that is rolled back, and return the resulting letters."""
    chased_before = _chased(session, rows, today)

    def chase_all() -> None:
        for row in rows:
            chase(session, row.id, actor=actor, now=today.now)

    letters = planned_letters(session, chase_all)
    reached = chased_before.union(*(letter.assignment_ids for letter in letters))
    return ChasePreview(
        letters,
        tuple(row for row in rows if row.id in chased_before),
        tuple(row for row in rows if row.id not in reached),
    )


def _chased(session: Session, rows: Sequence[AssignmentRow], today: Today) -> set[int]:
    """The assignments that were chased today."""
    n = table(Notice)
    effects = {f"assignment:{row.id}:chase:{today.day.isoformat()}" for row in rows}
    statement = select(n.c.assignment_id, n.c.key).where(
        n.c.assignment_id.in_([row.id for row in rows]), n.c.kind == NoticeKind.CHASE
    )
    found = session.connection().execute(statement)
    return {assignment_id for assignment_id, key in found if key.rsplit(":", 2)[0] in effects}
