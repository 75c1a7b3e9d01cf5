"""One page that proves it works: a green sentence or a red one, and the figures behind it."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from engine.accounts.permissions import Deed
from engine.http.request_context import Desk
from engine.queries.system.health import health

router = APIRouter()


@router.get("/health")
def show(visit: Desk) -> Response:
    visit.must(Deed.SEE_HEALTH)
    with visit.reading() as (session, today):
        found = health(session, today, live=not visit.demo)
    return visit.page("health.html", today=today, health=found)
