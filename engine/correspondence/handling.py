"""What a person does with a message of «Thư đến»: record what it asks, as it was read or otherwise, put it aside, or
take back what was misread. In the caller's transaction; permissions are the caller's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlmodel import Session

from engine.assignments.acts.undo import UNDO_TIME, recorded, take_back
from engine.assignments.outbox import LetterDay, letter_row
from engine.correspondence.message_acts import Done, MessageDuty, Request, duties_of, perform
from engine.correspondence.received_files import ReceivedFile, draft_report, file_of
from engine.errors import BadInput, Conflict, NotFound
from engine.store.database import insert_rows, table
from engine.store.recipients import CHANNELS, Recipient
from engine.store.records import Contact, Incoming, IncomingMessage, Letter
from engine.store.stored_rows import columns_for, object_of
from engine.store.webhook_outbox import enqueue_message
from engine.terms import AnswerRead, Ask, LetterState, MessageAct, WaitReason
from engine.text import Text

ANSWER = "answer:"
"""Key prefix of letters that answer an incoming message; the message's id follows the last colon."""
NOTHING_CHOSEN = Text("Chưa chọn nhiệm vụ nào.", "No duty is chosen.")
NO_DAY = Text("Chưa có ngày hoặc lý do.", "The day or the reason is missing.")
NOTHING_NEW = Text("Việc này đã được ghi nhận trước đó.", "This had been recorded before.")
SETTLED = Text("Người khác vừa xử lý thư này.", "Somebody else has just settled this message.")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stored:
    agency_id: str | None
    contact_id: int | None
    channel: str
    files: Sequence[Mapping[str, Any]]
    done: Sequence[Mapping[str, Any]]
    undo: Sequence[Mapping[str, Any]]
    waits: WaitReason | None
    settled_at: datetime | None
    handled: AnswerRead | None

    @property
    def open(self) -> bool:
        """It waits for a person."""
        return self.waits is not None and self.settled_at is None


def record_requests(
    session: Session, message_id: int, requests: Sequence[Request], how: AnswerRead, *, actor: str, now: datetime
) -> tuple[Done, ...]:
    """Do what a message asks, and settle it. Raises BadInput where something is missing or nothing of it is new,
    Conflict if it waits no longer, and what the acts raise."""
    row = _locked(session, message_id)
    if not row.open:
        raise Conflict(SETTLED)
    duties = {d.id: d for d in duties_of(session, [i for each in requests for i in each.ids])}
    for request in requests:
        own = [each for each in request.ids if each in duties and duties[each].agency_id == row.agency_id]
        if not own or len(own) < len(request.ids):
            raise BadInput(NOTHING_CHOSEN)
        if not request.whole:
            raise BadInput(NO_DAY)
    files = [found for each in row.files if (found := file_of(each)) is not None]

    def act() -> list[Done]:
        done: list[Done] = []
        for request in requests:
            done += _done(session, request, [duties[each] for each in request.ids], files, actor=actor, now=now)
        return done

    done, parts = recorded(session, list(duties), act)
    if not done:
        raise BadInput(NOTHING_NEW)
    _settle(session, message_id, row, done, how, actor=actor, now=now, undo=[*row.undo, *parts])
    return tuple(done)


def _done(
    session: Session,
    request: Request,
    duties: Sequence[MessageDuty],
    files: Sequence[ReceivedFile],
    *,
    actor: str,
    now: datetime,
) -> list[Done]:
    if request.ask is not Ask.ATTACH:
        kept = tuple(each.stored.as_entry for each in files if each.stored is not None)
        with_files = kept if request.ask is Ask.DIFFICULTY else ()
        found = perform(session, request, duties, files=with_files, actor=actor, now=now)
        return [found] if found is not None else []
    drafted = {duty: draft_report(session, duty, files, actor=actor, now=now) for duty in duties}
    acts = {duty: act.files for duty, act in drafted.items() if act is not None}
    return [Done.about(MessageAct.DRAFTED, list(acts), files=next(iter(acts.values())))] if acts else []


