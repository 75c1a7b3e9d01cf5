"""/styleguide: each part of a page once. In the demonstration, for whoever changes one."""

from __future__ import annotations

import re
from datetime import date, timedelta

from fastapi import APIRouter
from fastapi.responses import Response

from engine.errors import NotFound
from engine.http.render import WEB_DIR
from engine.http.request_context import SignedIn
from engine.queries.figures.outlook import WeekPoint
from engine.views.svg_charts import done_by_week

router = APIRouter(include_in_schema=False)
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
