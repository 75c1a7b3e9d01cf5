"""Consolidated figures of a plan and period: totals against targets, each agency's value, missing agencies."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from engine.accounts.permissions import Permission
from engine.assignments.reports.indicators import Consolidated, consolidated
from engine.errors import NotFound
from engine.http.filters import Code, SmallId
from engine.http.lists.list_columns import figure_list, figure_rows
from engine.http.lists.list_download import ExportFormat, download
from engine.http.request_context import RequestContext, SignedIn
from engine.queries.figures.plans import PlanPage, plan_page
from engine.queries.filter_choices import period_choices
from engine.queries.plan_periods import main_period
from engine.text import Text

router = APIRouter(include_in_schema=False)
MAX_MISSING_SHOWN = 100


@router.get("/plans/{plan_id}/figures")
def show(
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
