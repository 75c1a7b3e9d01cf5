"""What proves an incoming e-mail: the reply address that it was sent to, or a signed link in the letter that it
quotes; and Authentication-Results (RFC 8601): whether our own relay found that it comes from its From domain.

Pure. Anything malformed counts as not authenticated, and so does a result of another server: only the relay that the
operator names is believed, since the sender can write such headers too.

Both are known only to who had the letter. The Message-ID that an answer names identifies a letter and proves nothing:
mail programs hand it on with every forwarded copy. Where the operator names the relay that authenticates senders, a
message that did not pass there is not acted upon, whatever it quotes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session

from engine.accounts.signed_links import Link, Purpose, Signer
from engine.errors import LinkRefused
from engine.queries.work.letter_links import open_link
from engine.rules.calendar import local_date
from engine.store.database import table
from engine.store.recipients import WHOLE
from engine.store.records import Contact, Letter
from engine.store.stored_rows import object_of, objects
from notifications.email.signed_addresses import BOUNCE, REPLY, REPLY_ADDRESSES, RETURN_ADDRESSES, signed_key
from notifications.inbound.message import Mail
from notifications.receipts.rerouting import TriedLetter, select_letters

_QUOTED = re.compile(r'"(?:\\.|[^"\\])*"')
_COMMENT = re.compile(r"\([^()]*\)")
_RESULT = re.compile(r"(?P<method>[a-z0-9-]+)(?:/\d+)?=(?P<result>[a-z]+)(?P<properties>(?:\s.*)?)")
_PROPERTY = re.compile(r"(?<!\S)([a-z]+\.[a-z0-9-]+)=(\S+)")


def is_authenticated(results: str, authserv_id: str, sender: str) -> bool:
    """Whether the topmost header ``results`` is of the server ``authserv_id`` and says that the domain of ``sender``
    passes DMARC, or, where it says nothing of DMARC, SPF or DKIM aligned with that domain."""
    domain = sender.rpartition("@")[2].lower()
    plain = _without_comments(_QUOTED.sub('""', results.lower()))
    if not domain or plain is None:
        return False
    server, *found = (" ".join(each.split()) for each in plain.split(";"))
    if server.partition(" ")[0] != authserv_id.lower():
        return False
    checks = [(each["method"], each["result"], dict(_PROPERTY.findall(each["properties"]))) for each in _results(found)]
    dmarc = [(result, properties) for method, result, properties in checks if method == "dmarc"]
    if dmarc and dmarc[0][0] != "none":
        return all(result == "pass" and properties.get("header.from") == domain for result, properties in dmarc)
    return any(
        result == "pass" and _is_aligned(_identity(method, properties), domain) for method, result, properties in checks
    )


def _without_comments(text: str) -> str | None:
    """None if quotes or parentheses are not balanced: what they hide cannot be told."""
    while (shorter := _COMMENT.sub(" ", text)) != text:
        text = shorter
    return None if any(mark in text.replace('""', "") for mark in '"()') else text


def _results(parts: list[str]) -> list[re.Match[str]]:
    return [found for each in parts if (found := _RESULT.fullmatch(each))]


def _identity(method: str, properties: dict[str, str]) -> str:
    if method == "spf":
        return properties.get("smtp.mailfrom", "")
    return properties.get("header.d", "") or properties.get("header.i", "") if method == "dkim" else ""


def _is_aligned(identity: str, domain: str) -> bool:
    """Whether the identity's domain is the sender's or one above it of at least two labels."""
    proven = identity.rpartition("@")[2]
    return "." in proven and (domain == proven or domain.endswith(f".{proven}"))


@dataclass(frozen=True)
class MailProof:
    """``authserv_id``: the server whose Authentication-Results are believed; empty: senders are not authenticated."""

    signer: Signer
    authserv_id: str = ""

    def authenticates(self, mail: Mail) -> bool:
        return not self.authserv_id or is_authenticated(mail.authentication, self.authserv_id, mail.sender)

    def returned_key(self, mail: Mail) -> str:
        """The key of the letter whose return address the message was sent to; "" if there is none."""
        return _first_key(BOUNCE, mail.sent_to, self.signer.secrets(RETURN_ADDRESSES))

    def returned(self, session: Session, mail: Mail) -> TriedLetter | None:
        """The letter with that key."""
        return next(iter(_keyed(session, self.returned_key(mail))), None)

    def letter(self, session: Session, mail: Mail, named: TriedLetter | None, now: datetime) -> TriedLetter | None:
        """The letter that the writer has proven to have had; None if they have proven nothing. ``named``: the
        letter of the Message-ID, which decides where a conversation quotes more than one."""
        proven = _keyed(session, _first_key(REPLY, mail.sent_to, self.signer.secrets(REPLY_ADDRESSES)))
        proven += _linked(session, list(self._links(session, mail.tokens, local_date(now))))
        same = (each for each in proven if named is not None and each.id == named.id)
        return next(same, proven[0] if proven else None)

    def _links(self, session: Session, tokens: Sequence[str], today: date) -> Iterator[Link]:
        for token in tokens:
            for purpose in (Purpose.ACKNOWLEDGE, Purpose.REPORT):
                try:
                    yield open_link(session, self.signer, purpose, token, today)
                except LinkRefused:
                    continue


def _first_key(prefix: str, addresses: Sequence[str], secrets: Sequence[str]) -> str:
    return next((key for each in addresses for one in secrets if (key := signed_key(prefix, each, one))), "")


def _keyed(session: Session, key: str) -> list[TriedLetter]:
    if not key:
        return []
    query = select_letters().where(table(Letter).c.key == key)
    return objects(TriedLetter, session.connection().execute(query))


def _linked(session: Session, links: Sequence[Link]) -> list[TriedLetter]:
    """The letters that carried these links, in their order: those by e-mail to the link's contact on the link's day."""
    m, c = table(Letter), table(Contact)
    found: list[TriedLetter] = []
    for link in links:
        query = select_letters().add_columns(c.c.links_since).join(c, c.c.id == m.c.contact_id)
        query = query.where(m.c.contact_id == link.contact_id, m.c.channel.in_(WHOLE), m.c.day == link.made_on)
        if link.purpose is Purpose.ACKNOWLEDGE:
            query = query.where(m.c.id == int(link.subject))
        rows = session.connection().execute(query.order_by(m.c.id.desc()))
        found += [object_of(TriedLetter, row) for row in rows if not link.revoked(row.links_since)]
    return found
