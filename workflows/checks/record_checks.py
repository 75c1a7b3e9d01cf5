"""Checks of the audit for rows that no program of ours writes so: what a hand in the database, a restored copy or a bad
disk leaves behind. Each counts what should be zero; a part at a time where there may be many.

What the audit is told that is not in the rows it reads: the disk, the backups, the holidays of the next year, the
daily canary, or the weekly letter that somebody confirms. Each stops the heartbeat's ping, so that somebody hears
before it is felt.

What is written once stays as it was written, and what changes does so with an event: each night the rows that say
who owes, said or was told what are compared with what they were the night before.

A hand in the database leaves no event. What changed and has none is a finding, by table and row, until it is as it was
or somebody says why (``dondoc audit rows``). What is spoiled on the day on which it was written is not noticed.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, Enum, String, cast, delete, exists, func, literal, or_, select, true
from sqlmodel import Session, SQLModel

from config.settings import ArrivalProof, Settings
from engine.agencies.preferences import ASKED, DEPUTY_NAMED
from engine.assignments.opening import opened_periods, planned
from engine.assignments.reports.evidence import path_of
from engine.correspondence.handling import ANSWER
from engine.rules.calendar import DayKind, local_date
from engine.store.database import Database, among, insert_rows, table
from engine.store.facts import INSTALLATION, last_backup, read_as, read_fact, write_fact
from engine.store.records import (
    STILL_OWED,
    Agency,
    Assignment,
    CalendarDay,
    Contact,
    Digest,
    Duty,
    Event,
    Evidence,
    Fact,
    Letter,
    Notice,
    Plan,
    Promise,
    PublishedFigures,
    Report,
    RowSeal,
)
from engine.store.records.work import PROMISED
from engine.store.rulebook import read_rulebook
from engine.store.stored_rows import StoredPlan, objects, select_plans
from engine.terms import EventKind, LetterState, PlanState, PromiseState
from notifications import arrival
from notifications.letters.facts import about_duties

LOOKED, UNTIL, DIFFER = "rows_looked", "rows_event", "rows_differ"
"""Facts: the day of the last look, the last event before it, and the rows that differ."""
KEPT = timedelta(days=60)
DIGEST_CHARS = 24
ANY_ROW = EventKind.DIRECTORY_LOADED, EventKind.REORGANISED, EventKind.PLAN_LOADED, EventKind.SUPERVISOR_CHANGED
"""After these many rows may be others."""
NO_CHANGE = (EventKind.RUNG_FIRED, EventKind.RUNG_SKIPPED)
"""They are about a task and change nothing of what is watched."""


@dataclass(frozen=True)
class Watched:
    """``columns`` change with an event that names the row: ``by`` is its column there, «detail.» for what stands in the
    detail; by nothing where it is empty. ``scope``: which rows are looked at."""

    model: type[SQLModel]
    columns: tuple[str, ...]
    own: str = ""
    by: str = ""
    scope: Callable[[Any, datetime], Any] = lambda t, now: true()


def _of_running(t: Any, now: datetime) -> Any:
    return t.c.plan_id.in_(select(table(Plan).c.id).where(table(Plan).c.state == PlanState.ACTIVE))


def _of_sent(t: Any, now: datetime) -> Any:
    return t.c.letter_id.in_(select(table(Letter).c.id).where(table(Letter).c.sent_at > now - KEPT))


WATCHED = (
    Watched(Report, ("number", "actor", "outcome", "reason", "body", "figures"), "assignment_id", "assignment_id"),
    Watched(Promise, ("number", "made_on", "actor", "promised_on"), "assignment_id", "assignment_id"),
    Watched(
        Assignment,
        ("duty_id", "agency_id", "supervisor_id", "period", "ladder_id", "opened_at", "state", "accepted_at"),
        "id",
        "assignment_id",
        _of_running,
    ),
    Watched(Duty, ("citation", "text", "owners"), "plan_id", "plan_id"),
    Watched(Contact, ("agency_id", "role", "email", "phone"), "id", "detail.contact"),
    Watched(Agency, ("parent_id",), "id", "detail.agency"),
    Watched(PublishedFigures, ("plan_id", "period", "cut_off", "body", "at")),
    Watched(Digest, ("contact_id", "week", "letter_id"), scope=lambda t, now: t.c.at > now - KEPT),
    Watched(Notice, ("letter_id", "assignment_id", "kind"), scope=_of_sent),
    Watched(Letter, ("contact_id", "key", "channel", "agency_id", "day"), scope=lambda t, at: t.c.sent_at > at - KEPT),
    Watched(Fact, ("value",), scope=lambda t, now: t.c.name == INSTALLATION),
)


def look_once_a_night(database: Database, now: datetime) -> None:
    """The first time of a day."""
    with database.read() as session:
        looked = read_fact(session, LOOKED) == local_date(now).isoformat()
    if not looked:
        look(database, now)


def look(database: Database, now: datetime, *, accept: bool = False) -> list[str]:
    """Compare, and keep what is new or explained. Returns the rows that differ, «table id»; with ``accept`` they are
    kept as they are now."""
    differ: list[str] = []
    with database.write() as session:
        since = read_as(read_fact(session, UNTIL), int, 0)
        last = session.connection().scalar(select(func.max(table(Event).c.id))) or 0
        everything = _any(session, since, ANY_ROW)
        for each in WATCHED:
            differ += _look_at(session, each, now, since, everything=everything or accept)
        write_fact(session, UNTIL, str(last))
        write_fact(session, LOOKED, local_date(now).isoformat())
        write_fact(session, DIFFER, json.dumps(differ))
    return differ


def differing(session: Session) -> list[str]:
    """Of the last look."""
    return read_as(read_fact(session, DIFFER), list, [])


def _look_at(session: Session, each: Watched, now: datetime, since: int, *, everything: bool) -> list[str]:
    t, seals = table(each.model), table(RowSeal)
    of_table = select(seals.c.row, seals.c.digest).where(seals.c.of == t.name)
    known = {sealed.row: sealed.digest for sealed in session.connection().execute(of_table)}
    there = _rows(session, each, now)
    wrong = set() if everything else _unexplained(session, each, known, there, since)
    kept = {row: digest for row, (_, digest) in there.items()} | {row: known[row] for row in wrong}
    drop = [row for row, digest in known.items() if kept.get(row) != digest]
    session.connection().execute(delete(seals).where(seals.c.of == t.name, among(session, seals.c.row, drop)))
    new = [{"of": t.name, "row": row, "digest": digest} for row, digest in kept.items() if known.get(row) != digest]
    insert_rows(session, RowSeal, new)
    return [f"{t.name} {row}" for row in sorted(wrong)]


def _rows(session: Session, each: Watched, now: datetime) -> dict[str, tuple[str, str]]:
    """By number: what an event would name, and the digest."""
    t = table(each.model)
    key = next(iter(t.primary_key))
    own = t.c[each.own] if each.own else key
    rows = select(key, own, *(_plain(t.c[name]) for name in each.columns)).where(each.scope(t, now))
    return {str(row[0]): (str(row[1]), _digest(row[1:])) for row in session.connection().execute(rows)}


def _unexplained(
    session: Session, each: Watched, known: Mapping[str, str], there: Mapping[str, tuple[str, str]], since: int
) -> set[str]:
    """Numbers of rows that differ from what is known of them, or are gone, and no event says why."""
    key = next(iter(table(each.model).primary_key))
    changed = {row for row, (_, digest) in there.items() if known.get(row, digest) != digest}
    explained = _named(session, each.by, since) if each.by and changed else set()
    gone = known.keys() - there.keys()
    elsewhere = select(key).where(among(session, cast(key, String), gone))  # no longer looked at
    gone -= set(map(str, session.connection().scalars(elsewhere)))
    lost = set() if _explains_loss(session, each, since) else gone
    return {row for row in changed if there[row][0] not in explained} | lost


def _explains_loss(session: Session, each: Watched, since: int) -> bool:
    """An act that was undone takes its report or promise with it."""
    return each.by == "assignment_id" and _any(session, since, (EventKind.UNDONE,))


def _any(session: Session, since: int, kinds: Iterable[EventKind]) -> bool:
    e = table(Event)
    return session.connection().scalar(select(e.c.id).where(e.c.id > since, e.c.kind.in_(kinds)).limit(1)) is not None


def _named(session: Session, by: str, since: int) -> set[str]:
    """What the events since then name."""
    e = table(Event)
    place = e.c.detail[by.partition(".")[2]].as_string() if "." in by else cast(e.c[by], String)
    names = select(place).where(e.c.id > since, e.c.kind.not_in(NO_CHANGE), place.is_not(None)).distinct()
    return set(map(str, session.connection().scalars(names)))


def _plain(column: Any) -> Any:
    """What a hand has written there may be no word of ours."""
    return cast(column, String) if isinstance(column.type, (Enum, JSON)) else column


def _digest(values: Iterable[Any]) -> str:
    return hashlib.sha256(repr(tuple(values)).encode()).hexdigest()[:DIGEST_CHARS]


PLANS_AT_ONCE, FILES_AT_ONCE = 20, 50
LEASED_BEFORE = timedelta(minutes=30)
SUPPRESSED_BY = (ASKED, "stopped", "dead: ")
"""How every reason begins for which a channel of a contact is not written to."""
FILE_CURSOR, PLAN_CURSOR = "audit_file_cursor", "audit_plan_cursor"


def openings_forgotten(session: Session, now: datetime) -> int:
    """Running plans that expect to open nothing more, though a period is still to come or was never opened; or that
    expect it later than it is due."""
    return len(plans_to_open(session, now, most=PLANS_AT_ONCE))


def plans_to_open(session: Session, now: datetime, most: int | None = None) -> list[int]:
    """Ids of such plans; of at most so many, behind those that were looked at last."""
    p, book, today = table(Plan), read_rulebook(session), local_date(now)
    statement = select_plans().where(p.c.state == PlanState.ACTIVE).order_by(p.c.id)
    if most is not None:
        statement = statement.where(p.c.id > read_as(read_fact(session, PLAN_CURSOR), int, 0)).limit(most)
    found = []
    for plan in objects(StoredPlan, session.connection().execute(statement)):
        expects = session.connection().scalar(select(p.c.next_open_at).where(p.c.id == plan.id))
        there = opened_periods(session, plan.id)
        to_come = planned(session, plan, book.policy(plan.policy_id), book.calendar)
        owed = [each.opens_on for each in to_come if each.duty.owners and each.key not in there]
        if owed if expects is None else any(today < on < local_date(expects) for on in owed):
            found.append(plan.id)
    return found


def plans_without_work(session: Session, now: datetime) -> int:
    """Running plans that have opened nothing and will open nothing."""
    p, a = table(Plan), table(Assignment)
    opened = exists().where(a.c.plan_id == p.c.id)
    return count_rows(session, p, p.c.state == PlanState.ACTIVE, p.c.next_open_at.is_(None), ~opened)


def letters_of_another_day(session: Session, now: datetime) -> int:
    """Owed letters that are not of the person, channel and day of their key: somebody could get two a day, or what is
    another's. A number may follow (``engine.assignments.outbox.letter_key``). Beside these are letters that tell of a
    deputy, one a deputy and person, and answers to messages, which leave by the channel of their key."""
    m = table(Letter)
    person, day = cast(m.c.contact_id, String), cast(m.c.day, String)
    key = literal("letter:") + person + literal(":") + m.c.channel + literal(":") + day
    of_deputy = m.c.key.startswith(DEPUTY_NAMED) & m.c.key.endswith(literal(":") + person)
    answer = m.c.key.startswith(literal(ANSWER) + m.c.channel + literal(":"))
    its_own = or_(m.c.key == key, m.c.key.startswith(key + literal(":")), of_deputy, answer)
    return count_rows(session, m, STILL_OWED, ~its_own)


def sending_without_lease(session: Session, now: datetime) -> int:
    """Letters that are said to be on their way by nobody."""
    m = table(Letter)
    gone = or_(m.c.lease_until.is_(None), m.c.leased_by == "")
    sending = STILL_OWED, m.c.state == LetterState.SENDING  # the first has an index
    return count_rows(session, m, *sending, gone, m.c.created_at < now - LEASED_BEFORE)


def contacts_without_address(session: Session, now: datetime) -> int:
    """Contacts of today who can be reached by nothing, or whose mailbox is none."""
    c = table(Contact)
    current = or_(c.c.valid_until.is_(None), c.c.valid_until >= local_date(now))
    nothing = or_((c.c.email == "") & (c.c.phone == ""), (c.c.email != "") & c.c.email.not_like("%_@_%"))
    return count_rows(session, c, nothing, current)


def letters_without_lines(session: Session, now: datetime) -> int:
    """Owed letters of the day that say nothing, and lines of owed letters of another task than their key names."""
    m, n = table(Letter), table(Notice)
    lines = exists().where(n.c.letter_id == m.c.id)
    empty = count_rows(session, m, STILL_OWED, m.c.digest_week.is_(None), about_duties(), ~lines)
    its_own = n.c.key.startswith(literal("assignment:") + cast(n.c.assignment_id, String) + literal(":"))
    both = n.join(m, m.c.id == n.c.letter_id)
    return empty + count_rows(session, both, STILL_OWED, n.c.key.startswith("assignment:"), ~its_own)


def suppressed_without_cause(session: Session, now: datetime) -> int:
    """Contacts who are not written to for a reason that no program of ours gives."""
    rows: list[dict[str, str]] = list(session.connection().scalars(select(table(Contact).c.suppressed)))
    return sum(not why.startswith(SUPPRESSED_BY) for row in rows for why in (row or {}).values())


def promises_differ(session: Session, now: datetime) -> int:
    """Tasks that wait for another day than their standing promise names, for a day that nobody promised, or that were
    chased higher for promises which were not broken. Of a day from before there were promises there is a report."""
    a, p, r = table(Assignment), table(Promise), table(Report)
    other = or_(a.c.promised_on.is_(None), a.c.promised_on != p.c.promised_on)
    both = p.outerjoin(a, p.c.assignment_id == a.c.id)  # a promise of no task is one, too
    differ = count_rows(session, both, p.c.state == PromiseState.STANDING, a.c.done_on.is_(None), other)
    named = exists().where(p.c.assignment_id == a.c.id, p.c.promised_on == a.c.promised_on)
    promises = select(func.count()).where(p.c.assignment_id == a.c.id).correlate(a).scalar_subquery()
    older = exists().where(r.c.assignment_id == a.c.id) & (promises == 0)
    made_up = or_(~named, a.c.broken_before > promises) & ~older
    standing = exists().where(p.c.assignment_id == a.c.id, p.c.state == PromiseState.STANDING)
    return differ + count_rows(session, a, PROMISED, a.c.done_on.is_(None), ~standing, made_up)


def plans_of_another_state(session: Session, now: datetime) -> int:
    """Plans that run though nobody set them going, wait though somebody did, or have ended while work goes on."""
    p, a = table(Plan), table(Assignment)
    goes_on = exists().where(a.c.plan_id == p.c.id, a.c.next_action_at.is_not(None))
    wrong = or_(
        (p.c.state == PlanState.ACTIVE) & p.c.activated_at.is_(None),
        (p.c.state == PlanState.LOADED) & p.c.activated_at.is_not(None),
        (p.c.state == PlanState.ENDED) & goes_on,
    )
    return count_rows(session, p, wrong)


def evidence_lost(database: Database, folder: Path) -> int:
    """Files that are missing, or are not what their digest says; a part each time."""
    f = table(Evidence)
    with database.read() as session:
        after = read_fact(session, FILE_CURSOR) or ""
        statement = select(f.c.digest, f.c.size).where(f.c.digest > after).order_by(f.c.digest).limit(FILES_AT_ONCE)
        rows = [(digest, size) for digest, size in session.connection().execute(statement)]
    wrong = sum(not _is(path_of(folder, digest), digest, size) for digest, size in rows)
    last = rows[-1][0] if len(rows) == FILES_AT_ONCE else ""
    if last != after:
        with database.write() as session:
            write_fact(session, FILE_CURSOR, last)
    return wrong


def move_cursor(session: Session) -> None:
    """On to the plans behind those that were looked at; from the first again behind the last."""
    p, after = table(Plan), read_as(read_fact(session, PLAN_CURSOR), int, 0)
    ids = select(p.c.id).where(p.c.state == PlanState.ACTIVE, p.c.id > after)
    seen = session.connection().scalars(ids.order_by(p.c.id).limit(PLANS_AT_ONCE)).all()
    last = str(seen[-1] if len(seen) == PLANS_AT_ONCE else 0)
    if last != str(after):
        write_fact(session, PLAN_CURSOR, last)


def _is(path: Path, digest: str, size: int) -> bool:
    try:
        with path.open("rb") as file:
            return path.stat().st_size == size and hashlib.file_digest(file, "sha256").hexdigest() == digest
    except OSError:
        return False


def count_rows(session: Session, of: Any, *conditions: Any) -> int:
    return session.connection().scalar(select(func.count()).select_from(of).where(*conditions)) or 0


MAX_BACKUP_AGE = timedelta(days=3)
LEAST_FREE = 0.1
"""Of the data folder's disk."""
HOLIDAYS_BY = (12, 15)
"""Month and day by which the next year's holidays are entered; they are published in November."""


