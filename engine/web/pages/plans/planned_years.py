"""Correct the year of a plan: what it would come to, then the correction."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from engine.accounts.permissions import Permission
from engine.errors import BadInput
from engine.files.plan_year import YEARS_AS, Years, read_years
from engine.http.filters import SmallId
from engine.http.forms import MAX_REASON_CHARS
from engine.http.request_context import PostedForm, RequestContext, SignedIn
from engine.plans.planned_years import YearChange, correct_years, rehearse_years
from engine.queries.figures.plans import plan_page

router = APIRouter(include_in_schema=False)


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
