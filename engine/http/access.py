"""Access to contacts: the user's own, or one that their account administers; changes channels and calendar feeds.

Actions on assignments, as a page's form and the API's JSON both ask for them.

Who may read an incoming message, and what both its page and the API do with one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol, Unpack

from sqlmodel import Session

from engine.accounts.accounts import account
from engine.accounts.permissions import Acting, ActorRole, Permission, concerned
from engine.agencies import contacts, preferences
from engine.agencies.contacts import ContactLine
from engine.agencies.feed_addresses import FeedLine, feeds_of, make_feed, revoke_feed
from engine.assignments.lifecycle import acknowledge
from engine.correspondence import handling
from engine.correspondence.message_acts import Done, Request
from engine.enums import complete
from engine.errors import BadInput, NotAllowed, NotFound
from engine.http.request_context import RequestContext
from engine.queries.time_class import Today, read_today
from engine.queries.work.assignments import AssignmentRow, rows_of
from engine.queries.work.incoming import MessageFilter, MessageStory, message_story
from engine.terms import AnswerRead, State
from engine.text import Text
from engine.views.event_sentences import recorded_by_person, taken_back


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


MAX_ACKNOWLEDGED = 200


class Action(Protocol):
    """A function of ``engine.assignments.lifecycle`` with its input: ``partial(lifecycle.cancel, reason=...)``."""

    def __call__(self, session: Session, assignment_id: int, /, **by: Unpack[Acting]) -> object: ...


def require_for(ctx: RequestContext, permission: Permission, row: AssignmentRow) -> None:
    """Raises NotAllowed unless the actor may do this to the assignment, in the agency that the permission concerns."""
    ctx.require(permission, concerned(permission, row.agency_id, row.supervisor_id))


def acknowledge_all(ctx: RequestContext, session: Session, ids: Collection[int]) -> tuple[int, ...]:
    """Acknowledge several assignments in one transaction and return the ids that changed; others are left as they are.
    Raises BadInput for an empty or too long list, NotFound, NotAllowed."""
    if not 0 < len(ids) <= MAX_ACKNOWLEDGED:
        raise BadInput(
            Text(f"Chọn từ 1 đến {MAX_ACKNOWLEDGED} việc.", f"Choose from 1 to {MAX_ACKNOWLEDGED} assignments.")
        )
    rows = rows_of(session, read_today(session, ctx.now), ids)
    for row in rows:
        require_for(ctx, Permission.ACKNOWLEDGE, row)
    new = (row.id for row in rows if row.state is State.ASSIGNED)
    return tuple(each for each in new if acknowledge(session, each, **ctx.by))


def message_filter(ctx: RequestContext, agency: str = "", waiting: bool | None = None, kind: str = "") -> MessageFilter:
    ctx.require(Permission.HANDLE_MESSAGES, "" if ctx.may(Permission.HANDLE_MESSAGES) else ctx.actor.agency_id)
    reader = "" if ctx.actor.role is ActorRole.ADMINISTRATOR else ctx.actor.agency_id
    return MessageFilter(
        agency_id=agency, waiting=waiting, kind=kind, reader=reader, monitor=ctx.actor.role is ActorRole.MONITOR
    )


def readable_message(ctx: RequestContext, message_id: int) -> tuple[MessageStory, Today]:
    """The message, for those whose agency wrote it or reads it. Raises NotFound, NotAllowed."""
    with ctx.reading() as (session, today):
        found = message_story(session, message_id)
    wanted = message_filter(ctx)
    whose = {found.row.agency_id} | ({found.row.supervisor_id} if wanted.monitor else set())
    if wanted.reader and wanted.reader not in whose:
        raise NotAllowed
    return found, today


def record_message(
    ctx: RequestContext, session: Session, message_id: int, requests: Sequence[Request], how: AnswerRead
) -> tuple[Done, ...]:
    """Record what a message asks, and tell its writer."""
    done = handling.record_requests(session, message_id, requests, how, **ctx.by)
    handling.tell_writer(session, message_id, recorded_by_person(done), ctx.now)
    return done


def take_back_message(ctx: RequestContext, session: Session, message_id: int) -> None:
    """Take back what a message did, and tell its writer."""
    done = handling.misread(session, message_id, **ctx.by)
    handling.tell_writer(session, message_id, taken_back(done), ctx.now)
