"""Middleware: work that takes seconds or a limited process waits for its turn (``engine.http.long_work.Turns``) without
a thread, once its body has arrived, and ends it when its answer begins: neither who sends slowly nor who reads slowly
holds a place. Work behind ``engine.http.guards.waiting`` takes its turn there.
"""

from __future__ import annotations

import asyncio
import re
import time

from fastapi.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.errors import Busy, TooOften
from engine.http.error_pages import DETAILS, answer
from engine.http.guards.body_limits import LONGER_BODIES, sender_of
from engine.http.guards.concurrency import has_body
from engine.http.lists.list_download import FileFormat
from engine.http.long_work import Turn
from engine.http.request_context import language_of, tools_of

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
