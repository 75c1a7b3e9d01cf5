"""The demonstration's controls: advance the clock and run the passes that are then due."""

from __future__ import annotations

from enum import StrEnum

from fastapi import APIRouter
from fastapi.responses import Response

from engine.accounts.permissions import Permission
from engine.errors import NotFound
from engine.http.request_context import PostedForm, SignedIn, local

router = APIRouter()


class Step(StrEnum):
    EVENT = "event"
    DAY = "day"
    WEEK = "week"


@router.post("/demo/step")
def step(ctx: SignedIn, form: PostedForm) -> Response:
    if ctx.app.step is None:
        raise NotFound
    ctx.require(Permission.STEP_CLOCK)
    ctx.app.step(form.choice("by", Step).value)
    stepped = ctx.now.isoformat() if ctx.app.clock() > ctx.now else ""
    return ctx.go(local(form.text("back", 400)) or "/", stepped=stepped)
