"""Process replies by e-mail and SMS: act through the lifecycle, keep what was written, answer the sender, tell the
monitor.

Every message is recorded once, in the transaction that acts on it, so it may be fetched again after a crash; what a
person wrote is kept beside it, and waits on the page «Thư đến» as long as something of it is open: what is not sure
(``requests``) does nothing before a person says that it was read right.

The sender is verified: an e-mail must come from the mailbox of a contact and prove that it answers a letter to their
agency (``message``); an SMS from the number of the contact that its code was issued to. Automatic messages are neither
acted on nor answered. A reply to our answer is answered only if something was done, and nobody is answered more than
once an hour, so there can be no mail loop.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlmodel import Session

from engine.accounts.rate_limit import Limit, count, enforce_rate_limit
from engine.correspondence.handling import ReceivedFile, draft_report, keep_files
from engine.correspondence.message_acts import ENTRIES, Done, MessageDuty, Request, chosen_duties
from engine.errors import BadInput, TooOften
from engine.rules.calendar import local_date
from engine.store.database import insert_rows, table
from engine.store.recipients import CHANNELS, WHOLE, Recipient
from engine.store.records import Contact, IncomingMessage, Letter
from engine.store.stored_rows import object_of
from engine.store.webhook_outbox import enqueue_message
from engine.terms import Ask, MessageAct, Role, WaitReason
from engine.text import Text
from notifications.email.bounces import Bounce
from notifications.inbound import incoming_rows
from notifications.inbound.message import MAX_TEXT_CHARS, Mail, MailProof, without_tokens
from notifications.inbound.own_words import without_lines_of
from notifications.inbound.performing import (
    ONLY_ACKNOWLEDGED,
    REJECTED,
    Answer,
    AnswerResult,
    Performed,
    Performer,
    Problem,
    answer_by_mail,
    answer_by_sms,
    excerpt,
    notify_monitor,
    send_answer,
)
from notifications.inbound.requests import ReadReply, citations_in, read_requests
from notifications.letters import claiming
from notifications.receipts import letter_outcomes
from notifications.receipts.rerouting import TriedLetter, select_letters
from notifications.sms.replies import (
    NOT_UNDERSTOOD,
    STOP_HOW,
    asks_to_stop,
    candidate_codes,
    quotes_help,
    without_code,
)
from notifications.sms.replies import Incoming as Message

WRONG_CODE, WRONG_CODES = "sms_code", Limit(5, timedelta(hours=1))
"""Codes have four digits, and a sender's number can be forged."""
INVALID_CODE = Text(
    "Ma so nay da het hieu luc. De nghi soan lai voi ma so trong tin nhan moi nhat.",
    "This code is no longer valid; use the newest.",
)
ONLY_WAY = Text(
    "Day la cach lien lac duy nhat nen chua ngung.", "This is the only way to reach you, so it was not stopped."
)
UNPROVEN = Text(
    "Thư trả lời không kèm thư nhắc việc nên chưa làm gì. Hãy trả lời lại, giữ nguyên thư nhắc việc bên dưới, hoặc bấm "
    "liên kết trong thư ấy.",
    "Your reply does not contain the reminder, so nothing was done. Reply again and keep the reminder below your text, "
    "or open the link in it.",
)


@dataclass(frozen=True, kw_only=True)
class _Message:
    """A message of a person. ``letter``: what it answers; ``duties``: what that is about, else what the writer was last
    written about."""

    id: int
    channel: str
    sender: str
    own: str
    now: datetime
    raw: str = ""
    subject: str = ""
    letter: TriedLetter | None = None
    writer: Recipient | None = None
    duties: Sequence[MessageDuty] = ()
    files: Sequence[ReceivedFile] = ()
    replies_to_answer: bool = False

    @property
    def agency_id(self) -> str | None:
        if self.writer is not None:
            return self.writer.agency_id
        return self.letter.agency_id if self.letter is not None else None

    @property
    def whole(self) -> str:
        return self.own or self.subject

    @property
    def own_duties(self) -> list[MessageDuty]:
        return [duty for duty in self.duties if duty.agency_id == self.agency_id]

    @property
    def kept_files(self) -> list[ReceivedFile]:
        return [each for each in self.files if each.stored is not None]

    def about(self, proposed: Sequence[Request]) -> tuple[Request, ...]:
        """With the duties that each is about."""
        return tuple(each.about(self.own_duties, local_date(self.now)) for each in proposed)


