"""«No such mailbox» to everybody is the relay's fault, not the directory's.

A relay whose own directory is away says 5.1.1 of whomever it is asked. So such a refusal is believed at once only while
the relay serves others; in a row of failures it is tried again, and believed when it is said the third time, unless the
channel is down by then. When a channel that was down serves again, what was believed since it served last is taken
back: those addresses are written to again, and their letters are owed.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlmodel import Session

from engine.agencies.suppressions import lift_between
from engine.store.database import among, table
from engine.store.records import Delivery, Letter
from engine.terms import LetterState
from notifications.channel_health import ChannelHealth
from notifications.contract.channel import About, Fate, Outcome

REFUSALS_BELIEVED = 3
"""A permanent refusal that may be about something else is tried again, and believed the third time."""
LONGEST_RUN = timedelta(days=7)
"""How far back it is looked for the last letter that was accepted before a channel went down."""
_OF_A_REFUSAL = re.compile(r"dead: 5\d\d\b")
"""Reason of a suppression by an answer of the relay; that by a returned letter names its enhanced status."""


def is_of_address(outcome: Outcome) -> bool:
    return outcome.fate is Fate.REFUSED and outcome.about is About.ADDRESS


def doubtful(outcome: Outcome, health: ChannelHealth, contact_id: int, attempt: int) -> bool:
    """Whether a refusal says nothing of the address yet: the letters before it failed too, of other people."""
    others_failed = bool(set(health.failed) - {contact_id})
    return is_of_address(outcome) and others_failed and (health.down or attempt < REFUSALS_BELIEVED)


def take_back(session: Session, channel: str, down_since: datetime, now: datetime) -> int:
    """A channel serves again that was down: undo what it said of addresses. Returns how many."""
    lifted = lift_between(
        session,
        _last_accepted(session, channel, down_since),
        now,
        actor="system",
        now=now,
        only=lambda of, reason: of == channel and bool(_OF_A_REFUSAL.match(reason)),
    )
    letters, since = table(Letter), min((each.at for each in lifted), default=now)
    if lifted:
        session.connection().execute(
            update(letters)
            .where(
                among(session, letters.c.contact_id, {each.contact_id for each in lifted}),
                letters.c.channel == channel,
                letters.c.state == LetterState.REFUSED,
                letters.c.settled_at >= since,
            )
            .values(state=LetterState.QUEUED, send_after=now, settled_at=None, reason="", on_wire=False)
        )
    return len(lifted)


def _last_accepted(session: Session, channel: str, before: datetime) -> datetime:
    d, m = table(Delivery), table(Letter)
    served = d.c.fate.in_((str(Fate.ACCEPTED), str(Fate.DELIVERED)))
    statement = (
        select(d.c.at)
        .join(m, m.c.id == d.c.letter_id)
        .where(m.c.channel == channel, served, d.c.at < before, d.c.at > before - LONGEST_RUN)
        .order_by(d.c.id.desc())
        .limit(1)
    )
    at: datetime | None = session.connection().scalar(statement)
    return at or before - LONGEST_RUN
