"""The board: what an officer should know within five seconds of opening it at half past seven."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session

from engine.accounts.permissions import ActorRole, Permission
from engine.assignments.handover import agencies_with_work_left
from engine.http.filters import Code, PageNumber, PlanId
from engine.http.request_context import RequestContext, SignedIn
from engine.queries.figures.board import board
from engine.queries.filter_choices import department_choices, kind_choices, plan_choices
from engine.queries.time_class import Today
from engine.queries.work.assignments import AssignmentFilter
from engine.queries.work.todo import Todo, todo
from engine.rules.words import level_name

router = APIRouter()
CELLS_PER_PAGE, MOST_LINES = 220, 60
"""A page is read whole on a telephone: so many cells, however many periods stand side by side."""
LATE_FILTERS_WORKING_DAYS = (1, 3, 7, 15)
"""Working days overdue that one may ask for: those after which the shipped ladder tells somebody else."""
ALL = "all"
"""Said in an address in place of a department: the plans of every one."""


@router.get("/")
def show(
    ctx: SignedIn,
    plan: PlanId,
    period: Code = "",
    kind: Code = "",
    department: Code = "",
    late: Annotated[str, Query(max_length=2)] = "",
    sort: Annotated[str, Query(max_length=8)] = "",
    page: PageNumber = 1,
) -> Response:
    if ctx.home != "/":
        return ctx.go(ctx.home)
    ctx.require(Permission.SEE_BOARD)
    with ctx.reading() as (session, today):
        departments = department_choices(session)
        if _has_plans_of_its_own(ctx, departments):
            return RedirectResponse(ctx.here(department=ctx.actor.agency_id), 303)
        wanted = AssignmentFilter(
            plan_id=plan, period=period, kind=kind, department="" if department == ALL else department
        )
        found = board(session, today, wanted)
        plans, kinds = plan_choices(session, plan), kind_choices(session)
        work = _todo(ctx, session, today, wanted)
        work_left = agencies_with_work_left(session, ctx.now) if ctx.may(Permission.KEEP_AGENCIES) else ()
    shown = found.late_for(int(late), today) if late in map(str, LATE_FILTERS_WORKING_DAYS) else found
    lines = shown.by_lateness() if sort == "late" else shown.agencies
    per_page = max(10, min(MOST_LINES, CELLS_PER_PAGE // max(len(found.periods), 1)))
    first = (page - 1) * per_page
    return ctx.page(
        "board.html",
        today=today,
        board=found,
        lines=lines[first : first + per_page],
        todo=work,
        wanted=wanted,
        departments=departments,
        department=department,
        periods=found.choices,
        lateness=late,
        late_for=LATE_FILTERS_WORKING_DAYS,
        sort=sort,
        page=page,
        more=len(lines) > first + per_page,
        work_left=work_left,
        plans=plans,
        kinds=kinds,
        narrowed_to=tuple(
            each
            for each in (
                dict(plans.listed).get(str(plan)),
                kind and level_name(kind, ctx.language),
                dict(departments).get(department),
            )
            if each
        ),
    )


def _has_plans_of_its_own(ctx: RequestContext, departments: tuple[tuple[str, str], ...]) -> bool:
    """Whether a monitor who asked for nothing in particular should first see what his own department follows."""
    following = [agency_id for agency_id, _ in departments]
    asked = ctx.request.query_params.keys() - {"lang"}
    mine = ctx.actor.role is ActorRole.MONITOR and ctx.actor.agency_id in following
    return mine and len(following) > 1 and not asked


def _todo(ctx: RequestContext, session: Session, today: Today, wanted: AssignmentFilter) -> Todo | None:
    """What waits for the visitor's own decision; nothing for those who only look."""
    if not ctx.may(Permission.ACCEPT, ctx.actor.agency_id):
        return None
    return todo(session, today, replace(wanted, supervisor_id=ctx.department(Permission.ACCEPT)))
