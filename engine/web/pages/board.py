"""The board: what an officer should know within five seconds of opening it at half past seven."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from engine.access import Deed
from engine.queries.assignments import AssignmentFilter
from engine.queries.board import board, period_choices, plan_choices
from engine.queries.todo import todo
from engine.web.filters import Code, PageNumber, PlanId
from engine.web.visit import Desk

router = APIRouter()
LINES_PER_PAGE = 60


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
        plans, periods = plan_choices(session), period_choices(session, plan)
        work = todo(session, today, plan_id=plan, period=period)
    lines = found.by_lateness() if sort == "late" else found.agencies
    first = (page - 1) * LINES_PER_PAGE
    return visit.page(
        "board.html", today=today, board=found, lines=lines[first : first + LINES_PER_PAGE], todo=work, plans=plans,
        periods=periods, plan=plan, period_key=period, sort=sort, page=page, more=len(lines) > first + LINES_PER_PAGE,
    )  # fmt: skip
