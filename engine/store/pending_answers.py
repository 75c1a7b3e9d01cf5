"""Answers that take long, in the database: whose they are, whether the work still goes on, and what came of it.

Times are the machine's, also in the demonstration, whose clock jumps: a heartbeat is about processes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, delete, or_, update
from sqlmodel import Session

from engine.store.database import insert_new, table
from engine.store.records import PendingAnswer
from engine.text import Text

KEPT = timedelta(days=1)
PERCENT = "percent"
"""Beside the words: how much of the work is done."""
UNCLAIMED = timedelta(minutes=5)
"""An answer that nobody came back for is not shown to a later press."""


@dataclass(frozen=True, slots=True)
class Begun:
    """One beginning of long work. ``runner`` tells it from the next one with the same ticket."""

    ticket: str
    owner: str
    words: Text
    runner: str


def begin(session: Session, work: Begun, now: datetime, stale: timedelta) -> bool:
    """False when it was begun before, on whichever process, and either goes on or has an answer not yet seen."""
    new = {
        "owner": work.owner,
        "words": {"vi": work.words.vi, "en": work.words.en},
        "runner": work.runner,
        "began_at": now,
        "beat_at": now,
    }
    if insert_new(session, PendingAnswer, [{"ticket": work.ticket} | new]):
        return True
    a = table(PendingAnswer)
    over = or_(a.c.seen, a.c.ended_at < now - UNCLAIMED, and_(a.c.ended_at.is_(None), a.c.beat_at < now - stale))
    empty = {"ended_at": None, "seen": False, "status": 0, "location": "", "page_vi": None, "page_en": None}
    again = update(a).where(a.c.ticket == work.ticket, over).values(**new, **empty)
    return session.connection().execute(again).rowcount == 1


def beat(session: Session, work: Begun, now: datetime, share: float | None = None) -> None:
    """``share``: how much of the work is done, from 0 to 1, if that is known."""
    a = table(PendingAnswer)
    words = {"vi": work.words.vi, "en": work.words.en}
    told = {} if share is None else {"words": words | {PERCENT: f"{share * 100:.0f}"}}
    session.connection().execute(update(a).where(*_this(work)).values(beat_at=now, **told))


def end(session: Session, work: Begun, now: datetime, status: int, location: str, pages: Mapping[str, str]) -> None:
    """Keep the answer, with its page in each language; nothing if the work was begun anew meanwhile."""
    answer = {"status": status, "location": location, "page_vi": pages.get("vi"), "page_en": pages.get("en")}
    ended = update(table(PendingAnswer)).where(*_this(work)).values(ended_at=now, beat_at=now, **answer)
    session.connection().execute(ended)


def mark_seen(session: Session, ticket: str, runner: str) -> None:
    a = table(PendingAnswer)
    session.connection().execute(update(a).where(a.c.ticket == ticket, a.c.runner == runner).values(seen=True))


def find(session: Session, ticket: str, owner: str) -> PendingAnswer | None:
    """Only its owner finds it."""
    row = session.get(PendingAnswer, ticket)
    return row if row is not None and row.owner == owner else None


def joins(row: PendingAnswer | None, now: datetime, stale: timedelta) -> bool:
    """Whether a press now would be answered by the work that was begun before; see ``begin``."""
    if row is None or row.seen:
        return False
    return row.ended_at >= now - UNCLAIMED if row.ended_at is not None else row.beat_at >= now - stale


def prune(session: Session, now: datetime) -> int:
    """Delete what was begun more than a day ago; returns how many."""
    a = table(PendingAnswer)
    return session.connection().execute(delete(a).where(a.c.began_at < now - KEPT)).rowcount


def _this(work: Begun) -> tuple[Any, Any, Any]:
    a = table(PendingAnswer)
    return a.c.ticket == work.ticket, a.c.runner == work.runner, a.c.ended_at.is_(None)
