"""Signed links in letters: for one purpose, expiring and revocable. Pure, apart from the keys.

A token states the contact, the subject and the last valid day. Whether the contact still acts for the agency, whether
the link has been revoked since, and whether its letter is still the newest, is checked when it is used
(``engine.queries.work.letter_links``). A GET request never changes anything.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import math
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from json.encoder import encode_basestring_ascii
from time import monotonic
from typing import TYPE_CHECKING, Any

from itsdangerous import BadSignature, HMACAlgorithm, URLSafeSerializer

from engine.errors import LinkRefused, Unavailable
from engine.rules.calendar import day_digits, local_date
from engine.text import Text

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

_SIGNATURE_BYTES = 20
"""The first 160 bits of HMAC-SHA-256: a whole signature would not fit into an SMS of one part."""


class Purpose(StrEnum):
    """What a link is for; a token for one purpose is not valid for another."""

    ACKNOWLEDGE = "acknowledge"
    REPORT = "report"
    UNSUBSCRIBE = "unsubscribe"
    CALENDAR = "calendar"
    DEPUTY = "deputy"
    """Agree to a deputy whom somebody proposed, or refuse them; only in the letter that asks."""


class LinkExpired(LinkRefused):
    """The last day of a link has passed; its reader may have a new one sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """``subject``: a letter's id, or ``<plan id>:<period>``. ``since``: the contact's last revocation before it was
    made (``revocation``); 0 if there was none."""

    purpose: Purpose
    contact_id: int
    subject: str
    made_on: date
    until: date
    since: int = 0

    @property
    def expired(self) -> LinkExpired:
        """The refusal of a link whose last day has passed."""
        return LinkExpired(
            Text(
                f"Liên kết này đã hết hạn ngày {day_digits(self.until)}; hãy mở thư mới nhất.",
                f"This link expired on {day_digits(self.until)}; open the newest letter.",
            )
        )

    def revoked(self, links_since: datetime | None) -> bool:
        """True if it was made before the contact's links were last revoked (``links_since``). Compared by ``since``; a
        link without it is compared by its day."""
        if links_since is None:
            return False
        return self.since != revocation(links_since) if self.since else local_date(links_since) >= self.made_on


def revocation(links_since: datetime | None) -> int:
    """The value of ``Link.since`` for new links: seconds since 1970, so that links made later on that day are valid."""
    return int(links_since.timestamp()) if links_since else 0


class _TruncatedHmac(HMACAlgorithm):
    def get_signature(self, key: bytes, value: bytes) -> bytes:
        return super().get_signature(key, value)[:_SIGNATURE_BYTES]


SIGNING: dict[str, object] = {"digest_method": hashlib.sha256, "algorithm": _TruncatedHmac(hashlib.sha256)}
"""How links are signed: HMAC-SHA-256 (RFC 2104, truncated)."""


FIRST = 1


class SealBroken(ValueError):
    """The value was sealed by another secret, for another use, or was changed."""


@dataclass(frozen=True, slots=True)
class Key:
    """One of the installation's secrets. The first one's number is written nowhere: what it made before there were
    numbers stays readable."""

    number: int
    secret: str

    @property
    def mark(self) -> str:
        """What stands before everything that this key signs or seals."""
        return "" if self.number == FIRST else f"{self.number}."

    def derived(self, use: str) -> str:
        """A key for one use, 64 hex digits. It reveals nothing about other derived keys or this one."""
        return hmac.digest(self.secret.encode(), f"dondoc.{use}".encode(), "sha256").hex()

    def seal(self, use: str, value: object) -> str:
        """JSON data, encrypted and authenticated (Fernet)."""
        return self.mark + self._cipher(use).encrypt(json.dumps(value).encode()).decode()

    def unseal(self, use: str, sealed: str) -> Any:
        """Raises SealBroken."""
        from cryptography.fernet import InvalidToken

        try:
            return json.loads(self._cipher(use).decrypt(sealed.removeprefix(self.mark).encode()))
        except (InvalidToken, ValueError) as error:
            raise SealBroken from error

    def _cipher(self, use: str) -> Fernet:
        from cryptography.fernet import Fernet  # where it is used: every command needs the purposes of links

        return Fernet(base64.urlsafe_b64encode(bytes.fromhex(self.derived(use))))


def numbered(value: str) -> tuple[int, str]:
    """The number of the key that signed or sealed a value, and the value without it."""
    number, dot, rest = value.partition(".")
    return (int(number), rest) if dot and number.isdecimal() and len(number) < 5 else (FIRST, value)


