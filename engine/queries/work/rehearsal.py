"""The letters that an action would add lines to, found by running it in a session that is rolled back
(Database.rehearse)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlmodel import Session

from engine.store.database import table
from engine.store.named_rows import object_of
from engine.store.records import Agency, Contact, Letter, Notice
from engine.terms import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedLetter:
    """One letter that would be created or extended: to whom, when it is sent, about which assignments."""

    letter_id: int
    agency: str
    role: Role
    label: str
    channel: str
    day: date
    send_after: datetime
    assignment_ids: tuple[int, ...]


def planned_letters(session: Session, action: Callable[[], object]) -> tuple[PlannedLetter, ...]:
    """Run the action and return the letters that got new lines. Three queries besides the action's own."""
    n = table(Notice)
    last = session.connection().scalar(select(func.max(n.c.id))) or 0
    action()
    found: dict[int, set[int]] = {}
    new_lines = select(n.c.letter_id, n.c.assignment_id).where(n.c.id > last)
    for letter_id, assignment_id in session.connection().execute(new_lines):
        found.setdefault(letter_id, set()).add(assignment_id)
    return _letters_with(session, found)


def _letters_with(session: Session, lines: Mapping[int, set[int]]) -> tuple[PlannedLetter, ...]:
    """Letters with the assignments they would mention, by agency."""
    letter, c, g = table(Letter), table(Contact), table(Agency)
    statement = (
        select(
            letter.c.id.label("letter_id"),
            g.c.name.label("agency"),
            letter.c.role,
            c.c.label,
            letter.c.channel,
            letter.c.day,
            letter.c.send_after,
        )
        .join(c, c.c.id == letter.c.contact_id)
        .join(g, g.c.id == letter.c.agency_id)
        .where(letter.c.id.in_(list(lines)))
        .order_by(g.c.name, letter.c.id)
    )
    return tuple(
        object_of(PlannedLetter, row, assignment_ids=tuple(sorted(lines[row.letter_id])))
        for row in session.connection().execute(statement)
    )
