"""The options of filters: plans, periods, agency levels, departments.

How a list is ordered: a key, by which the URL may ask for it, -> what it orders by; «-key»: backwards.

A plan by its number in the database, and the active ones.

The default reporting period of a plan.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, cast, func, select
from sqlalchemy import types as sql_types
from sqlmodel import Session

from engine.assignments import situations
from engine.errors import NotFound
from engine.rules.words import level_rank, name_order
from engine.store.data_versions import Topic, depends_on
from engine.store.database import table
from engine.store.recipients import lifetime
from engine.store.records import Agency, Assignment, Plan
from engine.store.stored_rows import StoredPlan, object_of, select_plans
from engine.terms import PlanState
from engine.text import Text


def find_plan(session: Session, plan_id: int) -> StoredPlan | None:
    """The plan; None if there is none."""
    row = session.connection().execute(select_plans().where(table(Plan).c.id == plan_id)).first()
    return None if row is None else object_of(StoredPlan, row)


def plan_of(session: Session, plan_id: int) -> StoredPlan:
    """Raises NotFound."""
    found = find_plan(session, plan_id)
    if found is None:
        raise NotFound(Text(f"Không có kế hoạch số {plan_id}.", f"There is no plan {plan_id}."))
    return found


@depends_on(Topic.PLANS)
def active_plans(session: Session) -> tuple[tuple[int, str], ...]:
    """(id, supervisor) of each active plan, newest first."""
    p = table(Plan)
    statement = select(p.c.id, p.c.supervisor_id).where(p.c.state == PlanState.ACTIVE)
    found = session.connection().execute(statement.order_by(p.c.issued_on.desc(), p.c.id))
    return tuple((plan_id, supervisor_id) for plan_id, supervisor_id in found)


def main_period(session: Session, plan_id: int) -> str:
    """The latest of the plan's main periods: those with at least half as many assignments as the largest. «once» while
    nothing is open."""
    a = table(Assignment)
    statement = select(a.c.period, func.count(), func.max(a.c.original_due_on)).group_by(a.c.period)
    rows = session.connection().execute(statement.where(a.c.plan_id == plan_id, situations.counted())).all()
    largest = max((row[1] for row in rows), default=0)
    main = [(row[2] or date.min, row[0]) for row in rows if 2 * row[1] >= largest]
    return max(main, default=(date.min, "once"))[1]


MAX_LISTED_PLANS = 60
"""With more plans than this, the user types the number instead of choosing from a list."""
TYPED_NUMBER = re.compile(r"(?P<number>.*?)\s*(?:\((?P<year>[12]\d{3})\))?")


@dataclass(frozen=True)
class PlanChoices:
    """(id, number and the year planned) of active and ended plans, newest first. ``many``: too many for a list; then
    only the chosen one is listed."""

    listed: tuple[tuple[str, str], ...]
    many: bool


@depends_on(Topic.PLANS)
def plan_choices(session: Session, chosen: int | None = None) -> PlanChoices:
    p = table(Plan)
    is_chosen = p.c.id == chosen
    statement = select(p.c.id, p.c.number, p.c.year).where(p.c.state != PlanState.LOADED)
    statement = statement.order_by(is_chosen.desc(), p.c.issued_on.desc(), p.c.id).limit(MAX_LISTED_PLANS + 1)
    rows = [(row.id, f"{row.number} ({row.year})") for row in session.connection().execute(statement)]
    many = len(rows) > MAX_LISTED_PLANS
    if many:
        rows = [row for row in rows[:1] if row[0] == chosen]
    return PlanChoices(tuple((str(plan_id), words) for plan_id, words in rows), many)


def plan_numbered(session: Session, typed: str) -> int:
    """The newest plan with the typed number: «188», «188/KH-UBND» or «188/KH-UBND (2021)». Raises NotFound."""
    p = table(Plan)
    parts: Any = TYPED_NUMBER.fullmatch(" ".join(typed.split()))
    number = func.lower(p.c.number)
    wanted = parts["number"].lower()
    matches = (number == wanted) | number.startswith(f"{wanted}/", autoescape=True)
    statement = select(p.c.id).where(
        p.c.state != PlanState.LOADED, matches | number.startswith(f"{wanted}-", autoescape=True)
    )
    if parts["year"]:
        statement = statement.where(p.c.year == int(parts["year"]))
    plan_id = session.connection().scalar(statement.order_by(p.c.issued_on.desc(), p.c.id.desc()).limit(1))
    if plan_id is None:
        raise NotFound(
            Text(
                f"Không có kế hoạch nào đang chạy hoặc đã chạy mang số «{typed}»; hãy tìm ở trang Kế hoạch.",
                f"No active or ended plan has the number “{typed}”; look for it on the Plans page.",
            )
        )
    return int(plan_id)


def period_choices(session: Session, plan_id: int | None) -> tuple[str, ...]:
    """Periods that have assignments, by due date. Reads all assignments; a board has its own ``choices``."""
    a, p = table(Assignment), table(Plan)
    statement = select(a.c.period, func.min(a.c.due_on).label("due")).join(p, p.c.id == a.c.plan_id)
    statement = statement.where(p.c.state == PlanState.ACTIVE if plan_id is None else a.c.plan_id == plan_id)
    rows = session.connection().execute(statement.group_by(a.c.period)).all()
    return tuple(row.period for row in sorted(rows, key=lambda row: (row.due or date.max, row.period)))


@depends_on(Topic.PLANS, Topic.DIRECTORY)
def kind_choices(session: Session, today: date, plan_id: int | None = None) -> tuple[str, ...]:
    """The levels of the agencies that existed while the plan (without one, any active plan) ran until today, in the
    directory's order: a plan of 2021 offers districts and no communes of 2025."""
    p, g, connection = table(Plan), table(Agency), session.connection()
    which = p.c.state == PlanState.ACTIVE if plan_id is None else p.c.id == plan_id
    final_year = func.max(func.coalesce(p.c.file["last_year"].as_integer(), p.c.year))
    first, last_year = connection.execute(select(func.min(p.c.issued_on), final_year).where(which)).one()
    begin = min(first or today, today)
    end = max(begin, min(today, date(last_year, 12, 31))) if plan_id is not None and last_year else today
    rows = connection.execute(select(g.c.level, cast(g.c.names, sql_types.Text)).distinct())
    levels = {level for level, names in rows if _existed(names, begin, end)}
    return tuple(sorted(levels, key=lambda level: (level_rank(level), level)))


