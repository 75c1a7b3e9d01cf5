"""Chasing: how often an agency was really chased («đã nhắc 3 lần, gần nhất 22/6»), counted from the letters that left;
and draft dispatches, which wait by themselves until they have a number and date.

Only letters to the agency itself count, once a day whatever the channel and the person. A letter that is queued, kept
on this machine, refused, bounced or in doubt proves nothing. After a return the count starts again: what left before it
asked for the report that came. So it does when the province gives another due date: what left before it asked by
another day.

By a draft no state changes, and nothing is sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache, lru_cache
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, String, Table, and_, case, cast, exists, func, literal_column, or_, select
from sqlmodel import Session

from engine.assignments import situations
from engine.errors import Conflict, FieldsRefused
from engine.rules.calendar import local_date
from engine.rules.policy import Ladder
from engine.store.data_versions import Topic, depends_on
from engine.store.database import among, table
from engine.store.event_log import append, event
from engine.store.records import Assignment, Event, Letter, Notice, Plan, Report
from engine.store.records.work import PAPER_SETTLED_EVENT
from engine.store.rulebook import read_ladders
from engine.store.stored_rows import object_of
from engine.terms import EventKind, LetterState, NoticeKind, PlanState
from engine.text import Text

ASKING = (NoticeKind.REMINDER, NoticeKind.OVERDUE, NoticeKind.ESCALATION, NoticeKind.CHASE)
"""Kinds of notices that ask an agency for its report."""
ANSWER_WORKING_DAYS = 5
"""Within which a dispatch, and the leadership's direction, ask for what is overdue."""
TO_ACKNOWLEDGE = (NoticeKind.ASSIGNED, NoticeKind.ACKNOWLEDGE)
SENT = (LetterState.ACCEPTED, LetterState.DELIVERED)
"""States of a letter that has left and did not come back."""


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Chased:
    """``times``: days on which the agency was asked for the report, the last on ``last_on`` (``letter_id``); ``level``:
    days on which it was escalated to it («đôn đốc lần n»), the last on ``level_on``."""

    times: int
    last_on: date
    letter_id: int = field(compare=False)
    level: int
    level_on: date | None


@dataclass(frozen=True, slots=True)
class WaitingChase:
    """A chase that somebody asked for (``at``) and whose letter leaves at ``send_after``."""

    at: datetime
    send_after: datetime


def chases_waiting(session: Session, assignment_ids: Iterable[int]) -> dict[int, WaitingChase]:
    """By assignment, the chases by hand whose letters have not left yet. One query."""
    a, n, m, e = table(Assignment), table(Notice), table(Letter), table(Event)
    asked_at = select(func.max(e.c.at)).where(e.c.assignment_id == n.c.assignment_id, e.c.kind == EventKind.CHASED)
    columns = (n.c.assignment_id, asked_at.correlate(n).scalar_subquery().label("at"), m.c.send_after)
    statement = _said_about(session, assignment_ids, *columns).where(
        n.c.kind == NoticeKind.CHASE,
        n.c.obsolete == "",
        m.c.agency_id == a.c.agency_id,
        m.c.state.in_((LetterState.QUEUED, LetterState.SENDING)),
    )
    rows = session.connection().execute(statement.order_by(m.c.send_after.desc()))
    return {row.assignment_id: WaitingChase(row.at, row.send_after) for row in rows if row.at is not None}


def chased(session: Session, assignment_ids: Iterable[int], *, before: date | None = None) -> dict[int, Chased]:
    """By assignment, those that were asked for at least once; ``before`` a day if given. One query."""
    a, n, m = table(Assignment), table(Notice), table(Letter)
    escalation_day = case((n.c.kind == NoticeKind.ESCALATION, m.c.day))
    columns = (
        n.c.assignment_id,
        func.count(m.c.day.distinct()).label("times"),
        func.max(m.c.day).label("last_on"),
        func.max(m.c.id).label("letter_id"),
        func.count(escalation_day.distinct()).label("level"),
        func.max(escalation_day).label("level_on"),
    )
    statement = _said_about(session, assignment_ids, *columns)
    statement = statement.where(n.c.kind.in_(ASKING), _left_for(a)).group_by(n.c.assignment_id)
    if before is not None:
        statement = statement.where(m.c.day < before)
    return {row.assignment_id: object_of(Chased, row) for row in session.connection().execute(statement)}


