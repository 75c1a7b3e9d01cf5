"""What an answer does: e-mails to our mailbox and messages to our number -> lifecycle, one helpful answer, the monitor.

Every message is recorded once, in the transaction that acts on it, so that it may be fetched again after a crash. Who
wrote is verified: an e-mail must come from the mailbox of the contact whose letter's Message-ID it names (nobody else
can know that); an SMS from the number that its code was lent to. A machine's message acts on nothing and is never
answered; nor is an answer to our answer, nor more than one message a person and day: there can be no loop.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select, update
from sqlmodel import Session

from engine.accounts.permissions import Actor, ActorRole, Permission, require
from engine.assignments import lifecycle
from engine.assignments.outbox import NoticeLine, post
from engine.errors import BadInput, DondocError
from engine.rules.calendar import local_date
from engine.store.database import insert_new, table
from engine.store.recipients import read_recipients
from engine.store.records import Assignment, Contact, Incoming, Letter, Notice, Plan
from engine.store.rulebook import read_rulebook
from engine.terms import OPEN_STATES, LetterState, NoticeKind, Role, State, Urgency
from engine.text import Text
from notifications.inbound.message import HELP, Mail, asked
from notifications.letters import reply_codes
from notifications.letters.facts import ANSWER
from notifications.receipts import letter_outcomes
from notifications.sms.incoming import Incoming as Message
from notifications.sms.numbers import e164, masked
from notifications.sms.replies import Acknowledge, Extend, NotUnderstood, Reply, Stop, read_reply

EXCERPT = 200
"""Characters of a message that the monitor's letter quotes, telephone numbers masked; the rest stays in the mailbox."""
A_FEW_WORDS = 120
"""Somebody who acknowledges and writes more than this has something to say besides."""
NO_CODE = Text(
    "Ma so nay khong con dung duoc. Dung ma so o tin nhan moi nhat.", "This code is no longer good; use the newest."
)
ONLY_WAY = Text(
    "Day la cach lien lac duy nhat nen chua ngung.", "This is the only way to reach you, so it was not stopped."
)


class AnswerResult(StrEnum):
    """What became of a message; stored beside it."""

    ACKNOWLEDGED = "acknowledged"
    EXTENSION_ASKED = "extension_asked"
    STOPPED = "stopped"
    ALREADY = "already"
    """It had been done before: nothing to do, nothing to say."""
    REFUSED = "refused"
    """Understood, and not allowed or not possible: answered with the reason."""
    NOT_UNDERSTOOD = "not_understood"
    AUTOMATIC = "automatic"
    BOUNCED = "bounced"
    EARLY = "early"
    STRANGER = "stranger"
    """From nobody we write to: recorded, not answered."""
    NOT_THE_READER = "not_the_reader"
    """Names a letter that went to somebody else: the monitor reads it, nobody is answered."""
    AGAIN = "again"
    """The same message once more."""


def take_mail(session: Session, mail: Mail, secret: str, now: datetime) -> AnswerResult:
    """Act on one e-mail. ``secret`` is that of the return addresses."""
    incoming_id = _record(session, "email", mail.id, now)
    if incoming_id is None:
        return AnswerResult.AGAIN
    letter = letter_outcomes.names(session, mail.names)
    if mail.bounce is not None:
        return _bounced(session, incoming_id, mail, secret, now)
    if mail.automatic or not mail.sender:
        return _close(session, incoming_id, AnswerResult.AUTOMATIC, "automatic", letter=letter)
    to_ours = letter is not None and letter.key.startswith(ANSWER)
    if to_ours:
        letter = _answered_letter(session, letter)
    writer = _by_mailbox(session, mail.sender, letter, now)
    if writer is None and letter is None:
        return _close(session, incoming_id, AnswerResult.STRANGER, "mail")
    message = _Message(incoming_id, "email", mail.text, letter, writer, now, to_ours)
    if writer is None:
        _tell_monitor(session, message)
        return _close(session, incoming_id, AnswerResult.NOT_THE_READER, "mail", letter=letter)
    reply = NotUnderstood(HELP) if letter is None else asked(mail.text, local_date(now))
    return _carry_out(session, message, reply, "mail")


