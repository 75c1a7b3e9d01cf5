"""The append-only event log. An event with a key is written only once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlmodel import Session

from engine.store import webhook_outbox
from engine.store.database import insert_new
from engine.store.records import Event
from engine.terms import EventKind


def event(
    kind: EventKind,
    at: datetime,
    *,
    actor: str = "system",
    plan_id: int | None = None,
    assignment_id: int | None = None,
    key: str | None = None,
    **detail: object,
) -> dict[str, Any]:
    """Build the row of an event, to be passed to ``append``."""
    return {
        "at": at,
        "kind": kind,
        "actor": actor,
        "plan_id": plan_id,
        "assignment_id": assignment_id,
        "detail": detail,
        "key": key,
    }


def append(session: Session, events: Iterable[dict[str, object]]) -> None:
    """Append events; those whose key already exists are skipped. What webhooks are told goes into their outbox in the
    same transaction."""
    rows = list(events)
    insert_new(session, Event, rows)
    webhook_outbox.enqueue(session, rows)
