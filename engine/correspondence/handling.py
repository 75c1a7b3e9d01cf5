"""What a person does with a message of «Thư đến»: record what it asks, as it was read or otherwise, put it aside; and
the files that came with it, kept as evidence is kept, and put into the draft of the report they belong to.

``receive_file`` runs before the transaction that records the message: it writes bytes, and reads the first page of a
stranger's document in a child process. Nothing is reported by it; a person opens the draft, looks, and sends it.

In the caller's transaction; permissions are the caller's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, update
from sqlmodel import Session

from engine.assignments.outbox import LetterDay, letter_row
from engine.assignments.reports import drafts
from engine.assignments.reports.evidence import FileUnfit, StoredFile, enforce_upload_limit, keep, store
from engine.assignments.undo import UNDO_TIME, recorded, take_back
from engine.correspondence.message_acts import Done, MessageDuty, Request, duties_of, perform
from engine.errors import BadInput, Busy, Conflict, NotFound, TooOften
from engine.limited_process import CallFailed, LimitExceeded, shared_process
from engine.rules.calendar import day_digits
from engine.rules.privacy import PRIVATE_WORDS, Private, looks_private
from engine.store.database import insert_rows, table
from engine.store.recipients import CHANNELS, Recipient
from engine.store.records import Contact, Incoming, IncomingMessage, Letter
from engine.store.stored_rows import columns_for, object_of
from engine.store.webhook_outbox import enqueue_message
from engine.terms import AnswerRead, Ask, LetterState, MessageAct, WaitReason
from engine.text import Text

READ_SECONDS = 5.0
MAX_HEAD_CHARS = 3_000
"""Of a document's text: its number and date stand in its head."""
TOO_LARGE = Text("lớn quá mức nhận", "too large")
NOT_KEPT = Text("chưa lưu được", "it could not be kept")
_NUMBER = re.compile(
    r"\b(?:số|so)\s*:?\s*(?P<number>[0-9]{1,6})\s*/\s*(?P<sign>[A-ZĐ]{2,6}(?:-[A-ZĐ0-9&]{1,20}){0,3})\b", re.I
)
_DATE = re.compile(
    r"\bng[àa]y\s+(?P<day>[0-9]{1,2})\s+th[áa]ng\s+(?P<month>[0-9]{1,2})\s+n[ăa]m\s+(?P<year>20[0-9]{2})\b", re.I
)
_PDF = "application/pdf"
_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedFile:
    """``stored`` is None for a file that is not kept, and ``problem`` says why. ``paper_number`` and ``paper_on``: of
    the signed paper, as its first page has them."""

    name: str
    stored: StoredFile | None = None
    problem: Text | None = None
    paper_number: str = ""
    paper_on: str = ""

    @property
    def as_entry(self) -> dict[str, object]:
        """How an incoming message stores it."""
        if self.stored is None:
            problem = self.problem or NOT_KEPT
            return {"name": self.name, "why": {"vi": problem.vi, "en": problem.en}}
        return {**self.stored.as_entry, "paper_number": self.paper_number, "paper_on": self.paper_on}


def file_of(entry: Mapping[str, object]) -> ReceivedFile | None:
    """The kept file of an entry; None if it was not kept."""
    if "digest" not in entry:
        return None
    stored = StoredFile(str(entry["digest"]), str(entry["name"]), int(str(entry["size"])), str(entry["media_type"]))
    return ReceivedFile(
        name=stored.name,
        stored=stored,
        paper_number=str(entry.get("paper_number", "")),
        paper_on=str(entry.get("paper_on", "")),
    )


def receive_file(folder: Path, name: str, body: bytes | None) -> ReceivedFile:
    """Store a file and read what paper it is. ``body``: None for one that was too large to be fetched."""
    if body is None:
        return ReceivedFile(name=name, problem=TOO_LARGE)
    try:
        if any(each.what is Private.SECRET for each in looks_private(name)):
            vi, en = PRIVATE_WORDS[Private.SECRET]
            raise FileUnfit(Text(f"tên tệp {vi}", f"its name {en}"))
        stored = store(folder, name=name, body=body)
    except BadInput as error:
        return ReceivedFile(name=name, problem=error.text)
    number, on = paper_of(body, stored.media_type)
    return ReceivedFile(name=stored.name, stored=stored, paper_number=number, paper_on=on)


