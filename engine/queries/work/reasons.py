"""Why tasks are not finished: how many by the reason code of their last promise."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import func, select
from sqlmodel import Session

from engine.queries.time_class import Today
from engine.queries.work.assignments import AssignmentFilter, conditions, last_promise
from engine.queries.work.promises_waiting import every_reason
from engine.rules.promise_words import reason_words
from engine.store.database import table
from engine.store.records import Assignment, Plan, Promise
from engine.text import Text


@dataclass(frozen=True)
class ReasonCount:
    """``tasks``: unfinished tasks whose last promise gives this reason."""

    code: str
    words: Text
    tasks: int


def reasons_counted(session: Session, today: Today, wanted: AssignmentFilter) -> tuple[ReasonCount, ...]:
    """Of the unfinished tasks of a plan, a period, a department; most first. Requests are counted only if the filter
    asks for them. Two queries."""
    a, p, promise = table(Assignment), table(Plan), table(Promise)
    wanted = replace(wanted, finished=False, request=bool(wanted.request))
    counted = (
        select(promise.c.reason_code, func.count().label("tasks"))
        .join(a, a.c.id == promise.c.assignment_id)
        .join(p, p.c.id == a.c.plan_id)
        .where(*conditions(wanted, today), last_promise())
        .group_by(promise.c.reason_code)
    )
    found = {row.reason_code: row.tasks for row in session.connection().execute(counted)}
    if not found:
        return ()
    reasons = every_reason(session)
    lines = (ReasonCount(code, reason_words(code, reasons), tasks) for code, tasks in found.items())
    return tuple(sorted(lines, key=lambda each: (-each.tasks, each.words.vi)))
