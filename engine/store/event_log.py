"""The append-only log of everything that happened. An event with a key is written once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlmodel import Session

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
    **detail: Any,
) -> dict[str, Any]:
    """An event as a row to append."""
    return {
        "at": at,
        "kind": kind,
        "actor": actor,
        "plan_id": plan_id,
        "assignment_id": assignment_id,
        "detail": detail,
        "key": key,
    }


def append(session: Session, events: Iterable[dict[str, Any]]) -> None:
    """Append events; one whose key exists already has happened and is left as it is."""
    insert_new(session, Event, list(events))
