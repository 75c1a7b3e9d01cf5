"""Promises: those that wait for the department's agreement, what one about a late task is chosen from, and the causes
that they give, counted."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import func, select
from sqlmodel import Session

from engine.assignments.promise_rows import promises_in, proposed_day
from engine.assignments.reports.submission import PromiseChoices
from engine.queries.directory.agencies import agencies_named
from engine.queries.time_class import Today
from engine.queries.work.assignments import (
    AssignmentFilter,
    AssignmentRow,
    causes,
    conditions,
)
from engine.queries.work.waiting_rows import WaitingRows
from engine.rules.policy import Reason
from engine.rules.typed_day import reason_words
from engine.store.data_versions import Topic, ask, by_agency, depends_on, of_agencies
from engine.store.database import table, unindexed
from engine.store.records import Assignment, Plan, Promise
from engine.store.rulebook import read_policies
from engine.store.stored_rows import AnyRow, object_of
from engine.terms import PromiseState, Waiting
from engine.text import Text


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


def waiting_days(session: Session, assignment_ids: Collection[int]) -> dict[int, date]:
    """By assignment, the promised day that waits for an agreement."""
    p = table(Promise)
    statement = select(p.c.assignment_id, p.c.promised_on)
    statement = statement.where(p.c.assignment_id.in_(assignment_ids), promises_in(PromiseState.WAITING))
    return {row.assignment_id: row.promised_on for row in session.connection().execute(statement)}


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


def promise_choices(session: Session, today: Today, policy_id: str, named: Collection[str] = ()) -> PromiseChoices:
    """What a promise is chosen from, by a policy. ``named``: what was typed for agencies. One query, two with names."""
    policy = read_policies(session)[policy_id]
    return PromiseChoices(
        today=today.day,
        proposed=proposed_day(policy, today.calendar, today.day),
        reasons=policy.late_reasons,
        agencies=agencies_named(session, named),
    )


def _line(row: AnyRow, assignment: AssignmentRow, today: Today) -> WaitingPromise:
    return object_of(
        WaitingPromise,
        row,
        id=row.own_id,
        promised_on=row.asked_on,
        state=row.promise_state,
        agreeable=row.asked_on > today.day,
        assignment=assignment,
    )


_w = table(Promise).c
_SAID = (_w.number, _w.made_at, _w.promised_on.label("asked_on"), _w.reason_code, _w.waits_for, _w.reason, _w.owed)
PROMISES = WaitingRows(Waiting.PROMISE, table(Promise), (*_SAID, _w.state.label("promise_state")), _line)
