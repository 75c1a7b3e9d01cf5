"""The health page: a green or red summary, and the figures behind it."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from engine.accounts.permissions import Permission
from engine.http.request_context import SignedIn
from engine.queries.system import webhooks
from engine.queries.system.health import health

router = APIRouter(include_in_schema=False)


@router.get("/health")
def show(ctx: SignedIn) -> Response:
    ctx.require(Permission.SEE_HEALTH)
    with ctx.reading() as (session, today):
        found, failing = health(session, today, live=not ctx.demo), webhooks.failing(session)
    return ctx.page("health.html", today=today, health=found, failing=failing, answer=webhooks.answer)
