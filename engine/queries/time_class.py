"""The time class of an assignment today, shared by all lists, counts and filters; defined in
``engine.rules.situation``. Derived, never stored: it changes with the date.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from functools import cached_property
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, case
from sqlmodel import Session

from engine.assignments import situations
from engine.enums import complete
from engine.rules.calendar import ONE_DAY, WorkCalendar, instant, local_date
from engine.store.data_versions import Topic, depends_on
from engine.store.database import table
from engine.store.records import Plan
from engine.store.rulebook import Rulebook, read_calendar, read_policies
from engine.terms import TimeClass

_WORST_FIRST = (
    TimeClass.OPEN_OVERDUE,
    TimeClass.DUE_SOON,
    TimeClass.OPEN_IN_TIME,
    TimeClass.NO_DEADLINE,
    TimeClass.DONE_LATE,
    TimeClass.DONE_ON_TIME,
    TimeClass.NOT_ASKED,
)
WORST_FIRST = tuple(complete(TimeClass, dict.fromkeys(_WORST_FIRST)))


class Thresholds(NamedTuple):
    """What divides the time classes on a day. All of ``Today`` that a statement may depend on: building a statement
    takes longer than SQLite takes to answer it, so the larger ones are built once for each value of these."""

    day: date
    soon: tuple[tuple[str, date], ...]
    past_before: date


@dataclass(frozen=True, kw_only=True)
class Today:
    """The time for which a page is computed. ``soon``: policy -> the last due date that counts as due soon."""

    now: datetime
    day: date
    calendar: WorkCalendar
    soon: Mapping[str, date]
    resubmit_days: Mapping[str, int]
    """Policy -> working days in which a returned report is to be resubmitted."""
    past_before: date
    """A plan with nothing left to open whose last due date lies before this day waits to be ended."""

    @cached_property
    def thresholds(self) -> Thresholds:
        return Thresholds(self.day, tuple(sorted(self.soon.items())), self.past_before)

    def days_left(self, due_on: date | None) -> int | None:
        """Working days from today to a due date, negative once it has passed; None without one."""
        return None if due_on is None else self.calendar.distance(self.day, due_on)


def read_today(session: Session, now: datetime) -> Today:
    """Read the calendar and the policies' thresholds; two queries."""
    return replace(read_day(session, local_date(now)), now=now)


@depends_on(Topic.CALENDAR, Topic.RULES)
def read_day(session: Session, day: date) -> Today:
    """A day at its beginning."""
    calendar = read_calendar(session)
    book = Rulebook(calendar, read_policies(session), {})
    policies, general = book.policies.values(), book.general
    soon = {policy.id: calendar.shift(day, policy.due_soon_days) for policy in policies}
    return Today(
        now=instant(day, time()),
        day=day,
        calendar=calendar,
        soon=soon,
        resubmit_days={policy.id: policy.resubmit_days for policy in policies},
        past_before=day - general.past_days * ONE_DAY if general else date.min,
    )


def time_class(today: Today | Thresholds) -> ColumnElement[TimeClass]:
    """The class of an ``assignment`` row joined to its ``plan``. None for cancelled and transferred ones."""
    return situations.box_column(today.day, _soon(today, table(Plan).c.policy_id))


def _soon(today: Today | Thresholds, policy_id: Any) -> Any:
    soon = dict(today.soon)
    if len(set(soon.values())) == 1:  # the usual case: avoids a lookup for every row
        return next(iter(soon.values()))
    return case(soon, value=policy_id, else_=today.day) if soon else today.day


def worst(classes: Mapping[TimeClass, int]) -> TimeClass:
    """The worst class with a non-zero count."""
    return next((each for each in WORST_FIRST if classes.get(each)), TimeClass.NO_DEADLINE)
