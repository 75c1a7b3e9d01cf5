"""Letters owed and sent, their deliveries, and incoming messages. Written by ``engine.assignments.outbox`` and the
delivery pass.

Webhooks: the addresses that are told of events, and the messages owed and sent to them. Messages are written with
the event itself (``engine.store.webhook_outbox``) and sent by ``notifications.webhooks``.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Column, Index, LargeBinary, String, Text, UniqueConstraint, false, text, true
from sqlmodel import Field, SQLModel

from engine.store.records.columns import BigId, PackedText, by_value, json_column
from engine.terms import AnswerRead, LetterState, NoticeKind, Role, WaitReason, WebhookEvent

# Conditions of the partial indexes; queries must use the same text for the index to be used.
STILL_OWED = text("state IN ('queued','sending')")
WITH_RECEIPT = text("receipt <> ''")
EARLY = text("outcome = 'early'")
MESSAGE_WAITS = text("waits IS NOT NULL AND settled_at IS NULL")


class Letter(SQLModel, table=True):
    """The outbox: a letter to one person on one channel on one day. ``key`` enforces one a day:
    ``letter:<contact>:<channel>:<ISO date>``."""

    __table_args__ = (
        Index("ix_letter_send_after", "send_after", sqlite_where=STILL_OWED, postgresql_where=STILL_OWED),
        Index("ix_letter_contact_id_day", "contact_id", "day"),
        Index("ix_letter_day_state", "day", "state"),
        Index("ix_letter_receipt", "receipt", sqlite_where=WITH_RECEIPT, postgresql_where=WITH_RECEIPT),
    )
    id: int | None = Field(default=None, sa_column=Column(BigId, primary_key=True, autoincrement=True))
    key: str = Field(unique=True, max_length=96)
    contact_id: int = Field(foreign_key="contact.id")
    agency_id: str = Field(max_length=64)
    role: Role = Field(sa_column=by_value(Role))
    channel: str = Field(max_length=16)
    day: date
    urgent: bool = False
    digest_week: str | None = Field(default=None, max_length=8)
    send_after: datetime
    state: LetterState = Field(default=LetterState.QUEUED, sa_column=by_value(LetterState))
    reason: str = ""
    lease_until: datetime | None = None
    leased_by: str = ""
    attempts: int = 0
    on_wire: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    """Offered to a channel, or about to be, and no outcome in the database yet."""
    lost_leases: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    """How often its lease ran out while it was on the wire."""
    receipt: str = Field(default="", max_length=160)
    created_at: datetime
    sent_at: datetime | None = None
    settled_at: datetime | None = None


class LetterBody(SQLModel, table=True):
    """The content as sent; pruned after the retention time, while the letter's row stays."""

    __tablename__ = "letter_body"
    letter_id: int = Field(sa_column=Column(BigId, primary_key=True, autoincrement=False))
    subject: str
    text: str = Field(sa_column=Column(PackedText, nullable=False))
    html: bytes = Field(default=b"", sa_column=Column(LargeBinary, nullable=False))
    """Packed, with the text as what it is like (``engine.store.records.columns``)."""


class Notice(SQLModel, table=True):
    """One line of a letter: one assignment, one rung or action. ``key`` makes it idempotent:
    ``assignment:418:2021-06-17:T-3:12:email``."""

    __table_args__ = (Index("ix_notice_assignment_id", "assignment_id"), Index("ix_notice_letter_id", "letter_id"))
    id: int | None = Field(default=None, sa_column=Column(BigId, primary_key=True, autoincrement=True))
    key: str = Field(unique=True, max_length=160)
    letter_id: int = Field(sa_column=Column(BigId, nullable=False))
    assignment_id: int = Field(sa_column=Column(BigId, nullable=False))
    kind: NoticeKind = Field(sa_column=by_value(NoticeKind))
    rung: str = Field(default="", max_length=16)
    level: int = 0
    detail: dict[str, object] = Field(default_factory=dict, sa_column=json_column())
    obsolete: str = Field(default="", sa_column=Column("moot", String(64), key="obsolete", default="", nullable=False))
    """Why it was left out at send time: already reported, cancelled …; empty if it was sent. The column keeps its older
    name: versions before this one run beside it while machines are upgraded."""


class Delivery(SQLModel, table=True):
    """The result of one attempt to send one letter."""

    __table_args__ = (UniqueConstraint("letter_id", "attempt"),)
    id: int | None = Field(default=None, sa_column=Column(BigId, primary_key=True, autoincrement=True))
    letter_id: int = Field(sa_column=Column(BigId, nullable=False))
    attempt: int
    at: datetime
    fate: str = Field(max_length=16)
    code: str = Field(default="", max_length=32)
    reply: str = Field(default="", max_length=500)
    receipt: str = Field(default="", max_length=160)


class Digest(SQLModel, table=True):
    """One weekly digest per recipient and ISO week; ``letter_id`` is null when there was nothing to report."""

    __table_args__ = (UniqueConstraint("contact_id", "week"),)
    id: int | None = Field(default=None, primary_key=True)
    contact_id: int = Field(foreign_key="contact.id")
    week: str = Field(max_length=8)
    letter_id: int | None = Field(default=None, sa_column=Column(BigId, nullable=True))
    at: datetime


