"""An API write that is sent twice is done once: the second is answered with the first one's answer.

The key is written first and in the same transaction as the deed, so a second request that comes while the first is
still at work waits for it, and a deed that fails leaves no key behind.
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
class Answer:
    """What was, or is, answered. ``again``: it was done before, and this is that answer."""

    status: int
    body: str
    again: bool = False


class KeyUsedOtherwise(BadInput):
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
    deed: Callable[[], tuple[int, str]],
) -> Answer:
    """Do ``deed`` (status, body) unless this actor's key has been answered before. Without a key it is just done."""
    if not key:
        return Answer(*deed())
    if len(key) > MAX_KEY_CHARS:
        raise BadInput(
            Text(f"Khóa dài quá {MAX_KEY_CHARS} ký tự.", f"The key is longer than {MAX_KEY_CHARS} characters.")
        )
    kept = hashlib.sha256(f"{actor}\n{key}".encode("utf-8", "replace")).hexdigest()
    request = hashlib.sha256(f"{method}\n{path}\n".encode("utf-8", "replace") + body).hexdigest()
    keys = table(IdempotencyKey)
    fresh = {"key": kept, "request_digest": request, "status": 0, "body": "", "at": now}
    if insert_new(session, IdempotencyKey, [fresh]) == 0:
        row = session.connection().execute(select(keys).where(keys.c.key == kept)).one()
        if row.request_digest != request:
            raise KeyUsedOtherwise
        return Answer(row.status, row.body, again=True)
    status, said = deed()
    session.connection().execute(update(keys).where(keys.c.key == kept).values(status=status, body=said))
    return Answer(status, said)


def prune(session: Session, now: datetime) -> int:
    """Forget answers that nobody will ask for again; returns how many."""
    keys = table(IdempotencyKey)
    return session.connection().execute(delete(keys).where(keys.c.at < now - KEY_RETENTION)).rowcount
