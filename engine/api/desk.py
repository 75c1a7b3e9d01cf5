"""An agency's desk under /api/v1: evidence, bulk acknowledgement, notification preferences, deputies, calendar
feeds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Annotated

from fastapi.responses import Response
from pydantic import Base64Bytes, BaseModel, Field
from sqlmodel import Session

from engine.accounts.permissions import Permission
from engine.agencies import preferences
from engine.agencies.contacts import ContactLine
from engine.agencies.preferences import Channel
from engine.api.caller import Call, Caller
from engine.api.models import Body, Day, Id, LongId, Nothing, Out
from engine.api.operations import reads, router_of, writes
from engine.assignments.reports import evidence
from engine.errors import NotFound
from engine.http import access
from engine.http.filters import AgencyId, Plain, SmallId
from engine.http.uploads import Digest, evidence_response, folder_of
from engine.store.recipients import CHANNELS
from engine.terms import NoticeKind
from engine.text import Text

router = router_of("desk")


class FileBody(Body):
    """``content`` in base64, at most 10 MB; the media type is detected from the bytes."""

    name: Annotated[str, Plain, Field(min_length=1, max_length=200)]
    content: Base64Bytes


class FileOut(BaseModel):
    """``digest`` (SHA-256) is what a report's ``files`` refer to. ``news`` is false when the agency had uploaded it
    before."""

    digest: str
    name: str
    size: int
    media_type: str
    news: bool


class IdsBody(Body):
    ids: Annotated[list[LongId], Field(min_length=1, max_length=access.MAX_ACKNOWLEDGED)]


class Acknowledged(BaseModel):
    """``acknowledged``: the assignments that changed; the others had been acknowledged before."""

    acknowledged: list[int]


class PreferencesOut(BaseModel):
    """``may_wait``: the notice kinds that a slowed channel sends once a week."""

    contact: ContactLine
    channels: list[Channel]
    may_wait: list[NoticeKind]
    deputies: list[ContactLine]


class ChannelActionBody(Body):
    channel: Annotated[str, Field(pattern=f"^({'|'.join(CHANNELS)})$")]
    do: access.ChannelAction


class DeputyBody(Body):
    """Both days included; one year at most. ``instead``: letters go to the deputy alone, not to the coordinator too."""

    email: Annotated[str, Plain, Field(max_length=254)]
    phone: Annotated[str, Plain, Field(max_length=40)] = ""
    label: Annotated[str, Plain, Field(max_length=120)] = ""
    valid_from: Day
    valid_until: Day
    instead: bool = False


class FeedBody(Body):
    """Calendar of a contact, or of the agency itself when null."""

    contact: Id | None = None


class FeedOut(BaseModel):
    """The secret address; shown only here."""

    address: str


class FeedRow(Out):
    id: int
    contact: int | None = Field(validation_alias="contact_id")
    created_at: datetime
    expires_at: datetime


class Revoked(BaseModel):
    revoked: int


@router.post("/agencies/{agency_id}/evidence", response_model=FileOut)
@writes("Tải lên tệp minh chứng", "Upload a file of evidence", name="bien-ban.pdf", content="JVBERi0xLjQKJSVFT0YK")
def upload_evidence(caller: Caller, payload: FileBody, agency_id: AgencyId) -> Response:
    """Upload one file, for a report to refer to."""
    caller.require(Permission.REPORT, agency_id)
    with caller.app.database.read() as session:
        evidence.enforce_upload_limit(session, agency_id, caller.now)
    stored = evidence.store(folder_of(caller), name=payload.name, body=payload.content)
    with caller.writing() as session:

        def done() -> FileOut:
            news = evidence.keep(session, stored, agency_id=agency_id, **caller.by)
            return FileOut.model_validate({**stored.as_entry, "news": news})

        return caller.once(session, done)


@router.get("/agencies/{agency_id}/evidence/{digest}", response_class=Response)
@reads("Tải về tệp minh chứng", "Download a file of evidence")
def get_evidence(caller: Caller, agency_id: AgencyId, digest: Digest) -> Response:
    """The file as uploaded."""
    return evidence_response(caller, agency_id, digest)


@router.post("/assignments/acknowledge", response_model=Acknowledged)
@writes("Xác nhận nhiều việc", "Acknowledge several", ids=[418, 419])
def acknowledge_assignments(caller: Caller, payload: IdsBody) -> Response:
    """Acknowledge several: all, or none when one is not the caller's."""
    with caller.writing() as session:
        return caller.once(
            session, lambda: Acknowledged(acknowledged=list(access.acknowledge_all(caller, session, payload.ids)))
        )


@router.get("/wishes")
@reads("Cách nhận thư của tôi", "Read the caller's notification preferences")
def get_own_wishes(caller: Caller) -> PreferencesOut:
    """Preferences of the contact that matches the caller's account."""
    with caller.app.database.read() as session:
        contact = access.own_contact(caller, session)
        if contact is None:
            raise NotFound(Text("Tài khoản này không là đầu mối nào.", "This account is not a contact of its agency."))
        return _preferences(caller, session, contact.id)


