"""Checks of the audit that hold rows against the event log, and against what their columns can say: a hand in the
database leaves no event. Each counts what should be zero.

What a wrong clock fired before its day, for ``dondoc repair``: its keys are freed, so that the true letters go.

The log keeps the events and the letters that left keep their lines; only their keys are marked. ``:early:`` in the key
of an event says so.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    Enum,
    Select,
    String,
    Table,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
    true,
    update,
)
from sqlmodel import Session

from engine.assignments import situations
from engine.assignments.lifecycle import standing_report
from engine.errors import BadInput
from engine.rules.calendar import ONE_DAY, local_date
from engine.rules.policy import MAX_LEVEL, Facts, upcoming
from engine.store import event_log
from engine.store.database import Database, table
from engine.store.facts import read_as, read_fact, unreadable_facts, write_fact
from engine.store.records import (
    STILL_OWED,
    Assignment,
    CalendarDay,
    Contact,
    Duty,
    Event,
    LadderRecord,
    Letter,
    Notice,
    Plan,
    PolicyRecord,
    Promise,
    Report,
)
from engine.store.records.work import DROPPED
from engine.store.rulebook import Rulebook, read_rulebook
from engine.store.stored_rows import AnyRow
from engine.terms import EventKind, PlanState, State

log = logging.getLogger(__name__)
EARLY = ":early:"
CLOCKS_DIFFER = timedelta(hours=1)
"""How far ahead an event may be dated by another machine."""


def free_early_rungs(session: Session, now: datetime) -> int:
    """Free what was fired or skipped in days to come; the ladders go on from before it. Returns how many rungs."""
    e = table(Event)
    rungs = e.c.kind.in_((EventKind.RUNG_FIRED, EventKind.RUNG_SKIPPED))
    to_come = or_(e.c.at > now + CLOCKS_DIFFER, e.c.detail["on"].as_string() > local_date(now).isoformat())
    columns = (e.c.id, e.c.key, e.c.assignment_id, e.c.detail)
    statement = select(*columns).where(rungs, to_come, e.c.key.not_like(f"%{EARLY}%"))
    found = session.connection().execute(statement).all()
    first: dict[int, date] = {}
    for row in found:
        _free(session, row)
        on = date.fromisoformat(row.detail["on"])
        first[row.assignment_id] = min(on, first.get(row.assignment_id, on))
    _free_lines_to_come(session, now)
    a = table(Assignment)
    for assignment_id, on in first.items():
        further = (a.c.id == assignment_id, a.c.acted_until >= on)
        session.connection().execute(update(a).where(*further).values(acted_until=on - ONE_DAY))
    return len(found)


def _free(session: Session, row: AnyRow) -> None:
    e, n = table(Event), table(Notice)
    effect = row.key.rpartition(":")[0]
    of_rung = (n.c.key > f"{effect}:", n.c.key < f"{effect};")
    session.connection().execute(update(e).where(e.c.id == row.id).values(key=f"{row.key}{EARLY}{row.id}"))
    session.connection().execute(update(n).where(*of_rung).values(key=_marked(n)))


def _free_lines_to_come(session: Session, now: datetime) -> None:
    """Other lines of letters that were made in days to come."""
    m, n = table(Letter), table(Notice)
    made = select(m.c.id).where(m.c.created_at > now + CLOCKS_DIFFER)
    session.connection().execute(update(n).where(n.c.letter_id.in_(made)).values(key=_marked(n)))


def _marked(n: Any) -> Any:
    marked = n.c.key + literal(EARLY) + cast(n.c.id, String)
    return case((n.c.key.contains(EARLY), n.c.key), else_=marked)


LINK_CURSOR, CHECKED_LINKS = "audit_link", 2_000
CURSOR, CHECKED_ASSIGNMENTS = "audit_cursor", 2_000
"""Unfinished assignments that are looked at in one audit; the next audit goes on behind them (a fact)."""
RECENT = timedelta(days=2)
DIGEST_CHARS = 16
"""Of a policy's digest in the event that it was loaded."""
RENAMED = {"promise_days": "ask_again_days"}
"""By step 19 of the schema."""
MOVES_A_DUE_DATE = (
    EventKind.DUE_MOVED,
    EventKind.EXTENSION_GRANTED,
    EventKind.RETURNED,
    EventKind.UNDONE,
    EventKind.DUTY_ADDED,
    EventKind.DUTY_AMENDED,
    EventKind.FOLLOWED,
    EventKind.REORGANISED,
)


