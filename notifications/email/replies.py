"""What a relay answers, in its order, on a connection that aiosmtplib has opened and logged in.

aiosmtplib drops a reply that comes while none is awaited, so several commands in one write (RFC 2920) cannot be read
through it. From the first letter on, this protocol takes the place of its own on the transport.
"""

from __future__ import annotations

import asyncio
import re

from aiosmtplib import SMTPServerDisconnected

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
