"""What waits for a supervising department: reports to accept, extensions, promises and «not mine» to decide,
difficulties and questions to answer, plans past their end, and for how long.

It is counted when a letter is rendered, so what has been decided meanwhile is not asked for again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, and_, exists, func, select
from sqlmodel import Session

from engine.assignments import situations
from engine.assignments.chasing import drafts_waiting
from engine.assignments.promise_rows import promises_in
from engine.enums import complete
from engine.rules.calendar import ONE_DAY, WorkCalendar, instant, local_date
from engine.rules.policy import Policy
from engine.rules.situation import COUNTED, NEEDS, OWES, Action
from engine.store.database import among, table
from engine.store.records import Assignment, Event, Extension, Plan, Promise, ThreadEntry
from engine.store.records.work import DECLINED_EVENT, UNANSWERED_ENTRY
from engine.terms import EventKind, PlanState, PromiseState, Waiting

ANSWERED = (EventKind.ACKNOWLEDGED, EventKind.REPORTED, EventKind.CHASED, EventKind.UNDONE)
"""Events after which a «not mine» is settled: the owner took it on after all, or the monitor chased it anyway."""


@dataclass(frozen=True, slots=True)
class Waits:
    """``count`` of one kind, the oldest since ``since`` (``days`` working days); ``old``: those beyond the policy's
    limit."""

    count: int
    since: date
    days: int
    old: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What waits for one department; None where nothing does. ``limit_days`` as in ``Policy.backlog_days``."""

    limit_days: int
    reports: Waits | None = None
    extensions: Waits | None = None
    promises: Waits | None = None
    """Promised days that count only once the department agrees."""
    declined: Waits | None = None
    raised: Waits | None = None
    plans: Waits | None = None
    """Active plans past their last due date by ``Policy.past_days``, which the department may end."""
    department: str = ""
    """Its id: what the lists that the numbers open are narrowed to."""
    drafts: int = 0
    """Draft dispatches that wait to be signed; no decision on what somebody sent, so not counted among them."""

    @property
    def waiting(self) -> tuple[Waits, ...]:
        kinds = self.reports, self.extensions, self.promises, self.declined, self.raised
        return tuple(each for each in kinds if each is not None)

    @property
    def count(self) -> int:
        return sum(each.count for each in self.waiting)

    @property
    def aging(self) -> bool:
        """A plan is past its end, a draft waits, or something has waited for half of the limit: the monitor is written
        to even if nothing else is to be said."""
        return bool(self.plans or self.drafts) or any(2 * each.days >= self.limit_days for each in self.waiting)

    @property
    def old(self) -> int:
        """How many wait for longer than the limit: the head of the department hears."""
        return sum(each.old for each in self.waiting)


@cache
def open_refusal() -> ColumnElement[bool]:
    """Condition: the event is a «not mine» that nobody has answered."""
    e = table(Event)
    later = table(Event, "later")
    answered = exists().where(
        later.c.assignment_id == e.c.assignment_id, later.c.id > e.c.id, later.c.kind.in_(ANSWERED)
    )
    return and_(DECLINED_EVENT, ~answered)


@cache
def unanswered() -> ColumnElement[bool]:
    """Condition: the entry is the owner's and waits for the department's answer."""
    t, a = table(ThreadEntry), table(Assignment)
    own: ColumnElement[bool] = t.c.agency_id == a.c.agency_id
    return and_(UNANSWERED_ENTRY, own)


@dataclass(frozen=True, kw_only=True)
class Wait:
    """Something that the department decides. ``name``: its field of ``Backlog``; ``since``: when it came; ``rows``:
    where it stands, joined to its task; ``which``: those of them that wait; ``tasks``: their tasks, by id; ``need``:
    what is required of the task, without the index of the unfinished ones, by which SQLite would walk all of them."""

    name: str
    since: ColumnElement[datetime]
    rows: FromClause
    which: ColumnElement[bool]
    tasks: Select[Any] | None
    need: ColumnElement[bool]

    @property
    def of_task(self) -> ColumnElement[bool]:
        """Condition: something of this kind waits of the task. SQLite begins with what waits, which is little."""
        return self.need if self.tasks is None else and_(table(Assignment).c.id.in_(self.tasks), self.need)

    @property
    def conditions(self) -> tuple[ColumnElement[bool], ...]:
        """Of the rows: what waits said twice, so that SQLite begins with it, also without statistics of the table."""
        return self.which, self.of_task


def _wait(
    name: str,
    stored: FromClause,
    since: ColumnElement[datetime],
    which: ColumnElement[bool],
    need: ColumnElement[bool],
    tasks: Select[Any] | None = None,
) -> Wait:
    """What is stored apart from its task. ``tasks``: where ``which`` asks the task as well."""
    a = table(Assignment)
    rows = stored.join(a, a.c.id == stored.c.assignment_id)
    tasks = select(stored.c.assignment_id).where(which) if tasks is None else tasks
    return Wait(name=name, since=since, rows=rows, which=which, tasks=tasks, need=need)


