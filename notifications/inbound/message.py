"""Parse an incoming e-mail: sender, the letters it replies to, whether it is automatic, its text and files.

Pure, and never raises: malformed messages are parsed as far as possible. What the writer's own text asks is read by
``requests``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime
from urllib.parse import unquote

from engine.rules.calendar import local_date
from notifications.email.bounces import (
    Bounce,
    header_value,
    header_values,
    is_auto_reply,
    parse,
    reports_no_failure,
    sent_to,
)
from notifications.inbound.own_words import OwnWords, own_words, text_of_html

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
