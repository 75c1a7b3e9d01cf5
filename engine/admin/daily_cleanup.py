"""What a new day brings: what is to be forgotten (addresses of people who have left, ended sessions, used links, old
answers, files that nothing names), names of agencies that begin today, and the board's tally made anew.

Kept no longer than it serves (Law 91/2025/QH15). Called by a daily pass; running it twice forgets nothing more.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlmodel import Session

from engine.accounts import idempotency
from engine.agencies import agencies, contacts
from engine.assignments import counters, unreferenced_uploads
from engine.rules.calendar import local_date
from engine.store.database import insert_new, table
from engine.store.event_log import append, event
from engine.store.records import Fact, SignedIn, SignInLink
from engine.terms import EventKind

LAST_DAY = "last_upkeep"
"""The fact that holds the local day that was last kept."""

SESSION_RETENTION = timedelta(days=90)
"""A person may look back on where he was signed in, so long."""
LINK_RETENTION = timedelta(days=1)


def is_owed(session: Session, now: datetime) -> bool:
    """Whether this local day has not been kept yet: one look at one row."""
    kept = session.connection().scalar(select(table(Fact).c.value).where(table(Fact).c.name == LAST_DAY))
    return kept is None or kept < local_date(now).isoformat()


def run_daily_cleanup(session: Session, now: datetime) -> dict[str, int]:
    """All of it, once a local day: ``delete_expired``, and ``names`` taken up. The day is taken first, so that of two
    passes at once the second has nothing to do; empty then."""
    facts: Any = table(Fact)
    today = local_date(now).isoformat()
    insert_new(session, Fact, [{"name": LAST_DAY, "value": ""}])
    mine = update(facts).where(facts.c.name == LAST_DAY, facts.c.value < today).values(value=today)
    if session.connection().execute(mine).rowcount != 1:
        return {}
    return {
        **delete_expired(session, now),
        "names": agencies.apply_current_names(session, now),
        "miscounted": _count(session, now),
    }


def _count(session: Session, now: datetime) -> int:
    """Make the board's tally anew; how many places were wrong before, which is none or a defect, and is told."""
    wrong = counters.count_mismatches(session)
    if wrong:
        key = f"audit:tally:{local_date(now).isoformat()}"
        append(session, [event(EventKind.AUDIT_FAILED, now, key=key, finding="tally", count=wrong)])
    counters.recount(session)
    return wrong


def delete_expired(session: Session, now: datetime) -> dict[str, int]:
    """How much was forgotten, by what: ``contacts``, ``sessions``, ``links``, ``answers``, ``files``. The bytes of
    these go by ``leftover.sweep`` once this is committed."""
    signed, links = table(SignedIn), table(SignInLink)
    connection = session.connection()
    return {
        "contacts": contacts.blank_former_contacts(session, now),
        "sessions": connection.execute(delete(signed).where(signed.c.expires_at < now - SESSION_RETENTION)).rowcount,
        "links": connection.execute(delete(links).where(links.c.expires_at < now - LINK_RETENTION)).rowcount,
        "answers": idempotency.prune(session, now),
        "files": unreferenced_uploads.forget(session, now),
    }
