"""Middleware: gives each request an id, returned as ``X-Request-ID`` and included in each line logged for it.

With DONDOC_LOG=json each request is also logged on ``dondoc.access``: the route's pattern, never the path, since the
path of a link in a letter is a credential.
"""

from __future__ import annotations

import logging
import re
import secrets
import time
from contextvars import ContextVar

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.http.security_log import route_of

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
