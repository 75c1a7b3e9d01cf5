"""After an outage a person gets one letter, not one for each day that was missed.

A letter that could not leave on its own day becomes the letter of the day on which it can, together with all others
that wait for the same person on the channel; where that day's letter has left already, of the next working day. So the
cap of one letter a day is one of letters sent, not of letters planned. None of these was ever taken by a relay: a
letter under another key is no second copy. What is urgent, answers, or was bounced for now goes by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import select, update
from sqlmodel import Session

from engine.rules.calendar import ONE_DAY, WorkCalendar, instant, local_date
from engine.rules.policy import Policy
from engine.store.database import table
from engine.store.event_log import append, event
from engine.store.records import STILL_OWED, Letter, Notice
from engine.terms import EventKind, LetterState
from notifications.letters.facts import ANSWER


def late_letters(session: Session, now: datetime) -> bool:
    """Whether a letter of an earlier day may leave now."""
    m, today = table(Letter), local_date(now)
    chosen = select(m.c.id).where(*_waiting(today), m.c.day < today, m.c.send_after <= now).limit(1)
    return session.connection().scalar(chosen) is not None


def redate(session: Session, calendar: WorkCalendar, policy: Policy, now: datetime) -> int:
    """Make one letter of each person's waiting ones; how many were emptied or moved."""
    m, today = table(Letter), local_date(now)
    late = select(m.c.contact_id, m.c.channel).where(*_waiting(today), m.c.day < today, m.c.send_after <= now)
    changed = 0
    for contact_id, channel in session.connection().execute(late.distinct()).all():
        chosen = select(m.c.id, m.c.key, m.c.day, m.c.digest_week).where(
            *_waiting(today), m.c.contact_id == contact_id, m.c.channel == channel
        )
        rows = session.connection().execute(chosen.order_by(m.c.day, m.c.id).with_for_update(skip_locked=True)).all()
        if rows and rows[0].day < today:
            _into_one(session, rows, _free_day(session, rows[-1], today, calendar), policy, now)
            changed += len(rows)
    return changed


def _waiting(today: date) -> tuple[Any, ...]:
    m = table(Letter)
    return (
        STILL_OWED,
        m.c.state == LetterState.QUEUED,
        m.c.day <= today,
        ~m.c.urgent,
        m.c.reason != "bounced_soft",
        ~m.c.key.startswith(ANSWER),
    )


def _key_on(row: Any, day: date) -> str:
    """The key of the same person's letter on the same channel, of another day."""
    return f"{row.key.rpartition(f':{row.day.isoformat()}')[0]}:{day.isoformat()}"


def _free_day(session: Session, row: Any, today: date, calendar: WorkCalendar) -> date:
    """Today, or the next working day whose letter has not left yet."""
    m, day = table(Letter), today
    while True:
        state = session.connection().scalar(select(m.c.state).where(m.c.key == _key_on(row, day)))
        if state in (None, LetterState.QUEUED):
            return day
        day = calendar.on_or_after(day + ONE_DAY)


def _into_one(session: Session, rows: Sequence[Any], day: date, policy: Policy, now: datetime) -> None:
    """Put waiting letters into that of a day; the newest becomes it where there is none."""
    m, n = table(Letter), table(Notice)
    key = _key_on(rows[-1], day)
    there = session.connection().execute(select(m.c.id, m.c.digest_week).where(m.c.key == key)).first()
    if there is None:
        *rest, kept = rows
        session.connection().execute(
            update(m)
            .where(m.c.id == kept.id)
            .values(key=key, day=day, send_after=max(now, instant(day, policy.send_at)))
        )
    else:
        rest, kept = [row for row in rows if row.id != there.id], there
    ids = [row.id for row in rest]
    week = kept.digest_week or next((row.digest_week for row in reversed(rest) if row.digest_week), None)
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
            for row in rest
        ],
    )