def _existed(names: str, begin: date, end: date) -> bool:
    """Whether an agency existed on some day between the two."""
    first, last = lifetime(names)
    return (first is None or first <= end) and (last is None or last >= begin)


@depends_on(Topic.PLANS, Topic.DIRECTORY)
def department_choices(session: Session) -> tuple[tuple[str, str], ...]:
    """(id, name) of the departments that supervise an active plan."""
    p, g = table(Plan), table(Agency)
    following = select(p.c.supervisor_id).where(p.c.state == PlanState.ACTIVE)
    rows = session.connection().execute(select(g.c.id, g.c.name).where(g.c.id.in_(following)))
    return tuple(sorted(((agency_id, name) for agency_id, name in rows), key=lambda each: name_order(each[1])))


T = TypeVar("T")
SqlOrders = Mapping[str, Sequence[ColumnElement[Any]]]
Orders = Mapping[str, Callable[[T], Any]]


def sql_order(orders: SqlOrders, sort: str) -> list[ColumnElement[Any]]:
    """ORDER BY expressions; none for ""."""
    expressions = orders[sort.removeprefix("-")] if sort else ()
    return [each.desc() if sort.startswith("-") else each.asc() for each in expressions]


def sorted_by_order(rows: Iterable[T], orders: Orders[T], sort: str) -> list[T]:
    """The rows in the order; as they are for ""."""
    return sorted(rows, key=orders[sort.removeprefix("-")], reverse=sort.startswith("-")) if sort else list(rows)
