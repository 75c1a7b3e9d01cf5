"""Webhooks under /api/v1: the same actions as the page. A secret is returned once, when it is made."""

from __future__ import annotations

from datetime import time
from typing import Annotated

from fastapi import BackgroundTasks
from fastapi.responses import Response
from pydantic import AfterValidator, BaseModel, Field

from engine.accounts.permissions import Permission
from engine.api.caller import Call, Caller
from engine.api.models import Body, Day, Listed, LongId, Nothing
from engine.api.operations import reads, router_of, writes
from engine.features.webhooks import subscriptions
from engine.features.webhooks import subscriptions as webhooks
from engine.features.webhooks.subscriptions import MessageLine, WebhookLine
from engine.http.filters import Cursor, SmallId
from engine.http.forms import clean
from engine.http.guards.known_browsers import note, require_proof
from engine.http.security import SecurityEvent
from engine.rules.calendar import instant
from engine.rules.targets import Allowed
from engine.terms import WebhookEvent

router = router_of("webhooks")
Url = Annotated[str, Field(min_length=1, max_length=500)]
Label = Annotated[str, Field(max_length=120), AfterValidator(clean)]


class WebhookBody(Body):
    """``events``: empty means all."""

    url: Url
    label: Label = ""
    events: list[WebhookEvent] = Field(default_factory=list, max_length=len(WebhookEvent))


class NewWebhookBody(WebhookBody):
    """``secret``: the receiver's own ``whsec_…``; empty: one is made."""

    secret: Annotated[str, Field(max_length=200)] = ""


class SecretMade(BaseModel):
    """``secret`` is returned only here."""

    id: int
    secret: str


class SwitchBody(Body):
    active: bool


class AgainBody(Body):
    """One message, or all events since a day; ``delivered_too``: those that were delivered as well."""

    message_id: LongId | None = None
    since: Day | None = None
    delivered_too: bool = False


class Queued(BaseModel):
    queued: int


class TestQueued(BaseModel):
    message_id: int


@router.get("/webhooks")
@reads("Các webhook", "List webhooks")
def list_webhooks(caller: Caller) -> Listed[WebhookLine]:
    """All webhooks with their health and counts; on one page."""
    caller.require(Permission.SEE_WEBHOOKS)
    with caller.app.database.read() as session:
        found = subscriptions.webhooks(session)
    return Listed[WebhookLine](items=found, next=None, total=len(found))


@router.post("/webhooks", status_code=201)
@writes("Thêm webhook", "Add a webhook", url="https://esb.tinh.example/moi", events=["assignment.overdue"])
def add_webhook(caller: Caller, payload: NewWebhookBody, tasks: BackgroundTasks) -> SecretMade:
    """Takes no ``Idempotency-Key``: the secret is not stored readably. The same address twice is a conflict."""
    caller.require(Permission.KEEP_WEBHOOKS)
    require_proof(caller)
    with caller.writing() as session:
        made, secret = webhooks.add(
            session,
            caller.app.signer,
            _allowed(caller),
            url=payload.url,
            label=payload.label,
            events=payload.events,
            secret=payload.secret,
            **caller.by,
        )
    _told(caller, tasks)
    return SecretMade(id=made, secret=secret)


@router.put("/webhooks/{webhook_id}")
@writes("Sửa webhook", "Change a webhook", url="https://esb.tinh.example/dondoc", label="Trục LGSP", events=[])
def change_webhook(caller: Caller, webhook_id: SmallId, payload: WebhookBody, tasks: BackgroundTasks) -> WebhookLine:
    """Its address, events and plans; the secret stays."""
    caller.require(Permission.KEEP_WEBHOOKS)
    require_proof(caller)
    with caller.writing() as session:
        webhooks.change(
            session,
            webhook_id,
            _allowed(caller),
            url=payload.url,
            label=payload.label,
            events=payload.events,
            **caller.by,
        )
        line = subscriptions.webhook(session, webhook_id)
    _told(caller, tasks)
    return line


