"""The channel "email": letters over SMTP to one relay, on a few connections that are kept while the channel is open.

aiosmtplib speaks the protocol on each connection (line.py); this file lends lines to letters, paces them, and leaves
a relay alone for a while when it cannot be reached, so that ten thousand letters do not wait for ten thousand
time-outs, nor a wrong password lock an account.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, replace
from datetime import timedelta
from types import TracebackType
from typing import Self

from engine.errors import BadInput
from engine.text import Text
from notifications.channel import Fate, Outcome, Outgoing
from notifications.email.address import read_address
from notifications.email.bounces import bounce_address
from notifications.email.connection import Envelope, SmtpConnection
from notifications.email.mime import compose
from notifications.email.relay import Relay, Security


@dataclass
class Pace:
    """An even pace of ``per_minute`` letters; 0 is no limit. Even, because relays count in windows of their own."""

    per_minute: int
    free_at: float = 0.0

    def turn(self, now: float) -> float:
        """Takes the next turn and returns how many seconds of waiting are left until it comes."""
        if not self.per_minute:
            return 0.0
        turn = max(now, self.free_at)
        self.free_at = turn + 60.0 / self.per_minute
        return turn - now


class Email:
    """The channel. A letter whose task is cancelled may or may not have been taken; its connection is closed."""

    name = "email"

    def __init__(self, relay: Relay) -> None:
        self.parallel = relay.connections
        self._relay = relay
        self._trust: ssl.SSLContext | None = None
        self._idle: list[SmtpConnection] = []
        self._busy = 0  # lines that are carrying a letter or being opened
        self._back = asyncio.Event()
        self._gate = asyncio.Semaphore(relay.connections)
        self._pace = Pace(relay.per_minute)
        self._shut: Outcome | None = None
        self._shut_until = 0.0

    async def __aenter__(self) -> Self:
        # These belong to one event loop, and a channel may be opened again in another, whose clock is another too.
        self._gate, self._back = asyncio.Semaphore(self._relay.connections), asyncio.Event()
        self._pace, self._shut = Pace(self._relay.per_minute), None
        if self._relay.security is not Security.NONE:
            self._trust = _trust(self._relay)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        lines, self._idle = self._idle, []
        try:
            await asyncio.gather(*(line.hang_up() for line in lines))
        finally:
            for line in lines:
                line.drop()

    async def send(self, letter: Outgoing) -> Outcome:
        """Hands one letter over. Raises for nothing that a letter or a relay does. ``receipt``: the Message-ID."""
        try:
            envelope = self._envelope(letter)
        except BadInput as error:
            return Outcome(Fate.REFUSED, reply=str(error))
        async with self._gate:
            while True:
                line = await self._line()
                if isinstance(line, Outcome):
                    return line
                outcome = await self._use(line, envelope)
                if outcome is not None:
                    return outcome

    async def reachable(self) -> bool:
        """Whether the relay opens a line now, log-in included; the line waits for a letter."""
        async with self._gate:
            line = await self._line()
            if isinstance(line, SmtpConnection):
                self._idle.append(line)
            return isinstance(line, SmtpConnection)

    def _envelope(self, letter: Outgoing) -> Envelope:
        relay = self._relay
        message_id, content = compose(letter, relay.sender)
        to = read_address(letter.to)
        back = relay.sender.address.mailbox
        if relay.bounce_domain:
            back = bounce_address(letter.key, relay.bounce_secret, relay.bounce_domain) or back
        return Envelope(back, to.mailbox, to.wide, message_id, content)

    async def _line(self) -> SmtpConnection | Outcome:
        """An idle line, else a new one; where the relay allows no more of them, the next that comes back."""
        if self._idle:
            return self._idle.pop()
        opened = await self._open()
        if isinstance(opened, SmtpConnection):
            return opened
        while self._busy and not self._idle:
            self._back.clear()
            await self._back.wait()
        return self._idle.pop() if self._idle else opened

    async def _use(self, line: SmtpConnection, envelope: Envelope) -> Outcome | None:
        """The letter's turn on the line, which then goes back to the idle ones if it is still of use."""
        self._busy += 1
        try:
            wait = self._pace.turn(asyncio.get_running_loop().time())
            if wait > 0:
                await asyncio.sleep(wait)
            outcome = await line.carry(envelope)
            if line.at_rest and 0 < self._relay.per_connection <= line.carried:
                await line.hang_up()
            return outcome
        finally:
            self._busy -= 1
            self._back.set()
            if line.at_rest:
                self._idle.append(line)
            else:
                line.drop()

    async def _open(self) -> SmtpConnection | Outcome:
        """A new line; or, while the relay is being left alone, what it came to the last time."""
        clock = asyncio.get_running_loop().time
        if self._shut is not None and clock() < self._shut_until:
            return self._shut
        self._busy += 1
        try:
            opened = await SmtpConnection.open(self._relay, self._trust)
        finally:
            self._busy -= 1
            self._back.set()
        if isinstance(opened, SmtpConnection):
            self._shut = None
            return opened
        pause = self._relay.pause * (10 if opened.code.startswith("5") else 1)
        if opened.after is None and pause:
            opened = replace(opened, after=timedelta(seconds=pause))
        self._shut = opened
        self._shut_until = clock() + pause
        return opened


def _trust(relay: Relay) -> ssl.SSLContext:
    try:
        trust = ssl.create_default_context(cafile=relay.ca_file or None)
    except OSError as error:
        raise BadInput(
            Text(
                f"Không đọc được tệp chứng thư gốc «{relay.ca_file}»; hãy sửa ca_file.",
                f"The certificate file “{relay.ca_file}” cannot be read ({error}); correct ca_file.",
            )
        ) from error
    if not relay.verify:
        trust.check_hostname = False
        trust.verify_mode = ssl.CERT_NONE
    return trust
