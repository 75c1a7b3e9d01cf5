"""Mailbox addresses and header values: validated and encoded for message headers and SMTP commands.

Pure. All user-supplied text passes through here before it is sent, so that a line break in a name cannot inject a
header or an SMTP command.
"""

from __future__ import annotations

import re
from binascii import b2a_base64
from dataclasses import dataclass
from functools import cached_property, lru_cache

from engine.errors import BadInput
from engine.text import Text

MAX_LINE_CHARS = 76
"""RFC 2047 §2: a line that holds an encoded word has at most 76 characters, the word itself at most 75."""
_OVERHEAD = len("=?utf-8?B??=")
# RFC 5321 §4.1.2 dot-string, with the non-ASCII letters that RFC 6531 adds. Quoted local parts are refused: they are
# practically unused, and a known way to inject SMTP commands.
_LOCAL = re.compile(r"[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*")
_DOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*", re.I)
_ATOMS = re.compile(r"[\w!#$%&'*+/=?^`{|}~ -]*", re.ASCII)
_CONTROLS = dict.fromkeys([*range(32), 127], " ")


@dataclass(frozen=True)
class Address:
    """One person's mailbox. ``mailbox`` is ``local@domain`` with the domain in ASCII (IDNA)."""

    mailbox: str
    name: str = ""

    @property
    def domain(self) -> str:
        return self.mailbox.rpartition("@")[2]

    @property
    def needs_smtputf8(self) -> bool:
        """True if the local part is not ASCII, which only a relay with SMTPUTF8 accepts (RFC 6531)."""
        return not self.mailbox.isascii()

    @cached_property
    def header_value(self) -> str:
        """The folded value of a To or From header: the name (if any) and the mailbox in angle brackets."""
        if not self.name:
            return self.mailbox
        if _ATOMS.fullmatch(self.name) and "=?" not in self.name:
            phrase = self.name
        elif self.name.isascii() and "=?" not in self.name:
            phrase = '"' + self.name.replace("\\", "\\\\").replace('"', '\\"') + '"'
        else:
            phrase = "\r\n ".join(encoded_words(self.name, MAX_LINE_CHARS - len("From: ")))
        last = len(phrase.rpartition("\n")[2]) + len("From: ")
        separator = " " if last + len(self.mailbox) + 3 <= MAX_LINE_CHARS else "\r\n "
        return f"{phrase}{separator}<{self.mailbox}>"


def _refused(vi: str, en: str) -> BadInput:
    # The message does not contain the address: it is personal data, and the message is stored and exported.
    return BadInput(
        Text(f"Địa chỉ thư điện tử {vi}; hãy sửa trong danh bạ.", f"The mailbox {en}; correct it in the directory.")
    )


@lru_cache(maxsize=4096)
def read_address(text: str) -> Address:
    """The address in ``a@b.example`` or ``Name <a@b.example>``. Raises BadInput for anything else: several
    mailboxes, control characters, a quoted local part, or more than 64 + 255 octets (RFC 5321 §4.5.3.1)."""
    if not text.isprintable():
        raise _refused("có ký tự điều khiển hoặc xuống dòng", "has a control character or a line break")
    name, bracket, rest = text.strip().rpartition("<")
    if bracket and not rest.endswith(">"):
        raise _refused("thiếu dấu >", "has no closing >")
    local, at, domain = (rest[:-1] if bracket else rest).rpartition("@")
    if not at:
        raise _refused("thiếu dấu @", "has no @")
    if not domain.isascii():
        domain = _ascii_domain(domain)
    if not _LOCAL.fullmatch(local) or not _DOMAIN.fullmatch(domain):
        raise _refused("có ký tự không được phép", "has characters that are not allowed")
    if len(local.encode()) > 64 or len(domain) > 255:
        raise _refused("quá dài", "is too long")
    name = name.strip()
    if len(name) > 1 and name[0] == name[-1] == '"':
        name = re.sub(r"\\(.)", r"\1", name[1:-1])
    return Address(f"{local}@{domain}", " ".join(name.split()))


def _ascii_domain(domain: str) -> str:
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise _refused("có tên miền không viết được", "has a domain that cannot be written in ASCII") from error


def encoded_words(text: str, first: int = MAX_LINE_CHARS) -> list[str]:
    """``text`` as RFC 2047 encoded words; no character is split. ``first`` is the number of characters left on the
    first line; each further word goes on a line of its own, after one space."""
    raw = text.encode("utf-8", "replace")
    words, start, room = [], 0, first
    while start < len(raw):
        stop = start + max((min(room, MAX_LINE_CHARS - 1) - _OVERHEAD) // 4 * 3, 6)
        while stop < len(raw) and raw[stop] & 0xC0 == 0x80:
            stop -= 1
        words.append(f"=?utf-8?B?{b2a_base64(raw[start:stop], newline=False).decode('ascii')}?=")
        start, room = stop, MAX_LINE_CHARS - 1
    return words


def header(name: str, text: str) -> str:
    """An unstructured header, folded. Each run of line breaks and other control characters becomes one space."""
    if not text.isprintable():
        text = text.translate(_CONTROLS)
    text = " ".join(text.split())
    line = f"{name}: {text}"
    if len(line) <= MAX_LINE_CHARS and text.isascii() and "=?" not in text:
        return line
    return f"{name}: " + "\r\n ".join(encoded_words(text, MAX_LINE_CHARS - len(name) - 2))
