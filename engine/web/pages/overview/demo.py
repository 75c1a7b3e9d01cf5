"""The demonstration's controls: advance the clock and run the passes that are then due."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from fastapi import APIRouter
from fastapi.responses import Response

from engine.accounts.permissions import Permission
from engine.errors import NotFound
from engine.http.guards.waiting import answered
from engine.http.request_context import PostedForm, RequestContext, SignedIn, local
from engine.text import Text

router = APIRouter(include_in_schema=False)


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

    def stepped(after: RequestContext, result: Callable[[], None]) -> Response:
        result()
        moved = after.app.clock().isoformat() != since
        return after.go(back, stepped=since if moved else "")

    words = Text("Đồng hồ đang bước", "The clock is stepping")
    return answered(ctx, words, ("demo step",), lambda: _step(ctx, by), stepped)


def _step(ctx: RequestContext, by: Step) -> None:
    if ctx.app.step is not None:
        ctx.app.step(by.value)
