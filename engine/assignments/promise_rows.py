"""The ledger of promises: its rows, and which of them counts. The actions are in ``engine.assignments.promises``, and
in ``lifecycle`` where a report, a return or an end decides what becomes of one.

A promise counts from the moment it is made, or from the monitor's agreement if it lies further ahead than the policy
allows or is one too many. Until its day nobody is chased; after it the task is chased again (``rules.policy``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, insert, literal, select, update
from sqlmodel import Session

from engine.assignments.coordinating import tell_waited_for
from engine.errors import BadInput
from engine.rules.calendar import ONE_DAY, WorkCalendar, local_date, written
from engine.rules.policy import OTHER_REASON, Policy
from engine.rules.situation import is_behind, is_past
from engine.store.database import among, table
from engine.store.event_log import append, event, record
from engine.store.records import Agency, Assignment, Promise
from engine.store.rulebook import Rulebook
from engine.store.stored_rows import StoredAssignment, columns_for, object_of, objects
from engine.terms import EventKind, PromiseState
from engine.text import Text

OPEN = (PromiseState.WAITING, PromiseState.STANDING)
FURTHEST_DAYS = 3 * 366
"""Nobody promises further ahead than this, whoever agrees."""


@dataclass(frozen=True, kw_only=True)
class PromiseText:
    """What is promised. ``on``: None if no day is promised. ``reason_code``: of the policy. ``owed``: what is still to
    be done. ``waits_for``: the agency that is waited for."""

    on: date | None = None
    reason_code: str = ""
    reason: str = ""
    owed: str = ""
    waits_for: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPromise:
    """A promise without who decided on it."""

    id: int
    assignment_id: int
    number: int
    made_on: date
    promised_on: date
    reason_code: str
    reason: str
    state: PromiseState


@dataclass(frozen=True, kw_only=True)
class MadePromise:
    """``changes``: of the assignment's columns, if the promise counts; it ``waits`` for the monitor otherwise."""

    id: int
    on: date
    number: int
    waits: bool
    changes: Mapping[str, Any] = field(default_factory=dict)


def proposed_day(policy: Policy, calendar: WorkCalendar, today: date) -> date:
    """The day that is offered to whoever promises one."""
    return calendar.shift(today, policy.promise_days)


def add_promise(
    session: Session,
    row: StoredAssignment,
    text: PromiseText,
    source: str,
    *,
    policy: Policy,
    book: Rulebook,
    actor: str,
    now: datetime,
) -> MadePromise:
    """Add the promise of an unfinished task and end the one that it replaces; the same day once more is the same
    promise. A closed day becomes the next working day (Civil Code art. 148). Raises BadInput without a day or for one
    that is not ahead, a reason that the policy does not have, an agency that is not there."""
    today = local_date(now)
    if text.on is None:
        raise BadInput(Text("Cần ghi ngày hẹn hoàn thành.", "Give the day by which it will be done."))
    on = book.calendar.due(text.on).on
    _require_day(on, today)
    code = _checked_code(session, policy, text, row.agency_id)
    earlier = promises_of(session, row.id)
    for same in earlier:
        if same.state in OPEN and same.promised_on == on:
            return MadePromise(id=same.id, on=on, number=same.number, waits=same.state is PromiseState.WAITING)
    counted = [each for each in earlier if each.state is not PromiseState.REFUSED]
    waits = len(counted) >= policy.promises_alone or on > book.calendar.shift(today, policy.promise_max_days)
    end_promises(session, row, now, but=(PromiseState.STANDING,) if waits else ())
    number = max((each.number for each in earlier), default=0) + 1
    inserted = session.connection().execute(
        insert(table(Promise)).values(
            assignment_id=row.id,
            number=number,
            made_at=now,
            made_on=today,
            actor=actor,
            source=source,
            promised_on=on,
            reason_code=code,
            waits_for=text.waits_for or None,
            reason=text.reason.strip(),
            owed=text.owed.strip(),
            state=PromiseState.WAITING if waits else PromiseState.STANDING,
            decided_by="",
            answer="",
        )
    )
    promise_id = int((inserted.inserted_primary_key or (0,))[0])
    record(
        session,
        EventKind.PROMISED,
        now,
        row,
        actor=actor,
        on=on.isoformat(),
        number=number,
        code=code,
        reason=text.reason.strip(),
        waits=waits,
    )
    tell_waited_for(
        session,
        row,
        text.waits_for,
        effect=f"promise:{promise_id}:waits",
        on=on,
        reason=text.reason,
        policy=policy,
        book=book,
        now=now,
    )
    changes = {} if waits else counting(session, row, on, today)
    return MadePromise(id=promise_id, on=on, number=number, waits=waits, changes=changes)