@router.post("/webhooks/{webhook_id}/remove", status_code=204)
@writes("Xóa webhook", "Remove a webhook")
def remove_webhook(caller: Caller, webhook_id: SmallId, payload: Nothing) -> Response:
    """Remove it and all of its messages."""
    caller.require(Permission.KEEP_WEBHOOKS)
    with caller.writing() as session:
        webhooks.remove(session, webhook_id, **caller.by)
    return Response(status_code=204)


@router.post("/webhooks/{webhook_id}/switch")
@writes("Bật hoặc tắt webhook", "Switch a webhook", active=True)
def switch_webhook(caller: Caller, webhook_id: SmallId, payload: SwitchBody, tasks: BackgroundTasks) -> WebhookLine:
    """Off: new events are not queued, pending messages wait. On: it is called again at once."""
    caller.require(Permission.KEEP_WEBHOOKS)
    require_proof(caller)
    with caller.writing() as session:
        webhooks.switch(session, webhook_id, active=payload.active, **caller.by)
        line = subscriptions.webhook(session, webhook_id)
    _told(caller, tasks)
    return line


@router.post("/webhooks/{webhook_id}/secret")
@writes("Đổi bí mật ký tin", "Make a new secret")
def new_webhook_secret(caller: Caller, webhook_id: SmallId, payload: Nothing, tasks: BackgroundTasks) -> SecretMade:
    """A new secret; the last one signs beside it for a day."""
    caller.require(Permission.KEEP_WEBHOOKS)
    require_proof(caller)
    with caller.writing() as session:
        secret = webhooks.change_secret(session, caller.app.signer, webhook_id, **caller.by)
    _told(caller, tasks)
    return SecretMade(id=webhook_id, secret=secret)


@router.post("/webhooks/{webhook_id}/test", status_code=202)
@writes("Gửi tin thử", "Send a test")
def test_webhook(caller: Caller, webhook_id: SmallId, payload: Nothing) -> TestQueued:
    """Queue a test message; its outcome is in the list of messages within seconds."""
    caller.require(Permission.KEEP_WEBHOOKS)
    with caller.writing() as session:
        return TestQueued(message_id=webhooks.send_test(session, webhook_id, now=caller.now))


@router.get("/webhooks/{webhook_id}/messages")
@reads("Các tin của một webhook", "List a webhook's messages")
def list_webhook_messages(caller: Caller, webhook_id: SmallId, after: Cursor = "") -> Listed[MessageLine]:
    """Newest first, with what the receiver answered. They are kept for 90 days."""
    caller.require(Permission.KEEP_WEBHOOKS)
    with caller.app.database.read() as session:
        subscriptions.webhook(session, webhook_id)
        found = subscriptions.messages(session, webhook_id, after=after)
    return Listed[MessageLine](items=list(found.rows), next=found.next or None, total=None)


@router.post("/webhooks/{webhook_id}/again")
@writes("Gửi lại", "Send again", since="2021-06-01")
def send_webhook_again(caller: Caller, webhook_id: SmallId, payload: AgainBody) -> Queued:
    """Queue settled messages again, under the same ``webhook-id``."""
    caller.require(Permission.KEEP_WEBHOOKS)
    with caller.writing() as session:
        queued = webhooks.send_again(
            session,
            webhook_id,
            message_id=payload.message_id,
            since=None if payload.since is None else instant(payload.since, time()),
            delivered_too=payload.delivered_too,
            **caller.by,
        )
    return Queued(queued=queued)


def _told(caller: Call, tasks: BackgroundTasks) -> None:
    if task := note(caller, SecurityEvent.WEBHOOK_CHANGED):
        tasks.add_task(task)


def _allowed(caller: Call) -> Allowed:
    return Allowed.of(caller.app.settings.webhook_hosts)
