"""/styleguide: each part of a page once. In the demonstration, for whoever changes one."""

from __future__ import annotations

from datetime import date, timedelta

from fastapi import APIRouter
from fastapi.responses import Response

from engine.errors import NotFound
from engine.http.request_context import SignedIn
from engine.queries.figures.outlook import WeekPoint
from engine.views.svg_charts import done_by_week

router = APIRouter(include_in_schema=False)
WEEKS = tuple(WeekPoint(date(2021, 4, 12) + timedelta(weeks=n), done, 134) for n, done in enumerate((0, 0, 4, 62, 111)))


@router.get("/styleguide")
def show(ctx: SignedIn) -> Response:
    if not ctx.demo:
        raise NotFound
    return ctx.page("styleguide.html", weeks=done_by_week(WEEKS, (), ctx.language))