class Told(SQLModel, table=True):
    """The figures of a weekly digest (``engine.assignments.told``): of a week and an agency, as owner (coordinator),
    supervisor (monitor) or issuer (leadership)."""

    __table_args__ = (UniqueConstraint("role", "agency_id", "occasion"),)
    id: int | None = Field(default=None, primary_key=True)
    role: Role = Field(sa_column=by_value(Role))
    agency_id: str = Field(max_length=64)
    occasion: str = Field(max_length=16)
    at: datetime
    figures: dict[str, list[dict[str, Any]]] = Field(sa_column=json_column())
    """By agency: a list of its plans and periods, each with the counts that are not zero."""


class AnswerCode(SQLModel, table=True):
    """The short reply code in an SMS («XN 4821»): for one letter and one contact, usable once."""

    __tablename__ = "answer_code"
    __table_args__ = (Index("ix_answer_code_contact_id_code", "contact_id", "code"),)
    id: int | None = Field(default=None, primary_key=True)
    code: str = Field(max_length=8)
    contact_id: int = Field(foreign_key="contact.id")
    letter_id: int = Field(sa_column=Column(BigId, nullable=False, unique=True))
    expires_at: datetime
    used_at: datetime | None = None


class Incoming(SQLModel, table=True):
    """An incoming reply, bounce or receipt, stored once: ``external_id`` is the sender system's id."""

    __table_args__ = (
        UniqueConstraint("channel", "external_id"),
        Index("ix_incoming_early", "id", sqlite_where=EARLY, postgresql_where=EARLY),
    )
    id: int | None = Field(default=None, sa_column=Column(BigId, primary_key=True, autoincrement=True))
    channel: str = Field(max_length=16)
    external_id: str = Field(max_length=255)
    at: datetime
    kind: str = Field(max_length=32)
    letter_id: int | None = Field(default=None, sa_column=Column(BigId, nullable=True))
    contact_id: int | None = None
    outcome: str = Field(default="", max_length=64)
    answered: bool = False
    detail: dict[str, object] = Field(default_factory=dict, sa_column=json_column(default=dict))
    """Data still needed to process it: a receipt received before its letter was settled, the subject for a reply."""


class IncomingMessage(SQLModel, table=True):
    """What a person wrote by mail or SMS, beside the row that recorded it. It stands in the thread of ``agency_id`` and
    is read by ``supervisor_id``; texts are pruned with those of letters, once nobody waits for it."""

    __tablename__ = "incoming_message"
    __table_args__ = (
        Index("ix_incoming_message_agency_id", "agency_id", "incoming_id"),
        Index("ix_incoming_message_supervisor_id", "supervisor_id", "incoming_id"),
        Index(
            "ix_incoming_message_waiting",
            "supervisor_id",
            "agency_id",
            sqlite_where=MESSAGE_WAITS,
            postgresql_where=MESSAGE_WAITS,
        ),
    )
    incoming_id: int = Field(sa_column=Column(BigId, primary_key=True, autoincrement=False))
    at: datetime
    channel: str = Field(max_length=16)
    letter_id: int | None = Field(default=None, sa_column=Column(BigId, nullable=True))
    contact_id: int | None = None
    agency_id: str | None = Field(default=None, max_length=64)
    supervisor_id: str | None = Field(default=None, max_length=64)
    sender: str = Field(default="", max_length=254)
    subject: str = Field(default="", sa_column=Column(Text, nullable=False))
    own_text: str = Field(default="", sa_column=Column(Text, nullable=False))
    """Without the quoted letter and the signature."""
    raw_text: str = Field(default="", sa_column=Column(Text, nullable=False))
    rest: str = Field(default="", sa_column=Column(Text, nullable=False))
    """Of the writer's own text, what was not acted upon."""
    files: list[dict[str, object]] = Field(default_factory=list, sa_column=json_column())
    """Entries as in ``Report.files``; one that was not kept has a name and the reason."""
    about: list[int] = Field(default_factory=list, sa_column=json_column())
    """The assignments that the answered letter names."""
    done: list[dict[str, object]] = Field(default_factory=list, sa_column=json_column())
    """What was done, one entry an act (``engine.correspondence.message_acts``)."""
    proposed: list[dict[str, object]] = Field(
        default_factory=list, sa_column=Column(JSON, nullable=False, server_default="[]")
    )
    """What was read and is not sure, one entry a request; it does nothing before a person confirms it."""
    handled: AnswerRead | None = Field(default=None, sa_column=by_value(AnswerRead, nullable=True))
    """What became of it with a person."""
    undo: list[dict[str, object]] = Field(
        default_factory=list, sa_column=Column(JSON, nullable=False, server_default="[]")
    )
    """How to take back what was done (``engine.assignments.undo``)."""
    waits: WaitReason | None = Field(default=None, sa_column=by_value(WaitReason, nullable=True))
    settled_at: datetime | None = None
    settled_by: str = Field(default="", max_length=96)


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
