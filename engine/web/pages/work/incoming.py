"""«Thư đến»: what people answered by mail and SMS, what waits for a person first; one message whole, with a button for
each thing that may be done because of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum

from fastapi import APIRouter
from fastapi.responses import Response
from sqlmodel import Session

from engine.accounts.permissions import ActorRole, Permission
from engine.assignments.promise_rows import PromiseText
from engine.correspondence import message_acts
from engine.correspondence.entries import MAX_TEXT_CHARS, NewEntry
from engine.correspondence.message_acts import Done, MessageDuty
from engine.correspondence.received_files import draft_report, settle
from engine.errors import BadInput, Conflict, FieldsRefused, ForbiddenMove, NotAllowed
from engine.http.filters import Code, Cursor, SmallId, Sort, YesNo
from engine.http.forms import MAX_REASON_CHARS, Form
from engine.http.later_days import asked_again
from engine.http.lists.list_columns import MESSAGE_LIST
from engine.http.lists.list_download import ExportFormat, download, filter_names
from engine.http.request_context import PostedForm, RequestContext, SignedIn
from engine.queries.time_class import Today
from engine.queries.work.incoming import (
    MessageFilter,
    MessageStory,
    every_message,
    list_messages,
    message_story,
)
from engine.terms import EntryKind, MessageAct
from engine.text import Text

router = APIRouter(include_in_schema=False)
NOTHING_CHOSEN = Text("Chưa chọn nhiệm vụ nào.", "No duty is chosen.")
NOTHING_NEW = Text("Việc này đã được ghi nhận trước đó.", "This had been recorded before.")


class IncomingAct(StrEnum):
    """The buttons of a message."""

    ACKNOWLEDGE = "acknowledge"
    DAY = "day"
    """An extension, or a promise where the due date has passed."""
    DIFFICULTY = "difficulty"
    ATTACH = "attach"
    DECLINE = "decline"
    ASIDE = "aside"


@router.get("/incoming")
def listing(
    ctx: SignedIn,
    agency: Code = "",
    waiting: YesNo = None,
    export_format: ExportFormat = None,
    after: Cursor = "",
    sort: Sort = "",
) -> Response:
    wanted = _filter(ctx, agency, waiting)
    sort = MESSAGE_LIST.known_order(sort)
    with ctx.reading() as (session, today):
        if export_format:
            rows, names = every_message(session, wanted, sort), filter_names(session, None)
            return download(ctx, export_format, MESSAGE_LIST, rows, names)
        found = list_messages(session, wanted, after=after, sort=sort)
    return ctx.page("incoming.html", today=today, listing=MESSAGE_LIST, found=found, wanted=wanted, sort=sort)


def _filter(ctx: RequestContext, agency: str, waiting: bool | None) -> MessageFilter:
    ctx.require(Permission.HANDLE_MESSAGES, "" if ctx.may(Permission.HANDLE_MESSAGES) else ctx.actor.agency_id)
    reader = "" if ctx.actor.role is ActorRole.ADMINISTRATOR else ctx.actor.agency_id
    return MessageFilter(agency_id=agency, waiting=waiting, reader=reader, monitor=ctx.actor.role is ActorRole.MONITOR)


@router.get("/incoming/{message_id}")
def show(ctx: SignedIn, message_id: SmallId, said: Code = "") -> Response:
    found, today = _readable(ctx, message_id)
    return _page(ctx, found, today, outcome=said)


def _readable(ctx: RequestContext, message_id: int) -> tuple[MessageStory, Today]:
    """The message, for those whose agency wrote it or reads it. Raises NotFound, NotAllowed."""
    with ctx.reading() as (session, today):
        found = message_story(session, message_id)
    filtered = _filter(ctx, "", None)
    whose = {found.row.agency_id} | ({found.row.supervisor_id} if filtered.monitor else set())
    if filtered.reader and filtered.reader not in whose:
        raise NotAllowed
    return found, today


def _page(
    ctx: RequestContext,
    found: MessageStory,
    today: Today,
    *,
    outcome: str = "",
    sentence: str = "",
    form: Form | None = None,
    status: int = 200,
) -> Response:
    ticked = form.every("id") if form is not None else tuple(str(duty.id) for duty in found.duties)
    return ctx.page(
        "incoming_message.html",
        status,
        today=today,
        message=found,
        raw_text=ctx.masked(found.raw_text),
        row=found.row,
        outcome=outcome,
        sentence=sentence,
        ticked=ticked if len(found.duties) == 1 or form is not None else (),
        typed=form,
        Act=IncomingAct,
    )


@router.post("/incoming/{message_id}")
def act(ctx: SignedIn, form: PostedForm, message_id: SmallId) -> Response:
    found, today = _readable(ctx, message_id)
    chosen = form.choice("act", IncomingAct)
    try:
        if (again := asked_again(form, ("until",), today.calendar)) is not None:
            form = again.form
            raise FieldsRefused(again.said)
        with ctx.writing() as session:
            done = _ACTS[chosen](ctx, session, found, form)
            settle(session, message_id, done, **ctx.by)
    except (BadInput, Conflict, ForbiddenMove) as error:
        return _page(ctx, found, today, sentence=error.said(ctx.language), form=form, status=error.status)
    return ctx.go(f"/incoming/{message_id}", said=chosen)


def _chosen(found: MessageStory, form: Form) -> list[MessageDuty]:
    """The ticked duties; the only one, if there is only one."""
    ids = set(form.numbers("id"))
    duties = [duty for duty in found.duties if duty.id in ids or len(found.duties) == 1]
    if not duties:
        raise BadInput(NOTHING_CHOSEN)
    return duties


def _acknowledge(ctx: RequestContext, session: Session, found: MessageStory, form: Form) -> Done:
    done = message_acts.acknowledge(session, _chosen(found, form), (), **ctx.by)
    if done is None:
        raise BadInput(NOTHING_NEW)
    return done


def _day(ctx: RequestContext, session: Session, found: MessageStory, form: Form) -> Done:
    text = PromiseText(on=form.day("until"), reason=form.text("reason", MAX_REASON_CHARS))
    return message_acts.ask_day(session, _chosen(found, form), text, **ctx.by)


def _difficulty(ctx: RequestContext, session: Session, found: MessageStory, form: Form) -> Done:
    files = tuple(each.stored.as_entry for each in found.row.kept_files if each.stored is not None)
    new = NewEntry(EntryKind.DIFFICULTY, form.text("text", MAX_TEXT_CHARS), files=files)
    done = message_acts.raise_entry(session, _chosen(found, form), (), new, **ctx.by)
    if done is None:
        raise BadInput(NOTHING_NEW)
    return done


def _attach(ctx: RequestContext, session: Session, found: MessageStory, form: Form) -> Done:
    """Into the draft of each chosen duty's report: the agency looks at it and sends it."""
    drafted = {duty: draft_report(session, duty, found.row.kept_files, **ctx.by) for duty in _chosen(found, form)}
    acts = {duty: act.files for duty, act in drafted.items() if act is not None}
    if not acts:
        raise BadInput(NOTHING_NEW)
    return Done.about(MessageAct.DRAFTED, list(acts), files=next(iter(acts.values())))


def _decline(ctx: RequestContext, session: Session, found: MessageStory, form: Form) -> Done:
    return message_acts.decline(session, _chosen(found, form), found.row.words[:MAX_REASON_CHARS], **ctx.by)


def _aside(ctx: RequestContext, session: Session, found: MessageStory, form: Form) -> Done:
    del ctx, session, found, form
    return Done(act=MessageAct.SET_ASIDE)


_ACTS: Mapping[IncomingAct, Callable[[RequestContext, Session, MessageStory, Form], Done]] = {
    IncomingAct.ACKNOWLEDGE: _acknowledge,
    IncomingAct.DAY: _day,
    IncomingAct.DIFFICULTY: _difficulty,
    IncomingAct.ATTACH: _attach,
    IncomingAct.DECLINE: _decline,
    IncomingAct.ASIDE: _aside,
}
