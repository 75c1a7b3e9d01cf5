"""Addresses of calendar feeds, of an agency or of one contact: made, listed, revoked. An address is a secret."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import insert, select, update
from sqlmodel import Session

from engine.accounts.secret_keys import digest_of, new_key
from engine.agencies.contacts import find as find_contact
from engine.errors import BadInput, NotFound
from engine.rules.calendar import local_date
from engine.store.database import table
from engine.store.event_log import record
from engine.store.records import Agency, Contact, Feed
from engine.store.stored_rows import is_agency, objects
from engine.terms import EventKind, Role
from engine.text import Text

FEED_LIFETIME = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class FeedLine:
    """A feed as shown to its owner; the address itself is shown only once."""

    id: int
    contact_id: int | None
    created_at: datetime

    @property
    def expires_at(self) -> datetime:
        return self.created_at + FEED_LIFETIME


@dataclass(frozen=True, slots=True)
class Reader:
    """The owner of a feed: an agency, or one of its contacts, with their language."""

    agency_id: str
    agency: str
    contact_id: int | None
    role: Role | None
    language: str


def make_feed(
    session: Session,
    agency_id: str,
    *,
    contact_id: int | None = None,
    account_id: int | None = None,
    actor: str,
    now: datetime,
) -> str:
    """Create a feed; returns its key, shown only once. A contact has one feed: an earlier one is revoked.
    ``account_id``: who makes it, and with whose account it ends."""
    if not is_agency(session, agency_id):
        raise NotFound(Text("Không có cơ quan này trong danh bạ.", "There is no such agency in the directory."))
    if contact_id is not None:
        if find_contact(session, contact_id).agency_id != agency_id:
            raise BadInput(Text("Liên hệ này thuộc cơ quan khác.", "This contact belongs to another agency."))
        f = table(Feed)
        own = (f.c.contact_id == contact_id, f.c.revoked_at.is_(None))
        session.connection().execute(update(f).where(*own).values(revoked_at=now))
    key, digest = new_key()
    session.connection().execute(
        insert(table(Feed)).values(
            digest=digest,
            agency_id=agency_id,
            contact_id=contact_id,
            account_id=account_id,
            created_at=now,
        )
    )
    _log_change(session, "made", agency_id, contact_id, actor, now)
    return key


def revoke_feed(session: Session, agency_id: str, feed_id: int, *, actor: str, now: datetime) -> None:
    """Revoke a feed. Raises NotFound if it belongs to another agency or is already revoked."""
    f = table(Feed)
    own = (f.c.id == feed_id, f.c.agency_id == agency_id, f.c.revoked_at.is_(None))
    row = session.connection().execute(select(f.c.contact_id).where(*own)).first()
    if row is None or session.connection().execute(update(f).where(*own).values(revoked_at=now)).rowcount != 1:
        raise NotFound(Text("Không có địa chỉ lịch này, hoặc đã thu hồi.", "There is no such feed, or it was revoked."))
    _log_change(session, "revoked", agency_id, row.contact_id, actor, now)


def feeds_of(session: Session, agency_id: str, now: datetime) -> tuple[FeedLine, ...]:
    """An agency's feeds that work, oldest first."""
    f = table(Feed)
    statement = select(f.c.id, f.c.contact_id, f.c.created_at)
    statement = statement.where(
        f.c.agency_id == agency_id, f.c.revoked_at.is_(None), f.c.created_at > now - FEED_LIFETIME
    )
    return tuple(objects(FeedLine, session.connection().execute(statement.order_by(f.c.id))))


def reader_of(session: Session, key: str, now: datetime) -> Reader:
    """The owner of the feed with this key. Raises NotFound if it is unknown, over or revoked, or its contact has left;
    the message does not say which."""
    f, g, c = table(Feed), table(Agency), table(Contact)
    row = (
        session.connection()
        .execute(
            select(f.c.agency_id, g.c.name, f.c.contact_id, c.c.role, c.c.language, c.c.valid_until)
            .join(g, g.c.id == f.c.agency_id)
            .outerjoin(c, c.c.id == f.c.contact_id)
            .where(f.c.digest == digest_of(key), f.c.revoked_at.is_(None), f.c.created_at > now - FEED_LIFETIME)
        )
        .first()
    )
    if row is None or (row.valid_until is not None and row.valid_until < local_date(now)):
        raise NotFound(Text("Địa chỉ lịch này không còn dùng được.", "This calendar address is no longer valid."))
    return Reader(row.agency_id, row.name, row.contact_id, row.role, row.language or "vi")


def _log_change(session: Session, what: str, agency_id: str, contact_id: int | None, actor: str, now: datetime) -> None:
    record(session, EventKind.FEED_CHANGED, now, actor=actor, what=what, agency=agency_id, contact=contact_id)
