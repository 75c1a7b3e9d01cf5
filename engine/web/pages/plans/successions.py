"""A running plan and its agencies: owners that have ended, each with who took over; another department that follows the
plan. Named first, confirmed one by one or all."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from engine.accounts.permissions import Permission
from engine.agencies.agencies import MAX_BASIS_CHARS
from engine.agencies.directory_loading import read_directory
from engine.errors import DondocError
from engine.http.filters import Code, SmallId
from engine.http.forms import Form
from engine.http.request_context import PostedForm, RequestContext, SignedIn
from engine.plans import following
from engine.plans.following import Replacement
from engine.queries.figures.plans import plan_page

router = APIRouter(include_in_schema=False)


@router.get("/plans/{plan_id}/successions")
def show(ctx: SignedIn, plan_id: SmallId, said: Code = "") -> Response:
    return _page(ctx, plan_id, outcome=said)


@router.post("/plans/{plan_id}/successions")
def confirm(ctx: SignedIn, form: PostedForm, plan_id: SmallId) -> Response:
    """``do=follow``: another department follows the plan. Else the ticked owners (``ended``) are replaced by what is
    chosen for each (``to-<id>``); all of them or none."""
    ctx.require(Permission.RUN_PLANS)
    try:
        with ctx.writing() as session:
            if form.raw("do") == "follow":
                basis, to = form.text("basis", MAX_BASIS_CHARS), form.text("to", 64)
                count = following.change_supervisor(session, plan_id, to, basis=basis, **ctx.by)
                return ctx.go(f"/plans/{plan_id}/successions", said=f"follow.{count}")
            proposed = {
                each.ended.agency_id: each for each in following.proposed_replacements(session, plan_id, ctx.now)
            }
            ticked = [each for each in form.every("ended") if each in proposed]
            for name in ticked:
                heirs = form.text(f"to-{name}", 64)
                basis = _basis(form, proposed[name])
                chosen = [heirs] if heirs else proposed[name].heirs
                following.replace_owner(session, plan_id, name, chosen, basis=basis, **ctx.by)
    except DondocError as error:
        return _page(ctx, plan_id, trouble=error)
    return ctx.go(f"/plans/{plan_id}/successions", said=f"replaced.{len(ticked)}")


def _basis(form: Form, proposed: Replacement) -> str:
    return form.text("basis", MAX_BASIS_CHARS) or proposed.basis[:MAX_BASIS_CHARS]


def _page(ctx: RequestContext, plan_id: int, *, outcome: str = "", trouble: DondocError | None = None) -> Response:
    ctx.require(Permission.RUN_PLANS)
    with ctx.reading() as (session, today):
        found = following.proposed_replacements(session, plan_id, ctx.now)
        plan, directory = plan_page(session, today, plan_id), read_directory(session)
    levels = {each.id: each.level for each in directory.agencies}
    kind, _, count = outcome.partition(".")
    return ctx.page(
        "plan_successions.html",
        422 if trouble else 200,
        today=today,
        plan=plan,
        found=found,
        names=directory.latest_names,
        departments=[name for name in levels if levels[name] == levels.get(plan.supervisor_id)],
        groups=directory.groups,
        outcome=kind,
        count=int(count) if count.isdecimal() else 0,
        sentence=trouble.said(ctx.language) if trouble else "",
        max_basis=MAX_BASIS_CHARS,
    )
