"""Policies with the plans that use them, and what an edit would affect.

A year of the working calendar: days that differ from their weekday's rule, and the source of each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property

from sqlalchemy import func, select
from sqlmodel import Session

from engine.assignments import situations
from engine.assignments.opening import Opening, planned
from engine.errors import NotFound
from engine.rules.calendar import DayException, DayKind, WorkCalendar
from engine.rules.policy import Policy, Rung
from engine.store.database import table
from engine.store.records import Assignment, Plan, PolicyRecord
from engine.store.stored_rows import StoredPlan, objects, select_plans
from engine.terms import PlanState
from engine.text import Text

MAX_COUNTED_PLANS = 30
"""With more active plans than this, assignments still to open are not counted, since every plan file would be read."""


@dataclass(frozen=True)
class PolicyLine:
    """``plans``: (id, number) of the active plans that use it."""

    id: str
    policy: Policy
    loaded_at: datetime
    plans: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Coming:
    """``tasks`` assignments still to open, of one plan and period, to which the same rungs come on the same days."""

    plan: str
    period: str
    opens_on: date
    due_on: date
    request: bool
    urgent: bool
    tasks: int = 0

    def day_of(self, rung: Rung, policy: Policy, calendar: WorkCalendar) -> date | None:
        days = policy.ladder(request=self.request, urgent=self.urgent).days(calendar)
        return rung.on(self.opens_on, self.due_on, days)


@dataclass(frozen=True)
class Reach:
    """What a policy change affects. ``open``: assignments that keep their present ladder; ``to_open``: assignments that
    would get the new one, None with too many plans to count; ``at_once``: those of them that the next pass would open
    and write about; ``coming``: all of these, the next first."""

    open: int = 0
    to_open: int | None = 0
    coming: tuple[Coming, ...] = ()
    at_once: int = 0


def list_policies(session: Session) -> tuple[PolicyLine, ...]:
    """By id; two queries."""
    p, plans = table(PolicyRecord), table(Plan)
    active = select(plans.c.policy_id, plans.c.id, plans.c.number).where(plans.c.state == PlanState.ACTIVE)
    plans_of: dict[str, list[tuple[int, str]]] = {}
    for policy_id, plan_id, number in session.connection().execute(active.order_by(plans.c.issued_on, plans.c.id)):
        plans_of.setdefault(policy_id, []).append((plan_id, number))
    rows = session.connection().execute(select(p.c.id, p.c.body, p.c.loaded_at).order_by(p.c.id))
    return tuple(
        PolicyLine(row.id, Policy.model_validate(row.body), row.loaded_at, tuple(plans_of.get(row.id, ())))
        for row in rows
    )


def policy_line(session: Session, policy_id: str) -> PolicyLine:
    """Raises NotFound."""
    for line in list_policies(session):
        if line.id == policy_id:
            return line
    raise NotFound(Text(f"Không có chính sách «{policy_id}».", f"There is no policy “{policy_id}”."))


def find_policy(session: Session, policy_id: str) -> Policy | None:
    p = table(PolicyRecord)
    body = session.connection().scalar(select(p.c.body).where(p.c.id == policy_id))
    return None if body is None else Policy.model_validate(body)


def reach(session: Session, policy: Policy, calendar: WorkCalendar, today: date) -> Reach:
    """What the policy would affect if it took effect now: open assignments of its plans, and those still to open."""
    a, p = table(Assignment), table(Plan)
    where = (p.c.policy_id == policy.id, p.c.state == PlanState.ACTIVE)
    statement = (
        select(func.count()).select_from(a.join(p, p.c.id == a.c.plan_id)).where(*where, situations.without_report())
    )
    open_now = int(session.connection().scalar(statement) or 0)
    some = select_plans().where(*where).order_by(p.c.id).limit(MAX_COUNTED_PLANS + 1)
    plans = objects(StoredPlan, session.connection().execute(some))
    if len(plans) > MAX_COUNTED_PLANS:
        return Reach(open_now, None)
    coming, at_once = Counter[Coming](), 0
    for plan in plans:
        for each in _to_open(session, plan, policy, calendar):
            due, on = each.due_period, max(each.opens_on, today)
            same = Coming(plan.number, due.period.key, on, due.due.on, each.duty.request, plan.urgency.urgent)
            coming[same] += 1
            at_once += each.opens_on <= today
    found = (replace(each, tasks=tasks) for each, tasks in coming.items())
    return Reach(open_now, coming.total(), tuple(sorted(found, key=lambda each: (each.opens_on, each.due_on))), at_once)


def _to_open(session: Session, plan: StoredPlan, policy: Policy, calendar: WorkCalendar) -> Iterator[Opening]:
    """For each owner whose assignment has not opened."""
    a = table(Assignment)
    columns = select(a.c.duty_id, a.c.agency_id, a.c.period).where(a.c.plan_id == plan.id)
    opened = set(map(tuple, session.connection().execute(columns)))
    for each in planned(session, plan, policy, calendar):
        for agency_id in each.duty.owners:
            if (each.duty.id, agency_id, each.due_period.period.key) not in opened:
                yield each


@dataclass(frozen=True, slots=True)
class DayLine:
    """One such day. ``entered``: entered by this installation; otherwise a public holiday that the program computes."""

    day: date
    kind: DayKind
    name: str
    basis: str
    entered: bool


@dataclass(frozen=True)
class CalendarYear:
    """``known``: the year's holidays have been entered; without them Tết and swapped days are only estimates."""

    year: int
    days: tuple[DayLine, ...]
    known: bool

    @cached_property
    def by_day(self) -> Mapping[date, DayLine]:
        return {line.day: line for line in self.days}


def calendar_year(calendar: WorkCalendar, year: int) -> CalendarYear:
    """The year's exceptions in order. Pure."""
    first = date(year, 1, 1)
    every = (first + timedelta(days=n) for n in range((date(year + 1, 1, 1) - first).days))
    lines = tuple(_line(entry, calendar) for day in every if (entry := calendar.exception(day)) is not None)
    known = any(line.entered and line.kind is DayKind.HOLIDAY for line in lines)
    return CalendarYear(year, lines, known)


def known_until(calendar: WorkCalendar, year: int) -> int:
    """The year if its days have been entered, else the year before."""
    return year if calendar_year(calendar, year).known else year - 1


def _line(entry: DayException, calendar: WorkCalendar) -> DayLine:
    return DayLine(entry.day, entry.kind, entry.name, entry.basis, entry.day in calendar.exceptions)
