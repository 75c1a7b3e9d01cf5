"""The board: what an officer should know within five seconds of opening it at half past seven."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session

from engine.accounts.permissions import ActorRole, Deed
from engine.assignments.handover import agencies_with_work_left
from engine.http.filters import Code, PageNumber, PlanId
from engine.http.request_context import Desk, Visit
from engine.queries.figures.board import board
from engine.queries.filter_choices import department_choices, kind_choices, plan_choices
from engine.queries.time_class import Today
from engine.queries.work.assignments import AssignmentFilter
from engine.queries.work.todo import Todo, todo
from engine.rules.words import level_name

router = APIRouter()
CELLS_PER_PAGE, MOST_LINES = 220, 60
"""A page is read whole on a telephone: so many cells, however many periods stand side by side."""
LATE_FOR = (1, 3, 7, 15)
"""Working days overdue that one may ask for: those after which the shipped ladder tells somebody else."""
ALL = "all"
"""Said in an address in place of a department: the plans of every one."""


@router.get("/")
def show(
    visit: Desk,
    plan: PlanId,
    period: Code = "",
    kind: Code = "",
    department: Code = "",
    late: Annotated[str, Query(max_length=2)] = "",
    sort: Annotated[str, Query(max_length=8)] = "",
    page: PageNumber = 1,
) -> Response:
    if visit.home != "/":
        return visit.go(visit.home)
    visit.must(Deed.SEE_BOARD)
    with visit.reading() as (session, today):
        departments = department_choices(session)
        if _has_plans_of_its_own(visit, departments):
            return RedirectResponse(visit.here(department=visit.actor.agency_id), 303)
        wanted = AssignmentFilter(
            plan_id=plan, period=period, kind=kind, department="" if department == ALL else department
        )
        found = board(session, today, wanted)
        plans, kinds = plan_choices(session, plan), kind_choices(session)
        work = _todo(visit, session, today, wanted)
        work_left = agencies_with_work_left(session, visit.now) if visit.may(Deed.KEEP_AGENCIES) else ()
    shown = found.late_for(int(late), today) if late in map(str, LATE_FOR) else found
    lines = shown.by_lateness() if sort == "late" else shown.agencies
    per_page = max(10, min(MOST_LINES, CELLS_PER_PAGE // max(len(found.periods), 1)))
    first = (page - 1) * per_page
    return visit.page(
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
        late_for=LATE_FOR,
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
                kind and level_name(kind, visit.language),
                dict(departments).get(department),
            )
            if each
        ),
    )


def _has_plans_of_its_own(visit: Visit, departments: tuple[tuple[str, str], ...]) -> bool:
    """Whether a monitor who asked for nothing in particular should first see what his own department follows."""
    following = [agency_id for agency_id, _ in departments]
    asked = visit.request.query_params.keys() - {"lang"}
    mine = visit.actor.role is ActorRole.MONITOR and visit.actor.agency_id in following
    return mine and len(following) > 1 and not asked


def _todo(visit: Visit, session: Session, today: Today, wanted: AssignmentFilter) -> Todo | None:
    """What waits for the visitor's own decision; nothing for those who only look."""
    if not visit.may(Deed.ACCEPT, visit.actor.agency_id):
        return None
    return todo(session, today, replace(wanted, supervisor_id=visit.department(Deed.ACCEPT)))
