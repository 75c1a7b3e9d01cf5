"""What SMS lately cost, in the parts that a gateway charges for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from sqlalchemy import func
from sqlmodel import Session, col, select

from engine.store.records import Letter, LetterBody
from engine.terms import LetterState
from notifications.sms.text import fit

DAYS = 30
SAMPLE = 1000
CHARGED = (
    LetterState.ACCEPTED,
    LetterState.DELIVERED,
    LetterState.BOUNCED_SOFT,
    LetterState.BOUNCED_HARD,
    LetterState.UNKNOWN,
)
"""A gateway charges what it has accepted, and perhaps what nobody knows of."""


@dataclass(frozen=True, slots=True)
class Usage:
    """``parts`` is counted exactly up to 1,000 messages; of more, the latest 1,000 stand for all. Texts that are no
    longer kept count as one part each if none is."""

    messages: int
    parts: int


def usage(session: Session, now: datetime) -> Usage:
    """The SMS of the 30 days before ``now``. Reads at most 1,000 texts."""
    sent = (
        Letter.channel == "sms",
        col(Letter.day) > (now - timedelta(days=DAYS)).date(),
        col(Letter.state).in_(CHARGED),
    )
    messages = session.exec(select(func.count()).where(*sent)).one()
    texts = select(LetterBody.text).where(LetterBody.letter_id == Letter.id, *sent)
    counted = [fit(text).size.parts for text in session.exec(texts.order_by(col(Letter.id).desc()).limit(SAMPLE))]
    return Usage(messages, ceil(sum(counted) * messages / len(counted)) if counted else messages)
