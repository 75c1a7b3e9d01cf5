"""Plans past their last due date that wait to be ended: named, and all ended with one press."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from engine.accounts.permissions import Permission
from engine.http.filters import Code
from engine.http.request_context import PostedForm, SignedIn
from engine.plans.closing import end_past, plans_to_end

router = APIRouter(include_in_schema=False)
PAGE = "/plans/past"


@router.get(PAGE)
def show(ctx: SignedIn, said: Code = "") -> Response:
    ctx.require(Permission.RUN_PLANS)
    with ctx.reading() as (session, today):
        waiting = plans_to_end(session, today.day)
    _, _, count = said.partition(".")
    ended = int(count) if count.isdecimal() else 0
    return ctx.page("plans_past.html", today=today, waiting=waiting, ended=ended)


@router.post(PAGE)
def end_all(ctx: SignedIn, form: PostedForm) -> Response:
    """End the plans that the page named; one that was ended or goes on meanwhile is left."""
    ctx.require(Permission.RUN_PLANS)
    with ctx.writing() as session:
        count = end_past(session, form.numbers("id"), **ctx.by)
    return ctx.go(PAGE, said=f"ended.{count}")