def put_aside(session: Session, message_id: int, *, actor: str, now: datetime) -> None:
    """Nothing of it is to be recorded."""
    row = _locked(session, message_id)
    if not row.open:
        raise Conflict(SETTLED)
    done = [Done(act=MessageAct.SET_ASIDE)]
    _settle(session, message_id, row, done, AnswerRead.DROPPED, actor=actor, now=now, undo=row.undo)


def _settle(
    session: Session,
    message_id: int,
    row: _Stored,
    done: Sequence[Done],
    how: AnswerRead,
    *,
    actor: str,
    now: datetime,
    undo: Sequence[Mapping[str, Any]],
) -> None:
    """A message that was misread once is counted so, whatever is recorded afterwards."""
    _write(
        session,
        message_id,
        done=[*row.done, *(each.as_entry for each in done)],
        undo=list(undo),
        handled=row.handled if row.handled is AnswerRead.TAKEN_BACK else how,
        settled_at=now,
        settled_by=actor[:96],
    )


def misread(session: Session, message_id: int, *, actor: str, now: datetime) -> tuple[Done, ...]:
    """Take back what a message did, by itself or by a person, and put it to waiting. Returns what it had done; raises
    Conflict where something was built on all of it since, or if it waits already."""
    row = _locked(session, message_id)
    if row.open:
        raise Conflict(SETTLED)
    waits = row.waits or WaitReason.PROPOSED
    back = take_back(session, row.undo, f"misread:{message_id}:{now.isoformat()}", actor=actor, now=now)
    _write(
        session,
        message_id,
        done=[each for each in row.done if set(each["ids"]) & back.left.keys()],
        undo=[each for each in row.undo if each["assignment"] in back.left],
        waits=waits,
        handled=AnswerRead.TAKEN_BACK,
        settled_at=None,
        settled_by="",
    )
    enqueue_message(session, {"message_id": message_id, "agency_id": row.agency_id, "waits": waits, "asks": []}, now)
    return tuple(map(Done.of, row.done))


def _locked(session: Session, message_id: int) -> _Stored:
    m = table(IncomingMessage)
    query = select(*columns_for(_Stored, m)).where(m.c.incoming_id == message_id).with_for_update()
    row = session.connection().execute(query).first()
    if row is None:
        raise NotFound(Text(f"Không có thư đến số {message_id}.", f"There is no incoming message {message_id}."))
    return object_of(_Stored, row)


def _write(session: Session, message_id: int, **values: object) -> None:
    m = table(IncomingMessage)
    session.connection().execute(update(m).where(m.c.incoming_id == message_id).values(**values))


def tell_writer(session: Session, message_id: int, said: Text, now: datetime) -> None:
    """Queue one sentence to the writer of a message, which leaves when the act cannot be undone any more. An answer
    that has not left yet says this instead."""
    m, c, i = table(IncomingMessage), table(Contact), table(Incoming)
    query = select(*columns_for(Recipient, c), m.c.channel).join(m, m.c.contact_id == c.c.id)
    row = session.connection().execute(query.where(m.c.incoming_id == message_id)).first()
    detail = session.connection().scalar(select(i.c.detail).where(i.c.id == message_id))
    if row is None:
        return
    writer = object_of(Recipient, row)
    channel = row.channel if row.channel in CHANNELS else "sms"
    if not writer.address(channel):
        return
    values = {**(detail or {}), "problem": [said.vi, said.en], "done": True, "open": False}
    session.connection().execute(update(i).where(i.c.id == message_id).values(detail=values))
    letter, prefix = table(Letter), f"{ANSWER}{channel}:"
    before = letter.c.key.in_([f"{prefix}{message_id}", *(f"{prefix}{n}:{message_id}" for n in range(2, MAX_TOLD))])
    leaves, leave = now + UNDO_TIME, letter.c.state == LetterState.QUEUED
    number = session.connection().scalar(select(func.count()).where(before)) or 0
    later = update(letter).where(before, leave, letter.c.attempts == 0).values(send_after=leaves)
    if session.connection().execute(later).rowcount or number + 1 >= MAX_TOLD:
        return
    key = f"{prefix}{number + 1}:{message_id}" if number else f"{prefix}{message_id}"
    insert_rows(session, Letter, [{**letter_row(writer, channel, LetterDay.at_once(leaves), now), "key": key}])


MAX_TOLD = 6
"""Letters about one message."""
