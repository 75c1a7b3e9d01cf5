"""Health of each channel: it is down after repeated failures or a refused login, until a letter is accepted again.

Stored in the ``fact`` table, in the transaction that settles the letters, so that all processes see the same state.
A relay that refuses one letter still works; only a failure that makes letters wait counts against the channel.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from itertools import chain, repeat

from sqlmodel import Session

from engine.queries.system.channels import PREFIX
from engine.store.facts import read_fact, read_facts, write_fact
from notifications.contract.channel import About, Fate, Outcome
from notifications.sms.permanent_errors import BALANCE, LOGIN

MAX_FAILURES = 5
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(minutes=30)
"""How long a channel that is down is left alone, doubling."""
REFUSED_LOGIN = frozenset({"401", "403", "407", "530", "534", "535", "538"})
"""SMTP (RFC 4954) and HTTP codes for a refused login: retrying cannot succeed."""

NOT_TRIED = frozenset({"suppressed", "released", "no_channel", "bad_input", "sandbox"})
"""Codes of outcomes that say nothing about the channel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelHealth:
    """``failures``: consecutive failures; ``down_since``: ISO timestamp, empty while the channel works; ``why``: the
    server's last message; ``failed``: the contacts whose letters failed, so that one busy mailbox is one failure. A
    channel that is down is left alone until ``retry_at``, longer after each of its ``pauses``."""

    failures: int = 0
    down_since: str = ""
    why: str = ""
    failed: tuple[int, ...] = ()
    pauses: int = 0
    retry_at: str = ""

    @property
    def down(self) -> bool:
        return bool(self.down_since)

    def held(self, now: datetime) -> bool:
        """Whether nothing is offered to it yet."""
        return self.down and bool(self.retry_at) and now < datetime.fromisoformat(self.retry_at)


def updated(
    health: ChannelHealth, outcomes: Iterable[Outcome], now: datetime, contacts: Iterable[int] = ()
) -> ChannelHealth:
    """The health after some outcomes, in chronological order. Pure."""
    for outcome, contact in zip(outcomes, chain(contacts, repeat(None)), strict=False):
        if outcome.code in NOT_TRIED:
            continue
        if outcome.fate in (Fate.ACCEPTED, Fate.DELIVERED, Fate.KEPT_HERE):
            health = ChannelHealth()
        elif outcome.about is not About.LETTER:
            health = _failed(health, outcome, now, contact)
    return health


def _failed(health: ChannelHealth, outcome: Outcome, now: datetime, contact: int | None) -> ChannelHealth:
    if contact is None:
        health = replace(health, failures=health.failures + 1)
    elif contact not in health.failed:
        failed = (*health.failed, contact)[-MAX_FAILURES:]
        health = replace(health, failures=health.failures + 1, failed=failed)
    down = (
        health.failures >= MAX_FAILURES
        or outcome.code in REFUSED_LOGIN
        or any(str(text) in outcome.reply for text in (LOGIN, BALANCE))
    )
    if down and not health.held(now):
        retry_at = now + min(FIRST_PAUSE * 2**health.pauses, LONGEST_PAUSE)
        health = replace(health, pauses=health.pauses + 1, retry_at=retry_at.isoformat())
    since = health.down_since or (now.isoformat() if down else "")
    return replace(health, down_since=since, why=outcome.reply[:300])


def record_outcomes(
    session: Session, channel: str, outcomes: Iterable[Outcome], now: datetime, contacts: Iterable[int] = ()
) -> datetime | None:
    """Update a channel's health from the outcomes of letters; writes only if it changed. Returns since when it was
    down, if it serves again now."""
    before = _load(session, channel)
    after = updated(before, outcomes, now, contacts)
    _save(session, channel, before, after)
    return datetime.fromisoformat(before.down_since) if before.down and not after.down else None


def record_fetch(session: Session, channel: str, error: str, now: datetime) -> None:
    """Update the health of a channel that is fetched from; ``error`` is its message, "" on success."""
    record_outcomes(session, channel, [Outcome(fate=Fate.RETRY if error else Fate.DELIVERED, reply=error)], now)


def channel_health(session: Session) -> dict[str, ChannelHealth]:
    """The health of every channel that has failed at least once, by name."""
    return {channel: _read(value) for channel, value in read_facts(session, PREFIX).items()}


def _load(session: Session, channel: str) -> ChannelHealth:
    return _read(read_fact(session, PREFIX + channel))


def _save(session: Session, channel: str, before: ChannelHealth, health: ChannelHealth) -> None:
    if health != before:
        write_fact(session, PREFIX + channel, json.dumps(asdict(health), ensure_ascii=False))


def _read(value: str | None) -> ChannelHealth:
    if not value:
        return ChannelHealth()
    known = json.loads(value)
    return replace(ChannelHealth(), **known | {"failed": tuple(known.get("failed", ()))})