def asked_days(session: Session, assignment_ids: Iterable[int]) -> dict[int, dict[date, bool]]:
    """By assignment, the days on which the agency was asked for the report, in order, and whether that was an
    escalation to it. One query."""
    a, n, m = table(Assignment), table(Notice), table(Letter)
    escalated = func.max(case((n.c.kind == NoticeKind.ESCALATION, 1), else_=0))
    statement = _said_about(session, assignment_ids, n.c.assignment_id, m.c.day, escalated)
    statement = statement.where(n.c.kind.in_(ASKING), _left_for(a)).group_by(n.c.assignment_id, m.c.day)
    found: dict[int, dict[date, bool]] = {}
    for assignment_id, day, is_escalation in session.connection().execute(statement.order_by(m.c.day)):
        found.setdefault(assignment_id, {})[day] = bool(is_escalation)
    return found


def being_escalated(session: Session, assignment_ids: Iterable[int], today: date) -> frozenset[int]:
    """The assignments about which an escalation goes to the owner today: it was sent, or it waits to be."""
    a, n, m = table(Assignment), table(Notice), table(Letter)
    statement = _said_about(session, assignment_ids, n.c.assignment_id).where(
        n.c.kind == NoticeKind.ESCALATION,
        n.c.obsolete == "",
        m.c.agency_id == a.c.agency_id,
        m.c.day == today,
        m.c.state.in_((LetterState.QUEUED, LetterState.SENDING, *SENT)),
    )
    return frozenset(session.connection().scalars(statement))


def asked_to_acknowledge(
    session: Session, assignment_ids: Iterable[int], *, before: date
) -> dict[int, tuple[date, ...]]:
    """By assignment, the days on which the owner was asked to acknowledge it, in order."""
    a, n, m = table(Assignment), table(Notice), table(Letter)
    statement = (
        _said_about(session, assignment_ids, n.c.assignment_id, m.c.day)
        .where(n.c.kind.in_(TO_ACKNOWLEDGE), _left_for(a), m.c.day < before)
        .distinct()
        .order_by(m.c.day)
    )
    found: dict[int, tuple[date, ...]] = {}
    for assignment_id, day in session.connection().execute(statement):
        found[assignment_id] = (*found.get(assignment_id, ()), day)
    return found


@cache
def escalations_sent() -> ColumnElement[int]:
    """Column for a query of assignments: on how many days the agency was escalated to. Looks into the letters of those
    only whose ladder came that far."""
    return case((table(Assignment).c.level > 0, _of_escalations(func.count(table(Letter).c.day.distinct()))), else_=0)


@cache
def last_escalation_sent() -> ColumnElement[date]:
    """Column for a query of assignments: the last day on which the agency was escalated to."""
    return _of_escalations(func.max(table(Letter).c.day))


def _of_escalations(what: ColumnElement[T]) -> ColumnElement[T]:
    a, n, m = table(Assignment), table(Notice), table(Letter)
    joined = n.join(m, m.c.id == n.c.letter_id)
    escalated = n.c.assignment_id == a.c.id, n.c.kind == NoticeKind.ESCALATION, _left_for(a)
    return select(what).select_from(joined).where(*escalated).correlate(a).scalar_subquery()


def _said_about(session: Session, assignment_ids: Iterable[int], *columns: Any) -> Select[Any]:
    """Of the notices about these assignments, with their letters."""
    a, n, m = table(Assignment), table(Notice), table(Letter)
    joined = n.join(m, m.c.id == n.c.letter_id).join(a, a.c.id == n.c.assignment_id)
    return select(*columns).select_from(joined).where(among(session, n.c.assignment_id, assignment_ids))


@cache
def _left_for(a: Table) -> ColumnElement[bool]:
    """The notice was said in a letter to the owner of the assignment, and the letter left, since the last return and
    the last due date that the province set."""
    n, m, r, e = table(Notice), table(Letter), table(Report), table(Event)
    left_at = func.coalesce(m.c.sent_at, m.c.created_at)
    returned_since = exists().where(r.c.assignment_id == n.c.assignment_id, r.c.returned_at > left_at)
    moved_since = exists().where(
        e.c.assignment_id == n.c.assignment_id,
        e.c.kind == EventKind.DUE_MOVED,
        e.c.at > left_at,
        e.c.detail["basis"].as_string().is_not(None),
    )
    return and_(
        n.c.obsolete == "",
        m.c.agency_id == a.c.agency_id,
        m.c.state.in_(SENT),
        ~returned_since.correlate(n, m),
        ~moved_since.correlate(n, m),
    )


NUMBER = re.compile(r"(\d{1,5})/([A-ZĐ][\wĐƯƠ.&-]{1,39})")
"""«412/SLĐTBXH-PCTNXH»: the number, then the sign."""


SETTLED = (EventKind.PAPER_RECORDED, EventKind.PAPER_DROPPED)
"""What becomes of a draft; ``on`` in the event's detail is the day."""


