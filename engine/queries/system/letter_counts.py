"""Proof that letters leave: how many were owed, sent, delivered and in doubt between two days. One indexed count."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlmodel import Session

from engine.store.database import table
from engine.store.records import Letter
from engine.terms import LetterState

SENT = (LetterState.ACCEPTED, LetterState.DELIVERED, LetterState.BOUNCED_SOFT, LetterState.BOUNCED_HARD)
"""A relay or gateway took it, whatever became of it afterwards."""


@dataclass(frozen=True, slots=True)
class Proof:
    """``owed`` leaves out what had lost its point before it could leave; ``in_doubt`` may or may not have arrived."""

    owed: int = 0
    sent: int = 0
    delivered: int = 0
    in_doubt: int = 0


def proof(session: Session, since: date, until: date) -> Proof:
    """Of the letters dated from ``since`` on and before ``until``."""
    m = table(Letter)
    chosen = select(m.c.state, func.count()).where(m.c.day >= since, m.c.day < until).group_by(m.c.state)
    counts: Counter[LetterState] = Counter()
    for state, count in session.connection().execute(chosen):
        counts[state] = count
    return Proof(
        owed=counts.total() - counts[LetterState.SUPPRESSED],
        sent=sum(counts[state] for state in SENT),
        delivered=counts[LetterState.DELIVERED],
        in_doubt=counts[LetterState.UNKNOWN],
    )
