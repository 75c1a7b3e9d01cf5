"""The time class of an assignment as one SQL expression, shared by all lists, counts and filters.

The four boxes of Decision 42/2014/QĐ-TTg (amended by 23/2018), with «due soon» inside «in term», and «no deadline» as a
fifth. Derived, never stored: it changes with the date.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Enum, case, literal, select, type_coerce
from sqlmodel import Session

from engine.rules.calendar import WorkCalendar, local_date
from engine.rules.policy import Policy
from engine.store.database import table
from engine.store.records import Assignment, Plan, PolicyRecord
from engine.store.rulebook import read_calendar
from engine.terms import TimeClass, Timing

TIME_CLASS: Any = Enum(
    TimeClass, values_callable=lambda members: [each.value for each in members], native_enum=False, length=16
)
BOXES: Mapping[TimeClass, tuple[TimeClass, ...]] = {
    TimeClass.OPEN_OVERDUE: (TimeClass.OPEN_OVERDUE,),
    TimeClass.OPEN_IN_TIME: (TimeClass.OPEN_IN_TIME, TimeClass.DUE_SOON),
    TimeClass.DONE_ON_TIME: (TimeClass.DONE_ON_TIME,),
    TimeClass.DONE_LATE: (TimeClass.DONE_LATE,),
}
"""The four boxes, worst first, with the classes each contains."""
WORST_FIRST = (
    TimeClass.OPEN_OVERDUE,
    TimeClass.DUE_SOON,
    TimeClass.OPEN_IN_TIME,
    TimeClass.NO_DEADLINE,
    TimeClass.DONE_LATE,
    TimeClass.DONE_ON_TIME,
)


@dataclass(frozen=True)
class Today:
    """The time for which a page is computed. ``soon``: policy -> the last due date that counts as due soon."""

    now: datetime
    day: date
    calendar: WorkCalendar
    soon: Mapping[str, date]
    soon_days: int
    _known: dict[date, int] = field(default_factory=dict, repr=False, compare=False)

    def days_left(self, due_on: date | None) -> int | None:
        """Working days from today to a due date, negative once it has passed; None without one. Cached."""
        if due_on is None:
            return None
        if due_on not in self._known:
            self._known[due_on] = self.calendar.distance(self.day, due_on)
        return self._known[due_on]


def read_today(session: Session, now: datetime) -> Today:
    """Read the calendar and the policies' thresholds; two queries."""
    calendar, day = read_calendar(session), local_date(now)
    policy_bodies = session.connection().scalars(select(table(PolicyRecord).c.body)).all()
    policies = [Policy.model_validate(policy_body) for policy_body in policy_bodies]
    soon = {policy.id: calendar.shift(day, policy.due_soon_days) for policy in policies}
    days = next((policy.due_soon_days for policy in policies if policy.id == "default"), 3)
    return Today(now, day, calendar, soon, days)


def time_class(today: Today) -> ColumnElement[TimeClass]:
    """The class of an ``assignment`` row joined to its ``plan``. Meaningless for cancelled and transferred ones."""
    a, p = table(Assignment), table(Plan)
    reported, due = a.c.reported_on, a.c.due_on
    return _class(today, due, p.c.policy_id, (reported.is_not(None)) & (reported <= due), reported.is_not(None))


def counter_class(today: Today, counters: Any) -> ColumnElement[TimeClass]:
    """The class of a row of ``engine.assignments.counters``."""
    on_time, late = (counters.c.timing == each.value for each in (Timing.ON_TIME, Timing.LATE))
    return _class(today, counters.c.due_on, counters.c.policy_id, on_time, late)


def _class(today: Today, due_on: Any, policy_id: Any, on_time: Any, done: Any) -> ColumnElement[TimeClass]:
    soon: Any = today.day
    if len(set(today.soon.values())) == 1:  # the usual case: avoids a lookup for every row
        soon = next(iter(today.soon.values()))
    elif today.soon:
        soon = case(dict(today.soon), value=policy_id, else_=today.day)
    expression = case(
        (due_on.is_(None), literal(TimeClass.NO_DEADLINE.value)),
        (on_time, literal(TimeClass.DONE_ON_TIME.value)),
        (done, literal(TimeClass.DONE_LATE.value)),
        (due_on < today.day, literal(TimeClass.OPEN_OVERDUE.value)),
        (due_on <= soon, literal(TimeClass.DUE_SOON.value)),
        else_=literal(TimeClass.OPEN_IN_TIME.value),
    )
    return type_coerce(expression, TIME_CLASS)


def worst(classes: Mapping[TimeClass, int]) -> TimeClass:
    """The worst class with a non-zero count."""
    return next((each for each in WORST_FIRST if classes.get(each)), TimeClass.NO_DEADLINE)
