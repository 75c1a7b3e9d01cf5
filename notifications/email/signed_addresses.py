"""Our own mailboxes with a letter's key in them: the return address of each letter (VERP) and its reply address.

Pure. All of one kind reach one mailbox by subaddressing (RFC 5233; Postfix ``recipient_delimiter = +``) or a catch-all.
The signature proves that whoever writes there had the letter, or is the relay that could not deliver it.

What a relay answers, in its order, on a connection that aiosmtplib has opened and logged in.

aiosmtplib drops a reply that comes while none is awaited, so several commands in one write (RFC 2920) cannot be read
through it. From the first letter on, this protocol takes the place of its own on the transport.
"""

from __future__ import annotations

import asyncio
import hmac
import re
from base64 import b32encode

from aiosmtplib import SMTPServerDisconnected

BOUNCE, REPLY = "bounce+", "reply+"
RETURN_ADDRESSES, REPLY_ADDRESSES = "return-addresses", "reply-addresses"
"""The uses of the keys that sign them (``engine.accounts.signed_links.Signer.secret``)."""
_SIGNATURE_CHARS = 8  # base32, i.e. 40 bits: it can be guessed only by sending mail
_MAX_LOCAL_OCTETS = 64  # RFC 5321 §4.5.3.1.1
_PLAIN = re.compile(r"[a-z0-9.-]")
_ESCAPE = re.compile(r"=([0-9a-f]{2})")
_LOCAL = re.compile(rf"(?P<mark>[a-z2-7]{{{_SIGNATURE_CHARS}}})(?P<key>(?:[a-z0-9._-]|=[0-9a-f]{{2}})+)@.+")


def signed_address(prefix: str, key: str, secret: str, domain: str) -> str:
    """The address of one letter, or "" if the key is too long for a local part of 64 octets. All in lower case, since
    relays may change the case; ``:`` is encoded as ``_``, other special characters as ``=hh``."""
    written = "".join(_encoded(character) for character in key)
    local = prefix + _signature(written, secret) + written
    return f"{local}@{domain}" if len(local) <= _MAX_LOCAL_OCTETS and key and ".." not in key and key[-1] != "." else ""


def signed_key(prefix: str, address: str, secret: str) -> str | None:
    """The letter's key encoded in the address, or None if the signature is not valid."""
    plain = address.strip().strip("<>").lower()
    found = _LOCAL.fullmatch(plain.removeprefix(prefix)) if plain.startswith(prefix) else None
    if found is None or not hmac.compare_digest(found["mark"], _signature(found["key"], secret)):
        return None
    raw = _ESCAPE.sub(lambda code: chr(int(code[1], 16)), found["key"].replace("_", ":"))
    try:
        return raw.encode("latin-1").decode()
    except UnicodeDecodeError:
        return None


def _encoded(character: str) -> str:
    if _PLAIN.fullmatch(character):
        return character
    return "_" if character == ":" else "".join(f"={octet:02x}" for octet in character.encode())


def _signature(written: str, secret: str) -> str:
    return b32encode(hmac.digest(secret.encode(), written.encode(), "sha256"))[:_SIGNATURE_CHARS].decode().lower()


Reply = tuple[int, str]
"""Code, −1 for a line that is not SMTP; and text, without the codes."""
MAX_REPLY_BYTES = 32_768
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")


class Replies(asyncio.Protocol):
    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._arrived: asyncio.Queue[Reply | None] = asyncio.Queue()  # None: the connection is lost
        self._buffer, self._lines = b"", list[str]()
        self._written = asyncio.Event()
        self._written.set()
        transport.set_write_buffer_limits(1, 0)  # «writable» means that everything has left; TLS is never at 0, 0
        transport.set_protocol(self)

    @property
    def unasked(self) -> bool:
        """True if something has come that no command asked for, as the farewell of a relay that was kept waiting."""
        return not self._arrived.empty()

    def send(self, *commands: bytes) -> None:
        """Write the commands at once; each has one reply."""
        for each in commands:
            if _CONTROL.search(each):
                raise ValueError("A command contains a control character")
        self.write(b"".join(each + b"\r\n" for each in commands))

    def write(self, content: bytes) -> None:
        if self._transport.is_closing():
            raise SMTPServerDisconnected("Connection lost")
        self._transport.write(content)

    async def drain(self) -> None:
        """Return when everything has left this process. Raises SMTPServerDisconnected."""
        await self._written.wait()
        if self._transport.is_closing():
            raise SMTPServerDisconnected("Connection lost")

    async def read(self) -> Reply:
        """The next reply. Raises SMTPServerDisconnected."""
        reply = await self._arrived.get()
        if reply is None:
            self._arrived.put_nowait(None)
            raise SMTPServerDisconnected("Connection lost")
        return reply

    # --- called by the transport

    def data_received(self, data: bytes) -> None:
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            self._lines.append(line[4:].strip(b" \t\r").decode("utf-8", "replace"))
            if line[3:4] != b"-":
                code = int(line[:3]) if re.match(rb"\d{3}", line) else -1
                self._arrived.put_nowait((code, "\n".join(self._lines)))
                self._lines = []
        if len(self._buffer) + sum(map(len, self._lines)) > MAX_REPLY_BYTES:
            self._transport.abort()

    def pause_writing(self) -> None:
        self._written.clear()

    def resume_writing(self) -> None:
        self._written.set()

    def connection_lost(self, error: Exception | None) -> None:
        self._arrived.put_nowait(None)
        self._written.set()
