"""Whether each channel works, as recorded by the deliver pass (``notifications.channel_health`` writes the facts)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from engine.store.database import table
from engine.store.facts import read_facts
from engine.store.recipients import unset_channels
from engine.store.records import Contact, Letter
from engine.terms import LetterState

PREFIX = "channel:"
"""Prefix of the facts that hold the channels' health."""
LOOKED_BACK, MANY_SILENCED = timedelta(days=7), 5
RECENT_LETTERS = 100
"""How many recent letters are read to find channels that have never failed and so have no fact."""


@dataclass(frozen=True, slots=True)
class ChannelLine:
    """``down_since`` is None while the channel works; ``why`` is the gateway's or mail server's own message.
    ``set_up``: False of one on which this installation sends nothing."""

    name: str
    down_since: datetime | None
    why: str
    set_up: bool = True

    @property
    def up(self) -> bool:
        return self.down_since is None


def channels(session: Session) -> tuple[ChannelLine, ...]:
    """Every channel that has ever failed or carried one of the latest letters, by name; then those not set up."""
    m, unset = table(Letter), unset_channels(session)
    health: dict[str, dict[str, object]] = {
        channel: json.loads(value) for channel, value in read_facts(session, PREFIX).items()
    }
    recent = (
        select(m.c.channel).where(m.c.state != LetterState.SUPPRESSED).order_by(m.c.id.desc()).limit(RECENT_LETTERS)
    )
    names = sorted({*session.connection().scalars(recent), *health} - unset)
    lines = (_line(name, health.get(name, {})) for name in names)
    return (*lines, *(ChannelLine(name, None, "", set_up=False) for name in sorted(unset)))


@dataclass(frozen=True, slots=True)
class Silenced:
    """Addresses that a relay's refusals of these days have silenced, and still do: so many that it may have been the
    relay's fault, and ``dondoc contact lift`` is proposed."""

    count: int
    first: date
    last: date


def silenced(session: Session, today: date) -> Silenced | None:
    m, c = table(Letter), table(Contact)
    refused = (m.c.day > today - LOOKED_BACK, m.c.state == LetterState.REFUSED)
    statement = select(m.c.day, m.c.contact_id, m.c.channel, c.c.suppressed).join(c, c.c.id == m.c.contact_id)
    rows = session.connection().execute(statement.where(*refused)).all()
    found = {(row.contact_id, row.channel): row.day for row in rows if _by_refusal(row.suppressed, row.channel)}
    if len(found) < MANY_SILENCED:
        return None
    return Silenced(len(found), min(found.values()), max(found.values()))


def _by_refusal(suppressed: Mapping[str, str] | None, channel: str) -> bool:
    return (suppressed or {}).get(channel, "").startswith("dead: 5")


def _line(name: str, health: dict[str, Any]) -> ChannelLine:
    since = health.get("down_since", "")
    return ChannelLine(name, datetime.fromisoformat(since) if since else None, health.get("why", "") if since else "")
