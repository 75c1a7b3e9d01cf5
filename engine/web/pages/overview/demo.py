"""The demonstration's controls: advance the clock and run the passes that are then due."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from engine.accounts.permissions import Permission
from engine.errors import NotFound
from engine.http.filters import Plain
from engine.http.request_context import PostedForm, RequestContext, SignedIn, local
from engine.text import Text

router = APIRouter()
STEPPING = "demo step"
Address = Annotated[str, Plain, Query(max_length=400)]


class Step(StrEnum):
    EVENT = "event"
    DAY = "day"
    WEEK = "week"


@router.post("/demo/step")
def step(ctx: SignedIn, form: PostedForm) -> Response:
    if ctx.app.step is None:
        raise NotFound
    ctx.require(Permission.STEP_CLOCK)
    by, back, since = form.choice("by", Step), local(form.text("back", 400)) or "/", ctx.now.isoformat()
    done, _ = ctx.tools.work.run(STEPPING, lambda: _step(ctx, by))
    return _stepped(ctx, back, since) if done else ctx.go("/demo/running", back=back, since=since)


@router.get("/demo/running")
def running(ctx: SignedIn, back: Address = "/", since: Address = "") -> Response:
    """While a step goes on: this page again; then where it was asked for."""
    if ctx.app.step is None:
        raise NotFound
    ctx.require(Permission.STEP_CLOCK)
    if ctx.tools.work.running(STEPPING) is None:
        return _stepped(ctx, local(back) or "/", since)
    words = Text("Đồng hồ đang bước", "The clock is stepping").said(ctx.language)
    return ctx.working(words, STEPPING, ctx.here())


def _step(ctx: RequestContext, by: Step) -> None:
    if ctx.app.step is not None:
        ctx.app.step(by.value)


def _stepped(ctx: RequestContext, back: str, since: str) -> Response:
    moved = ctx.app.clock().isoformat() != since
    return ctx.go(back, stepped=since if moved else "")
