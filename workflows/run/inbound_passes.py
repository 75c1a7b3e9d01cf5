"""The passes ``receive`` (fetch incoming messages) and ``watch`` (alarm about channels that are down), and /metrics.

They run on their own schedule, so that a mailbox that does not respond cannot delay reminders.
"""

from __future__ import annotations

import hmac
import logging
import time
from collections.abc import Callable, Mapping
from datetime import datetime

from fastapi import FastAPI, Request
from fastapi.responses import Response

from config.settings import Settings
from engine.errors import NotAllowed
from engine.http.request_context import tools_of
from engine.http.security import is_loopback_request
from engine.store.clock import Clock
from engine.store.database import Database
from engine.terms import PassName
from engine.views.prometheus import CONTENT_TYPE, render
from notifications import arrival
from notifications.contract.channel import Channel
from notifications.finding_alarm import Operator, alarm, alarm_findings
from notifications.inbound.fetching import InboundSources
from notifications.inbound.fetching import receive as receive_answers
from workflows.run.passes import PassReport, finish

log = logging.getLogger(__name__)


def receive(database: Database, now: datetime, inbound: InboundSources) -> PassReport:
    """Fetch and process incoming messages."""
    began = time.monotonic()
    return finish(database, PassName.RECEIVE, now, began, receive_answers(database, now, inbound))


async def watch(
    database: Database,
    now: datetime,
    channels: Mapping[str, Channel],
    operator: Operator,
    own_mailbox: Callable[[str], str] | None = None,
    arrival_link: Callable[[str], str] | None = None,
) -> PassReport:
    """Notify the operator, once a day, of a channel that is down, over another channel, and of what the audit finds;
    and send the day's canary to our own mailbox, or where there is none the week's letter that asks the operator."""
    began = time.monotonic()
    counts = await alarm(database, now, channels, operator)
    counts["findings_told"] = await alarm_findings(database, now, channels, operator)
    if own_mailbox is not None:
        counts["canary"] = int(await arrival.send(database, now, channels["email"], own_mailbox))
    if arrival_link is not None:
        sent = await arrival.send_weekly(database, now, channels["email"], operator, arrival_link)
        counts["weekly_letter"] = int(sent)
    return finish(database, PassName.WATCH, now, began, counts)


def add_metrics(app: FastAPI, database: Database, clock: Clock, settings: Settings) -> None:
    """Add ``GET /metrics``: requires the token. Without one it is off, except in the demonstration for programs on this
    machine: a proxy with its default settings cannot be told from such a program."""
    token = settings.metrics_token.get_secret_value()

    @app.get("/metrics", include_in_schema=False)
    def metrics(request: Request) -> Response:
        given = request.headers.get("authorization", "")
        if token:
            allowed = hmac.compare_digest(given.encode(), f"Bearer {token}".encode())
        else:
            allowed = settings.demo and is_loopback_request(request, settings.base_url)
        if not allowed:
            log.warning(
                "/metrics refused: %s",
                "wrong or missing token" if token else "set DONDOC_METRICS_TOKEN to read it",
            )
            raise NotAllowed
        with database.read() as session:
            return Response(render(session, clock(), tools_of(request).security.counts), media_type=CONTENT_TYPE)
