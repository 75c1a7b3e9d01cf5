"""The log ``dondoc.security`` and its counters: sign-ins, refusals, limits, changes of passwords, keys and accounts.

A line names the route's pattern and never the path, since the path of a link in a letter is a credential; the network
and never an address that somebody typed, which may be a password in the wrong field. Counters belong to this process
and begin at zero with it, as Prometheus expects.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from enum import StrEnum
from threading import Lock

from starlette.requests import Request

from engine.accounts.sign_in import SignInRefused
from engine.errors import DondocError, LinkRefused, NotAllowed, TooOften
from engine.http.security import network_of

log = logging.getLogger("dondoc.security")


class SecurityEvent(StrEnum):
    SIGNED_IN = "signed_in"
    SIGNED_IN_NEW_BROWSER = "signed_in_new_browser"
    SIGN_IN_REFUSED = "sign_in_refused"
    LINK_REFUSED = "link_refused"
    ACCESS_REFUSED = "access_refused"
    RATE_LIMITED = "rate_limited"
    BODY_REFUSED = "body_refused"
    HOST_REFUSED = "host_refused"
    OVERLOADED = "overloaded"
    PASSWORD_SET = "password_set"
    FACTOR_SET = "factor_set"
    FACTOR_REMOVED = "factor_removed"
    KEY_MADE = "key_made"
    KEY_REVOKED = "key_revoked"
    SESSIONS_ENDED = "sessions_ended"
    ACCOUNT_CHANGED = "account_changed"
    DEPUTY_REFUSED = "deputy_refused"
    """Somebody proposed a deputy through the link of a letter, and their agency did not agree."""
    LINKS_TRIED = "links_tried"
    """The third invalid or expired link within an hour from one network."""


LINKS_BEFORE_ALARM, HOUR_SECONDS = 3, 3600
REFUSALS = frozenset(
    {
        SecurityEvent.DEPUTY_REFUSED,
        SecurityEvent.LINKS_TRIED,
        SecurityEvent.SIGN_IN_REFUSED,
        SecurityEvent.LINK_REFUSED,
        SecurityEvent.ACCESS_REFUSED,
        SecurityEvent.RATE_LIMITED,
        SecurityEvent.BODY_REFUSED,
        SecurityEvent.HOST_REFUSED,
        SecurityEvent.OVERLOADED,
    }
)


class SecurityLog:
    """Writes the lines and keeps the counters of one application."""

    def __init__(self) -> None:
        self._counts: Counter[SecurityEvent] = Counter()
        self._hour, self._links = 0, Counter[str]()
        self._lock = Lock()

    @property
    def counts(self) -> dict[str, int]:
        """Every event with its count, also those that have not happened."""
        with self._lock:
            return {event.value: self._counts[event] for event in SecurityEvent}

    def record(self, event: SecurityEvent, request: Request, *, account: int = 0, actor: str = "") -> None:
        """``account``: whose account is concerned; ``actor``: who acts, as in the event log."""
        with self._lock:
            self._counts[event] += 1
        network = network_of(request.client.host) if request.client else ""
        if event is SecurityEvent.LINK_REFUSED and self._is_third(network):
            self.record(SecurityEvent.LINKS_TRIED, request, account=account, actor=actor)
        facts = {"event": event.value, "method": request.method, "route": route_of(request), "network": network}
        facts |= {name: str(value) for name, value in (("account", account), ("actor", actor)) if value}
        level = logging.WARNING if event in REFUSALS else logging.INFO
        log.log(level, "%s", " ".join(f"{name}={value or '-'}" for name, value in facts.items()))

    def _is_third(self, network: str) -> bool:
        """Count a refused link; returns whether this one triggers the hour's alarm."""
        hour = int(time.monotonic()) // HOUR_SECONDS
        with self._lock:
            if hour != self._hour:
                self._hour, self._links = hour, Counter()
            self._links[network] += 1
            return self._links[network] == LINKS_BEFORE_ALARM

    def refused(self, request: Request, error: DondocError, actor: str = "") -> None:
        """Record an error that refuses something; other errors are ignored."""
        event = _event_of(error)
        if event is not None:
            self.record(event, request, actor=actor)


def route_of(request: Request) -> str:
    """The pattern of the route, like ``/sign-in/link/{key}``; empty before or without one."""
    return str(getattr(request.scope.get("route"), "path", ""))


def _event_of(error: DondocError) -> SecurityEvent | None:
    if isinstance(error, SignInRefused):
        return SecurityEvent.SIGN_IN_REFUSED
    if isinstance(error, LinkRefused):
        return SecurityEvent.LINK_REFUSED
    if isinstance(error, TooOften):
        return SecurityEvent.RATE_LIMITED
    return SecurityEvent.ACCESS_REFUSED if isinstance(error, NotAllowed) else None
