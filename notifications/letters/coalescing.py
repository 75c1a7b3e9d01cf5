"""Merge delayed letters: after an outage a person gets one letter, not one for each missed day.

A letter that could not be sent on its day is merged with all letters waiting for the same person and channel into the
letter of today or, if that was sent already, of the next working day. So the limit of one letter a day applies to
letters sent, not to letters planned. No relay has accepted any of these letters, so a new key does not make a second
copy. Urgent letters, answers and letters after a soft bounce are not merged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, TextClause, select, update
from sqlmodel import Session

from engine.assignments.outbox import LetterDay, letter_day
from engine.rules.calendar import local_date
from engine.rules.policy import Policy
from engine.store.database import table
from engine.store.event_log import append, event
from engine.store.records import STILL_OWED, Letter, Notice
from engine.store.rulebook import Rulebook
from engine.store.stored_rows import columns_for, object_of, objects
from engine.terms import EventKind, LetterState
from notifications.letters.facts import about_duties


def has_late_letters(session: Session, now: datetime) -> bool:
    """True if a letter of an earlier day is due now."""
    m, today = table(Letter), local_date(now)
    query = select(m.c.id).where(*_waiting(today), m.c.day < today, m.c.send_after <= now).limit(1)
    return session.connection().scalar(query) is not None


def merge_late_letters(session: Session, book: Rulebook, policy: Policy, now: datetime) -> int:
    """Merge the waiting letters of each person and channel. Returns the number of letters merged or moved."""
    m, today = table(Letter), local_date(now)
    late = select(m.c.contact_id, m.c.channel).where(*_waiting(today), m.c.day < today, m.c.send_after <= now)
    changed = 0
    for contact_id, channel in session.connection().execute(late.distinct()).all():
        query = select(*columns_for(_Letter, m)).where(
            *_waiting(today), m.c.contact_id == contact_id, m.c.channel == channel
        )
        query = query.order_by(m.c.day, m.c.id).with_for_update(skip_locked=True)
        rows = objects(_Letter, session.connection().execute(query))
        if rows and rows[0].day < today:
            _merge(session, rows, _free_day(session, rows[-1], book, policy, now), now)
            changed += len(rows)
    return changed


@dataclass(frozen=True, slots=True)
class _Letter:
    """A letter that waits, as it is stored."""

    id: int
    key: str
    day: date
    digest_week: str | None


def _waiting(today: date) -> tuple[ColumnElement[bool] | TextClause, ...]:
    m = table(Letter)
    return (
        STILL_OWED,
        m.c.state == LetterState.QUEUED,
        m.c.day <= today,
        ~m.c.urgent,
        m.c.reason != "bounced_soft",
        about_duties(),
    )


def _key_on(row: _Letter, day: date) -> str:
    """The key of the same person's letter on the same channel for another day."""
    return f"{row.key.rpartition(f':{row.day.isoformat()}')[0]}:{day.isoformat()}"


def _free_day(session: Session, row: _Letter, book: Rulebook, policy: Policy, now: datetime) -> LetterDay:
    """Today, or the next working day whose letter has not been sent yet."""
    m, when = table(Letter), letter_day(now, book, policy)
    while True:
        state = session.connection().scalar(select(m.c.state).where(m.c.key == _key_on(row, when.day)))
        if state in (None, LetterState.QUEUED):
            return when
        when = letter_day(when.left, book, policy)


def _merge(session: Session, rows: Sequence[_Letter], when: LetterDay, now: datetime) -> None:
    """Merge waiting letters into the letter of a day; if there is none, the newest becomes it."""
    m, n = table(Letter), table(Notice)
    key = _key_on(rows[-1], when.day)
    found = session.connection().execute(select(*columns_for(_Letter, m)).where(m.c.key == key)).first()
    existing = None if found is None else object_of(_Letter, found)
    if existing is None:
        *merged, kept = rows
        leaves = {"key": key, "day": when.day, "send_after": max(now, when.send_after)}
        session.connection().execute(update(m).where(m.c.id == kept.id).values(**leaves))
    else:
        merged, kept = [row for row in rows if row.id != existing.id], existing
    ids = [row.id for row in merged]
    week = kept.digest_week or next((row.digest_week for row in reversed(merged) if row.digest_week), None)
    session.connection().execute(update(m).where(m.c.id == kept.id).values(digest_week=week))
    session.connection().execute(update(n).where(n.c.letter_id.in_(ids)).values(letter_id=kept.id))
    session.connection().execute(
        update(m).where(m.c.id.in_(ids)).values(state=LetterState.SUPPRESSED, reason="merged", settled_at=now)
    )
    append(
        session,
        [
            event(
                EventKind.LETTER_SUPPRESSED,
                now,
                key=f"{row.key}:suppressed",
                letter=row.id,
                reason="merged",
                into=kept.id,
            )
            for row in merged
        ],
    )
