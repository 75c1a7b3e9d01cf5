"""Middleware: limits request bodies by sender, before the body is read. Anonymous senders get the lowest limit; known
users may send forms, and files only to the routes that take files. Only a body over the anonymous limit costs the
database query that identifies the sender.

Middleware: gives each request an id, returned as ``X-Request-ID`` and included in each line logged for it.

With DONDOC_LOG=json each request is also logged on ``dondoc.access``: the route's pattern, never the path, since the
path of a link in a letter is a credential.
"""

from __future__ import annotations

import logging
import re
import secrets
import time
from contextvars import ContextVar

from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.accounts.api_tokens import bearer_of
from engine.accounts.permissions import DESK
from engine.accounts.second_factor import Proof
from engine.accounts.sign_in import holder_of, is_known_session
from engine.accounts.signed_links import Purpose
from engine.errors import LinkRefused
from engine.http.request_context import SESSION_COOKIE, guarded, is_secure, tools_of
from engine.http.security import MAX_BODY_BYTES, MAX_STRANGER_BYTES, BodyTooLarge, route_of
from engine.queries.work.letter_links import open_link
from engine.rules.calendar import local_date

MAX_FILES_BYTES = 30_000_000
_MULTIPART, _JSON = "multipart/form-data", "application/json"
LONGER_BODIES: tuple[tuple[re.Pattern[str], str, int], ...] = (
    (re.compile(r"/plans/import"), _MULTIPART, 26_000_000),
    (re.compile(r"/admin/contact-sheet"), _MULTIPART, 6_000_000),
    (re.compile(r"/report/[^/]+/[^/]+/[^/]+(/thread)?|/r/[^/]+(/thread)?"), _MULTIPART, MAX_FILES_BYTES),
    (re.compile(r"/agencies/[^/]+/coordinated|/l/[^/]+/part"), _MULTIPART, MAX_FILES_BYTES),
    (re.compile(r"/api/v1/agencies/[^/]+/evidence"), _JSON, 14_000_000),
)
"""Path, content type and limit of longer requests: a plan document, a report, an entry of its thread or the part of a
coordinating agency with files, and one file as base64."""
_LETTER_LINKS = (
    (re.compile(r"/r/([^/]+)(?:/thread|/files/[^/]+)?"), Purpose.REPORT),
    (re.compile(r"/l/([^/]+)/part"), Purpose.ACKNOWLEDGE),
)
"""Pages of signed links that take files or give them."""


class BodyLimits:
    """Rejects a body whose declared or actual length exceeds its sender's limit."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        limited = _limited(receive, Request(scope)) if scope["type"] == "http" else receive
        await self.app(scope, limited, send)


def _limited(receive: Receive, request: Request) -> Receive:
    received, max_bytes, identified = 0, MAX_STRANGER_BYTES, False
    length = request.headers.get("content-length", "0")
    declared = int(length) if length.isdecimal() and len(length) < 19 else 0

    async def enforce(size: int) -> None:
        nonlocal max_bytes, identified
        if size > max_bytes and not identified:
            max_bytes, identified = await run_in_threadpool(max_body_bytes, request), True
        if size > max_bytes:
            raise BodyTooLarge(max_bytes)

    async def receiving() -> Message:
        nonlocal received
        await enforce(declared)
        message = await receive()
        received += len(message.get("body", b""))
        await enforce(received)
        return message

    return receiving


def max_body_bytes(request: Request) -> int:
    """The longest body that the sender of this request may send. Reads the database."""
    if not _is_known(request):
        return MAX_STRANGER_BYTES
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    path = request.url.path
    longer = (limit for pattern, sent_as, limit in LONGER_BODIES if sent_as == kind and pattern.fullmatch(path))
    return next(longer, MAX_BODY_BYTES)


def _is_known(request: Request) -> bool:
    """Whether the sender is somebody. An expired session counts, so that the posted form can be shown again."""
    cookie = request.cookies.get(guarded(SESSION_COOKIE, is_secure(tools_of(request).context)), "")
    if sender_of(request):
        return True
    with tools_of(request).context.database.read() as session:
        return "authorization" not in request.headers and is_known_session(session, cookie)


def sender_of(request: Request) -> str:
    """The account or contact by name, whichever key or link it uses; "" for a stranger. Reads the database."""
    context = tools_of(request).context
    now = context.clock()
    if context.open_desk:
        return DESK.name
    for pattern, purpose in _LETTER_LINKS:
        if link := pattern.fullmatch(request.url.path):
            try:
                with context.database.read() as session:
                    found = open_link(session, context.signer, purpose, link[1], local_date(now))
            except LinkRefused:
                return ""
            return f"contact:{found.contact_id}"
    kind, _, key = request.headers.get("authorization", "").partition(" ")
    cookie = request.cookies.get(guarded(SESSION_COOKIE, is_secure(context)), "")
    if not cookie and kind.lower() != "bearer":
        return ""
    with context.database.read() as session:
        if kind:
            bearer = bearer_of(session, key.strip(), now, context.settings.needs_second_factor)
            known = kind.lower() == "bearer" and bearer is not None and not bearer.lacks_factor
            return f"account:{bearer.account_id}" if known and bearer else ""
        holder = holder_of(session, cookie, now, *context.settings.session_ends)
        return holder.account.actor.name if holder and holder.factor is not Proof.PENDING else ""


access = logging.getLogger("dondoc.access")
REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
HEADER = "x-request-id"
_GIVEN = re.compile(r"[A-Za-z0-9-]{8,64}")


class RequestIds:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get(HEADER, "")  # of a proxy, so that its log and ours can be laid together
        request_id = given if _GIVEN.fullmatch(given) else secrets.token_hex(8)
        token, began, status = REQUEST_ID.set(request_id), time.monotonic(), 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = request_id
            await send(message)

        try:
            await self.app(scope, receive, sending)
        finally:
            milliseconds = round(1000 * (time.monotonic() - began))
            facts = {"method": scope["method"], "route": route_of(Request(scope)), "status": status, "ms": milliseconds}
            access.info("%(method)s %(route)s %(status)s %(ms)s ms", facts, extra={"facts": facts})
            REQUEST_ID.reset(token)
