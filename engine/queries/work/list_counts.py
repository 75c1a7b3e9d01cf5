"""How many tasks the lists of work hold: in each of a reader's saved views, and new since they last looked.

A list of hundreds of thousands is not counted to its end: from ``MAX_COUNTED`` on the page says «hơn 1.000».
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal, select
from sqlmodel import Session

from engine.assignments.promise_rows import promises_in
from engine.queries.time_class import Today
from engine.queries.work.assignments import AssignmentFilter, Waiting, conditions
from engine.rules.calendar import local_date
from engine.store.data_versions import Topic, depends_on
from engine.store.database import table
from engine.store.records import Assignment, Extension, Plan, Promise
from engine.terms import PromiseState, TimeClass

MAX_COUNTED = 1_000


def _late(wanted: AssignmentFilter) -> AssignmentFilter:
    return replace(wanted, classes=(TimeClass.OPEN_OVERDUE,), request=bool(wanted.request))


NARROWED: Mapping[str, Callable[[AssignmentFilter], AssignmentFilter]] = {
    "/assignments": lambda wanted: wanted,
    "/overdue": _late,
    "/accept": lambda wanted: replace(wanted, waiting=Waiting.ACCEPT),
    "/extensions": lambda wanted: replace(wanted, waiting=Waiting.EXTENSION),
    "/promises": lambda wanted: replace(wanted, waiting=Waiting.PROMISE),
}
"""Each list -> what it shows of the tasks that its filter selects."""


@depends_on(Topic.PLANS, Topic.WORK, Topic.DIRECTORY, Topic.LOG)
def listed_counts(session: Session, today: Today, path: str, filters: tuple[AssignmentFilter, ...]) -> tuple[int, ...]:
    """The tasks of a list for each filter, ``MAX_COUNTED`` + 1 for more. One statement."""
    if not filters:
        return ()
    counted = [_bounded(today, path, wanted).scalar_subquery() for wanted in filters]
    return tuple(session.connection().execute(select(*counted)).one())


def new_count(session: Session, today: Today, path: str, wanted: AssignmentFilter, since: datetime) -> int:
    """How many of a list came into it since a moment, ``MAX_COUNTED`` + 1 for more. One statement."""
    return session.connection().scalar(_bounded(today, path, wanted, _came_since(path, since))) or 0


def _bounded(today: Today, path: str, wanted: AssignmentFilter, *more: ColumnElement[bool]) -> Select[int]:
    a, p = table(Assignment), table(Plan)
    rows = select(literal(1).label("one")).select_from(a).join(p, p.c.id == a.c.plan_id)
    rows = rows.where(*conditions(NARROWED[path](wanted), today), *more)
    return select(func.count()).select_from(rows.limit(MAX_COUNTED + 1).subquery())


def _came_since(path: str, since: datetime) -> ColumnElement[bool]:
    """Condition: the task came into the list after the moment; it became overdue on that day or later."""
    a, x, p = table(Assignment), table(Extension), table(Promise)
    if path in ("/extensions", "/promises"):
        asked = (
            select(x.c.assignment_id).where(x.c.decided_at.is_(None), x.c.asked_at > since)
            if path == "/extensions"
            else select(p.c.assignment_id).where(promises_in(PromiseState.WAITING), p.c.made_at > since)
        )
        return a.c.id.in_(asked)  # type: ignore[no-any-return]
    came: dict[str, Any] = {"/overdue": a.c.due_on >= local_date(since), "/accept": a.c.reported_at > since}
    return came.get(path, a.c.opened_at > since)  # type: ignore[no-any-return]
