"""Parse an incoming e-mail: sender, the letters it replies to, whether it is automatic, its text and files.

Pure, and never raises: malformed messages are parsed as far as possible. What the writer's own text asks is read by
``requests``.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses
from urllib.parse import unquote

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


def read_mail(raw: bytes) -> Mail:
    message = message_from_bytes(raw.replace(b"\0", b""))
    senders = {address.lower() for _, address in getaddresses(header_values(message, "From")) if "@" in address}
    own = header_value(message, "Message-ID")
    text = _text(message)[:MAX_TEXT_CHARS]
    return Mail(
        id=own[:255] if own else f"sha256:{hashlib.sha256(raw).hexdigest()}",
        sender=senders.pop() if len(senders) == 1 else "",
        text=text,
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
    )


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
    """The plain text body, else the text of the HTML body. Attachments are ignored."""
    bodies: dict[str, str] = {}
    for part in message.walk():
        kind = part.get_content_type()
        if kind in ("text/plain", "text/html") and kind not in bodies and not part.get_filename():
            bodies[kind] = _decoded(part)
    if bodies.get("text/plain", "").strip():
        return bodies["text/plain"].replace("\r\n", "\n")
    return text_of_html(bodies.get("text/html", ""))


def _files(message: Message) -> tuple[AttachedFile, ...]:
    """The attached files. A small picture that the text shows, as in a signature, is none."""
    found: dict[str, AttachedFile] = {}
    for part in message.walk():
        name = _short(" ".join(str(_file_name(part)).split()))
        body = None if LEFT_OUT in part or part.is_multipart() else part.get_payload(decode=True)
        raw = body if isinstance(body, bytes) else None
        in_text = part.get_content_maintype() == "image" and "Content-ID" in part
        if not name or (in_text and raw is not None and len(raw) < MAX_LOGO_BYTES):
            continue
        while name in found:
            name = f"2-{name}"
        found[name] = AttachedFile(name=name, body=raw if len(found) < MAX_FILES else None)
    return tuple(found.values())[: 3 * MAX_FILES]


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
    payload = part.get_payload(decode=True)
    raw = payload if isinstance(payload, bytes) else b""
    try:
        return raw.decode(part.get_content_charset("utf-8"), "replace")
    except (LookupError, ValueError):
        return raw.decode("utf-8", "replace")
