"""Query parameters of lists as typed, bounded FastAPI dependencies. An empty parameter («all») equals a missing one."""

from __future__ import annotations

import unicodedata
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import Depends, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import AfterValidator, BeforeValidator, Field, TypeAdapter, ValidationError

from engine.errors import BadInput
from engine.http.forms import parse_day
from engine.http.request_context import tools_of
from engine.queries.filter_choices import plan_numbered
from engine.queries.system.letters import LetterFilter
from engine.queries.system.log import LogFilter
from engine.queries.work.assignments import AssignmentFilter, Promised
from engine.rules.calendar import FIRST_YEAR, LAST_YEAR, local_date
from engine.terms import EventKind, LetterState, NoticeKind, Role, State, TimeClass, Timing, Waiting
from engine.text import Text

MAX_INT32, MAX_INT64 = 2**31 - 1, 2**63 - 1


def _empty_to_none(value: Any) -> Any:
    return None if value == "" else value


def _drop_empty(values: object) -> Any:
    return [value for value in values if value != ""] if isinstance(values, list) else values


def _no_control_characters(value: str) -> str:
    """Reject control characters: no identifier of ours contains one, and PostgreSQL rejects NUL."""
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in value):
        raise ValueError("control characters")
    return value


Plain = AfterValidator(_no_control_characters)
Empty = BeforeValidator(_empty_to_none)
Several = BeforeValidator(_drop_empty)
YesNo = Annotated[bool | None, Empty, Query()]
"""``yes`` or ``no``; empty for both."""
Code = Annotated[str, Plain, Query(max_length=64)]
Cursor = Annotated[str, Query(max_length=200)]
Small = Annotated[int, Field(ge=1, le=MAX_INT32)]
Typed = Annotated[str, Plain, Query(max_length=80)]
Sort = Annotated[str, Query(pattern=r"^-?[a-z_]{1,20}$|^$")]
"""The column by which a list is sorted; prefix "-" reverses. Unknown columns are ignored."""
PageNumber = Annotated[int, Query(ge=1, le=10_000)]
Count = Annotated[int, Query(ge=0, le=10_000)]
AssignmentId = Annotated[int, Path(ge=1, le=MAX_INT64)]
LetterId = Annotated[int, Path(ge=1, le=MAX_INT64)]
AgencyId = Annotated[str, Plain, Path(max_length=64)]
PeriodKey = Annotated[str, Plain, Path(max_length=16)]
SmallId = Annotated[int, Path(ge=1, le=MAX_INT32)]


def plan_from_query(
    request: Request, plan: Annotated[Small | None, Empty, Query()] = None, number: Typed = ""
) -> int | None:
    """The plan given in the query, by id or by the number that the user typed. Raises NotFound for an unknown
    number."""
    if not number.strip():
        return plan
    with tools_of(request).context.database.read() as session:
        return plan_numbered(session, number)


PlanId = Annotated[int | None, Depends(plan_from_query)]
DAYS = TypeAdapter(date)
DAY_SCHEMA = {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]}


def queried_day(name: str = "day", what: Text | None = None, *, past: bool = True) -> Any:
    """A date of the query: on pages as people write it, in the API as ISO 8601 has it. ``past``: without a year it is
    the last such day."""

    def read(request: Request, typed: Any = Query(None, alias=name, json_schema_extra={**DAY_SCHEMA})) -> date | None:
        if not typed:
            return None
        if not request.url.path.startswith("/api/"):
            return parse_day(typed, local_date(tools_of(request).context.clock()), what=what, past=past)
        try:
            return DAYS.validate_python(typed)
        except ValidationError as error:
            wrong = [{**each, "loc": ("query", name)} for each in error.errors()]
            raise RequestValidationError(wrong) from error

    return Depends(read)


def known_year(day: date) -> date:
    """The day. Raises BadInput when the calendar does not cover its year."""
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
    classes: Annotated[list[TimeClass | Literal["all"]], Several, Query(alias="class", max_length=20)] = [],  # noqa: B006
    waiting: Annotated[Waiting | None, Empty, Query()] = None,
    kind: Code = "",
    department: Code = "",
    reporting: Annotated[list[Timing], Several, Query(alias="report", max_length=5)] = [],  # noqa: B006
    finished: YesNo = None,
    done_since: Annotated[date | None, Empty, Query()] = None,
    request: YesNo = None,
    issuer: Code = "",
    promised: Annotated[Promised | None, Empty, Query()] = None,
    reason: Code = "",
    output: YesNo = None,
    past: YesNo = None,
) -> AssignmentFilter:
    """The assignment filter of the query. The class ``all``: everything that is counted."""
    counted = tuple(TimeClass) if "all" in classes else tuple(each for each in classes if each != "all")
    return AssignmentFilter(
        plan_id=plan,
        period=period,
        agency_id=agency,
        supervisor_id=supervisor,
        citation=duty,
        states=tuple(states),
        classes=counted,
        waiting=waiting,
        kind=kind,
        department=department,
        reporting=tuple(reporting),
        finished=finished,
        done_since=None if done_since is None else known_year(done_since),
        request=request,
        issuer=issuer,
        promised=promised,
        reason=reason,
        output=output,
        past=past,
    )


def letter_filter(
    contact: Annotated[Small | None, Empty, Query()] = None,
    agency: Code = "",
    role: Annotated[Role | None, Empty, Query()] = None,
    kind: Annotated[NoticeKind | None, Empty, Query()] = None,
    channel: Annotated[str, Plain, Query(max_length=16)] = "",
    states: Annotated[list[LetterState], Several, Query(alias="state", max_length=20)] = [],  # noqa: B006
    day: Annotated[date | None, queried_day()] = None,
    digest: bool = False,
) -> LetterFilter:
    """The letter filter of the query."""
    return LetterFilter(
        contact_id=contact,
        agency_id=agency,
        role=role,
        kind=kind,
        channel=channel,
        states=tuple(states),
        day=day,
        digest=digest,
    )


def log_filter(
    plan: PlanId,
    kind: Annotated[EventKind | None, Empty, Query()] = None,
    actor: Annotated[str, Plain, Query(max_length=96)] = "",
    agency: Code = "",
    assignment: Annotated[Small | None, Empty, Query()] = None,
    since: Annotated[date | None, queried_day("from", Text("Từ", "From"))] = None,
    until: Annotated[date | None, queried_day("to", Text("Đến hết", "Until"))] = None,
) -> LogFilter:
    """The log filter of the query."""
    for day in (since, until):
        if day is not None:
            known_year(day)
    return LogFilter(
        kind=kind, actor=actor, plan_id=plan, agency_id=agency, assignment_id=assignment, since=since, until=until
    )


Assignments = Annotated[AssignmentFilter, Depends(assignment_filter)]
Letters = Annotated[LetterFilter, Depends(letter_filter)]
Logged = Annotated[LogFilter, Depends(log_filter)]
