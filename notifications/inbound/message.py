"""Parse an incoming e-mail: sender, the letters it replies to, whether it is automatic, its text and files.

Pure, and never raises: malformed messages are parsed as far as possible. What the writer's own text asks is read by
``requests``.

What proves an incoming e-mail: the reply address that it was sent to, or a signed link in the letter that it
quotes; and Authentication-Results (RFC 8601): whether our own relay found that it comes from its From domain.

Pure. Anything malformed counts as not authenticated, and so does a result of another server: only the relay that the
operator names is believed, since the sender can write such headers too.

Both are known only to who had the letter. The Message-ID that an answer names identifies a letter and proves nothing:
mail programs hand it on with every forwarded copy. Where the operator names the relay that authenticates senders, a
message that did not pass there is not acted upon, whatever it quotes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime
from urllib.parse import unquote

from sqlmodel import Session

from engine.accounts.signed_links import Link, Purpose, Signer
from engine.errors import LinkRefused
from engine.queries.work.letter_links import open_link
from engine.rules.calendar import local_date
from engine.store.database import table
from engine.store.recipients import WHOLE
from engine.store.records import Contact, Letter
from engine.store.stored_rows import object_of, objects
from notifications.email.bounces import (
    Bounce,
    header_value,
    header_values,
    is_auto_reply,
    parse,
    reports_no_failure,
    sent_to,
)
from notifications.email.signed_addresses import BOUNCE, REPLY, REPLY_ADDRESSES, RETURN_ADDRESSES, signed_key
from notifications.inbound.own_words import OwnWords, own_words, text_of_html
from notifications.receipts.rerouting import TriedLetter, select_letters

MAX_TEXT_CHARS = 20_000
"""Characters of a message that are processed and kept."""
MAX_UNDERWAY = timedelta(days=14)
MAX_TOKENS = 40
MAX_FILES, MAX_FILE_NAME_CHARS, MAX_SUBJECT_CHARS = 10, 80, 300
MAX_LOGO_BYTES = 50_000
LEFT_OUT = "X-Dondoc-Left-Out"
"""Header of a part whose content was not fetched, since it is too large."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachedFile:
    """``body``: None if it was not fetched, or is a mail of its own."""

    name: str
    body: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """``id``: its Message-ID, else a hash of its bytes. ``sender``: one mailbox in lower case, "" if there is none or
    more than one. ``names``: the Message-IDs that it replies to, the nearest first. ``harmless``: an absence notice or
    a report of success. ``sent_to``: the addresses that it was sent to. ``tokens``: what looks like a signed link of
    ours, anywhere in it. ``authentication``: its topmost Authentication-Results. ``text``: as it came, with what it
    quotes; ``own``: the writer's own words."""

    id: str
    sender: str
    text: str
    own: OwnWords
    subject: str = ""
    names: tuple[str, ...] = ()
    automatic: bool = False
    harmless: bool = False
    bounce: Bounce | None = None
    sent_to: tuple[str, ...] = ()
    tokens: tuple[str, ...] = ()
    authentication: str = ""
    files: tuple[AttachedFile, ...] = ()
    sent_at: datetime | None = None

    def written_on(self, now: datetime) -> date:
        """The day on which it was written: that of its head, unless that is ahead or long past."""
        believed = self.sent_at is not None and timedelta() <= now - self.sent_at <= MAX_UNDERWAY
        return local_date(self.sent_at if believed and self.sent_at else now)


def read_mail(raw: bytes) -> Mail:
    message = message_from_bytes(raw.replace(b"\0", b""))
    senders = {address.lower() for _, address in getaddresses(header_values(message, "From")) if "@" in address}
    own = header_value(message, "Message-ID")
    text = _text(message)[:MAX_TEXT_CHARS]
    return Mail(
        id=own[:255] if own else f"sha256:{hashlib.sha256(raw).hexdigest()}",
        sender=senders.pop() if len(senders) == 1 else "",
        text="\n\n".join((text, *map(_text, _attached_mails(message))))[:MAX_TEXT_CHARS],
        own=own_words(text),
        subject=header_value(message, "Subject")[:MAX_SUBJECT_CHARS],
        names=_names(message),
        automatic=is_auto_reply(message),
        harmless=reports_no_failure(message),
        bounce=parse(raw),
        sent_to=sent_to(message),
        tokens=_tokens(message),
        authentication=header_value(message, "Authentication-Results"),
        files=_files(message),
        sent_at=_sent_at(message),
    )


def _sent_at(message: Message) -> datetime | None:
    try:
        at = parsedate_to_datetime(header_value(message, "Date"))
    except (TypeError, ValueError, OverflowError):
        return None
    return at if at.tzinfo is not None else None


_ID = re.compile(r"<[^<>\s]+@[^<>\s]+>")


def _names(message: Message) -> tuple[str, ...]:
    answered = _ID.findall(header_value(message, "In-Reply-To"))
    thread = _ID.findall(header_value(message, "References"))
    return tuple(dict.fromkeys([*answered, *reversed(thread)]))[:20]


