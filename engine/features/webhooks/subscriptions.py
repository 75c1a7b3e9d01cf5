"""Administration of webhooks: add, change, switch, test, resend, remove. Messages are sent by the pass
(``notifications.webhooks``). A secret is shown once, when it is created, and stored encrypted. After a change the old
secret also signs for a day, so that the receiver can be updated meanwhile.

The webhooks and the outcomes of their messages, read only. Secrets are never read.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import delete, func, insert, select, update
from sqlmodel import Session

from engine.accounts.signed_links import Signer
from engine.enums import complete
from engine.errors import BadInput, Conflict, FieldsRefused, NotFound
from engine.queries.paging import PER_PAGE, Page, decode, page
from engine.rules.targets import Allowed, read_target
from engine.store.database import insert_new, table
from engine.store.event_log import record
from engine.store.records import Webhook, WebhookMessage
from engine.store.stored_rows import AnyRow, object_of
from engine.store.webhook_outbox import compact, message
from engine.terms import EventKind, LetterState, WebhookEvent
from engine.text import Text

USE = "webhooks"
"""The purpose under which secrets are encrypted."""
PREFIX, SECRET_BYTES = "whsec_", 32
OVERLAP = timedelta(days=1)
KEEP_MESSAGES = timedelta(days=90)
MAX_WEBHOOKS = 20
NO_TROUBLE: Mapping[str, object] = {"failures": 0, "down_since": None, "retry_at": None, "why": ""}
"""The health columns of a working address."""
CHOICES = tuple(each for each in WebhookEvent if each is not WebhookEvent.TEST)


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def secret_bytes(secret: str) -> bytes:
    """The key of a ``whsec_`` secret. Raises ValueError unless it holds 24 to 64 bytes, as the scheme says."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error
    if not secret.startswith(PREFIX) or not 24 <= len(key) <= 64:
        raise ValueError("24 to 64 bytes after whsec_")
    return key


class WithSecrets(Protocol):
    """A webhook with its sealed secrets, the one before the last change until it ends."""

    @property
    def secret(self) -> str: ...
    @property
    def last_secret(self) -> str | None: ...
    @property
    def last_secret_until(self) -> datetime | None: ...


def current_secrets(signer: Signer, webhook: WithSecrets, now: datetime) -> list[str]:
    """The secrets that sign now, the new one first. Raises SealBroken."""
    found = [signer.unseal(USE, webhook.secret)]
    if webhook.last_secret and webhook.last_secret_until is not None and webhook.last_secret_until > now:
        found.append(signer.unseal(USE, webhook.last_secret))
    return found


def add(
    session: Session,
    signer: Signer,
    allowed: Allowed,
    *,
    url: str,
    label: str = "",
    events: Sequence[str] = (),
    secret: str = "",
    actor: str,
    now: datetime,
) -> tuple[int, str]:
    """Add an address; returns its id and its secret (``secret``, or a new one). Raises FieldsRefused, Conflict."""
    w = table(Webhook)
    values = {"url": read_target(url.strip(), allowed).url, "label": label, "events": _events(events)}
    there = session.connection().scalars(select(w.c.url)).all()
    if values["url"] in there:
        raise Conflict(Text("Địa chỉ này đã có trong danh sách.", "This address is in the list already."))
    if len(there) >= MAX_WEBHOOKS:
        raise Conflict(Text(f"Nhiều nhất {MAX_WEBHOOKS} địa chỉ.", f"{MAX_WEBHOOKS} addresses at most."))
    chosen = _checked(secret) if secret else new_secret()
    inserted = session.connection().execute(
        insert(w).values(
            **values, secret=signer.seal(USE, chosen), last_secret="", active=True, made_at=now, **NO_TROUBLE
        )
    )
    webhook_id = int((inserted.inserted_primary_key or (0,))[0])
    _log(session, webhook_id, "added", actor, now)
    return webhook_id, chosen


def change(
    session: Session,
    webhook_id: int,
    allowed: Allowed,
    *,
    url: str,
    label: str,
    events: Sequence[str],
    actor: str,
    now: datetime,
) -> None:
    """A changed address starts with a clean health record; pending messages go to it."""
    w, before = table(Webhook), webhook_of(session, webhook_id)
    values: dict[str, object] = {
        "url": read_target(url.strip(), allowed).url,
        "label": label,
        "events": _events(events),
    }
    if values["url"] != before.url:
        values |= NO_TROUBLE
    session.connection().execute(update(w).where(w.c.id == webhook_id).values(**values))
    _log(session, webhook_id, "changed", actor, now)


def switch(session: Session, webhook_id: int, *, active: bool, actor: str, now: datetime) -> None:
    """Off: new events are not queued, and pending messages wait. On: it is called again at once."""
    w = table(Webhook)
    webhook_of(session, webhook_id)
    session.connection().execute(
        update(w).where(w.c.id == webhook_id).values(active=active, **(NO_TROUBLE if active else {}))
    )
    _log(session, webhook_id, "on" if active else "off", actor, now)


