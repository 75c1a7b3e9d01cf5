"""The page that waits for long work of the reader's own, and then shows its result."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import Response

from engine.http.guards.waiting import awaited
from engine.http.request_context import SignedIn

router = APIRouter(include_in_schema=False)
Ticket = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]


@router.get("/working/{ticket}")
def show(ctx: SignedIn, ticket: Ticket) -> Response:
    return awaited(ctx, ticket)
