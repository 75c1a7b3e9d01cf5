"""Tells the agency that a late task waits for («chờ cơ quan phối hợp»): one line in its coordinator's next letter."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select
from sqlmodel import Session

from engine.assignments.outbox import NoticeLine, post
from engine.rules.calendar import WorkCalendar
from engine.rules.policy import Policy
from engine.store.database import table
from engine.store.recipients import read_recipients
from engine.store.records import Plan
from engine.store.stored_rows import StoredAssignment
from engine.terms import NoticeKind, Role

MAX_QUOTED_CHARS = 400


def tell_waited_for(
    session: Session,
    row: StoredAssignment,
    agency_id: str,
    *,
    effect: str,
    on: date | None,
    reason: str,
    policy: Policy,
    calendar: WorkCalendar,
    now: datetime,
) -> None:
    """``agency_id``: "" if no agency is waited for. ``on``: the day that the owner has promised, if it has;
    ``reason``: its words. Nothing chases the agency for it."""
    if agency_id in ("", row.agency_id):
        return
    p = table(Plan)
    urgency = session.connection().scalars(select(p.c.urgency).where(p.c.id == row.plan_id)).one()
    line = NoticeLine(
        effect=effect,
        assignment_id=row.id,
        agency_id=agency_id,
        role=Role.COORDINATOR,
        kind=NoticeKind.COORDINATES,
        policy=policy,
        urgent=urgency.urgent,
        detail={
            "waits": True,
            "until": "" if on is None else on.isoformat(),
            "said": " ".join(reason.split())[:MAX_QUOTED_CHARS],
        },
    )
    post(session, [line], read_recipients(session, [agency_id]), calendar, now)
