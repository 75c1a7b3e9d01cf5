"""Whether each channel works, as the delivering pass last felt it (``notifications.channel_health`` writes the
facts)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from engine.store.database import table
from engine.store.records import Fact, Letter
from engine.terms import LetterState

PREFIX = "channel:"
"""Of the names of the facts that keep each channel's pulse."""
RECENT_LETTERS = 100
"""Letters looked at for channels that have never failed and so have no fact."""


@dataclass(frozen=True, slots=True)
class ChannelLine:
    """``down_since`` is None while the channel works; ``why`` is the other side's own words."""

    name: str
    down_since: datetime | None
    why: str

    @property
    def up(self) -> bool:
        return self.down_since is None


def channels(session: Session) -> tuple[ChannelLine, ...]:
    """Every channel that has failed once or carried one of the latest letters, by name."""
    f, m = table(Fact), table(Letter)
    connection = session.connection()
    facts = select(f.c.name, f.c.value).where(f.c.name.startswith(PREFIX, autoescape=True))
    kept: dict[str, dict[str, Any]] = {
        row.name.removeprefix(PREFIX): json.loads(row.value) for row in connection.execute(facts)
    }
    recent = (
        select(m.c.channel).where(m.c.state != LetterState.SUPPRESSED).order_by(m.c.id.desc()).limit(RECENT_LETTERS)
    )
    names = sorted({*connection.scalars(recent), *kept})
    return tuple(_line(name, kept.get(name, {})) for name in names)


def _line(name: str, pulse: dict[str, Any]) -> ChannelLine:
    since = pulse.get("down_since", "")
    return ChannelLine(name, datetime.fromisoformat(since) if since else None, pulse.get("why", "") if since else "")
