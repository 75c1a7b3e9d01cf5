"""Assignments as rows: one filter and one row type for pages, API and all numbers that link to lists."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, Subquery, and_, exists, false, func, literal, or_, select, union_all
from sqlmodel import Session

from engine.assignments import situations
from engine.assignments.backlog import WAITS, select_past_plans
from engine.assignments.chasing import escalations_sent
from engine.assignments.promise_rows import promise_waits, promises_made
from engine.assignments.situations import report_timing, report_timing_column
from engine.errors import NotFound
from engine.queries.filter_choices import SqlOrders, sql_order
from engine.queries.paging import PER_PAGE, Page, decode, in_order, page, streamed
from engine.queries.time_class import Thresholds, Today, time_class
from engine.rules.situation import is_unfinished
from engine.store.data_versions import Topic, ask, by_agency, depends_on, of_agencies
from engine.store.database import among, table, unindexed
from engine.store.records import Agency, Assignment, Duty, Plan, Promise, Report
from engine.store.records.work import RETURNED_FOR_REPORT, UNFINISHED_STANDS
from engine.store.stored_rows import AnyRow, objects_of
from engine.terms import (
    Outcome,
    PlanState,
    Quiet,
    State,
    TimeClass,
    Timing,
    Waiting,
)
from engine.text import Text

FAR = date(9999, 12, 31)
Key = TypeVar("Key")


UNFINISHED_CLASSES = {TimeClass.OPEN_OVERDUE, TimeClass.DUE_SOON, TimeClass.OPEN_IN_TIME, TimeClass.NOT_ASKED}


class Promised(StrEnum):
    """What an unfinished task was promised."""

    STANDING = "standing"
    """For a day to come."""
    PAST = "past"
    """For a day that has passed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentRow:
    """One assignment in a list. ``time_class`` is None for cancelled and transferred ones; ``level``: how often an
    escalation was really sent to the owner («đã gửi đôn đốc lần n»)."""

    id: int
    plan_id: int
    plan: str
    duty_id: int
    citation: str
    text: str
    request: bool
    agency_id: str
    agency: str
    supervisor_id: str
    period: str
    due_on: date | None
    original_due_on: date | None
    state: State
    time_class: TimeClass | None
    level: int
    opened_on: date
    acknowledged_at: datetime | None
    reported_on: date | None
    next_action_at: datetime | None
    quiet: Quiet | None
    outcome: Outcome | None
    done_on: date | None
    first_reported_on: date | None
    first_due_on: date | None
    returns: int
    promised_on: date | None
    """The day of the last promise that counts, kept or not."""
    promises: int
    """How many promises were made, if one counts."""
    not_asked_on: date | None
    promise_waits: date | None
    """The promised day that waits for the department's agreement."""

    @property
    def unfinished(self) -> bool:
        return is_unfinished(self.state, self.done_on)

    @property
    def report_timing(self) -> Timing:
        return report_timing(self)


@dataclass(frozen=True, kw_only=True)
class AssignmentFilter:
    """Which assignments to list; an empty field does not filter. Without a plan, only those of active plans."""

    plan_id: int | None = None
    period: str = ""
    agency_id: str = ""
    supervisor_id: str = ""
    citation: str = ""
    states: tuple[State, ...] = ()
    classes: tuple[TimeClass, ...] = ()
    waiting: Waiting | None = None
    ids: tuple[int, ...] = ()
    kind: str = ""
    """The owner's level (``Agency.level``)."""
    department: str = ""
    """The department that supervises the plan, whichever agency is above the owner; includes what it owes itself."""
    reporting: tuple[Timing, ...] = ()
    """The timeliness of the first report."""
    finished: bool | None = None
    """Whether a report says the task is done."""
    done_since: date | None = None
    """Done after this day."""
    request: bool | None = None
    """Asked for («Đề nghị»), or ordered."""
    issuer: str = ""
    """The agency that issued the plan."""
    promised: Promised | None = None
    reason: str = ""
    """Of unfinished tasks, the reason code of the last promise or return (``causes``)."""
    output: bool | None = None
    """Accepted as done with the output that was owed, or without it."""
    past: bool | None = None
    """Of plans past their last date that wait to be ended, or of the others."""


