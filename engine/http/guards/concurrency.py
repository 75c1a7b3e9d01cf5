"""Middleware: at most so many requests are worked on at once; others get 503 with Retry-After instead of a queue that
only grows. A request counts from when its body has come, so that slow senders take no place from others."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.http.error_pages import DETAILS, answer
from engine.http.request_context import language_of, tools_of
from engine.http.security_log import SecurityEvent

MAX_REQUESTS = 200
"""Five times the threads that work on requests: what waits longer is better told so."""
MAX_CALLBACKS = 2_000
"""Of gateways that hand on messages and receipts: most do not come again. They wait in the row of the threads."""
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
            if not _has_body(request) and not place.take():
                response = answer(request, 503, DETAILS[503][language_of(request)[0] == "en"])
                response.headers.update(RETRY_AFTER)
                await response(scope, receive, send)
                return
            await self.app(scope, place.receiving(receive), send)
        finally:
            place.leave()


class _Place:
    """A request's place among those that are worked on."""

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


def _has_body(request: Request) -> bool:
    return "transfer-encoding" in request.headers or request.headers.get("content-length", "0") != "0"
