"""Draft dispatches that wait by themselves, and what becomes of them: a number and date, which stand in the story of
each assignment and in later letters, or nothing, with a reason. No state changes, nothing is sent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, String, and_, cast, exists, literal_column, or_, select
from sqlmodel import Session

from engine.assignments import situations
from engine.assignments.chasing import escalations_sent, last_escalation_sent
from engine.errors import Conflict, FieldsRefused
from engine.rules.calendar import local_date
from engine.rules.policy import Ladder
from engine.store.data_versions import Topic, depends_on
from engine.store.database import table
from engine.store.event_log import append, event
from engine.store.records import Assignment, Event, Plan
from engine.store.records.work import PAPER_SETTLED_EVENT
from engine.store.rulebook import read_ladders
from engine.terms import EventKind, PlanState
from engine.text import Text

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
