"""What keeps a page safe whatever it shows: headers on every answer, a limit on every body, a token in every form.

Pure ASGI, so that it stands around the pages, the API and their errors alike.
"""

from __future__ import annotations

import hmac
import ipaddress
import re
import secrets
from collections.abc import Mapping
from urllib.parse import urlsplit

from itsdangerous import BadSignature, URLSafeSerializer
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.errors import NotAllowed
from engine.text import Text

MAX_BODY_BYTES = 1_048_576
"""Forms and JSON bodies."""
REVIEW_BYTES = 8_000_000
FILES_BYTES = 30_000_000
LONGER: tuple[tuple[re.Pattern[str], int], ...] = (
    (re.compile(r"/plans/import"), 26_000_000),
    (re.compile(r"/plans/review"), REVIEW_BYTES),
    (re.compile(r"/report/[^/]+/[^/]+/[^/]+|/r/[^/]+"), FILES_BYTES),
    (re.compile(r"/api/v1/agencies/[^/]+/evidence"), 14_000_000),
)
"""What some addresses take: a plan document, the form that carries the whole of one, a report with its files, and one
file as base64."""
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-src 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
LETTER_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
"""A letter's HTML inside its page: may style itself and do nothing else, not even follow its own links."""
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "cache-control": "no-store",
}
YEAR = 365 * 86_400
LOCAL_NAMES = frozenset({"localhost", "localhost.localdomain", "ip6-localhost"})
FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")


def max_body_bytes(path: str) -> int:
    """How long a body may be that is sent to an address."""
    return next((most for where, most in LONGER if where.fullmatch(path)), MAX_BODY_BYTES)


class Guard:
    """Security headers on every answer, HEAD answered as GET without its body, and no body longer than the limit.
    ``secure``: the pages stand on https, and browsers are to stay there."""

    def __init__(self, app: ASGIApp, *, secure: bool = False) -> None:
        self.app = app
        self._headers = HEADERS | ({"strict-transport-security": f"max-age={YEAR}"} if secure else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        head = scope["method"] == "HEAD"
        inner = {**scope, "method": "GET"} if head else scope
        await self.app(
            inner,
            _limited(receive, Headers(scope=scope), max_body_bytes(scope["path"])),
            _headed(send, self._headers, bodiless=head),
        )


def _headed(send: Send, guards: Mapping[str, str], *, bodiless: bool) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in guards.items():
                headers.setdefault(name, value)
        elif message["type"] == "http.response.body" and bodiless:
            message = {**message, "body": b""}
        await send(message)

    return sending


def _limited(receive: Receive, headers: Headers, most: int) -> Receive:
    """Refuse a body that says it is too long, or turns out to be."""
    taken = 0
    said = headers.get("content-length", "0")
    too_long = said.isdecimal() and int(said) > most

    async def receiving() -> Message:
        nonlocal taken
        if too_long:
            raise HTTPException(413)
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > most:
            raise HTTPException(413)
        return message

    return receiving


class FormTokens:
    """Signed tokens for forms. ``binding`` is a secret that only the reader of the page holds: the visitor's own
    cookie, or the link of a letter. Another site can make a browser post, but cannot know the token."""

    def __init__(self, key: str) -> None:
        self._serializer = URLSafeSerializer(key, salt="dondoc.form")

    @staticmethod
    def fresh_binding() -> str:
        return secrets.token_urlsafe(24)

    def make(self, binding: str) -> str:
        made = self._serializer.dumps(binding)
        return made if isinstance(made, str) else made.decode()

    def check(self, token: str, binding: str) -> None:
        """Raises NotAllowed unless the token was made for this binding."""
        try:
            said = self._serializer.loads(token)
        except BadSignature:
            said = None
        if not binding or not isinstance(said, str) or not hmac.compare_digest(said.encode(), binding.encode()):
            raise NotAllowed(
                Text(
                    "Biểu mẫu này đã cũ hoặc không do trang này đưa ra; hãy tải lại trang rồi gửi lại.",
                    "This form is stale or was not made by this page; reload the page and send it again.",
                )
            )


def same_origin(headers: Headers, base_url: str) -> bool:
    """Whether the browser says that a request comes from our own page; a client that says nothing may pass. A proxy
    in front may have changed the host, so the address that letters name is ours too."""
    site = headers.get("sec-fetch-site", "same-origin")
    origin = headers.get("origin", "null")
    own = origin == "null" or urlsplit(origin).netloc in (headers.get("host", ""), urlsplit(base_url).netloc)
    return site in ("same-origin", "none") and own


def at_the_machine(request: HTTPConnection, host: str) -> bool:
    """Whether a request was made on this machine, to it by its own name, through no proxy. The name is not enough, for
    anybody may say it; the peer is not enough, for a page of another site may point a name of its own at 127.0.0.1."""
    if any(name in request.headers for name in FORWARDED):
        return False
    peer = request.client.host if request.client else ""
    said = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    here = said in LOCAL_NAMES or _is_own(said, host)
    return here and _is_own(peer, host)


def _is_own(address: str, host: str) -> bool:
    """Loopback, or the very address that is listened on."""
    try:
        return ipaddress.ip_address(address).is_loopback or (bool(host) and address == host)
    except ValueError:
        return bool(host) and address == host


def network_of(host: str) -> str:
    """What one visitor's limits are counted by: an IPv4 address, or the /64 that any IPv6 visitor has to himself."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host[:60]
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    inner = address.ipv4_mapped
    return str(inner or ipaddress.ip_network((address, 64), strict=False))
