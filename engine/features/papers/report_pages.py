"""Papers that state figures: a period's consolidated report, the leadership's quick report, a published ranking."""

from __future__ import annotations

from dataclasses import replace

from fastapi import APIRouter
from fastapi.responses import Response

from engine.accounts.permissions import Permission
from engine.admin.published_figures import published
from engine.errors import Conflict, NotFound
from engine.features.papers.facts import PaperKind
from engine.features.papers.issuers import issuer_of
from engine.features.papers.period_report import period_report
from engine.features.papers.quick_report import quick_report_docx, ranking_docx
from engine.features.papers.quick_report_facts import quick_report, rank_rows
from engine.features.papers.report import report_docx, report_name
from engine.http.filters import Code, PlanId, SmallId
from engine.http.lists.list_download import DOCX, attachment
from engine.http.render import url
from engine.http.request_context import SignedIn
from engine.queries.stored_plans import active_plans, find_plan, plan_of
from engine.rules.words import period_words
from engine.text import Text
from engine.web.pages.plans.figures import read_figures

router = APIRouter(include_in_schema=False)


@router.get("/plans/{plan_id}/report.docx")
def report_paper(ctx: SignedIn, plan_id: SmallId, period: Code = "") -> Response:
    """The consolidated report of the period as a draft to be signed."""
    plan, _, period, _ = read_figures(ctx, plan_id, period)
    with ctx.reading() as (session, today):
        facts = period_report(session, today, plan_of(session, plan_id), period)
    here = url(f"/plans/{plan_id}/figures", period=period)
    facts = replace(facts, source=f"{ctx.app.settings.base_url}{here}")
    return attachment(report_docx(facts), DOCX, report_name(plan.row.number, plan.row.year, period))


@router.get("/leadership/report.docx")
def quick_paper(ctx: SignedIn, plan: PlanId, period: Code = "") -> Response:
    """The page as a paper to sign, with the ranking as its annex."""
    ctx.require(Permission.SEE_STANDING)
    with ctx.reading() as (session, today):
        row = find_plan(session, plan or next((each for each, _ in active_plans(session)), 0))
        if row is None:
            raise NotFound(Text("Không có kế hoạch đang thực hiện.", "There is no active plan."))
        facts = quick_report(session, today, row, period, whole_plans=plan is None)
    here = url("/leadership", plan=plan, period=period)
    facts = replace(facts, source=f"{ctx.app.settings.base_url}{here}")
    return attachment(quick_report_docx(facts), DOCX, f"bao-cao-nhanh_{row.number.replace('Đ', 'D')}_{ctx.today}.docx")


@router.get("/leadership/frozen/{frozen_id}/ranking.docx")
def ranking_paper(ctx: SignedIn, frozen_id: SmallId) -> Response:
    """The ranking of published figures, as published. Raises Conflict when the row was changed since."""
    ctx.require(Permission.SEE_STANDING)
    with ctx.reading() as (session, _):
        found = published(session, frozen_id)
        row = plan_of(session, found.plan_id)
        issuer = issuer_of(session, row, PaperKind.QUICK)
    if not found.intact:
        raise Conflict(
            Text("Bản lưu khác với lúc chốt; không in để công bố.", "What is stored differs from what was published.")
        )
    period = f" {period_words(found.period, 'vi')}" if found.period else ""
    subject = f"Kế hoạch số {found.plan}{period}"
    source = f"{ctx.app.settings.base_url}/leadership/frozen/{frozen_id}"
    body = ranking_docx(issuer.name, subject, found.cut_off, found.at, rank_rows(found.standing), source)
    return attachment(body, DOCX, f"xep-hang_{found.plan.replace('Đ', 'D')}_{found.cut_off}.docx")