def _all_that_waits() -> Mapping[Waiting, Wait]:
    a, x, w, e, t = table(Assignment), table(Extension), table(Promise), table(Event), table(ThreadEntry)
    raised_by = table(Assignment, "raised_by")
    own = select(t.c.assignment_id).join(raised_by, raised_by.c.id == t.c.assignment_id)
    own = own.where(UNANSWERED_ENTRY, t.c.agency_id == raised_by.c.agency_id)
    owed, declinable, counted = (situations.where(row, index=False) for row in (OWES, NEEDS[Action.DECLINE], COUNTED))
    reports = situations.can(Action.ACCEPT)  # the same text as the condition of the index ix_assignment_to_accept
    return complete(
        Waiting,
        {
            Waiting.ACCEPT: Wait(
                name="reports", since=a.c.reported_at, rows=a, which=reports, tasks=None, need=reports
            ),
            Waiting.EXTENSION: _wait("extensions", x, x.c.asked_at, x.c.decided_at.is_(None), owed),
            Waiting.PROMISE: _wait("promises", w, w.c.made_at, promises_in(PromiseState.WAITING), owed),
            Waiting.DECLINED: _wait("declined", e, e.c.at, open_refusal(), declinable),
            Waiting.RAISED: _wait("raised", t, t.c.at, unanswered(), counted, own),
        },
    )


WAITS = _all_that_waits()
"""Read by the backlog of letters, the lists and their filters, the to-do list and the metrics."""


def past_plans(session: Session, today: date, policy: Policy) -> dict[int, tuple[str, date]]:
    """The active plans of earlier years that have nothing left to open and whose last due date is more than
    ``past_days`` ago: by id, the department and that date."""
    found = session.connection().execute(select_past_plans(today, today - policy.past_days * ONE_DAY))
    return {row.id: (row.supervisor_id, row.last_due) for row in found}


@lru_cache(maxsize=32)
def select_past_plans(today: date, before: date) -> Select[Any]:
    """``id``, ``supervisor_id`` and ``last_due`` of ``past_plans``: those whose last due date lies before
    ``before``."""
    a, p = table(Assignment, "of_past"), table(Plan, "past")
    last_due = select(func.max(a.c.due_on)).where(a.c.plan_id == p.c.id).scalar_subquery()
    over = (p.c.state == PlanState.ACTIVE, p.c.next_open_at.is_(None), p.c.year < today.year)
    return select(p.c.id, p.c.supervisor_id, last_due.label("last_due")).where(*over, last_due < before)


def backlogs(
    session: Session, departments: Iterable[str], calendar: WorkCalendar, today: date, policy: Policy
) -> dict[str, Backlog]:
    """By department, those for which something of an active plan waits. Eight queries. Plans are joined here and not in
    SQL: SQLite's planner began with the plans and walked all their assignments for a few requests."""
    a, wanted = table(Assignment), set(departments)
    found: dict[str, dict[str, Waits]] = {}
    old_before = instant(calendar.shift(today, -policy.backlog_days), time())
    active = set(session.connection().scalars(select(table(Plan).c.id).where(table(Plan).c.state == PlanState.ACTIVE)))
    for wait in WAITS.values():
        # Grouped here: for a GROUP BY the planner would walk the index that has all tasks in its order.
        rows = select(a.c.plan_id, a.c.supervisor_id, a.c.id, wait.since).select_from(wait.rows)
        waiting: dict[str, dict[int, datetime]] = {}
        for plan_id, department, assignment_id, at in session.connection().execute(
            rows.where(*wait.conditions, among(session, a.c.supervisor_id, wanted))
        ):
            if plan_id in active:
                each = waiting.setdefault(department, {})
                each[assignment_id] = min(at, each.get(assignment_id, at))
        for department, each in waiting.items():
            day = local_date(min(each.values()))
            old = sum(at < old_before for at in each.values())
            found.setdefault(department, {})[wait.name] = Waits(len(each), day, calendar.distance(day, today), old)
    ended: dict[str, list[date]] = {}
    for department, last_due in past_plans(session, today, policy).values():
        if department in wanted:
            ended.setdefault(department, []).append(last_due)
    for department, days in ended.items():
        waits = Waits(len(days), min(days), calendar.distance(min(days), today), 0)
        found.setdefault(department, {})["plans"] = waits
    drafts = Counter(department for department, _ in drafts_waiting(session, today, wanted))
    return {
        each: Backlog(limit_days=policy.backlog_days, **found.get(each, {}), department=each, drafts=drafts[each])
        for each in dict.fromkeys((*found, *drafts))
    }
