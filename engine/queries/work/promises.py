"""Promises: those that wait for the department's agreement, what one about a late task is chosen from, and the causes
that they give, counted."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import case, func, literal, select
from sqlmodel import Session

from engine.assignments.backlog import WAITS
from engine.assignments.promise_rows import promises_in, proposed_day
from engine.assignments.reports.submission import PromiseChoices
from engine.queries.directory.agencies import agencies_named
from engine.queries.paging import PER_PAGE, Page, decode, page, streamed
from engine.queries.time_class import Today
from engine.queries.work.assignments import (
    FAR,
    AssignmentFilter,
    AssignmentRow,
    causes,
    columns,
    conditions,
    from_rows,
    how_many,
    joined,
    periods_among,
    rows,
)
from engine.rules.policy import Policy, Reason
from engine.rules.typed_day import reason_words
from engine.store.data_versions import Topic, ask, by_agency, depends_on, of_agencies
from engine.store.database import among, table, unindexed
from engine.store.records import Assignment, Plan, Promise
from engine.store.rulebook import read_policies
from engine.store.stored_rows import AnyRow, object_of
from engine.terms import PromiseState, TimeClass, Waiting
from engine.text import Text

ROWS_PER_PAGE = 25
MAX_LATE = 25
"""With the fields of more tasks the page is longer than 50 KB."""


@dataclass(frozen=True, kw_only=True)
class WaitingPromise:
    """A promise with its assignment, waiting or not any more. ``agreeable``: its day is still to come."""

    id: int
    number: int
    made_at: datetime
    promised_on: date
    reason_code: str
    waits_for: str | None
    reason: str
    owed: str
    state: PromiseState
    agreeable: bool
    assignment: AssignmentRow

    @property
    def can_be_agreed(self) -> bool:
        return self.state is PromiseState.WAITING and self.agreeable and self.assignment.unfinished

    @property
    def can_be_refused(self) -> bool:
        return self.state in (PromiseState.WAITING, PromiseState.STANDING) and self.assignment.unfinished


@dataclass(frozen=True, kw_only=True)
class PromisesWaiting:
    """One page of ``total`` promises. ``periods``: those with waiting promises, ignoring the filter. ``reasons``: of
    every policy."""

    rows: tuple[WaitingPromise, ...]
    total: int
    page: int
    pages: int
    periods: tuple[str, ...]
    reasons: tuple[Reason, ...]


def promises_waiting(session: Session, today: Today, wanted: AssignmentFilter, *, page: int = 1) -> PromisesWaiting:
    """By due date; three queries. A page number past the end gives the last page."""
    cells = _counted(session, today, replace(wanted, waiting=None, period=""))
    total = sum(cell.n for cell in cells if wanted.period in ("", cell.period))
    pages = -(-total // ROWS_PER_PAGE)
    page = min(page, pages) or 1
    statement = _by_due(today, wanted)
    found = session.connection().execute(statement.offset((page - 1) * ROWS_PER_PAGE).limit(ROWS_PER_PAGE))
    return PromisesWaiting(
        rows=tuple(_lines(found.all(), today)),
        total=total,
        page=page,
        pages=pages,
        periods=periods_among(((cell.period, cell.due) for cell in cells), wanted),
        reasons=every_reason(session),
    )


def every_promise_waiting(session: Session, today: Today, wanted: AssignmentFilter) -> Iterator[WaitingPromise]:
    """All in the order of the page, in constant memory."""
    for some in streamed(session, _by_due(today, wanted)):
        yield from _lines(some, today)


def _by_due(today: Today, wanted: AssignmentFilter) -> Any:
    a, p = table(Assignment), table(Promise)
    where = conditions(replace(wanted, waiting=None), today)
    by_due = func.coalesce(a.c.due_on, literal(FAR))  # not the column: its index would be walked for a few promises
    return _select_promises(today).where(*where, *WAITS[Waiting.PROMISE].conditions).order_by(by_due, p.c.id)


def list_promises_waiting(
    session: Session, today: Today, wanted: AssignmentFilter, *, after: str = "", limit: int = PER_PAGE
) -> Page[WaitingPromise]:
    """In the order in which they were made; two queries."""
    p = table(Promise)
    total = how_many(session, today, replace(wanted, waiting=Waiting.PROMISE))
    where = conditions(replace(wanted, waiting=None), today)
    statement = _select_promises(today).where(*where, *WAITS[Waiting.PROMISE].conditions)
    if after:
        statement = statement.where(p.c.id > decode(after, int)[0])
    found = _lines(session.connection().execute(statement.order_by(p.c.id).limit(limit + 1)).all(), today)
    return page(found, limit, lambda row: (row.id,), total)


def waiting_days(session: Session, assignment_ids: Collection[int]) -> dict[int, date]:
    """By assignment, the promised day that waits for an agreement."""
    p = table(Promise)
    statement = select(p.c.assignment_id, p.c.promised_on)
    statement = statement.where(p.c.assignment_id.in_(assignment_ids), promises_in(PromiseState.WAITING))
    return {row.assignment_id: row.promised_on for row in session.connection().execute(statement)}


def promises_chosen(session: Session, today: Today, promise_ids: Collection[int]) -> list[WaitingPromise]:
    """The promises with these ids, whatever became of them."""
    a, p = table(Assignment), table(Promise)
    statement = _select_promises(today).where(p.c.id.in_(promise_ids)).order_by(a.c.due_on, p.c.id)
    return _lines(session.connection().execute(statement).all(), today)


def every_reason(session: Session) -> tuple[Reason, ...]:
    """The reasons of every policy, each code once."""
    found = {each.code: each for policy in read_policies(session).values() for each in policy.reasons}
    return tuple(found.values())


@dataclass(frozen=True)
class ReasonCount:
    """``tasks``: unfinished tasks whose last promise, or the return of their last report, gives this reason."""

    code: str
    words: Text
    tasks: int


@depends_on(Topic.PLANS, Topic.WORK, Topic.DIRECTORY)
def reasons_counted(session: Session, today: Today, wanted: AssignmentFilter) -> tuple[ReasonCount, ...]:
    """Of the unfinished tasks of a plan, a period, a department; most first. Requests are counted only if the filter
    asks for them."""
    found: Counter[str] = Counter()
    for of_agency in ask(session, causes_of_each, today, wanted).values():
        found.update(of_agency)
    if not found:
        return ()
    reasons = every_reason(session)
    lines = (ReasonCount(code, reason_words(code, reasons), tasks) for code, tasks in found.items())
    return tuple(sorted(lines, key=lambda each: (-each.tasks, each.words.vi)))


@by_agency(Topic.PLANS, Topic.WORK, Topic.DIRECTORY)
def causes_of_each(
    session: Session, today: Today, wanted: AssignmentFilter, *, agencies: Collection[str] | None = None
) -> Mapping[str, Mapping[str, int]]:
    """By agency and code of the reason, how many of its tasks are unfinished for it."""
    a, p, cause = table(Assignment), table(Plan), causes()
    wanted = replace(wanted, finished=False, request=bool(wanted.request))
    counted = (
        select(a.c.agency_id, cause.c.code, func.count())
        .join(a, a.c.id == cause.c.assignment_id)
        .join(p, p.c.id == unindexed(a.c.plan_id))  # by the few causes, not by agencies and plans
        .where(*conditions(wanted, today), *of_agencies(a.c.agency_id, agencies))
        .group_by(unindexed(a.c.agency_id), cause.c.code)
    )
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for agency_id, code, tasks in session.connection().execute(counted):
        found[agency_id][code] = tasks
    return dict(found)


@dataclass(frozen=True, kw_only=True)
class LateTasks:
    """The first ``MAX_LATE`` of ``total``: those without a promise that stands first, by due date. ``choices``: by
    plan. ``reasons``: of their policies."""

    rows: tuple[AssignmentRow, ...]
    total: int
    choices: Mapping[int, PromiseChoices]
    reasons: tuple[Reason, ...]


def late_tasks(session: Session, today: Today, agency_id: str, named: Collection[str] = ()) -> LateTasks:
    """``named``: what was typed for agencies. Four queries, five with names."""
    a, p = table(Assignment), table(Plan)
    wanted = AssignmentFilter(agency_id=agency_id, classes=(TimeClass.OPEN_OVERDUE,))
    promised: Any = case((func.coalesce(a.c.promised_on, today.day) > today.day, 1), else_=0)
    found = rows(session, today, wanted, MAX_LATE, promised, a.c.due_on, a.c.id)
    plans = among(session, p.c.id, {row.plan_id for row in found})
    policies = read_policies(session)
    of_plan = {row.id: policies[row.policy_id] for row in session.connection().execute(select(p).where(plans))}
    agencies = agencies_named(session, named)
    reasons = {each.code: each for policy in of_plan.values() for each in policy.late_reasons}
    return LateTasks(
        rows=tuple(found),
        total=how_many(session, today, wanted),
        choices={plan_id: _choices(policy, today, agencies) for plan_id, policy in of_plan.items()},
        reasons=tuple(reasons.values()),
    )


def promise_choices(session: Session, today: Today, policy_id: str, named: Collection[str] = ()) -> PromiseChoices:
    """What a promise is chosen from, by a policy. ``named``: what was typed for agencies. One query, two with names."""
    return _choices(read_policies(session)[policy_id], today, agencies_named(session, named))


def _choices(policy: Policy, today: Today, agencies: Mapping[str, str]) -> PromiseChoices:
    return PromiseChoices(
        today=today.day,
        proposed=proposed_day(policy, today.calendar, today.day),
        reasons=policy.late_reasons,
        agencies=agencies,
    )


def _counted(session: Session, today: Today, wanted: AssignmentFilter) -> Sequence[Any]:
    """Waiting promises per period."""
    a, p = table(Assignment), table(Promise)
    statement = select(a.c.period, func.count().label("n"), func.min(a.c.due_on).label("due"))
    statement = joined(statement).join(p, p.c.assignment_id == a.c.id)
    statement = statement.where(*conditions(wanted, today), *WAITS[Waiting.PROMISE].conditions).group_by(a.c.period)
    return session.connection().execute(statement).all()


def _select_promises(today: Today) -> Any:
    a, p = table(Assignment), table(Promise)
    own = (p.c.number, p.c.made_at, p.c.promised_on.label("asked_on"), p.c.reason_code, p.c.waits_for, p.c.reason)
    more = (p.c.id.label("promise_id"), *own, p.c.owed, p.c.state.label("promise_state"))
    return joined(select(*columns(today), *more)).join(p, p.c.assignment_id == a.c.id)


def _lines(found: Sequence[AnyRow], today: Today) -> list[WaitingPromise]:
    return [
        object_of(
            WaitingPromise,
            row,
            id=row.promise_id,
            promised_on=row.asked_on,
            state=row.promise_state,
            agreeable=row.asked_on > today.day,
            assignment=assignment,
        )
        for row, assignment in zip(found, from_rows(found), strict=True)
    ]
