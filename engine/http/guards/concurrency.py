"""Middleware: limits the requests processed at once; others get 503 with Retry-After instead of an ever longer queue. A
request counts once its body has arrived, so that slow senders do not block others."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.http.error_pages import DETAILS, answer
from engine.http.request_context import language_of, tools_of
from engine.http.security import SecurityEvent

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
