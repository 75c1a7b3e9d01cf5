"""Lift suppressions in bulk: after a bad day at the relay, write again to addresses that were silenced by mistake.

Only what a refusal or a bounce suppressed is lifted, found by its event; what a person asked for stays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time

from sqlalchemy import select, update
from sqlmodel import Session

from engine.agencies.preferences import ASKED
from engine.rules.calendar import ONE_DAY, instant, local_date
from engine.store.database import among, table
from engine.store.event_log import append, event
from engine.store.records import Contact, Event
from engine.terms import EventKind


@dataclass(frozen=True, slots=True)
class Lifted:
    """A channel of a contact that is written to again. ``at``: when it was suppressed."""

    contact_id: int
    agency_id: str
    channel: str
    reason: str
    at: datetime

    @property
    def on(self) -> date:
        return local_date(self.at)


def lift_suppressions(session: Session, first: date, last: date, *, actor: str, now: datetime) -> list[Lifted]:
    """Lift what was suppressed on the local days ``first`` to ``last`` and still is. One event each."""
    since, until = instant(first, time.min), instant(last + ONE_DAY, time.min)
    return lift_between(session, since, until, actor=actor, now=now)


def lift_between(
    session: Session,
    since: datetime,
    until: datetime,
    *,
    actor: str,
    now: datetime,
    only: Callable[[str, str], bool] = lambda channel, reason: True,
) -> list[Lifted]:
    """The same of what was suppressed from one instant until before another. ``only``: of which channels and
    reasons."""
    c, e = table(Contact), table(Event)
    statement = (
        select(e.c.at, e.c.detail)
        .where(e.c.kind == EventKind.CONTACT_CHANGED)
        .where(e.c.at >= since, e.c.at < until)
        .order_by(e.c.id)
    )
    suppressed = {
        (detail["contact"], detail["channel"]): (detail["suppressed"], at)
        for at, detail in session.connection().execute(statement)
        if detail.get("suppressed")
    }
    rows = (
        session.connection()
        .execute(
            select(c.c.id, c.c.agency_id, c.c.suppressed)
            .where(among(session, c.c.id, {contact_id for contact_id, _ in suppressed}))
            .with_for_update()
        )
        .all()
    )
    lifted = [
        Lifted(contact_id, agency_id, channel, reason, suppressed[contact_id, channel][1])
        for contact_id, agency_id, current in rows
        for channel, reason in current.items()
        if reason != ASKED and only(channel, reason) and suppressed.get((contact_id, channel), ("",))[0] == reason
    ]
    gone = {(each.contact_id, each.channel) for each in lifted}
    for contact_id, _, current in rows:
        remaining = {name: why for name, why in current.items() if (contact_id, name) not in gone}
        session.connection().execute(update(c).where(c.c.id == contact_id).values(suppressed=remaining))
    append(
        session,
        [
            event(
                EventKind.CONTACT_CHANGED,
                now,
                actor=actor,
                what="resumed",
                contact=each.contact_id,
                channel=each.channel,
            )
            for each in lifted
        ],
    )
    return lifted