def counting(session: Session, row: StoredAssignment, on: date, today: date) -> dict[str, Any]:
    """The assignment's columns once a promise of that day counts. A ladder that is counted from it begins today."""
    changes: dict[str, Any] = {"promised_on": on, "broken_before": broken_promises(session, row.id, today)}
    if is_behind(on, row.due_on):
        changes["acted_until"] = max(today, row.acted_until or today)
    return changes


def promises_of(session: Session, assignment_id: int) -> Sequence[StoredPromise]:
    """All promises of an assignment, oldest first."""
    p = table(Promise)
    statement = select(*columns_for(StoredPromise, p)).where(p.c.assignment_id == assignment_id).order_by(p.c.number)
    return objects(StoredPromise, session.connection().execute(statement))


def promise(session: Session, promise_id: int) -> StoredPromise | None:
    p = table(Promise)
    row = session.connection().execute(select(*columns_for(StoredPromise, p)).where(p.c.id == promise_id)).first()
    return None if row is None else object_of(StoredPromise, row)


def passed(today: date) -> ColumnElement[bool]:
    """Promises that stand and whose day has passed; the next pass calls them broken."""
    p = table(Promise)
    return and_(p.c.state == PromiseState.STANDING, p.c.promised_on < today)


def broken_promises(session: Session, assignment_id: int, today: date) -> int:
    """How many promises of a task were broken, one whose day has passed since the last pass included."""
    p = table(Promise)
    broken = (p.c.state == PromiseState.BROKEN) | passed(today)
    statement = select(func.count()).where(p.c.assignment_id == assignment_id, broken)
    return session.connection().scalar(statement) or 0


def promises_in(state: PromiseState) -> ColumnElement[bool]:
    """The same text as the condition of the index of what waits, or stands."""
    p = table(Promise)
    return p.c.state == literal(state.value, literal_execute=True)  # type: ignore[no-any-return]


@cache
def promises_made() -> ColumnElement[int]:
    """Column for a query of assignments, built once. Looks only for the promises of those that have one, by the unique
    index of their numbers."""
    a, p = table(Assignment), table(Promise)
    last = select(func.max(p.c.number)).where(p.c.assignment_id == a.c.id).correlate(a).scalar_subquery()
    # a day that was asked for before there were promises has none
    return case((a.c.promised_on.is_not(None), func.coalesce(last, 1)), else_=0).label("promises")


@cache
def promise_waits() -> ColumnElement[date | None]:
    """Column for a query of assignments: the promised day that waits for an agreement."""
    a, p = table(Assignment), table(Promise)
    waiting = p.c.assignment_id == a.c.id, promises_in(PromiseState.WAITING)
    return select(p.c.promised_on).where(*waiting).correlate(a).scalar_subquery().label("promise_waits")


def tasks_with_broken_promises(session: Session, assignment_ids: Sequence[int]) -> set[int]:
    """Those of the given tasks that have broken a promise."""
    p = table(Promise)
    of_tasks = p.c.state == PromiseState.BROKEN, among(session, p.c.assignment_id, assignment_ids)
    return set(session.connection().scalars(select(p.c.assignment_id).where(*of_tasks))) if assignment_ids else set()


