"""What the demonstration alone has: its controls, which advance the clock and run the passes that are then due, and
/styleguide, each part of a page once, for whoever changes one."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from enum import StrEnum

from fastapi import APIRouter
from fastapi.responses import Response

from engine.accounts.permissions import Permission
from engine.errors import NotFound
from engine.http.guards.waiting import answered
from engine.http.render import WEB_DIR
from engine.http.request_context import PostedForm, RequestContext, SignedIn, local
from engine.queries.figures.outlook import WeekPoint
from engine.text import Text
from engine.views.svg_charts import done_by_week

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


FRAME = frozenset({"skip", "tabs", "patterns", "hidden", "onpaper", "narrow", "onepage", "printed"})
WEEKS = tuple(WeekPoint(date(2021, 4, 12) + timedelta(weeks=n), done, 134) for n, done in enumerate((0, 0, 4, 62, 111)))


@router.get("/styleguide")
def show(ctx: SignedIn) -> Response:
    if not ctx.demo:
        raise NotFound
    return ctx.page("styleguide.html", weeks=done_by_week(WEEKS, (), ctx.language), sheets=_sheets())


def _sheets() -> list[tuple[str, list[str]]]:
    """(style sheet, the classes that it styles), but for what stands around a page's main part."""
    found = []
    for path in sorted(WEB_DIR.glob("static/*.css")):
        selectors = re.sub(r"/\*.*?\*/|\{[^{}]*\}", "{}", path.read_text(encoding="utf-8"), flags=re.S)
        found.append((path.name, sorted(set(re.findall(r"\.([a-z][a-z0-9-]*)", selectors)) - FRAME)))
    return found
