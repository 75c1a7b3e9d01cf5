"""Webhook messages to be sent: written in the transaction of the event that they report, so none is lost and none is
invented. ``engine.store.event_log.append`` calls this for every event; without a webhook it costs one short query.

A message holds ids, the citation, the agency, the state and dates: no name, mailbox, number or text of a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from engine.enums import complete
from engine.store.database import among, insert_new, table
from engine.store.records.letters import Webhook, WebhookMessage
from engine.store.records.plans import Duty, Plan
from engine.store.records.work import Assignment
from engine.terms import EventKind, LetterState, NoticeKind, State, WebhookEvent

DIRECT: Mapping[EventKind, WebhookEvent] = {
    EventKind.OPENED: WebhookEvent.OPENED,
    EventKind.ACKNOWLEDGED: WebhookEvent.ACKNOWLEDGED,
    EventKind.REPORTED: WebhookEvent.REPORTED,
    EventKind.ACCEPTED: WebhookEvent.ACCEPTED,
    EventKind.RETURNED: WebhookEvent.RETURNED,
    EventKind.UNDONE: WebhookEvent.UNDONE,
    EventKind.DIGEST_MADE: WebhookEvent.DIGEST_MADE,
    EventKind.PROMISED: WebhookEvent.PROMISED,
    EventKind.PROMISE_BROKEN: WebhookEvent.PROMISE_BROKEN,
}
OF_PROMISES = (WebhookEvent.PROMISED, WebhookEvent.PROMISE_BROKEN)
RELEVANT = frozenset({*DIRECT, EventKind.RUNG_FIRED})
AFTER: Mapping[WebhookEvent, State] = complete(
    WebhookEvent,
    {
        WebhookEvent.OPENED: State.ASSIGNED,
        WebhookEvent.ACKNOWLEDGED: State.ACKNOWLEDGED,
        WebhookEvent.REPORTED: State.REPORTED,
        WebhookEvent.ACCEPTED: State.ACCEPTED,
        WebhookEvent.RETURNED: State.RETURNED,
    },
    but=(
        WebhookEvent.UNDONE,
        WebhookEvent.REMINDED,
        WebhookEvent.OVERDUE,
        WebhookEvent.ESCALATED,
        *OF_PROMISES,
        WebhookEvent.DIGEST_MADE,
        WebhookEvent.MESSAGE_WAITS,
        WebhookEvent.TEST,
    ),
)
"""The state that an event leaves an assignment in, where it is always the same."""
LATE = (NoticeKind.OVERDUE, NoticeKind.ESCALATION)
TOLD = {name: name for name in ("of", "outcome", "complete", "level", "week", "letters", "empty", "rung", "letter")} | {
    "roles": "audience"
}
"""The parts of an event's detail that are sent, and under which name; the rest may contain what people wrote."""


def enqueue(session: Session, events: Sequence[Mapping[str, Any]]) -> int:
    """Queue a message for each event and each webhook subscribed to it. Idempotent by key. Returns how many are new."""
    if not any(each["kind"] in RELEVANT for each in events):
        return 0
    webhooks = session.connection().execute(_active()).all()
    if not webhooks:
        return 0
    told = [(each, kind, key) for each in events for kind, key in told_as(each)]
    about = _assignments(session, {each["assignment_id"] for each, _, _ in told if each["assignment_id"]})
    rows = [
        message(webhook.id, key, kind, payload(kind, each, about.get(each["assignment_id"])), each["at"])
        for webhook in webhooks
        for each, kind, key in told
        if not webhook.events or kind in webhook.events
    ]
    return insert_new(session, WebhookMessage, rows)


def enqueue_message(session: Session, data: Mapping[str, Any], at: datetime) -> int:
    """Tell that an incoming message waits. It is no event of the log: who wrote, and what, stays here."""
    kind = WebhookEvent.MESSAGE_WAITS
    body = {"type": kind.value, "timestamp": at.astimezone(UTC).isoformat(), "data": dict(data)}
    rows = [
        message(webhook.id, f"message:{data['message_id']}:{compact(at)}", kind, body, at)
        for webhook in session.connection().execute(_active())
        if not webhook.events or kind in webhook.events
    ]
    return insert_new(session, WebhookMessage, rows) if rows else 0


@cache
def _active() -> Any:
    """Built once: it is run with nearly every event."""
    w = table(Webhook)
    return select(w.c.id, w.c.events).where(w.c.active).order_by(w.c.id)


def message(webhook_id: int, key: str, kind: WebhookEvent, body: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """The row of a new message."""
    return {
        "key": f"webhook:{webhook_id}:{key}",
        "webhook_id": webhook_id,
        "kind": kind,
        "payload": dict(body),
        "at": at,
        "state": LetterState.QUEUED,
        "owed_at": at,
        "send_after": at,
    }


def compact(at: datetime) -> str:
    """An instant as part of a key; a ``webhook-id`` holds no full stop (Standard Webhooks)."""
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%S%fZ}"


def payload(kind: WebhookEvent, event: Mapping[str, Any], about: Mapping[str, Any] | None) -> dict[str, Any]:
    data = {**(about or {}), **detail_told(event["detail"])}
    if kind in AFTER:
        data["state"] = AFTER[kind].value
    if kind in OF_PROMISES:
        told = event["detail"]
        data |= {"promised_on": told["on"], "promise": told["number"]}
        if kind is WebhookEvent.PROMISED:
            data |= {"reason_code": told["code"], "waits": told["waits"]}
    if kind is WebhookEvent.OVERDUE:
        data.pop("level", None)
    return {"type": kind.value, "timestamp": event["at"].astimezone(UTC).isoformat(), "data": data}


def detail_told(detail: Mapping[str, Any]) -> dict[str, Any]:
    return {name: detail[field] for field, name in TOLD.items() if detail.get(field) is not None}


def told_as(event: Mapping[str, Any]) -> Iterable[tuple[WebhookEvent, str]]:
    """The webhook messages of an event, with their keys. Each rung but the first, which says that a task is assigned,
    sends "reminded" or "escalated"; after the due date "overdue" before it, once for each due date."""
    key: str = event["key"] or f"assignment:{event['assignment_id']}:{event['kind']}:{compact(event['at'])}"
    direct = DIRECT.get(event["kind"])
    if direct is not None:
        yield direct, key
    elif event["kind"] is EventKind.RUNG_FIRED:
        letter = event["detail"].get("letter")
        if letter in LATE:
            yield WebhookEvent.OVERDUE, key.removesuffix(f":{event['detail']['rung']}:fired") + ":overdue"
        if letter == NoticeKind.ESCALATION:
            yield WebhookEvent.ESCALATED, key.replace(":fired", ":escalated")
        elif letter != NoticeKind.ASSIGNED:
            yield WebhookEvent.REMINDED, key.replace(":fired", ":reminded")


def _assignments(session: Session, ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    a, d, p = table(Assignment), table(Duty), table(Plan)
    columns = (a.c.id, a.c.plan_id, p.c.number, d.c.citation, a.c.period, a.c.agency_id, a.c.state, a.c.due_on)
    statement = (
        select(*columns)
        .join(d, d.c.id == a.c.duty_id)
        .join(p, p.c.id == a.c.plan_id)
        .where(among(session, a.c.id, ids))
    )
    return {
        row.id: {
            "assignment_id": row.id,
            "plan_id": row.plan_id,
            "plan": row.number,
            "citation": row.citation,
            "period": row.period,
            "agency_id": row.agency_id,
            "state": row.state.value,
            "due_on": None if row.due_on is None else row.due_on.isoformat(),
        }
        for row in session.connection().execute(statement)
    }
