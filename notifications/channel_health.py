"""Whether each channel works: failures in a row, or a refused login, and it is down until a letter gets through.

Kept beside the letters, in the transaction that settles them, so that every process sees the same. A relay that
refuses one letter works; only what keeps every letter waiting is a failure of the channel.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import Any

from sqlalchemy import select, update
from sqlmodel import Session

from engine.queries.system.channels import PREFIX
from engine.store.database import insert_new, table
from engine.store.records import Fact
from notifications.channel import About, Fate, Outcome
from notifications.sms.permanent_errors import BALANCE, LOGIN

MAX_FAILURES = 5
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(minutes=30)
"""How long a channel that is down is left alone, doubling."""
REFUSED_LOGIN = frozenset({"401", "403", "407", "530", "534", "535", "538"})
"""SMTP (RFC 4954) and HTTP answers that no second try mends."""


@dataclass(frozen=True, slots=True)
class ChannelHealth:
    """``failures`` in a row; ``down_since`` is an ISO instant, empty while the channel works; ``why`` in the other
    side's words. ``failed`` are the contacts whose letters failed, so that one mailbox that is busy all day is one
    failure. A channel that is down is left alone until ``retry_at``, longer after each of its ``pauses``."""

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


def after(
    pulse: ChannelHealth, outcomes: Iterable[Outcome], now: datetime, contacts: Iterable[int] = ()
) -> ChannelHealth:
    """The pulse after some outcomes, in the order in which they came. Pure."""
    for each, contact in zip_longest(list(outcomes), list(contacts), fillvalue=None):
        if each is None:
            break
        if each.code in ("suppressed", "released", "no_channel", "bad_input", "sandbox"):
            continue
        if each.fate in (Fate.ACCEPTED, Fate.DELIVERED):
            pulse = ChannelHealth()
            continue
        if each.about is About.LETTER:
            continue
        known = contact is not None and contact in pulse.failed
        failures = pulse.failures + (0 if known else 1)
        failed = pulse.failed if contact is None or known else (*pulse.failed, contact)[-MAX_FAILURES:]
        down = (
            failures >= MAX_FAILURES
            or each.code in REFUSED_LOGIN
            or str(LOGIN) in each.reply
            or str(BALANCE) in each.reply
        )
        since = pulse.down_since or (now.isoformat() if down else "")
        pauses, retry_at = pulse.pauses, pulse.retry_at
        if down and not pulse.held(now):
            pauses += 1
            retry_at = (now + min(FIRST_PAUSE * 2 ** (pauses - 1), LONGEST_PAUSE)).isoformat()
        pulse = ChannelHealth(failures, since, each.reply[:300], failed, pauses, retry_at)
    return pulse


def record(
    session: Session, channel: str, outcomes: Iterable[Outcome], now: datetime, contacts: Iterable[int] = ()
) -> None:
    """Feel a channel's pulse from what became of letters; writes only what changed."""
    before = _known(session, channel)
    _keep(session, channel, before, after(before, outcomes, now, contacts))


def record_results(session: Session, channel: str, trouble: str, now: datetime) -> None:
    """The same for what is fetched: ``trouble`` in words, or "" when it worked."""
    record(session, channel, [Outcome(Fate.RETRY if trouble else Fate.DELIVERED, reply=trouble)], now)


def pulses(session: Session) -> dict[str, ChannelHealth]:
    """Every channel that has failed at least once, by name."""
    f: Any = table(Fact)
    chosen = select(f.c.name, f.c.value).where(f.c.name.startswith(PREFIX, autoescape=True))
    return {row.name.removeprefix(PREFIX): _read(row.value) for row in session.connection().execute(chosen)}


def _known(session: Session, channel: str) -> ChannelHealth:
    f = table(Fact)
    return _read(session.connection().scalar(select(f.c.value).where(f.c.name == PREFIX + channel)))


def _keep(session: Session, channel: str, before: ChannelHealth, found: ChannelHealth) -> None:
    if found == before:
        return
    f, value = table(Fact), json.dumps(asdict(found), ensure_ascii=False)
    changed = session.connection().execute(update(f).where(f.c.name == PREFIX + channel).values(value=value))
    if changed.rowcount == 0:
        insert_new(session, Fact, [{"name": PREFIX + channel, "value": value}])


def _read(value: str | None) -> ChannelHealth:
    if not value:
        return ChannelHealth()
    known = json.loads(value)
    return replace(ChannelHealth(), **known | {"failed": tuple(known.get("failed", ()))})