@dataclass(frozen=True, kw_only=True)
class _Outcome:
    """What became of a message. ``proposed``: what a person may confirm; ``rest``: its words that were not acted
    upon."""

    result: AnswerResult
    waits: WaitReason | None = None
    performed: Performed = field(default_factory=Performed)
    proposed: Sequence[Request] = ()
    rest: str = ""


# --- e-mail ---------------------------------------------------------------------------------------------------------


def take_mail(
    session: Session, mail: Mail, proof: MailProof, now: datetime, files: Sequence[ReceivedFile] = ()
) -> AnswerResult:
    """Process one e-mail. ``files``: what came with it, stored already."""
    incoming_id = incoming_rows.record(session, "email", mail.id, now)
    if incoming_id is None:
        return AnswerResult.AGAIN
    named = letter_outcomes.find_by_message_ids(session, mail.names)
    if mail.bounce is not None:
        return _bounced(session, incoming_id, mail.bounce, proof.returned_key(mail), now)
    returned = None if mail.harmless else proof.returned(session, mail)
    if (mail.automatic or not mail.sender) and returned is None:
        return _close(session, incoming_id, AnswerResult.AUTOMATIC, "automatic", letter=named)
    proven = proof.letter(session, mail, named, now)
    message = _message_of(session, incoming_id, mail, proven, named or returned, now)
    if message is None:
        return _close(session, incoming_id, AnswerResult.STRANGER, "mail")
    if mail.automatic or not mail.sender:
        unread, waits = AnswerResult.NOT_UNDERSTOOD, WaitReason.NOT_UNDERSTOOD
        return _store(session, message, _Outcome(result=unread, waits=waits, rest=message.whole))
    message = _with_files(session, message, files)
    if message.writer is None or not proof.authenticates(mail):
        return _leave_to_monitor(session, message)
    return _mail_of_contact(session, message, mail, proven=proven is not None, certain=bool(proof.authserv_id))


def _message_of(
    session: Session,
    incoming_id: int,
    mail: Mail,
    proven: TriedLetter | None,
    named: TriedLetter | None,
    now: datetime,
) -> _Message | None:
    """The message of a person, without its files; None if neither its writer nor a letter is known."""
    letter = proven or named
    if incoming_rows.is_answer(letter):
        letter = incoming_rows.original_letter(session, letter) or letter
    writer = incoming_rows.writer_of(session, mail.sender, letter, now)
    if writer is None and letter is None:
        return None
    return _Message(
        id=incoming_id,
        channel="email",
        sender=mail.sender,
        own=_own_text(session, mail, letter),
        raw=mail.text,
        subject=mail.subject,
        now=now,
        letter=letter,
        writer=writer,
        duties=incoming_rows.duties_in(session, letter) or _last_duties(session, writer),
        replies_to_answer=incoming_rows.is_answer(named) or incoming_rows.is_answer(proven),
    )


def keep_failed(session: Session, mail: Mail, now: datetime) -> None:
    """Keep a message that could not be processed, for a person to read; nothing if it was kept before."""
    incoming_id = incoming_rows.record(session, "email", mail.id, now)
    if incoming_id is None:
        return
    writer = incoming_rows.writer_of(session, mail.sender, None, now) if mail.sender else None
    message = _Message(
        id=incoming_id,
        channel="email",
        sender=mail.sender,
        own=mail.own.above,
        raw=mail.text,
        subject=mail.subject,
        now=now,
        writer=writer,
        duties=_last_duties(session, writer),
        files=[ReceivedFile(name=each.name) for each in mail.files],
    )
    _store(session, message, _Outcome(result=AnswerResult.FAILED, waits=WaitReason.FAILED, rest=mail.own.above))


