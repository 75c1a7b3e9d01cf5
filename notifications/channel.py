"""The one contract every channel keeps: a rendered letter goes in, an Outcome comes out.

A channel is one file and one row in ``tests/notifications/test_channels.py``. It translates every foreign error at
its own border and returns an Outcome; it raises only for a mistake in its configuration (``errors.BadInput``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import TracebackType
from typing import Protocol, Self


class About(StrEnum):
    """Whom a refusal is about. ``ADDRESS``: write there no more. ``LETTER``: this one is no good (too large).
    ``CHANNEL``: nothing gets through this way, keep the letters. ``UNCLEAR``: no reason that we know."""

    ADDRESS = "address"
    LETTER = "letter"
    CHANNEL = "channel"
    UNCLEAR = "unclear"


class Fate(StrEnum):
    """What one attempt came to. ``ACCEPTED`` by a relay or gateway is not ``DELIVERED`` to a person."""

    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    RETRY = "retry"
    """Refused for now (4xx, no route, too many logins): try again with back-off."""
    REFUSED = "refused"
    """Refused for good (5xx, no such mailbox): do not try again."""
    UNKNOWN = "unknown"
    """It may or may not have been taken (time-out after DATA): never guessed, a state of its own."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One rendered letter for one person on one channel.

    ``key`` is the letter's unique key; everything that identifies it to the outside (Message-ID, client reference)
    is made from it, so that a second copy is recognisable: by way of ``mark``, 64 hex digits that nobody else can
    make, where there is one. ``to`` is a mailbox or an E.164 number. ``at`` is the instant of sending, aware UTC.
    ``html`` and ``subject`` are empty where the channel has none.
    """

    key: str
    to: str
    text: str
    at: datetime
    subject: str = ""
    html: str = ""
    language: str = "vi"
    unsubscribe: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """``code`` and ``reply`` are the other side's own words, for the operator; ``receipt`` is its id for the letter,
    by which later delivery reports are matched; ``after`` is how long it asked us to wait, if it did."""

    fate: Fate
    code: str = ""
    reply: str = ""
    receipt: str = ""
    after: timedelta | None = None
    about: About = About.UNCLEAR
    """Only of refusals and retries: what is to blame, where the channel can tell."""


class Channel(Protocol):
    """An async context manager that keeps its connections while open. ``send`` may be called by up to ``parallel``
    tasks at a time."""

    name: str
    parallel: int

    async def send(self, letter: Outgoing) -> Outcome: ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
