"""Middleware: answers with the kept page where its reader has it (``engine.http.page_store``), and keeps what is made.

What a page is made of is seen while it is made: the topics of every table that is read and of every kept answer. One
that reads a table without a version is not kept.
"""

from __future__ import annotations

import time

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.errors import Unavailable
from engine.http.app_context import AppContext
from engine.http.page_store import KeptPage, Key, PageStore, Snapshot
from engine.http.request_context import ENDS_AT, KEEP, tools_of
from engine.queries.kept import KEPT_SECONDS
from engine.store.data_versions import Reads, noting_reads, read_versions

MOST_KEY_BYTES = 4_096
NEVER = ("/api/", "/static/")


class KeptPages:
    """Each process has its own."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = _key_of(scope)
        if key is None:
            await self.app(scope, receive, send)
            return
        tools = tools_of(Request(scope))
        now = await run_in_threadpool(_moment, tools.context) if key in tools.pages else None
        page = tools.pages.find(key, now) if now is not None else None
        if page is not None:
            scope["route"] = page.route
            await send({"type": "http.response.start", "status": 200, "headers": list(page.headers)})
            await send({"type": "http.response.body", "body": page.body})
            return
        reads: Reads = set()
        with noting_reads(reads):
            await self.app(scope, receive, _keeping(scope, send, tools.pages, key, now, reads))


def _keeping(scope: Scope, send: Send, pages: PageStore, key: Key, now: Snapshot | None, reads: Reads) -> Send:
    """Keeps what is sent if its handler has said that it may be."""
    headers: list[tuple[bytes, bytes]] = []
    status = 0

    async def sending(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
            headers.extend(message["headers"])
        elif status == 200 and scope.get("state", {}).get(KEEP):
            page = None
            if now is not None and None not in reads:
                topics = frozenset(topic for topic in reads if topic is not None)
                until = time.monotonic() + KEPT_SECONDS
                ends_at = scope["state"].get(ENDS_AT)
                page = KeptPage(topics, now, until, ends_at, tuple(headers), message["body"], scope.get("route"))
            pages.keep(key, page)
        await send(message)

    return sending


def _key_of(scope: Scope) -> Key | None:
    """None for what is never kept: an act, a program's request, an address that is too long."""
    if scope["type"] != "http" or scope["method"] != "GET" or scope["path"].startswith(NEVER):
        return None
    headers = scope["headers"]
    cookies = tuple(value for name, value in headers if name == b"cookie")
    long = len(scope["path"]) + len(scope["query_string"]) + sum(map(len, cookies)) > MOST_KEY_BYTES
    if long or any(name == b"authorization" for name, _ in headers):
        return None
    return scope["path"], scope["query_string"], cookies


def _moment(context: AppContext) -> Snapshot | None:
    """None where the database is away: the page itself says so."""
    try:
        with context.database.read() as session:
            return Snapshot(read_versions(session), context.clock())
    except Unavailable:
        return None
