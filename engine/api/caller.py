"""Who calls the API: the holder of a token, whoever is signed in, or, while there is no account, a program on this
very machine as the pages' desk is. A write that bears an ``Idempotency-Key`` is done once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Annotated

from fastapi import Depends, Header, Request
from fastapi.responses import Response
from pydantic import BaseModel
from sqlmodel import Session
from starlette.exceptions import HTTPException

from engine.accounts.api_tokens import bearer_of, note_use
from engine.accounts.idempotency import MAX_KEY_CHARS, once
from engine.accounts.permissions import Actor, ActorRole
from engine.errors import NotAllowed
from engine.http.request_context import RequestContext, SignInFirst, anybody, desk_visit
from engine.http.security import same_origin
from engine.text import Text

API = Actor("api", "", "", ActorRole.ADMINISTRATOR)
Key = Annotated[str, Header(alias="Idempotency-Key", max_length=MAX_KEY_CHARS)]


@dataclass(frozen=True)
class Call(RequestContext):
    """A visit of a program. ``key`` is its idempotency key, ``sent`` the body as it came."""

    key: str = ""
    sent: bytes = b""

    def once(self, session: Session, deed: Callable[[], BaseModel]) -> Response:
        """The deed's answer; the earlier one, and nothing done, when this key was answered before."""
        method, path = self.request.method, self.path
        answer = once(
            session,
            actor=self.actor.name,
            key=self.key,
            method=method,
            path=path,
            body=self.sent,
            now=self.now,
            action=lambda: (200, deed().model_dump_json()),
        )
        again = {"idempotency-replayed": "true"} if answer.again else {}
        return Response(answer.body, answer.status, media_type="application/json", headers=again)


async def _sent(request: Request) -> bytes:
    return await request.body() if request.method not in ("GET", "HEAD") else b""


def _caller(request: Request, sent: Annotated[bytes, Depends(_sent)], key: Key = "") -> Call:
    """A write must say that it is JSON, which no form of another site can, and come from no other site."""
    ctx = _holder(request)
    if request.method not in ("GET", "HEAD"):
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise HTTPException(415)
        if not same_origin(request.headers, ctx.app.settings.base_url):
            raise NotAllowed(Text("Yêu cầu từ trang khác bị từ chối.", "A request from another site is refused."))
    return Call(**{each.name: getattr(ctx, each.name) for each in fields(RequestContext)}, key=key, sent=sent)


def _holder(request: Request) -> RequestContext:
    """A token that is said but does not hold is refused, whatever else the caller may have. Its first call of a day
    writes down the day, a look too: that is a record of the key's, and changes nothing that anybody looks at."""
    kind, _, key = request.headers.get("authorization", "").partition(" ")
    if not kind:
        ctx = desk_visit(request)
        return ctx if ctx.account is not None else ctx.acting(API)
    ctx = anybody(request)
    if kind.lower() == "bearer" and 0 < len(key) <= MAX_KEY_CHARS:
        with ctx.app.database.read() as session:
            bearer = bearer_of(session, key.strip(), ctx.now)
        if bearer is not None and bearer.stale:
            with ctx.writing() as session:
                note_use(session, bearer.token_id, ctx.now)
        if bearer is not None:
            return ctx.acting(bearer.actor, bearer)
    raise SignInFirst(Text("Khóa này không dùng được.", "This token is unknown, over or revoked."))


Caller = Annotated[Call, Depends(_caller)]
