"""Middleware: accepts only this server's own host names, that of the base URL and those of loopback. A page of another
site that resolves its own name to this server (DNS rebinding) is refused, as is a proxy configured with another
name."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from engine.http.app_context import AppContext
from engine.http.error_pages import answer
from engine.http.request_context import language_of, tools_of
from engine.http.security import SecurityEvent, host_name, is_loopback_name
from engine.text import Text

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