def take_sms(session: Session, gateway: str, sms: Message, now: datetime) -> AnswerResult:
    """Act on one SMS. The sender's number is what the network says."""
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
        message = _Message(incoming_id, "sms", sms.text, None, writers[0], now)
        return _not_done(session, message, AnswerResult.NOT_UNDERSTOOD, reply.answer, "sms")
    lent = reply_codes.find_reply_code(session, [each.id for each in writers], reply.code, now)
    writer = next((each for each in writers if lent is not None and each.id == lent.contact_id), writers[0])
    letter = (
        None
        if lent is None
        else session.connection().execute(select(table(Letter)).where(table(Letter).c.id == lent.letter_id)).first()
    )
    message = _Message(incoming_id, "sms", sms.text, letter, writer, now)
    if lent is None or letter is None:
        return _not_done(session, message, AnswerResult.REFUSED, NO_CODE, "sms")
    if lent.used_at is not None:
        if isinstance(reply, Acknowledge):
            return _close(session, incoming_id, AnswerResult.ALREADY, "sms", letter=letter, contact=writer)
        return _not_done(session, message, AnswerResult.REFUSED, NO_CODE, "sms")
    outcome = _carry_out(session, message, reply, "sms")
    if outcome in (AnswerResult.ACKNOWLEDGED, AnswerResult.EXTENSION_ASKED, AnswerResult.ALREADY):
        reply_codes.mark_used(session, lent.id, now)
    return outcome


# --- Acting ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Message:
    """A recorded message, the letter that it names and the contact who wrote it, each as a row, or None."""

    id: int
    channel: str
    text: str
    letter: Any
    writer: Any
    now: datetime
    to_ours: bool = False
    """It answers an answer of ours."""


def _carry_out(session: Session, message: _Message, reply: Reply, kind: str) -> AnswerResult:
    if isinstance(reply, Acknowledge):

        def one(assignment_id: int, actor: str) -> bool:
            return lifecycle.acknowledge(session, assignment_id, actor=actor, now=message.now)

        outcome = _each(
            session, message, Permission.ACKNOWLEDGE, (State.ASSIGNED,), one, AnswerResult.ACKNOWLEDGED, kind
        )
        if outcome is AnswerResult.ACKNOWLEDGED and len(message.text) > A_FEW_WORDS:
            _tell_monitor(session, message)
        return outcome
    if isinstance(reply, Extend):

        def ask(assignment_id: int, actor: str) -> bool:
            lifecycle.ask_extension(
                session, assignment_id, until=reply.until, reason=reply.reason, actor=actor, now=message.now
            )
            return True

        return _each(session, message, Permission.ASK_EXTENSION, OPEN_STATES, ask, AnswerResult.EXTENSION_ASKED, kind)
    answer = reply.answer if isinstance(reply, NotUnderstood) else None
    return _not_done(session, message, AnswerResult.NOT_UNDERSTOOD, answer, kind)


def _each(
    session: Session,
    message: _Message,
    deed: Permission,
    states: Sequence[State],
    act: Callable[[int, str], bool],
    done: AnswerResult,
    kind: str,
) -> AnswerResult:
    """Do one deed to every assignment of the letter that it can be done to. The acts look before they write, so one
    that is refused leaves nothing behind; if none was possible, the first reason is the answer."""
    writer = message.writer
    actor = Actor("contact", str(writer.id), writer.agency_id, ActorRole.of(writer.role))
    news = 0
    problem: Text | None = None
    for row in _assignments(session, message.letter):
        if row.state not in states:
            continue
        try:
            require(actor, deed, row.agency_id)
            news += act(row.id, actor.name)
        except DondocError as error:
            problem = problem or error.text
    if news:
        return _close(session, message.id, done, kind, letter=message.letter, contact=writer)
    if problem:
        return _not_done(session, message, AnswerResult.REFUSED, problem, kind)
    return _close(session, message.id, AnswerResult.ALREADY, kind, letter=message.letter, contact=writer)


