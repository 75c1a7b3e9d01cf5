"""What happened, as events of Prefect on which an automation can act. Those of assignments and digests are what
webhooks are told, with the same keys; the id of an event is made from its key, so that twice is once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from engine.store.webhook_outbox import told_as
from engine.terms import EventKind, LetterState, WebhookEvent
from notifications.channel_health import ChannelHealth
from workflows.projection.shown_runs import Shown

SPACE = UUID("7f1d1f0e-6f0b-5e0b-9a3e-1d0f3f0b1a55")
REFUSED = (LetterState.REFUSED, LetterState.BOUNCED_HARD)
LETTER_REFUSED, TICK = "dondoc.letter.refused", "dondoc.tick"
CHANNEL_DOWN, CHANNEL_UP = "dondoc.channel.down", "dondoc.channel.up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """A row of the event log."""

    id: int
    at: datetime
    kind: EventKind
    plan_id: int | None
    assignment_id: int | None
    detail: dict[str, Any]
    key: str | None


def of_event(
    event: Happened, about: Shown | None, installation: str, *, occurred: datetime
) -> Iterable[dict[str, Any]]:
    """The events that one of ours is told as; ``about``: its assignment; ``occurred``: when, by Prefect's clock."""
    for kind, key in told_as(asdict(event)):
        if kind is WebhookEvent.DIGEST_MADE:
            yield _event(f"dondoc.{kind}", key, occurred, installation, {"week": event.detail.get("week")})
        elif about is not None:
            yield _event(f"dondoc.{kind}", key, occurred, installation, _payload(about), about)
    if event.kind is EventKind.LETTER_SETTLED and event.detail.get("state") in REFUSED:
        key = event.key or f"event:{event.id}"
        yield _event(LETTER_REFUSED, key, occurred, installation, {"letter": event.detail.get("letter")})


def of_channels(
    before: Mapping[str, ChannelHealth], now: Mapping[str, ChannelHealth], at: datetime, installation: str
) -> Iterable[dict[str, Any]]:
    """A channel that went down, or works again, since it was looked at last."""
    for name, health in now.items():
        was = before.get(name, ChannelHealth())
        if health.down and not was.down:
            yield _event(CHANNEL_DOWN, f"{name}:{health.down_since}", at, installation, {"channel": name})
        elif was.down and not health.down:
            yield _event(CHANNEL_UP, f"{name}:{was.down_since}:up", at, installation, {"channel": name})


def of_tick(at: datetime, installation: str) -> dict[str, Any]:
    """A sign of life; a quiet day is not a dead one."""
    return _event(TICK, f"tick:{at.astimezone(UTC):%Y%m%dT%H%M%S}", at, installation, {})


def _payload(about: Shown) -> dict[str, Any]:
    due_on = about.due_on.isoformat() if about.due_on else None
    return {"assignment_id": about.id, "plan": about.plan, "citation": about.citation, "due_on": due_on}


def _event(
    name: str, key: str, at: datetime, installation: str, payload: Mapping[str, Any], about: Shown | None = None
) -> dict[str, Any]:
    resource = {"prefect.resource.id": f"dondoc.installation.{installation}"}
    related: list[dict[str, str]] = []
    if about is not None:
        resource = {
            "prefect.resource.id": f"dondoc.assignment.{about.id}",
            "prefect.resource.name": f"{about.plan} {about.citation} · {about.agency}",
        }
        related = [
            _related("plan", f"plan.{about.plan_id}", about.plan),
            _related("duty", f"duty.{about.duty_id}", about.citation),
            _related("owner", f"agency.{about.agency_id}", about.agency),
            _related("supervisor", f"agency.{about.supervisor_id}", about.supervisor_id),
        ]
    return {
        "id": str(uuid5(SPACE, f"{installation} {name} {key}")),
        "occurred": at.astimezone(UTC).isoformat(),
        "event": name,
        "resource": resource,
        "related": related,
        "payload": dict(payload),
    }


def _related(role: str, thing: str, name: str) -> dict[str, str]:
    return {"prefect.resource.id": f"dondoc.{thing}", "prefect.resource.role": role, "prefect.resource.name": name}
