"""Health of each channel: it is down after repeated failures or a refused login, until a letter is accepted again.

Stored in the ``fact`` table, in the transaction that settles the letters, so that all processes see the same state.
A relay that refuses one letter still works; only a failure that makes letters wait counts against the channel.

«No such mailbox» to everybody is the relay's fault, not the directory's.

A relay whose own directory is away says 5.1.1 of whomever it is asked. So such a refusal is believed at once only while
the relay serves others; in a row of failures it is tried again, and believed when it is said the third time, unless the
channel is down by then. When a channel that was down serves again, what was believed since it served last is taken
back: those addresses are written to again, and their letters are owed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from itertools import chain, repeat
from typing import Any

from sqlalchemy import select, update
from sqlmodel import Session

from engine.agencies.preferences import lift_between
from engine.queries.system.health import PREFIX
from engine.store.database import among, table
from engine.store.facts import dated, read_as, read_fact, read_facts, write_fact
from engine.store.records import Delivery, Letter
from engine.terms import LetterState
from notifications.contract.channel import About, Fate, Outcome
from notifications.sms.gateway import BALANCE, LOGIN

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
    return read_as(value, _known, ChannelHealth())


def _known(kept: dict[str, Any]) -> ChannelHealth:
    known = replace(ChannelHealth(), **kept | {"failed": tuple(kept.get("failed", ()))})
    return dated(known, "down_since", "retry_at")


REFUSALS_BELIEVED = 3
"""A permanent refusal that may be about something else is tried again, and believed the third time."""
LONGEST_RUN = timedelta(days=7)
"""How far back it is looked for the last letter that was accepted before a channel went down."""
_OF_A_REFUSAL = re.compile(r"dead: 5\d\d\b")
"""Reason of a suppression by an answer of the relay; that by a returned letter names its enhanced status."""


def is_of_address(outcome: Outcome) -> bool:
    return outcome.fate is Fate.REFUSED and outcome.about is About.ADDRESS


def doubtful(outcome: Outcome, health: ChannelHealth, contact_id: int, attempt: int) -> bool:
    """Whether a refusal says nothing of the address yet: the letters before it failed too, of other people."""
    others_failed = bool(set(health.failed) - {contact_id})
    return is_of_address(outcome) and others_failed and (health.down or attempt < REFUSALS_BELIEVED)


def take_back(session: Session, channel: str, down_since: datetime, now: datetime) -> int:
    """A channel serves again that was down: undo what it said of addresses. Returns how many."""
    lifted = lift_between(
        session,
        _last_accepted(session, channel, down_since),
        now,
        actor="system",
        now=now,
        only=lambda of, reason: of == channel and bool(_OF_A_REFUSAL.match(reason)),
    )
    letters, since = table(Letter), min((each.at for each in lifted), default=now)
    if lifted:
        session.connection().execute(
            update(letters)
            .where(
                among(session, letters.c.contact_id, {each.contact_id for each in lifted}),
                letters.c.channel == channel,
                letters.c.state == LetterState.REFUSED,
                letters.c.settled_at >= since,
            )
            .values(state=LetterState.QUEUED, send_after=now, settled_at=None, reason="", on_wire=False)
        )
    return len(lifted)


def _last_accepted(session: Session, channel: str, before: datetime) -> datetime:
    d, m = table(Delivery), table(Letter)
    served = d.c.fate.in_((str(Fate.ACCEPTED), str(Fate.DELIVERED)))
    statement = (
        select(d.c.at)
        .join(m, m.c.id == d.c.letter_id)
        .where(m.c.channel == channel, served, d.c.at < before, d.c.at > before - LONGEST_RUN)
        .order_by(d.c.id.desc())
        .limit(1)
    )
    at: datetime | None = session.connection().scalar(statement)
    return at or before - LONGEST_RUN