def change_secret(session: Session, signer: Signer, webhook_id: int, *, actor: str, now: datetime) -> str:
    """A new secret; returns it. The last one still signs for a day."""
    w, before, chosen = table(Webhook), webhook_of(session, webhook_id), new_secret()
    session.connection().execute(
        update(w)
        .where(w.c.id == webhook_id)
        .values(secret=signer.seal(USE, chosen), last_secret=before.secret, last_secret_until=now + OVERLAP)
    )
    _log(session, webhook_id, "secret", actor, now)
    return chosen


def remove(session: Session, webhook_id: int, *, actor: str, now: datetime) -> None:
    """Remove an address and its messages."""
    w, m = table(Webhook), table(WebhookMessage)
    webhook_of(session, webhook_id)
    session.connection().execute(delete(m).where(m.c.webhook_id == webhook_id))
    session.connection().execute(delete(w).where(w.c.id == webhook_id))
    _log(session, webhook_id, "removed", actor, now)


def send_test(session: Session, webhook_id: int, *, now: datetime) -> int:
    """Queue a test message, whatever events it subscribes to; returns the message's id. Raises Conflict if it is
    off."""
    m = table(WebhookMessage)
    if not webhook_of(session, webhook_id).active:
        raise Conflict(Text("Webhook này đang tắt; hãy bật trước.", "This webhook is off; switch it on first."))
    body = {"type": WebhookEvent.TEST.value, "timestamp": now.isoformat(), "data": {"webhook": webhook_id}}
    row = message(webhook_id, f"test:{compact(now)}", WebhookEvent.TEST, body, now)
    insert_new(session, WebhookMessage, [row])
    # An administrator who tries waits for the answer: the address is not left alone any longer.
    w = table(Webhook)
    session.connection().execute(update(w).where(w.c.id == webhook_id).values(retry_at=None))
    return int(session.connection().scalar(select(m.c.id).where(m.c.key == row["key"])) or 0)


def send_again(
    session: Session,
    webhook_id: int,
    *,
    message_id: int | None = None,
    since: datetime | None = None,
    delivered_too: bool = False,
    actor: str,
    now: datetime,
) -> int:
    """Queue one settled message again, or those of events since an instant; returns how many. The ``webhook-id`` stays,
    so a receiver recognises what it has seen."""
    m = table(WebhookMessage)
    webhook_of(session, webhook_id)
    settled = [LetterState.REFUSED, LetterState.EXPIRED, LetterState.KEPT_HERE, LetterState.SUPPRESSED]
    if delivered_too or message_id is not None:
        settled.append(LetterState.DELIVERED)
    if message_id is None and since is None:
        raise BadInput(Text("Cần chọn tin hoặc ngày.", "Choose a message or a day."))
    chosen = m.c.id == message_id if message_id is not None else m.c.at >= since
    changed = session.connection().execute(
        update(m)
        .where(m.c.webhook_id == webhook_id, m.c.state.in_(settled), chosen)
        .values(state=LetterState.QUEUED, owed_at=now, send_after=now, settled_at=None, attempts=0)
    )
    if changed.rowcount:
        _log(session, webhook_id, "again", actor, now)
    return changed.rowcount


def prune(session: Session, now: datetime) -> int:
    """Delete messages older than KEEP_MESSAGES, sent or not."""
    m = table(WebhookMessage)
    return session.connection().execute(delete(m).where(m.c.at < now - KEEP_MESSAGES)).rowcount


def webhook_of(session: Session, webhook_id: int) -> Any:
    """The row. Raises NotFound."""
    w = table(Webhook)
    row = session.connection().execute(select(w).where(w.c.id == webhook_id)).first()
    if row is None:
        raise NotFound(Text("Không có webhook này.", "There is no such webhook."))
    return row


def _events(chosen: Sequence[str]) -> list[str]:
    unknown = [each for each in chosen if each not in CHOICES]
    if unknown:
        raise FieldsRefused(
            {"events": Text(f"Không có sự kiện «{unknown[0][:40]}».", f"There is no event “{unknown[0][:40]}”.")}
        )
    return [each.value for each in CHOICES if each in chosen]


def _checked(secret: str) -> str:
    try:
        secret_bytes(secret)
    except ValueError:
        raise FieldsRefused(
            {
                "secret": Text(
                    "Bí mật viết như whsec_… : 24 đến 64 byte dạng base64.",
                    "A secret is written whsec_… : 24 to 64 bytes in base64.",
                )
            }
        ) from None
    return secret


def _log(session: Session, webhook_id: int, what: str, actor: str, now: datetime) -> None:
    record(session, EventKind.WEBHOOK_CHANGED, now, actor=actor, webhook=webhook_id, what=what)


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