def _own_text(session: Session, mail: Mail, letter: TriedLetter | None) -> str:
    """The writer's own words, also where they stand below the quotation; what a program cut from a quoted line is not
    theirs."""
    if not mail.own.below:
        return mail.own.above
    below = without_lines_of(mail.own.below, incoming_rows.text_of(session, letter))
    return "\n".join(filter(None, (mail.own.above, below)))


def _last_duties(session: Session, writer: Recipient | None) -> Sequence[MessageDuty]:
    return incoming_rows.duties_in(session, incoming_rows.last_letter(session, writer)) if writer is not None else ()


def _with_files(session: Session, message: _Message, files: Sequence[ReceivedFile]) -> _Message:
    if not files or message.agency_id is None:
        return message
    actor = f"contact:{message.writer.id}" if message.writer is not None else "mail"
    return replace(message, files=keep_files(session, files, message.agency_id, actor=actor, now=message.now))


def _mail_of_contact(session: Session, message: _Message, mail: Mail, *, proven: bool, certain: bool) -> AnswerResult:
    assert message.writer is not None
    duties = incoming_rows.duties_in(session, message.letter)
    read = _read(session, replace(message, duties=duties), written_on=mail.written_on(message.now))
    if mail.own.between:
        read = ReadReply(proposed=read.sure or read.proposed, rest=message.own)
    if read.sure and not proven:
        problems = [Problem(AnswerResult.UNPROVEN, UNPROVEN)]
        outcome = _Outcome(
            result=AnswerResult.UNPROVEN,
            waits=WaitReason.UNPROVEN,
            performed=Performed(problems=problems),
            proposed=message.about(read.sure),
            rest=message.own,
        )
        return _finish(session, message, outcome)
    performer = Performer(session=session, writer=message.writer, duties=duties, now=message.now, certain=certain)
    performed = performer.perform(read.sure)
    drafted = _draft(session, message, performer.own, certain=certain and proven)
    if drafted is not None:
        performed.done.append(drafted)
        performed.results.append(AnswerResult.FILED)
    return _finish(session, message, _outcome(message, performed, read))


def _read(
    session: Session,
    message: _Message,
    text: str | None = None,
    *,
    written_on: date | None = None,
    taught: bool = False,
) -> ReadReply:
    due = [duty.due_on for duty in message.own_duties if duty.unfinished and duty.due_on]
    return read_requests(
        message.own if text is None else text,
        written_on or local_date(message.now),
        incoming_rows.names_of(session, message.agency_id) if message.agency_id else (),
        since=max(due, default=None),
        taught=taught,
        files=bool(message.kept_files),
    )


def _draft(session: Session, message: _Message, own: Sequence[MessageDuty], *, certain: bool) -> Done | None:
    """Put the files into the draft of the report of the duty that the message names, or of the only unfinished one.
    Where that is not one, or the sender is not certain, they wait for a person."""
    kept = message.kept_files
    if not kept or not certain or message.writer is None:
        return None
    cited = [each for each in citations_in([message.own, message.subject]) if any(d.citation == each for d in own)]
    try:
        (duty,) = chosen_duties(own, cited)
    except (BadInput, ValueError):
        return None
    return draft_report(session, duty, kept, actor=f"contact:{message.writer.id}", now=message.now)


def _outcome(message: _Message, performed: Performed, read: ReadReply) -> _Outcome:
    drafted = not message.files or _all_drafted(message, performed)
    refused = [each.request for each in performed.problems if each.request is not None]
    proposed = [*refused, *read.proposed]
    if message.kept_files and not drafted:
        cited = citations_in([message.own, message.subject])
        proposed.append(Request(ask=Ask.ATTACH, citations=cited))
    if read.problem is not None:
        performed.problems.append(Problem(AnswerResult.PROPOSED, read.problem))
    waits = _wait_reason(message, performed, read, drafted=drafted)
    result = performed.result
    if not performed.problems and not performed.done and waits is WaitReason.PROPOSED:
        result = AnswerResult.PROPOSED
    if message.files and not read.sure:
        result = AnswerResult.FILED
    return _Outcome(result=result, waits=waits, performed=performed, proposed=message.about(proposed), rest=read.rest)


