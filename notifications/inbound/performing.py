"""Does what a message asks, request by request, for the contact who wrote it; and what is said about it: to its writer
in one letter, and to the monitor in the letter of the day.

The result of processing a message.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import func, select
from sqlmodel import Session

from engine.accounts.permissions import Acting, Actor, ActorRole, Permission, concerned, require
from engine.assignments.outbox import LetterDay, NoticeLine, letter_row, post
from engine.assignments.undo import recorded
from engine.correspondence import entries
from engine.correspondence.handling import ANSWER, ReceivedFile
from engine.correspondence.message_acts import DAYS, Done, MessageDuty, Request, duties_for, perform
from engine.enums import complete
from engine.errors import BadInput, DondocError
from engine.rules.calendar import day_digits, local_date
from engine.rules.situation import lacks_report
from engine.store.database import insert_new, table
from engine.store.recipients import Recipient, read_recipients
from engine.store.records import Letter
from engine.store.rulebook import read_rulebook
from engine.terms import Ask, MessageAct, NoticeKind, Role
from engine.text import Text
from engine.views.event_sentences import all_done
from notifications.inbound.incoming_rows import note
from notifications.sms.gateway import masked


class AnswerResult(StrEnum):
    """Stored with the message."""

    ACKNOWLEDGED = "acknowledged"
    EXTENSION_ASKED = "extension_asked"
    """Of a task that was late already it is a promise."""
    REPORTED = "reported"
    """That a task is not done, with the day that is promised."""
    DECLINED = "declined"
    """A duty is not the agency's; the department above decides."""
    SAID = "said"
    """A difficulty, a question or an answer stands in the thread of an assignment."""
    FILED = "filed"
    """A file was kept, and nothing else was asked."""
    STOPPED = "stopped"
    ALREADY = "already"
    """It had been done before."""
    REFUSED = "refused"
    """Understood, but not allowed or not possible: answered with the reason."""
    NOT_UNDERSTOOD = "not_understood"
    PROPOSED = "proposed"
    """Something was read that is not sure: nothing is done before a person confirms it."""
    AUTOMATIC = "automatic"
    BOUNCED = "bounced"
    BOUNCED_ELSEWHERE = "bounced_elsewhere"
    """The mailbox that failed is not the letter's: forwarded to the monitor."""
    EARLY = "early"
    STRANGER = "stranger"
    """The sender is not a contact: recorded, not answered."""
    NOT_THE_READER = "not_the_reader"
    """It names a letter that was sent to another agency, or comes from an unknown mailbox: it waits for the monitor."""
    LIMITED = "limited"
    """Too many wrong codes from this number: recorded, neither acted on nor answered."""
    UNPROVEN = "unproven"
    """Nothing in it proves that the writer had the letter: answered, and it waits for the monitor."""
    UNAUTHENTICATED = "unauthenticated"
    """The relay could not confirm the sender: it waits for the monitor, not answered."""
    FAILED = "failed"
    """The system stumbled over it; it waits for a person."""
    AGAIN = "again"
    """The message was processed before."""


REJECTED = frozenset({AnswerResult.REFUSED, AnswerResult.NOT_UNDERSTOOD, AnswerResult.PROPOSED})
"""Something of it was not done: the writer was told, and it waits for the monitor."""


MAX_REQUESTS = 10
"""Requests of one message that are acted on; the rest is left to the monitor."""
NOT_ONE_QUESTION = Text(
    "Không rõ trả lời câu hỏi nào; đề nghị mở liên kết trong thư.",
    "It is not clear which question; open the link.",
)
ONLY_ACKNOWLEDGED = Text(
    "Hệ thống chỉ tự ghi nhận việc xác nhận đã nhận; nội dung khác chờ bộ phận theo dõi xem.",
    "Only an acknowledgement acts by itself here; anything else waits for the monitoring section.",
)
"""Where senders are not authenticated: mail of such an office, and Zalo."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a ``request`` was not carried out, and its ``words`` ("" for the whole message). ``result``: refused or not
    understood. No ``answer``: nobody is to be told."""

    result: AnswerResult
    answer: Text | None
    words: str = ""
    request: Request | None = None


