"""Webhooks: the systems that are notified of events, the outcome of each message, and resending. A secret is shown
once, in the response that creates it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time
from typing import Annotated, TypeVar

from fastapi import APIRouter, Path
from fastapi.responses import Response
from sqlmodel import Session

from engine.accounts.permissions import Permission
from engine.errors import BadInput, DondocError
from engine.features.webhooks import subscriptions
from engine.features.webhooks import subscriptions as webhooks
from engine.http.filters import MAX_INT64, Code, Cursor, SmallId
from engine.http.forms import FormFields
from engine.http.guards.known_browsers import noted, require_proof
from engine.http.request_context import PostedForm, RequestContext, SignedIn
from engine.http.security import SecurityEvent
from engine.queries.system.log import answer
from engine.rules.calendar import instant
from engine.rules.targets import Allowed
from engine.text import Text

router = APIRouter(include_in_schema=False)
MessageId = Annotated[int, Path(ge=1, le=MAX_INT64)]
FIELDS = ("url", "label")
T = TypeVar("T")
CHANGED = SecurityEvent.WEBHOOK_CHANGED


@router.get("/admin/webhooks")
def listing(ctx: SignedIn, said: Code = "") -> Response:
    return _list(ctx, FormFields(), outcome=said)


@router.post("/admin/webhooks")
def add(ctx: SignedIn, form: PostedForm) -> Response:
    ctx.require(Permission.KEEP_WEBHOOKS)
    require_proof(ctx, form)
    typed = FormFields.of(form, *FIELDS, "secret", whole="url")
    url, label, secret = typed.text("url", 1_000), typed.text("label", 120), typed.text("secret")

    def action(session: Session) -> tuple[int, str]:
        return webhooks.add(
            session,
            ctx.app.signer,
            allowed(ctx),
            url=url,
            label=label,
            events=form.every("event"),
            secret=secret,
            **ctx.by,
        )

    made = typed.do(lambda: _write(ctx, action))
    if made is None:
        return _list(ctx, FormFields(typed.fields | {"secret": ""}, typed.wrong, typed.status), form.every("event"))
    return noted(ctx, _page(ctx, made[0], outcome="added", secret=made[1]), CHANGED)


@router.get("/admin/webhooks/{webhook_id}")
def show(ctx: SignedIn, webhook_id: SmallId, after: Cursor = "", said: Code = "", n: Code = "") -> Response:
    return _page(ctx, webhook_id, after=after, outcome=said, count=n)


@router.post("/admin/webhooks/{webhook_id}")
def change(ctx: SignedIn, form: PostedForm, webhook_id: SmallId) -> Response:
    ctx.require(Permission.KEEP_WEBHOOKS)
    require_proof(ctx, form)
    typed = FormFields.of(form, *FIELDS, whole="url")
    url, label = typed.text("url", 1_000), typed.text("label", 120)

    def action(session: Session) -> bool:
        webhooks.change(session, webhook_id, allowed(ctx), url=url, label=label, events=form.every("event"), **ctx.by)
        return True

    if typed.do(lambda: _write(ctx, action)):
        return noted(ctx, ctx.go(f"/admin/webhooks/{webhook_id}", said="changed"), CHANGED)
    return _page(ctx, webhook_id, typed=typed, chosen=form.every("event"))


@router.post("/admin/webhooks/{webhook_id}/test")
def test(ctx: SignedIn, form: PostedForm, webhook_id: SmallId) -> Response:
    ctx.require(Permission.KEEP_WEBHOOKS)
    return _do(ctx, webhook_id, "test", lambda session: webhooks.send_test(session, webhook_id, now=ctx.now))


@router.post("/admin/webhooks/{webhook_id}/messages/{message_id}/again")
def again(ctx: SignedIn, form: PostedForm, webhook_id: SmallId, message_id: MessageId) -> Response:
    ctx.require(Permission.KEEP_WEBHOOKS)

    def action(session: Session) -> int:
        return webhooks.send_again(session, webhook_id, message_id=message_id, **ctx.by)

    return _do(ctx, webhook_id, "again", action, counted=True)


@router.post("/admin/webhooks/{webhook_id}/again")
def again_since(ctx: SignedIn, form: PostedForm, webhook_id: SmallId) -> Response:
    ctx.require(Permission.KEEP_WEBHOOKS)

    def action(session: Session) -> int:
        return webhooks.send_again(
            session,
            webhook_id,
            since=instant(form.day("since", past=True), time()),
            delivered_too=form.has("delivered"),
            **ctx.by,
        )

    return _do(ctx, webhook_id, "again", action, counted=True)


@router.post("/admin/webhooks/{webhook_id}/switch")
def switch(ctx: SignedIn, form: PostedForm, webhook_id: SmallId) -> Response:
    ctx.require(Permission.KEEP_WEBHOOKS)
    require_proof(ctx, form)
    active = form.raw("to") == "on"

    def action(session: Session) -> None:
        webhooks.switch(session, webhook_id, active=active, **ctx.by)

    return noted(ctx, _do(ctx, webhook_id, "on" if active else "off", action), CHANGED)


@router.post("/admin/webhooks/{webhook_id}/secret")
def new_secret(ctx: SignedIn, form: PostedForm, webhook_id: SmallId) -> Response:
    ctx.require(Permission.KEEP_WEBHOOKS)
    require_proof(ctx, form)
    with ctx.writing() as session:
        secret = webhooks.change_secret(session, ctx.app.signer, webhook_id, **ctx.by)
    return noted(ctx, _page(ctx, webhook_id, outcome="secret", secret=secret), CHANGED)


@router.post("/admin/webhooks/{webhook_id}/remove")
def remove(ctx: SignedIn, form: PostedForm, webhook_id: SmallId) -> Response:
    ctx.require(Permission.KEEP_WEBHOOKS)
    if not form.has("sure"):
        text = Text("Hãy đánh dấu để chắc rằng muốn xóa.", "Tick to be sure that it is to be removed.")
        return _page(ctx, webhook_id, trouble=BadInput(text))
    with ctx.writing() as session:
        webhooks.remove(session, webhook_id, **ctx.by)
    return ctx.go("/admin/webhooks", said="removed")


def allowed(ctx: RequestContext) -> Allowed:
    return Allowed.of(ctx.app.settings.webhook_hosts)


def _write(ctx: RequestContext, action: Callable[[Session], T]) -> T:
    with ctx.writing() as session:
        return action(session)


def _do(
    ctx: RequestContext, webhook_id: int, said: str, action: Callable[[Session], int | None], *, counted: bool = False
) -> Response:
    """Run the action and redirect to the webhook's page, which shows an error as a sentence."""
    try:
        count = _write(ctx, action)
    except DondocError as error:
        if error.status not in (400, 409, 422):
            raise
        return _page(ctx, webhook_id, trouble=error)
    return ctx.go(f"/admin/webhooks/{webhook_id}", said=said, n=str(count) if counted else "")


