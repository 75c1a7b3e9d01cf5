"""Addresses that machines call: delivery reports and answers from gateways, and one-click unsubscribing (RFC 8058).

«GET changes nothing» holds everywhere but under ``/callbacks/<secret>/``: Kannel and eSMS call with GET and nothing
else. Those addresses stand in no letter and on no page, and without the secret they do nothing; a link scanner that
reads our letters never meets them. ``/u/<token>`` shows what would happen on GET and acts on POST.
"""

from __future__ import annotations

import html
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, PlainTextResponse
from sqlalchemy import select, update
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool

from engine.calendar import local_date
from engine.database import Database, table
from engine.errors import BadInput, LinkRefused
from engine.lifecycle import append, event
from engine.links import Purpose, Signer
from engine.records import Contact
from engine.terms import EventKind
from notifications import answers, fates
from notifications.sms import receipts
from notifications.sms.incoming import from_kannel

WEEKLY = "weekly"
Take = Callable[[Session, datetime], object]


@dataclass(frozen=True)
class Callbacks:
    """What the addresses work with. ``secret`` is in every address that a gateway is given."""

    database: Database
    clock: Callable[[], datetime]
    signer: Signer
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
        return here.take(lambda session, now: fates.take_receipt(session, receipts.from_kannel(query, now), now))

    @made.get("/callbacks/{secret}/kannel/incoming")
    def kannel_incoming(secret: str, request: Request) -> PlainTextResponse:
        receipts.verify(secret, here.secret)
        sms = from_kannel(dict(request.query_params))
        return here.take(lambda session, now: answers.take_sms(session, "kannel", sms, now))

    @made.get("/callbacks/{secret}/esms")
    def esms(secret: str, request: Request) -> PlainTextResponse:
        receipts.verify(secret, here.secret)
        query = dict(request.query_params)
        return here.take(lambda session, now: fates.take_receipt(session, receipts.from_esms(query, now), now))

    @made.post("/callbacks/{secret}/speedsms")
    async def speedsms(secret: str, request: Request) -> PlainTextResponse:
        receipts.verify(secret, here.secret)
        body = _object(await request.body())

        def take(session: Session, now: datetime) -> object:
            return fates.take_receipt(session, receipts.from_speedsms(body, now), now)

        return await run_in_threadpool(here.take, take)

    @made.get("/u/{token}")
    def look(token: str) -> HTMLResponse:
        with here.database.read() as session:
            contact, _ = _reader(session, here, token)
        return _page(contact, token)

    @made.post("/u/{token}")
    async def slow_down(token: str, request: Request) -> HTMLResponse:
        again = b"again=1" in await request.body()
        return await run_in_threadpool(_set_pace, here, token, again)

    return made


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise BadInput("Nội dung phải là JSON. / The body must be a JSON object.")
    return found


def _reader(session: Session, here: Callbacks, token: str) -> tuple[Any, str]:
    """The contact whose letters a link slows, and the channel. Raises LinkRefused."""
    link = here.signer.read(Purpose.UNSUBSCRIBE, token, local_date(here.clock()))
    c = table(Contact)
    contact = session.connection().execute(select(c).where(c.c.id == link.contact_id)).first()
    if contact is None or link.revoked(contact.links_since):
        raise LinkRefused
    return contact, link.subject


def _set_pace(here: Callbacks, token: str, again: bool) -> HTMLResponse:
    """Reminders before the due date once a week, or as they come again. What is late comes in any case."""
    c = table(Contact)
    now = here.clock()
    with here.database.write() as session:
        contact, channel = _reader(session, here, token)
        pace = {name: value for name, value in (contact.pace or {}).items() if name != channel}
        if not again:
            pace[channel] = WEEKLY
        if pace != contact.pace:
            session.connection().execute(update(c).where(c.c.id == contact.id).values(pace=pace))
            append(session, [event(EventKind.CONTACT_CHANGED, now, actor=f"contact:{contact.id}", contact=contact.id,
                                   channel=channel, pace=pace.get(channel, "daily"))])  # fmt: skip
        contact, _ = _reader(session, here, token)
    return _page(contact, token)


WORDS = {
    "vi": ("Thư nhắc trước hạn", "Thư nhắc trước hạn đang gửi mỗi tuần một lần, gộp chung.",
           "Thư nhắc trước hạn đang gửi khi đến bậc nhắc.", "Gửi lại như cũ", "Chỉ gửi mỗi tuần một lần",
           "Thư về việc đã quá hạn, báo cáo bị trả lại và đôn đốc luôn được gửi."),
    "en": ("Reminders before the due date", "Reminders come once a week, together.",
           "Reminders come as their day comes.", "Send them as before", "Send them once a week",
           "Letters about what is overdue or sent back are always sent."),
}  # fmt: skip


def _page(contact: Any, token: str) -> HTMLResponse:
    language = "en" if contact.language == "en" else "vi"
    title, weekly, daily, resume, slow, always = map(html.escape, WORDS[language])
    is_weekly = bool(contact.pace)
    hidden = '<input type="hidden" name="again" value="1">' if is_weekly else ""
    return HTMLResponse(
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width"><meta name="robots" content="noindex"></head><body><main>'
        f"<h1>{title}</h1><p>{weekly if is_weekly else daily}</p>"
        f'<form method="post" action="/u/{html.escape(token)}">{hidden}'
        f"<button>{resume if is_weekly else slow}</button></form><p>{always}</p></main></body></html>"
    )
