"""The default reporting period of a plan."""

from __future__ import annotations

from datetime import date

from sqlalchemy import func, select
from sqlmodel import Session

from engine.store.database import table
from engine.store.records import Assignment
from engine.terms import COUNTED_STATES


def main_period(session: Session, plan_id: int) -> str:
    """The latest of the plan's main periods: those with at least half as many assignments as the largest. «once» while
    nothing is open."""
    a = table(Assignment)
    statement = select(a.c.period, func.count(), func.max(a.c.original_due_on)).group_by(a.c.period)
    rows = session.connection().execute(statement.where(a.c.plan_id == plan_id, a.c.state.in_(COUNTED_STATES))).all()
    largest = max((row[1] for row in rows), default=0)
    main = [(row[2] or date.min, row[0]) for row in rows if 2 * row[1] >= largest]
    return max(main, default=(date.min, "once"))[1]
