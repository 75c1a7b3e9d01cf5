"""Filters as they stand in an address: typed, bounded, and an empty one («all») the same as none."""

from __future__ import annotations

import unicodedata
from datetime import date
from typing import Annotated, Any

from fastapi import Depends, Path, Query, Request
from pydantic import AfterValidator, BeforeValidator, Field

from engine.errors import BadInput
from engine.http.request_context import tools_of
from engine.queries.filter_choices import plan_numbered
from engine.queries.system.letters import LetterFilter
from engine.queries.system.log import LogFilter
from engine.queries.work.assignments import AssignmentFilter, Waiting
from engine.rules.calendar import FIRST_YEAR, LAST_YEAR
from engine.terms import EventKind, LetterState, NoticeKind, Role, State, TimeClass
from engine.text import Text

MOST_SMALL, MOST_BIG = 2**31 - 1, 2**63 - 1


def _none(value: Any) -> Any:
    return None if value == "" else value


def _some(values: Any) -> Any:
    return [value for value in values if value != ""] if isinstance(values, list) else values


def _plain(value: str) -> str:
    """No code of ours holds a control character, and PostgreSQL takes no NUL at all."""
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in value):
        raise ValueError("control characters")
    return value


Plain = AfterValidator(_plain)
Empty = BeforeValidator(_none)
Several = BeforeValidator(_some)
Code = Annotated[str, Plain, Query(max_length=64)]
Cursor = Annotated[str, Query(max_length=200)]
Small = Annotated[int, Field(ge=1, le=MOST_SMALL)]
Typed = Annotated[str, Plain, Query(max_length=80)]
PageNumber = Annotated[int, Query(ge=1, le=10_000)]
Count = Annotated[int, Query(ge=0, le=10_000)]
AssignmentId = Annotated[int, Path(ge=1, le=MOST_BIG)]
LetterId = Annotated[int, Path(ge=1, le=MOST_BIG)]
AgencyId = Annotated[str, Plain, Path(max_length=64)]
PeriodKey = Annotated[str, Plain, Path(max_length=16)]
SmallId = Annotated[int, Path(ge=1, le=MOST_SMALL)]


def asked_plan(
    request: Request, plan: Annotated[Small | None, Empty, Query()] = None, number: Typed = ""
) -> int | None:
    """The plan that an address names, by its id or by the number that somebody typed. Raises NotFound for a number
    that no plan bears."""
    if not number.strip():
        return plan
    with tools_of(request).context.database.read() as session:
        return plan_numbered(session, number)


PlanId = Annotated[int | None, Depends(asked_plan)]


def known_year(day: date) -> date:
    """Raises BadInput for a day of a year that the calendar does not know."""
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise BadInput(
            Text(f"Ngày phải từ năm {FIRST_YEAR} đến {LAST_YEAR}.", f"A date must lie in {FIRST_YEAR} to {LAST_YEAR}.")
        )
    return day


def assignment_filter(
    plan: PlanId,
    period: Code = "",
    agency: Code = "",
    supervisor: Code = "",
    duty: Code = "",
    states: Annotated[list[State], Several, Query(alias="state", max_length=20)] = [],  # noqa: B006 - read only
    classes: Annotated[list[TimeClass], Several, Query(alias="class", max_length=20)] = [],  # noqa: B006
    waiting: Annotated[Waiting | None, Empty, Query()] = None,
    kind: Code = "",
    department: Code = "",
) -> AssignmentFilter:
    """What to list of the assignments."""
    return AssignmentFilter(
        plan, period, agency, supervisor, duty, tuple(states), tuple(classes), waiting, kind=kind, department=department
    )


def letter_filter(
    contact: Annotated[Small | None, Empty, Query()] = None,
    agency: Code = "",
    role: Annotated[Role | None, Empty, Query()] = None,
    kind: Annotated[NoticeKind | None, Empty, Query()] = None,
    channel: Annotated[str, Plain, Query(max_length=16)] = "",
    states: Annotated[list[LetterState], Several, Query(alias="state", max_length=20)] = [],  # noqa: B006
    day: Annotated[date | None, Empty, Query()] = None,
    digest: bool = False,
) -> LetterFilter:
    """What to list of the letters."""
    return LetterFilter(contact, agency, role, kind, channel, tuple(states), day, digest)


def log_filter(
    plan: PlanId,
    kind: Annotated[EventKind | None, Empty, Query()] = None,
    actor: Annotated[str, Plain, Query(max_length=96)] = "",
    agency: Code = "",
    since: Annotated[date | None, Empty, Query(alias="from")] = None,
    until: Annotated[date | None, Empty, Query(alias="to")] = None,
) -> LogFilter:
    """What to list of the log."""
    for day in (since, until):
        if day is not None:
            known_year(day)
    return LogFilter(kind, actor, plan, agency, since, until)


Assignments = Annotated[AssignmentFilter, Depends(assignment_filter)]
Letters = Annotated[LetterFilter, Depends(letter_filter)]
Logged = Annotated[LogFilter, Depends(log_filter)]
