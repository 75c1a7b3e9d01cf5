"""GET under /api/v1: the pages' data as JSON. Lists are paginated with an opaque cursor."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query

from engine.accounts.permissions import Permission
from engine.api.caller import Caller
from engine.api.models import BoardOut, Listed, PlanDetail, PlanOut
from engine.http.filters import (
    AgencyId,
    AssignmentId,
    Assignments,
    Code,
    Cursor,
    LetterId,
    Letters,
    PageNumber,
    PlanId,
    SmallId,
)
from engine.http.masked_links import masked
from engine.queries.directory.agencies import AgencyRow, list_agencies
from engine.queries.figures.board import board
from engine.queries.figures.plans import list_plans, plan_page
from engine.queries.figures.reporting_rates import Metric, metrics
from engine.queries.paging import MAX_PAGE_ROWS, PER_PAGE
from engine.queries.system.health import Health, health
from engine.queries.system.letters import LetterRow, LetterStory, letter_story, list_letters
from engine.queries.work.assignment_story import Story, story
from engine.queries.work.assignments import AssignmentRow, list_assignments
from engine.queries.work.desk import AgencyDesk, desk
from engine.queries.work.overdue import Overdue, overdue

router = APIRouter()
Limit = Annotated[int, Query(ge=1, le=MAX_PAGE_ROWS)]


@router.get("/plans")
def plans(caller: Caller, after: Cursor = "", limit: Limit = PER_PAGE) -> Listed[PlanOut]:
    caller.require(Permission.SEE_PLANS)
    with caller.reading() as (session, today):
        found = list_plans(session, today, after=after, limit=limit)
    return Listed[PlanOut](items=[PlanOut.of(row) for row in found.rows], next=found.next or None, total=found.total)


@router.get("/plans/{plan_id}")
def plan(caller: Caller, plan_id: SmallId) -> PlanDetail:
    caller.require(Permission.SEE_PLANS)
    with caller.reading() as (session, today):
        return PlanDetail.of(plan_page(session, today, plan_id))


@router.get("/assignments")
def assignments(
    caller: Caller, wanted: Assignments, after: Cursor = "", limit: Limit = PER_PAGE
) -> Listed[AssignmentRow]:
    """By due date, those without one last. Callers who do not see the board get only their own agency's."""
    wanted = replace(wanted, agency_id=caller.visible_agency(wanted.agency_id))
    with caller.reading() as (session, today):
        return Listed[AssignmentRow].of(list_assignments(session, today, wanted, after=after, limit=limit))


@router.get("/assignments/{assignment_id}")
def assignment(caller: Caller, assignment_id: AssignmentId) -> Story:
    """One assignment with its ladder, events, letters, reports and what it waits for."""
    with caller.reading() as (session, today):
        found = story(session, today, assignment_id)
    caller.require(Permission.SEE_ASSIGNMENT, found.row.agency_id)
    return found


@router.get("/board")
def the_board(caller: Caller, wanted: Assignments) -> BoardOut:
    """The four boxes by agency and period, for the given filters."""
    caller.require(Permission.SEE_BOARD)
    with caller.reading() as (session, today):
        return BoardOut.of(board(session, today, wanted), caller.now)


@router.get("/metrics")
def the_metrics(caller: Caller, wanted: Assignments) -> list[Metric]:
    """Reporting rates under DHIS2's names, per agency and period."""
    caller.require(Permission.SEE_BOARD)
    with caller.reading() as (session, today):
        return list(metrics(board(session, today, wanted)))


@router.get("/overdue")
def the_overdue(caller: Caller, wanted: Assignments, page: PageNumber = 1) -> Overdue:
    """By agency, the one furthest behind first; ``late`` is in working days. Requests only with ``request=yes``."""
    caller.require(Permission.SEE_BOARD)
    wanted = replace(wanted, request=bool(wanted.request))
    with caller.reading() as (session, today):
        return overdue(session, today, wanted, page=page)


@router.get("/letters")
def letters(caller: Caller, wanted: Letters, after: Cursor = "", limit: Limit = PER_PAGE) -> Listed[LetterRow]:
    """Newest first."""
    within = caller.agencies_within(Permission.SEE_LETTERS)
    with caller.app.database.read() as session:
        return Listed[LetterRow].of(list_letters(session, replace(wanted, within=within), after=after, limit=limit))


@router.get("/letters/{letter_id}")
def letter(caller: Caller, letter_id: LetterId) -> LetterStory:
    """One letter as it was sent; its personal links are masked outside the demonstration."""
    caller.agencies_within(Permission.SEE_LETTERS)
    with caller.app.database.read() as session:
        found = letter_story(session, letter_id)
    caller.require(Permission.SEE_LETTERS, found.row.agency_id)
    return found.shown(lambda text: masked(caller, text))


@router.get("/agencies")
def agencies(caller: Caller, after: Cursor = "", limit: Limit = PER_PAGE) -> Listed[AgencyRow]:
    caller.require(Permission.SEE_BOARD)
    with caller.reading() as (session, today):
        return Listed[AgencyRow].of(list_agencies(session, today, after=after, limit=limit))


@router.get("/agencies/{agency_id}")
def agency(caller: Caller, agency_id: AgencyId, plan: PlanId, period: Code = "") -> AgencyDesk:
    """An agency's desk: returned, overdue, due soon, new, in progress and done."""
    caller.require(Permission.SEE_ASSIGNMENT, agency_id)
    with caller.reading() as (session, today):
        return desk(session, today, agency_id, plan_id=plan, period=period)


@router.get("/health")
def the_health(caller: Caller) -> Health:
    caller.require(Permission.SEE_HEALTH)
    with caller.reading() as (session, today):
        return health(session, today, live=not caller.demo)
