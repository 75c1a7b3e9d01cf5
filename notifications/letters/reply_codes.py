"""Short codes for replies by SMS («XN 4821»): issued to a letter in the transaction that claims it, valid once.

A code alone proves nothing: the reply must come from the phone number of the contact it was issued to.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select, update
from sqlmodel import Session

from engine.store.database import table
from engine.store.recipients import SHORT
from engine.store.records import AnswerCode
from notifications.letters.facts import LetterFacts
from notifications.sms.replies import short_codes

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
