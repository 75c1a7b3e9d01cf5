"""The page behind the link of the weekly test letter: one button, no account. Opening it confirms nothing, since mail
scanners follow links."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import Response

from engine.accounts.secret_keys import MAX_KEY_CHARS
from engine.admin.arrival import confirm_arrival, find_weekly_letter
from engine.http.request_context import NOBODY, Fields, Unauthenticated

router = APIRouter(include_in_schema=False)
Key = Annotated[str, Path(max_length=MAX_KEY_CHARS)]


@router.get("/arrived/{key}")
def show(ctx: Unauthenticated, key: Key) -> Response:
    with ctx.app.database.read() as session:
        letter = find_weekly_letter(session, ctx.app.signer, key)
    return replace(ctx, binding=key, actor=NOBODY).page("arrival.html", confirmed_at=letter.confirmed)


@router.post("/arrived/{key}")
def confirm(ctx: Unauthenticated, form: Fields, key: Key) -> Response:
    ctx.tools.tokens.check(form.raw("token"), key)
    with ctx.writing() as session:
        confirm_arrival(session, ctx.app.signer, key, ctx.now)
    return ctx.go(ctx.path, lang=ctx.request.query_params.get("lang", ""))
