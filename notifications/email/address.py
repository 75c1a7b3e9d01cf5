"""Mailboxes and header words: what may stand in a header line or on an SMTP command line, and how it is written.

Pure. Everything that a person or a file may have typed passes through here before it goes on a wire, so a line
break in a name can never become a header or a command of its own.
"""

from __future__ import annotations

import re
from binascii import b2a_base64
from dataclasses import dataclass
from functools import cached_property, lru_cache

from engine.errors import BadInput
from engine.text import Text

LINE = 76
"""RFC 2047 §2: a line that holds an encoded word has at most 76 characters, the word itself at most 75."""
_OVERHEAD = len("=?utf-8?B??=")
# RFC 5321 §4.1.2 dot-string, with the letters beyond ASCII that RFC 6531 adds. Quoted local parts are refused: nobody
# has one, and they are how commands get smuggled.
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
    def wide(self) -> bool:
        """Whether the local part has letters beyond ASCII, which only a relay with SMTPUTF8 carries (RFC 6531)."""
        return not self.mailbox.isascii()

    @cached_property
    def written(self) -> str:
        """As it stands after ``To: `` or ``From: ``, folded: the name (if any) and the mailbox in angle brackets."""
        if not self.name:
            return self.mailbox
        if _ATOMS.fullmatch(self.name) and "=?" not in self.name:
            phrase = self.name
        elif self.name.isascii() and "=?" not in self.name:
            phrase = '"' + self.name.replace("\\", "\\\\").replace('"', '\\"') + '"'
        else:
            phrase = "\r\n ".join(encoded_words(self.name, LINE - len("From: ")))
        last = len(phrase.rpartition("\n")[2]) + len("From: ")
        return f"{phrase}{' ' if last + len(self.mailbox) + 3 <= LINE else chr(13) + chr(10) + ' '}<{self.mailbox}>"


def _refused(vi: str, en: str) -> BadInput:
    # The address itself stays out of the sentence: it is personal data, and this sentence is kept and exported.
    return BadInput(
        Text(f"Địa chỉ thư điện tử {vi}; hãy sửa trong danh bạ.", f"The mailbox {en}; mend it in the directory.")
    )


@lru_cache(maxsize=4096)
def read_address(written: str) -> Address:
    """The address in ``a@b.example`` or ``Name <a@b.example>``. Raises BadInput for anything else: several
    mailboxes, control characters, a quoted local part, or more than 64 + 255 octets (RFC 5321 §4.5.3.1)."""
    if not written.isprintable():
        raise _refused("có ký tự điều khiển hoặc xuống dòng", "has a control character or a line break")
    name, bracket, rest = written.strip().rpartition("<")
    if bracket and not rest.endswith(">"):
        raise _refused("thiếu dấu >", "lacks its closing >")
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


def encoded_words(text: str, first: int = LINE) -> list[str]:
    """``text`` as RFC 2047 words, no character cut in two. ``first`` is the room left on the first line; the rest
    stand on lines of their own after one space."""
    raw = text.encode("utf-8", "replace")
    words, start, room = [], 0, first
    while start < len(raw):
        stop = start + max((min(room, LINE - 1) - _OVERHEAD) // 4 * 3, 6)
        while stop < len(raw) and raw[stop] & 0xC0 == 0x80:
            stop -= 1
        words.append(f"=?utf-8?B?{b2a_base64(raw[start:stop], newline=False).decode('ascii')}?=")
        start, room = stop, LINE - 1
    return words


def header(name: str, text: str) -> str:
    """An unstructured header line, folded. Line breaks and other control characters become one space each run."""
    if not text.isprintable():
        text = text.translate(_CONTROLS)
    text = " ".join(text.split())
    line = f"{name}: {text}"
    if len(line) <= LINE and text.isascii() and "=?" not in text:
        return line
    return f"{name}: " + "\r\n ".join(encoded_words(text, LINE - len(name) - 2))
