"""Filters as they stand in an address: typed, bounded, and an empty one («all») the same as none."""

from __future__ import annotations

import unicodedata
from datetime import date
from typing import Annotated, Any

from fastapi import Depends, Path, Query
from pydantic import AfterValidator, BeforeValidator, Field

from engine.queries.assignments import AssignmentFilter, Waiting
from engine.queries.letters import LetterFilter
from engine.terms import LetterState, NoticeKind, Role, State, TimeClass

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
PlanId = Annotated[Small | None, Empty, Query()]
PageNumber = Annotated[int, Query(ge=1, le=10_000)]
Count = Annotated[int, Query(ge=0, le=10_000)]
AssignmentId = Annotated[int, Path(ge=1, le=MOST_BIG)]
LetterId = Annotated[int, Path(ge=1, le=MOST_BIG)]
AgencyId = Annotated[str, Plain, Path(max_length=64)]
PeriodKey = Annotated[str, Plain, Path(max_length=16)]
SmallId = Annotated[int, Path(ge=1, le=MOST_SMALL)]


def assignment_filter(
    plan: PlanId = None,
    period: Code = "",
    agency: Code = "",
    supervisor: Code = "",
    duty: Code = "",
    states: Annotated[list[State], Several, Query(alias="state", max_length=20)] = [],  # noqa: B006 - read only
    classes: Annotated[list[TimeClass], Several, Query(alias="class", max_length=20)] = [],  # noqa: B006
    waiting: Annotated[Waiting | None, Empty, Query()] = None,
) -> AssignmentFilter:
    """What to list of the assignments."""
    return AssignmentFilter(plan, period, agency, supervisor, duty, tuple(states), tuple(classes), waiting)


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


Assignments = Annotated[AssignmentFilter, Depends(assignment_filter)]
Letters = Annotated[LetterFilter, Depends(letter_filter)]