def office_findings(session: Session, settings: Settings, now: datetime) -> dict[str, int]:
    """What every machine of the office sees alike."""
    found = {"backup_old": backup_old(session, now), "holidays_missing": holidays_missing(session, now)}
    if settings.arrival_proof is ArrivalProof.DAILY:
        found["canary_missing"] = arrival.missing(session, now)
    elif settings.arrival_proof is ArrivalProof.WEEKLY:
        found["arrival_unconfirmed"] = arrival.unconfirmed(session, now)
    return found


def machine_findings(settings: Settings, database: Database) -> dict[str, int]:
    """What this machine alone sees of what lies on it."""
    return {"disk_low": disk_low(settings.data_dir), "evidence_lost": evidence_lost(database, settings.files)}


def disk_low(folder: Path, least: float = LEAST_FREE) -> int:
    usage = shutil.disk_usage(folder)
    return int(usage.free < usage.total * least)


def backup_old(session: Session, now: datetime) -> int:
    """No good backup for three days, of an office whose plans have run as long."""
    p = table(Plan)
    begun = session.connection().scalar(select(func.min(p.c.activated_at)).where(p.c.state == PlanState.ACTIVE))
    if begun is None:
        return 0
    return int(now - max(begun, last_backup(session) or begun) > MAX_BACKUP_AGE)


def holidays_missing(session: Session, now: datetime) -> int:
    """Nobody has entered the holidays of the next year by the middle of December, and a plan is running."""
    today, d, p = local_date(now), table(CalendarDay), table(Plan)
    if today < date(today.year, *HOLIDAYS_BY):
        return 0
    following = (d.c.day >= date(today.year + 1, 1, 1), d.c.day <= date(today.year + 1, 12, 31))
    entered = exists().where(d.c.kind == DayKind.HOLIDAY, *following)
    running = exists().where(p.c.state == PlanState.ACTIVE)
    return int(bool(session.connection().scalar(select(running & ~entered))))
