"""An agency's desk under /api/v1: evidence, acknowledging several, wishes, deputies, calendars."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import Base64Bytes, BaseModel, Field
from sqlmodel import Session

from engine.accounts.permissions import Permission
from engine.agencies import preferences
from engine.agencies.contacts import ContactLine
from engine.agencies.ical_feeds import FeedLine
from engine.agencies.preferences import Channel
from engine.api.caller import Call, Caller
from engine.api.models import Body, Day, Nothing
from engine.assignments import evidence
from engine.errors import NotFound
from engine.http.bulk_acknowledge import MAX_ACKNOWLEDGED, acknowledged
from engine.http.contact_access import (
    DO,
    Wish,
    feed_address,
    feed_made,
    feed_revoked,
    feeds_shown,
    must_be_mine,
    own_contact,
)
from engine.http.evidence_download import Digest, given_back
from engine.http.filters import AgencyId, Plain, SmallId
from engine.http.uploads import folder_of
from engine.store.recipients import CHANNELS
from engine.terms import NoticeKind
from engine.text import Text

router = APIRouter()


class FileBody(Body):
    """``content`` in base64, 10 MB at most; what the file is is read from its bytes."""

    name: Annotated[str, Plain, Field(min_length=1, max_length=200)]
    content: Base64Bytes


class FileOut(BaseModel):
    """``digest`` (SHA-256) is what a report's ``files`` name. ``news`` is false when the agency had it already."""

    digest: str
    name: str
    size: int
    media_type: str
    news: bool


class IdsBody(Body):
    ids: Annotated[list[Annotated[int, Field(ge=1, le=2**63 - 1)]], Field(min_length=1, max_length=MAX_ACKNOWLEDGED)]


class Acknowledged(BaseModel):
    """``acknowledged``: for which it was news; the others were not new any more."""

    acknowledged: list[int]


class WishesOut(BaseModel):
    """``may_wait``: the kinds of lines that a slowed channel brings once a week."""

    contact: ContactLine
    channels: list[Channel]
    may_wait: list[NoticeKind]
    deputies: list[ContactLine]


class WishBody(Body):
    channel: Annotated[str, Field(pattern=f"^({'|'.join(CHANNELS)})$")]
    do: Wish


class DeputyBody(Body):
    """From one day to another, both included; a year at most."""

    email: Annotated[str, Plain, Field(max_length=254)]
    phone: Annotated[str, Plain, Field(max_length=40)] = ""
    label: Annotated[str, Plain, Field(max_length=120)] = ""
    valid_from: Day
    valid_until: Day


class FeedBody(Body):
    """Whose calendar: a contact's, or the agency's own when null."""

    contact: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None


class FeedOut(BaseModel):
    """The secret address; it is not shown again."""

    address: str


class FeedRow(BaseModel):
    id: int
    contact: int | None
    created_at: datetime

    @classmethod
    def of(cls, line: FeedLine) -> FeedRow:
        return cls(id=line.id, contact=line.contact_id, created_at=line.created_at)


class Revoked(BaseModel):
    revoked: int


@router.post("/agencies/{agency_id}/evidence", response_model=FileOut)
def upload(caller: Caller, said: FileBody, agency_id: AgencyId) -> Response:
    """One file, for a report to name."""
    caller.require(Permission.REPORT, agency_id)
    with caller.app.database.read() as session:
        evidence.enforce_upload_limit(session, agency_id, caller.now)
    kept = evidence.store(folder_of(caller), name=said.name, body=said.content)
    with caller.writing() as session:

        def done() -> FileOut:
            news = evidence.keep(session, kept, agency_id=agency_id, actor=caller.actor.name, now=caller.now)
            return FileOut.model_validate({**kept.as_entry, "news": news})

        return caller.once(session, done)


@router.get("/agencies/{agency_id}/evidence/{digest}", response_class=Response)
def download(caller: Caller, agency_id: AgencyId, digest: Digest) -> Response:
    """The file as it came in."""
    return given_back(caller, agency_id, digest)


@router.post("/assignments/acknowledge", response_model=Acknowledged)
def acknowledge_many(caller: Caller, said: IdsBody) -> Response:
    """Several at once: all of them or, when one is not the caller's, none."""
    with caller.writing() as session:
        return caller.once(session, lambda: Acknowledged(acknowledged=list(acknowledged(caller, session, said.ids))))


