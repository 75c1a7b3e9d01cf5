"""Middleware that turns requests away before they are handled: bodies too large for their sender, more requests at
once than the process takes, long work out of its turn, names of hosts that are not this server's.

Anonymous senders get the lowest limit; known users may send forms, and files only to the routes that take files. Only
a body over the anonymous limit costs the database query that identifies the sender.

Middleware: gives each request an id, returned as ``X-Request-ID`` and included in each line logged for it.

With DONDOC_LOG=json each request is also logged on ``dondoc.access``: the route's pattern, never the path, since the
path of a link in a letter is a credential.

A request counts once its body has arrived, so that slow senders do not block others.

Long work behind ``engine.http.guards.waiting`` takes its turn there.

A page of another site that resolves its own name to this server (DNS rebinding) is refused, as is a proxy configured
with another name.
"""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import time
from contextvars import ContextVar
from urllib.parse import urlsplit

from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.accounts.api_tokens import bearer_of
from engine.accounts.permissions import DESK
from engine.accounts.second_factor import Proof
from engine.accounts.sign_in import holder_of, is_known_session
from engine.accounts.signed_links import Purpose
from engine.errors import Busy, LinkRefused, TooOften
from engine.http.app_context import AppContext
from engine.http.error_pages import DETAILS, answer
from engine.http.lists.listing import FileFormat
from engine.http.long_work import Turn
from engine.http.request_context import SESSION_COOKIE, guarded, is_secure, language_of, tools_of
from engine.http.security import (
    MAX_BODY_BYTES,
    MAX_STRANGER_BYTES,
    BodyTooLarge,
    SecurityEvent,
    host_name,
    is_loopback_name,
    media_type,
    route_of,
)
from engine.queries.work.letter_links import open_link
from engine.rules.calendar import local_date
from engine.text import Text

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
    kind = media_type(request.headers)
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


MAX_REQUESTS = 200
"""Five times the number of worker threads: a longer queue would only time out."""
MAX_CALLBACKS = 2_000
"""Callbacks of gateways with messages and receipts: most gateways do not retry, so these wait for a thread instead."""
CALLBACKS = "/callbacks/"
RETRY_AFTER = {"retry-after": "10"}


class Concurrency:
    """Counts the requests of this process."""

    def __init__(self, app: ASGIApp, most: int = MAX_REQUESTS) -> None:
        self.app, self._most, self._running = app, most, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        place = _Place(self, request)
        try:
            if not has_body(request) and not place.take():
                response = answer(request, 503, DETAILS[503][language_of(request)[0] == "en"])
                response.headers.update(RETRY_AFTER)
                await response(scope, receive, send)
                return
            await self.app(scope, place.receiving(receive), send)
        finally:
            place.leave()


class _Place:
    """A request's slot among those being processed."""

    def __init__(self, among: Concurrency, request: Request) -> None:
        self._among, self._request, self._taken = among, request, False

    def take(self) -> bool:
        most = MAX_CALLBACKS if self._request.url.path.startswith(CALLBACKS) else self._among._most
        if not self._taken and self._among._running >= most:
            tools_of(self._request).security.record(SecurityEvent.OVERLOADED, self._request)
            return False
        self._among._running += not self._taken
        self._taken = True
        return True

    def leave(self) -> None:
        self._among._running -= self._taken
        self._taken = False

    def receiving(self, receive: Receive) -> Receive:
        async def receive_and_take() -> Message:
            message = await receive()
            if message["type"] == "http.request" and not message.get("more_body") and not self.take():
                raise HTTPException(503, headers=RETRY_AFTER)
            return message

        return receive_and_take


def has_body(request: Request) -> bool:
    return "transfer-encoding" in request.headers or request.headers.get("content-length", "0") != "0"


