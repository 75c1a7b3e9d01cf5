"""Signed links in letters: for one purpose, expiring and revocable. Pure, apart from the key.

A token states the contact, the subject and the last valid day. Whether the contact still acts for the agency, whether
the link has been revoked since, and whether its letter is still the newest, is checked when it is used
(``engine.queries.work.letter_links``). A GET request never changes anything.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from json.encoder import encode_basestring_ascii

from itsdangerous import BadSignature, HMACAlgorithm, URLSafeSerializer

from engine.errors import LinkRefused
from engine.rules.calendar import day_digits, local_date
from engine.text import Text

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


class Signer:
    """Creates and verifies tokens with one key. The same link always gives the same token, so that a letter sent twice
    is identical."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()
        self._serializers = {
            purpose: URLSafeSerializer(key, salt=f"dondoc.{purpose}", signer_kwargs=SIGNING) for purpose in Purpose
        }
        self._keys = {purpose: each.make_signer().derive_key() for purpose, each in self._serializers.items()}

    def token(self, link: Link) -> str:
        """The same token as URLSafeSerializer's, without deriving the key again and trying compression each time: a
        letter has three tokens."""
        subject = encode_basestring_ascii(link.subject)
        since = f",{link.since}" if link.since else ""
        body = f"[{link.contact_id},{subject},{link.made_on.toordinal()},{link.until.toordinal()}{since}]"
        payload = urlsafe_b64encode(body.encode()).rstrip(b"=")
        signature = urlsafe_b64encode(
            hmac.digest(self._keys[link.purpose], payload, "sha256")[:_SIGNATURE_BYTES]
        ).rstrip(b"=")
        return (payload + b"." + signature).decode()

    def secret(self, use: str) -> str:
        """A key derived for another use (return addresses, callbacks, short codes), 64 hex digits. It reveals nothing
        about other derived keys or the master key."""
        return hmac.digest(self._key, f"dondoc.{use}".encode(), "sha256").hex()

    def read(self, purpose: Purpose, token: str, today: date) -> Link:
        """Verify a token. Raises LinkRefused if it is forged, for another purpose, or expired."""
        link = self.verify(purpose, token)
        if today > link.until:
            raise link.expired
        return link

    def verify(self, purpose: Purpose, token: str) -> Link:
        """The link of a token, whatever its last day. Raises LinkRefused if it is forged or for another purpose."""
        try:
            parts = self._serializers[purpose].loads(token)
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