def impossible_values(session: Session, now: datetime) -> int:
    """Rows with a word in a column that takes only certain words: such a letter is never sent, such a task is in no
    list. Of letters the recent ones and their lines, of tasks the unfinished."""
    m, n, a = table(Letter), table(Notice), table(Assignment)
    recent = m.c.day >= local_date(now - RECENT)
    some: dict[Table, Select[Any]] = {each: select(each.c) for each in map(table, (Plan, Duty, Contact, Promise))}
    some[m] = select(m.c).where(recent)
    some[n] = select(n.c).join(m, m.c.id == n.c.letter_id).where(STILL_OWED)
    some[a] = select(a.c).where(a.c.id.in_(checked_now(session)))
    return sum(_count(session, rows.where(~_possible(each))) for each, rows in some.items())


def checked_now(session: Session) -> Select[tuple[int]]:
    """Ids of the unfinished assignments that this audit looks at."""
    a, after = table(Assignment), read_as(read_fact(session, CURSOR), int, 0)
    return select(a.c.id).where(a.c.id > after, situations.unfinished()).order_by(a.c.id).limit(CHECKED_ASSIGNMENTS)


def _possible(of: Table) -> Any:
    columns = [(column, column.type) for column in of.c if isinstance(column.type, Enum)]
    known = (or_(column.is_(None), cast(column, String).in_(kind.enums)) for column, kind in columns)
    return and_(true(), *known)


def calendar_differs(session: Session, now: datetime) -> int:
    """Days on which the calendar is not what was decided: every change of it is an event."""
    return len(_calendar_days(session) ^ _decided_days(session))


def _calendar_days(session: Session) -> set[tuple[str, str]]:
    d = table(CalendarDay)
    return {(day.isoformat(), kind) for day, kind in session.connection().execute(select(d.c.day, d.c.kind))}


def _decided_days(session: Session) -> set[tuple[str, str]]:
    e = table(Event)
    decided: dict[str, str] = {}
    events = select(e.c.detail).where(e.c.kind == EventKind.CALENDAR_CHANGED).order_by(e.c.id)
    for detail in session.connection().scalars(events):
        for day in detail["drop"]:
            decided.pop(day, None)
        decided |= {day: entry[0] for day, entry in detail["set"].items()}
    return set(decided.items())


def policies_differ(session: Session, now: datetime) -> int:
    """Policies that are not as they were loaded last, and ladders of open tasks that are not what they were."""
    p, e, ladder = table(PolicyRecord), table(Event), table(LadderRecord)
    loaded: dict[str, str] = {}
    events = select(e.c.detail).where(e.c.kind == EventKind.POLICY_LOADED).order_by(e.c.id)
    for detail in session.connection().scalars(events):
        loaded[detail["policy"]] = detail["digest"]
    policies = session.connection().execute(select(p.c.id, p.c.body))
    wrong: int = sum(loaded.get(name) not in _policy_digests(body) for name, body in policies)
    ladders = session.connection().execute(select(ladder.c.digest, ladder.c.body))
    wrong += sum(digest != _ladder_digest(body) for digest, body in ladders)
    return wrong


def _policy_digests(body: dict[str, object]) -> set[str]:
    """Of the policy, and as it was before a step of the schema renamed an entry."""
    before = {RENAMED.get(name, name): value for name, value in body.items()}
    return {event_log.content_digest(each)[:DIGEST_CHARS] for each in (body, before)}


