"""The periods of a plan as its assignments have them, and the one that people mean when they name none."""

from __future__ import annotations

from datetime import date

from sqlalchemy import func, select
from sqlmodel import Session

from engine.store.database import table
from engine.store.records import Assignment
from engine.terms import COUNTED_STATES


def main_period(session: Session, plan_id: int) -> str:
    """The latest of the plan's great rounds: those with at least half as many assignments as the greatest. «once»
    while nothing is open."""
    a = table(Assignment)
    chosen = select(a.c.period, func.count(), func.max(a.c.original_due_on)).group_by(a.c.period)
    rows = session.connection().execute(chosen.where(a.c.plan_id == plan_id, a.c.state.in_(COUNTED_STATES))).all()
    most = max((row[1] for row in rows), default=0)
    great = [(row[2] or date.min, row[0]) for row in rows if 2 * row[1] >= most]
    return max(great, default=(date.min, "once"))[1]
