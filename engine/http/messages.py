"""Who may read an incoming message, and what both its page and the API do with one."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import Session

from engine.accounts.permissions import ActorRole, Permission
from engine.correspondence import handling
from engine.correspondence.message_acts import Done, Request
from engine.errors import NotAllowed
from engine.http.request_context import RequestContext
from engine.queries.time_class import Today
from engine.queries.work.incoming import MessageFilter, MessageStory, message_story
from engine.terms import AnswerRead
from engine.views.event_sentences import recorded_by_person, taken_back


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
