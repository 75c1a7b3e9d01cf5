"""Consolidated figures of a plan and period: totals against targets, each agency's value, missing agencies."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import APIRouter
from fastapi.responses import Response

from engine.accounts.permissions import Permission
from engine.assignments.indicators import Consolidated, consolidated
from engine.errors import NotFound
from engine.http.csv_download import Cell, csv_response
from engine.http.filters import Code, SmallId
from engine.http.request_context import RequestContext, SignedIn
from engine.queries.filter_choices import period_choices
from engine.queries.plan_periods import main_period
from engine.queries.plans import PlanPage, plan_page
from engine.text import Text

router = APIRouter()
MAX_MISSING_SHOWN = 100


@router.get("/plans/{plan_id}/figures")
def show(ctx: SignedIn, plan_id: SmallId, period: Code = "", indicator: Code = "") -> Response:
    """The totals; ``indicator`` selects one to list every agency with its value."""
    plan, periods, period, found = _read(ctx, plan_id, period)
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


@router.get("/plans/{plan_id}/figures.csv")
def download(ctx: SignedIn, plan_id: SmallId, period: Code = "") -> Response:
    plan, _, period, found = _read(ctx, plan_id, period)
    return csv_response(_rows(found, index=1 if ctx.language == "en" else 0), f"figures-{plan_id}-{plan.row.year}.csv")


def _read(ctx: RequestContext, plan_id: int, period: str) -> tuple[PlanPage, tuple[str, ...], str, Consolidated]:
    """Plan, periods, selected period (by default the plan's latest main period) and consolidated figures."""
    ctx.require(Permission.SEE_FIGURES)
    with ctx.reading() as (session, today):
        plan, periods = plan_page(session, today, plan_id), period_choices(session, plan_id)
        if period and period not in periods:
            raise NotFound(Text("Kế hoạch không có kỳ này.", "The plan has no such period."))
        period = period or main_period(session, plan_id)
        return plan, periods, period, consolidated(session, plan_id, period)


def _rows(found: Consolidated, *, index: int) -> Iterator[tuple[Cell, ...]]:
    """CSV rows: one for the total, then one per agency; missing values are empty."""
    yield (
        ("Mã", "Chỉ tiêu", "Cơ quan", "Giá trị", "Chỉ tiêu đặt ra", "Đạt (%)", "Ghi chú"),
        ("Code", "Figure", "Agency", "Value", "Target", "Reached (%)", "Remark"),
    )[index]
    for line in found.lines:
        each, missing = line.indicator, len(line.missing)
        note = (f"còn thiếu {missing} cơ quan", f"{missing} missing")[index] if missing else ""
        remark = "; ".join(
            text for text in (line.problem.said("en" if index else "vi") if line.problem else "", note) if text
        )
        yield each.code, each.name, ("Tổng", "Total")[index], line.total, each.target, line.reached, remark
        for given in line.given:
            yield each.code, each.name, given.agency, given.value, None, None, None