def paper_level(ladder: Ladder) -> int:
    """The lowest level at which the ladder asks for a paper; 0 if it never does."""
    return min((rung.level for rung in ladder.rungs if rung.dispatch and rung.level), default=0)


@depends_on(Topic.PLANS, Topic.WORK, Topic.REMINDERS, Topic.LETTERS, Topic.LOG)
def drafts_waiting(session: Session, today: date, departments: Iterable[str] | None = None) -> list[tuple[str, int]]:
    """(supervising department, plan) of each draft that waits: the plan has overdue orders that letters have chased to
    the level at which their ladder asks for a paper, and nothing became of the draft since. Stops at the first of a
    plan. Two queries."""
    levels = tuple((key, level) for key, ladder in read_ladders(session).items() if (level := paper_level(ladder)))
    if not levels:
        return []
    statement = _drafts(levels, today, None if departments is None else tuple(departments))
    return [(row[0], row[1]) for row in session.connection().execute(statement)]


@lru_cache(maxsize=32)
def _drafts(levels: tuple[tuple[int, int], ...], today: date, departments: tuple[str, ...] | None) -> Select[Any]:
    a, p, e = table(Assignment), table(Plan), table(Event)
    far: list[ColumnElement[bool]] = [
        and_(a.c.ladder_id == key, a.c.level >= level, escalations_sent() >= level) for key, level in levels
    ]
    settled = exists().where(
        e.c.assignment_id == a.c.id,
        PAPER_SETTLED_EVENT,
        e.c.detail["on"].as_string() >= cast(last_escalation_sent(), String),
    )
    waits = select(a.c.id).where(
        a.c.plan_id == p.c.id,
        situations.overdue(today),
        a.c.level > literal_column("0"),  # the condition of the index ix_assignment_chased
        ~a.c.request,
        a.c.agency_id != p.c.supervisor_id,
        or_(*far),
        ~settled.correlate(a),
    )
    # OFFSET keeps PostgreSQL from joining: it would look into the letters of every chased assignment.
    first = exists(waits.correlate(p).limit(1).offset(0))
    statement = select(p.c.supervisor_id, p.c.id).where(p.c.state == PlanState.ACTIVE, first)
    return statement if departments is None else statement.where(p.c.supervisor_id.in_(departments))


def drop_draft(
    session: Session, plan_id: int, assignment_ids: Sequence[int], *, reason: str, actor: str, now: datetime
) -> None:
    """No paper is issued about these assignments for now; the draft waits again once they are chased further. Raises
    FieldsRefused without a reason."""
    if not reason:
        raise FieldsRefused({"reason": Text("Ghi lý do bỏ dự thảo.", "Say why the draft is dropped.")})
    on = local_date(now).isoformat()
    append(
        session,
        (
            event(
                EventKind.PAPER_DROPPED,
                now,
                actor=actor,
                plan_id=plan_id,
                assignment_id=each,
                key=f"paper-dropped:{on}:{each}",
                on=on,
                reason=reason,
            )
            for each in assignment_ids
        ),
    )


def record_paper(
    session: Session,
    supervisor_id: str,
    plan_id: int,
    assignment_ids: Sequence[int],
    *,
    number: str,
    on: date,
    actor: str,
    now: datetime,
) -> int:
    """Record the paper for these assignments; returns how many are new. The same paper may be recorded for more
    assignments, but not with another date (a number is unique in the issuer's year: art. 15.1). Raises FieldsRefused,
    Conflict."""
    plain = " ".join(number.split())
    wrong: dict[str, Text] = {}
    if not NUMBER.fullmatch(plain):
        wrong["number"] = Text("Số và ký hiệu viết như 412/SLĐTBXH.", "Write number and sign like 412/SLĐTBXH.")
    if on > local_date(now):
        wrong["on"] = Text("Ngày văn bản không thể ở tương lai.", "A paper's date cannot lie in the future.")
    if wrong:
        raise FieldsRefused(wrong)
    key = f"paper:{supervisor_id}:{on.year}:{plain}"
    e = table(Event)
    same = select(e.c.detail, e.c.assignment_id).where(e.c.key.startswith(f"{key}:", autoescape=True))
    known = session.connection().execute(same).all()
    if any(row.detail["on"] != on.isoformat() for row in known):
        raise Conflict(
            Text(f"Công văn số {plain} đã ghi với một ngày khác.", f"Dispatch {plain} is recorded with another date.")
        )
    new = [each for each in assignment_ids if each not in {row.assignment_id for row in known}]
    append(
        session,
        (
            event(
                EventKind.PAPER_RECORDED,
                now,
                actor=actor,
                plan_id=plan_id,
                assignment_id=each,
                key=f"{key}:{each}",
                number=plain,
                on=on.isoformat(),
            )
            for each in new
        ),
    )
    return len(new)
