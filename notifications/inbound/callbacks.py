"""HTTP callbacks from SMS gateways: delivery reports and incoming messages; and from automations of Prefect.

GET requests have no side effects anywhere except under ``/callbacks/<secret>/``: Kannel and eSMS support only GET.
These URLs appear in no letter and on no page, so link scanners do not find them, and they require the secret. One-click
unsubscribing (RFC 8058) is a page: ``engine.web.pages.work.letter_links``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool

from engine.store.database import Database
from notifications.inbound import answers
from notifications.receipts import letter_outcomes
from notifications.sms import receipts
from notifications.sms.receipts import Receipt
from notifications.sms.replies import from_kannel
from notifications.sms.zalo import SIGNATURE_HEADER, from_zalo, json_object

Action = Callable[[Session, datetime], object]
Fields = TypeVar("Fields")


@dataclass(frozen=True)
class Callbacks:
    """What the callback routes need. ``secret`` is part of every callback URL."""

    database: Database
    clock: Callable[[], datetime]
    secret: str
    zalo_app_id: str = ""
    zalo_oa_secret: str = ""
    alarm: Callable[[dict[str, Any]], object] = lambda told: None
    """Passes on what an automation of Prefect calls about."""

    def take(self, action: Action) -> PlainTextResponse:
        with self.database.write() as session:
            action(session, self.clock())
        return PlainTextResponse("")

    def take_receipt(self, read: Callable[[Fields, datetime], Receipt], fields: Fields) -> PlainTextResponse:
        return self.take(lambda session, now: letter_outcomes.take_receipt(session, read(fields, now), now))


def router(callbacks: Callbacks) -> APIRouter:
    """The callback routes, mounted by the composition root."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/callbacks/{secret}/kannel/receipt")
    def kannel_receipt(secret: str, request: Request) -> PlainTextResponse:
        receipts.verify(secret, callbacks.secret)
        return callbacks.take_receipt(receipts.from_kannel, request.query_params)

    @routes.get("/callbacks/{secret}/kannel/incoming")
    def kannel_incoming(secret: str, request: Request) -> PlainTextResponse:
        receipts.verify(secret, callbacks.secret)
        sms = from_kannel(request.scope["query_string"])
        return callbacks.take(lambda session, now: answers.take_sms(session, "kannel", sms, now))

    @routes.get("/callbacks/{secret}/esms")
    def esms(secret: str, request: Request) -> PlainTextResponse:
        receipts.verify(secret, callbacks.secret)
        return callbacks.take_receipt(receipts.from_esms, request.query_params)

    @routes.post("/callbacks/{secret}/speedsms")
    async def speedsms(secret: str, request: Request) -> PlainTextResponse:
        receipts.verify(secret, callbacks.secret)
        body = json_object(await request.body())
        return await run_in_threadpool(callbacks.take_receipt, receipts.from_speedsms, body)

    @routes.post("/callbacks/{secret}/zalo")
    async def zalo(secret: str, request: Request) -> PlainTextResponse:
        receipts.verify(secret, callbacks.secret)
        signature = request.headers.get(SIGNATURE_HEADER, "")
        body, now = await request.body(), callbacks.clock()
        message = from_zalo(body, signature, callbacks.zalo_app_id, callbacks.zalo_oa_secret, now)
        if message is None:
            return PlainTextResponse("")
        return await run_in_threadpool(callbacks.take, lambda session, now: answers.take_zalo(session, message, now))

    @routes.post("/callbacks/{secret}/alarm")
    async def alarm(secret: str, request: Request) -> PlainTextResponse:
        receipts.verify(secret, callbacks.secret)
        await run_in_threadpool(callbacks.alarm, json_object(await request.body()))
        return PlainTextResponse("")

    return routes
