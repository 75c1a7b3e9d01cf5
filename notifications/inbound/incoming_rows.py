"""Incoming messages in the database: recorded once, closed with their result; who wrote, and what they answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, TypeGuard

from sqlalchemy import ColumnElement, Select, exists, func, select, update
from sqlmodel import Session

from engine.assignments.weekly_digest import overdue
from engine.correspondence.handling import ANSWER
from engine.correspondence.message_acts import MessageDuty, duties_of
from engine.errors import BadInput
from engine.rules.calendar import local_date
from engine.rules.policy import for_role
from engine.store.database import insert_new, table
from engine.store.recipients import Recipient
from engine.store.records import Agency, Contact, Incoming, IncomingMessage, Letter, LetterBody, Notice
from engine.store.stored_rows import columns_for, object_of, objects
from notifications.receipts.rerouting import TriedLetter, select_letters
from notifications.sms.gateway import e164


def record(session: Session, channel: str, external_id: str, now: datetime) -> int | None:
    """The id of a new message; None if it was recorded before."""
    row = {
        "channel": channel,
        "external_id": external_id[:255],
        "at": now,
        "kind": "",
        "outcome": "",
        "answered": False,
        "detail": {},
    }
    if not insert_new(session, Incoming, [row]):
        return None
    i = table(Incoming)
    return int(
        session.connection()
        .scalars(select(i.c.id).where(i.c.channel == channel, i.c.external_id == external_id[:255]))
        .one()
    )


def note(session: Session, incoming_id: int, **values: object) -> None:
    """Write columns of a recorded message."""
    i = table(Incoming)
    session.connection().execute(update(i).where(i.c.id == incoming_id).values(**values))


# --- who ------------------------------------------------------------------------------------------------------------


def writer_of(session: Session, mailbox: str, letter: TriedLetter | None, now: datetime) -> Recipient | None:
    """Who wrote from a mailbox: the letter's reader, else another contact of their agency; without a letter, the
    contact with this mailbox. None for anyone else, and for a contact whose dates of validity have passed."""
    c = table(Contact)
    same = c.c.email.ilike(mailbox.replace("%", r"\%").replace("_", r"\_"), escape="\\")
    query = select(*columns_for(Recipient, c)).where(c.c.email != "", ~c.c.proposed, same).order_by(c.c.id)
    if letter is not None:
        query = query.where(c.c.agency_id == letter.agency_id)
    today = local_date(now)
    found = objects(Recipient, session.connection().execute(query))
    valid = [each for each in found if each.email.lower() == mailbox and each.answers_on(today)]
    readers = [each for each in valid if letter is not None and each.id == letter.contact_id]
    return next(iter([*readers, *valid]), None)


def reader_of(session: Session, letter: TriedLetter, mailbox: str, now: datetime) -> Recipient | None:
    """The letter's reader, if the unknown mailbox is of the same domain as theirs: they are asked whether they, or a
    colleague, wrote."""
    c = table(Contact)
    row = session.connection().execute(select(*columns_for(Recipient, c)).where(c.c.id == letter.contact_id)).first()
    reader = object_of(Recipient, row) if row is not None else None
    if reader is None or not reader.answers_on(local_date(now)) or not reader.address("email"):
        return None
    same = reader.email.lower().rpartition("@")[2] == mailbox.rpartition("@")[2]
    return reader if same and reader.email.lower() != mailbox else None


def names_of(session: Session, agency_id: str) -> tuple[str, ...]:
    """By which an agency calls itself: its names of the directory, former ones and short ones too."""
    g = table(Agency)
    columns = g.c.name, g.c.short, g.c.aliases, g.c.names
    row = session.connection().execute(select(*columns).where(g.c.id == agency_id)).one()
    former = [str(each.get(form) or "") for each in row.names for form in ("name", "short")]
    return tuple(filter(None, (row.name, row.short, *row.aliases, *former)))


def is_known(session: Session, mailbox: str) -> bool:
    """True if a contact has this mailbox, or one of the same domain: files of strangers are not stored."""
    c, domain = table(Contact), mailbox.rpartition("@")[2]
    if not domain:
        return False
    same = func.lower(c.c.email).like(f"%@{domain}")
    return session.connection().scalar(select(c.c.id).where(same).limit(1)) is not None


def by_number(session: Session, number: str, now: datetime) -> list[Recipient]:
    """The contacts valid today with this number, in whatever notation the directory has it."""
    c, today = table(Contact), local_date(now)
    query = select(*columns_for(Recipient, c)).where(c.c.phone != "").order_by(c.c.id)
    found = objects(Recipient, session.connection().execute(query))
    return [each for each in found if each.answers_on(today) and _same_number(each.phone, number)]


def by_zalo(session: Session, sender: str, now: datetime) -> Recipient | None:
    """The contact as whom a Zalo account answered last, if still valid today."""
    c, i = table(Contact), table(IncomingMessage)
    mine = (i.c.channel == "zalo", i.c.sender == sender, i.c.contact_id.is_not(None))
    last = select(i.c.contact_id).where(*mine).order_by(i.c.incoming_id.desc()).limit(1).scalar_subquery()
    return valid_contact(session, c.c.id == last, now)


def valid_contact(session: Session, which: ColumnElement[bool], now: datetime) -> Recipient | None:
    row = session.connection().execute(select(*columns_for(Recipient, table(Contact))).where(which)).first()
    found = None if row is None else object_of(Recipient, row)
    return found if found is not None and found.answers_on(local_date(now)) else None


def _same_number(written: str, number: str) -> bool:
    if written[-4:] != number[-4:] and written.replace(" ", "")[-4:] != number[-4:]:
        return False
    try:
        return e164(written) == number
    except BadInput:
        return False


# --- what they answer -----------------------------------------------------------------------------------------------


def is_answer(letter: TriedLetter | None) -> TypeGuard[TriedLetter]:
    """True of a letter that answers a message."""
    return letter is not None and letter.key.startswith(ANSWER)


def one_letter(session: Session, query: Select[*tuple[Any, ...]]) -> TriedLetter | None:
    row = session.connection().execute(query.limit(1)).first()
    return None if row is None else object_of(TriedLetter, row)


def original_letter(session: Session, answer: TriedLetter) -> TriedLetter | None:
    """The letter that was replied to by the message which our ``answer`` answers; None if there is none."""
    i, m = table(Incoming), table(Letter)
    query = select_letters().join(i, i.c.letter_id == m.c.id).where(i.c.id == int(answer.key.rpartition(":")[2]))
    return one_letter(session, query)


def text_of(session: Session, letter: TriedLetter | None) -> str:
    """The text of a letter as it was sent; "" once it has been pruned."""
    body = table(LetterBody)
    if letter is None:
        return ""
    return session.connection().scalar(select(body.c.text).where(body.c.letter_id == letter.id)) or ""


def last_letter(session: Session, writer: Recipient | None) -> TriedLetter | None:
    """The writer's last letter that is about assignments."""
    if writer is None:
        return None
    m = table(Letter)
    query = select_letters().where(m.c.contact_id == writer.id, ~m.c.key.startswith(ANSWER))
    query = query.where(m.c.digest_week.is_not(None) | exists().where(table(Notice).c.letter_id == m.c.id))
    return one_letter(session, query.order_by(m.c.day.desc(), m.c.id.desc()))


def duties_in(session: Session, letter: TriedLetter | None) -> Sequence[MessageDuty]:
    """The assignments that a letter is about, in the order of its lines: those of its notices, then those that its
    weekly digest lists and that are still unfinished."""
    if letter is None:
        return ()
    n = table(Notice)
    notices = select(n.c.assignment_id).where(n.c.letter_id == letter.id).order_by(n.c.id)
    return duties_of(session, [*session.connection().scalars(notices), *_in_digest(session, letter)])


def _in_digest(session: Session, letter: TriedLetter) -> Iterable[int]:
    """What the weekly digest of a letter lists for its reader's agency, worst first."""
    if letter.digest_week is None:
        return []
    owners: set[str] = set()
    monitors: set[str] = set()
    leaders: set[str] = set()
    for_role(letter.role, owner=owners, supervisor=monitors, issuer=leaders).add(letter.agency_id)
    rows = overdue(session, letter.day, agencies=owners, supervisors=monitors, issuers=leaders)
    return [row.assignment_id for row in rows]