def columns(today: Today | Thresholds) -> list[Any]:
    """The columns of ``AssignmentRow``."""
    a, d, p, g = table(Assignment), table(Duty), table(Plan), table(Agency)
    return [
        a.c.id,
        a.c.plan_id,
        p.c.number.label("plan"),
        a.c.duty_id,
        d.c.citation,
        d.c.text,
        a.c.request,
        a.c.agency_id,
        g.c.name.label("agency"),
        a.c.supervisor_id,
        a.c.period,
        a.c.due_on,
        a.c.original_due_on,
        a.c.state,
        time_class(today).label("time_class"),
        escalations_sent().label("level"),
        a.c.opened_on,
        a.c.acknowledged_at,
        a.c.reported_on,
        a.c.next_action_at,
        a.c.quiet,
        a.c.outcome,
        a.c.done_on,
        a.c.first_reported_on,
        a.c.first_due_on,
        a.c.returns,
        a.c.promised_on,
        promises_made(),
        a.c.not_asked_on,
        promise_waits(),
    ]


def from_rows(rows: Sequence[AnyRow]) -> list[AssignmentRow]:
    """Build rows from ``columns`` and maybe others."""
    return objects_of(AssignmentRow, rows)


def joined(statement: Select[Any]) -> Select[Any]:
    """Join ``assignment`` with its duty, plan and owner."""
    a, d, p, g = table(Assignment), table(Duty), table(Plan), table(Agency)
    return (
        statement.select_from(a)
        .join(d, d.c.id == a.c.duty_id)
        .join(p, p.c.id == a.c.plan_id)
        .join(g, g.c.id == a.c.agency_id)
    )


def conditions(wanted: AssignmentFilter, today: Today | Thresholds) -> list[ColumnElement[bool]]:
    """The filter as WHERE conditions on the joined tables."""
    a, d, p, g = table(Assignment), table(Duty), table(Plan), table(Agency)
    equal = {
        a.c.period: wanted.period,
        a.c.agency_id: wanted.agency_id,
        a.c.supervisor_id: wanted.supervisor_id,
        p.c.supervisor_id: wanted.department,
        p.c.issuer_id: wanted.issuer,
    }
    found: list[ColumnElement[bool]] = [column == value for column, value in equal.items() if value]
    if wanted.citation:  # asked within: not every statement that filters joins the duty
        found.append(a.c.duty_id.in_(select(d.c.id).where(d.c.citation == wanted.citation)))
    if wanted.kind:
        found.append(a.c.agency_id.in_(select(g.c.id).where(g.c.level == wanted.kind)))
    found += _of_plan(wanted, today)
    if wanted.states:
        found.append(a.c.state.in_(wanted.states))
    if wanted.classes:
        found += _in_classes(wanted.classes, today)
    if wanted.reporting:
        found += [situations.counted(), report_timing_column().in_([each.value for each in wanted.reporting])]
    if wanted.finished is not None:
        found.append(a.c.done_on.is_not(None) if wanted.finished else situations.owed())
    if wanted.done_since is not None:
        found += [situations.counted(), a.c.done_on > wanted.done_since]
    if wanted.request is not None:
        found.append(a.c.request.is_(wanted.request))
    if wanted.waiting is not None:
        found.append(WAITS[wanted.waiting].of_task)
    return found + _of_promise(wanted, today.day)


