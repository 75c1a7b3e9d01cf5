"""Webhooks: the addresses that are told of events, and the messages owed and sent to them. Messages are written with
the event itself (``engine.store.webhook_outbox``) and sent by ``notifications.webhooks``."""

from datetime import datetime

from sqlalchemy import Column, Index, text, true
from sqlmodel import Field, SQLModel

from engine.store.records.columns import BigId, by_value, json_column
from engine.terms import LetterState, WebhookEvent

# Condition of the partial index; queries must use the same text for the index to be used.
WEBHOOK_OWED = text("state IN ('queued','sending')")


class Webhook(SQLModel, table=True):
    """One address of another system. ``secret`` and ``last_secret`` are sealed by the installation's key; the last one
    signs beside the new one until ``last_secret_until``."""

    id: int | None = Field(default=None, primary_key=True)
    url: str = Field(max_length=500)
    label: str = Field(default="", max_length=120)
    events: list[str] = Field(sa_column=json_column())
    """The kinds that it is told of (``WebhookEvent``); empty means all."""
    active: bool = Field(default=True, sa_column_kwargs={"server_default": true()})
    secret: str = Field(max_length=600)
    last_secret: str = Field(default="", max_length=600)
    last_secret_until: datetime | None = None
    failures: int = 0
    """Failed attempts one after the other; an accepted message begins again at 0."""
    down_since: datetime | None = None
    retry_at: datetime | None = None
    """While it is down nothing is sent to it before this instant."""
    why: str = Field(default="", max_length=32)
    """What the last attempt came to, as ``WebhookMessage.code``; empty while it works."""
    made_at: datetime


class WebhookMessage(SQLModel, table=True):
    """One event for one address. ``key`` is the ``webhook-id`` of the Standard Webhooks scheme and makes it unique:
    ``webhook:3:assignment:418:opened``. ``payload`` is frozen when the event happens."""

    __tablename__ = "webhook_message"
    __table_args__ = (
        Index(
            "ix_webhook_message_owed",
            "webhook_id",
            "send_after",
            sqlite_where=WEBHOOK_OWED,
            postgresql_where=WEBHOOK_OWED,
        ),
        Index("ix_webhook_message_webhook_id_id", "webhook_id", "id"),
        Index("ix_webhook_message_at", "at"),
    )
    id: int | None = Field(default=None, sa_column=Column(BigId, primary_key=True, autoincrement=True))
    key: str = Field(unique=True, max_length=200)
    webhook_id: int = Field(foreign_key="webhook.id")
    kind: WebhookEvent = Field(sa_column=by_value(WebhookEvent))
    payload: dict[str, object] = Field(sa_column=json_column())
    at: datetime
    """When it happened."""
    state: LetterState = Field(default=LetterState.QUEUED, sa_column=by_value(LetterState))
    owed_at: datetime
    """Since when it is owed: when it happened, or when it was asked for again."""
    send_after: datetime
    lease_until: datetime | None = None
    leased_by: str = Field(default="", max_length=120)
    attempts: int = 0
    code: str = Field(default="", max_length=32)
    """The last answer: an HTTP status, or one word of ``engine.queries.system.log.ANSWERS``."""
    reply: str = Field(default="", max_length=200)
    tried_at: datetime | None = None
    settled_at: datetime | None = None
