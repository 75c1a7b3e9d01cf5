"""Process replies by e-mail and SMS: act through the lifecycle, answer the sender, notify the monitor.

Every message is recorded once, in the transaction that acts on it, so it may be fetched again after a crash. The
sender is verified: an e-mail must come from the mailbox of a contact and prove that it answers a letter to them
(``proof``); an SMS from the number of the contact that its code was issued to. Automatic messages are neither
acted on nor answered. We do not reply to a reply to our answer, and send at most one answer a person, channel and
day, so there can be no mail loop.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, TypeGuard

from sqlalchemy import Select, exists, select, update
from sqlmodel import Session

from engine.accounts.permissions import Actor, ActorRole, Permission, concerned, require
from engine.accounts.rate_limit import Limit, count, enforce_rate_limit
from engine.assignments import lifecycle
from engine.assignments.lifecycle import ReportText
from engine.assignments.measures import is_unfinished
from engine.assignments.outbox import NoticeLine, letter_row, post
from engine.assignments.promise_rows import PromiseText
from engine.assignments.promises import ask_for_day
from engine.assignments.weekly_digest import overdue
from engine.correspondence import entries
from engine.correspondence.entries import NewEntry
from engine.errors import BadInput, DondocError, TooOften
from engine.rules.calendar import local_date
from engine.rules.policy import for_role
from engine.store.database import among, insert_new, table
from engine.store.named_rows import columns_for, object_of, objects
from engine.store.recipients import Recipient, read_recipients
from engine.store.records import Assignment, Contact, Duty, Incoming, Letter, Notice, Plan
from engine.store.rulebook import read_rulebook
from engine.terms import COUNTED_STATES, OPEN_STATES, EntryKind, NoticeKind, Outcome, Role, State, Urgency
from engine.text import Text
from notifications.email.bounces import Bounce
from notifications.inbound.message import HELP, Mail, read_mail_reply
from notifications.inbound.proof import MailProof
from notifications.letters import reply_codes
from notifications.letters.facts import ANSWER
from notifications.receipts import letter_outcomes
from notifications.receipts.rerouting import TriedLetter, select_letters
from notifications.sms.incoming import Incoming as Message
from notifications.sms.numbers import e164, masked
from notifications.sms.replies import Acknowledge, Extend, MailReply, NotUnderstood, NotYet, Said, Say, Stop, read_reply

MAX_EXCERPT_CHARS = 200
"""Characters of a message that the monitor's letter quotes, phone numbers masked; the rest stays in the mailbox."""
MAX_REQUESTS = 3
"""Requests of one mail that are acted on; the rest is forwarded to the monitor."""
WRONG_CODE, WRONG_CODES = "sms_code", Limit(5, timedelta(hours=1))
"""Codes have four digits, and a sender's number can be forged."""
INVALID_CODE = Text(
    "Ma so nay da het hieu luc. De nghi soan lai voi ma so trong tin nhan moi nhat.",
    "This code is no longer valid; use the newest.",
)
NO_SUCH_DUTY = Text("Thu nay khong neu nhiem vu ay.", "This letter does not name that duty.")
WHICH_DUTY = Text(
    "Thư nêu nhiều nhiệm vụ; ghi rõ mục, như: CHUA IV.1.2 30/6 lý do.",
    "The letter names several duties; say which, like: CHUA IV.1.2 30/6 reason.",
)
NOT_ONE_QUESTION = Text(
    "Khong ro tra loi cau hoi nao; hay mo lien ket trong thu.", "It is not clear which question; open the link."
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
FORWARDED = Text("Thư đã được chuyển bộ phận theo dõi.", "The monitoring section will read it.")


class AnswerResult(StrEnum):
    """The result of processing a message; stored with it."""

    ACKNOWLEDGED = "acknowledged"
    EXTENSION_ASKED = "extension_asked"
    """Of a task that was late already it is a promise."""
    REPORTED = "reported"
    """That a task is not done, with the day that is promised."""
    SAID = "said"
    """A difficulty, a question or an answer stands in the thread of an assignment."""
    STOPPED = "stopped"
    ALREADY = "already"
    """It had been done before: nothing to do, not answered."""
    REFUSED = "refused"
    """Understood, but not allowed or not possible: answered with the reason."""
    NOT_UNDERSTOOD = "not_understood"
    AUTOMATIC = "automatic"
    BOUNCED = "bounced"
    BOUNCED_ELSEWHERE = "bounced_elsewhere"
    """The mailbox that failed is not the letter's: forwarded to the monitor."""
    EARLY = "early"
    STRANGER = "stranger"
    """The sender is not a contact: recorded, not answered."""
    NOT_THE_READER = "not_the_reader"
    """It names a letter that was sent to someone else: forwarded to the monitor, not answered."""
    LIMITED = "limited"
    """Too many wrong codes from this number: recorded, neither acted on nor answered."""
    UNPROVEN = "unproven"
    """Nothing in it proves that the writer had the letter: answered, and forwarded to the monitor."""
    UNAUTHENTICATED = "unauthenticated"
    """The relay could not confirm the sender: forwarded to the monitor, not answered."""
    AGAIN = "again"
    """The message was processed before."""


REJECTED = frozenset({AnswerResult.REFUSED, AnswerResult.NOT_UNDERSTOOD})
"""Nothing was done; the writer was answered and the whole message forwarded."""


def take_mail(session: Session, mail: Mail, proof: MailProof, now: datetime) -> AnswerResult:
    """Process one e-mail."""
    incoming_id = _record(session, "email", mail.id, now)
    if incoming_id is None:
        return AnswerResult.AGAIN
    named = letter_outcomes.find_by_message_ids(session, mail.names)
    if mail.bounce is not None:
        return _bounced(session, incoming_id, mail.bounce, proof.returned_key(mail), now)
    if mail.automatic or not mail.sender:
        return _close(session, incoming_id, AnswerResult.AUTOMATIC, "automatic", letter=named)
    proven = proof.letter(session, mail, named, now)
    letter = proven or named
    if _is_answer(letter):
        letter = _original_letter(session, letter)
    writer = _by_mailbox(session, mail.sender, letter, now)
    if writer is None and letter is None:
        return _close(session, incoming_id, AnswerResult.STRANGER, "mail")
    received = _Incoming(id=incoming_id, channel="email", text=mail.text, letter=letter, now=now, files=mail.files)
    if writer is None or not proof.authenticates(mail):
        return _leave_to_monitor(session, received, writer)
    message = received.by(writer, replies_to_answer=_is_answer(named) or _is_answer(proven))
    reply, rest = (NotUnderstood(HELP), "") if letter is None else read_mail_reply(mail.text, local_date(now))
    if proven is None and not isinstance(reply, NotUnderstood):
        return _reject(session, message, AnswerResult.UNPROVEN, UNPROVEN, "mail")
    return _perform_all(session, message, reply, rest)


def _is_answer(letter: TriedLetter | None) -> TypeGuard[TriedLetter]:
    return letter is not None and letter.key.startswith(ANSWER)


def _leave_to_monitor(session: Session, received: _Incoming, writer: Recipient | None) -> AnswerResult:
    """Of a mail whose writer is not the letter's reader, or is not certain."""
    _notify_monitor(session, received, writer)
    result = AnswerResult.NOT_THE_READER if writer is None else AnswerResult.UNAUTHENTICATED
    return _close(session, received.id, result, "mail", letter=received.letter, contact=writer)


def take_sms(session: Session, gateway: str, sms: Message, now: datetime) -> AnswerResult:
    """Process one SMS. The sender's number is the one reported by the network."""
    incoming_id = _record(session, "sms", f"{gateway}:{sms.id}", now)
    if incoming_id is None:
        return AnswerResult.AGAIN
    writers = _by_number(session, sms.sender, now) if sms.answerable else []
    if not writers:
        return _close(session, incoming_id, AnswerResult.STRANGER, "sms")
    reply = read_reply(sms.text, local_date(now))
    if isinstance(reply, Stop):
        return _stop(session, incoming_id, writers, sms.text, now)
    if isinstance(reply, NotUnderstood):
        message = _Message(id=incoming_id, channel="sms", text=sms.text, letter=None, now=now, writer=writers[0])
        return _reject(session, message, AnswerResult.NOT_UNDERSTOOD, reply.answer, "sms")
    try:
        enforce_rate_limit(session, WRONG_CODE, {sms.sender: WRONG_CODES}, now)
    except TooOften:
        return _close(session, incoming_id, AnswerResult.LIMITED, "sms", contact=writers[0])
    reply_code = reply_codes.find_reply_code(session, [each.id for each in writers], reply.code, now)
    letter = None
    if reply_code is not None:
        letter = _letter(session, select_letters().where(table(Letter).c.id == reply_code.letter_id))
        writers = [each for each in writers if each.id == reply_code.contact_id]
    message = _Message(id=incoming_id, channel="sms", text=sms.text, letter=letter, now=now, writer=writers[0])
    if letter is None:
        count(session, WRONG_CODE, (sms.sender,), now)
        return _reject(session, message, AnswerResult.REFUSED, INVALID_CODE, "sms")
    if isinstance(reply, Say):  # words may follow an acknowledgement, and use no code up
        return _perform(session, message, reply, "sms")
    if reply_code.used_at is None:
        outcome = _perform(session, message, reply, "sms")
        if outcome not in REJECTED:
            reply_codes.mark_used(session, reply_code.id, now)
        return outcome
    if isinstance(reply, Acknowledge):
        return _close(session, incoming_id, AnswerResult.ALREADY, "sms", letter=letter, contact=message.writer)
    return _reject(session, message, AnswerResult.REFUSED, INVALID_CODE, "sms")


# --- Actions --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Incoming:
    """A recorded message, and the letter that it names."""

    id: int
    channel: str
    text: str
    letter: TriedLetter | None
    now: datetime
    files: tuple[str, ...] = ()
    """Names of attached files, which are not kept: writer and monitor are told."""

    def by(self, writer: Recipient, *, replies_to_answer: bool) -> _Message:
        own = {field.name: getattr(self, field.name) for field in fields(self)}
        return _Message(**own, writer=writer, replies_to_answer=replies_to_answer)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Message(_Incoming):
    """A message of a contact."""

    writer: Recipient
    replies_to_answer: bool = False
    """True if it replies to an answer of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Assignment:
    """An assignment that a letter is about."""

    id: int
    agency_id: str
    supervisor_id: str
    state: State
    done_on: date | None
    citation: str
    policy_id: str
    urgency: Urgency


def _perform_all(session: Session, message: _Message, reply: MailReply, rest: str) -> AnswerResult:
    """What an e-mail asks, one request after another. What else it says, and a file that came with it, is forwarded to
    the monitor; a refused request has taken the whole message there already."""
    result = _perform(session, message, reply, "mail")
    for _ in range(MAX_REQUESTS - 1):
        if result in REJECTED:
            return result
        reply, left = read_mail_reply(rest, local_date(message.now))
        if isinstance(reply, NotUnderstood) and reply.answer == HELP:
            break
        result, rest = _perform(session, message, reply, "mail"), left
    if result not in REJECTED and (rest or message.files):
        forwarded = _notify_monitor(session, replace(message, text=rest), message.writer)
        if message.files and _answer(session, message, None, forwarded=forwarded):
            _note(session, message.id, answered=True)
    return result


def _perform(session: Session, message: _Message, reply: MailReply, kind: str) -> AnswerResult:
    if isinstance(reply, Acknowledge):

        def acknowledge(assignment_id: int, actor: str) -> bool:
            return lifecycle.acknowledge(session, assignment_id, actor=actor, now=message.now)

        return _apply_to_assignments(
            session, message, Permission.ACKNOWLEDGE, (State.ASSIGNED,), acknowledge, AnswerResult.ACKNOWLEDGED, kind
        )
    if isinstance(reply, Extend):

        def ask_extension(assignment_id: int, actor: str) -> bool:
            text = PromiseText(on=reply.until, reason=reply.reason)
            ask_for_day(session, assignment_id, text, actor=actor, now=message.now)
            return True

        return _apply_to_assignments(
            session,
            message,
            Permission.ASK_EXTENSION,
            COUNTED_STATES,
            ask_extension,
            AnswerResult.EXTENSION_ASKED,
            kind,
        )
    if isinstance(reply, NotYet):
        return _report_not_yet(session, message, reply, kind)
    if isinstance(reply, Say):
        return _say(session, message, reply, kind)
    answer = reply.answer if isinstance(reply, NotUnderstood) else None
    return _reject(session, message, AnswerResult.NOT_UNDERSTOOD, answer, kind)


def _apply_to_assignments(
    session: Session,
    message: _Message,
    permission: Permission,
    states: Sequence[State],
    action: Callable[[int, str], bool],
    done: AnswerResult,
    kind: str,
) -> AnswerResult:
    """Apply an action to every assignment of the letter that the writer's agency owns and whose state allows it.
    Actions check before they write, so a refused one changes nothing; if none was possible, the first reason is the
    answer."""
    writer = message.writer
    actor = Actor("contact", str(writer.id), writer.agency_id, ActorRole.of(writer.role))
    changed = 0
    own = [row for row in _assignments(session, message.letter) if row.agency_id == writer.agency_id]
    problem = None if own or done is AnswerResult.ACKNOWLEDGED else NO_SUCH_DUTY
    for row in own:
        if row.state not in states or row.done_on is not None:
            continue
        try:
            require(actor, permission, row.agency_id)
            changed += action(row.id, actor.name)
        except DondocError as error:
            problem = problem or error.text
    if changed:
        return _close(session, message.id, done, kind, letter=message.letter, contact=writer)
    if problem:
        return _reject(session, message, AnswerResult.REFUSED, problem, kind)
    return _close(session, message.id, AnswerResult.ALREADY, kind, letter=message.letter, contact=writer)


def _report_not_yet(session: Session, message: _Message, reply: NotYet, kind: str) -> AnswerResult:
    """Report that a task of the letter is not done, with the promise: that with the citation, else the only one that is
    owed. A reply that names none of several reports nothing."""
    writer = message.writer
    actor = Actor("contact", str(writer.id), writer.agency_id, ActorRole.of(writer.role))
    own = [
        row
        for row in _assignments(session, message.letter)
        if row.agency_id == writer.agency_id and is_unfinished(row.state, row.done_on)
    ]
    named = [row for row in own if reply.citation in ("", row.citation)]
    try:
        if not named:
            raise BadInput(NO_SUCH_DUTY)
        if len(named) > 1:
            raise BadInput(WHICH_DUTY)
        require(actor, Permission.REPORT, named[0].agency_id)
        promise = PromiseText(on=reply.until)
        text = ReportText(outcome=Outcome.NOT_YET, reason=reply.reason, promise=promise)
        lifecycle.report(session, named[0].id, text, actor=actor.name, now=message.now)
    except DondocError as error:
        return _reject(session, message, AnswerResult.REFUSED, error.text, kind)
    return _close(session, message.id, AnswerResult.REPORTED, kind, letter=message.letter, contact=writer)


def _say(session: Session, message: _Message, reply: Say, kind: str) -> AnswerResult:
    """Write into the thread of an assignment of the letter: that with the citation, else the first open one; if the
    letter names several, the entry is about the plan as a whole. An answer goes to the only question of the letter that
    waits for the writer's side."""
    writer = message.writer
    actor = Actor("contact", str(writer.id), writer.agency_id, ActorRole.of(writer.role))
    rows = [row for row in _assignments(session, message.letter) if reply.citation in ("", row.citation)]
    try:
        if reply.what is Said.ANSWER:
            changed = _answer_entry(session, rows, reply, actor, message.now)
        else:
            own = [row for row in rows if row.agency_id == writer.agency_id]
            row = next((each for each in own if each.state in OPEN_STATES), next(iter(own), None))
            if row is None:
                raise BadInput(NO_SUCH_DUTY)
            require(actor, Permission.RAISE, row.agency_id)
            entry = NewEntry(
                EntryKind.DIFFICULTY if reply.what is Said.DIFFICULTY else EntryKind.QUESTION, reply.text, len(own) > 1
            )
            changed = entries.write(session, row.id, entry, actor=actor.name, now=message.now)
    except DondocError as error:
        return _reject(session, message, AnswerResult.REFUSED, error.text, kind)
    result = AnswerResult.SAID if changed else AnswerResult.ALREADY
    return _close(session, message.id, result, kind, letter=message.letter, contact=writer)


def _answer_entry(session: Session, rows: Sequence[_Assignment], reply: Say, actor: Actor, now: datetime) -> bool:
    by_owner = {row.id: row.agency_id == actor.agency_id for row in rows}
    waiting = [
        (entry_id, assignment_id)
        for of_owner in (True, False)
        for entry_id, assignment_id in entries.waiting_in(session, list(by_owner), of_owner=of_owner)
        if by_owner[assignment_id] is not of_owner
    ]
    if len(waiting) != 1:
        raise BadInput(NOT_ONE_QUESTION)
    entry_id, assignment_id = waiting[0]
    row = next(each for each in rows if each.id == assignment_id)
    permission = Permission.RAISE if by_owner[assignment_id] else Permission.ANSWER
    require(actor, permission, concerned(permission, row.agency_id, row.supervisor_id))
    return entries.answer(session, entry_id, reply.text, agency_id=actor.agency_id, actor=actor.name, now=now)


def _stop(session: Session, incoming_id: int, writers: Sequence[Recipient], text: str, now: datetime) -> AnswerResult:
    """Stop SMS to these contacts, but only to those who can still be reached by e-mail."""
    reachable = [each for each in writers if each.email and "email" not in each.suppressed]
    for each in reachable:
        letter_outcomes.suppress(session, each.id, "sms", "stopped", now, actor=f"contact:{each.id}")
    if reachable:
        return _close(session, incoming_id, AnswerResult.STOPPED, "sms", contact=reachable[0])
    message = _Message(id=incoming_id, channel="sms", text=text, letter=None, now=now, writer=writers[0])
    return _reject(session, message, AnswerResult.REFUSED, ONLY_WAY, "sms")


def _reject(session: Session, message: _Message, outcome: AnswerResult, answer: Text | None, kind: str) -> AnswerResult:
    """Nothing was done: answer the writer and forward the message to the monitor."""
    forwarded = _notify_monitor(session, message, message.writer)
    answered = answer is not None and _answer(session, message, answer, forwarded=forwarded)
    return _close(
        session,
        message.id,
        outcome,
        kind,
        letter=message.letter,
        contact=message.writer,
        answered=answered,
    )


def _answer(session: Session, message: _Message, answer: Text | None, *, forwarded: bool) -> bool:
    """Queue an answer as a letter of its own: why nothing was done (None: it was), that attached files are not kept,
    and whether the monitor reads the message. False if the message replies to an answer of ours or the writer has had
    one on this channel today."""
    writer, now, m = message.writer, message.now, table(Letter)
    today = local_date(now)
    earlier_answer = select(m.c.id).where(
        m.c.contact_id == writer.id,
        m.c.day == today,
        m.c.channel == message.channel,
        m.c.key.startswith(ANSWER),
    )
    if message.replies_to_answer or session.connection().scalar(earlier_answer.limit(1)) is not None:
        return False
    said = [
        answer,
        _not_kept(message.files),
        FORWARDED if forwarded and message.channel == "email" else None,
    ]
    sentences = [each for each in said if each is not None]
    problem = [" ".join(each.vi for each in sentences), " ".join(each.en for each in sentences)]
    _note(session, message.id, detail={"problem": problem, "done": answer is None})
    row = letter_row(writer, message.channel, today, now, now)
    return bool(insert_new(session, Letter, [{**row, "key": f"{ANSWER}{message.channel}:{message.id}"}]))


def _not_kept(files: Sequence[str]) -> Text | None:
    if not files:
        return None
    vi, en = (", ".join(f"{left}{each}{right}" for each in files) for left, right in ("«»", "“”"))
    return Text(
        f"Tệp gửi kèm ({vi}) chưa được lưu; đề nghị gửi tệp ở trang báo cáo, theo liên kết trong thư.",
        f"What was attached ({en}) has not been stored; hand it in on the report page, by the link in the letter.",
    )


def _notify_monitor(session: Session, message: _Incoming, writer: Recipient | None, key: str = "") -> bool:
    """Notify the monitor with an excerpt of the message, about an assignment of the letter that it answers, else of
    the writer's last letter; once a ``key`` (empty: each message). False if no monitor is told: the writer is it, no
    assignment is known, nobody can be reached."""
    assignments = _assignments(session, message.letter) or _assignments(session, _last_letter(session, writer))
    if not assignments or (writer is not None and writer.role is Role.MONITOR):
        return False
    row, book = (
        next((each for each in assignments if each.state in OPEN_STATES), assignments[0]),
        read_rulebook(session),
    )
    excerpt = masked(" ".join(message.text.split()))
    line = NoticeLine(
        effect=key or f"incoming:{message.id}",
        assignment_id=row.id,
        agency_id=row.supervisor_id,
        role=Role.MONITOR,
        kind=NoticeKind.WROTE,
        policy=book.policy(row.policy_id),
        urgent=row.urgency is not Urgency.NORMAL,
        detail={
            "said": excerpt[:MAX_EXCERPT_CHARS] + ("…" if len(excerpt) > MAX_EXCERPT_CHARS else ""),
            "attached": [masked(each) for each in message.files],
        },
    )
    return post(session, [line], read_recipients(session, [row.supervisor_id]), book.calendar, message.now).notices > 0


def _bounced(session: Session, incoming_id: int, bounce: Bounce, key: str, now: datetime) -> AnswerResult:
    """Apply a bounce that the signed return address proves; forward any other that names a letter to the monitor."""
    if not key:
        named = letter_outcomes.find_by_message_ids(session, [bounce.message_id])
        if named is not None:
            received = _Incoming(id=incoming_id, channel="email", text=_told_by_relay(bounce), letter=named, now=now)
            _notify_monitor(session, received, None)
        result = AnswerResult.UNPROVEN if named is not None else AnswerResult.STRANGER
        return _close(session, incoming_id, result, "bounce", letter=named)
    effect = letter_outcomes.take_bounce(session, bounce, key, now)
    if effect.odd == letter_outcomes.ELSEWHERE:
        return _bounced_elsewhere(session, incoming_id, bounce, effect.letter_id, now)
    if effect.early:
        _note(session, incoming_id, detail=dict(effect.early))
    outcome = (
        AnswerResult.EARLY if effect.early else AnswerResult.BOUNCED if effect.letter_id else AnswerResult.STRANGER
    )
    _note(session, incoming_id, kind="bounce", outcome=outcome, letter_id=effect.letter_id)
    return outcome


def _bounced_elsewhere(
    session: Session, incoming_id: int, bounce: Bounce, letter_id: int | None, now: datetime
) -> AnswerResult:
    """The copy of a letter failed in a mailbox that it was forwarded to: the monitor is told once a month, since each
    letter to this contact comes back so."""
    row = session.connection().execute(select_letters().where(table(Letter).c.id == letter_id)).one()
    letter = object_of(TriedLetter, row)
    message = _Incoming(id=incoming_id, channel="email", text=_told_by_relay(bounce), letter=letter, now=now)
    _notify_monitor(session, message, None, f"{letter_outcomes.ELSEWHERE}:{letter.contact_id}:{local_date(now):%Y-%m}")
    return _close(session, incoming_id, AnswerResult.BOUNCED_ELSEWHERE, "bounce", letter=letter)


def _told_by_relay(bounce: Bounce) -> str:
    return " ".join(filter(None, ("Mail Delivery System:", *bounce.recipients, bounce.status, bounce.diagnostic)))


# --- Rows -----------------------------------------------------------------------------------------------------------


def _record(session: Session, channel: str, external_id: str, now: datetime) -> int | None:
    """The id of a new message; None if it was recorded before."""
    row = {
        "channel": channel,
        "external_id": external_id[:255],
        "at": now,
        "kind": "",
        "outcome": "",
        "answered": False,
        "detail": {},
    }
    if not insert_new(session, Incoming, [row]):
        return None
    i = table(Incoming)
    return int(
        session.connection()
        .scalars(select(i.c.id).where(i.c.channel == channel, i.c.external_id == external_id[:255]))
        .one()
    )


def _close(
    session: Session,
    incoming_id: int,
    outcome: AnswerResult,
    kind: str,
    *,
    letter: TriedLetter | None = None,
    contact: Recipient | None = None,
    answered: bool = False,
) -> AnswerResult:
    _note(
        session,
        incoming_id,
        kind=kind,
        outcome=outcome,
        answered=answered,
        letter_id=letter.id if letter is not None else None,
        contact_id=contact.id if contact is not None else None,
    )
    return outcome


def _note(session: Session, incoming_id: int, **values: object) -> None:
    """Write columns of a recorded message."""
    i = table(Incoming)
    session.connection().execute(update(i).where(i.c.id == incoming_id).values(**values))


def _by_mailbox(session: Session, mailbox: str, letter: TriedLetter | None, now: datetime) -> Recipient | None:
    """The contact who wrote: with a letter, its recipient if this is their mailbox; without one, the contact with this
    mailbox. None for anyone else, and for a contact whose dates of validity have passed."""
    c = table(Contact)
    query = select(*columns_for(Recipient, c)).where(c.c.email != "", ~c.c.proposed).order_by(c.c.id)
    if letter is not None:
        query = query.where(c.c.id == letter.contact_id)
    else:
        query = query.where(c.c.email.ilike(mailbox.replace("%", r"\%").replace("_", r"\_"), escape="\\"))
    found = objects(Recipient, session.connection().execute(query))
    today = local_date(now)
    return next((each for each in found if each.email.lower() == mailbox and each.answers_on(today)), None)


def _by_number(session: Session, number: str, now: datetime) -> list[Recipient]:
    """The contacts valid today with this number, in whatever notation the directory has it."""
    c, today = table(Contact), local_date(now)
    query = select(*columns_for(Recipient, c)).where(c.c.phone != "").order_by(c.c.id)
    found = objects(Recipient, session.connection().execute(query))
    return [each for each in found if each.answers_on(today) and _same_number(each.phone, number)]


def _letter(session: Session, query: Select[*tuple[Any, ...]]) -> TriedLetter | None:
    row = session.connection().execute(query.limit(1)).first()
    return None if row is None else object_of(TriedLetter, row)


def _original_letter(session: Session, answer: TriedLetter) -> TriedLetter | None:
    """The letter that was replied to by the message which our ``answer`` answers; None if there is none."""
    i, m = table(Incoming), table(Letter)
    query = select_letters().join(i, i.c.letter_id == m.c.id).where(i.c.id == int(answer.key.rpartition(":")[2]))
    return _letter(session, query)


def _same_number(written: str, number: str) -> bool:
    if written[-4:] != number[-4:] and written.replace(" ", "")[-4:] != number[-4:]:
        return False
    try:
        return e164(written) == number
    except BadInput:
        return False


def _assignments(session: Session, letter: TriedLetter | None) -> Sequence[_Assignment]:
    """The assignments that a letter is about, in the order of its lines: those of its notices, then those that its
    weekly digest lists and that are still unfinished."""
    if letter is None:
        return ()
    n, a, d, p = table(Notice), table(Assignment), table(Duty), table(Plan)
    notices = select(n.c.assignment_id).where(n.c.letter_id == letter.id).order_by(n.c.id)
    ids = [*session.connection().scalars(notices), *_in_digest(session, letter)]
    query = (
        select(
            a.c.id, a.c.agency_id, a.c.supervisor_id, a.c.state, a.c.done_on, d.c.citation, p.c.policy_id, p.c.urgency
        )
        .join(d, d.c.id == a.c.duty_id)
        .join(p, p.c.id == a.c.plan_id)
        .where(among(session, a.c.id, ids))
    )
    rows = {row.id: row for row in objects(_Assignment, session.connection().execute(query))} if ids else {}
    return tuple(rows[each] for each in dict.fromkeys(ids))


def _in_digest(session: Session, letter: TriedLetter) -> list[int]:
    """What the weekly digest of a letter lists for its reader's agency, worst first."""
    if letter.digest_week is None:
        return []
    owners: set[str] = set()
    monitors: set[str] = set()
    leaders: set[str] = set()
    for_role(letter.role, owner=owners, supervisor=monitors, issuer=leaders).add(letter.agency_id)
    rows = overdue(session, letter.day, agencies=owners, supervisors=monitors, issuers=leaders)
    return [row.assignment_id for row in rows]


def _last_letter(session: Session, writer: Recipient | None) -> TriedLetter | None:
    """The writer's last letter that is about assignments."""
    if writer is None:
        return None
    m = table(Letter)
    query = select_letters().where(m.c.contact_id == writer.id, ~m.c.key.startswith(ANSWER))
    query = query.where(m.c.digest_week.is_not(None) | exists().where(table(Notice).c.letter_id == m.c.id))
    return _letter(session, query.order_by(m.c.day.desc(), m.c.id.desc()))
