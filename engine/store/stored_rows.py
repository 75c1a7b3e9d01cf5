"""Plans and assignments as they are stored, read-only: what several rooms pass on from one query to the next.

Rows of a query as objects of a dataclass, matched by name: a column whose label is no field, or a field that no
column has, is an error of the query and not a swap of two strings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from datetime import date, datetime
from functools import cache, lru_cache
from operator import itemgetter
from typing import Any, TypeAlias, TypeVar, cast

from sqlalchemy import ColumnElement, FromClause, Result, Row, Select, select
from sqlmodel import Session

from engine.store.database import table
from engine.store.records import Agency, AgencyGroup, Assignment, Plan
from engine.terms import Outcome, PastPeriods, PlanState, Quiet, State, Urgency

T = TypeVar("T")
AnyRow: TypeAlias = Row[*tuple[Any, ...]]
"""A row of a statement whose columns mypy does not follow; its values are read by name. ``row.name`` takes half a
microsecond, of an object or of ``row._mapping`` a twentieth: for thousands of rows make objects first."""


def columns_for(kind: type[Any], source: FromClause) -> list[ColumnElement[Any]]:
    """The columns of a table that are named like the fields of ``kind``."""
    return [source.c[field.name] for field in fields(kind)]


def objects(kind: type[T], result: Result[*tuple[Any, ...]], /, **same: Any) -> list[T]:
    """One object of ``kind`` a row. ``same``: fields with one value for all rows, which the query need not have. Raises
    TypeError if the labels of the statement are not the other fields (those with a default may be left out)."""
    keys, dataclass = tuple(result.keys()), cast(Any, kind)
    names = _fields_of(dataclass, keys, tuple(same))
    return [kind(**dict(zip(names, row, strict=True)), **same) for row in result]


def objects_of(kind: type[T], rows: Sequence[AnyRow]) -> list[T]:
    """One object of ``kind`` for each of some rows of one statement, which may have more columns. Raises TypeError if a
    field without a default has no column."""
    if not rows:
        return []
    keys = rows[0]._fields
    names = _columns_of(cast(Any, kind), keys, ())
    values = itemgetter(*map(keys.index, names)) if len(names) > 1 else lambda row: (row[keys.index(names[0])],)
    return [kind(**dict(zip(names, values(row), strict=True))) for row in rows]


def object_of(kind: type[T], row: AnyRow, /, **computed: Any) -> T:
    """An object of a row's columns and of what was computed from it; a computed field wins over a column of its name.
    Columns that are no field are for whoever computes. Raises TypeError if a field without a default has no value."""
    columns, dataclass = row._mapping, cast(Any, kind)
    names = _columns_of(dataclass, tuple(columns), tuple(computed))
    return kind(**{name: columns[name] for name in names}, **computed)


@lru_cache(maxsize=1024)
def _fields_of(kind: type[Any], keys: Sequence[str], given: Sequence[str]) -> tuple[str, ...]:
    """The field of each column: equal to ``keys``, but the class's own strings, which Python passes on faster."""
    known = {each.name: each.name for each in fields(kind) if each.init}
    unknown = [name for name in keys if name not in known or name in given]
    missing = [name for name in _required(kind) if name not in keys and name not in given]
    if unknown or missing or len(set(keys)) < len(keys):
        raise TypeError(f"{kind.__name__}: columns without a field {unknown}, fields without a column {missing}")
    return tuple(known[key] for key in keys)


@lru_cache(maxsize=1024)
def _columns_of(kind: type[Any], keys: Sequence[str], computed: Sequence[str]) -> tuple[str, ...]:
    known = [each.name for each in fields(kind) if each.init]
    missing = [name for name in _required(kind) if name not in keys and name not in computed]
    if missing or set(computed) - set(known):
        raise TypeError(f"{kind.__name__}: fields without a value {missing}, no fields {set(computed) - set(known)}")
    names = tuple(name for name in known if name in keys and name not in computed)
    if twice := [name for name in names if keys.count(name) > 1]:
        raise TypeError(f"{kind.__name__}: two columns for {twice}")
    return names


def _required(kind: type[Any]) -> list[str]:
    return [
        each.name for each in fields(kind) if each.init and each.default is MISSING and each.default_factory is MISSING
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPlan:
    id: int
    number: str
    issuer_id: str
    issued_on: date
    title: str
    short_title: str
    supervisor_id: str
    urgency: Urgency
    policy_id: str
    state: PlanState
    activated_at: datetime | None
    past_periods: PastPeriods
    file: dict[str, Any]
    followed: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAssignment:
    """Every column of an assignment."""

    id: int
    plan_id: int
    duty_id: int
    agency_id: str
    supervisor_id: str
    period: str
    window_start: date | None
    window_end: date | None
    nominal_due: date | None
    original_due_on: date | None
    due_on: date | None
    due_why: Mapping[str, str]
    ladder_id: int
    state: State
    opened_at: datetime
    opened_on: date
    acknowledged_at: datetime | None
    reported_at: datetime | None
    reported_on: date | None
    outcome: Outcome | None
    done_on: date | None
    promised_on: date | None
    broken_before: int
    first_reported_on: date | None
    first_due_on: date | None
    returns: int
    request: bool
    not_asked_on: date | None
    accepted_at: datetime | None
    acted_until: date | None
    next_action_at: datetime | None
    quiet: Quiet | None
    level: int
    transferred_from_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentOfPlan(StoredAssignment):
    """With what its plan says of every letter about it."""

    urgency: Urgency
    policy_id: str


@cache
def select_plans() -> Select[*tuple[Any, ...]]:
    """The columns of ``StoredPlan``."""
    return select(*columns_for(StoredPlan, table(Plan)))


@cache
def select_assignments() -> Select[*tuple[Any, ...]]:
    """The columns of ``StoredAssignment``."""
    return select(*columns_for(StoredAssignment, table(Assignment)))


def is_agency(session: Session, agency_id: str) -> bool:
    """Whether the directory has an agency, ended ones included."""
    g = table(Agency)
    return session.connection().scalar(select(g.c.id).where(g.c.id == agency_id)) is not None


def members_of_groups(session: Session) -> dict[str, list[str]]:
    """Group id -> its members, ids of agencies."""
    n = table(AgencyGroup)
    return {row.id: row.members for row in session.connection().execute(select(n.c.id, n.c.members))}
