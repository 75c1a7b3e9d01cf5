"""The webhooks and the outcomes of their messages, read only. Secrets are never read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session

from engine.enums import complete
from engine.errors import NotFound
from engine.queries.paging import PER_PAGE, Page, decode, page
from engine.store.database import table
from engine.store.named_rows import AnyRow, object_of
from engine.store.records import Webhook, WebhookMessage
from engine.terms import LetterState, WebhookEvent
from engine.text import Text

_COUNTED_AS = complete(
    LetterState,
    {
        LetterState.QUEUED: "owed",
        LetterState.SENDING: "owed",
        LetterState.DELIVERED: "delivered",
        LetterState.EXPIRED: "lost",
        LetterState.REFUSED: "lost",
    },
    but=(
        LetterState.KEPT_HERE,  # by the demonstration
        LetterState.ACCEPTED,  # the others are of letters alone
        LetterState.BOUNCED_SOFT,
        LetterState.BOUNCED_HARD,
        LetterState.UNKNOWN,
        LetterState.SUPPRESSED,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookLine:
    """``owed``: messages that wait. ``lost``: given up or refused."""

    id: int
    url: str
    label: str
    events: tuple[WebhookEvent, ...]
    active: bool
    down_since: datetime | None
    retry_at: datetime | None
    why: str
    last_secret_until: datetime | None
    made_at: datetime
    owed: int = 0
    delivered: int = 0
    lost: int = 0

    @property
    def failing(self) -> bool:
        return self.down_since is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageLine:
    id: int
    key: str
    kind: WebhookEvent
    citation: str
    agency_id: str
    assignment_id: int | None
    at: datetime
    state: LetterState
    attempts: int
    code: str
    reply: str
    tried_at: datetime | None
    send_after: datetime


def webhooks(session: Session) -> list[WebhookLine]:
    w, m = table(Webhook), table(WebhookMessage)
    counts: dict[int, dict[str, int]] = {}
    grouped = select(m.c.webhook_id, m.c.state, func.count()).group_by(m.c.webhook_id, m.c.state)
    for webhook_id, state, count in session.connection().execute(grouped):
        if name := _COUNTED_AS.get(state):
            of = counts.setdefault(webhook_id, {})
            of[name] = of.get(name, 0) + count
    rows = session.connection().execute(select(*_columns()).order_by(w.c.id))
    return [_line(row, counts.get(row.id, {})) for row in rows]


def webhook(session: Session, webhook_id: int) -> WebhookLine:
    """Raises NotFound."""
    found = next((each for each in webhooks(session) if each.id == webhook_id), None)
    if found is None:
        raise NotFound(Text("Không có webhook này.", "There is no such webhook."))
    return found


def messages(session: Session, webhook_id: int, *, after: str = "", limit: int = PER_PAGE) -> Page[MessageLine]:
    """The messages of a webhook, newest first."""
    m = table(WebhookMessage)
    statement = select(m).where(m.c.webhook_id == webhook_id).order_by(m.c.id.desc()).limit(limit + 1)
    if after:
        (last,) = decode(after, int)
        statement = statement.where(m.c.id < last)
    lines = []
    for row in session.connection().execute(statement):
        data = row.payload["data"]
        lines.append(
            object_of(
                MessageLine,
                row,
                citation=data.get("citation") or data.get("week") or "",
                agency_id=data.get("agency_id", ""),
                assignment_id=data.get("assignment_id"),
            )
        )
    return page(lines, limit, lambda each: (each.id,))


def _columns() -> tuple[Any, ...]:
    names = ("id", "url", "label", "events", "active", "down_since", "retry_at", "why", "last_secret_until", "made_at")
    return tuple(table(Webhook).c[name] for name in names)


def _line(row: AnyRow, counts: Mapping[str, int]) -> WebhookLine:
    events = tuple(WebhookEvent(each) for each in row.events)
    return object_of(WebhookLine, row, events=events, **counts)
