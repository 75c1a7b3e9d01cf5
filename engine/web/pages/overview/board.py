"""The board: the state of all assignments at a glance, and what the user has to decide; seven measured steps stand in
its place until a plan runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Annotated, TypedDict

from fastapi import APIRouter, Query
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session

from engine.accounts.permissions import ActorRole, Permission
from engine.admin.first_steps import CheckLine, Mark, first_steps
from engine.assignments.handover import agencies_with_work_left
from engine.assignments.told import Figures
from engine.http.filters import Code, Empty, PageNumber, PlanId
from engine.http.lists.list_columns import board_list
from engine.http.lists.listing import ExportFormat, download, filter_names
from engine.http.request_context import RequestContext, SignedIn
from engine.plans.closing import PlanToEnd, plans_to_end
from engine.queries.figures.board import board, promised_counts
from engine.queries.figures.grid import MAX_MARKS, Grid, grid
from engine.queries.figures.outlook import NextDate, Selection, next_dates, told_before
from engine.queries.filter_choices import department_choices, kind_choices, plan_choices, sorted_by_order
from engine.queries.system.health import setup_state
from engine.queries.system.letters import count_kept
from engine.queries.time_class import Today
from engine.queries.work.assignments import AssignmentFilter, Promised
from engine.queries.work.reports_to_accept import done_unaccepted
from engine.queries.work.todo import Todo, todo
from engine.rules.words import level_name
from engine.store.facts import mail_tried
from engine.text import Text
from engine.views.labels import label

TITLES: Mapping[str, tuple[Text, str]] = {
    "address": (Text("Địa chỉ của hệ thống", "The system's address"), "/admin/settings/address"),
    "smtp": (Text("Thư đi", "Outgoing mail"), "/admin/settings/mail"),
    "agencies": (Text("Danh bạ cơ quan", "Directory of agencies"), "/admin/contact-sheet"),
    "contacts": (Text("Đầu mối nhận thư", "Contacts who get letters"), "/admin/contact-sheet"),
    "calendar": (Text("Lịch nghỉ", "Holidays"), "/admin/calendar"),
    "plan": (Text("Kế hoạch", "Plan"), "/plans/import"),
    "watch": (Text("Ai được báo khi hệ thống ngừng", "Who hears when it stops"), "/admin/settings"),
}
"""Name of a line -> what the step is called and the page where it is done."""


@dataclass(frozen=True)
class Step:
    """``next``: the first step that is not done."""

    title: Text
    path: str
    line: CheckLine
    next: bool

    @property
    def done(self) -> bool:
        return self.line.mark is Mark.WELL


def steps_of(ctx: RequestContext, session: Session, today: Today) -> list[Step]:
    """Empty while a plan runs, and for who cannot set anything up."""
    if not ctx.may(Permission.SEE_SETTINGS):
        return []
    state, settings = setup_state(session, today), ctx.app.settings_now
    if state.active_plans:
        return []
    paths = {name: path for name, (_, path) in TITLES.items()}
    if state.loaded_plans:
        paths["plan"] = "/plans"
    lines = first_steps(settings, state, mail_tried(session, settings.smtp_host), ctx.now)
    first = next((line.name for line in lines if line.mark is not Mark.WELL), "")
    return [Step(TITLES[line.name][0], paths[line.name], line, line.name == first) for line in lines]


router = APIRouter(include_in_schema=False)
MAX_CELLS, MAX_LINES = 220, 60
"""Limits of the matrix per page, so that it stays readable on a phone: cells in total, and lines."""
MAX_LINES_BELOW = 16
"""Lines of the matrix where the grid stands above it."""
GRID_BYTES = 26_000
LATE_FILTERS_WORKING_DAYS = (1, 3, 7, 15)
"""The options of the lateness filter, in working days: those after which the shipped ladder notifies someone else."""
KEPT_SHOWN = timedelta(days=30)
"""For how long the board says that letters were kept on this machine."""
ALL = "all"
"""The value of the department parameter that means all departments."""


class OfficeWork(TypedDict):
    """What the user is asked to do beside the figures, as ``board.html`` names it."""

    todo: Todo | None
    kept: int
    work_left: tuple[tuple[str, str, int], ...]


@router.get("/")
def show(
    ctx: SignedIn,
    plan: PlanId,
    period: Code = "",
    kind: Code = "",
    department: Code = "",
    promised: Annotated[Promised | None, Empty, Query()] = None,
    late: Annotated[str, Query(max_length=2)] = "",
    sort: Annotated[str, Query(max_length=17)] = "",
    export_format: ExportFormat = None,
    page: PageNumber = 1,
) -> Response:
    if ctx.home != "/":
        return ctx.go(ctx.home)
    ctx.require(Permission.SEE_BOARD)
    with ctx.reading() as (session, today):
        departments = ctx.kept(session, department_choices)
        if _supervises_plans(ctx, departments):
            return RedirectResponse(ctx.here(department=ctx.actor.agency_id), 303)
        wanted = AssignmentFilter(
            plan_id=plan,
            period=period,
            kind=kind,
            department="" if department == ALL else department,
            promised=promised,
        )
        past = ctx.kept(session, plans_to_end, today.day) if plan is None else ()
        everything, wanted = wanted, _running(wanted, past)
        found = ctx.kept(session, board, today, wanted)
        shown = found.late_for(int(late), today) if late in map(str, LATE_FILTERS_WORKING_DAYS) else found
        listing = board_list(found)
        sort = listing.known_order(sort)
        lines = sorted_by_order(shown.agencies, found.sorts, sort)
        if export_format:
            rows = [(line, False) for line in lines] + [(line, True) for line in found.asked if not late]
            return download(ctx, export_format, listing, rows, filter_names(session, plan))
        if not found.total.expected and (steps := steps_of(ctx, session, today)):
            return ctx.page("first_steps.html", today=today, steps=steps)
        plans, kinds = ctx.kept(session, plan_choices, plan), ctx.kept(session, kind_choices, ctx.today, plan)
        office = _office_work(ctx, session, today, everything)
        counted = ctx.kept(session, promised_counts, today, wanted)
        accept = done_unaccepted(session, today, wanted)
        drawn = _drawn(ctx, session, today, wanted, found.total.expected) if not late else None
        coming, before = told_and_coming(ctx, session, today, wanted, past)
    most = MAX_LINES if drawn is None else MAX_LINES_BELOW
    per_page = max(10, min(most, MAX_CELLS // max(len(found.periods), 1)))
    first = (page - 1) * per_page
    return ctx.kept_page(
        "board.html",
        today=today,
        listing=listing,
        board=found,
        lines=lines[first : first + per_page],
        grid=drawn,
        next_dates=coming,
        before=before,
        promises=counted,
        accept=accept,
        wanted=wanted,
        departments=departments,
        department=department,
        periods=found.choices,
        lateness=late,
        late_for=LATE_FILTERS_WORKING_DAYS,
        sort=sort,
        page=page,
        more=len(lines) > first + per_page,
        plans=plans,
        kinds=kinds,
        past=past,
        narrowed_to=_narrowed_to(ctx, dict(plans.listed), dict(departments), wanted),
        **office,
    )


def _running(wanted: AssignmentFilter, past: tuple[PlanToEnd, ...]) -> AssignmentFilter:
    return replace(wanted, past=False) if past else wanted


def told_and_coming(
    ctx: RequestContext, session: Session, today: Today, wanted: AssignmentFilter, past: Sequence[PlanToEnd] = ()
) -> tuple[tuple[NextDate, ...], Figures | None]:
    """What comes next, and what the last weekly report told; neither is known of a part of the agencies."""
    if wanted.kind or wanted.department or wanted.supervisor_id or wanted.issuer or wanted.request:
        return (), None
    chosen = Selection(wanted.plan_id, wanted.period, tuple(each.id for each in past))
    coming = ctx.kept(session, next_dates, today, chosen._replace(without=()))
    return coming, None if wanted.promised else told_before(session, chosen, today.day)


def _narrowed_to(
    ctx: RequestContext, plans: Mapping[str, str], departments: Mapping[str, str], wanted: AssignmentFilter
) -> tuple[str, ...]:
    """The filters in words, for the line that says what is shown."""
    said = (
        plans.get(str(wanted.plan_id)),
        wanted.kind and level_name(wanted.kind, ctx.language),
        departments.get(wanted.department),
        wanted.promised and label(wanted.promised, ctx.language),
    )
    return tuple(each for each in said if each)


def _drawn(ctx: RequestContext, session: Session, today: Today, wanted: AssignmentFilter, expected: int) -> Grid | None:
    """The grid, as much of it as the page holds; None if there is too much of it to see anything."""
    found = ctx.kept(session, grid, today, wanted) if expected <= MAX_MARKS else None
    return None if found is None else found.within(GRID_BYTES)


def _supervises_plans(ctx: RequestContext, departments: tuple[tuple[str, str], ...]) -> bool:
    """Whether to redirect a monitor without filters to the plans that their own department supervises."""
    supervising = [agency_id for agency_id, _ in departments]
    filters = ctx.request.query_params.keys() - {"lang"}
    is_supervisor = ctx.actor.role is ActorRole.MONITOR and ctx.actor.agency_id in supervising
    return is_supervisor and len(supervising) > 1 and not filters


def _office_work(ctx: RequestContext, session: Session, today: Today, wanted: AssignmentFilter) -> OfficeWork:
    work = todo_of(ctx, session, today, wanted)
    return {
        "todo": work,
        "kept": 0 if work is None else ctx.kept(session, count_kept, ctx.today - KEPT_SHOWN),
        "work_left": ctx.kept(session, agencies_with_work_left, ctx.today) if ctx.may(Permission.KEEP_AGENCIES) else (),
    }


def todo_of(ctx: RequestContext, session: Session, today: Today, wanted: AssignmentFilter) -> Todo | None:
    """The decisions the user has to make; None for users who only read."""
    if not ctx.may(Permission.ACCEPT, ctx.actor.agency_id):
        return None
    return ctx.kept(session, todo, today, replace(wanted, supervisor_id=ctx.department(Permission.ACCEPT)))
