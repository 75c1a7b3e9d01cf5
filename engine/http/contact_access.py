"""Access to contacts: the user's own, or one that their account administers; changes channels and calendar feeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum

from sqlmodel import Session

from engine.accounts.accounts import account
from engine.accounts.permissions import Permission
from engine.agencies import contacts, preferences
from engine.agencies.contacts import ContactLine
from engine.agencies.feed_addresses import FeedLine, feeds_of, make_feed, revoke_feed
from engine.enums import complete
from engine.errors import NotFound
from engine.http.request_context import RequestContext
from engine.text import Text


class ChannelAction(StrEnum):
    """A change to a channel's delivery preference."""

    STOP = "stop"
    SLOW = "slow"
    RESUME = "resume"


CHANNEL_ACTIONS: Mapping[ChannelAction, Callable[..., None]] = complete(
    ChannelAction,
    {
        ChannelAction.STOP: preferences.stop,
        ChannelAction.SLOW: preferences.slow,
        ChannelAction.RESUME: preferences.resume,
    },
)


def own_contact(ctx: RequestContext, session: Session) -> ContactLine | None:
    """The contact that matches the signed-in account or API token; None if there is none."""
    actor = ctx.actor
    user = ctx.account or (account(session, ctx.bearer.account_id) if ctx.bearer else None)
    email = user.email if user else ""
    return preferences.own(session, actor.agency_id, email, actor.role, ctx.now)


def find_contact(ctx: RequestContext, session: Session, contact_id: int) -> ContactLine:
    """The contact, if it is the actor's own or the actor may edit contacts of its agency. Raises NotFound,
    NotAllowed."""
    contact = contacts.find(session, contact_id)
    ctx.require(Permission.SET_PREFERENCES, contact.agency_id)
    own = own_contact(ctx, session)
    if own is None or own.email.casefold() != contact.email.casefold() or own.agency_id != contact.agency_id:
        ctx.require(Permission.KEEP_CONTACTS, contact.agency_id)
    return contact


def visible_feeds(session: Session, agency_id: str, contact_id: int, now: datetime) -> tuple[FeedLine, ...]:
    """Feeds of the agency as a whole and of this contact; other contacts' feeds are left out."""
    return tuple(each for each in feeds_of(session, agency_id, now) if each.contact_id in (None, contact_id))


def create_feed(ctx: RequestContext, session: Session, agency_id: str, contact_id: int | None) -> str:
    ctx.require(Permission.MAKE_FEED, agency_id)
    if contact_id is not None:
        find_contact(ctx, session, contact_id)
    account_id = ctx.account.id if ctx.account else ctx.bearer.account_id if ctx.bearer else None
    return make_feed(session, agency_id, contact_id=contact_id, account_id=account_id, **ctx.by)


def revoke_agency_feed(ctx: RequestContext, session: Session, agency_id: str, feed_id: int) -> None:
    ctx.require(Permission.MAKE_FEED, agency_id)
    line = next((each for each in feeds_of(session, agency_id, ctx.now) if each.id == feed_id), None)
    if line is None:
        raise NotFound(Text("Không có địa chỉ lịch này, hoặc đã thu hồi.", "There is no such feed, or it was revoked."))
    if line.contact_id is not None:
        find_contact(ctx, session, line.contact_id)
    revoke_feed(session, agency_id, feed_id, **ctx.by)


def feed_address(ctx: RequestContext, key: str) -> str:
    return f"{ctx.app.settings.base_url.rstrip('/')}/feed/{key}.ics"
