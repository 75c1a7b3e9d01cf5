"""Incoming messages under /api/v1: what people answered, what was read of it, and what a person does with it. What the
pages «Thư đến» do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Any

from fastapi.responses import Response
from pydantic import AfterValidator, BaseModel, Field
from sqlmodel import Session

from engine.api.caller import Call, Caller
from engine.api.lists import Limit
from engine.api.models import Body, Day, Listed, LongId, Nothing
from engine.api.operations import reads, router_of, writes
from engine.correspondence import handling
from engine.correspondence.entries import MAX_TEXT_CHARS
from engine.correspondence.handling import NOTHING_CHOSEN
from engine.correspondence.message_acts import Request
from engine.errors import BadInput
from engine.http.access import message_filter, readable_message, record_message, take_back_message
from engine.http.filters import Code, Cursor, LetterId, YesNo
from engine.http.forms import clean
from engine.queries.paging import PER_PAGE
from engine.queries.work.incoming import MessageRow, list_messages, message_story
from engine.terms import AnswerRead, Ask, MessageAct, WaitReason

router = router_of("threads")


class RequestOut(BaseModel):
    """What a message asks, as it was read: nothing is recorded of it. ``ids``: assignments, empty where they are not
    certain."""

    ask: Ask
    ids: list[int]
    on: date | None
    text: str


class DoneOut(BaseModel):
    act: MessageAct
    ids: list[int]
    on: date | None


class MessageOut(BaseModel):
    """``text``: without the quoted letter and the signature. ``waits``: why a person has to look, null once one did, or
    where it acted by itself. ``about``: assignments of the answered letter."""

    id: int
    at: datetime
    channel: str
    agency_id: str | None
    supervisor_id: str | None
    sender: str
    subject: str
    text: str
    files: list[dict[str, Any]]
    about: list[int]
    proposed: list[RequestOut]
    done: list[DoneOut]
    waits: WaitReason | None
    read: AnswerRead | None
    settled_at: datetime | None
    settled_by: str

    @classmethod
    def of(cls, row: MessageRow) -> MessageOut:
        return cls(
            id=row.id,
            at=row.at,
            channel=row.channel,
            agency_id=row.agency_id,
            supervisor_id=row.supervisor_id,
            sender=row.sender,
            subject=row.subject,
            text=row.own_text,
            files=[dict(each) for each in row.files],
            about=list(row.about),
            proposed=[RequestOut(ask=r.ask, ids=list(r.ids), on=r.on, text=r.text) for r in row.requests],
            done=[DoneOut(act=each.act, ids=list(each.ids), on=each.on) for each in row.acts],
            waits=row.waits if row.open else None,
            read=row.handled,
            settled_at=row.settled_at,
            settled_by=row.settled_by,
        )


class RequestBody(Body):
    ask: Ask
    ids: Annotated[list[LongId], Field(min_length=1, max_length=60)]
    on: Day | None = None
    text: Annotated[str, Field(max_length=MAX_TEXT_CHARS), AfterValidator(clean)] = ""


class RecordBody(Body):
    """``requests``: left out, what was read is recorded as it was read."""

    requests: Annotated[list[RequestBody], Field(max_length=6)] = Field(default_factory=list)


@router.get("/incoming")
@reads("Thư đến", "List incoming messages", "waiting=yes&limit=10")
def list_incoming(
    caller: Caller, agency: Code = "", waiting: YesNo = None, after: Cursor = "", limit: Limit = PER_PAGE
) -> Listed[MessageOut]:
    """What waits first, the newest first among equals."""
    wanted = message_filter(caller, agency, waiting)
    with caller.app.database.read() as session:
        found = list_messages(session, wanted, after=after, limit=limit)
    items = [MessageOut.of(row) for row in found.rows]
    return Listed[MessageOut](items=items, next=found.next or None, total=found.total)


@router.get("/incoming/{message_id}")
@reads("Một thư đến", "Read an incoming message")
def get_incoming(caller: Caller, message_id: LetterId) -> MessageOut:
    """What it says, what was read in it and what was done."""
    return MessageOut.of(readable_message(caller, message_id)[0].row)


@router.post("/incoming/{message_id}/record", response_model=MessageOut)
@writes(
    "Ghi nhận thư đến",
    "Record what a message asks",
    requests=[{"ask": "day", "ids": [418], "on": "2021-06-30", "text": "Chờ số liệu xã."}],
)
def record_incoming(caller: Caller, message_id: LetterId, payload: RecordBody) -> Response:
    """As it was read, or as ``requests`` say; its writer is told in one sentence, ten minutes later."""

    def act(session: Session) -> None:
        read = message_story(session, message_id).row.requests
        typed = [Request(ask=each.ask, ids=tuple(each.ids), on=each.on, text=each.text) for each in payload.requests]
        if not (typed or read):
            raise BadInput(NOTHING_CHOSEN)
        same = not typed or tuple(typed) == read
        how = AnswerRead.CONFIRMED if same else AnswerRead.CORRECTED
        record_message(caller, session, message_id, typed or read, how)

    return _do(caller, message_id, act)


@router.post("/incoming/{message_id}/aside", response_model=MessageOut)
@writes("Bỏ thư đến, không ghi nhận", "Drop a message")
def drop_incoming(caller: Caller, message_id: LetterId, payload: Nothing) -> Response:
    """Nothing of it is to be recorded."""
    return _do(caller, message_id, lambda session: handling.put_aside(session, message_id, **caller.by))


@router.post("/incoming/{message_id}/misread", response_model=MessageOut)
@writes("Hiểu sai: thu hồi", "Take back what a message did")
def misread_incoming(caller: Caller, message_id: LetterId, payload: Nothing) -> Response:
    """Also what it did by itself; it waits again, and its writer is told."""
    return _do(caller, message_id, lambda session: take_back_message(caller, session, message_id))


def _do(caller: Call, message_id: int, act: Callable[[Session], None]) -> Response:
    readable_message(caller, message_id)
    with caller.writing() as session:

        def done() -> MessageOut:
            act(session)
            return MessageOut.of(message_story(session, message_id).row)

        return caller.once(session, done)
