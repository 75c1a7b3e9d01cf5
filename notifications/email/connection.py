"""One connection to the relay, as a telephone line: opened, used for one letter after another, hung up.

The letter is spoken command by command rather than through ``aiosmtplib.SMTP.sendmail``: only so is it known whether
the final dot had left when something broke, and it spares four parses of each address and two passes over the text.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from aiosmtplib import SMTP, SMTPException, SMTPServerDisconnected

from engine.text import Text
from notifications.channel import Fate, Outcome
from notifications.email.relay import Relay, Security
from notifications.email.smtp_replies import Stage, broken, judge, unopened

BROKEN = (SMTPException, OSError, TimeoutError)
GOODBYE = 5.0  # seconds; an answer to QUIT changes nothing
# The best that the relay offers and aiosmtplib speaks. One try a connection: three would lock an account sooner.
_LOGINS = ("plain", "login", "cram-md5")


@dataclass(frozen=True, slots=True)
class Envelope:
    """A composed message ready to be handed over. ``wide``: an address needs SMTPUTF8."""

    sender: str
    recipient: str
    wide: bool
    message_id: str
    content: bytes


class SmtpConnection:
    """``at_rest`` is true between letters; a line that is not at rest has broken in the middle and is of no use."""

    def __init__(self, client: SMTP, timeout: float) -> None:
        self._client = client
        self._timeout = timeout
        self._unclean = False
        self.carried = 0
        self.at_rest = True

    @classmethod
    async def open(cls, relay: Relay, trust: ssl.SSLContext | None) -> SmtpConnection | Outcome:
        """A line, or the outcome for whoever wanted one. TLS that is asked for and not to be had is no line."""
        client = SMTP(
            hostname=relay.host,
            port=relay.port,
            local_hostname=relay.hostname or relay.sender.address.domain,
            timeout=relay.timeout,
            use_tls=relay.security is Security.TLS,
            start_tls=False,
            tls_context=trust,
        )
        line, stage = cls(client, relay.timeout), Stage.CONNECT
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
            stage = Stage.MAIL
        except BROKEN as error:
            return unopened(stage, f"{relay.host}:{relay.port}", error)
        finally:
            if stage is not Stage.MAIL:
                line.drop()
        return line

    async def carry(self, letter: Envelope) -> Outcome | None:
        """Offers one letter. None when the line, kept from an earlier letter, turned out to be dead before anything
        of this one was said: then another line may be tried at once."""
        refusal = self._cannot(letter)
        if refusal is not None:
            return refusal
        self.at_rest, stage, first = False, Stage.MAIL, True
        loop, client = asyncio.get_running_loop(), self._client
        try:
            async with asyncio.timeout(self._timeout) as limit:
                for stage, command, wanted in self._commands(letter):
                    code, words = await client.execute_command(command, timeout=None)
                    if code not in wanted:
                        self._unclean, self.at_rest = True, code != 421 and code > 0
                        gone = first and self.carried > 0 and code == 421
                        return None if gone else judge(stage, code, words.replace(letter.recipient, "…"))
                    first = False
                    limit.reschedule(loop.time() + self._timeout)
                await self._pour(letter.content)
                stage = Stage.DOT
                limit.reschedule(loop.time() + self._timeout)
                code, words = await self._dot()
        except BROKEN as error:
            gone = first and self.carried > 0
            return None if gone else broken(stage, error, letter.message_id)
        # Relays like to repeat the mailbox. The delivery's row knows the person; these words are kept and exported.
        outcome = judge(stage, code, words.replace(letter.recipient, "…"), letter.message_id)
        self.carried += 1
        self._unclean = outcome.fate is not Fate.ACCEPTED
        self.at_rest = outcome.fate is not Fate.UNKNOWN and code != 421
        return outcome

    def _cannot(self, letter: Envelope) -> Outcome | None:
        """What the relay said at the greeting that it will not take."""
        offers = self._client.esmtp_extensions
        if letter.wide and "smtputf8" not in offers:
            return Outcome(
                Fate.REFUSED,
                "553",
                str(
                    Text(
                        "Hộp thư có chữ có dấu mà máy chủ thư không hỗ trợ (SMTPUTF8); hãy dùng hộp thư khác.",
                        "The mailbox has letters beyond ASCII, which the relay does not carry (no SMTPUTF8); "
                        "use another.",
                    )
                ),
            )
        most = offers.get("size", "")
        if most.isascii() and most.isdigit() and 0 < int(most) < len(letter.content):
            return Outcome(
                Fate.REFUSED,
                "552",
                str(
                    Text(
                        f"Thư dài {len(letter.content)} byte, máy chủ thư chỉ nhận {most}; hãy rút ngắn.",
                        f"The letter has {len(letter.content)} bytes, the relay takes {most}; shorten it.",
                    )
                ),
            )
        return None

    def _commands(self, letter: Envelope) -> Iterator[tuple[Stage, bytes, tuple[int, ...]]]:
        options = f" SIZE={len(letter.content)}" if "size" in self._client.esmtp_extensions else ""
        if letter.wide:
            options += " BODY=8BITMIME SMTPUTF8"
        if self._unclean:
            yield Stage.MAIL, b"RSET", (250,)
        yield Stage.MAIL, f"MAIL FROM:<{letter.sender}>{options}".encode(), (250,)
        yield Stage.RCPT, f"RCPT TO:<{letter.recipient}>".encode(), (250, 251)
        yield Stage.DATA, b"DATA", (354,)

    async def _pour(self, content: bytes) -> None:
        """The whole text but for the dot. Returns when it has left this process, so that a line which breaks before
        has provably not delivered anything."""
        protocol, transport = self._client.protocol, self._client.transport
        if protocol is None or transport is None:
            raise SMTPServerDisconnected("Connection lost")
        # Base64 has no dots and no header starts with one; a caller's own message might.
        protocol.write(content.replace(b"\r\n.", b"\r\n..") if b"\r\n." in content else content)
        # asyncio tells only the protocol, which is aiosmtplib's, when the buffer empties; it is seldom not empty.
        while cast(asyncio.WriteTransport, transport).get_write_buffer_size() and not transport.is_closing():  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        if transport.is_closing():
            raise SMTPServerDisconnected("Connection lost")

    async def _dot(self) -> tuple[int, str]:
        protocol = self._client.protocol
        if protocol is None:
            raise SMTPServerDisconnected("Connection lost")
        protocol.write(b".\r\n")
        return await protocol.read_response()

    async def hang_up(self) -> None:
        """Says goodbye, in a few seconds at most, and closes. What the relay answers changes nothing."""
        try:
            async with asyncio.timeout(min(self._timeout, GOODBYE)):
                await self._client.quit(timeout=None)
        except BROKEN:
            self.at_rest = False
        finally:
            self.drop()

    def drop(self) -> None:
        """Closes at once; nothing that is still unsent goes out any more."""
        if self._client.transport is not None:
            cast(asyncio.WriteTransport, self._client.transport).abort()
        self._client.close()
        self.at_rest = False


async def _log_in(client: SMTP, relay: Relay) -> None:
    for method in _LOGINS:
        if method in client.server_auth_methods:
            await getattr(client, f"auth_{method.replace('-', '')}")(relay.username, relay.password)
            return
    raise SMTPException(f"AUTH {', '.join(client.server_auth_methods) or 'not offered'}")
