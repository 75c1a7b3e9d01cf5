"""Middleware: answers only to this server's own names, those of the base URL and of loopback. A page of another site
that resolves its own name to this server (DNS rebinding) is refused, as is a proxy that was told another name."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from engine.http.error_pages import answer
from engine.http.request_context import language_of, tools_of
from engine.http.security import host_name, is_loopback_name
from engine.http.security_log import SecurityEvent
from engine.text import Text

UNKNOWN_HOST = Text(
    "Máy chủ này không mang tên ấy; người quản trị đặt DONDOC_BASE_URL là địa chỉ mà mọi người mở.",
    "This server does not have that name; the administrator sets DONDOC_BASE_URL to the address that people open.",
)


class AcceptedHosts:
    """Responds 400 to every other Host header."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            request = Request(scope)
            base_url = tools_of(request).context.settings.base_url
            if not _is_accepted(Headers(scope=scope), base_url):
                tools_of(request).security.record(SecurityEvent.HOST_REFUSED, request)
                response = answer(request, 400, UNKNOWN_HOST.said(language_of(request)[0]))
                await response(scope, receive, send)
                return
        await self.app(scope, receive, send)


def _is_accepted(headers: Headers, base_url: str) -> bool:
    hosts = headers.getlist("host")
    name = host_name(hosts[0]) if len(hosts) == 1 else ""
    return bool(name) and (is_loopback_name(name) or name == urlsplit(base_url).hostname)