def _ladder_digest(body: object) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def levels_without_letters(session: Session, now: datetime) -> int:
    """Unfinished tasks that are said to be chased for the n-th time, and no rung of that level was ever reached. Events
    of early versions do not say which level it was."""
    a, e = table(Assignment), table(Event)
    reached = exists().where(
        e.c.assignment_id == a.c.id,
        e.c.kind == EventKind.RUNG_FIRED,
        e.c.key.not_like(f"%{EARLY}%"),
        func.coalesce(e.c.detail["level"].as_integer(), MAX_LEVEL) >= a.c.level,
    )
    return _count(session, select(a.c.id).where(a.c.id.in_(checked_now(session)), a.c.level > 0, ~reached))


def dues_moved_by_nobody(session: Session, now: datetime) -> int:
    """Unfinished tasks of a due date that is not the first one, though nobody gave another, neither later nor when they
    were asked for after the plan's own."""
    a, e = table(Assignment), table(Event)
    days = {"due": a.c.due_on, "planned": a.c.original_due_on}
    opened_so = and_(*(e.c.detail[name].as_string() == cast(day, String) for name, day in days.items()))
    gives = or_(e.c.kind.in_(MOVES_A_DUE_DATE), and_(e.c.kind == EventKind.OPENED, opened_so))
    moved = exists().where(e.c.assignment_id == a.c.id, gives)
    other = or_(a.c.due_on != a.c.original_due_on, a.c.due_on.is_(None) != a.c.original_due_on.is_(None))
    given = a.c.transferred_from_id.is_not(None)
    return _count(session, select(a.c.id).where(a.c.id.in_(checked_now(session)), other, ~given, ~moved))


def dropped_by_nobody(session: Session, now: datetime) -> int:
    """Tasks that are said to be cancelled, handed over or of a body that has ended, though nobody did it: nobody is
    reminded of them."""
    a, e, after = table(Assignment), table(Event), read_as(read_fact(session, CURSOR), int, 0)
    looked_at = select(a.c.id).where(a.c.id > after, DROPPED).order_by(a.c.id).limit(CHECKED_ASSIGNMENTS)
    ended = a.c.id.in_(checked_now(session)), a.c.not_asked_on.is_not(None)

    def said(*kinds: EventKind) -> ColumnElement[bool]:
        return exists().where(e.c.assignment_id == a.c.id, e.c.kind.in_(kinds))

    dropped = _count(
        session, select(a.c.id).where(a.c.id.in_(looked_at), ~said(EventKind.CANCELLED, EventKind.TRANSFERRED))
    )
    return dropped + _count(session, select(a.c.id).where(*ended, ~said(EventKind.FOLLOWED)))


def done_without_report(session: Session, now: datetime) -> int:
    """Tasks that are said to be done of late, and no report says so; that are done before they are reported; or that
    were reported once, without a report. Those that wait to be received are ``reported_without_report``."""
    a, r = table(Assignment), table(Report)
    recorded = exists().where(*standing_report(a.c.id))
    recent = and_(a.c.done_on >= local_date(now - RECENT), a.c.state != State.REPORTED, ~recorded)
    too_soon = and_(a.c.done_on.is_not(None), a.c.state.in_((State.ASSIGNED, State.ACKNOWLEDGED)))
    once = and_(a.c.first_reported_on.is_not(None), ~exists().where(r.c.assignment_id == a.c.id))
    wrong = or_(recent, too_soon, and_(a.c.id.in_(checked_now(session)), once))
    return _count(session, select(a.c.id).where(wrong))


def rungs_missed(session: Session, now: datetime) -> int:
    """Tasks whose ladder is said to be followed up to a day, and nothing was recorded of a rung before it; days to
    come are another finding, ``looks_too_late``."""
    a = table(Assignment)
    return len(missed(session, a.c.id.in_(checked_now(session)), a.c.acted_until <= local_date(now)))


