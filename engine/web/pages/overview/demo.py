"""The demonstration's bar: steps the clock, and the passes run that would have run."""

from __future__ import annotations

from enum import StrEnum

from fastapi import APIRouter
from fastapi.responses import Response

from engine.accounts.permissions import Deed
from engine.errors import NotFound
from engine.http.request_context import Desk, Posted, local

router = APIRouter()


class Step(StrEnum):
    EVENT = "event"
    DAY = "day"
    WEEK = "week"


@router.post("/demo/step")
def step(visit: Desk, form: Posted) -> Response:
    if visit.context.step is None:
        raise NotFound
    visit.must(Deed.STEP_CLOCK)
    visit.context.step(form.choice("by", Step).value)
    return visit.go(local(form.text("back", 400)) or "/")
