"""What every paper of a plan reads of the database."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlmodel import Session

from engine.store.database import table
from engine.store.named_rows import AnyRow
from engine.store.records import Agency, Duty


def agency_names(session: Session) -> dict[str, str]:
    g = table(Agency)
    return {row.id: row.name for row in session.connection().execute(select(g.c.id, g.c.name))}


def plan_duties(session: Session, plan_id: int) -> Sequence[AnyRow]:
    """Rows of ``id``, ``position`` and ``text``."""
    d = table(Duty)
    return session.connection().execute(select(d.c.id, d.c.position, d.c.text).where(d.c.plan_id == plan_id)).all()
