"""Consolidated figures of a plan and period: totals against targets, each agency's value, missing agencies."""

from __future__ import annotations

import re
from dataclasses import replace

from fastapi import APIRouter
from fastapi.responses import Response

from engine.accounts.permissions import Permission
from engine.assignments.reports.indicators import Consolidated, consolidated
from engine.errors import NotFound
from engine.http.filters import Code, SmallId
from engine.http.lists.list_columns import figure_list, figure_rows
from engine.http.lists.list_download import DOCX, TakenAs, attachment, download
from engine.http.render import url
from engine.http.request_context import RequestContext, SignedIn
from engine.papers.report import report_docx
from engine.queries.figures.plans import PlanPage, plan_page
from engine.queries.filter_choices import period_choices
from engine.queries.plan_periods import main_period
from engine.queries.stored_plans import plan_of
from engine.queries.work.period_report import period_report
from engine.text import Text

router = APIRouter(include_in_schema=False)
MAX_MISSING_SHOWN = 100


@router.get("/plans/{plan_id}/figures")
def show(
    ctx: SignedIn, plan_id: SmallId, period: Code = "", indicator: Code = "", taken_as: TakenAs = None
) -> Response:
    """The totals; ``indicator`` selects one to list every agency with its value."""
    plan, periods, period, found = _read(ctx, plan_id, period)
    if taken_as:
        return download(ctx, taken_as, figure_list(plan_id, plan.row, period), figure_rows(found))
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


@router.get("/plans/{plan_id}/report.docx")
def report_paper(ctx: SignedIn, plan_id: SmallId, period: Code = "") -> Response:
    """The consolidated report of the period as a draft to be signed."""
    plan, _, period, _ = _read(ctx, plan_id, period)
    with ctx.reading() as (session, today):
        facts = period_report(session, today, plan_of(session, plan_id), period)
    here = url(f"/plans/{plan_id}/figures", period=period)
    facts = replace(facts, source=f"{ctx.app.settings.base_url}{here}")
    key = re.sub(r"[^A-Za-z0-9]+", "-", f"{plan.row.number.replace('Đ', 'D')}-{plan.row.year}")
    return attachment(report_docx(facts), DOCX, f"bao-cao_{key}_{period}.docx")


def _read(ctx: RequestContext, plan_id: int, period: str) -> tuple[PlanPage, tuple[str, ...], str, Consolidated]:
    """Plan, periods, selected period (by default the plan's latest main period) and consolidated figures."""
    ctx.require(Permission.SEE_FIGURES)
    with ctx.reading() as (session, today):
        plan, periods = plan_page(session, today, plan_id), period_choices(session, plan_id)
        if period and period not in periods:
            raise NotFound(Text("Kế hoạch không có kỳ này.", "The plan has no such period."))
        period = period or main_period(session, plan_id)
        return plan, periods, period, consolidated(session, plan_id, period)
