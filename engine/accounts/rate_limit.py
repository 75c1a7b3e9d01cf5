"""Rate limits for sign-ins, sign-in links and uploads, counted per subject (an address, a network).

Subjects are stored as digests, so that the table does not reveal who tried to sign in from where. Pruned after a day.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select
from sqlmodel import Session

from engine.errors import TooOften
from engine.rules.calendar import PLAN_TIME
from engine.store.database import table
from engine.store.records import Attempt
from engine.text import Text

ATTEMPT_RETENTION = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``most`` attempts in ``within``."""

    most: int
    within: timedelta


def enforce_rate_limit(session: Session, what: str, limits: dict[str, Limit], now: datetime) -> None:
    """Raises TooOften with the time of the next attempt. ``limits`` by subject: ``{email: Limit(5, …), ip: …}``."""
    attempts = table(Attempt)
    again: datetime | None = None
    for subject, limit in limits.items():
        attempted = (
            session.connection()
            .scalars(
                select(attempts.c.at)
                .where(attempts.c.subject == _subject_key(what, subject), attempts.c.at > now - limit.within)
                .order_by(attempts.c.at.desc())
                .limit(limit.most)
            )
            .all()
        )
        if subject and len(attempted) >= limit.most:
            again = max(again or now, attempted[-1] + limit.within)
    if again is not None:
        wall = f"{(again + timedelta(seconds=59)).astimezone(PLAN_TIME):%H:%M}"
        raise TooOften(
            Text(f"Đã thử quá nhiều lần; hãy thử lại sau {wall}.", f"Tried too often; try again after {wall}."), again
        )


def count(session: Session, what: str, subjects: tuple[str, ...], now: datetime) -> None:
    """Count one more attempt, and prune attempts that no limit looks at any longer."""
    attempts = table(Attempt)
    session.connection().execute(delete(attempts).where(attempts.c.at < now - ATTEMPT_RETENTION))
    rows = [{"subject": _subject_key(what, subject), "at": now} for subject in subjects if subject]
    if rows:
        session.connection().execute(insert(attempts), rows)


def forget(session: Session, what: str, subject: str) -> None:
    """Reset the count of a subject, after a correct password."""
    attempts = table(Attempt)
    session.connection().execute(delete(attempts).where(attempts.c.subject == _subject_key(what, subject)))


def give_back(session: Session, what: str, subject: str, at: datetime) -> None:
    """Take back one attempt that was counted at this moment, because it was none."""
    attempts = table(Attempt)
    mine = (attempts.c.subject == _subject_key(what, subject), attempts.c.at == at)
    newest = select(attempts.c.id).where(*mine).order_by(attempts.c.id.desc()).limit(1).scalar_subquery()
    session.connection().execute(delete(attempts).where(attempts.c.id == newest))


def _subject_key(what: str, subject: str) -> str:
    return f"{what}:{hashlib.sha256(subject.encode('utf-8', 'replace')).hexdigest()[:40]}"
