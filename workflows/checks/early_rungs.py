"""What a wrong clock fired before its day, for ``dondoc repair``: its keys are freed, so that the true letters go.

The log keeps the events and the letters that left keep their lines; only their keys are marked. ``:early:`` in the key
of an event says so.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import String, case, cast, literal, or_, select, update
from sqlmodel import Session

from engine.rules.calendar import ONE_DAY, local_date
from engine.store.database import table
from engine.store.named_rows import AnyRow
from engine.store.records import Assignment, Event, Letter, Notice
from engine.terms import EventKind

EARLY = ":early:"
CLOCKS_DIFFER = timedelta(hours=1)
"""How far ahead an event may be dated by another machine."""


def free_early_rungs(session: Session, now: datetime) -> int:
    """Free what was fired or skipped in days to come; the ladders go on from before it. Returns how many rungs."""
    e = table(Event)
    rungs = e.c.kind.in_((EventKind.RUNG_FIRED, EventKind.RUNG_SKIPPED))
    to_come = or_(e.c.at > now + CLOCKS_DIFFER, e.c.detail["on"].as_string() > local_date(now).isoformat())
    columns = (e.c.id, e.c.key, e.c.assignment_id, e.c.detail)
    statement = select(*columns).where(rungs, to_come, e.c.key.not_like(f"%{EARLY}%"))
    found = session.connection().execute(statement).all()
    first: dict[int, date] = {}
    for row in found:
        _free(session, row)
        on = date.fromisoformat(row.detail["on"])
        first[row.assignment_id] = min(on, first.get(row.assignment_id, on))
    _free_lines_to_come(session, now)
    a = table(Assignment)
    for assignment_id, on in first.items():
        further = (a.c.id == assignment_id, a.c.acted_until >= on)
        session.connection().execute(update(a).where(*further).values(acted_until=on - ONE_DAY))
    return len(found)


def _free(session: Session, row: AnyRow) -> None:
    e, n = table(Event), table(Notice)
    effect = row.key.rpartition(":")[0]
    of_rung = (n.c.key > f"{effect}:", n.c.key < f"{effect};")
    session.connection().execute(update(e).where(e.c.id == row.id).values(key=f"{row.key}{EARLY}{row.id}"))
    session.connection().execute(update(n).where(*of_rung).values(key=_marked(n)))


def _free_lines_to_come(session: Session, now: datetime) -> None:
    """Other lines of letters that were made in days to come."""
    m, n = table(Letter), table(Notice)
    made = select(m.c.id).where(m.c.created_at > now + CLOCKS_DIFFER)
    session.connection().execute(update(n).where(n.c.letter_id.in_(made)).values(key=_marked(n)))


def _marked(n: Any) -> Any:
    marked = n.c.key + literal(EARLY) + cast(n.c.id, String)
    return case((n.c.key.contains(EARLY), n.c.key), else_=marked)
