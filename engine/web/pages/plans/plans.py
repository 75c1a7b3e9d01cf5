"""The list of plans, and one plan: duties, gaps, focus areas, indicators, and the rules behind its dates.

Consolidated figures of a plan and period: totals against targets, each agency's value, missing agencies.

Plans past their last due date that wait to be ended: named, and all ended with one press.

Correct the year of a plan: what it would come to, then the correction.
"""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from engine.accounts.permissions import Permission
from engine.assignments.reports.indicators import Consolidated, consolidated
from engine.errors import BadInput, NotFound
from engine.files.plan_renewal import YEARS_AS, Years, read_years
from engine.http.filters import Code, Cursor, SmallId, Sort, Typed
from engine.http.forms import MAX_REASON_CHARS
from engine.http.lists.list_columns import PLAN_LIST, figure_list, figure_rows
from engine.http.lists.listing import ExportFormat, download
from engine.http.request_context import PostedForm, RequestContext, SignedIn
from engine.plans.closing import end_past, past_plan, plans_to_end
from engine.plans.plan_today import YearChange, correct_years, rehearse_years
from engine.queries.figures.board import promised_counts
from engine.queries.figures.outlook import Selection, furthest_behind, furthest_of, next_dates
from engine.queries.figures.plans import PlanPage, every_plan, list_plans, plan_page
from engine.queries.filter_choices import main_period, period_choices
from engine.queries.work.assignments import AssignmentFilter
from engine.queries.work.reports_to_accept import done_unaccepted
from engine.text import Text
from engine.web.pages.overview.board import told_and_coming

router = APIRouter(include_in_schema=False)


@router.get("/plans")
def listing(
    ctx: SignedIn, export_format: ExportFormat = None, after: Cursor = "", q: Typed = "", sort: Sort = ""
) -> Response:
    ctx.require(Permission.SEE_PLANS)
    sort = PLAN_LIST.known_order(sort)
    with ctx.reading() as (session, today):
        if export_format:
            return download(ctx, export_format, PLAN_LIST, every_plan(session, today, q, sort))
        found = ctx.kept(session, list_plans, today, after=after, words=q, sort=sort)
        coming = ctx.kept(session, next_dates, today, Selection())
    return ctx.kept_page(
        "plans.html", today=today, listing=PLAN_LIST, found=found, after=after, words=q, sort=sort, next_dates=coming
    )


PAST = "/plans/past"
"""Before the page of a plan: its address would be taken for a plan's."""


@router.get(PAST)
def show_past(ctx: SignedIn, said: Code = "") -> Response:
    ctx.require(Permission.RUN_PLANS)
    with ctx.reading() as (session, today):
        waiting = plans_to_end(session, today.day)
    _, _, count = said.partition(".")
    ended = int(count) if count.isdecimal() else 0
    return ctx.page("plans_past.html", today=today, waiting=waiting, ended=ended)


@router.post(PAST)
def end_all(ctx: SignedIn, form: PostedForm) -> Response:
    """End the plans that the page named; one that was ended or goes on meanwhile is left."""
    ctx.require(Permission.RUN_PLANS)
    with ctx.writing() as session:
        count = end_past(session, form.numbers("id"), **ctx.by)
    return ctx.go(PAST, said=f"ended.{count}")


@router.get("/plans/{plan_id}")
def show(ctx: SignedIn, plan_id: SmallId, said: Code = "") -> Response:
    ctx.require(Permission.SEE_PLANS)
    with ctx.reading() as (session, today):
        found = plan_page(session, today, plan_id)
        past = past_plan(session, plan_id, today.day)
        wanted = AssignmentFilter(plan_id=plan_id)
        coming, before = told_and_coming(ctx, session, today, wanted)
        promises = ctx.kept(session, promised_counts, today, wanted)
        accept = done_unaccepted(session, today, wanted)
        behind = furthest_behind(session, today, Selection(plan_id)) if ctx.may(Permission.SEE_BOARD) else ()
    worst = sorted(found.duties, key=lambda each: -each.counts.overdue)
    return ctx.kept_page(
        "plan.html",
        today=today,
        plan=found,
        past=past,
        outcome=said,
        next_dates=coming,
        before=before,
        promises=promises,
        accept=accept,
        furthest=furthest_of(behind),
        unfinished=[each for each in worst if each.counts.done < each.counts.expected],
        others=[each for each in found.duties if each.counts.done == each.counts.expected],
    )


