"""Plans and assignments as they are stored, read-only: what several rooms pass on from one query to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, select

from engine.store.database import table
from engine.store.named_rows import columns_for
from engine.store.records import Assignment, Plan
from engine.terms import Outcome, PastPeriods, PlanState, Quiet, State, Urgency


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