def keep_files(
    session: Session, files: Sequence[ReceivedFile], agency_id: str, *, actor: str, now: datetime
) -> tuple[ReceivedFile, ...]:
    """Record the files as the agency's; those beyond its limit of the hour are not kept."""
    kept: list[ReceivedFile] = []
    for each in files:
        if each.stored is not None:
            try:
                enforce_upload_limit(session, agency_id, now)
            except TooOften as error:
                kept.append(ReceivedFile(name=each.name, problem=error.text))
                continue
            keep(session, each.stored, agency_id=agency_id, actor=actor, now=now)
        kept.append(each)
    return tuple(kept)


def draft_report(
    session: Session, duty: MessageDuty, files: Sequence[ReceivedFile], *, actor: str, now: datetime
) -> Done | None:
    """Put files into the draft of the report of a duty's agency and period, with number and date of the paper where
    the draft has none. None if nothing is new, or if the draft has just been changed by somebody else."""
    saved = drafts.restore(session, duty.agency_id, duty.plan_id, duty.period)
    fields = dict(saved.fields) if saved else {}
    new = _added(fields, f"{drafts.KEPT_PREFIX}{duty.id}", files)
    if not new:
        return None
    paper = next((each for each in new if each.paper_number), None)
    if paper is not None and not fields.get("paper-number"):
        fields |= {"paper-number": paper.paper_number, "paper-on": paper.paper_on}
    seen = saved.saved_at if saved else None
    try:
        drafts.save(session, duty.agency_id, duty.plan_id, duty.period, fields, actor=actor, now=now, seen=seen)
    except (BadInput, Conflict):
        return None
    names = tuple(each.name for each in new)
    return Done.about(MessageAct.DRAFTED, [duty], files=names)


def _added(fields: dict[str, str], name: str, files: Sequence[ReceivedFile]) -> list[ReceivedFile]:
    """Add a line to a field for each kept file that it does not have; the files that were added."""
    lines = fields.get(name, "").splitlines()
    known = {line.partition(" ")[0] for line in lines}
    new = [(each, each.stored) for each in files if each.stored is not None and each.stored.digest not in known]
    fields[name] = "\n".join([*lines, *(drafts.kept_line(stored) for _, stored in new)])
    return [each for each, _ in new]


# --- the signed paper -----------------------------------------------------------------------------------------------


def paper_of(body: bytes, media_type: str) -> tuple[str, str]:
    """Number and date of the paper that a PDF with text or a .docx is, as the report page has them typed; "" for what
    is not found. A picture has neither."""
    if media_type not in (_PDF, _WORD):
        return "", ""
    try:
        head = shared_process("paper").call(READ_SECONDS, head_of, body, media_type)
    except (BadInput, Busy, LimitExceeded, CallFailed):
        return "", ""
    return read_head(head)


def read_head(head: str) -> tuple[str, str]:
    plain = " ".join(head.split())
    number = _NUMBER.search(plain)
    signed = _DATE.search(plain)
    on = ""
    if signed is not None:
        try:
            on = day_digits(date(int(signed["year"]), int(signed["month"]), int(signed["day"])))
        except ValueError:
            on = ""
    return (f"{number['number']}/{number['sign'].upper()}" if number else "", on if number else "")


def head_of(body: bytes, media_type: str) -> str:
    """The first words of a document; called in the other process."""
    if media_type == _PDF:
        import pypdf

        reader = pypdf.PdfReader(BytesIO(body))
        return reader.pages[0].extract_text()[:MAX_HEAD_CHARS] if reader.pages else ""
    import docx

    document = docx.Document(BytesIO(body))
    cells = [cell.text for table in document.tables[:2] for row in table.rows[:6] for cell in row.cells]
    return "\n".join([*cells, *(each.text for each in document.paragraphs[:20])])[:MAX_HEAD_CHARS]


def forget_senders(session: Session) -> int:
    """Remove the mailboxes and numbers of contacts whose own were removed after they left. Returns how many."""
    m, c = table(IncomingMessage), table(Contact)
    gone = select(c.c.id).where(c.c.email == "", c.c.phone == "")
    forgotten = update(m).where(m.c.sender != "", m.c.contact_id.in_(gone)).values(sender="")
    return session.connection().execute(forgotten).rowcount


def blank_settled(session: Session, before: datetime) -> int:
    """Remove the texts of messages that nobody waits for, once they are as old as the texts of letters are kept; what
    was done, and the files, stay. Returns how many."""
    m = table(IncomingMessage)
    settled = m.c.waits.is_(None) | m.c.settled_at.is_not(None)
    blanked = update(m).where(m.c.at < before, settled, (m.c.raw_text != "") | (m.c.own_text != ""))
    values = {"raw_text": "", "own_text": "", "rest": "", "subject": "", "sender": ""}
    return session.connection().execute(blanked.values(**values)).rowcount


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
