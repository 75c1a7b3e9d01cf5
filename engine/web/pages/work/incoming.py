"""«Thư đến»: what people answered by mail and SMS. The list of all; and what waits for a person as a queue: one row a
message, what was read of the opened one beside it, the next after each press."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response
from sqlmodel import Session

from engine.correspondence import entries, handling
from engine.correspondence.handling import NOTHING_CHOSEN
from engine.correspondence.message_acts import DAYS, ENTRIES, Done, Request
from engine.errors import BadInput, Conflict, DondocError, FieldsRefused, ForbiddenMove
from engine.http.access import message_filter, readable_message, record_message, take_back_message
from engine.http.filters import MAX_INT64, Code, Count, Cursor, SmallId, Sort, YesNo
from engine.http.forms import MAX_REASON_CHARS, Form, asked_again
from engine.http.lists.list_columns import MESSAGE_LIST
from engine.http.lists.listing import ExportFormat, download, filter_names
from engine.http.request_context import PostedForm, RequestContext, SignedIn
from engine.queries.time_class import Today
from engine.queries.work.incoming import (
    MessageFilter,
    MessageQueue,
    MessageStory,
    every_message,
    list_messages,
    message_queue,
)
from engine.terms import AnswerRead, Ask

router = APIRouter(include_in_schema=False)
MAX_STEPS = 6
"""Things that one message is recorded as at once."""


class IncomingAct(StrEnum):
    """The buttons of a message."""

    CONFIRM = "confirm"
    RECORD = "record"
    """As the form says."""
    ASIDE = "aside"
    MISREAD = "misread"


@router.get("/incoming")
def listing(
    ctx: SignedIn,
    agency: Code = "",
    waiting: YesNo = None,
    export_format: ExportFormat = None,
    after: Cursor = "",
    sort: Sort = "",
) -> Response:
    wanted = message_filter(ctx, agency, waiting)
    sort = MESSAGE_LIST.known_order(sort)
    with ctx.reading() as (session, today):
        if export_format:
            rows, names = every_message(session, wanted, sort), filter_names(session, None)
            return download(ctx, export_format, MESSAGE_LIST, rows, names)
        found = list_messages(session, wanted, after=after, sort=sort)
    return ctx.page("incoming.html", today=today, listing=MESSAGE_LIST, found=found, wanted=wanted, sort=sort)


@router.get("/incoming/waiting")
def queue(
    ctx: SignedIn,
    kind: Code = "",
    at: Annotated[int, Query(alias="open", ge=0, le=MAX_INT64)] = 0,
    tick: YesNo = None,
    said: Code = "",
    n: Count = 0,
    kept: Count = 0,
) -> Response:
    """``open``: the message that is opened; without one the oldest."""
    wanted = message_filter(ctx, kind=kind)
    with ctx.reading() as (session, today):
        found = message_queue(session, wanted)
    first = found.rows[0].id if found.rows else 0
    opened = readable_message(ctx, at or first)[0] if at or first else None
    return _page(ctx, today, wanted, found, opened, outcome=said, n=n, kept=kept, tick=bool(tick))


@router.get("/incoming/{message_id}")
def show(ctx: SignedIn, message_id: SmallId, kind: Code = "", said: Code = "") -> Response:
    opened, today = readable_message(ctx, message_id)
    return _with_queue(ctx, opened, today, kind, outcome=said)


def _with_queue(
    ctx: RequestContext,
    opened: MessageStory,
    today: Today,
    kind: str,
    *,
    outcome: str = "",
    sentence: str = "",
    form: Form | None = None,
    status: int = 200,
) -> Response:
    wanted = message_filter(ctx, kind=kind)
    with ctx.reading() as (session, _):
        found = message_queue(session, wanted)
    return _page(ctx, today, wanted, found, opened, outcome=outcome, sentence=sentence, form=form, status=status)


def _page(
    ctx: RequestContext,
    today: Today,
    wanted: MessageFilter,
    found: MessageQueue,
    opened: MessageStory | None,
    *,
    outcome: str = "",
    n: int = 0,
    kept: int = 0,
    tick: bool = False,
    sentence: str = "",
    form: Form | None = None,
    status: int = 200,
) -> Response:
    return ctx.page(
        "incoming_queue.html",
        status,
        today=today,
        wanted=wanted,
        found=found,
        opened=opened,
        raw_text=ctx.masked(opened.raw_text) if opened is not None else "",
        steps=_steps(opened, form),
        outcome=outcome,
        n=n,
        kept=kept,
        tick=tick,
        sentence=sentence,
        typed=form,
        Act=IncomingAct,
        Ask=Ask,
        DAYS=DAYS,
    )


def _steps(opened: MessageStory | None, form: Form | None) -> list[Mapping[str, object]]:
    """The parts of the form, filled with what was read or typed."""
    if opened is None:
        return []
    if form is not None and form.raw("act") == IncomingAct.RECORD:
        count = len([name for name in form.fields if name.startswith("ask-")])
        return [
            {
                "ask": form.raw(f"ask-{i}"),
                "ids": form.every(f"id-{i}"),
                "on": form.raw(f"until-{i}"),
                "text": form.raw(f"text-{i}"),
            }
            for i in range(min(count, MAX_STEPS))
        ]
    only = [str(duty.id) for duty in opened.duties] if len(opened.duties) == 1 else []
    words = opened.row.rest or opened.row.words
    read: list[Mapping[str, object]] = [
        {
            "ask": each.ask,
            "ids": [str(one) for one in each.ids] or only,
            "on": each.on or "",
            "text": each.text or words,
        }
        for each in opened.row.requests[:MAX_STEPS]
    ]
    return read or [{"ask": "", "ids": only, "on": "", "text": words}]


@router.post("/incoming/waiting")
def several(ctx: SignedIn, form: PostedForm, kind: Code = "") -> Response:
    """Record the chosen messages as they were read; those that lack something, or that somebody else has settled, are
    left."""
    message_filter(ctx)
    done = kept = 0
    for message_id in form.numbers("message"):
        try:
            opened, _ = readable_message(ctx, message_id)
            with ctx.writing() as session:
                _confirm(ctx, session, opened, form)
            done += 1
        except DondocError:
            kept += 1
    return ctx.go("/incoming/waiting", kind=kind or None, said="several", n=done or None, kept=kept or None)


@router.post("/incoming/{message_id}")
def act(ctx: SignedIn, form: PostedForm, message_id: SmallId, kind: Code = "") -> Response:
    opened, today = readable_message(ctx, message_id)
    chosen = form.choice("act", IncomingAct)
    try:
        names = [name for name in form.fields if name.startswith("until-")]
        if (again := asked_again(form, names, today.calendar)) is not None:
            form = again.form
            raise FieldsRefused(again.said)
        with ctx.writing() as session:
            _ACTS[chosen](ctx, session, opened, form)
    except (BadInput, Conflict, ForbiddenMove) as error:
        said = error.said(ctx.language)
        return _with_queue(ctx, opened, today, kind, sentence=said, form=form, status=error.status)
    if chosen is IncomingAct.MISREAD:
        return ctx.go(f"/incoming/{message_id}", said=chosen)
    with ctx.reading() as (session, _):
        following = message_queue(session, message_filter(ctx, kind=kind)).after(message_id)
    return ctx.go("/incoming/waiting", open=following.id if following else None, kind=kind or None, said=chosen)


def _confirm(ctx: RequestContext, session: Session, opened: MessageStory, form: Form) -> None:
    if not opened.row.requests:
        raise BadInput(NOTHING_CHOSEN)
    _record(ctx, session, opened, list(opened.row.requests), AnswerRead.CONFIRMED, form)


def _corrected(ctx: RequestContext, session: Session, opened: MessageStory, form: Form) -> None:
    steps = [i for i in range(MAX_STEPS) if form.has(f"ask-{i}")]
    if not steps:
        raise BadInput(NOTHING_CHOSEN)
    requests = [_typed(opened, form, i) for i in steps]
    same = requests == [replace(each, citations=()) for each in opened.row.requests]
    _record(ctx, session, opened, requests, AnswerRead.CONFIRMED if same else AnswerRead.CORRECTED, form)


def _typed(opened: MessageStory, form: Form, i: int) -> Request:
    ask = form.choice(f"ask-{i}", Ask)
    ids = {*form.numbers(f"id-{i}")}
    chosen = [duty.id for duty in opened.duties if duty.id in ids or len(opened.duties) == 1]
    on = form.day(f"until-{i}") if ask in DAYS else None
    text = form.text(f"text-{i}", MAX_REASON_CHARS if ask in DAYS else entries.MAX_TEXT_CHARS)
    return Request(ask=ask, ids=tuple(chosen), on=on, text=text)


def _record(
    ctx: RequestContext, session: Session, opened: MessageStory, requests: list[Request], how: AnswerRead, form: Form
) -> None:
    """And tell the writer; a question that is answered there is told with its answer."""
    done = record_message(ctx, session, opened.row.id, requests, how)
    answer = form.text("answer", entries.MAX_TEXT_CHARS)
    if answer and any(each.ask in ENTRIES for each in requests):
        _answer(ctx, session, opened, done, answer)


def _answer(ctx: RequestContext, session: Session, opened: MessageStory, done: tuple[Done, ...], answer: str) -> None:
    ids = [one for each in done for one in each.ids]
    entry_id, _ = entries.waiting_in(session, ids, of_owner=True)[-1]
    entries.answer(session, entry_id, answer, agency_id=opened.row.supervisor_id or "", **ctx.by)


def _aside(ctx: RequestContext, session: Session, opened: MessageStory, form: Form) -> None:
    del form
    handling.put_aside(session, opened.row.id, **ctx.by)


def _misread(ctx: RequestContext, session: Session, opened: MessageStory, form: Form) -> None:
    del form
    take_back_message(ctx, session, opened.row.id)


_ACTS: Mapping[IncomingAct, Callable[[RequestContext, Session, MessageStory, Form], None]] = {
    IncomingAct.CONFIRM: _confirm,
    IncomingAct.RECORD: _corrected,
    IncomingAct.ASIDE: _aside,
    IncomingAct.MISREAD: _misread,
}
