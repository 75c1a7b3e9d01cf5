"""The supervising department's to-do list: what waits for its decision, by number and in one line an agency and kind,
the longest waiting first."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cache, lru_cache
from itertools import chain
from typing import Any

from sqlalchemy import Date, Select, case, cast, exists, func, null, select, type_coerce
from sqlalchemy import types as sql_types
from sqlmodel import Session

from engine.assignments import situations
from engine.assignments.backlog import WAITS
from engine.assignments.chasing import drafts_waiting
from engine.assignments.situations import report_timing_column
from engine.assignments.told import agency_names
from engine.queries.time_class import Today
from engine.queries.work.assignments import AssignmentFilter, conditions, how_many, joined
from engine.queries.work.incoming import messages_waiting, waiting_messages
from engine.queries.work.overdue import unheard_of_each
from engine.queries.work.reports_to_accept import waiting_of_each
from engine.rules.calendar import local_date
from engine.rules.words import name_order
from engine.store.data_versions import Topic, ask, depends_on
from engine.store.database import among, table
from engine.store.recipients import COORDINATING, Recipients, lifetime, read_recipients
from engine.store.records import Agency, Assignment, Contact, Duty, Event, Extension, Plan, Promise, ThreadEntry
from engine.store.stored_rows import object_of, objects
from engine.terms import Role, Timing, Waiting

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
    unheard: int
    """Agencies to telephone, as ``unheard_of_each``."""


@depends_on(Topic.PLANS, Topic.WORK, Topic.REMINDERS, Topic.DIRECTORY, Topic.LETTERS, Topic.MESSAGES, Topic.LOG)
def todo(session: Session, today: Today, wanted: AssignmentFilter) -> Todo:
    """What waits for a decision; with ``supervisor_id``, only what waits for one department."""
    return Todo(
        waiting=ask(session, waiting_counts, today, wanted),
        unreachable=unreachable(session, today, wanted),
        drafts=_drafts(session, today, wanted),
        unheard=len(ask(session, unheard_of_each, today, wanted)),
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


MAX_LINES, MAX_CITATIONS, MAX_CHARS = 50, 4, 200


@dataclass(frozen=True, kw_only=True)
class WaitingLine:
    """``kind``: a ``Waiting``, or ``MESSAGES``; ``n``: how much of it, as ``waiting_counts`` counts, the first for
    ``days`` working days. ``words``, ``message_id``: what the first says, its number; ``on``: the day that all ask for.
    ``citations``: of the first; ``late``: of reports, how many came behind the due date."""

    kind: str
    agency_id: str
    agency: str
    n: int
    since: datetime
    days: int
    citations: tuple[str, ...] = ()
    late: int = 0
    words: str = ""
    on: date | None = None
    message_id: int = 0


@dataclass(frozen=True, kw_only=True)
class WaitingLines:
    """The first ``MAX_LINES`` of all ``agencies``; those behind them are of ``left`` agencies. ``counts``: by kind, of
    those that wait."""

    rows: tuple[WaitingLine, ...]
    counts: Mapping[str, int]
    agencies: int
    left: int


@depends_on(Topic.DIRECTORY, Topic.PLANS, Topic.WORK, Topic.REMINDERS, Topic.MESSAGES, Topic.LOG)
def waiting_lines(session: Session, today: Today, wanted: AssignmentFilter) -> WaitingLines:
    """What ``waiting_counts`` counts. Seven queries, of which reports by agency and names are kept."""
    found = [*_reports(session, today, wanted), *_asked(session, today, wanted), *_messages(session, today, wanted)]
    counts = {kind: sum(each.n for each in found if each.kind == kind) for kind in {each.kind for each in found}}
    found.sort(key=lambda each: (each.since, name_order(each.agency)))
    told = _told(session, today, wanted, [each.agency_id for each in found[:MAX_LINES] if each.kind == Waiting.ACCEPT])
    rows = (
        replace(each, citations=told[each.agency_id][0], late=told[each.agency_id][1])
        if each.kind == Waiting.ACCEPT
        else each
        for each in found[:MAX_LINES]
    )
    return WaitingLines(
        rows=tuple(rows),
        counts=counts,
        agencies=len({each.agency_id for each in found} - {""}),
        left=len({each.agency_id or each.agency for each in found[MAX_LINES:]}),
    )


def _reports(session: Session, today: Today, wanted: AssignmentFilter) -> Iterator[WaitingLine]:
    known = ask(session, waiting_of_each, today, replace(wanted, waiting=Waiting.ACCEPT))
    names = ask(session, agency_names)
    for agency_id, periods in known.items():
        n, since = sum(each.n for each in periods), min(each.first for each in periods)
        yield _line(today, Waiting.ACCEPT, agency_id, names[agency_id], n, since)


def _told(
    session: Session, today: Today, wanted: AssignmentFilter, agency_ids: Collection[str]
) -> Mapping[str, tuple[tuple[str, ...], int]]:
    """Of agencies whose reports wait, citations of the first and how many came late."""
    a, of_agency = table(Assignment), {"partition_by": table(Assignment).c.agency_id}
    late = func.sum(case((report_timing_column() == Timing.LATE, 1), else_=0)).over(**of_agency).label("late")
    rank = func.row_number().over(**of_agency, order_by=(a.c.reported_at, a.c.id)).label("rank")
    waiting = conditions(replace(wanted, waiting=Waiting.ACCEPT), today)
    ranked = joined(select(a.c.agency_id, table(Duty).c.citation, rank, late))
    some = ranked.where(*waiting, a.c.agency_id.in_(agency_ids)).subquery()
    found: dict[str, tuple[tuple[str, ...], int]] = {}
    first = select(some).where(some.c.rank <= MAX_CITATIONS).order_by(some.c.agency_id, some.c.rank)
    for row in session.connection().execute(first):
        found[row.agency_id] = ((*found.get(row.agency_id, ((), 0))[0], row.citation), int(row.late))
    return found


@cache
def _said() -> Mapping[Waiting, tuple[Any, Any]]:
    """Of what stands beside its task: its words, and the day that it asks for."""
    x, w, t, no_day = table(Extension).c, table(Promise).c, table(ThreadEntry).c, type_coerce(null(), Date)
    return {
        Waiting.EXTENSION: (x.reason, x.until),
        Waiting.PROMISE: (w.reason, w.promised_on),
        Waiting.RAISED: (t.text, no_day),
        Waiting.DECLINED: (table(Event).c.detail["reason"].as_string(), no_day),
    }


def _asked(session: Session, today: Today, wanted: AssignmentFilter) -> Iterator[WaitingLine]:
    a, d, p, g = table(Assignment), table(Duty), table(Plan), table(Agency)
    for kind, (words, on) in _said().items():
        wait, of_agency = WAITS[kind], dict[str, list[Any]]()
        said = func.substr(words, 1, MAX_CHARS).label("words"), on.label("on"), wait.since.label("since")
        statement = select(a.c.id, a.c.agency_id, g.c.name, d.c.citation, *said).select_from(wait.rows)
        statement = statement.join(d, d.c.id == a.c.duty_id).join(p, p.c.id == a.c.plan_id)
        statement = statement.join(g, g.c.id == a.c.agency_id).where(*conditions(wanted, today), *wait.conditions)
        for row in session.connection().execute(statement.order_by(wait.since, a.c.id)):
            of_agency.setdefault(row.agency_id, []).append(row)
        for agency_id, (first, *others) in of_agency.items():
            tasks = {row.id: row.citation for row in (first, *others)}
            on_all = first.on if all(row.on == first.on for row in others) else None
            line = _line(today, kind, agency_id, first.name, len(tasks), first.since)
            citations = tuple(tasks.values())[:MAX_CITATIONS]
            yield replace(line, citations=citations, words=first.words or "", on=on_all)


def _messages(session: Session, today: Today, wanted: AssignmentFilter) -> Iterator[WaitingLine]:
    """Those whose writer is not known stand by their mailbox."""
    found: dict[tuple[str, str], WaitingLine] = {}
    for row in messages_waiting(session, wanted.supervisor_id or wanted.department):
        who = row.agency_id or "", row.agency or row.sender
        if before := found.get(who):
            found[who] = replace(before, n=before.n + 1)
        else:
            line = _line(today, MESSAGES, *who, 1, row.at)
            found[who] = replace(line, words=row.words[:MAX_CHARS], message_id=row.id)
    yield from found.values()


def _line(today: Today, kind: str, agency_id: str, agency: str, n: int, since: datetime) -> WaitingLine:
    days = today.calendar.distance(local_date(since), today.day)
    return WaitingLine(kind=kind, agency_id=agency_id, agency=agency, n=n, since=since, days=days)
