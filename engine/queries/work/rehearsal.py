"""The letters that a deed would put lines into, seen by doing it in a session that is undone (Database.rehearse)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlmodel import Session

from engine.store.database import table
from engine.store.records import Agency, Contact, Letter, Notice
from engine.terms import Role


@dataclass(frozen=True, slots=True)
class WouldSay:
    """One letter that would carry lines of the deed: to whom, when it leaves, about which assignments."""

    letter_id: int
    agency: str
    role: Role
    label: str
    channel: str
    day: date
    send_after: datetime
    assignment_ids: tuple[int, ...]


def letters_made(session: Session, doing: Callable[[], object]) -> tuple[WouldSay, ...]:
    """Do it, and name the letters that got lines by it. Three queries beside the deed's own."""
    n = table(Notice)
    last = session.connection().scalar(select(func.max(n.c.id))) or 0
    doing()
    found: dict[int, set[int]] = {}
    fresh = select(n.c.letter_id, n.c.assignment_id).where(n.c.id > last)
    for letter_id, assignment_id in session.connection().execute(fresh):
        found.setdefault(letter_id, set()).add(assignment_id)
    return letters_with(session, found)


def letters_with(session: Session, lines: Mapping[int, set[int]]) -> tuple[WouldSay, ...]:
    """Letters with the assignments that they would speak of, by agency."""
    letter, c, g = table(Letter), table(Contact), table(Agency)
    chosen = (
        select(letter.c.id, g.c.name, letter.c.role, c.c.label, letter.c.channel, letter.c.day, letter.c.send_after)
        .join(c, c.c.id == letter.c.contact_id)
        .join(g, g.c.id == letter.c.agency_id)
        .where(letter.c.id.in_(list(lines)))
        .order_by(g.c.name, letter.c.id)
    )
    return tuple(WouldSay(*row, tuple(sorted(lines[row[0]]))) for row in session.connection().execute(chosen))