def _of_plan(wanted: AssignmentFilter, today: Today | Thresholds) -> list[ColumnElement[bool]]:
    """Assignments of active plans, unless a plan or single assignments are asked for."""
    a = table(Assignment)
    found: list[ColumnElement[bool]] = [] if wanted.plan_id is None else [a.c.plan_id == wanted.plan_id]
    if wanted.ids:
        found.append(a.c.id.in_(wanted.ids))
    if wanted.past is not None:
        past = a.c.plan_id.in_(select(select_past_plans(today.day, today.past_before).subquery().c.id))
        found += [table(Plan).c.state == PlanState.ACTIVE, past if wanted.past else ~past]
    return found or [table(Plan).c.state == PlanState.ACTIVE]


def _of_promise(wanted: AssignmentFilter, day: date) -> list[ColumnElement[bool]]:
    a = table(Assignment)
    found: list[ColumnElement[bool]] = []
    if wanted.promised is not None:
        past = wanted.promised is Promised.PAST
        found += [situations.owed(), situations.promise_past(day) if past else situations.promise_ahead(day)]
    if wanted.reason:
        cause = causes()
        found += [
            situations.owed(),
            a.c.id.in_(select(cause.c.assignment_id).where(cause.c.code == wanted.reason)),
        ]
    if wanted.output is not None:
        r = table(Report)
        judged = select(r.c.assignment_id).where(r.c.output_complete.is_(wanted.output), r.c.superseded_at.is_(None))
        found += [a.c.state == State.ACCEPTED, a.c.id.in_(judged)]
    return found


def _in_classes(classes: tuple[TimeClass, ...], today: Today | Thresholds) -> list[ColumnElement[bool]]:
    if classes == (TimeClass.OPEN_OVERDUE,):  # equivalent, and served by the index on open assignments
        return [situations.overdue(today.day)]
    # Implied, so that the index on unfinished assignments serves.
    implied = [situations.unfinished()] if set(classes) <= UNFINISHED_CLASSES else []
    return [time_class(today).in_(classes), *implied]


def periods_among(found: Iterable[tuple[str, date | None]], wanted: AssignmentFilter) -> tuple[str, ...]:
    """Periods by first due date, from (period, due date) pairs: the options of a filter. Always includes the selected
    period."""
    first_due: dict[str, date] = {}
    for period, due_on in found:
        first_due[period] = min(first_due.get(period, FAR), due_on or FAR)
    if wanted.period:
        first_due.setdefault(wanted.period, FAR)
    return tuple(sorted(first_due, key=lambda period: (first_due[period], period)))


def last_promise() -> ColumnElement[bool]:
    """No later promise of the same task."""
    p = table(Promise)
    later = table(Promise, "later")
    return ~exists().where(later.c.assignment_id == p.c.assignment_id, later.c.number > p.c.number).correlate(p)


def causes() -> Subquery:
    """(assignment_id, code): why a task is not done, by the last that was said: its last promise, the report that
    stands, or the return of its last report."""
    p, r = table(Promise), table(Report)
    later_report, of_task = table(Report, "later_report"), p.c.assignment_id == r.c.assignment_id
    said_since = or_(r.c.returned_at >= p.c.made_at, and_(UNFINISHED_STANDS, r.c.submitted_at > p.c.made_at))
    promised = select(p.c.assignment_id, p.c.reason_code.label("code")).where(
        last_promise(), ~exists().where(of_task, said_since).correlate(p)
    )
    reported = select(r.c.assignment_id, r.c.reason_code).where(
        UNFINISHED_STANDS, ~exists().where(of_task, p.c.made_at >= r.c.submitted_at).correlate(r)
    )
    returned = select(r.c.assignment_id, r.c.returned_code).where(
        RETURNED_FOR_REPORT,
        ~exists()
        .where(later_report.c.assignment_id == r.c.assignment_id, later_report.c.number > r.c.number)
        .correlate(r),
        ~exists().where(of_task, p.c.made_at > r.c.returned_at).correlate(r),
    )
    return promised.union_all(reported, returned).subquery("causes")