WAIT_SECONDS = 30.0
LOOK_SECONDS = 0.05
OTHER_PATHS = re.compile(
    r"/[^?]+\.docx|/papers/(dispatch|settings/[^/]+)|/letters/[^/]+(/html)?"
    r"|/admin/(calendar/preview|settings/[^/]+)|/api/v1/calendar/preview|/reorganisation|/plans/[^/]+/(renew|years)"
    r"|(/api/v1)?/agencies/[^/]+/(files|evidence)/[^/]+|/r/[^/]+/files/[^/]+"
)
"""Papers, letters by an office's own templates, previews, settings that are tried with a server elsewhere, and files
that may be scanned."""
WAITS_ELSEWHERE = re.compile(r"/plans/(import|load|[^/]+/simulate)")
"""Those that answer by ``engine.http.guards.waiting``."""


class LongWorkTurns:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not is_long_work(Request(scope)):
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        turn: Turn | None = None

        async def take() -> None:
            nonlocal turn
            turn = turn or await _turn_of(request)

        async def receiving() -> Message:
            message = await receive()
            if message["type"] == "http.request" and not message.get("more_body"):
                await take()
            return message

        async def sending(message: Message) -> None:
            if turn is not None:
                turn.end()
            await send(message)

        try:
            if not has_body(request):
                await take()
            await self.app(scope, receiving, sending)
        except HTTPException as error:
            if turn is not None or has_body(request):
                raise
            response = answer(request, error.status_code, DETAILS[error.status_code][language_of(request)[0] == "en"])
            response.headers.update(error.headers or {})
            await response(scope, receive, send)
        finally:
            if turn is not None:
                turn.end()


def is_long_work(request: Request) -> bool:
    """Whether it waits for its turn here."""
    path = request.url.path
    file = request.query_params.get("as", "") in tuple(FileFormat)
    if WAITS_ELSEWHERE.fullmatch(path) and not file:
        return False
    sent = request.method == "POST" and any(pattern.fullmatch(path) for pattern, _, _ in LONGER_BODIES)
    return file or sent or OTHER_PATHS.fullmatch(path) is not None


async def _turn_of(request: Request) -> Turn | None:
    """The sender's turn, when it has come; None for strangers, who are refused. Raises HTTPException."""
    tools = tools_of(request)
    person = await run_in_threadpool(sender_of, request)
    if not person:
        return None
    now = tools.context.clock()
    try:
        turn = tools.work.turns.ask(person, now)
        try:
            await _begun(turn)
        except BaseException:
            turn.end()
            raise
    except Busy as error:
        raise HTTPException(503, headers={"retry-after": str(error.again_seconds)}) from None
    except TooOften as error:
        seconds = (error.again - now).total_seconds() if error.again else 0.0
        raise HTTPException(429, headers={"retry-after": str(max(1, round(seconds)))}) from None
    return turn


async def _begun(turn: Turn) -> None:
    """Raises Busy."""
    until = time.monotonic() + WAIT_SECONDS
    while not turn.begin():
        if time.monotonic() > until:
            raise Busy
        await asyncio.sleep(LOOK_SECONDS)


UNKNOWN_HOST = Text(
    "Máy chủ này không mang tên ấy; quản trị viên đặt địa chỉ mà mọi người mở ở trang Thiết lập, hoặc bằng "
    "DONDOC_BASE_URL.",
    "This server does not have that name; the administrator sets the address that people open on the page Settings, "
    "or by DONDOC_BASE_URL.",
)


class AcceptedHosts:
    """Responds 400 to every other Host header."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            request = Request(scope)
            if not await _is_accepted(Headers(scope=scope), tools_of(request).context):
                tools_of(request).security.record(SecurityEvent.HOST_REFUSED, request)
                response = answer(request, 400, UNKNOWN_HOST.said(language_of(request)[0]))
                await response(scope, receive, send)
                return
        await self.app(scope, receive, send)


async def _is_accepted(headers: Headers, context: AppContext) -> bool:
    """A base URL entered on a page takes effect at once: it is looked up when its name is first requested."""
    hosts = headers.getlist("host")
    name = host_name(hosts[0]) if len(hosts) == 1 else ""
    if not name or is_loopback_name(name) or name == urlsplit(context.settings.base_url).hostname:
        return bool(name)
    now = await run_in_threadpool(lambda: context.settings_now)
    return name == urlsplit(now.base_url).hostname
