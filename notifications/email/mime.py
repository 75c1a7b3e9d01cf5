"""A rendered letter as the bytes of an e-mail message (RFC 5322, 2045–2047, 8058).

Pure, and written by hand because the standard library's EmailMessage costs fifteen times as much per letter. Every
part is base64: its size is a third more whatever the language, where quoted-printable triples each Vietnamese
letter; no line is long, and none starts with a dot. The same letter gives the same bytes, Message-ID and boundary
included, so that a second copy is recognisable.
"""

from __future__ import annotations

import re
from binascii import b2a_base64
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from functools import cached_property, lru_cache
from hashlib import sha256

from engine.errors import BadInput
from engine.rules.calendar import PLAN_TIME
from engine.text import Text
from notifications.channel import Outgoing
from notifications.email.address import Address, header, read_address

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,60}")
_OURS = {"from", "sender", "to", "cc", "bcc", "subject", "date", "message-id", "mime-version", "received"}
_OURS |= {"return-path", "dkim-signature"}
_LONG = 900  # RFC 5322 §2.1.1 allows 998 octets in a line


@dataclass(frozen=True)
class Sender:
    """The From line: ``mailbox`` and display ``name``. Raises BadInput for an invalid mailbox or name."""

    mailbox: str
    name: str = ""

    def __post_init__(self) -> None:
        if self.address.wide or not self.name.isprintable():
            raise BadInput(
                Text(
                    "Hộp thư gửi chỉ được có ký tự ASCII, tên người gửi không được xuống dòng.",
                    "The sending mailbox must be ASCII and its name must stand on one line.",
                )
            )

    @cached_property
    def address(self) -> Address:
        return Address(read_address(self.mailbox).mailbox, " ".join(self.name.split()))


def digest(key: str) -> str:
    """Sixty-four hex digits that stand for a letter's key wherever the outside world may see them."""
    return sha256(key.encode()).hexdigest()


def compose(letter: Outgoing, sender: Sender) -> tuple[str, bytes]:
    """The Message-ID and the whole message, CRLF line ends, not dot-stuffed.

    Raises BadInput for what cannot be written safely: an address that is none, a header with a line break in it, a
    header that is ours to set, an instant without a time zone.
    """
    mark = letter.mark or digest(letter.key)
    message_id = f"<{mark[:32]}@{sender.address.domain}>"
    head = [
        "From: " + sender.address.written,
        "To: " + read_address(letter.to).written,
        header("Subject", letter.subject),
        "Date: " + _date(letter.at),
        "Message-ID: " + message_id,
        *_further(letter),
        "MIME-Version: 1.0",
    ]
    plain = _part("plain", letter.text)
    if letter.html:
        line = b"--" + mark[32:].encode("ascii")
        head.append(f"Content-Type: multipart/alternative; boundary={mark[32:]}\r\n\r\n")
        body = [line, plain, line, _part("html", letter.html), line + b"--\r\n"]
        content = "\r\n".join(head).encode() + b"\r\n".join(body)
    else:
        content = "\r\n".join(head).encode() + b"\r\n" + plain + b"\r\n"
    return message_id, content


def _part(kind: str, text: str) -> bytes:
    """One body with its headers. Text has CRLF line ends before it is encoded (RFC 2045 §6.8)."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    code = b2a_base64(text.replace("\n", "\r\n").encode("utf-8", "replace"), newline=False)
    lines = b"\r\n".join([code[i : i + 76] for i in range(0, len(code), 76)])
    return f"Content-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n".encode() + lines


@lru_cache(maxsize=64)
def _date(at: datetime) -> str:
    """Viet Nam's time, since the reader compares it with deadlines. A batch shares one instant, hence the cache."""
    if at.tzinfo is None:
        raise BadInput(Text.same("The instant of sending has no time zone; give it in UTC."))
    return format_datetime(at.astimezone(PLAN_TIME))


def _further(letter: Outgoing) -> Iterator[str]:
    """The lines that vary: language, RFC 3834's mark, the way out (RFC 8058), and what the letter brings itself."""
    if not letter.language.isascii() or not letter.language.replace("-", "").isalnum():
        raise BadInput(Text.same(f"“{letter.language!r}” is no language tag; write vi or en."))
    yield "Content-Language: " + letter.language
    if not any(name.lower() == "auto-submitted" for name in letter.headers):
        yield "Auto-Submitted: auto-generated"
    if letter.unsubscribe:
        yield _raw("List-Unsubscribe", f"<{letter.unsubscribe}>", spaces=False)
        if letter.unsubscribe.startswith("https://"):
            yield "List-Unsubscribe-Post: List-Unsubscribe=One-Click"
    for name, value in letter.headers.items():
        if not _NAME.fullmatch(name) or name.lower() in _OURS or name.lower().startswith(("content-", "list-unsub")):
            raise BadInput(Text.same(f"The header “{name!r}” is not for a letter to set; leave it out."))
        yield _raw(name, value)


def _raw(name: str, value: str, *, spaces: bool = True) -> str:
    """A header whose value may be structured (References, List-Unsubscribe): kept as it is while it is ASCII."""
    if not value.isprintable() or (not spaces and (" " in value or not value.isascii())):
        raise BadInput(Text.same(f"The header {name} has characters that it must not have; write it on one line."))
    if not value.isascii():
        return header(name, value)
    tokens = value.split()
    if max(map(len, tokens), default=0) > _LONG:
        raise BadInput(Text.same(f"The header {name} is longer than a line of mail may be; shorten it."))
    return f"{name}: " + (value.strip() if len(value) <= _LONG else "\r\n ".join(tokens))