def _stop(session: Session, incoming_id: int, writers: Sequence[Any], text: str, now: datetime) -> AnswerResult:
    """No more SMS to these people, while an e-mail still reaches them: nobody is put out of reach by one word."""
    reachable = [each for each in writers if each.email and "email" not in each.suppressed]
    for each in reachable:
        letter_outcomes.suppress(session, each.id, "sms", "stopped", now, actor=f"contact:{each.id}")
    if reachable:
        return _close(session, incoming_id, AnswerResult.STOPPED, "sms", contact=reachable[0])
    message = _Message(incoming_id, "sms", text, None, writers[0], now)
    return _not_done(session, message, AnswerResult.REFUSED, ONLY_WAY, "sms")


def _not_done(
    session: Session, message: _Message, outcome: AnswerResult, answer: Text | None, kind: str
) -> AnswerResult:
    """Nothing was done: the writer gets one answer, the monitor reads what was written."""
    answered = answer is not None and _answer(session, message, answer)
    _tell_monitor(session, message)
    return _close(session, message.id, outcome, kind, letter=message.letter, contact=message.writer, answered=answered)


def _answer(session: Session, message: _Message, answer: Text) -> bool:
    """One helpful answer, a letter of its own. Not to an answer of ours, and one a person, channel and day."""
    writer, now, m = message.writer, message.now, table(Letter)
    today = local_date(now)
    had = select(m.c.id).where(
        m.c.contact_id == writer.id, m.c.day == today, m.c.channel == message.channel, m.c.key.startswith(ANSWER)
    )
    if message.to_ours or session.connection().scalar(had.limit(1)) is not None:
        return False
    session.connection().execute(
        update(table(Incoming))
        .where(table(Incoming).c.id == message.id)
        .values(detail={"problem": [answer.vi, answer.en]})
    )
    return bool(
        insert_new(
            session,
            Letter,
            [
                {
                    "key": f"{ANSWER}{message.channel}:{message.id}",
                    "contact_id": writer.id,
                    "agency_id": writer.agency_id,
                    "role": writer.role,
                    "channel": message.channel,
                    "day": today,
                    "urgent": False,
                    "send_after": now,
                    "state": LetterState.QUEUED,
                    "created_at": now,
                    "reason": "",
                    "leased_by": "",
                    "attempts": 0,
                    "receipt": "",
                }
            ],
        )
    )


def _tell_monitor(session: Session, message: _Message) -> None:
    """A line with the message's first words, under a duty of the letter that it answers, else of the writer's last."""
    about = _assignments(
        session, message.letter if message.letter is not None else _last_letter(session, message.writer)
    )
    if not about or (message.writer is not None and message.writer.role is Role.MONITOR):
        return
    row, book = next((each for each in about if each.state in OPEN_STATES), about[0]), read_rulebook(session)
    said = masked(" ".join(message.text.split()))
    line = NoticeLine(
        f"incoming:{message.id}",
        row.id,
        row.supervisor_id,
        Role.MONITOR,
        NoticeKind.WROTE,
        book.policy(row.policy_id),
        row.urgency is not Urgency.NORMAL,
        detail={"said": said[:EXCERPT] + ("…" if len(said) > EXCERPT else "")},
    )
    post(session, [line], read_recipients(session, [row.supervisor_id]), book.calendar, message.now)


