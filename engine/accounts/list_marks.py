"""Up to when a reader has seen a list: what came into it later is marked as new.

One row a reader and list, written by the button «Đã xem» alone: looking at a page changes nothing.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlmodel import Session

from engine.store.database import insert_new, table
from engine.store.records import ListMark


def seen_until(session: Session, owner: str, path: str) -> datetime | None:
    m = table(ListMark)
    return session.connection().scalar(select(m.c.at).where(m.c.owner == owner, m.c.path == path))


def mark_seen(session: Session, owner: str, path: str, now: datetime) -> None:
    m = table(ListMark)
    if not insert_new(session, ListMark, [{"owner": owner, "path": path, "at": now}]):
        session.connection().execute(update(m).where(m.c.owner == owner, m.c.path == path).values(at=now))
