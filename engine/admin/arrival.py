"""The operator's word that mail arrives: once a week a letter with a link goes to their mailbox, where no mailbox is
fetched that could prove it. ``notifications.weekly_letter`` sends it, its page writes the answer."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from hmac import compare_digest

from sqlmodel import Session

from engine.accounts.signed_links import Signer
from engine.errors import LinkRefused
from engine.store.facts import read_fact, write_fact

FACT = "weekly_letter"
KEY_CHARS = 32
"""Of 64: 128 random bits are enough."""


@dataclass(frozen=True, kw_only=True)
class WeeklyLetter:
    """The last one. ``week``: ISO week; ``tried_at``, ``accepted_at``, ``confirmed_at``: ISO instants.
    ``waits_since``: day of the first letter since the last confirmed one; empty when this one is confirmed."""

    week: str = ""
    tried_at: str = ""
    accepted_at: str = ""
    confirmed_at: str = ""
    waits_since: str = ""

    @property
    def confirmed(self) -> datetime | None:
        return datetime.fromisoformat(self.confirmed_at) if self.confirmed_at else None


def read_weekly_letter(session: Session) -> WeeklyLetter:
    return WeeklyLetter(**json.loads(read_fact(session, FACT) or "{}"))


def write_weekly_letter(session: Session, letter: WeeklyLetter) -> None:
    write_fact(session, FACT, json.dumps(asdict(letter)))


def arrival_key(signer: Signer, week: str) -> str:
    """What stands in the link of a week's letter: the same each time it is tried, and known to its reader alone."""
    return signer.secret(f"arrival:{week}")[:KEY_CHARS]


def find_weekly_letter(session: Session, signer: Signer, key: str) -> WeeklyLetter:
    """The letter that a link belongs to. Raises LinkRefused if there is a newer one, or never was such a letter."""
    letter = read_weekly_letter(session)
    if not letter.week or not compare_digest(arrival_key(signer, letter.week).encode(), key.encode("utf-8", "replace")):
        raise LinkRefused
    return letter


def confirm_arrival(session: Session, signer: Signer, key: str, now: datetime) -> None:
    """Somebody has the letter before them. Idempotent. Raises LinkRefused."""
    letter = find_weekly_letter(session, signer, key)
    if not letter.confirmed_at:
        write_weekly_letter(session, replace(letter, confirmed_at=now.isoformat(), waits_since=""))
