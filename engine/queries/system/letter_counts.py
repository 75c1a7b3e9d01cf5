"""Counts of letters owed, sent, delivered and in doubt between two days. One indexed query."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlmodel import Session

from engine.store.data_versions import Topic, depends_on
from engine.store.database import table
from engine.store.records import Letter
from engine.terms import LetterState

SENT = (LetterState.ACCEPTED, LetterState.DELIVERED, LetterState.BOUNCED_SOFT, LetterState.BOUNCED_HARD)
"""States in which a relay or gateway had accepted the letter, whatever happened afterwards."""


@dataclass(frozen=True, slots=True)
class LetterCounts:
    """``owed`` leaves out letters that became obsolete before sending; ``in_doubt`` may or may not have arrived."""

    owed: int = 0
    sent: int = 0
    delivered: int = 0
    in_doubt: int = 0


def count_letters(session: Session, since: date, until: date) -> LetterCounts:
    """Counts of letters dated from ``since`` (included) to ``until`` (excluded)."""
    m = table(Letter)
    statement = select(m.c.state, func.count()).where(m.c.day >= since, m.c.day < until).group_by(m.c.state)
    counts: Counter[LetterState] = Counter()
    for state, count in session.connection().execute(statement):
        counts[state] = count
    return LetterCounts(
        owed=counts.total() - counts[LetterState.SUPPRESSED],
        sent=sum(counts[state] for state in SENT),
        delivered=counts[LetterState.DELIVERED],
        in_doubt=counts[LetterState.UNKNOWN],
    )


@depends_on(Topic.LETTERS)
def count_kept(session: Session, since: date) -> int:
    """Letters dated from ``since`` on that were kept on this machine and sent to nobody."""
    m = table(Letter)
    kept = select(func.count()).where(m.c.day >= since, m.c.state == LetterState.KEPT_HERE)
    return session.connection().scalar(kept) or 0
