"""The audit log: everything that happened, newest first, narrowed by what, who, which plan, which agency and when.

It only grows, so nothing here counts it. A page walks back along the primary key and looks at no more than ``SPAN``
events; where these are spent it shows what it has and says from where to go on. A day is found by halving the ids,
since events are written in the order in which they happen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, and_, case, cast, exists, func, literal, or_, select
from sqlmodel import Session

from engine.queries.paging import PER_PAGE, decode, encode
from engine.queries.work.assignment_story import Person, people_of
from engine.rules.calendar import ONE_DAY, instant
from engine.store.database import table
from engine.store.records import Agency, Assignment, Duty, Event, Plan
from engine.terms import EventKind

SPAN = 50_000
"""How many events one page may look at: some tens of milliseconds, however rare what is sought."""
OUT_OF_ORDER = 1_000
"""How far two events of the same moment may stand apart when several processes write at once."""


@dataclass(frozen=True)
class LogFilter:
    """Which events; an empty field does not narrow. ``actor``: one («account:3») or all of a kind («account»);
    ``agency_id``: of the assignment, or of the directory; ``since`` and ``until``: local days, both included."""

    kind: EventKind | None = None
    actor: str = ""
    plan_id: int | None = None
    agency_id: str = ""
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class LogRow:
    """One event with what it was about. ``plan`` is its number; ``agency`` the assignment's owner."""

    id: int
    at: datetime
    kind: EventKind
    actor: str
    plan_id: int | None
    plan: str | None
    assignment_id: int | None
    citation: str | None
    agency: str | None
    detail: Mapping[str, Any]
    key: str | None


@dataclass(frozen=True)
class Log:
    """``next``: where the next page begins ("": nowhere). ``unfinished``: the span was spent before the page was full,
    so there may be more further back. ``people``: actor -> who it is."""

    rows: tuple[LogRow, ...]
    next: str
    unfinished: bool
    people: Mapping[str, Person]


def log(session: Session, wanted: LogFilter, *, after: str = "", limit: int = PER_PAGE, span: int = SPAN) -> Log:
    """At most five statements, none of which grows with what is stored."""
    first, last = _ends(session, wanted)
    if after:
        last = min(last, decode(after, int)[0] - 1)
    lowest = max(first, last - span + 1)
    rows = [LogRow(*row) for row in session.connection().execute(_rows(wanted, lowest, last, limit + 1))]
    shown = tuple(rows[:limit])
    people = people_of(session, (row.actor for row in shown))
    if len(rows) > limit:
        return Log(shown, encode(shown[-1].id), False, people)
    return Log(shown, encode(lowest) if lowest > first else "", lowest > first, people)


def _rows(wanted: LogFilter, lowest: int, last: int, limit: int) -> Any:
    e, p, a, d, g = table(Event), table(Plan), table(Assignment), table(Duty), table(Agency)
    found = select(e).where(e.c.id.between(lowest, last), *_conditions(wanted)).order_by(e.c.id.desc()).limit(limit)
    f = found.subquery()
    return (
        select(
            f.c.id,
            f.c.at,
            f.c.kind,
            f.c.actor,
            f.c.plan_id,
            p.c.number,
            f.c.assignment_id,
            d.c.citation,
            g.c.name,
            f.c.detail,
            f.c.key,
        )
        .outerjoin(p, p.c.id == f.c.plan_id)
        .outerjoin(a, a.c.id == f.c.assignment_id)
        .outerjoin(d, d.c.id == a.c.duty_id)
        .outerjoin(g, g.c.id == a.c.agency_id)
        .order_by(f.c.id.desc())
    )


def _conditions(wanted: LogFilter) -> list[ColumnElement[bool]]:
    e, a = table(Event), table(Assignment)
    found: list[ColumnElement[bool]] = []
    if wanted.kind:
        found.append(e.c.kind == wanted.kind)
    if wanted.actor:
        found.append(or_(e.c.actor == wanted.actor, e.c.actor.startswith(f"{wanted.actor}:", autoescape=True)))
    if wanted.plan_id:
        found.append(e.c.plan_id == wanted.plan_id)
    if wanted.agency_id:
        owns = exists().where(a.c.id == e.c.assignment_id, a.c.agency_id == wanted.agency_id)
        told = and_(e.c.assignment_id.is_(None), e.c.detail["agency"].as_string() == wanted.agency_id)
        found.append(or_(owns, told))
    if wanted.since:
        found.append(e.c.at >= instant(wanted.since, time()))
    if wanted.until:
        found.append(e.c.at < instant(wanted.until + ONE_DAY, time()))
    return found


def _ends(session: Session, wanted: LogFilter) -> tuple[int, int]:
    """The first and last id that the days allow, some to spare; one statement."""
    newest = select(func.coalesce(func.max(table(Event).c.id), 0)).scalar_subquery()
    begins = _first_since(wanted.since, "begins") if wanted.since else literal(1)
    ends = _first_since(wanted.until + ONE_DAY, "ends") if wanted.until else newest + 1
    first, last, most = session.connection().execute(select(begins, ends, newest)).one()
    spare = OUT_OF_ORDER if wanted.since or wanted.until else 0
    return max(1, first - spare), min(most, last - 1 + spare)


def _first_since(day: date, name: str) -> Any:
    """The first id whose event happened on a day or later, found by halving: some twenty looks at the primary key."""
    e = table(Event)
    newest = select(func.coalesce(func.max(e.c.id), 0)).scalar_subquery()
    whole = cast(literal(1), BigInteger)
    low_high = select(whole.label("low"), cast(newest + 1, BigInteger).label("high")).cte(name, recursive=True)
    middle = (low_high.c.low + low_high.c.high) // 2
    looked_at = select(e.c.at).where(e.c.id >= middle).order_by(e.c.id).limit(1).correlate(low_high).scalar_subquery()
    earlier = looked_at < instant(day, time())
    halved = select(
        case((earlier, middle + 1), else_=low_high.c.low), case((earlier, low_high.c.high), else_=middle)
    ).where(low_high.c.low < low_high.c.high)
    both = low_high.union_all(halved)
    return select(both.c.low).where(both.c.low >= both.c.high).limit(1).scalar_subquery()
