"""A message that waits is settled by a person: what they did is added to what the system did."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlmodel import Session

from engine.correspondence.message_acts import Done
from engine.errors import NotFound
from engine.store.database import table
from engine.store.records import Contact, IncomingMessage


def settle(session: Session, message_id: int, done: Done, *, actor: str, now: datetime) -> None:
    """Record an act, and that the message waits no longer."""
    m = table(IncomingMessage)
    query = select(m.c.done).where(m.c.incoming_id == message_id).with_for_update()
    acts = session.connection().scalar(query)
    if acts is None:
        raise NotFound
    values = {"done": [*acts, done.as_entry], "settled_at": now, "settled_by": actor[:96]}
    session.connection().execute(update(m).where(m.c.incoming_id == message_id).values(**values))


def forget_senders(session: Session) -> int:
    """Remove the mailboxes and numbers of contacts whose own were removed after they left. Returns how many."""
    m, c = table(IncomingMessage), table(Contact)
    gone = select(c.c.id).where(c.c.email == "", c.c.phone == "")
    forgotten = update(m).where(m.c.sender != "", m.c.contact_id.in_(gone)).values(sender="")
    return session.connection().execute(forgotten).rowcount


def blank_settled(session: Session, before: datetime) -> int:
    """Remove the texts of messages that nobody waits for, once they are as old as the texts of letters are kept; what
    was done, and the files, stay. Returns how many."""
    m = table(IncomingMessage)
    settled = m.c.waits.is_(None) | m.c.settled_at.is_not(None)
    blanked = update(m).where(m.c.at < before, settled, (m.c.raw_text != "") | (m.c.own_text != ""))
    values = {"raw_text": "", "own_text": "", "rest": "", "subject": "", "sender": ""}
    return session.connection().execute(blanked.values(**values)).rowcount
