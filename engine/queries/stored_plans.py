"""A plan by its number in the database, and the active ones.

The default reporting period of a plan.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import func, select
from sqlmodel import Session

from engine.assignments import situations
from engine.errors import NotFound
from engine.store.data_versions import Topic, depends_on
from engine.store.database import table
from engine.store.records import Assignment, Plan
from engine.store.stored_rows import StoredPlan, object_of, select_plans
from engine.terms import PlanState
from engine.text import Text


def find_plan(session: Session, plan_id: int) -> StoredPlan | None:
    """The plan; None if there is none."""
    row = session.connection().execute(select_plans().where(table(Plan).c.id == plan_id)).first()
    return None if row is None else object_of(StoredPlan, row)


def plan_of(session: Session, plan_id: int) -> StoredPlan:
    """Raises NotFound."""
    found = find_plan(session, plan_id)
    if found is None:
        raise NotFound(Text(f"Không có kế hoạch số {plan_id}.", f"There is no plan {plan_id}."))
    return found


@depends_on(Topic.PLANS)
def active_plans(session: Session) -> tuple[tuple[int, str], ...]:
    """(id, supervisor) of each active plan, newest first."""
    p = table(Plan)
    statement = select(p.c.id, p.c.supervisor_id).where(p.c.state == PlanState.ACTIVE)
    found = session.connection().execute(statement.order_by(p.c.issued_on.desc(), p.c.id))
    return tuple((plan_id, supervisor_id) for plan_id, supervisor_id in found)


def main_period(session: Session, plan_id: int) -> str:
    """The latest of the plan's main periods: those with at least half as many assignments as the largest. «once» while
    nothing is open."""
    a = table(Assignment)
    statement = select(a.c.period, func.count(), func.max(a.c.original_due_on)).group_by(a.c.period)
    rows = session.connection().execute(statement.where(a.c.plan_id == plan_id, situations.counted())).all()
    largest = max((row[1] for row in rows), default=0)
    main = [(row[2] or date.min, row[0]) for row in rows if 2 * row[1] >= largest]
    return max(main, default=(date.min, "once"))[1]
