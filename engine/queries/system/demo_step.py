"""What happened while the demonstration's clock was advanced: letters by what they say, reports that came in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlmodel import Session

from engine.store.database import table
from engine.store.records import Event, Letter, Notice
from engine.terms import EventKind, NoticeKind


@dataclass(frozen=True)
class StepNews:
    """``lines``: (kind, escalation level, how many) of the letters' lines, most first."""

    since: datetime
    letters: int
    lines: tuple[tuple[NoticeKind, int, int], ...]
    reports: int


def step_news(session: Session, since: datetime, until: datetime) -> StepNews:
    """Three queries."""
    letter, n, e = table(Letter), table(Notice), table(Event)
    sent = (letter.c.sent_at > since, letter.c.sent_at <= until)
    count = func.count().label("n")
    by_kind = (
        select(n.c.kind, n.c.level, count)
        .join(letter, letter.c.id == n.c.letter_id)
        .where(*sent, n.c.obsolete == "")
        .group_by(n.c.kind, n.c.level)
        .order_by(count.desc(), n.c.kind, n.c.level)
    )
    reported = select(func.count()).where(e.c.kind == EventKind.REPORTED, e.c.at > since, e.c.at <= until)
    connection = session.connection()
    return StepNews(
        since,
        connection.scalar(select(func.count()).select_from(letter).where(*sent)) or 0,
        tuple((row[0], row[1], row[2]) for row in connection.execute(by_kind)),
        connection.scalar(reported) or 0,
    )
