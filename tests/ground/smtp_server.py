"""An SMTP relay on loopback that can fail at any point of the session.

``async with FaultyServer({"rcpt": Kind.LATER}) as server`` listens on ``server.port``; accepted letters are in
``server.taken``. Points, in order: connect, banner, ehlo, starttls, auth, mail, rcpt, data (the command), text (after
354, while the letter is received), dot (the letter was received, but is not accepted), taken (it was accepted, but the
reply fails), rset, quit.
"""

from __future__ import annotations

import asyncio
import base64
import datetime
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


class Kind(StrEnum):
    LATER = "4xx"
    NEVER = "5xx"
    CLOSING = "421"
    DROP = "disconnect"
    SILENCE = "silence"
    GARBAGE = "garbage"


ANSWERS = {
    Kind.LATER: b"451 4.3.0 try again later\r\n",
    Kind.NEVER: b"550 5.1.1 no such user\r\n",
    Kind.CLOSING: b"421 4.3.2 closing\r\n",
    Kind.GARBAGE: b"\xff\x00 what?\r\n",
}


@dataclass(frozen=True)
class Taken:
    sender: str
    recipient: str
    content: bytes


@dataclass
class FaultyServer:
    """``faults``: the fault at a point: a Kind, a reply in bytes, or None. ``login``: the required user name and
    password. ``receive`` limits the socket's buffer, so that sending a long letter blocks."""

    faults: Mapping[str, Kind | bytes] | Callable[[str], Kind | bytes | None] = field(default_factory=dict)
    trust: ssl.SSLContext | None = None
    implicit: bool = False
    login: tuple[str, str] | None = None
    offers: tuple[str, ...] = ("8BITMIME", "SMTPUTF8")
    receive: int = 0
    taken: list[Taken] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    connections: int = 0
    writes: int = 0
    """How often something came in: of short commands, how often the client wrote."""
    open: set[Conversation] = field(default_factory=set)

    def fault(self, point: str) -> Kind | bytes | None:
        return self.faults(point) if callable(self.faults) else self.faults.get(point)

    async def __aenter__(self) -> Self:
        listening = socket.socket()
        if self.receive:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.receive)
        listening.bind(("127.0.0.1", 0))
        self.port: int = listening.getsockname()[1]
        loop = asyncio.get_running_loop()
        trust = self.trust if self.implicit else None
        self._server = await loop.create_server(lambda: Conversation(self), sock=listening, ssl=trust)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for conversation in list(self.open):
            conversation.transport.abort()
        await self._server.wait_closed()
        await asyncio.sleep(0.01)