def end_promises(
    session: Session,
    row: StoredAssignment,
    now: datetime,
    *,
    done: bool = False,
    but: Collection[PromiseState] = (),
) -> None:
    """End what a task has of promises that stand or wait: kept if it is ``done`` in time, broken if their day has
    passed, else replaced. ``but``: states that are left."""
    today = local_date(now)
    ends: list[_Ending] = []
    for each in promises_of(session, row.id):
        if each.state not in OPEN or each.state in but:
            continue
        state = PromiseState.REPLACED
        if each.state is PromiseState.STANDING and is_past(each.promised_on, today):
            state = PromiseState.BROKEN
        elif each.state is PromiseState.STANDING and done:
            state = PromiseState.KEPT
        ends.append((each, state, row.plan_id))
    _end(session, ends, now)


def break_past(session: Session, assignment_ids: Sequence[int], now: datetime) -> int:
    """Mark the standing promises of these tasks whose day has passed; returns how many. Doing it twice does nothing."""
    p, a = table(Promise), table(Assignment)
    statement = (
        select(*columns_for(StoredPromise, p), a.c.plan_id)
        .join(a, a.c.id == p.c.assignment_id)
        .where(
            among(session, p.c.assignment_id, assignment_ids),
            passed(local_date(now)),
        )
    )
    rows = session.connection().execute(statement).all()
    _end(session, [(object_of(StoredPromise, row), PromiseState.BROKEN, row.plan_id) for row in rows], now)
    return len(rows)


_Ending = tuple[StoredPromise, PromiseState, int]
"""A promise, what becomes of it, and the plan of its task."""
_TOLD = {PromiseState.KEPT: EventKind.PROMISE_KEPT, PromiseState.BROKEN: EventKind.PROMISE_BROKEN}


def _end(session: Session, endings: Sequence[_Ending], now: datetime) -> None:
    """End promises, and record those that were kept or broken. One that was broken ended on the day after its own."""
    p, today = table(Promise), local_date(now)
    for ended, state, _ in endings:
        on = ended.promised_on + ONE_DAY if state is PromiseState.BROKEN else today
        still = p.c.id == ended.id, p.c.state == ended.state
        session.connection().execute(update(p).where(*still).values(state=state, ended_on=on))
    append(
        session,
        [
            event(
                _TOLD[state],
                now,
                plan_id=plan_id,
                assignment_id=ended.assignment_id,
                key=f"promise:{ended.id}:{state.value}",
                on=ended.promised_on.isoformat(),
                number=ended.number,
            )
            for ended, state, plan_id in endings
            if state in _TOLD
        ],
    )


def _require_day(on: date, today: date) -> None:
    if on <= today:
        raise BadInput(Text(f"Ngày hẹn phải sau {written(today)}.", f"Promise a day after {written(today, 'en')}."))
    if (on - today).days > FURTHEST_DAYS:
        raise BadInput(Text("Ngày hẹn xa quá 3 năm.", "The promised day is more than three years ahead."))


def require_reason(policy: Policy, code: str) -> None:
    """Raises BadInput for a code that the policy does not have."""
    if policy.reason(code) is None:
        codes = ", ".join(each.code for each in policy.reasons)
        raise BadInput(
            Text(
                f"Không có mã lý do «{code[:40]}»; chọn một trong: {codes}.", f"No such reason; choose one of: {codes}."
            )
        )


def _checked_code(session: Session, policy: Policy, text: PromiseText, agency_id: str) -> str:
    code = text.reason_code or OTHER_REASON
    require_reason(policy, code)
    if text.waits_for == agency_id:
        raise BadInput(Text("Cơ quan không chờ chính mình; chọn cơ quan khác.", "An agency does not wait for itself."))
    if text.waits_for:
        g = table(Agency)
        if session.connection().scalar(select(g.c.id).where(g.c.id == text.waits_for)) is None:
            raise BadInput(Text(f"Danh bạ không có «{text.waits_for[:64]}».", "The directory has no such agency."))
    return code