def _wait_reason(message: _Message, performed: Performed, read: ReadReply, *, drafted: bool) -> WaitReason | None:
    if any(each.answer is ONLY_ACKNOWLEDGED for each in performed.problems):
        return WaitReason.UNAUTHENTICATED
    if any(each.result is not AnswerResult.PROPOSED for each in performed.problems):
        return WaitReason.REFUSED
    if read.proposed or read.problem is not None:
        return WaitReason.PROPOSED
    if not drafted:
        return WaitReason.FILES
    if read.rest and performed.results:
        return WaitReason.LEFT_OVER
    return WaitReason.NOT_UNDERSTOOD if not performed.results else None


def _all_drafted(message: _Message, performed: Performed) -> bool:
    """Every file was kept, and stands in a draft."""
    drafted = any(each.act is MessageAct.DRAFTED for each in performed.done)
    return drafted and all(each.stored is not None for each in message.files)


def _leave_to_monitor(session: Session, message: _Message) -> AnswerResult:
    """Of a mail whose writer is no contact of the agency, or is not certain. Who had the letter is asked, if the
    unknown mailbox is of their own domain."""
    result, waits = AnswerResult.UNAUTHENTICATED, WaitReason.UNAUTHENTICATED
    if message.writer is None:
        result, waits = AnswerResult.NOT_THE_READER, WaitReason.NOT_THE_READER
        reader = (
            incoming_rows.reader_of(session, message.letter, message.sender, message.now) if message.letter else None
        )
        if reader is not None and not message.replies_to_answer:
            asked = _ask_reader(message)
            send_answer(session, message.id, reader, "email", asked, message.now)
    read = _read(session, message)
    proposed = message.about(read.sure or read.proposed)
    return _store(session, message, _Outcome(result=result, waits=waits, proposed=proposed, rest=message.whole))


def _ask_reader(message: _Message) -> Answer:
    said = Text(
        "Hộp thư {mailbox} trả lời thư gửi ông/bà: “{words}”. Hộp thư này chưa có trong danh bạ của cơ quan nên chưa "
        "ghi nhận. Nếu đúng là ý kiến của cơ quan, đề nghị trả lời thư nhắc từ hộp thư này.",
        "{mailbox} answered the letter to you: “{words}”. This mailbox is no contact of your agency, so nothing was "
        "done. If it is what your agency says, answer the reminder from your own mailbox.",
    )
    return Answer(text=said.filled(mailbox=message.sender, words=excerpt(message.whole)), done=False, open=True)


# --- SMS ------------------------------------------------------------------------------------------------------------


def take_sms(session: Session, gateway: str, sms: Message, now: datetime) -> AnswerResult:
    """Process one SMS. The sender's number is the one reported by the network."""
    incoming_id = incoming_rows.record(session, "sms", f"{gateway}:{sms.id}", now)
    if incoming_id is None:
        return AnswerResult.AGAIN
    writers = incoming_rows.by_number(session, sms.sender, now) if sms.answerable else []
    if not writers:
        return _close(session, incoming_id, AnswerResult.STRANGER, "sms")
    text = sms.text[:MAX_TEXT_CHARS]
    message = _Message(id=incoming_id, channel="sms", sender=sms.sender, own=text, raw=text, now=now, writer=writers[0])
    stops = asks_to_stop(sms.text)
    if stops:
        return _stop(session, message, writers)
    if stops is None:
        return _reject(session, message, Problem(AnswerResult.NOT_UNDERSTOOD, STOP_HOW))
    ids = [each.id for each in writers]
    code = _code_in(session, sms, now, lambda each: claiming.find_reply_code(session, ids, each, now))
    if isinstance(code, _Code):
        message = replace(message, writer=next(each for each in writers if each.id == code.row.contact_id))
    return _short_message(session, message, code)


