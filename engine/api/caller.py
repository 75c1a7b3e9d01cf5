"""Identifies the API's caller: an API token, a signed-in user, or, in the demonstration, anyone.
A write with an ``Idempotency-Key`` is done once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Annotated

from fastapi import Depends, Header, Request
from fastapi.responses import Response
from pydantic import BaseModel
from sqlmodel import Session
from starlette.exceptions import HTTPException

from engine.accounts.api_tokens import Bearer, bearer_of, note_use
from engine.accounts.idempotency import MAX_KEY_CHARS, once
from engine.accounts.permissions import Actor, ActorRole
from engine.errors import NotAllowed
from engine.http.request_context import (
    RequestContext,
    SecondFactorFirst,
    SignInFirst,
    anonymous_context,
    signed_in_context,
)
from engine.http.security import media_type, same_origin
from engine.text import Text

API = Actor("api", "", "", ActorRole.ADMINISTRATOR)
Key = Annotated[str, Header(alias="Idempotency-Key", max_length=MAX_KEY_CHARS)]


@dataclass(frozen=True)
class Call(RequestContext):
    """Request context of an API call. ``key`` is its idempotency key, ``sent`` the raw body."""

    key: str = ""
    sent: bytes = b""

    def once(self, session: Session, action: Callable[[], BaseModel]) -> Response:
        """The action's response; for a key seen before, the earlier response, and nothing is done."""
        method, path = self.request.method, self.path
        answer = once(
            session,
            actor=self.actor.name,
            key=self.key,
            method=method,
            path=path,
            body=self.sent,
            now=self.now,
            action=lambda: (200, action().model_dump_json(by_alias=True)),
        )
        again = {"idempotency-replayed": "true"} if answer.again else {}
        return Response(answer.body, answer.status, media_type="application/json", headers=again)


async def _sent(request: Request) -> bytes:
    return await request.body() if request.method not in ("GET", "HEAD") else b""


def _caller(request: Request, sent: Annotated[bytes, Depends(_sent)], key: Key = "") -> Call:
    """The caller. A write must declare JSON, which a form of another site cannot, and must not come from another
    site."""
    ctx = _holder(request)
    if request.method not in ("GET", "HEAD"):
        if media_type(request.headers) != "application/json":
            raise HTTPException(415)
        if not same_origin(request.headers, ctx.app.settings.base_url):
            raise NotAllowed(Text("Yêu cầu từ trang khác bị từ chối.", "A request from another site is refused."))
    return Call(**{each.name: getattr(ctx, each.name) for each in fields(RequestContext)}, key=key, sent=sent)


def _holder(request: Request) -> RequestContext:
    """An invalid token is refused even if the caller has a session. The token's first call of a day, reads included,
    records that day as its last use."""
    kind, _, key = request.headers.get("authorization", "").partition(" ")
    if not kind:
        ctx = signed_in_context(request)
        return ctx if ctx.account is not None else _acting(ctx, API)
    ctx = anonymous_context(request)
    if kind.lower() == "bearer" and 0 < len(key) <= MAX_KEY_CHARS:
        with ctx.app.database.read() as session:
            bearer = bearer_of(session, key.strip(), ctx.now, ctx.app.settings.needs_second_factor)
        if bearer is not None and bearer.lacks_factor:
            raise SecondFactorFirst
        if bearer is not None and bearer.stale:
            with ctx.writing() as session:
                note_use(session, bearer.token_id, ctx.now)
        if bearer is not None:
            return _acting(ctx, bearer.actor, bearer)
    raise SignInFirst(Text("Khóa này không dùng được.", "This token is unknown, expired or revoked."))


def _acting(ctx: RequestContext, actor: Actor, bearer: Bearer | None = None) -> RequestContext:
    return replace(ctx, actor=actor, bearer=bearer, account=None, session_id=0)


Caller = Annotated[Call, Depends(_caller)]
