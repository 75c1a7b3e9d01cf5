"""HTTP callbacks from SMS gateways: delivery reports and incoming messages; and from automations of Prefect.

GET requests have no side effects anywhere except under ``/callbacks/<secret>/``: Kannel and eSMS support only GET.
These URLs appear in no letter and on no page, so link scanners do not find them, and they require the secret. One-click
unsubscribing (RFC 8058) is a page: ``engine.web.pages.work.letter_links``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool

from engine.store.database import Database
from engine.store.facts import write_fact
from notifications.inbound import answers
from notifications.receipts import letter_outcomes
from notifications.sms import receipts
from notifications.sms.receipts import Receipt
from notifications.sms.replies import from_kannel
from notifications.sms.zalo import SIGNATURE_HEADER, from_zalo, json_object

OLD_CALLBACK = "old_callback"
"""The fact that holds when a gateway last called at the address of the key before."""
Action = Callable[[Session, datetime], object]
Fields = TypeVar("Fields")


@dataclass(frozen=True)
class Callbacks:
    """What the callback routes need. ``secrets``: one of them is part of every callback URL, the first is the one to be
    entered at gateways."""

    database: Database
    clock: Callable[[], datetime]
    secrets: Callable[[], Sequence[str]]
    zalo_app_id: str = ""
    zalo_oa_secret: str = ""
    alarm: Callable[[dict[str, Any]], object] = lambda told: None
    """Passes on what an automation of Prefect calls about."""

    def verify(self, secret: str) -> None:
        """Raises LinkRefused."""
        receipts.verify(secret, self.secrets())

    def take(self, secret: str, action: Action) -> PlainTextResponse:
        """With a note of a gateway that still calls at the address before."""
        with self.database.write() as session:
            action(session, self.clock())
            if secret != self.secrets()[0]:
                write_fact(session, OLD_CALLBACK, self.clock().isoformat())
        return PlainTextResponse("")

    def take_receipt(
        self, secret: str, read: Callable[[Fields, datetime], Receipt], fields: Fields
    ) -> PlainTextResponse:
        return self.take(secret, lambda session, now: letter_outcomes.take_receipt(session, read(fields, now), now))


def router(callbacks: Callbacks) -> APIRouter:
    """The callback routes, mounted by the composition root."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/callbacks/{secret}/kannel/receipt")
    def kannel_receipt(secret: str, request: Request) -> PlainTextResponse:
        callbacks.verify(secret)
        return callbacks.take_receipt(secret, receipts.from_kannel, request.query_params)

    @routes.get("/callbacks/{secret}/kannel/incoming")
    def kannel_incoming(secret: str, request: Request) -> PlainTextResponse:
        callbacks.verify(secret)
        sms = from_kannel(request.scope["query_string"])
        return callbacks.take(secret, lambda session, now: answers.take_sms(session, "kannel", sms, now))

    @routes.get("/callbacks/{secret}/esms")
    def esms(secret: str, request: Request) -> PlainTextResponse:
        callbacks.verify(secret)
        return callbacks.take_receipt(secret, receipts.from_esms, request.query_params)

    @routes.post("/callbacks/{secret}/speedsms")
    async def speedsms(secret: str, request: Request) -> PlainTextResponse:
        await run_in_threadpool(callbacks.verify, secret)
        body = json_object(await request.body())
        return await run_in_threadpool(callbacks.take_receipt, secret, receipts.from_speedsms, body)

    @routes.post("/callbacks/{secret}/zalo")
    async def zalo(secret: str, request: Request) -> PlainTextResponse:
        await run_in_threadpool(callbacks.verify, secret)
        signature = request.headers.get(SIGNATURE_HEADER, "")
        body, now = await request.body(), callbacks.clock()
        message = from_zalo(body, signature, callbacks.zalo_app_id, callbacks.zalo_oa_secret, now)
        if message is None:
            return PlainTextResponse("")
        return await run_in_threadpool(
            callbacks.take, secret, lambda session, now: answers.take_zalo(session, message, now)
        )

    @routes.post("/callbacks/{secret}/alarm")
    async def alarm(secret: str, request: Request) -> PlainTextResponse:
        callbacks.verify(secret)
        await run_in_threadpool(callbacks.alarm, json_object(await request.body()))
        return PlainTextResponse("")

    return routes
