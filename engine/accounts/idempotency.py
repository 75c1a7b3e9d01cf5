"""Idempotency keys of the API: a write sent twice is done once, and the second request gets the first response.

The key is inserted first and in the same transaction as the action, so a second request that arrives meanwhile waits
for it, and a failed action leaves no key behind.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlmodel import Session

from engine.errors import BadInput
from engine.store.database import insert_new, table
from engine.store.records import IdempotencyKey
from engine.text import Text

KEY_RETENTION = timedelta(days=2)
MAX_KEY_CHARS = 200


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """A response. ``again``: the action had been done before, and this is the stored response."""

    status: int
    body: str
    again: bool = False


class IdempotencyKeyReused(BadInput):
    default = Text("Khóa này đã dùng cho một yêu cầu khác.", "This idempotency key was used for another request.")

    status = 422


def once(
    session: Session,
    *,
    actor: str,
    key: str,
    method: str,
    path: str,
    body: bytes,
    now: datetime,
    action: Callable[[], tuple[int, str]],
) -> StoredAnswer:
    """Run ``action``, which returns (status, body), unless this key of this actor already has a response. Without a
    key it always runs. Raises IdempotencyKeyReused if the key belongs to a different request."""
    if not key:
        status, response = action()
        return StoredAnswer(status, response)
    if len(key) > MAX_KEY_CHARS:
        raise BadInput(
            Text(f"Khóa dài quá {MAX_KEY_CHARS} ký tự.", f"The key is longer than {MAX_KEY_CHARS} characters.")
        )
    digest = hashlib.sha256(f"{actor}\n{key}".encode("utf-8", "replace")).hexdigest()
    request = hashlib.sha256(f"{method}\n{path}\n".encode("utf-8", "replace") + body).hexdigest()
    keys = table(IdempotencyKey)
    new_row = {"key": digest, "request_digest": request, "status": 0, "body": "", "at": now}
    if insert_new(session, IdempotencyKey, [new_row]) == 0:
        row = session.connection().execute(select(keys).where(keys.c.key == digest)).one()
        if row.request_digest != request:
            raise IdempotencyKeyReused
        return StoredAnswer(row.status, row.body, again=True)
    status, response = action()
    session.connection().execute(update(keys).where(keys.c.key == digest).values(status=status, body=response))
    return StoredAnswer(status, response)


def prune(session: Session, now: datetime) -> int:
    """Delete responses older than KEY_RETENTION; returns how many."""
    keys = table(IdempotencyKey)
    return session.connection().execute(delete(keys).where(keys.c.at < now - KEY_RETENTION)).rowcount
