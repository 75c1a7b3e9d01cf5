"""Prometheus metrics: letters by state, unsent letters, passes, assignments by time class, channels up or down.

All values but the security events are read from the database at the scrape, so every process returns the same and
restarts lose nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from sqlalchemy import func, select
from sqlmodel import Session

from engine.assignments import situations
from engine.queries.system.health import channels
from engine.queries.system.letters import count_letters
from engine.queries.time_class import read_today, time_class
from engine.queries.work.incoming import answers_read
from engine.rules.calendar import local_date
from engine.store import records
from engine.store.database import table
from engine.store.facts import AIM_SECONDS, AIM_SHARE, read_waits
from engine.terms import PlanState, TimeClass

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Row = tuple[tuple[str, ...], float]
"""(label values, number)."""
COUNTED_DAYS = 7
"""The days over which letters and incoming messages are counted, today included."""


def render(session: Session, now: datetime, security: Mapping[str, int]) -> bytes:
    """All metrics in the Prometheus text format. Ten queries. ``security``: security events of this process."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Precomputed([*_metrics(session, now), _security(security)]))
    return generate_latest(registry)


class _Precomputed:
    """A collector of precomputed metrics."""

    def __init__(self, found: list[Metric]) -> None:
        self._found = found

    def collect(self) -> list[Metric]:
        return self._found


def _security(events: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(
        "dondoc_security_events", "Security events of this process since its start, by kind.", labels=("event",)
    )
    for event, number in events.items():
        family.add_metric((event,), number)
    return family


def _gauge(name: str, description: str, labels: tuple[str, ...], rows: Sequence[Row]) -> Metric:
    family = GaugeMetricFamily(f"dondoc_{name}", description, labels=labels)
    for values, number in rows:
        family.add_metric(values, number)
    return family


def _metrics(session: Session, now: datetime) -> Iterator[Metric]:
    yield from _letters(session, now)
    yield _waits(session)
    yield from _passes(session, now)
    yield _assignments(session, now)
    yield _channels(session)
    yield _answers(session, now)
    read: Sequence[Row] = [((each.value,), n) for each, n in answers_read(session, now, COUNTED_DAYS).items()]
    yield _gauge("answers_read", f"What became of the answers of the last {COUNTED_DAYS} days.", ("read",), read)
    yield from _webhooks(session)


def _letters(session: Session, now: datetime) -> Iterator[Metric]:
    m, connection = table(records.Letter), session.connection()
    since = local_date(now) - timedelta(days=COUNTED_DAYS - 1)
    by_state = connection.execute(
        select(m.c.channel, m.c.state, func.count()).where(m.c.day >= since).group_by(m.c.channel, m.c.state)
    ).all()
    rows: Sequence[Row] = [((channel, state.value), n) for channel, state, n in by_state]
    yield _gauge("letters", f"Letters of the last {COUNTED_DAYS} days by channel and fate.", ("channel", "fate"), rows)
    owed, oldest = connection.execute(
        select(func.count(), func.min(m.c.send_after)).where(records.STILL_OWED, m.c.send_after <= now)
    ).one()
    yield _gauge("letters_due", "Letters that should have been sent by now.", (), [((), owed)])
    waited = 0.0 if oldest is None else (now - oldest).total_seconds()
    yield _gauge(
        "oldest_unsent_seconds",
        "Age of the oldest unsent letter that is due, in seconds; 0 if none.",
        (),
        [((), waited)],
    )
    week = count_letters(session, since, local_date(now) + timedelta(days=1))
    totals: Sequence[Row] = [
        (("owed",), week.owed),
        (("sent",), week.sent),
        (("delivered",), week.delivered),
        (("in_doubt",), week.in_doubt),
    ]
    yield _gauge(
        "letters_proof", f"Letters of the last {COUNTED_DAYS} days, as in the weekly digest.", ("what",), totals
    )


def _waits(session: Session) -> Metric:
    found = read_waits(session)
    return HistogramMetricFamily(
        "dondoc_letter_wait_seconds",
        f"From due to accepted; aim: {AIM_SHARE:.0%} within {AIM_SECONDS} s.",
        buckets=found.cumulative(),
        sum_value=found.seconds,
    )


def _passes(session: Session, now: datetime) -> Iterator[Metric]:
    rows = session.connection().execute(select(table(records.Pass))).all()
    done = [((row.name,), row.finished_at.timestamp()) for row in rows if row.finished_at is not None]
    yield _gauge("pass_finished_timestamp_seconds", "When each pass last finished and did something.", ("pass",), done)
    failed = [((row.name,), float(bool(row.error))) for row in rows]
    yield _gauge("pass_failed", "1 if the last run of the pass failed.", ("pass",), failed)
    counts = [((row.name, name), float(count)) for row in rows for name, count in row.counts.items()]
    yield _gauge("pass_last_found", "What the last run of each pass counted.", ("pass", "what"), counts)


def _assignments(session: Session, now: datetime) -> Metric:
    a, p = table(records.Assignment), table(records.Plan)
    kind = time_class(read_today(session, now)).label("class")
    statement = (
        select(kind, a.c.request, func.count())
        .select_from(a.join(p, p.c.id == a.c.plan_id))
        .where(p.c.state == PlanState.ACTIVE, situations.counted())
        .group_by(kind, a.c.request)
    )
    found = {(each, bool(request)): count for each, request, count in session.connection().execute(statement)}
    rows: Sequence[Row] = [
        ((each.value, name), found.get((each, request), 0))
        for name, request in (("order", False), ("request", True))
        for each in TimeClass
    ]
    return _gauge("assignments", "Tasks of active plans by time class and kind.", ("class", "kind"), rows)


def _channels(session: Session) -> Metric:
    """1 while a channel works, 0 when it is down."""
    rows: Sequence[Row] = [((each.name,), 1.0 if each.up else 0.0) for each in channels(session) if each.set_up]
    return _gauge("channel_up", "1 while the channel works, 0 when it is down.", ("channel",), rows)


def _answers(session: Session, now: datetime) -> Metric:
    i = table(records.Incoming)
    statement = (
        select(i.c.channel, i.c.outcome, func.count())
        .where(i.c.at > now - timedelta(days=COUNTED_DAYS))
        .group_by(i.c.channel, i.c.outcome)
    )
    rows: Sequence[Row] = [
        ((channel, outcome or "none"), n) for channel, outcome, n in session.connection().execute(statement)
    ]
    return _gauge(
        "incoming", f"Messages of the last {COUNTED_DAYS} days by what they did.", ("channel", "outcome"), rows
    )


def _webhooks(session: Session) -> Iterator[Metric]:
    """Of those that are switched on. Only what is owed is counted: it has an index, and delivered messages are many."""
    w, m, connection = table(records.Webhook), table(records.WebhookMessage), session.connection()
    found = connection.execute(select(w.c.id, w.c.down_since).where(w.c.active).order_by(w.c.id)).all()
    counted = select(m.c.webhook_id, func.count()).where(records.WEBHOOK_OWED).group_by(m.c.webhook_id)
    count: dict[int, int] = dict(map(tuple, connection.execute(counted)))
    working: Sequence[Row] = [((str(each.id),), 1.0 if each.down_since is None else 0.0) for each in found]
    yield _gauge(
        "webhook_up", "1 while the address of a webhook answers, 0 when it is left alone.", ("webhook",), working
    )
    owed: Sequence[Row] = [((str(each.id),), float(count.get(each.id, 0))) for each in found]
    yield _gauge("webhook_messages_owed", "Messages that a webhook has not accepted yet.", ("webhook",), owed)
