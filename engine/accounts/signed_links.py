"""Links in letters: signed, for one purpose, expiring, revocable. Pure but for the key.

A token says who was written to, about what, and until which day. Whether that person still answers for the agency,
and whether the link was revoked since, is looked up when it is used. GET never changes anything.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from json.encoder import encode_basestring_ascii

from itsdangerous import BadSignature, URLSafeSerializer

from engine.errors import LinkRefused
from engine.rules.calendar import local_date
from engine.text import Text


class Purpose(StrEnum):
    """What a link is for; a token made for one purpose is no key to another."""

    ACKNOWLEDGE = "acknowledge"
    REPORT = "report"
    UNSUBSCRIBE = "unsubscribe"
    CALENDAR = "calendar"


@dataclass(frozen=True, slots=True)
class Link:
    """``subject`` is what it is about: a letter's id, or ``<plan id>:<period>``. ``since`` names the contact's
    revocation that it was made after (``revocation``); 0: none yet."""

    purpose: Purpose
    contact_id: int
    subject: str
    made_on: date
    until: date
    since: int = 0

    def revoked(self, links_since: datetime | None) -> bool:
        """Whether it was made before its contact's links were last revoked (``links_since``). One that names another
        revocation was; one that names none is told by its day."""
        if links_since is None:
            return False
        return self.since != revocation(links_since) if self.since else local_date(links_since) >= self.made_on


def revocation(links_since: datetime | None) -> int:
    """What links made from then on name: the instant in whole seconds, so that the day's later ones work."""
    return int(links_since.timestamp()) if links_since else 0


class Signer:
    """Makes and reads tokens with one key. A token is the same each time it is made from the same link, so a letter
    sent twice is the same letter."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()
        self._serializers = {purpose: URLSafeSerializer(key, salt=f"dondoc.{purpose}") for purpose in Purpose}
        self._keys = {purpose: each.make_signer().derive_key() for purpose, each in self._serializers.items()}

    def token(self, link: Link) -> str:
        """What URLSafeSerializer makes, without its deriving the key again and trying to compress for each token:
        a letter has three of them."""
        subject = encode_basestring_ascii(link.subject)
        since = f",{link.since}" if link.since else ""
        said = f"[{link.contact_id},{subject},{link.made_on.toordinal()},{link.until.toordinal()}{since}]"
        payload = urlsafe_b64encode(said.encode()).rstrip(b"=")
        seal = urlsafe_b64encode(hmac.digest(self._keys[link.purpose], payload, "sha1")).rstrip(b"=")
        return (payload + b"." + seal).decode()

    def secret(self, use: str) -> str:
        """A key of its own for another use (return addresses, callbacks, short codes), 64 hex digits. None of them
        tells anything about another, or about the key itself."""
        return hmac.digest(self._key, f"dondoc.{use}".encode(), "sha256").hex()

    def read(self, purpose: Purpose, token: str, today: date) -> Link:
        """The link of a token. Raises LinkRefused when it was not made by us, for this purpose, or is over."""
        try:
            contact_id, subject, made, until, *since = self._serializers[purpose].loads(token)
            days = date.fromordinal(made), date.fromordinal(until)
            link = Link(purpose, int(contact_id), str(subject), *days, *map(int, since))
        except (BadSignature, ValueError, TypeError, OverflowError):
            raise LinkRefused from None
        if today > link.until:
            raise LinkRefused(
                Text(
                    f"Liên kết này đã hết hạn ngày {link.until:%d/%m/%Y}; hãy mở thư mới nhất.",
                    f"This link expired on {link.until:%d/%m/%Y}; open the newest letter.",
                )
            )
        return link