@router.get("/wishes")
def my_wishes(caller: Caller) -> WishesOut:
    """Those of the contact that the caller's account is."""
    with caller.app.database.read() as session:
        who = own_contact(caller, session)
        if who is None:
            raise NotFound(Text("Tài khoản này không là đầu mối nào.", "This account is no contact of its agency."))
        return _wishes(caller, session, who.id)


@router.get("/contacts/{contact_id}/wishes")
def contact_wishes(caller: Caller, contact_id: SmallId) -> WishesOut:
    with caller.app.database.read() as session:
        return _wishes(caller, session, contact_id)


@router.post("/contacts/{contact_id}/wishes", response_model=WishesOut)
def wish(caller: Caller, said: WishBody, contact_id: SmallId) -> Response:
    """Stop, slow or resume one channel. The last one that reaches a person is not stopped (409)."""
    return _do(
        caller,
        contact_id,
        Permission.SET_PREFERENCES,
        lambda s: DO[said.do](s, contact_id, said.channel, actor=caller.actor.name, now=caller.now),
    )


@router.post("/contacts/{contact_id}/deputies", response_model=WishesOut)
def name_deputy(caller: Caller, said: DeputyBody, contact_id: SmallId) -> Response:
    return _do(
        caller,
        contact_id,
        Permission.NAME_DEPUTY,
        lambda s: preferences.name_deputy(s, contact_id, **said.model_dump(), actor=caller.actor.name, now=caller.now),
    )


@router.post("/contacts/{contact_id}/deputies/{deputy_id}/end", response_model=WishesOut)
def end_deputy(caller: Caller, said: Nothing, contact_id: SmallId, deputy_id: SmallId) -> Response:
    return _do(
        caller,
        contact_id,
        Permission.NAME_DEPUTY,
        lambda s: preferences.end_deputy(s, contact_id, deputy_id, actor=caller.actor.name, now=caller.now),
    )


@router.get("/agencies/{agency_id}/feeds")
def feeds(caller: Caller, agency_id: AgencyId) -> list[FeedRow]:
    """The agency's calendars and the caller's own."""
    caller.require(Permission.MAKE_FEED, agency_id)
    with caller.app.database.read() as session:
        who = own_contact(caller, session)
        return [FeedRow.of(each) for each in feeds_shown(session, agency_id, who.id if who else 0)]


@router.post("/agencies/{agency_id}/feeds")
def make_feed(caller: Caller, said: FeedBody, agency_id: AgencyId) -> FeedOut:
    """The address is a secret and kept nowhere, so an ``Idempotency-Key`` cannot bring it back: it is not looked at."""
    with caller.writing() as session:
        return FeedOut(address=feed_address(caller, feed_made(caller, session, agency_id, said.contact)))


@router.post("/agencies/{agency_id}/feeds/{feed_id}/revoke", response_model=Revoked)
def revoke_feed(caller: Caller, said: Nothing, agency_id: AgencyId, feed_id: SmallId) -> Response:
    """The address answers nothing any more. Revoking again is 404: nothing of it is left to revoke."""
    with caller.writing() as session:

        def done() -> Revoked:
            feed_revoked(caller, session, agency_id, feed_id)
            return Revoked(revoked=feed_id)

        return caller.once(session, done)


def _do(caller: Call, contact_id: int, deed: Permission, doing: Callable[[Session], object]) -> Response:
    """Authorise, do, and look again, in one unit of work."""
    with caller.writing() as session:
        caller.require(deed, must_be_mine(caller, session, contact_id).agency_id)

        def done() -> WishesOut:
            doing(session)
            return _wishes(caller, session, contact_id)

        return caller.once(session, done)


def _wishes(caller: Call, session: Session, contact_id: int) -> WishesOut:
    must_be_mine(caller, session, contact_id)
    found = preferences.preferences_of(session, contact_id, caller.now)
    return WishesOut(
        contact=_shown(found.contact),
        channels=list(found.channels),
        may_wait=list(found.may_wait),
        deputies=[_shown(each) for each in found.deputies],
    )


def _shown(contact: ContactLine) -> ContactLine:
    """Why an address is dead is what another's mail server said: only that it is dead is told."""
    dead = {channel: why if why == preferences.ASKED else "dead" for channel, why in contact.suppressed.items()}
    return replace(contact, suppressed=dead)