@dataclass
class Performed:
    """What became of the requests of a message. ``results``: of those that were carried out; ``parts``: how to take
    back what was done."""

    done: list[Done] = field(default_factory=list)
    results: list[AnswerResult] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    parts: list[dict[str, object]] = field(default_factory=list)

    @property
    def result(self) -> AnswerResult:
        """Of the message as a whole: its first problem, else what was done last."""
        if self.problems:
            return self.problems[0].result
        return self.results[-1] if self.results else AnswerResult.NOT_UNDERSTOOD


RESULTS: Mapping[Ask, tuple[AnswerResult, Permission]] = complete(
    Ask,
    {
        Ask.ACKNOWLEDGE: (AnswerResult.ACKNOWLEDGED, Permission.ACKNOWLEDGE),
        Ask.DAY: (AnswerResult.EXTENSION_ASKED, Permission.ASK_EXTENSION),
        Ask.NOT_YET: (AnswerResult.REPORTED, Permission.REPORT),
        Ask.DECLINE: (AnswerResult.DECLINED, Permission.DECLINE),
        Ask.DIFFICULTY: (AnswerResult.SAID, Permission.RAISE),
        Ask.QUESTION: (AnswerResult.SAID, Permission.RAISE),
        Ask.ANSWER: (AnswerResult.SAID, Permission.RAISE),
        Ask.ATTACH: (AnswerResult.FILED, Permission.REPORT),
    },
)
"""What a request that was carried out is called, and what the writer has to be allowed to do."""


@dataclass(frozen=True, kw_only=True)
class Performer:
    """``duties``: all that the letter names. ``certain``: the sender was authenticated; only then anything but an
    acknowledgement acts."""

    session: Session
    writer: Recipient
    duties: Sequence[MessageDuty]
    now: datetime
    certain: bool = True

    @property
    def actor(self) -> Actor:
        return Actor("contact", str(self.writer.id), self.writer.agency_id, ActorRole.of(self.writer.role))

    @property
    def _by(self) -> Acting:
        return {"actor": self.actor.name, "now": self.now}

    @property
    def own(self) -> list[MessageDuty]:
        """The duties that the writer's agency owes."""
        return [duty for duty in self.duties if duty.agency_id == self.writer.agency_id]

    def perform(self, requests: Sequence[Request]) -> Performed:
        if not requests:
            return Performed()
        ids = [duty.id for duty in self.duties]
        performed, parts = recorded(self.session, ids, lambda: self._perform(requests))
        return replace(performed, parts=parts)

    def _perform(self, requests: Sequence[Request]) -> Performed:
        performed = Performed()
        for request in [one for each in requests[:MAX_REQUESTS] for one in _by_duty(each)]:
            try:
                if not self.certain and request.ask is not Ask.ACKNOWLEDGE:
                    raise BadInput(ONLY_ACKNOWLEDGED)
                done = self._one(request)
            except DondocError as error:
                performed.problems.append(Problem(AnswerResult.REFUSED, error.text, words_of(request), request))
                continue
            performed.results.append(RESULTS[request.ask][0] if done is not None else AnswerResult.ALREADY)
            performed.done += [done] if done is not None else []
        for request in requests[MAX_REQUESTS:]:
            performed.problems.append(Problem(AnswerResult.REFUSED, None, words_of(request), request))
        return performed

    def _one(self, request: Request) -> Done | None:
        if request.ask is Ask.ANSWER:
            return self._answer(request)
        require(self.actor, RESULTS[request.ask][1], self.writer.agency_id)
        chosen = duties_for(request, self.own, local_date(self.now))
        return perform(self.session, request, chosen, **self._by)

    def _answer(self, said: Request) -> Done | None:
        """To the only question of the letter that waits for the writer's side."""
        named = [duty for duty in self.duties if not said.citations or duty.citation in said.citations]
        rows = {duty.id: duty for duty in named}
        waiting = [
            (entry_id, rows[assignment_id])
            for of_owner in (True, False)
            for entry_id, assignment_id in entries.waiting_in(self.session, list(rows), of_owner=of_owner)
            if (rows[assignment_id].agency_id == self.actor.agency_id) is not of_owner
        ]
        if len(waiting) != 1:
            raise BadInput(NOT_ONE_QUESTION)
        entry_id, duty = waiting[0]
        permission = Permission.RAISE if duty.agency_id == self.actor.agency_id else Permission.ANSWER
        require(self.actor, permission, concerned(permission, duty.agency_id, duty.supervisor_id))
        if not entries.answer(self.session, entry_id, said.text, agency_id=self.actor.agency_id, **self._by):
            return None
        return Done.about(MessageAct.ANSWERED, [duty])


