"""What is said about an incoming message: to its writer in one letter, and to the monitor in the letter of the day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlmodel import Session

from engine.assignments.outbox import LetterDay, NoticeLine, letter_row, post
from engine.correspondence.handling import ANSWER, ReceivedFile
from engine.correspondence.message_acts import Done, MessageDuty
from engine.rules.situation import lacks_report
from engine.store.database import insert_new, table
from engine.store.recipients import Recipient, read_recipients
from engine.store.records import Letter
from engine.store.rulebook import read_rulebook
from engine.terms import MessageAct, NoticeKind, Role
from engine.text import Text
from engine.views.event_sentences import all_done
from notifications.inbound.incoming_rows import note
from notifications.inbound.performing import Performed, Problem
from notifications.sms.gateway import masked

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
