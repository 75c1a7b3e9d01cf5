"""Addresses that machines call: delivery reports and answers from gateways.

«GET changes nothing» holds everywhere but under ``/callbacks/<secret>/``: Kannel and eSMS call with GET and nothing
else. Those addresses stand in no letter and on no page, and without the secret they do nothing; a link scanner that
reads our letters never meets them. One-click unsubscribing (RFC 8058) is a page:
``engine.web.pages.account.letter_links``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool

from engine.errors import BadInput
from engine.store.database import Database
from engine.text import Text
from notifications.inbound import answers
from notifications.receipts import letter_outcomes
from notifications.sms import receipts
from notifications.sms.incoming import from_kannel

Take = Callable[[Session, datetime], object]


@dataclass(frozen=True)
class Callbacks:
    """What the addresses work with. ``secret`` is in every address that a gateway is given."""

    database: Database
    clock: Callable[[], datetime]
    secret: str

    def take(self, act: Take) -> PlainTextResponse:
        with self.database.write() as session:
            act(session, self.clock())
        return PlainTextResponse("")


def router(here: Callbacks) -> APIRouter:
    """The routes, to be mounted by the composition root."""
    made = APIRouter(include_in_schema=False)

    @made.get("/callbacks/{secret}/kannel/receipt")
    def kannel_receipt(secret: str, request: Request) -> PlainTextResponse:
        receipts.verify(secret, here.secret)
        query = dict(request.query_params)
        return here.take(
            lambda session, now: letter_outcomes.take_receipt(session, receipts.from_kannel(query, now), now)
        )

    @made.get("/callbacks/{secret}/kannel/incoming")
    def kannel_incoming(secret: str, request: Request) -> PlainTextResponse:
        receipts.verify(secret, here.secret)
        sms = from_kannel(dict(request.query_params))
        return here.take(lambda session, now: answers.take_sms(session, "kannel", sms, now))

    @made.get("/callbacks/{secret}/esms")
    def esms(secret: str, request: Request) -> PlainTextResponse:
        receipts.verify(secret, here.secret)
        query = dict(request.query_params)
        return here.take(
            lambda session, now: letter_outcomes.take_receipt(session, receipts.from_esms(query, now), now)
        )

    @made.post("/callbacks/{secret}/speedsms")
    async def speedsms(secret: str, request: Request) -> PlainTextResponse:
        receipts.verify(secret, here.secret)
        body = _object(await request.body())

        def take(session: Session, now: datetime) -> object:
            return letter_outcomes.take_receipt(session, receipts.from_speedsms(body, now), now)

        return await run_in_threadpool(here.take, take)

    return made


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise BadInput(Text("Nội dung phải là JSON.", "The body must be a JSON object."))
    return found
