"""The board: what an officer should know within five seconds of opening it at half past seven."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response
from sqlmodel import Session

from engine.access import Deed
from engine.handover import agencies_with_work_left
from engine.queries.assignments import AssignmentFilter
from engine.queries.board import board, plan_choices
from engine.queries.timeclass import Today
from engine.queries.todo import Todo, todo
from engine.web.filters import Code, PageNumber, PlanId
from engine.web.visit import Desk, Visit

router = APIRouter()
CELLS_PER_PAGE, MOST_LINES = 300, 60
"""A page is read whole on a telephone: so many cells, however many periods stand side by side."""


@router.get("/")
def show(
    visit: Desk, plan: PlanId = None, period: Code = "", sort: Annotated[str, Query(max_length=8)] = "",
    page: PageNumber = 1,
) -> Response:  # fmt: skip
    if visit.home != "/":
        return visit.go(visit.home)
    visit.must(Deed.SEE_BOARD)
    with visit.reading() as (session, today):
        found = board(session, today, AssignmentFilter(plan_id=plan, period=period))
        plans = plan_choices(session)
        work = _todo(visit, session, today, plan, period)
        work_left = agencies_with_work_left(session, visit.now) if visit.may(Deed.KEEP_AGENCIES) else ()
    lines = found.by_lateness() if sort == "late" else found.agencies
    per_page = max(10, min(MOST_LINES, CELLS_PER_PAGE // max(len(found.periods), 1)))
    first = (page - 1) * per_page
    return visit.page(
        "board.html", today=today, board=found, lines=lines[first : first + per_page], todo=work, plans=plans,
        periods=found.choices, plan=plan, period_key=period, sort=sort, page=page, more=len(lines) > first + per_page,
        work_left=work_left,
    )  # fmt: skip


def _todo(visit: Visit, session: Session, today: Today, plan_id: int | None, period: str) -> Todo | None:
    """What waits for the visitor's own decision; nothing for those who only look."""
    if not visit.may(Deed.ACCEPT, visit.actor.agency_id):
        return None
    above = visit.department(Deed.ACCEPT)
    return todo(session, today, plan_id=plan_id, period=period, supervisor_id=above)
