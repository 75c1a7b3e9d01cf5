"""How long plan documents under review are kept. Independent of the content of drafts, so that the daily cleanup need
not load the importer."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlmodel import Session

from engine.store.database import table
from engine.store.event_log import append, event
from engine.store.records import PlanDraft
from engine.terms import EventKind

DRAFT_RETENTION = timedelta(days=180)
"""After the last correction."""


def prune(session: Session, now: datetime) -> int:
    """Delete the drafts that nobody has corrected for DRAFT_RETENTION; returns how many."""
    d = table(PlanDraft)
    old = session.connection().execute(select(d.c.id, d.c.name).where(d.c.changed_at < now - DRAFT_RETENTION)).all()
    session.connection().execute(delete(d).where(d.c.id.in_([row.id for row in old])))
    details = ({"draft": row.id, "name": row.name, "what": "draft_expired"} for row in old)
    append(session, [event(EventKind.PLAN_DRAFT_ENDED, now) | {"detail": each} for each in details])
    return len(old)
