"""What is to be forgotten each day: addresses of people who have left, ended sessions, used links, old answers.

Kept no longer than it serves (Law 91/2025/QH15). Called by a daily pass; running it twice forgets nothing more.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlmodel import Session

from engine import contacts, idempotency
from engine.database import table
from engine.records import SignedIn, SignInLink

SESSIONS_KEPT = timedelta(days=90)
"""A person may look back on where he was signed in, so long."""
LINKS_KEPT = timedelta(days=1)


def forget(session: Session, now: datetime) -> dict[str, int]:
    """How much was forgotten, by what: ``contacts``, ``sessions``, ``links``, ``answers``."""
    signed, links = table(SignedIn), table(SignInLink)
    connection = session.connection()
    return {
        "contacts": contacts.blank_those_gone(session, now),
        "sessions": connection.execute(delete(signed).where(signed.c.expires_at < now - SESSIONS_KEPT)).rowcount,
        "links": connection.execute(delete(links).where(links.c.expires_at < now - LINKS_KEPT)).rowcount,
        "answers": idempotency.prune(session, now),
    }
