"""The supervising department's to-do list: reports to accept, extensions and «not mine» to decide, difficulties and
questions to answer, agencies without a reachable contact."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from itertools import chain
from typing import Any

from sqlalchemy import Select, cast, exists, func, select
from sqlalchemy import types as sql_types
from sqlmodel import Session

from engine.assignments import situations
from engine.assignments.chasing import drafts_waiting
from engine.queries.time_class import Today
from engine.queries.work.assignments import AssignmentFilter, conditions, how_many
from engine.queries.work.incoming import waiting_messages
from engine.queries.work.reports_to_accept import waiting_of_each
from engine.rules.calendar import local_date
from engine.store.data_versions import Topic, ask, depends_on
from engine.store.database import among, table
from engine.store.recipients import COORDINATING, Recipients, lifetime, read_recipients
from engine.store.records import Agency, Assignment, Contact, Extension, Plan
from engine.store.stored_rows import object_of, objects
from engine.terms import Role, Waiting

MESSAGES = "messages"
OF_LITTLE = tuple(each for each in Waiting if each is not Waiting.ACCEPT)


@dataclass(frozen=True, slots=True)
class Unreachable:
    """An agency with open assignments that no letter would reach today."""

    agency_id: str
    agency: str
    open: int


@dataclass(frozen=True, slots=True)
class WaitingExtension:
    """A pending request for a later due date."""

    id: int
    assignment_id: int
    asked_on: date
    until: date
    reason: str


@dataclass(frozen=True, kw_only=True)
class Todo:
    waiting: Mapping[str, int]
    """How much of each kind waits, as ``waiting_counts``."""
    unreachable: tuple[Unreachable, ...]
    drafts: int
    """Draft dispatches that wait to be signed."""


@depends_on(Topic.PLANS, Topic.WORK, Topic.REMINDERS, Topic.DIRECTORY, Topic.LETTERS, Topic.MESSAGES, Topic.LOG)
def todo(session: Session, today: Today, wanted: AssignmentFilter) -> Todo:
    """What waits for a decision; with ``supervisor_id``, only what waits for one department."""
    return Todo(
        waiting=ask(session, waiting_counts, today, wanted),
        unreachable=unreachable(session, today, wanted),
        drafts=_drafts(session, today, wanted),
    )


@depends_on(Topic.DIRECTORY, Topic.PLANS, Topic.WORK, Topic.REMINDERS, Topic.MESSAGES, Topic.LOG)
def waiting_counts(session: Session, today: Today, wanted: AssignmentFilter) -> Mapping[str, int]:
    """How much of each kind waits: by ``Waiting``, and ``MESSAGES``. Reports are many, and counted by agency; of all
    else there is little."""
    found = {what.value: how_many(session, today, replace(wanted, waiting=what)) for what in OF_LITTLE}
    reports = ask(session, waiting_of_each, today, replace(wanted, waiting=Waiting.ACCEPT))
    found[Waiting.ACCEPT] = sum(each.n for each in chain(*reports.values()))
    return found | {MESSAGES: waiting_messages(session, wanted.supervisor_id or wanted.department)[0]}


def _drafts(session: Session, today: Today, wanted: AssignmentFilter) -> int:
    department = wanted.supervisor_id or wanted.department
    found = drafts_waiting(session, today.day, [department] if department else None)
    return sum(wanted.plan_id in (None, plan_id) for _, plan_id in found)


def waiting_extensions(session: Session, assignment_ids: list[int]) -> dict[int, WaitingExtension]:
    """Pending requests by assignment."""
    if not assignment_ids:
        return {}
    x = table(Extension)
    statement = select(x.c.id, x.c.assignment_id, x.c.asked_at, x.c.until, x.c.reason)
    statement = statement.where(x.c.assignment_id.in_(assignment_ids), x.c.decided_at.is_(None))
    return {
        row.assignment_id: object_of(WaitingExtension, row, asked_on=local_date(row.asked_at))
        for row in session.connection().execute(statement)
    }


def unreachable(session: Session, today: Today, wanted: AssignmentFilter) -> tuple[Unreachable, ...]:
    """Owners of open assignments without a reachable contact today. Unreachable agencies are found first, and only
    their assignments are looked at."""
    a, p, g = table(Assignment), table(Plan), table(Agency)
    connection = session.connection()
    doubtful = [
        owner
        for owner, names, has_mailbox in connection.execute(_agencies(today.day))
        if not has_mailbox or (lifetime(names)[1] or date.max) < today.day
    ]
    recipients = read_recipients(session, doubtful, any_channel=True) if doubtful else Recipients()
    unreachable_ids = [owner for owner in doubtful if not recipients.on(owner, Role.COORDINATOR, today.day)]
    if not unreachable_ids:
        return ()
    of_them = replace(wanted, period="")
    counted = (
        select(a.c.agency_id, g.c.name.label("agency"), func.count().label("open"))
        .join(p, p.c.id == a.c.plan_id)
        .join(g, g.c.id == a.c.agency_id)
        .where(among(session, a.c.agency_id, unreachable_ids), situations.owed(), *conditions(of_them, today))
        .group_by(a.c.agency_id, g.c.name)
        .order_by(g.c.name)
    )
    return tuple(objects(Unreachable, connection.execute(counted)))


@lru_cache(maxsize=2)
def _agencies(today: date) -> Select[Any]:
    """Their ids, names, and whether somebody who answers for them has a mailbox and has stopped nothing. That is most
    of them; whether anybody else is reached is for ``Recipients`` to say."""
    g, c = table(Agency), table(Contact)
    has_mailbox = exists().where(
        c.c.agency_id == g.c.id,
        c.c.role.in_(COORDINATING),
        c.c.email != "",
        cast(c.c.suppressed, sql_types.Text) == "{}",
        func.coalesce(c.c.valid_from, today) <= today,
        func.coalesce(c.c.valid_until, today) >= today,
    )
    return select(g.c.id, cast(g.c.names, sql_types.Text), has_mailbox)