def _list(ctx: RequestContext, typed: FormFields, chosen: tuple[str, ...] = (), outcome: str = "") -> Response:
    ctx.require(Permission.SEE_WEBHOOKS)
    with ctx.reading() as (session, today):
        found = subscriptions.webhooks(session)
    return ctx.page(
        "webhooks/webhooks.html",
        typed.status,
        today=today,
        found=found,
        typed=typed,
        chosen=chosen,
        choices=webhooks.CHOICES,
        answer=answer,
        outcome=outcome,
    )


def _page(
    ctx: RequestContext,
    webhook_id: int,
    *,
    after: str = "",
    outcome: str = "",
    count: str = "",
    secret: str = "",
    typed: FormFields | None = None,
    chosen: tuple[str, ...] | None = None,
    trouble: DondocError | None = None,
) -> Response:
    ctx.require(Permission.SEE_WEBHOOKS)
    with ctx.reading() as (session, today):
        webhook = subscriptions.webhook(session, webhook_id)
        found = subscriptions.messages(session, webhook_id, after=after)
    shown = (typed or FormFields()).filled((name, str(getattr(webhook, name))) for name in FIELDS)
    response = ctx.page(
        "webhooks/webhook.html",
        trouble.status if trouble else shown.status,
        today=today,
        webhook=webhook,
        found=found,
        typed=shown,
        chosen=webhook.events if chosen is None else chosen,
        choices=webhooks.CHOICES,
        answer=answer,
        outcome=outcome,
        count=count if count.isdecimal() else "",
        secret=secret,
        sentence=trouble.said(ctx.language) if trouble else "",
    )
    if secret:
        response.headers["cache-control"] = "no-store"
    return response
