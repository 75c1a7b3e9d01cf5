"""One's own contact, or one that the account administers; what it may change: channels and calendar feeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum

from sqlmodel import Session

from engine.accounts.accounts import account
from engine.accounts.permissions import Permission
from engine.agencies import contacts, preferences
from engine.agencies.contacts import ContactLine
from engine.agencies.ical_feeds import FeedLine, feeds_of, make_feed, revoke_feed
from engine.errors import NotFound
from engine.http.request_context import RequestContext
from engine.text import Text


class Wish(StrEnum):
    """What may be done with a channel."""

    STOP = "stop"
    SLOW = "slow"
    RESUME = "resume"


DO: Mapping[Wish, Callable[..., None]] = {
    Wish.STOP: preferences.stop,
    Wish.SLOW: preferences.slow,
    Wish.RESUME: preferences.resume,
}


def own_contact(ctx: RequestContext, session: Session) -> ContactLine | None:
    """The contact that the account in use is, if it is one."""
    actor = ctx.actor
    who = ctx.account or (account(session, ctx.bearer.account_id) if ctx.bearer else None)
    email = who.email if who else ""
    return preferences.own(session, actor.agency_id, email, actor.role, ctx.now)


def must_be_mine(ctx: RequestContext, session: Session, contact_id: int) -> ContactLine:
    """One's own contact, or one that the actor keeps. Raises NotAllowed."""
    who = contacts.find(session, contact_id)
    ctx.require(Permission.SET_PREFERENCES, who.agency_id)
    me = own_contact(ctx, session)
    if me is None or me.email.casefold() != who.email.casefold() or me.agency_id != who.agency_id:
        ctx.require(Permission.KEEP_CONTACTS, who.agency_id)
    return who


def feeds_shown(session: Session, agency_id: str, contact_id: int) -> tuple[FeedLine, ...]:
    """The agency's own and the contact's: nobody else's."""
    return tuple(each for each in feeds_of(session, agency_id) if each.contact_id in (None, contact_id))


def feed_made(ctx: RequestContext, session: Session, agency_id: str, contact_id: int | None) -> str:
    ctx.require(Permission.MAKE_FEED, agency_id)
    if contact_id is not None:
        must_be_mine(ctx, session, contact_id)
    return make_feed(session, agency_id, contact_id=contact_id, actor=ctx.actor.name, now=ctx.now)


def feed_revoked(ctx: RequestContext, session: Session, agency_id: str, feed_id: int) -> None:
    ctx.require(Permission.MAKE_FEED, agency_id)
    line = next((each for each in feeds_of(session, agency_id) if each.id == feed_id), None)
    if line is None:
        raise NotFound(Text("Không có địa chỉ lịch này, hoặc đã thu hồi.", "There is no such feed, or it was revoked."))
    if line.contact_id is not None:
        must_be_mine(ctx, session, line.contact_id)
    revoke_feed(session, agency_id, feed_id, actor=ctx.actor.name, now=ctx.now)


def feed_address(ctx: RequestContext, key: str) -> str:
    return f"{ctx.app.settings.base_url.rstrip('/')}/feed/{key}.ics"
