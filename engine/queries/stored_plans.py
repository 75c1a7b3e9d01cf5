"""A plan by its number in the database, and the active ones."""

from __future__ import annotations

from sqlalchemy import select
from sqlmodel import Session

from engine.errors import NotFound
from engine.store.data_versions import Topic, depends_on
from engine.store.database import table
from engine.store.named_rows import object_of
from engine.store.records import Plan
from engine.store.stored_rows import StoredPlan, select_plans
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
