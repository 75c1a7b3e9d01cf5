"""The mail relay: its settings, validated when constructed, and one SMTP connection to it: opened, used for one letter
after another, closed.

Validated when constructed.

Sends the SMTP commands itself instead of calling ``aiosmtplib.SMTP.sendmail``: this way it is known whether the final
dot had been sent when the connection broke, and four parses of each address and two passes over the text are saved.
Where the relay offers PIPELINING (RFC 2920), MAIL, RCPT and DATA go in one write: a letter waits twice, not four times.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import cast

from aiosmtplib import SMTP, SMTPException, SMTPServerDisconnected

from config.settings import LOOPBACK
from engine.errors import BadInput
from engine.text import Text
from notifications.contract.channel import Fate, Outcome
from notifications.email.mime import Sender
from notifications.email.signed_addresses import Replies
from notifications.email.smtp_replies import Stage, connect_failed, interrupted, reply_outcome

_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")


class Security(StrEnum):
    """How the connection to relay or mailbox is encrypted. The chosen level is required; there is no downgrade."""

    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


@dataclass(frozen=True, kw_only=True)
class Relay:
    """One relay. ``timeout``: seconds for each reply. ``connections``: kept open to it. ``per_minute``:
    letters a minute by this process; 0 means no limit. ``pause``: seconds without connection
    attempts after the relay could not be reached (ten times as long after a refused login, so that a wrong password
    does not lock the account). ``hostname``: our name in EHLO, the sender's domain if empty. With ``bounce_domain``
    and ``bounce_secret`` each letter has its own return address (see signed_addresses.py).

    Raises BadInput for invalid or contradictory settings.
    """

    host: str
    sender: Sender
    port: int = 587
    security: Security = Security.STARTTLS
    username: str = ""
    password: str = field(default="", repr=False)
    ca_file: str = ""
    verify: bool = True
    timeout: float = 30.0
    connections: int = 4
    per_minute: int = 0
    hostname: str = ""
    bounce_domain: str = ""
    bounce_secret: str = field(default="", repr=False)
    pause: float = 30.0

    def __post_init__(self) -> None:
        mistakes = list(self._mistakes())
        if mistakes:
            raise BadInput(Text.joined("\n", mistakes))

    def _mistakes(self) -> Iterator[Text]:
        hosts = [host for host in (self.host, self.hostname, self.bounce_domain) if host]
        if not self.host or not all(map(_HOST.fullmatch, hosts)):
            yield Text(
                "Tên máy chủ thư trống hoặc có ký tự lạ.",
                "A host name of the relay is empty or has invalid characters.",
            )
        if not 0 < self.port < 65536:
            yield Text(
                f"Cổng {self.port} không có thật.", f"{self.port} is not a valid port; 587, 465 and 25 are usual."
            )
        if self.timeout <= 0 or self.connections < 1 or min(self.per_minute, self.pause) < 0:
            yield Text(
                "Giới hạn không được âm.", "Limits must not be negative; time-out and connections are above zero."
            )
        if self.username and self.security is Security.NONE and self.host not in LOOPBACK:
            yield Text(
                "Mật khẩu sẽ đi qua mạng không mã hóa; hãy đặt security là starttls hoặc tls.",
                "The password would cross the network in the clear; set security to starttls or tls.",
            )
        if bool(self.bounce_domain) != bool(self.bounce_secret):
            yield Text(
                "Địa chỉ nhận thư trả lại cần cả tên miền và khóa bí mật.",
                "Return addresses need both bounce_domain and bounce_secret.",
            )


CONNECTION_ERRORS = (SMTPException, OSError, TimeoutError)
QUIT_TIMEOUT_SECONDS = 5.0  # the reply to QUIT does not matter
# The first that the relay offers is used, once per connection: trying all three would lock an account sooner.
_LOGINS = ("plain", "login", "cram-md5")


@dataclass(frozen=True, slots=True)
class Envelope:
    """A composed message with its SMTP envelope. ``needs_smtputf8``: the recipient is not ASCII (RFC 6531)."""

    sender: str
    recipient: str
    needs_smtputf8: bool
    message_id: str
    content: bytes


@dataclass(slots=True)
class _Progress:
    """How far a letter has come. ``first``: no command of it was accepted yet; ``refused``: the first reply that stops
    it."""

    stage: Stage = Stage.MAIL
    first: bool = True
    refused: tuple[Stage, int, str] | None = None


class SmtpConnection:
    """``usable`` is False while a letter is being sent, and stays False if the connection broke meanwhile."""

    def __init__(self, client: SMTP, timeout: float) -> None:
        self._client = client
        self._timeout = timeout
        self._replies: Replies | None = None
        self._needs_reset = False
        self.sent_letters = 0
        self.usable = True

    @classmethod
    async def open(cls, relay: Relay, trust: ssl.SSLContext | None) -> SmtpConnection | Outcome:
        """Connect, start TLS and log in. Returns an Outcome if that fails or the required TLS is not available."""
        client = SMTP(
            hostname=relay.host,
            port=relay.port,
            local_hostname=relay.hostname or relay.sender.address.domain,
            timeout=relay.timeout,
            use_tls=relay.security is Security.TLS,
            start_tls=False,
            tls_context=trust,
        )
        connection, stage = cls(client, relay.timeout), Stage.CONNECT
        try:
            await client.connect()
            stage = Stage.GREETING
            await client.ehlo()
            if relay.security is Security.STARTTLS:
                stage = Stage.TLS
                await client.starttls()
                stage = Stage.GREETING
                await client.ehlo()
            if relay.username:
                stage = Stage.LOGIN
                await _log_in(client, relay)
            connection._replies = Replies(cast(asyncio.Transport, client.transport))
            stage = Stage.MAIL
        except CONNECTION_ERRORS as error:
            return connect_failed(stage, f"{relay.host}:{relay.port}", error)
        finally:
            if stage is not Stage.MAIL:
                connection.abort()
        return connection

    async def send(self, letter: Envelope) -> Outcome | None:
        """Send one letter. None if a connection kept from an earlier letter turned out to be closed before any command
        of this letter was accepted: then another connection may be tried at once."""
        refusal = self._not_supported(letter)
        if refusal is not None:
            return refusal
        self.usable, reached = False, _Progress()
        try:
            async with asyncio.timeout(self._timeout) as limit:
                if self._replies is None or self._replies.unasked:
                    raise SMTPServerDisconnected("Connection lost")
                await self._announce(letter, self._replies, reached, limit)
                if reached.refused is None:
                    code, reply = await self._send_text(letter, self._replies, reached, limit)
        except CONNECTION_ERRORS as error:
            if reached.refused is None:
                unheard = reached.first and self.sent_letters > 0
                return None if unheard else interrupted(reached.stage, error, letter.message_id)
        # Relays repeat the mailbox in replies. Replies are stored and exported, so the address is removed from them.
        if reached.refused is not None:
            stage, code, reply = reached.refused
            gone = reached.first and self.sent_letters > 0 and code == 421
            return None if gone else reply_outcome(stage, code, reply.replace(letter.recipient, "…"))
        outcome = reply_outcome(reached.stage, code, reply.replace(letter.recipient, "…"), letter.message_id)
        self.sent_letters += 1
        self._needs_reset = outcome.fate is not Fate.ACCEPTED
        self.usable = outcome.fate is not Fate.UNKNOWN and code != 421
        return outcome

    async def _announce(self, letter: Envelope, replies: Replies, reached: _Progress, limit: asyncio.Timeout) -> None:
        """Send the commands before the text until one is refused, and read every reply that is still to come."""
        loop = asyncio.get_running_loop()
        for group in self._commands(letter):
            replies.send(*(command for _, command, _ in group))
            for stage, _, expected in group:
                reached.stage = stage
                code, reply = await replies.read()
                limit.reschedule(loop.time() + self._timeout)
                if code not in expected:
                    reached.refused = reached.refused or (stage, code, reply)
                reached.first = reached.first and reached.refused is not None
                if code in (421, -1):
                    break
            if reached.refused is not None:
                # 354 all the same: a relay that waits for a letter to nobody is left without even a dot.
                self._needs_reset, self.usable = True, code not in (421, -1, 354)
                break

    async def _send_text(
        self, letter: Envelope, replies: Replies, reached: _Progress, limit: asyncio.Timeout
    ) -> tuple[int, str]:
        # Dot-stuffing (RFC 5321 §4.5.2): our own messages have no line that starts with a dot.
        replies.write(letter.content.replace(b"\r\n.", b"\r\n.."))
        await replies.drain()  # a connection that breaks before has certainly not delivered the letter
        reached.stage = Stage.DOT
        limit.reschedule(asyncio.get_running_loop().time() + self._timeout)
        replies.write(b".\r\n")
        return await replies.read()

    @property
    def size_limit(self) -> int:
        """Bytes of the largest message that the relay says it takes; 0 if it says nothing."""
        most = self._client.esmtp_extensions.get("size", "")
        return int(most) if most.isascii() and most.isdigit() else 0

    def _not_supported(self, letter: Envelope) -> Outcome | None:
        """The outcome if the extensions in the EHLO reply rule the letter out (SMTPUTF8, SIZE), else None."""
        offers = self._client.esmtp_extensions
        if letter.needs_smtputf8 and "smtputf8" not in offers:
            return Outcome(
                fate=Fate.REFUSED,
                code="553",
                reply=str(
                    Text(
                        "Hộp thư có chữ có dấu mà máy chủ thư không hỗ trợ (SMTPUTF8); hãy dùng hộp thư khác.",
                        "The mailbox has non-ASCII letters, which the relay does not support (no SMTPUTF8); "
                        "use another.",
                    )
                ),
            )
        most = self.size_limit
        if 0 < most < len(letter.content):
            return Outcome(
                fate=Fate.REFUSED,
                code="552",
                reply=str(
                    Text(
                        f"Thư dài {len(letter.content)} byte, máy chủ thư chỉ nhận {most}; hãy rút ngắn.",
                        f"The letter has {len(letter.content)} bytes, the relay takes {most}; shorten it.",
                    )
                ),
            )
        return None

    def _commands(self, letter: Envelope) -> list[list[tuple[Stage, bytes, tuple[int, ...]]]]:
        """The commands before the text, in groups that are written at once, each with the replies that let it go on."""
        extensions = self._client.esmtp_extensions
        options = f" SIZE={len(letter.content)}" if "size" in extensions else ""
        if letter.needs_smtputf8:
            options += " BODY=8BITMIME SMTPUTF8"
        commands = [
            (Stage.MAIL, f"MAIL FROM:<{letter.sender}>{options}".encode(), (250,)),
            (Stage.RCPT, f"RCPT TO:<{letter.recipient}>".encode(), (250, 251)),
            (Stage.DATA, b"DATA", (354,)),
        ]
        if self._needs_reset:
            commands.insert(0, (Stage.MAIL, b"RSET", (250,)))
        return [commands] if "pipelining" in extensions else [[each] for each in commands]

    async def close(self) -> None:
        """Send QUIT, wait a few seconds at most, and close. The reply is ignored."""
        try:
            async with asyncio.timeout(min(self._timeout, QUIT_TIMEOUT_SECONDS)):
                if self._replies is not None:
                    self._replies.send(b"QUIT")
                    await self._replies.read()
        except CONNECTION_ERRORS:
            self.usable = False
        finally:
            self.abort()

    def abort(self) -> None:
        """Close immediately; unsent data is discarded."""
        if self._client.transport is not None:
            cast(asyncio.WriteTransport, self._client.transport).abort()
        self._client.close()
        self.usable = False


async def _log_in(client: SMTP, relay: Relay) -> None:
    for method in _LOGINS:
        if method in client.server_auth_methods:
            await getattr(client, f"auth_{method.replace('-', '')}")(relay.username, relay.password)
            return
    raise SMTPException(f"AUTH {', '.join(client.server_auth_methods) or 'not offered'}")
