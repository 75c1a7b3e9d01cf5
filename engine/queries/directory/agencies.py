"""The list of agencies by level, with the numbers of unfinished and overdue tasks.

The agencies that a department follows: those in the plans that it supervises or has issued.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Subquery, case, exists, func, select, union
from sqlmodel import Session

from engine.agencies.directory_loading import exists_on
from engine.assignments import situations
from engine.files.directory import name_key
from engine.queries.filter_choices import sql_order
from engine.queries.paging import Page, decode, page
from engine.queries.time_class import Today
from engine.rules.words import LEVELS, level_rank
from engine.store.data_versions import Topic, depends_on
from engine.store.database import table
from engine.store.records import Agency, Assignment, Plan
from engine.store.stored_rows import objects

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


SORTS: Mapping[str, Callable[[Subquery], ColumnElement[Any]]] = {
    "name": lambda _: table(Agency).c.name,
    "open": lambda counts: func.coalesce(counts.c.open, 0),
    "overdue": lambda counts: func.coalesce(counts.c.overdue, 0),
}


def list_agencies(
    session: Session, today: Today, *, after: str = "", limit: int = PER_PAGE, sort: str = ""
) -> Page[AgencyRow]:
    """By level, code and name, or by one of ``SORTS``; two queries."""
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
    statement = (
        select(
            g.c.id,
            g.c.name,
            g.c.short,
            g.c.level,
            g.c.parent_id,
            func.coalesce(counts.c.open, 0).label("open"),
            func.coalesce(counts.c.overdue, 0).label("overdue"),
        )
        .outerjoin(counts, counts.c.agency_id == g.c.id)
        .order_by(*sql_order({key: [order(counts)] for key, order in SORTS.items()}, sort), *in_order())
    )
    offset = decode(after, int)[0] if after else 0
    rows = objects(AgencyRow, session.connection().execute(statement.offset(offset).limit(limit + 1)))
    total = session.connection().scalar(select(func.count()).select_from(g))
    return page(rows, limit, lambda _: (offset + limit,), total)


def in_order() -> tuple[Any, ...]:
    """ORDER BY expressions for agencies: level, code, name; shared by all lists of agencies."""
    g = table(Agency)
    ranks = {level: level_rank(level) for level in LEVELS}
    return case(ranks, value=g.c.level, else_=len(LEVELS)), g.c.code, g.c.name, g.c.id


@depends_on(Topic.DIRECTORY)
def places_in_directory(session: Session) -> Mapping[str, int]:
    """By code and name, whatever the level."""
    g = table(Agency)
    ordered = select(g.c.id).order_by(g.c.code, g.c.name, g.c.id)
    return {agency_id: place for place, agency_id in enumerate(session.connection().scalars(ordered))}


@depends_on(Topic.WORK, Topic.DIRECTORY)
def agency_choices(
    session: Session, plan_id: int | None = None, *, on: date | None = None
) -> tuple[tuple[str, str], ...]:
    """(id, name) of every agency: the options of a select. With a plan, of those that owe something in it: an old
    plan's districts, not the communes that came after them. With a day, of those that exist on it."""
    g, a = table(Agency), table(Assignment)
    statement = select(g.c.id, g.c.name, g.c.names).order_by(*in_order())
    if plan_id is not None:
        statement = statement.where(g.c.id.in_(select(a.c.agency_id).where(a.c.plan_id == plan_id).distinct()))
    rows = session.connection().execute(statement)
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
