"""The interface that every channel implements: ``send`` takes a rendered letter and returns an Outcome.

A channel is one module and one row in ``tests/integration/notifications/test_channels.py``. It turns every library or
network error into an Outcome; it raises only for a configuration mistake (``errors.BadInput``).
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
    """The result of one attempt. ``ACCEPTED`` by a relay or gateway does not mean ``DELIVERED`` to a person."""

    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    KEPT_HERE = "kept_here"
    """Written into a folder of this machine, where nobody is sent it."""
    RETRY = "retry"
    """Temporary failure (4xx, no route, too many logins): try again with back-off."""
    REFUSED = "refused"
    """Permanent failure (5xx, no such mailbox): do not try again."""
    UNKNOWN = "unknown"
    """The letter may or may not have been accepted (time-out after DATA). Kept as a state of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One rendered letter for one person on one channel.

    ``key`` is the letter's unique key. Every external identifier (Message-ID, client reference) is derived from it,
    so a second copy can be recognised. ``mark``, if set, replaces the digest of the key: 64 hex digits from an HMAC
    that outsiders cannot compute. ``to`` is a mailbox or an E.164 number. ``at`` is the time of sending, aware UTC.
    ``html`` and ``subject`` are empty on channels that have none.
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
    values: Mapping[str, str] = field(default_factory=dict)
    """Of an SMS: its kind, plan, due date, link … for providers that fill templates of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Result of ``Channel.send``. ``code`` and ``reply`` are the server's response, for the operator; ``receipt`` is
    the server's id for the letter, used to match later delivery reports; ``after`` is the requested wait, if any."""

    fate: Fate
    code: str = ""
    reply: str = ""
    receipt: str = ""
    after: timedelta | None = None
    about: About = About.UNCLEAR
    """Only of refusals and retries: what is to blame, where the channel can tell."""

    @property
    def taken(self) -> bool:
        """Accepted, or perhaps so: it is not to be offered again."""
        return self.fate in (Fate.ACCEPTED, Fate.DELIVERED, Fate.UNKNOWN)


class Channel(Protocol):
    """An async context manager that keeps its connections while open; one that has none is a subclass. Up to
    ``parallel`` tasks may call ``send`` concurrently."""

    name: str
    parallel: int

    async def send(self, letter: Outgoing) -> Outcome: ...

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None