def take_zalo(session: Session, zalo: Message, now: datetime) -> AnswerResult:
    """Process one message to the Official Account. Its writer is whoever has the code that it bears, else the contact
    as whom this account answered before; that proves nobody, so it only acknowledges, and all else waits. Of anyone
    else nothing is kept: citizens write to an Official Account too."""
    incoming_id = incoming_rows.record(session, "zalo", zalo.id, now)
    if incoming_id is None:
        return AnswerResult.AGAIN
    code = _code_in(session, zalo, now, lambda each: claiming.find_unique_code(session, each, now))
    writer = incoming_rows.by_zalo(session, zalo.sender, now)
    if isinstance(code, _Code):
        writer = incoming_rows.valid_contact(session, table(Contact).c.id == code.row.contact_id, now)
    if writer is None:
        return _close(session, incoming_id, AnswerResult.STRANGER, "sms")
    text = zalo.text[:MAX_TEXT_CHARS]
    message = _Message(id=incoming_id, channel="zalo", sender=zalo.sender, own=text, raw=text, now=now, writer=writer)
    return _short_message(session, message, code)


@dataclass(frozen=True, slots=True)
class _Code:
    """The code of a letter, found in a text; ``row``: as ``reply_codes`` has it."""

    code: str
    row: Any


def _code_in(
    session: Session, message: Message, now: datetime, find: Callable[[str], Any]
) -> _Code | AnswerResult | None:
    """The first code in a text that belongs to its writer, wherever it stands. LIMITED after too many wrong ones,
    REFUSED for a wrong one, None without any."""
    candidates = candidate_codes(message.text)
    if not candidates:
        return None
    try:
        enforce_rate_limit(session, WRONG_CODE, {message.sender: WRONG_CODES}, now)
    except TooOften:
        return AnswerResult.LIMITED
    found = next((_Code(each, row) for each in candidates if (row := find(each)) is not None), None)
    if found is None:
        count(session, WRONG_CODE, (message.sender,), now)
    return found or AnswerResult.REFUSED


def _short_message(session: Session, message: _Message, code: _Code | AnswerResult | None) -> AnswerResult:
    """An SMS or Zalo message: with the code of a letter it may act; anything else is at most a proposal about the last
    letter."""
    if isinstance(code, _Code):
        letter = incoming_rows.one_letter(session, select_letters().where(table(Letter).c.id == code.row.letter_id))
        message = replace(message, letter=letter, duties=incoming_rows.duties_in(session, letter))
        read = _read(session, message, without_code(message.own, code.code), taught=True)
        if read.sure:
            return _with_code(session, message, read, code.row)
        return _proposed(session, message, read)
    message = replace(message, duties=_last_duties(session, message.writer))
    wrong = candidate_codes(message.own)[:1]
    read = _read(session, message, without_code(message.own, wrong[0]) if wrong else None, taught=bool(wrong))
    if code is AnswerResult.REFUSED and (read.sure or read.problem):
        return _reject(session, message, Problem(AnswerResult.REFUSED, INVALID_CODE), read)
    read = ReadReply(proposed=read.sure or read.proposed, problem=read.problem, rest=message.own)
    if code is AnswerResult.LIMITED:
        waits = WaitReason.PROPOSED if read.proposed else WaitReason.NOT_UNDERSTOOD
        proposed = message.about(read.proposed)
        return _store(session, message, _Outcome(result=code, waits=waits, proposed=proposed, rest=message.own))
    return _proposed(session, message, read)


def _proposed(session: Session, message: _Message, read: ReadReply) -> AnswerResult:
    ours = quotes_help(message.own)
    if not ours and (read.proposed or read.problem is not None):
        return _finish(session, message, _outcome(message, Performed(), read))
    answer = None if ours else NOT_UNDERSTOOD
    return _reject(session, message, Problem(AnswerResult.NOT_UNDERSTOOD, answer))