def missed(session: Session, *conditions: ColumnElement[bool]) -> dict[int, date]:
    """By assignment, the day up to which its ladder was followed indeed; those that are said to be further."""
    a, e, p, book = table(Assignment), table(Event), table(Plan), read_rulebook(session)
    columns = (a.c.id, a.c.state, a.c.opened_on, a.c.due_on, a.c.promised_on, a.c.broken_before, a.c.ladder_id)
    true = or_(e.c.key.is_(None), e.c.key.not_like(f"%{EARLY}%"))
    last = select(func.max(e.c.at)).where(e.c.assignment_id == a.c.id, true).correlate(a).scalar_subquery()
    statement = (
        select(*columns, a.c.acted_until, last.label("last_event"))
        .join(p, p.c.id == a.c.plan_id)
        .where(a.c.acted_until.is_not(None), situations.owed(), p.c.state == PlanState.ACTIVE, *conditions)
    )
    found = {}
    for row in session.connection().execute(statement):
        followed = row.opened_on - ONE_DAY if row.last_event is None else local_date(row.last_event)
        if followed < row.acted_until and _has_rung(book, row, followed):
            found[row.id] = followed
    return found


def _has_rung(book: Rulebook, row: Any, followed: date) -> bool:
    facts = Facts(row.state, row.opened_on, row.due_on, followed, row.promised_on, row.broken_before)
    return any(on <= row.acted_until for on, _ in upcoming(book.ladders[row.ladder_id], facts, book.calendar))


def log_differs(session: Session, now: datetime) -> int:
    """1 where an event is not as it was logged, was removed or put in by hand. A part of the chain in each audit, and
    the newest events; ``dondoc audit log`` says which."""
    _, found = _looked_at(session)
    return int(bool(found.event or event_log.loose(session.connection(), CHECKED_LINKS)))


def _looked_at(session: Session) -> tuple[event_log.Head, event_log.Verdict]:
    """The link behind which this audit looks, and what it finds."""
    at = _last_link(session)
    return at, event_log.verify(session.connection(), at, CHECKED_LINKS)


def unreadable_rows(database: Database) -> Iterator[str]:
    """«table id: column» of each value that no program of ours can have written there."""
    for model in (Plan, Duty, Contact, Promise, Report, Assignment, Letter, Notice, LadderRecord, PolicyRecord):
        t = table(model)
        key = next(iter(t.primary_key))
        for column in t.c:
            if not isinstance(column.type, (Enum, JSON)):
                continue
            with database.read() as session:
                raw = session.connection().execute(select(key, cast(column, String)).where(column.is_not(None)))
                for row, value in raw:
                    if not _reads(column.type, value):
                        yield f"{t.name} {row}: {column.name}"


def _reads(kind: Enum | JSON, value: str) -> bool:
    if isinstance(kind, Enum):
        return value in kind.enums
    return read_as(value, lambda found: found is None or isinstance(found, (dict, list)), nothing=False)


def facts_unreadable(session: Session, now: datetime) -> int:
    found = unreadable_facts(session)
    if found:
        log.error("audit: no value of the table fact can be read for %s", ", ".join(found))
    return len(found)


def _last_link(session: Session) -> event_log.Head:
    try:
        return event_log.Head.read(read_fact(session, LINK_CURSOR) or "")
    except BadInput:
        return event_log.NO_LINK


def move_link_cursor(database: Database) -> None:
    """On to the links behind those that were looked at; from the first again behind the last. Not past one that does
    not fit. Nobody else's writing waits while they are looked at."""
    with database.read() as session:
        (at, found), before = _looked_at(session), read_fact(session, LINK_CURSOR) or ""
    ended = not found.event and found.head.position < at.position + CHECKED_LINKS
    behind = "" if ended else f"{found.head.position} {found.head.digest}"
    if behind != before:
        with database.write() as session:
            write_fact(session, LINK_CURSOR, behind)


def _count(session: Session, rows: Select[Any]) -> int:
    return session.connection().scalar(select(func.count()).select_from(rows.subquery())) or 0
