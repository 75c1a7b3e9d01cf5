"""What happened, as Prefect is told it: a line in the log of the assignment's run, in the words of our pages; and
events on which an automation can act. Those of assignments and digests are what webhooks are told, with the same keys;
the id of an event is made from its key, so that twice is once.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import select
from sqlmodel import Session

from engine.queries.work.assignment_story import people_of
from engine.rules.calendar import local_date
from engine.rules.situation import is_past
from engine.store.database import among, table
from engine.store.records import Event
from engine.store.stored_rows import columns_for, objects
from engine.store.webhook_outbox import detail_told, told_as
from engine.terms import EventKind, LetterState, NoticeKind, WebhookEvent
from engine.views.event_sentences import actor_words, said
from notifications.channel_health import ChannelHealth
from workflows.projection.prefect_api import Line
from workflows.projection.shown_runs import Shown

SPACE = UUID("7f1d1f0e-6f0b-5e0b-9a3e-1d0f3f0b1a55")
REFUSED = (LetterState.REFUSED, LetterState.BOUNCED_HARD)
LETTER_REFUSED, TICK = "dondoc.letter.refused", "dondoc.tick"
CHANNEL_DOWN, CHANNEL_UP = "dondoc.channel.down", "dondoc.channel.up"
SYSTEM = "system"


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """A row of the event log."""

    id: int
    at: datetime
    kind: EventKind
    actor: str
    plan_id: int | None
    assignment_id: int | None
    detail: dict[str, Any]
    key: str | None


def happened_to(session: Session, ids: Collection[int], after: int = 0) -> list[Happened]:
    """All that the log says of assignments, in order; ``after``: an event."""
    e = table(Event)
    statement = select(*columns_for(Happened, e)).where(among(session, e.c.assignment_id, ids), e.c.id > after)
    return objects(Happened, session.connection().execute(statement.order_by(e.c.id)))


def lines_of(
    session: Session, events: Iterable[Happened], about: Mapping[int, Shown], runs: Mapping[int, str]
) -> Iterator[Line]:
    """A line for each event of an assignment that has a run. INFO, WARNING once it is overdue, ERROR where its owner is
    chased before others."""
    found = [event for event in events if event.assignment_id in runs]
    people = people_of(session, {event.actor for event in found})
    for event in found:
        assert event.assignment_id is not None
        words = said(event, "vi")
        if event.actor != SYSTEM:
            words += f" ({actor_words(event.actor, people, 'vi')})"
        yield Line(runs[event.assignment_id], event.at, words, _level(event, about[event.assignment_id]))


def _level(event: Happened, about: Shown) -> int:
    if event.detail.get("letter") == NoticeKind.ESCALATION:
        return logging.ERROR
    day = local_date(event.at)
    overdue = is_past(about.due_on, day) and not is_past(about.done_on, day)
    return logging.WARNING if overdue else logging.INFO


def of_event(
    event: Happened, about: Shown | None, run_id: str | None, installation: str, *, occurred: datetime
) -> Iterable[dict[str, Any]]:
    """The events that one of ours is told as; ``about``: its assignment, ``run_id``: whose run has that id;
    ``occurred``: when, by Prefect's clock."""
    for kind, key in told_as(asdict(event)):
        payload = detail_told(event.detail)
        if kind is WebhookEvent.DIGEST_MADE:
            yield _event(f"dondoc.{kind}", key, occurred, installation, payload)
        elif about is not None:
            yield _event(f"dondoc.{kind}", key, occurred, installation, _payload(about) | payload, about, run_id)
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
    name: str,
    key: str,
    at: datetime,
    installation: str,
    payload: Mapping[str, Any],
    about: Shown | None = None,
    run_id: str | None = None,
) -> dict[str, Any]:
    """``dondoc.letter`` of its resource: of which kind the letter is, for automations, which see no payload."""
    resource = {"prefect.resource.id": f"dondoc.installation.{installation}"}
    related: list[dict[str, str]] = []
    if about is not None:
        resource = {
            "prefect.resource.id": f"dondoc.assignment.{about.id}",
            "prefect.resource.name": f"{about.plan} {about.citation} · {about.agency}",
            "dondoc.letter": str(payload.get("letter", "")),
        }
        related = [
            _related("plan", f"dondoc.plan.{about.plan_id}", about.plan),
            _related("duty", f"dondoc.duty.{about.duty_id}", about.citation),
            _related("owner", f"dondoc.agency.{about.agency_id}", about.agency),
            _related("supervisor", f"dondoc.agency.{about.supervisor_id}", about.supervisor_id),
        ]
        if run_id is not None:
            related.append(_related("flow-run", f"prefect.flow-run.{run_id}", resource["prefect.resource.name"]))
    return {
        "id": str(uuid5(SPACE, f"{installation} {name} {key}")),
        "occurred": at.astimezone(UTC).isoformat(),
        "event": name,
        "resource": resource,
        "related": related,
        "payload": dict(payload),
    }


def _related(role: str, thing: str, name: str) -> dict[str, str]:
    return {"prefect.resource.id": thing, "prefect.resource.role": role, "prefect.resource.name": name}
