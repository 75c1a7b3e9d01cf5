"""The list of plans, and one plan: duties, gaps, focus areas, indicators, and the rules behind its dates."""

from __future__ import annotations

from collections import Counter

from fastapi import APIRouter
from fastapi.responses import Response

from engine.accounts.permissions import Permission
from engine.http.filters import Code, Cursor, SmallId, Sort, Typed
from engine.http.lists.list_columns import PLAN_LIST
from engine.http.lists.list_download import ExportFormat, download
from engine.http.request_context import SignedIn
from engine.plans.closing import past_plan
from engine.queries.figures.plans import every_plan, list_plans, plan_page

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
    return ctx.kept_page("plans.html", today=today, listing=PLAN_LIST, found=found, after=after, words=q, sort=sort)


@router.get("/plans/{plan_id}")
def show(ctx: SignedIn, plan_id: SmallId, said: Code = "") -> Response:
    ctx.require(Permission.SEE_PLANS)
    with ctx.reading() as (session, today):
        found = plan_page(session, today, plan_id)
        past = past_plan(session, plan_id, today.day)
    sections = sorted((section.roman for section in found.file.sections), key=len, reverse=True)
    per_section = Counter(
        next((roman for roman in sections if duty.citation.startswith(f"{roman}.")), "") for duty in found.duties
    )
    return ctx.kept_page("plan.html", today=today, plan=found, per_section=per_section, past=past, outcome=said)
