"""The agencies that a department follows: those in the plans that it supervises or has issued."""

from __future__ import annotations

from sqlalchemy import exists, select, union
from sqlmodel import Session

from engine.store.database import table
from engine.store.records import Agency, Assignment, Plan


def followed_agencies(session: Session, department_id: str) -> frozenset[str]:
    """Owners of assignments in its plans, the supervisors and issuers of these plans, and the department itself."""
    g, a, p = table(Agency), table(Assignment), table(Plan)
    its_own = (p.c.supervisor_id == department_id) | (p.c.issuer_id == department_id)
    plans = select(p.c.id).where(its_own)
    owners = select(g.c.id).where(exists().where(a.c.agency_id == g.c.id, a.c.plan_id.in_(plans)))
    issuers, supervisors = (select(column).where(its_own) for column in (p.c.issuer_id, p.c.supervisor_id))
    return frozenset(session.connection().scalars(union(owners, issuers, supervisors))) | {department_id}