REFRESH_SECONDS = 60
"""How long a process signs with the key before, after another has begun a rotation."""


class _LinkKey:
    """A key with what signs links, worked out once."""

    def __init__(self, key: Key) -> None:
        self.key = key
        self.serializers = {
            purpose: URLSafeSerializer(key.secret, salt=f"dondoc.{purpose}", signer_kwargs=SIGNING)
            for purpose in Purpose
        }
        self.derived = {purpose: each.make_signer().derive_key() for purpose, each in self.serializers.items()}


class Signer:
    """Creates and verifies what the installation's keys sign and seal: the first signs, all that are valid open.
    ``keys``: the only one, or what loads the valid ones, the first first (``engine.accounts.key_ring``); they are
    loaded again each minute, and at once for a number that is not known. The same link gives the same token, so that a
    letter sent twice is identical."""

    def __init__(self, keys: str | Callable[[], Sequence[Key]]) -> None:
        self._load = keys if callable(keys) else lambda: (Key(FIRST, keys),)
        self._keys: Sequence[_LinkKey] = ()
        self._loaded_at = -math.inf

    @property
    def number(self) -> int:
        """Of the key that signs."""
        return self._valid()[0].key.number

    def _valid(self, number: int = 0) -> Sequence[_LinkKey]:
        now = monotonic()
        known = self._keys
        if now - self._loaded_at > REFRESH_SECONDS or (number and number > known[0].key.number):
            self._loaded_at = now
            try:
                found = self._load()
            except Unavailable:
                if not known:
                    raise
            else:
                if tuple(found) != tuple(each.key for each in known):
                    self._keys = [_LinkKey(each) for each in found]
        return self._keys

    def _numbered(self, number: int) -> _LinkKey | None:
        return next((each for each in self._valid(number) if each.key.number == number), None)

    def token(self, link: Link) -> str:
        """The same token as URLSafeSerializer's, without deriving the key again and trying compression each time: a
        letter has three tokens."""
        signing = self._valid()[0]
        subject = encode_basestring_ascii(link.subject)
        since = f",{link.since}" if link.since else ""
        body = f"[{link.contact_id},{subject},{link.made_on.toordinal()},{link.until.toordinal()}{since}]"
        payload = urlsafe_b64encode(body.encode()).rstrip(b"=")
        signature = urlsafe_b64encode(
            hmac.digest(signing.derived[link.purpose], payload, "sha256")[:_SIGNATURE_BYTES]
        ).rstrip(b"=")
        return signing.key.mark + (payload + b"." + signature).decode()

    def secret(self, use: str) -> str:
        """A key derived for another use (return addresses, callbacks, short codes)."""
        return self.secrets(use)[0]

    def secrets(self, use: str) -> tuple[str, ...]:
        """Those of all valid keys, for what is to be recognised."""
        return tuple(each.key.derived(use) for each in self._valid())

    def serializer(self, use: str) -> URLSafeSerializer:
        """For cookies and forms: signs by the newest key."""
        return URLSafeSerializer([*reversed(self.secrets(use))])

    def seal(self, use: str, value: object) -> str:
        """JSON data that is read back, but only here, encrypted by a key for this use. What only has to be recognised
        (passwords, tokens) is stored as a digest instead (``secret_keys``, ``passwords``)."""
        return self._valid()[0].key.seal(use, value)

    def unseal(self, use: str, sealed: str) -> Any:
        """Raises SealBroken."""
        by = self._numbered(numbered(sealed)[0])
        if by is None:
            raise SealBroken
        return by.key.unseal(use, sealed)

    def read(self, purpose: Purpose, token: str, today: date) -> Link:
        """Verify a token. Raises LinkRefused if it is forged, for another purpose, or expired."""
        link = self.verify(purpose, token)
        if today > link.until:
            raise link.expired
        return link

    def verify(self, purpose: Purpose, token: str) -> Link:
        """The link of a token, whatever its last day. Raises LinkRefused if it is forged or for another purpose."""
        try:
            number, signed = numbered(token)
            by = self._numbered(number)
            if by is None:
                raise LinkRefused
            parts = by.serializers[purpose].loads(signed)
            contact_id, subject, made, until, since = parts if len(parts) == 5 else (*parts, 0)
            return Link(
                purpose=purpose,
                contact_id=int(contact_id),
                subject=str(subject),
                made_on=date.fromordinal(made),
                until=date.fromordinal(until),
                since=int(since),
            )
        except (BadSignature, ValueError, TypeError, OverflowError):
            raise LinkRefused from None
