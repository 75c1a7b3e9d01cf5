"""Request security: response headers, form tokens, same-origin and local-request checks.

The middleware is pure ASGI, so it also covers the API and error responses.

The log ``dondoc.security`` and its counters: sign-ins, refusals, limits, changes of passwords, keys and accounts.

A line names the route's pattern and never the path, since the path of a link in a letter is a credential; the network
and never an address that somebody typed, which may be a password in the wrong field. Counters belong to this process
and begin at zero with it, as Prometheus expects.
"""

from __future__ import annotations

import hmac
import ipaddress
import logging
import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import Counter
from collections.abc import Mapping
from enum import StrEnum
from threading import Lock
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.accounts.sign_in import SignInRefused
from engine.accounts.signed_links import Signer
from engine.errors import DondocError, LinkRefused, NotAllowed, TooOften
from engine.text import Text

MAX_BODY_BYTES = 1_048_576
"""Forms and JSON."""
MAX_STRANGER_BYTES = 65_536
"""Of an anonymous sender."""
CODE_BYTES = 32
"""Of a form token's mask, and of what it masks: SHA-256."""
PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; manifest-src 'self'; form-action 'self'; frame-src 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
LETTER_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
"""For a letter's HTML inside a page: inline styles only; no scripts, no navigation."""
HEADERS = {
    "content-security-policy": PAGE_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "cache-control": "no-store",
}
YEAR_SECONDS = 365 * 86_400
LOCAL_NAMES = frozenset({"localhost", "localhost.localdomain", "ip6-localhost"})
FORWARDED = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip")


class BodyTooLarge(HTTPException):
    """413; ``max_bytes`` is what this sender may send here."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__(413)
        self.max_bytes = max_bytes


class Guard:
    """Middleware: adds security headers and answers HEAD as GET without a body. ``secure`` adds
    Strict-Transport-Security for this host alone: whether every subdomain has TLS is for the proxy to say."""

    def __init__(self, app: ASGIApp, *, secure: bool = False) -> None:
        self.app = app
        stay = {"strict-transport-security": f"max-age={YEAR_SECONDS}"}
        self._headers = HEADERS | (stay if secure else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        head = scope["method"] == "HEAD"
        inner = {**scope, "method": "GET"} if head else scope
        await self.app(inner, receive, _with_headers(send, self._headers, bodiless=head))


def _with_headers(send: Send, extra: Mapping[str, str], *, bodiless: bool) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in extra.items():
                headers.setdefault(name, value)
        elif message["type"] == "http.response.body" and bodiless:
            message = {**message, "body": b""}
        await send(message)

    return sending


class FormTokens:
    """Form tokens against cross-site request forgery. ``binding`` is a secret known only to the page's reader: their
    cookie, or the key of a letter's link. Another site can make a browser post, but cannot know the token.

    A token is a random mask and the binding's code XOR that mask, so that it differs in every response: a code repeated
    in compressed pages could be guessed from their length (BREACH).
    """

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    @staticmethod
    def fresh_binding() -> str:
        return secrets.token_urlsafe(24)

    def make(self, binding: str) -> str:
        mask = secrets.token_bytes(CODE_BYTES)
        return urlsafe_b64encode(mask + _xor(mask, self._codes(binding)[0])).decode().rstrip("=")

    def check(self, token: str, binding: str) -> None:
        """Raises NotAllowed unless the token was made for this binding."""
        try:
            raw = urlsafe_b64decode(token + "==")
        except ValueError:
            raw = b""
        code = _xor(raw[:CODE_BYTES], raw[CODE_BYTES:]) if len(raw) == 2 * CODE_BYTES else b""
        if not binding or not any(hmac.compare_digest(code, each) for each in self._codes(binding)):
            raise NotAllowed(
                Text(
                    "Biểu mẫu này đã cũ hoặc không do trang này đưa ra; hãy tải lại trang rồi gửi lại.",
                    "This form is stale or was not made by this page; reload the page and send it again.",
                )
            )

    def _codes(self, binding: str) -> list[bytes]:
        return [hmac.digest(bytes.fromhex(each), binding.encode(), "sha256") for each in self._signer.secrets("form")]


def _xor(a: bytes, b: bytes) -> bytes:
    return bytes(x ^ y for x, y in zip(a, b, strict=True))


def same_origin(headers: Headers, base_url: str) -> bool:
    """Whether the browser reports that the request comes from our own page; clients that send neither header pass. A
    proxy may change the host, so the base URL counts as ours too."""
    site = headers.get("sec-fetch-site", "same-origin")
    origin = headers.get("origin", "null")
    own = origin == "null" or urlsplit(origin).netloc in (headers.get("host", ""), urlsplit(base_url).netloc)
    return site in ("same-origin", "none") and own


def is_loopback_request(request: HTTPConnection, base_url: str) -> bool:
    """Whether a program on this machine calls, through no proxy, on an installation that serves this machine alone. A
    proxy with its default settings looks like such a program, so a base URL of another host means no."""
    peer = request.client.host if request.client else ""
    names = host_name(request.headers.get("host", "")), urlsplit(base_url).hostname or "", peer
    return not any(name in request.headers for name in FORWARDED) and all(map(is_loopback_name, names))


def media_type(headers: Headers) -> str:
    """Of a request's body, in lower case and without parameters; "" where none is said."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def host_name(host: str) -> str:
    """The name in a Host header without its port, in lower case; empty if it is malformed."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def is_loopback_name(name: str) -> bool:
    try:
        return name in LOCAL_NAMES or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def network_of(host: str) -> str:
    """The network that rate limits count: an IPv4 address, or the /64 of an IPv6 address, which one client controls."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host[:60]
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    inner = address.ipv4_mapped
    return str(inner or ipaddress.ip_network((address, 64), strict=False))


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
    WEBHOOK_CHANGED = "webhook_changed"
    SETTINGS_CHANGED = "settings_changed"
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
