"""Coordinating agencies are told what they help with: when it opens, and once more before its due date. No letter
chases them.

Tells the agency that a late task waits for («chờ cơ quan phối hợp»): one line in its coordinator's next letter.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from sqlalchemy import select
from sqlmodel import Session

from engine.assignments.outbox import NoticeLine, post
from engine.rules.policy import Policy
from engine.store.database import among, table
from engine.store.recipients import read_recipients
from engine.store.records import Assignment, Duty, Plan
from engine.store.rulebook import Rulebook, read_rulebook
from engine.store.stored_rows import StoredAssignment, objects
from engine.terms import NoticeKind, Role, Urgency


class Task(Protocol):
    """An assignment with its plan's policy and urgency."""

    @property
    def id(self) -> int: ...
    @property
    def duty_id(self) -> int: ...
    @property
    def agency_id(self) -> str: ...
    @property
    def policy_id(self) -> str: ...
    @property
    def urgency(self) -> Urgency: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opened:
    id: int
    duty_id: int
    agency_id: str
    policy_id: str
    urgency: Urgency


def tell_of_opening(session: Session, assignment_ids: Collection[int], now: datetime) -> None:
    """A line to each agency that coordinates in one of some new assignments."""
    a, p = table(Assignment), table(Plan)
    columns = (a.c.id, a.c.duty_id, a.c.agency_id, p.c.policy_id, p.c.urgency)
    opened = select(*columns).join(p, p.c.id == a.c.plan_id).where(among(session, a.c.id, assignment_ids))
    tasks = objects(_Opened, session.connection().execute(opened.order_by(a.c.id)))
    _tell(session, tasks, None, now, "coordinates")


def remind_of_help(session: Session, reminded: Sequence[Task], book: Rulebook, now: datetime) -> int:
    """A line before the due date, with the owner's first reminder. Returns how many lines."""
    return _tell(session, reminded, book, now, "coordinates-before", before=True)


def _tell(
    session: Session, tasks: Sequence[Task], book: Rulebook | None, now: datetime, effect: str, **detail: object
) -> int:
    d = table(Duty)
    duties = among(session, d.c.id, {task.duty_id for task in tasks})
    found = session.connection().execute(select(d.c.id, d.c.coordinating).where(duties)) if tasks else ()
    helpers = {duty_id: coordinating for duty_id, coordinating in found if coordinating}
    if not helpers:
        return 0
    book = book or read_rulebook(session)
    lines = [
        NoticeLine(
            effect=f"assignment:{task.id}:{effect}:{agency_id}",
            assignment_id=task.id,
            agency_id=agency_id,
            role=Role.COORDINATOR,
            kind=NoticeKind.COORDINATES,
            policy=book.policy(task.policy_id),
            urgent=task.urgency.urgent,
            detail=dict(detail),
        )
        for task in tasks
        for agency_id in helpers.get(task.duty_id, ())
        if agency_id != task.agency_id
    ]
    readers = read_recipients(session, {line.agency_id for line in lines})
    return post(session, lines, readers, book, now).notices if lines else 0


MAX_QUOTED_CHARS = 400


def tell_waited_for(
    session: Session,
    row: StoredAssignment,
    agency_id: str,
    *,
    effect: str,
    on: date | None,
    reason: str,
    policy: Policy,
    book: Rulebook,
    now: datetime,
) -> None:
    """``agency_id``: "" if no agency is waited for. ``on``: the day that the owner has promised, if it has;
    ``reason``: its words. Nothing chases the agency for it."""
    if agency_id in ("", row.agency_id):
        return
    p = table(Plan)
    urgency = session.connection().scalars(select(p.c.urgency).where(p.c.id == row.plan_id)).one()
    line = NoticeLine(
        effect=effect,
        assignment_id=row.id,
        agency_id=agency_id,
        role=Role.COORDINATOR,
        kind=NoticeKind.COORDINATES,
        policy=policy,
        urgent=urgency.urgent,
        detail={
            "waits": True,
            "until": "" if on is None else on.isoformat(),
            "said": " ".join(reason.split())[:MAX_QUOTED_CHARS],
        },
    )
    post(session, [line], read_recipients(session, [agency_id]), book, now)