def _with_code(session: Session, message: _Message, read: ReadReply, code: Any) -> AnswerResult:
    """Words may follow an acknowledgement, and use no code up."""
    used = code.used_at is not None
    asks = {each.ask for each in read.sure}
    free = asks <= {*ENTRIES, Ask.ANSWER}
    if used and asks == {Ask.ACKNOWLEDGE}:
        return _store(session, message, _Outcome(result=AnswerResult.ALREADY))
    if used and not free:
        return _reject(session, message, Problem(AnswerResult.REFUSED, INVALID_CODE), read)
    assert message.writer is not None
    performer = Performer(
        session=session,
        writer=message.writer,
        duties=message.duties,
        now=message.now,
        certain=message.channel != "zalo",
    )
    performed = performer.perform(read.sure)
    if performed.result not in REJECTED and not free:
        claiming.mark_used(session, code.id, message.now)
    outcome = _outcome(message, performed, read)
    return _finish(session, message, replace(outcome, rest=message.own if performed.problems else ""))


def _stop(session: Session, message: _Message, writers: Sequence[Recipient]) -> AnswerResult:
    """Stop SMS to these contacts, but only to those who can still be reached by e-mail."""
    reachable = [each for each in writers if any(map(each.address, WHOLE))]
    for each in reachable:
        letter_outcomes.suppress(session, each.id, "sms", "stopped", message.now, actor=f"contact:{each.id}")
    if not reachable:
        return _reject(session, message, Problem(AnswerResult.REFUSED, ONLY_WAY))
    performed = Performed(done=[Done(act=MessageAct.STOPPED)], results=[AnswerResult.STOPPED])
    stopped = replace(message, writer=reachable[0])
    return _store(session, stopped, _Outcome(result=AnswerResult.STOPPED, performed=performed))


def _reject(session: Session, message: _Message, problem: Problem, read: ReadReply | None = None) -> AnswerResult:
    """Nothing of an SMS was done."""
    waits = WaitReason.REFUSED if problem.result is AnswerResult.REFUSED else WaitReason.NOT_UNDERSTOOD
    message = replace(message, duties=message.duties or _last_duties(session, message.writer))
    outcome = _Outcome(
        result=problem.result,
        waits=waits,
        performed=Performed(problems=[problem]),
        proposed=message.about(read.sure or read.proposed) if read is not None else (),
        rest=message.own,
    )
    return _finish(session, message, outcome)


# --- what is left ---------------------------------------------------------------------------------------------------


def _finish(session: Session, message: _Message, outcome: _Outcome) -> AnswerResult:
    """Keep a message of a contact, tell the monitor what is open, answer the writer."""
    assert message.writer is not None
    result = _store(session, message, outcome)
    performed = outcome.performed
    if message.channel not in WHOLE:
        answer = answer_by_sms(performed, proposed=outcome.waits is WaitReason.PROPOSED)
    else:
        forwarded = outcome.waits is not None and message.writer.role is not Role.MONITOR
        proposed = outcome.waits is WaitReason.PROPOSED
        answer = answer_by_mail(performed, outcome.rest, message.files, forwarded=forwarded, proposed=proposed)
    if answer is not None and answer.text.vi:
        send_answer(
            session,
            message.id,
            message.writer,
            message.channel if message.channel in CHANNELS else "sms",
            answer,
            message.now,
            replies_to_answer=message.replies_to_answer,
        )
    return result


def _store(session: Session, message: _Message, outcome: _Outcome) -> AnswerResult:
    """Keep a message of a person, and tell the monitor if it waits or files came with it."""
    insert_rows(session, IncomingMessage, [_row(message, outcome)])
    if outcome.waits is not None:
        asks = [each.ask for each in outcome.proposed]
        data = {"message_id": message.id, "agency_id": message.agency_id, "waits": outcome.waits, "asks": asks}
        enqueue_message(session, data, message.now)
    by_monitor = message.writer is not None and message.writer.role is Role.MONITOR
    quiet = by_monitor or outcome.result is AnswerResult.LIMITED
    if (outcome.waits is not None or message.files) and not quiet:
        told = _open_words(outcome) or message.whole
        notify_monitor(session, message.id, message.duties, told, message.now, files=message.files)
    kind = "mail" if message.channel in WHOLE else "sms"
    return _close(session, message.id, outcome.result, kind, letter=message.letter, contact=message.writer)