def _by_duty(request: Request) -> Sequence[Request]:
    """A request of several duties as one of each, since each may be refused, or become something else."""
    if request.ask in (*DAYS, Ask.DECLINE) and request.citations:
        return [replace(request, citations=(citation,)) for citation in request.citations]
    return [request]


def words_of(request: Request) -> str:
    """What a request says, for a person to read."""
    if request.ask is Ask.ACKNOWLEDGE:
        return f"{request.count} nhiệm vụ" if request.count else ""
    day = f"{day_digits(request.on)}: " if request.on else ""
    return " ".join((*(request.citations if day else ()), f"{day}{request.text}"))


MAX_EXCERPT_CHARS = 200
"""Characters of a message that a letter quotes, phone numbers masked; the page shows it whole."""
ANSWER_INTERVAL = timedelta(hours=1)
MAX_ANSWERS = 6
"""Letters of this kind to one person on one channel within a day."""
MAX_EMPTY_ANSWERS = 2
"""Of those that only say that nothing was done: a program may be answering us that says nowhere that it is one."""
FORWARDED = Text("Thư đã được chuyển bộ phận theo dõi.", "The monitoring section will read it.")
HELP = Text(
    "Hệ thống chưa nhận biết được nội dung trả lời nên chưa ghi nhận.",
    "Your reply was not understood, so nothing was done.",
)
PROPOSED = Text(
    "Đã nhận được thư trả lời; nội dung được ghi nhận sau khi bộ phận theo dõi xem.",
    "Your reply was received; what it says is recorded once the monitoring section has seen it.",
)
PROPOSED_SMS = Text.same("Da nhan tin nhan. Noi dung duoc ghi nhan sau khi bo phan theo doi xem.")
ALREADY = Text("Nội dung này đã được ghi nhận trước đó.", "This had been recorded before.")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the writer is told. ``done``: something was done; ``open``: something was not."""

    text: Text
    done: bool
    open: bool


def excerpt(text: str) -> str:
    """The beginning of a text on one line, as a letter quotes it."""
    line = masked(" ".join(text.split()))
    return line[:MAX_EXCERPT_CHARS] + ("…" if len(line) > MAX_EXCERPT_CHARS else "")


def answer_by_mail(
    performed: Performed, rest: str, files: Sequence[ReceivedFile], *, forwarded: bool, proposed: bool
) -> Answer:
    """One or a few sentences: what was done, to which duties; which files were kept; what is missing, or that a person
    reads it."""
    done = all_done(performed.done)
    said: list[Text] = []
    if done is not None:
        said.append(Text("Đã ghi nhận: {done}.", "Recorded: {done}.").filled(done=done))
    elif performed.results and not performed.problems:
        said.append(ALREADY)
    said += _file_sentences(files, performed.done)
    said += _problem_sentences(performed.problems)
    left = bool(performed.problems or rest or proposed or any(each.stored is None for each in files))
    if proposed:
        said.append(PROPOSED)
    elif not said:
        said.append(HELP)
    if forwarded and not proposed and (left or not done):
        said.append(FORWARDED)
    return Answer(text=Text.joined(" ", said), done=done is not None or bool(performed.results), open=left)


def answer_by_sms(performed: Performed, *, proposed: bool) -> Answer | None:
    """The first problem, whose words fit one message, else what was done; None if nothing is to be said."""
    if performed.problems:
        answer = performed.problems[0].answer
        return Answer(text=answer, done=False, open=True) if answer is not None else None
    if proposed:
        return Answer(text=PROPOSED_SMS, done=False, open=True)
    done = all_done(performed.done)
    if done is None:
        return None
    return Answer(text=Text("Đã ghi nhận: {done}.", "Recorded: {done}.").filled(done=done), done=True, open=False)


def _file_sentences(files: Sequence[ReceivedFile], done: Iterable[Done]) -> Iterable[Text]:
    drafted = {name for each in done if each.act is MessageAct.DRAFTED for name in each.files}
    waiting = [each for each in files if each.stored is not None and each.name not in drafted]
    if waiting:
        names = ", ".join(f"“{each.name}”" for each in waiting)
        yield Text(f"Đã nhận tệp {names}, chờ gắn vào báo cáo.", f"{names}: received, and waiting to go with a report.")
    for each in files:
        if each.stored is None and each.problem is not None:
            why = Text(each.problem.vi.rstrip("."), each.problem.en.rstrip("."))
            lost = Text("Chưa nhận được tệp “{name}”: {why}.", "“{name}” was not kept: {why}.")
            yield lost.filled(name=each.name, why=why)


def _problem_sentences(problems: Iterable[Problem]) -> Iterable[Text]:
    for each in problems:
        quoted = Text.same(f" (“{excerpt(each.words)}”)") if each.words else Text.same("")
        yield Text.joined("", [each.answer or HELP, quoted])


def send_answer(
    session: Session,
    incoming_id: int,
    writer: Recipient,
    channel: str,
    answer: Answer,
    now: datetime,
    *,
    replies_to_answer: bool = False,
) -> bool:
    """Queue an answer as a letter of its own, an hour after the one before at the earliest. False if the message
    replies to an answer of ours and nothing was done, or if the writer has had too many today: nothing that answers
    machines may go on for ever."""
    m = table(Letter)
    recent = (
        m.c.contact_id == writer.id,
        m.c.channel == channel,
        m.c.key.startswith(ANSWER),
        m.c.created_at > now - timedelta(days=1),
    )
    count, last = session.connection().execute(select(func.count(), func.max(m.c.send_after)).where(*recent)).one()
    changed = answer.done and answer.text != ALREADY
    if (replies_to_answer and not changed) or count >= (MAX_ANSWERS if changed else MAX_EMPTY_ANSWERS):
        return False
    send_after = max(now, last + ANSWER_INTERVAL) if last is not None else now
    row = letter_row(writer, channel, LetterDay.at_once(send_after), now)
    detail = {"problem": [answer.text.vi, answer.text.en], "done": answer.done, "open": answer.open}
    note(session, incoming_id, detail=detail, answered=True)
    return bool(insert_new(session, Letter, [{**row, "key": f"{ANSWER}{channel}:{incoming_id}"}]))


def notify_monitor(
    session: Session,
    incoming_id: int,
    duties: Sequence[MessageDuty],
    text: str,
    now: datetime,
    *,
    files: Sequence[ReceivedFile] = (),
    key: str = "",
    page: bool = True,
) -> bool:
    """Tell the monitor with an excerpt, about the first open duty; once a ``key`` (empty: each message). ``page``: the
    message can be looked at. False if no monitor is told: no duty is known, or nobody can be reached."""
    if not duties:
        return False
    duty, book = next((each for each in duties if lacks_report(each.state)), duties[0]), read_rulebook(session)
    line = NoticeLine(
        effect=key or f"incoming:{incoming_id}",
        assignment_id=duty.id,
        agency_id=duty.supervisor_id,
        role=Role.MONITOR,
        kind=NoticeKind.WROTE,
        policy=book.policy(duty.policy_id),
        urgent=duty.urgency.urgent,
        detail={
            "said": excerpt(text),
            "attached": [masked(each.name) for each in files if each.stored is not None],
            "lost": [masked(each.name) for each in files if each.stored is None],
            "message": incoming_id if page else None,
        },
    )
    recipients = read_recipients(session, [duty.supervisor_id])
    return post(session, [line], recipients, book, now).notices > 0
