"""Does what a message asks, request by request, for the contact who wrote it.

The result of processing a message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from sqlmodel import Session

from engine.accounts.permissions import Acting, Actor, ActorRole, Permission, concerned, require
from engine.assignments.promise_rows import PromiseText
from engine.correspondence import entries, message_acts
from engine.correspondence.entries import NewEntry
from engine.correspondence.message_acts import Done, MessageDuty
from engine.errors import BadInput, DondocError
from engine.rules.calendar import day_digits, local_date
from engine.store.recipients import Recipient
from engine.terms import EntryKind, MessageAct
from engine.text import Text
from notifications.sms.replies import Acknowledge, Decline, Extend, MailReply, NotUnderstood, NotYet, Said, Say, Stop


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


REJECTED = frozenset({AnswerResult.REFUSED, AnswerResult.NOT_UNDERSTOOD})
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
    """Why a request was not carried out, and its ``words`` ("" for the whole message). ``result``: refused or not
    understood. No ``answer``: nobody is to be told."""

    result: AnswerResult
    answer: Text | None
    words: str = ""


@dataclass
class Performed:
    """What became of the requests of a message. ``results``: of those that were carried out."""

    done: list[Done] = field(default_factory=list)
    results: list[AnswerResult] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def result(self) -> AnswerResult:
        """Of the message as a whole: its first problem, else what was done last."""
        if self.problems:
            return self.problems[0].result
        return self.results[-1] if self.results else AnswerResult.NOT_UNDERSTOOD


RESULTS: Mapping[type[MailReply], AnswerResult] = {
    Acknowledge: AnswerResult.ACKNOWLEDGED,
    Extend: AnswerResult.EXTENSION_ASKED,
    NotYet: AnswerResult.REPORTED,
    Decline: AnswerResult.DECLINED,
    Say: AnswerResult.SAID,
}


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

    def perform(self, requests: Sequence[MailReply]) -> Performed:
        performed = Performed()
        for request in [one for each in requests[:MAX_REQUESTS] for one in _by_duty(each)]:
            if isinstance(request, NotUnderstood | Stop):
                answer = request.answer if isinstance(request, NotUnderstood) else None
                performed.problems.append(Problem(AnswerResult.NOT_UNDERSTOOD, answer, words_of(request)))
                continue
            try:
                if not self.certain and not isinstance(request, Acknowledge):
                    raise BadInput(ONLY_ACKNOWLEDGED)
                done = self._one(request)
            except DondocError as error:
                performed.problems.append(Problem(AnswerResult.REFUSED, error.text, words_of(request)))
                continue
            performed.results.append(RESULTS[type(request)] if done is not None else AnswerResult.ALREADY)
            performed.done += [done] if done is not None else []
        for request in requests[MAX_REQUESTS:]:
            performed.problems.append(Problem(AnswerResult.NOT_UNDERSTOOD, None, words_of(request)))
        return performed

    def _one(self, request: Acknowledge | Extend | NotYet | Decline | Say) -> Done | None:
        by, session = self._by, self.session
        match request:
            case Acknowledge():
                self._require(Permission.ACKNOWLEDGE)
                if request.count and not request.citations and request.count != len(self.own):
                    raise BadInput(message_acts.WHICH_DUTY)
                return message_acts.acknowledge(session, self.own, request.citations, **by)
            case Extend():
                self._require(Permission.ASK_EXTENSION)
                text = PromiseText(on=request.until, reason=request.reason)
                return message_acts.ask_day(session, self._chosen(request, late=False), text, **by)
            case NotYet():
                self._require(Permission.REPORT)
                text = PromiseText(on=request.until, reason=request.reason)
                return message_acts.report_not_yet(session, self._chosen(request, late=True), text, **by)
            case Decline():
                self._require(Permission.DECLINE)
                duties = message_acts.chosen_duties(self.own, request.citations)
                return message_acts.decline(session, duties, request.reason, **by)
            case Say():
                return self._say(request)
            case _:
                assert_never(request)

    def _chosen(self, request: Extend | NotYet, *, late: bool) -> Sequence[MessageDuty]:
        """What is not done, or promised, is the period that is overdue; an extension is of one that is not."""
        today = local_date(self.now)
        return message_acts.chosen_duties(self.own, request.citations, lambda duty: duty.overdue(today) is late)

    def _require(self, permission: Permission) -> None:
        require(self.actor, permission, self.writer.agency_id)

    def _say(self, said: Say) -> Done | None:
        """Free words into a thread: a difficulty or question of the owner, or the answer to the only question of the
        letter that waits for the writer's side."""
        if said.what is Said.ANSWER:
            return self._answer(said)
        self._require(Permission.RAISE)
        kind = EntryKind.DIFFICULTY if said.what is Said.DIFFICULTY else EntryKind.QUESTION
        named = (said.citation,) if said.citation else ()
        return message_acts.raise_entry(self.session, self.own, named, NewEntry(kind, said.text), **self._by)

    def _answer(self, said: Say) -> Done | None:
        rows = {duty.id: duty for duty in self.duties if said.citation in ("", duty.citation)}
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


def _by_duty(request: MailReply) -> Sequence[MailReply]:
    """A request of several duties as one of each, since each may be refused, or become something else."""
    if isinstance(request, Extend | NotYet | Decline) and request.citations:
        return [replace(request, citations=(citation,)) for citation in request.citations]
    return [request]


def words_of(request: MailReply) -> str:
    """What a request says, for a person to read."""
    match request:
        case Acknowledge() if request.count:
            return f"{request.count} nhiệm vụ"
        case Acknowledge() | Stop():
            return ""
        case Extend() | NotYet():
            return " ".join((*request.citations, f"{day_digits(request.until)}: {request.reason}"))
        case Say():
            return request.text
        case Decline():
            return request.reason
        case NotUnderstood():
            return request.said
        case _:
            assert_never(request)
