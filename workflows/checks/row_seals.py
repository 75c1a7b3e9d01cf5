"""What is written once stays as it was written, and what changes does so with an event: each night the rows that say
who owes, said or was told what are compared with what they were the night before.

A hand in the database leaves no event. What changed and has none is a finding, by table and row, until it is as it was
or somebody says why (``dondoc audit rows``). What is spoiled on the day on which it was written is not noticed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import JSON, Enum, String, cast, delete, func, select, true
from sqlmodel import Session, SQLModel

from engine.rules.calendar import local_date
from engine.store.database import Database, among, insert_rows, table
from engine.store.facts import INSTALLATION, read_as, read_fact, write_fact
from engine.store.records import (
    Agency,
    Assignment,
    Contact,
    Digest,
    Duty,
    Event,
    Fact,
    Letter,
    Notice,
    Plan,
    Promise,
    PublishedFigures,
    Report,
    RowSeal,
)
from engine.terms import EventKind, PlanState

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