MAX_MISSING_SHOWN = 100


@router.get("/plans/{plan_id}/figures")
def show_figures(
    ctx: SignedIn, plan_id: SmallId, period: Code = "", indicator: Code = "", export_format: ExportFormat = None
) -> Response:
    """The totals; ``indicator`` selects one to list every agency with its value."""
    plan, periods, period, found = read_figures(ctx, plan_id, period)
    if export_format:
        return download(ctx, export_format, figure_list(plan_id, plan.row, period), figure_rows(found))
    opened = next((line for line in found.lines if line.indicator.code == indicator), None)
    if indicator and opened is None:
        raise NotFound(Text("Kế hoạch không hỏi số liệu này.", "The plan does not ask for this figure."))
    with ctx.reading() as (_, today):
        return ctx.page(
            "figures.html",
            today=today,
            plan=plan,
            periods=periods,
            period_key=period,
            found=found,
            opened=opened,
            most=MAX_MISSING_SHOWN,
            may_chase=ctx.may(Permission.CHASE, plan.supervisor_id),
        )


def read_figures(ctx: RequestContext, plan_id: int, period: str) -> tuple[PlanPage, tuple[str, ...], str, Consolidated]:
    """Plan, periods, selected period (by default the plan's latest main period) and consolidated figures."""
    ctx.require(Permission.SEE_FIGURES)
    with ctx.reading() as (session, today):
        plan, periods = plan_page(session, today, plan_id), period_choices(session, plan_id)
        if period and period not in periods:
            raise NotFound(Text("Kế hoạch không có kỳ này.", "The plan has no such period."))
        period = period or main_period(session, plan_id)
        return plan, periods, period, consolidated(session, plan_id, period)


@router.get("/plans/{plan_id}/years")
def ask_years(ctx: SignedIn, plan_id: SmallId) -> Response:
    ctx.require(Permission.RUN_PLANS)
    return _page(ctx, plan_id, {"years": "", "reason": ""})


@router.post("/plans/{plan_id}/years")
def do_years(ctx: SignedIn, form: PostedForm, plan_id: SmallId) -> Response:
    """The dry run; with ``do=save`` the correction."""
    ctx.require(Permission.RUN_PLANS)
    typed = {"years": form.raw("years")[:20], "reason": form.raw("reason")[:MAX_REASON_CHARS]}
    try:
        years, reason = _years(typed["years"]), form.text("reason", MAX_REASON_CHARS)
        if form.raw("do") != "save":
            return _page(ctx, plan_id, typed, would=rehearse_years(ctx.app.database, plan_id, years, now=ctx.now))
        with ctx.writing() as session:
            correct_years(session, plan_id, years, reason=reason, **ctx.by)
    except BadInput as error:
        return _page(ctx, plan_id, typed, wrong=error)
    return ctx.go(f"/plans/{plan_id}", said="years_corrected")


def _years(typed: str) -> Years:
    years = read_years(typed)
    if years is None:
        raise BadInput(YEARS_AS)
    return years


def _page(
    ctx: RequestContext,
    plan_id: int,
    typed: dict[str, str],
    *,
    would: YearChange | None = None,
    wrong: BadInput | None = None,
) -> Response:
    with ctx.reading() as (session, today):
        plan = plan_page(session, today, plan_id)
    sentence = wrong.said(ctx.language) if wrong else ""
    status = 422 if wrong else 200
    return ctx.page("plan_years.html", status, today=today, plan=plan, typed=typed, would=would, sentence=sentence)
