"""The list of agencies by level, with the numbers of unfinished and overdue tasks.

The agencies that a department follows: those in the plans that it supervises or has issued.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from operator import attrgetter
from typing import Any

from sqlalchemy import case, exists, func, select, union
from sqlmodel import Session

from engine.agencies.directory_loading import exists_on
from engine.assignments import situations
from engine.files.directory import name_key
from engine.queries.filter_choices import Orders, sorted_by_order
from engine.queries.paging import Page, decode, page
from engine.queries.time_class import Today
from engine.rules.words import level_rank, name_order
from engine.store.data_versions import Topic, depends_on
from engine.store.database import table
from engine.store.records import Agency, Assignment, Plan
from engine.store.stored_rows import object_of

PER_PAGE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencyRow:
    id: str
    name: str
    short: str
    level: str
    parent_id: str | None
    open: int
    overdue: int


SORTS: Orders[AgencyRow] = {
    "name": lambda row: name_order(row.name),
    "open": attrgetter("open"),
    "overdue": attrgetter("overdue"),
}
OWN_SORT = "-overdue"


def list_agencies(
    session: Session, today: Today, *, after: str = "", limit: int = PER_PAGE, sort: str = ""
) -> Page[AgencyRow]:
    """As in the directory, or by one of ``SORTS``; one query, which reads it whole."""
    a, g = table(Assignment), table(Agency)
    counts = (
        select(
            a.c.agency_id,
            func.count().label("open"),
            func.sum(case((situations.overdue(today.day), 1), else_=0)).label("overdue"),
        )
        .where(situations.owed())
        .group_by(a.c.agency_id)
        .subquery()
    )
    open_now, late = (func.coalesce(counts.c[name], 0).label(name) for name in ("open", "overdue"))
    statement = select(g, open_now, late).outerjoin(counts, counts.c.agency_id == g.c.id)
    found = sorted(session.connection().execute(statement), key=directory_order)
    rows = sorted_by_order((object_of(AgencyRow, row) for row in found), SORTS, sort)
    offset = max(decode(after, int)[0], 0) if after else 0
    return page(rows[offset : offset + limit + 1], limit, lambda _: (offset + limit,), len(rows))


def directory_order(row: Any) -> tuple[int, str, tuple[str, str], str]:
    """Sort key of agencies in all lists: level, code, name."""
    return level_rank(row.level), row.code or "", name_order(row.name), row.id


@depends_on(Topic.DIRECTORY)
def places_in_directory(session: Session) -> Mapping[str, int]:
    """By code and name, whatever the level."""
    g = table(Agency)
    rows = session.connection().execute(select(g.c.id, g.c.code, g.c.name, g.c.level))
    ordered = sorted(rows, key=lambda row: directory_order(row)[1:])
    return {row.id: place for place, row in enumerate(ordered)}


@depends_on(Topic.WORK, Topic.DIRECTORY)
def agency_choices(
    session: Session, plan_id: int | None = None, *, on: date | None = None
) -> tuple[tuple[str, str], ...]:
    """(id, name) of every agency: the options of a select. With a plan, of those that owe something in it: an old
    plan's districts, not the communes that came after them. With a day, of those that exist on it."""
    g, a = table(Agency), table(Assignment)
    statement = select(g.c.id, g.c.name, g.c.names, g.c.level, g.c.code)
    if plan_id is not None:
        statement = statement.where(g.c.id.in_(select(a.c.agency_id).where(a.c.plan_id == plan_id).distinct()))
    rows = sorted(session.connection().execute(statement), key=directory_order)
    return tuple((row.id, row.name) for row in rows if on is None or exists_on(row.names, on))


def agencies_named(session: Session, typed: Collection[str]) -> dict[str, str]:
    """By what was typed, the id of the agency with this id, name, short name or alias; without those that nothing, or
    more than one agency, answers to. No query if nothing was typed."""
    wanted = {words: name_key(words) for words in typed if words.strip()}
    if not wanted:
        return {}
    g = table(Agency)
    known: dict[str, set[str]] = {}
    by_id: dict[str, set[str]] = {}
    for row in session.connection().execute(select(g.c.id, g.c.name, g.c.short, g.c.aliases)):
        by_id[row.id] = {row.id}
        for name in (row.name, row.short, *row.aliases):
            known.setdefault(name_key(name), set()).add(row.id)
    found = {words: by_id.get(words) or known.get(key, set()) for words, key in wanted.items()}
    return {words: next(iter(ids)) for words, ids in found.items() if len(ids) == 1}


def followed_agencies(session: Session, department_id: str) -> frozenset[str]:
    """Owners of assignments in its plans, the supervisors and issuers of these plans, and the department itself."""
    g, a, p = table(Agency), table(Assignment), table(Plan)
    its_own = (p.c.supervisor_id == department_id) | (p.c.issuer_id == department_id)
    plans = select(p.c.id).where(its_own)
    owners = select(g.c.id).where(exists().where(a.c.agency_id == g.c.id, a.c.plan_id.in_(plans)))
    issuers, supervisors = (select(column).where(its_own) for column in (p.c.issuer_id, p.c.supervisor_id))
    return frozenset(session.connection().scalars(union(owners, issuers, supervisors))) | {department_id}
