"""What becomes of letters in the transaction that claims them: delayed ones are merged, so that after an outage a
person gets one letter, not one for each missed day; and each is issued a short code for replies by SMS («XN 4821»),
valid once.

A letter that could not be sent on its day is merged with all letters waiting for the same person and channel into the
letter of today or, if that was sent already, of the next working day. So the limit of one letter a day applies to
letters sent, not to letters planned. No relay has accepted any of these letters, so a new key does not make a second
copy. Urgent letters, answers and letters after a soft bounce are not merged.

A code alone proves nothing: the reply must come from the phone number of the contact it was issued to.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, TextClause, insert, select, update
from sqlmodel import Session

from engine.assignments.outbox import LetterDay, letter_day
from engine.rules.calendar import local_date
from engine.rules.policy import Policy
from engine.store.database import table
from engine.store.event_log import append, event
from engine.store.recipients import SHORT
from engine.store.records import STILL_OWED, AnswerCode, Letter, Notice
from engine.store.rulebook import Rulebook
from engine.store.stored_rows import columns_for, object_of, objects
from engine.terms import EventKind, LetterState
from notifications.letters.facts import LetterFacts, about_duties
from notifications.sms.replies import short_codes


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


CODE_LIFETIME = timedelta(days=45)


def issue_reply_codes(
    session: Session, letters: Sequence[LetterFacts], secret: bytes, now: datetime
) -> list[LetterFacts]:
    """Return the letters, those by SMS with a code. A letter that is tried again keeps its code."""
    by_sms = {each.letter_id: each for each in letters if each.channel in SHORT and each.items}
    if not by_sms or not secret:
        return list(letters)
    c = table(AnswerCode)
    connection = session.connection()
    existing = connection.execute(select(c.c.letter_id, c.c.code).where(c.c.letter_id.in_(by_sms)))
    codes: dict[int, str] = {row.letter_id: row.code for row in existing}
    people = {each.contact_id for each in by_sms.values()}
    valid_codes: dict[int, set[str]] = {contact_id: set() for contact_id in people}
    query = select(c.c.contact_id, c.c.code).where(c.c.contact_id.in_(people), c.c.expires_at > now)
    for contact_id, code in connection.execute(query):
        valid_codes[contact_id].add(code)
    fresh = []
    for letter_id, each in by_sms.items():
        if letter_id not in codes:
            taken = valid_codes[each.contact_id]
            codes[letter_id] = next(code for code in short_codes(each.key, secret) if code not in taken)
            taken.add(codes[letter_id])
            fresh.append(
                {
                    "code": codes[letter_id],
                    "contact_id": each.contact_id,
                    "letter_id": letter_id,
                    "expires_at": now + CODE_LIFETIME,
                }
            )
    if fresh:
        connection.execute(insert(c), fresh)
    return [replace(each, code=codes[each.letter_id]) if each.letter_id in codes else each for each in letters]


def find_reply_code(session: Session, contact_ids: Collection[int], code: str, now: datetime) -> Any:
    """The row of a valid code of any of these contacts (id, contact_id, letter_id, used_at), locked; None if there is
    none."""
    c = table(AnswerCode)
    query = (
        select(c.c.id, c.c.contact_id, c.c.letter_id, c.c.used_at)
        .where(c.c.contact_id.in_(contact_ids), c.c.code == code, c.c.expires_at > now)
        .order_by(c.c.id.desc())
        .limit(1)
        .with_for_update()
    )
    return session.connection().execute(query).first()


def find_unique_code(session: Session, code: str, now: datetime) -> Any:
    """``find_reply_code`` of a writer without a number; None unless just one contact has this code."""
    c = table(AnswerCode)
    query = select(c.c.contact_id).where(c.c.code == code, c.c.expires_at > now).distinct().limit(2)
    people = session.connection().scalars(query).all()
    return find_reply_code(session, people, code, now) if len(people) == 1 else None


def mark_used(session: Session, code_id: int, now: datetime) -> None:
    c = table(AnswerCode)
    session.connection().execute(update(c).where(c.c.id == code_id, c.c.used_at.is_(None)).values(used_at=now))