@depends_on(Topic.PLANS, Topic.WORK, Topic.REMINDERS, Topic.DIRECTORY, Topic.LETTERS, Topic.LOG)
def list_assignments(
    session: Session,
    today: Today,
    wanted: AssignmentFilter,
    *,
    after: str = "",
    limit: int = PER_PAGE,
    count: bool = True,
    sort: str = "",
) -> Page[AssignmentRow]:
    """Assignments by due date, those without one last; or by one of ``SORTS`` («-agency»: backwards), where the
    cursor is a number of rows and one more query finds the ids. Two queries, one when ``count`` is false."""
    a = table(Assignment)
    where = conditions(wanted, today)
    if sort:
        offset = decode(after, int)[0] if after else 0
        ids = _sorted_ids(session, today, wanted, sort, max(offset, 0), limit + 1)
        some = in_order(ids, lambda each: rows_with_ids(session, today, each))
        total = how_many(session, today, wanted) if count else None
        return page(some, limit, lambda _: (offset + limit,), total)
    cursor = decode(after, date.fromisoformat, int) if after else None
    if wanted == AssignmentFilter():
        some = in_order(_next_ids(session, cursor, limit + 1), lambda each: rows_with_ids(session, today, each))
        return page(some, limit, _cursor, sum(ask(session, tasks_of_each, today).values()) if count else None)
    if cursor:
        where.append(_after(*cursor))
    statement = joined(select(*columns(today))).where(*where)
    statement = statement.order_by(a.c.due_on.asc().nulls_last(), a.c.id).limit(limit + 1)
    found = from_rows(session.connection().execute(statement).all())
    total = how_many(session, today, wanted) if count else None
    return page(found, limit, _cursor, total)


@by_agency(Topic.PLANS, Topic.WORK)
def tasks_of_each(session: Session, today: Today, *, agencies: Collection[str] | None = None) -> Mapping[str, int]:
    """How many assignments of active plans each agency has."""
    a, p = table(Assignment), table(Plan)
    counted = select(a.c.agency_id, func.count()).join(p, p.c.id == a.c.plan_id)
    counted = counted.where(*conditions(AssignmentFilter(), today), *of_agencies(a.c.agency_id, agencies))
    counted = counted.group_by(unindexed(a.c.agency_id))
    return {row[0]: row[1] for row in session.connection().execute(counted)}


def _cursor(row: AssignmentRow) -> tuple[date, int]:
    return row.due_on or FAR, row.id


def _next_ids(session: Session, cursor: tuple[date, int] | None, limit: int) -> list[int]:
    """Of all assignments of active plans, by the index of due dates: ordered with those without one last, all of a
    province would be sorted for a page."""
    a, p = table(Assignment), table(Plan)
    every = select(a.c.id, a.c.due_on).join(p, p.c.id == unindexed(a.c.plan_id)).where(p.c.state == PlanState.ACTIVE)
    dated, undated = every.where(a.c.due_on.is_not(None)), every.where(a.c.due_on.is_(None))
    if cursor is not None:
        due_on, last_id = cursor
        if due_on == FAR:
            dated, undated = dated.where(false()), undated.where(a.c.id > last_id)
        dated = dated.where(a.c.due_on >= due_on, or_(a.c.due_on > due_on, a.c.id > last_id))
    first = dated.order_by(a.c.due_on, a.c.id).limit(limit).subquery()
    last = undated.order_by(a.c.id).limit(limit).subquery()
    both = union_all(
        select(first.c.id, first.c.due_on.label("due_on")), select(last.c.id, last.c.due_on.label("due_on"))
    ).subquery()
    ordered = select(both.c.id).order_by(both.c.due_on.is_(None), both.c.due_on, both.c.id).limit(limit)
    return list(session.connection().scalars(ordered))


def every_assignment(
    session: Session, today: Today, wanted: AssignmentFilter, sort: str = ""
) -> Iterator[AssignmentRow]:
    """All rows in the list's order, in constant memory: one statement, of which some rows are read at a time."""
    statement = joined(select(*columns(today))).where(*conditions(wanted, today)).order_by(*_order(sort or OWN_SORT))
    for some in streamed(session, statement):
        yield from from_rows(some)


