"""GET under /api/v1: the pages' data as JSON. Lists are paginated with an opaque cursor."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import Query

from engine.accounts.permissions import Permission
from engine.api.caller import Caller
from engine.api.models import BoardOut, Listed, PlanDetail, PlanOut
from engine.api.operations import reads, router_of
from engine.http import filters
from engine.queries import directory
from engine.queries.directory import AgencyRow
from engine.queries.figures import plans
from engine.queries.figures.board import board
from engine.queries.figures.plans import plan_page
from engine.queries.paging import MAX_PAGE_ROWS, PER_PAGE
from engine.queries.system import letters
from engine.queries.system.health import Health, health
from engine.queries.system.letters import LetterRow, LetterStory, letter_story
from engine.queries.work import assignments
from engine.queries.work.assignment_story import Story, story
from engine.queries.work.assignments import AssignmentRow
from engine.queries.work.desk import AgencyDesk, desk
from engine.queries.work.overdue import Overdue, overdue

router = router_of("reading")
Limit = Annotated[int, Query(ge=1, le=MAX_PAGE_ROWS)]


@router.get("/plans")
@reads("Các kế hoạch", "List plans", "limit=10")
def list_plans(caller: Caller, after: filters.Cursor = "", limit: Limit = PER_PAGE) -> Listed[PlanOut]:
    """Each with its state, its department and its counts, the newest first."""
    caller.require(Permission.SEE_PLANS)
    with caller.reading() as (session, today):
        found = caller.kept(session, plans.list_plans, today, after=after, limit=limit)
    items = [PlanOut.model_validate(row) for row in found.rows]
    return Listed[PlanOut](items=items, next=found.next or None, total=found.total)


@router.get("/plans/{plan_id}")
@reads("Một kế hoạch và nhiệm vụ của nó", "Read a plan and its duties")
def get_plan(caller: Caller, plan_id: filters.SmallId) -> PlanDetail:
    """With its periods, duties and what stands in the way of each."""
    caller.require(Permission.SEE_PLANS)
    with caller.reading() as (session, today):
        return PlanDetail.model_validate(plan_page(session, today, plan_id))


@router.get("/assignments")
@reads("Các việc, có lọc", "List assignments by filters", "class=open_overdue&limit=10")
def list_assignments(
    caller: Caller, wanted: filters.Assignments, after: filters.Cursor = "", limit: Limit = PER_PAGE
) -> Listed[AssignmentRow]:
    """By due date, those without one last. Callers who do not see the board get only their own agency's."""
    wanted = replace(wanted, agency_id=caller.visible_agency(wanted.agency_id))
    with caller.reading() as (session, today):
        found = caller.kept(session, assignments.list_assignments, today, wanted, after=after, limit=limit)
        return Listed[AssignmentRow].of(found)


@router.get("/assignments/{assignment_id}")
@reads("Một việc và diễn biến", "Read an assignment and its story")
def get_assignment(caller: Caller, assignment_id: filters.AssignmentId) -> Story:
    """One assignment with its ladder, events, letters, reports and what it waits for."""
    with caller.reading() as (session, today):
        found = story(session, today, assignment_id)
    caller.require(Permission.SEE_ASSIGNMENT, found.row.agency_id)
    return found


@router.get("/board")
@reads("Bảng theo dõi: bốn ô số liệu", "Read the board: the four boxes", "period=2021-H1")
def get_board(caller: Caller, wanted: filters.Assignments) -> BoardOut:
    """The four boxes by agency and period, for the given filters."""
    caller.require(Permission.SEE_BOARD)
    with caller.reading() as (session, today):
        return BoardOut.model_validate({**vars(caller.kept(session, board, today, wanted)), "as_of": caller.now})


@router.get("/overdue")
@reads("Việc quá hạn theo cơ quan", "List what is overdue, by agency")
def list_overdue(caller: Caller, wanted: filters.Assignments, page: filters.PageNumber = 1) -> Overdue:
    """By agency, the one furthest behind first; ``late`` is in working days. Requests only with ``request=yes``."""
    caller.require(Permission.SEE_BOARD)
    wanted = replace(wanted, request=bool(wanted.request))
    with caller.reading() as (session, today):
        return caller.kept(session, overdue, today, wanted, page=page)


@router.get("/letters")
@reads("Các thư", "List letters", "state=refused&limit=10")
def list_letters(
    caller: Caller, wanted: filters.Letters, after: filters.Cursor = "", limit: Limit = PER_PAGE
) -> Listed[LetterRow]:
    """Newest first."""
    within = caller.agencies_within(Permission.SEE_LETTERS)
    with caller.app.database.read() as session:
        return Listed[LetterRow].of(
            letters.list_letters(session, replace(wanted, within=within), after=after, limit=limit)
        )


@router.get("/letters/{letter_id}")
@reads("Một thư như đã gửi", "Read a letter as it was sent")
def get_letter(caller: Caller, letter_id: filters.LetterId) -> LetterStory:
    """One letter as it was sent; its personal links are masked outside the demonstration."""
    caller.agencies_within(Permission.SEE_LETTERS)
    with caller.app.database.read() as session:
        found = letter_story(session, letter_id)
    caller.require(Permission.SEE_LETTERS, found.row.agency_id)
    return found.shown(caller.masked)


@router.get("/agencies")
@reads("Các cơ quan và số việc", "List agencies with their counts")
def list_agencies(caller: Caller, after: filters.Cursor = "", limit: Limit = PER_PAGE) -> Listed[AgencyRow]:
    """In the order of the directory, with what each owes."""
    caller.require(Permission.SEE_BOARD)
    with caller.reading() as (session, today):
        return Listed[AgencyRow].of(directory.list_agencies(session, today, after=after, limit=limit))


@router.get("/agencies/{agency_id}")
@reads("Bàn làm việc của một cơ quan", "Read an agency's desk")
def get_agency(
    caller: Caller, agency_id: filters.AgencyId, plan: filters.PlanId, period: filters.Code = ""
) -> AgencyDesk:
    """An agency's desk: returned, overdue, due soon, new, in progress and done."""
    caller.require(Permission.SEE_ASSIGNMENT, agency_id)
    with caller.reading() as (session, today):
        return desk(session, today, agency_id, plan_id=plan, period=period)


@router.get("/health")
@reads("Tình trạng hệ thống", "Read the system's health")
def get_health(caller: Caller) -> Health:
    """Findings of the audit, channels, backups and machines."""
    caller.require(Permission.SEE_HEALTH)
    with caller.reading() as (session, today):
        return health(session, today, live=not caller.demo)
