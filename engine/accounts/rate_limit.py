"""How often something may be tried: sign-ins, links asked for. Counted per address and per network address.

Kept as digests: a table of who tried to sign in from where is nobody's business. Pruned after a day.
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
    """At most ``most`` in ``within``."""

    most: int
    within: timedelta


def must_not_be_too_often(session: Session, what: str, limits: dict[str, Limit], now: datetime) -> None:
    """Raises TooOften, saying when to try again. ``limits`` by subject: ``{email: Limit(5, …), ip: Limit(50, …)}``."""
    attempts = table(Attempt)
    again: datetime | None = None
    for subject, limit in limits.items():
        tried = (
            session.connection()
            .scalars(
                select(attempts.c.at)
                .where(attempts.c.subject == _kept(what, subject), attempts.c.at > now - limit.within)
                .order_by(attempts.c.at.desc())
                .limit(limit.most)
            )
            .all()
        )
        if subject and len(tried) >= limit.most:
            again = max(again or now, tried[-1] + limit.within)
    if again is not None:
        wall = f"{(again + timedelta(seconds=59)).astimezone(PLAN_TIME):%H:%M}"
        raise TooOften(
            Text(f"Đã thử quá nhiều lần; hãy thử lại sau {wall}.", f"Tried too often; try again after {wall}."), again
        )


def count(session: Session, what: str, subjects: tuple[str, ...], now: datetime) -> None:
    """Note one more, and prune what no limit looks at any longer."""
    attempts = table(Attempt)
    session.connection().execute(delete(attempts).where(attempts.c.at < now - ATTEMPT_RETENTION))
    rows = [{"subject": _kept(what, subject), "at": now} for subject in subjects if subject]
    if rows:
        session.connection().execute(insert(attempts), rows)


def forget(session: Session, what: str, subject: str) -> None:
    """Begin counting anew: the right password was given."""
    attempts = table(Attempt)
    session.connection().execute(delete(attempts).where(attempts.c.subject == _kept(what, subject)))


def _kept(what: str, subject: str) -> str:
    return f"{what}:{hashlib.sha256(subject.encode('utf-8', 'replace')).hexdigest()[:40]}"