def _open_words(outcome: _Outcome) -> str:
    """Where something was done, what was not; else "": the whole message is told."""
    if not outcome.performed.results:
        return ""
    return "\n".join(filter(None, [outcome.rest, *(each.words for each in outcome.performed.problems)]))


def _row(message: _Message, outcome: _Outcome) -> dict[str, object]:
    duties = message.duties
    return {
        "incoming_id": message.id,
        "at": message.now,
        "channel": message.channel,
        "letter_id": message.letter.id if message.letter is not None else None,
        "contact_id": message.writer.id if message.writer is not None else None,
        "agency_id": message.agency_id,
        "supervisor_id": duties[0].supervisor_id if duties else None,
        "sender": message.sender[:254],
        "subject": message.subject,
        "own_text": without_tokens(message.own),
        "raw_text": without_tokens(message.raw),
        "rest": outcome.rest,
        "files": [each.as_entry for each in message.files],
        "about": [duty.id for duty in duties],
        "done": [each.as_entry for each in outcome.performed.done],
        "proposed": [each.as_entry for each in outcome.proposed],
        "undo": outcome.performed.parts,
        "waits": outcome.waits,
        "settled_at": None,
        "settled_by": "",
    }


def _close(
    session: Session,
    incoming_id: int,
    result: AnswerResult,
    kind: str,
    *,
    letter: TriedLetter | None = None,
    contact: Recipient | None = None,
) -> AnswerResult:
    incoming_rows.note(
        session,
        incoming_id,
        kind=kind,
        outcome=result,
        letter_id=letter.id if letter is not None else None,
        contact_id=contact.id if contact is not None else None,
    )
    return result


# --- bounces --------------------------------------------------------------------------------------------------------


def _bounced(session: Session, incoming_id: int, bounce: Bounce, key: str, now: datetime) -> AnswerResult:
    """Apply a bounce that the signed return address proves; forward any other that names a letter to the monitor."""
    if not key:
        named = letter_outcomes.find_by_message_ids(session, [bounce.message_id])
        if named is not None:
            notify_monitor(
                session, incoming_id, incoming_rows.duties_in(session, named), _told_by_relay(bounce), now, page=False
            )
        result = AnswerResult.UNPROVEN if named is not None else AnswerResult.STRANGER
        return _close(session, incoming_id, result, "bounce", letter=named)
    effect = letter_outcomes.take_bounce(session, bounce, key, now)
    if effect.odd == letter_outcomes.ELSEWHERE:
        return _bounced_elsewhere(session, incoming_id, bounce, effect.letter_id, now)
    if effect.early:
        incoming_rows.note(session, incoming_id, detail=dict(effect.early))
    result = AnswerResult.EARLY if effect.early else AnswerResult.BOUNCED if effect.letter_id else AnswerResult.STRANGER
    incoming_rows.note(session, incoming_id, kind="bounce", outcome=result, letter_id=effect.letter_id)
    return result


def _bounced_elsewhere(
    session: Session, incoming_id: int, bounce: Bounce, letter_id: int | None, now: datetime
) -> AnswerResult:
    """The copy of a letter failed in a mailbox that it was forwarded to: the monitor is told once a month, since each
    letter to this contact comes back so."""
    row = session.connection().execute(select_letters().where(table(Letter).c.id == letter_id)).one()
    letter = object_of(TriedLetter, row)
    key = f"{letter_outcomes.ELSEWHERE}:{letter.contact_id}:{local_date(now):%Y-%m}"
    duties = incoming_rows.duties_in(session, letter)
    notify_monitor(session, incoming_id, duties, _told_by_relay(bounce), now, key=key, page=False)
    return _close(session, incoming_id, AnswerResult.BOUNCED_ELSEWHERE, "bounce", letter=letter)


def _told_by_relay(bounce: Bounce) -> str:
    return " ".join(filter(None, ("Mail Delivery System:", *bounce.recipients, bounce.status, bounce.diagnostic)))