def _bounced(session: Session, incoming_id: int, mail: Mail, secret: str, now: datetime) -> AnswerResult:
    assert mail.bounce is not None
    told = letter_outcomes.take_bounce(session, mail.bounce, secret, now)
    i = table(Incoming)
    if told.early:
        session.connection().execute(update(i).where(i.c.id == incoming_id).values(detail=dict(told.early)))
    outcome = AnswerResult.EARLY if told.early else AnswerResult.BOUNCED if told.letter_id else AnswerResult.STRANGER
    session.connection().execute(
        update(i).where(i.c.id == incoming_id).values(kind="bounce", outcome=outcome, letter_id=told.letter_id)
    )
    return outcome


# --- Rows -------------------------------------------------------------------------------------------------------------


def _record(session: Session, channel: str, external_id: str, now: datetime) -> int | None:
    """The number of a new message; None for one that came before."""
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
    letter: Any = None,
    contact: Any = None,
    answered: bool = False,
) -> AnswerResult:
    i = table(Incoming)
    session.connection().execute(
        update(i)
        .where(i.c.id == incoming_id)
        .values(
            kind=kind,
            outcome=outcome,
            answered=answered,
            letter_id=letter.id if letter is not None else None,
            contact_id=contact.id if contact is not None else None,
        )
    )
    return outcome


def _by_mailbox(session: Session, mailbox: str, letter: Any, now: datetime) -> Any:
    """The contact who wrote: the reader of the letter that is named, if this is his mailbox; without a letter, whoever
    has it. None for anybody else, and for a reader who no longer answers."""
    c = table(Contact)
    chosen = select(c).where(c.c.email != "").order_by(c.c.id)
    if letter is not None:
        chosen = chosen.where(c.c.id == letter.contact_id)
    else:
        chosen = chosen.where(c.c.email.ilike(mailbox.replace("%", r"\%").replace("_", r"\_"), escape="\\"))
    rows = session.connection().execute(chosen)
    return next((row for row in rows if row.email.lower() == mailbox and _answers_on(row, local_date(now))), None)


def _by_number(session: Session, number: str, now: datetime) -> list[Any]:
    """The contacts who answer today and have this number, however the directory writes it."""
    c, today = table(Contact), local_date(now)
    rows = session.connection().execute(select(c).where(c.c.phone != "").order_by(c.c.id))
    return [row for row in rows if _answers_on(row, today) and _same_number(row.phone, number)]


def _answers_on(contact: Any, today: date) -> bool:
    begun = contact.valid_from is None or contact.valid_from <= today
    return begun and (contact.valid_until is None or today <= contact.valid_until)


def _answered_letter(session: Session, answer: Any) -> Any:
    """The letter that was being answered when we had to explain ourselves; None if it was none."""
    i, m = table(Incoming), table(Letter)
    chosen = select(m).join(i, i.c.letter_id == m.c.id).where(i.c.id == int(answer.key.rpartition(":")[2]))
    return session.connection().execute(chosen).first()


def _same_number(written: str, number: str) -> bool:
    if written[-4:] != number[-4:] and written.replace(" ", "")[-4:] != number[-4:]:
        return False
    try:
        return e164(written) == number
    except BadInput:
        return False


def _assignments(session: Session, letter: Any) -> Sequence[Any]:
    """The assignments that a letter spoke of, in the order of its lines."""
    if letter is None:
        return ()
    n, a, p = table(Notice), table(Assignment), table(Plan)
    chosen = (
        select(a.c.id, a.c.agency_id, a.c.supervisor_id, a.c.state, p.c.policy_id, p.c.urgency)
        .join(n, n.c.assignment_id == a.c.id)
        .join(p, p.c.id == a.c.plan_id)
        .where(n.c.letter_id == letter.id)
        .order_by(n.c.id)
    )
    rows = {row.id: row for row in session.connection().execute(chosen)}
    return tuple(rows.values())


def _last_letter(session: Session, writer: Any) -> Any:
    if writer is None:
        return None
    m = table(Letter)
    chosen = select(m).where(m.c.contact_id == writer.id, ~m.c.key.startswith(ANSWER))
    return session.connection().execute(chosen.order_by(m.c.day.desc(), m.c.id.desc()).limit(1)).first()