def without_tokens(text: str) -> str:
    """A text whose signed links open nothing: they are their recipient's own keys."""
    return _TOKEN.sub("…", text)


_TOKEN = re.compile(r"(?:[0-9]{1,4}\.)?Wz[A-Za-z0-9_-]{20,200}\.[A-Za-z0-9_-]{27}(?![A-Za-z0-9_-])")


def _tokens(message: Message) -> tuple[str, ...]:
    """Signed links anywhere in the text or HTML, also where a mail filter has wrapped them in links of its own."""
    texts = [_decoded(part) for part in message.walk() if part.get_content_type() in ("text/plain", "text/html")]
    found = [token for text in texts for token in (*_TOKEN.findall(text), *_TOKEN.findall(unquote(text)))]
    return tuple(dict.fromkeys(found))[:MAX_TOKENS]


def _text(message: Message) -> str:
    """The plain text body, else the text of the HTML body. Attachments are ignored, an attached mail too."""
    bodies: dict[str, str] = {}
    for part in _parts(message):
        kind = part.get_content_type()
        if kind in ("text/plain", "text/html") and kind not in bodies and not part.get_filename():
            bodies[kind] = _decoded(part)
    if bodies.get("text/plain", "").strip():
        return bodies["text/plain"].replace("\r\n", "\n")
    return text_of_html(bodies.get("text/html", ""))


def _parts(message: Message) -> Iterator[Message]:
    """The parts of a mail; an attached mail is one."""
    yield message
    parts = message.get_payload()
    if message.get_content_maintype() != "message" and isinstance(parts, list):
        for part in parts:
            if isinstance(part, Message):
                yield from _parts(part)


def _attached_mails(message: Message) -> list[Message]:
    return [mail for each in [*_parts(message)][1:] if (mail := _attached_mail(each)) is not None]


def _attached_mail(part: Message) -> Message | None:
    """The mail that is attached, or comes as a file «.eml»."""
    inner = part.get_payload()
    if part.get_content_type() == "message/rfc822":
        return inner[0] if isinstance(inner, list) and inner and isinstance(inner[0], Message) else None
    body = part.get_payload(decode=True) if str(_file_name(part)).lower().endswith(".eml") else None
    return message_from_bytes(body) if isinstance(body, bytes) else None


def _files(message: Message) -> tuple[AttachedFile, ...]:
    """The attached files; an attached mail is opened once, for the files in it."""
    found: dict[str, AttachedFile] = {}
    own = [each for each in _parts(message) if each is message or _attached_mail(each) is None]
    for part in [*own, *(each for mail in _attached_mails(message) for each in _parts(mail))]:
        name, raw = _short(" ".join(str(_file_name(part)).split())), _body_of(part)
        if not name or _is_in_text(part, raw):
            continue
        while name in found:
            name = f"2-{name}"
        found[name] = AttachedFile(name=name, body=raw if len(found) < MAX_FILES else None)
    return tuple(found.values())[: 3 * MAX_FILES]


def _body_of(part: Message) -> bytes | None:
    body = None if LEFT_OUT in part or part.is_multipart() else part.get_payload(decode=True)
    return body if isinstance(body, bytes) else None


def _is_in_text(part: Message, body: bytes | None) -> bool:
    """A small picture that the text shows, as in a signature, is no file."""
    shown = part.get_content_maintype() == "image" and "Content-ID" in part
    return shown and body is not None and len(body) < MAX_LOGO_BYTES


def _short(name: str) -> str:
    if len(name) <= MAX_FILE_NAME_CHARS:
        return name
    stem, dot, end = name.rpartition(".")
    return f"{stem[:MAX_FILE_NAME_CHARS]}….{end[:5]}" if dot else f"{name[:MAX_FILE_NAME_CHARS]}…"


_RAW_NAME = re.compile(r'filename="?([^";]+)')


def _file_name(part: Message) -> str:
    """The name of an attached file; without one, as a forwarded mail, its type. Empty for text."""
    try:
        name = part.get_filename("")
        if name and "\ufffd" in str(name):  # not encoded, though it should be
            found = _RAW_NAME.search(header_value(part, "Content-Disposition"))
            return found[1].strip() if found else str(name)
        if name:
            return str(make_header(decode_header(name)))
    except (HeaderParseError, LookupError, ValueError):
        return part.get_content_type()
    return part.get_content_type() if part.get_content_disposition() == "attachment" else ""


def _decoded(part: Message) -> str:
    """What says that it is ASCII and is not was typed in an old font, or says the wrong thing: its bytes are kept."""
    payload = part.get_payload(decode=True)
    raw = payload if isinstance(payload, bytes) else b""
    charset = part.get_content_charset("utf-8")
    if charset == "us-ascii" and not raw.isascii():
        return _decoded_as(raw, "latin-1") if "\ufffd" in raw.decode("utf-8", "replace") else raw.decode("utf-8")
    return _decoded_as(raw, charset)


def _decoded_as(raw: bytes, charset: str) -> str:
    try:
        return raw.decode(charset, "replace")
    except (LookupError, ValueError):
        return raw.decode("utf-8", "replace")


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