def _sorted_ids(
    session: Session, today: Today, wanted: AssignmentFilter, sort: str, offset: int, limit: int
) -> Sequence[int]:
    statement = joined(select(table(Assignment).c.id)).where(*conditions(wanted, today)).order_by(*_order(sort))
    return session.connection().scalars(statement.offset(offset).limit(limit)).all()


def rows_with_ids(session: Session, today: Today, ids: Sequence[int]) -> list[AssignmentRow]:
    """Those of these assignments that there are, in no order."""
    statement = joined(select(*columns(today))).where(among(session, table(Assignment).c.id, ids))
    return from_rows(session.connection().execute(statement).all())


SORTS: SqlOrders = {
    "due": [func.coalesce(table(Assignment).c.due_on, literal(FAR))],
    "duty": [table(Plan).c.number, table(Duty).c.position],
    "agency": [table(Agency).c.name],
    "state": [table(Assignment).c.state],
    "period": [table(Assignment).c.period],
}
OWN_SORT = "due"


def _order(sort: str) -> tuple[ColumnElement[Any], ...]:
    a = table(Assignment)
    return *sql_order(SORTS, sort), a.c.due_on.asc().nulls_last(), a.c.id


def _after(due_on: date, last_id: int) -> ColumnElement[bool]:
    """Rows after the cursor, written so that an index on the due date serves."""
    a = table(Assignment)
    undated = a.c.due_on.is_(None)
    if due_on == FAR:
        return and_(undated, a.c.id > last_id)
    later: ColumnElement[bool] = and_(a.c.due_on >= due_on, or_(a.c.due_on > due_on, a.c.id > last_id))
    return or_(later, undated)


def rows_of(session: Session, today: Today, ids: Collection[int]) -> list[AssignmentRow]:
    """The assignments with these ids, whatever their plan's state. Raises NotFound when one does not exist."""
    statement = joined(select(*columns(today))).where(table(Assignment).c.id.in_(ids)).order_by(table(Assignment).c.id)
    rows = from_rows(session.connection().execute(statement).all())
    if len(rows) != len(set(ids)):
        raise NotFound(Text("Có việc không tồn tại.", "One of these assignments does not exist."))
    return rows


def rows(
    session: Session, today: Today, wanted: AssignmentFilter, limit: int, *order: ColumnElement[Any]
) -> list[AssignmentRow]:
    """The first rows of a filter, by due date if no order is given. Their ids come first: sorted with what a list shows
    of each, all rows of the filter would be read whole."""
    ids = session.connection().scalars(_first_ids(today.thresholds, wanted, limit, order)).all()
    return in_order(ids, lambda each: rows_with_ids(session, today, each)) if ids else []


@lru_cache(maxsize=64)
def _first_ids(today: Thresholds, wanted: AssignmentFilter, limit: int, order: tuple[Any, ...]) -> Select[Any]:
    """Ordered by COALESCE so that no due date index is used: few rows pass such a filter, and walking the index would
    read nearly all rows to find them."""
    a, p = table(Assignment), table(Plan)
    statement = select(a.c.id).join(p, p.c.id == a.c.plan_id).where(*conditions(wanted, today))
    return statement.order_by(*(order or (func.coalesce(a.c.due_on, literal(FAR)), a.c.id))).limit(limit)


def how_many(session: Session, today: Today, wanted: AssignmentFilter) -> int:
    """The number of assignments of a filter."""
    return session.connection().scalar(_counting(today.thresholds, wanted)) or 0


@lru_cache(maxsize=64)
def _counting(today: Thresholds, wanted: AssignmentFilter) -> Select[Any]:
    a, p = table(Assignment), table(Plan)
    counted = select(func.count()).select_from(a).join(p, p.c.id == a.c.plan_id)
    return counted.where(*conditions(wanted, today))
