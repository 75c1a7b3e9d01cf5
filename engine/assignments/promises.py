"""Promises about unfinished tasks: made apart from a report, agreed to, refused.

The ledger's rows are ``promise_rows``; what a report promises is made with it, in ``lifecycle``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from sqlalchemy import select, update
from sqlmodel import Session

from engine.assignments import promise_rows
from engine.assignments.lifecycle import Acting, acting_on, apply_promise, ask_extension
from engine.errors import BadInput, Conflict, NotFound
from engine.rules.calendar import local_date, written
from engine.rules.privacy import PRIVATE_WORDS, Private, looks_private
from engine.rules.situation import Action, is_past
from engine.store.data_versions import of_one
from engine.store.database import table
from engine.store.event_log import record
from engine.store.records import Assignment, Promise
from engine.terms import EventKind, NoticeKind, PromiseState, Role
from engine.text import Text


@of_one
def make_promise(
    session: Session, assignment_id: int, text: promise_rows.PromiseText, source: str, *, actor: str, now: datetime
) -> promise_rows.MadePromise:
    """Promise a day for a task that is not done, without a report: with a difficulty, or where an extension is asked
    for too late. Raises BadInput without a reason, ForbiddenMove for a task that is done or of an ended plan."""
    if not text.reason.strip():
        raise BadInput(Text("Cần ghi lý do hẹn ngày khác.", "Say why another day is promised."))
    if any(each.what is Private.SECRET for said in (text.reason, text.owed) for each in looks_private(said)):
        vi, en = PRIVATE_WORDS[Private.SECRET]
        raise BadInput(Text(f"Nội dung {vi}.", f"This text {en}."))
    acting = acting_on(session, assignment_id, Action.PROMISE, now)
    made = promise_rows.add_promise(
        session, acting.row, text, source, policy=acting.policy, book=acting.book, actor=actor, now=now
    )
    apply_promise(session, acting, made, reason=text.reason.strip())
    return made


@of_one
def ask_for_day(
    session: Session,
    assignment_id: int,
    text: promise_rows.PromiseText,
    *,
    files: Sequence[Mapping[str, object]] = (),
    actor: str,
    now: datetime,
) -> None:
    """Ask for a later day: up to the due date an extension, which the department above decides; behind it a promise,
    since the task is late whatever is decided. Raises BadInput for an extension without a day and a promise with
    files."""
    a = table(Assignment)
    due_on = session.connection().scalar(select(a.c.due_on).where(a.c.id == assignment_id))
    if not is_past(due_on, local_date(now)):
        if text.on is None:
            raise BadInput(Text("Cần ghi hạn mới.", "Give the new date."))
        ask_extension(session, assignment_id, until=text.on, reason=text.reason, files=files, actor=actor, now=now)
        return
    if files:
        raise BadInput(
            Text("Lời hẹn không kèm tệp; gửi tệp ở trang báo cáo.", "A promise takes no files; report them.")
        )
    make_promise(session, assignment_id, text, "extension", actor=actor, now=now)


@of_one
def decide_promise(
    session: Session, promise_id: int, *, agreed: bool, answer: str = "", actor: str, now: datetime
) -> None:
    """Agree to a promise that waits, or refuse one that waits or stands, with a reason; its agency is told. A refused
    one counts for nothing: the task is chased by the promise before it, or by its due date. Raises NotFound, Conflict
    if it was decided or has ended, BadInput without a reason to refuse or for an agreement after its day."""
    found = promise_rows.promise(session, promise_id)
    if found is None:
        raise NotFound(Text("Không có lời hẹn này.", "There is no such promise."))
    acting = acting_on(session, found.assignment_id, Action.PROMISE, now)
    found, today = _decidable(session, promise_id, found, agreed=agreed, answer=answer, now=now), local_date(now)
    if agreed:
        promise_rows.end_promises(session, acting.row, now, but=(PromiseState.WAITING,))
    p = table(Promise)
    state = PromiseState.STANDING if agreed else PromiseState.REFUSED
    values = {"state": state, "decided_at": now, "decided_by": actor, "answer": answer.strip()}
    changed = session.connection().execute(
        update(p)
        .where(p.c.id == promise_id, p.c.state == found.state)
        .values(**values, ended_on=None if agreed else today)
    )
    if changed.rowcount != 1:
        raise Conflict
    day, number = found.promised_on.isoformat(), found.number
    kind = EventKind.PROMISE_AGREED if agreed else EventKind.PROMISE_REFUSED
    record(session, kind, now, acting.row, actor=actor, on=day, number=number, answer=answer.strip())
    if agreed:
        acting.change(session, promise_rows.counting(session, acting.row, found.promised_on, today))
    elif found.state is PromiseState.STANDING:
        acting.change(session, _before(session, acting, today))
    effect = f"promise:{promise_id}:decided"
    detail = {"granted": agreed, "until": day, "answer": answer.strip()}
    acting.notify(session, Role.COORDINATOR, NoticeKind.PROMISE_DECIDED, effect, **detail)


def _decidable(
    session: Session, promise_id: int, found: promise_rows.StoredPromise, *, agreed: bool, answer: str, now: datetime
) -> promise_rows.StoredPromise:
    """The promise as it is now that its task is locked, if it may be decided so."""
    today = local_date(now)
    decidable = (PromiseState.WAITING,) if agreed else promise_rows.OPEN
    found = promise_rows.promise(session, promise_id) or found
    if found.state not in decidable:
        raise Conflict(Text("Lời hẹn này đã được quyết định hoặc đã hết.", "This promise was decided or has ended."))
    if not agreed and not answer.strip():
        raise BadInput(Text("Cần ghi lý do không đồng ý.", "Say why it is refused."))
    if agreed and found.promised_on <= today:
        raise BadInput(
            Text(f"Ngày hẹn {written(found.promised_on)} đã đến; hãy không đồng ý.", "Its day has come; refuse it.")
        )
    return found


def _before(session: Session, acting: Acting, today: date) -> dict[str, object]:
    """The assignment's columns without the promise that was refused: those of the last one before it that was broken,
    or of none. What was chased before it is not chased again."""
    broken = [each for each in promise_rows.promises_of(session, acting.row.id) if each.state is PromiseState.BROKEN]
    last = broken[-1].promised_on if broken else None
    return {"promised_on": last, "broken_before": max(len(broken) - 1, 0), "acted_until": today}
