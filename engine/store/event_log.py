"""The append-only, chained event log. An event with a key is written only once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Protocol

from sqlmodel import Session

from engine.store import event_chain, webhook_outbox
from engine.store.database import insert_new
from engine.store.records import Event
from engine.terms import EventKind


class AssignmentRow(Protocol):
    """An assignment as any query reads it: the event is written to its story and its plan's."""

    @property
    def id(self) -> int: ...
    @property
    def plan_id(self) -> int: ...


def record(
    session: Session,
    kind: EventKind,
    at: datetime,
    row: AssignmentRow | None = None,
    *,
    actor: str = "system",
    plan_id: int | None = None,
    assignment_id: int | None = None,
    key: str | None = None,
    **detail: object,
) -> None:
    """Append one event. ``row`` stands for ``plan_id`` and ``assignment_id``; ``detail`` is stored as JSON."""
    written = event(kind, at, row, actor=actor, plan_id=plan_id, assignment_id=assignment_id, key=key, **detail)
    append(session, [written])


def event(
    kind: EventKind,
    at: datetime,
    row: AssignmentRow | None = None,
    *,
    actor: str = "system",
    plan_id: int | None = None,
    assignment_id: int | None = None,
    key: str | None = None,
    **detail: object,
) -> dict[str, Any]:
    """Build one of many events, to be passed to ``append``."""
    return {
        "at": at,
        "kind": kind,
        "actor": actor,
        "plan_id": plan_id if row is None else row.plan_id,
        "assignment_id": assignment_id if row is None else row.id,
        "detail": detail,
        "key": key,
    }


def append(session: Session, events: Iterable[dict[str, object]]) -> None:
    """Append many events; those whose key already exists are skipped. What webhooks are told goes into their outbox in
    the same transaction."""
    rows = list(events)
    if not rows:
        return
    event_chain.expect(session)
    insert_new(session, Event, rows)
    webhook_outbox.enqueue(session, rows)