class Conversation(asyncio.Protocol):
    def __init__(self, server: FaultyServer) -> None:
        self.server = server
        self.buffer, self.in_data, self.deaf, self.secure = b"", False, False, server.implicit
        self.sender = self.recipient = ""
        self.pending: list[str] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.server.open.add(self)
        self.server.connections += 1
        if self.server.fault("connect"):
            transport.abort()
        else:
            self.reply("banner", b"220 faulty.example ESMTP\r\n")

    def connection_lost(self, error: Exception | None) -> None:
        self.server.open.discard(self)

    def reply(self, point: str, answer: bytes) -> bool:
        """Send a reply; True if there is no fault at this point."""
        fault = self.server.fault(point)
        if fault is None:
            self.transport.write(answer)
        elif fault is Kind.DROP:
            self.transport.abort()
        elif fault is Kind.SILENCE:
            self.deaf = True
        else:
            self.transport.write(fault if not isinstance(fault, Kind) else ANSWERS[fault])
            if fault is Kind.CLOSING:
                self.transport.close()
        return fault is None

    def data_received(self, data: bytes) -> None:
        self.server.writes += bool(data)
        self.buffer += data
        while not self.deaf and not self.transport.is_closing():
            if self.in_data and not self.reply("text", b""):
                return
            part, found, rest = self.buffer.partition(b"\r\n.\r\n" if self.in_data else b"\r\n")
            if not found:
                return
            self.buffer = rest
            if self.in_data:
                self.take(part + b"\r\n")
            else:
                self.command(part.decode())

    def take(self, content: bytes) -> None:
        self.in_data = False
        if self.reply("dot", b""):
            self.server.taken.append(Taken(self.sender, self.recipient, content.replace(b"\r\n..", b"\r\n.")))
            self.reply("taken", b"250 2.0.0 queued as 4X\r\n")
        self.sender = self.recipient = ""

    def command(self, line: str) -> None:
        self.server.said.append(line)
        if self.pending:
            self.authenticate(line)
            return
        word = line.split(" ")[0].split(":")[0].lower()
        getattr(self, f"on_{word}", self.on_unknown)(line)

    def on_unknown(self, line: str) -> None:
        self.transport.write(b"500 5.5.2 unknown\r\n")

    def on_ehlo(self, line: str) -> None:
        offers = ["faulty.example", *self.server.offers]
        if self.server.trust and not self.secure:
            offers.append("STARTTLS")
        if self.server.login:
            offers.append("AUTH PLAIN LOGIN")
        lines = [f"250{' ' if number == len(offers) else '-'}{offer}" for number, offer in enumerate(offers, 1)]
        self.reply("ehlo", ("\r\n".join(lines) + "\r\n").encode())

    def on_starttls(self, line: str) -> None:
        assert self.server.trust is not None
        self.transport.pause_reading()
        if self.reply("starttls", b"220 go on\r\n"):
            self.task = asyncio.get_running_loop().create_task(self.upgrade(self.server.trust))
        elif not self.transport.is_closing():
            self.transport.resume_reading()

    async def upgrade(self, trust: ssl.SSLContext) -> None:
        # The client's first encrypted data may arrive before start_tls returns: it is kept in the buffer.
        self.buffer, self.secure, self.deaf = b"", True, True
        try:
            upgraded = await asyncio.get_running_loop().start_tls(self.transport, self, trust, server_side=True)
        except OSError:
            self.transport.abort()
        else:
            if isinstance(upgraded, asyncio.Transport):  # None if the client has disconnected
                self.transport, self.deaf = upgraded, False
                self.data_received(b"")

    def on_auth(self, line: str) -> None:
        _, method, given = [*line.split(" "), ""][:3]
        if method.upper() == "LOGIN":
            self.pending = [base64.b64decode(given).decode()]
            self.transport.write(b"334 UGFzc3dvcmQ6\r\n")
        else:
            self.judge_login(tuple(base64.b64decode(given).decode().split("\0")[1:]))

    def authenticate(self, line: str) -> None:
        given = (*self.pending, base64.b64decode(line).decode())
        self.pending = []
        self.judge_login(given)

    def judge_login(self, given: tuple[str, ...]) -> None:
        right = given == self.server.login
        self.reply("auth", b"235 2.7.0 welcome\r\n" if right else b"535 5.7.8 wrong user name or password\r\n")

    def on_mail(self, line: str) -> None:
        if self.reply("mail", b"250 2.1.0 ok\r\n"):
            self.sender = line[line.index("<") + 1 : line.index(">")]

    def on_rcpt(self, line: str) -> None:
        if not self.sender:
            self.transport.write(b"503 5.5.1 MAIL first\r\n")
        elif self.reply("rcpt", b"250 2.1.5 ok\r\n") or str(self.server.fault("rcpt")).startswith("b'2"):
            self.recipient = line[line.index("<") + 1 : line.index(">")]

    def on_data(self, line: str) -> None:
        if self.recipient or self.server.fault("data"):
            self.in_data = self.reply("data", b"354 go on\r\n")
        else:
            self.transport.write(b"503 5.5.1 no valid recipients\r\n")

    def on_rset(self, line: str) -> None:
        self.sender = self.recipient = ""
        self.reply("rset", b"250 2.0.0 ok\r\n")

    def on_quit(self, line: str) -> None:
        if self.reply("quit", b"221 2.0.0 bye\r\n"):
            self.transport.close()


def certificate(folder: Path, host: str) -> tuple[ssl.SSLContext, Path]:
    """A server's TLS context with a self-signed certificate for ``host``, and the file that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    trusted, both = folder / "trusted.pem", folder / "server.pem"
    trusted.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    both.write_bytes(pem + trusted.read_bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return context, trusted