@router.get("/contacts/{contact_id}/wishes")
@reads("Cách nhận thư của một đầu mối", "Read a contact's preferences")
def get_wishes(caller: Caller, contact_id: SmallId) -> PreferencesOut:
    """When and where a contact wants letters, and who deputises."""
    with caller.app.database.read() as session:
        return _preferences(caller, session, contact_id)


@router.post("/contacts/{contact_id}/wishes", response_model=PreferencesOut)
@writes("Dừng, gộp hoặc nhận lại một kênh", "Stop, slow or resume a channel", channel="email", do="slow")
def set_wishes(caller: Caller, payload: ChannelActionBody, contact_id: SmallId) -> Response:
    """Stop, slow or resume one channel. The last channel that reaches a person cannot be stopped (409)."""
    return _do(
        caller,
        contact_id,
        Permission.SET_PREFERENCES,
        lambda s: access.CHANNEL_ACTIONS[payload.do](s, contact_id, payload.channel, **caller.by),
    )


@router.post("/contacts/{contact_id}/deputies", response_model=PreferencesOut)
@writes(
    "Cử người thay", "Name a deputy", email="phogiup@huyen.example", valid_from="2021-07-01", valid_until="2021-07-14"
)
def name_deputy(caller: Caller, payload: DeputyBody, contact_id: SmallId) -> Response:
    """From a day to a day, beside the contact or instead of them."""
    return _do(
        caller,
        contact_id,
        Permission.NAME_DEPUTY,
        lambda s: preferences.name_deputy(s, contact_id, **payload.model_dump(), **caller.by),
    )


@router.post("/contacts/{contact_id}/deputies/{deputy_id}/end", response_model=PreferencesOut)
@writes("Thôi người thay", "End a deputy")
def end_deputy(caller: Caller, payload: Nothing, contact_id: SmallId, deputy_id: SmallId) -> Response:
    """From now on."""
    return _do(
        caller,
        contact_id,
        Permission.NAME_DEPUTY,
        lambda s: preferences.end_deputy(s, contact_id, deputy_id, **caller.by),
    )


@router.get("/agencies/{agency_id}/feeds")
@reads("Các địa chỉ lịch", "List calendar feeds")
def list_feeds(caller: Caller, agency_id: AgencyId) -> list[FeedRow]:
    """The agency's calendar feeds and the caller's own."""
    caller.require(Permission.MAKE_FEED, agency_id)
    with caller.app.database.read() as session:
        contact = access.own_contact(caller, session)
        found = access.visible_feeds(session, agency_id, contact.id if contact else 0, caller.now)
    return [FeedRow.model_validate(feed) for feed in found]


@router.post("/agencies/{agency_id}/feeds")
@writes("Lập địa chỉ lịch", "Make a calendar feed")
def make_feed(caller: Caller, payload: FeedBody, agency_id: AgencyId) -> FeedOut:
    """The address is a secret that is not stored, so an ``Idempotency-Key`` could not return it again and is
    ignored."""
    with caller.writing() as session:
        return FeedOut(
            address=access.feed_address(caller, access.create_feed(caller, session, agency_id, payload.contact))
        )


@router.post("/agencies/{agency_id}/feeds/{feed_id}/revoke", response_model=Revoked)
@writes("Thu hồi địa chỉ lịch", "Revoke a calendar feed")
def revoke_feed(caller: Caller, payload: Nothing, agency_id: AgencyId, feed_id: SmallId) -> Response:
    """The address stops working. Revoking it again is 404."""
    with caller.writing() as session:

        def done() -> Revoked:
            access.revoke_agency_feed(caller, session, agency_id, feed_id)
            return Revoked(revoked=feed_id)

        return caller.once(session, done)


def _do(caller: Call, contact_id: int, permission: Permission, action: Callable[[Session], object]) -> Response:
    """Authorise, run the action and read the preferences again, in one transaction."""
    with caller.writing() as session:
        caller.require(permission, access.find_contact(caller, session, contact_id).agency_id)

        def done() -> PreferencesOut:
            action(session)
            return _preferences(caller, session, contact_id)

        return caller.once(session, done)


def _preferences(caller: Call, session: Session, contact_id: int) -> PreferencesOut:
    access.find_contact(caller, session, contact_id)
    found = preferences.preferences_of(session, contact_id, caller.now)
    return PreferencesOut(
        contact=_without_replies(found.contact),
        channels=list(found.channels),
        may_wait=list(found.may_wait),
        deputies=[_without_replies(each) for each in found.deputies],
    )


def _without_replies(contact: ContactLine) -> ContactLine:
    """Whether an address is dead, without the mail server's message about it."""
    dead = {channel: why if why == preferences.ASKED else "dead" for channel, why in contact.suppressed.items()}
    return replace(contact, suppressed=dead)
