"""The channel "email": letters over SMTP to one relay, on a few connections that stay open with the channel.

Pools the connections (connection.py), limits the rate, and stops connecting for a while when the relay cannot be
reached, so that ten thousand letters do not wait for ten thousand time-outs, and a wrong password does not lock the
account.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, replace
from datetime import timedelta
from types import TracebackType
from typing import Protocol, Self

from engine.errors import BadInput
from engine.text import Text
from notifications.contract.channel import Fate, Outcome, Outgoing
from notifications.email.connection import Envelope, Relay, Security, SmtpConnection
from notifications.email.mime import compose, read_address
from notifications.email.signed_addresses import BOUNCE, signed_address


@dataclass
class RateLimit:
    """Rate limit of ``per_minute`` letters, evenly spaced because relays count in their own windows; 0 is no limit."""

    per_minute: int
    free_at: float = 0.0

    def reserve(self, now: float) -> float:
        """Reserve the next slot and return the seconds to wait until it."""
        if not self.per_minute:
            return 0.0
        reserve = max(now, self.free_at)
        self.free_at = reserve + 60.0 / self.per_minute
        return reserve - now


class SharedRate(Protocol):
    """The rate of all machines together."""

    async def wait(self) -> None:
        """Until a letter may leave; ends within two minutes and raises nothing."""
        ...


class Email:
    """The channel. If a sending task is cancelled, the letter may have been accepted; its connection is closed."""

    name = "email"

    def __init__(self, relay: Relay, shared: SharedRate | None = None) -> None:
        self.parallel = relay.connections
        self._relay = relay
        self._tls_context: ssl.SSLContext | None = None
        self._idle: list[SmtpConnection] = []
        self._busy = 0  # connections that are sending a letter or being opened
        self._returned = asyncio.Event()
        self._slots = asyncio.Semaphore(relay.connections)
        self._rate, self._shared = RateLimit(relay.per_minute), shared
        self._last_failure: Outcome | None = None
        self._paused_until = 0.0

    async def __aenter__(self) -> Self:
        # Bound to one event loop and its clock; the channel may be opened again in another loop.
        self._slots, self._returned = asyncio.Semaphore(self._relay.connections), asyncio.Event()
        self._rate, self._last_failure = RateLimit(self._relay.per_minute), None
        if self._relay.security is not Security.NONE:
            self._tls_context = _tls_context(self._relay)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        connections, self._idle = self._idle, []
        try:
            await asyncio.gather(*(connection.close() for connection in connections))
        finally:
            for connection in connections:
                connection.abort()

    async def send(self, letter: Outgoing) -> Outcome:
        """Send one letter. Errors of letter or relay are outcomes, not exceptions. ``receipt``: the Message-ID."""
        try:
            envelope = self._envelope(letter)
        except BadInput as error:
            return Outcome(fate=Fate.REFUSED, reply=str(error))
        async with self._slots:
            while True:
                connection = await self._connection()
                if isinstance(connection, Outcome):
                    return connection
                outcome = await self._use(connection, envelope)
                if outcome is not None:
                    return outcome

    async def reachable(self) -> bool:
        """True if a connection including login succeeds now; the connection is kept for the next letter."""
        return await self.probe() is None

    async def probe(self) -> Outcome | None:
        """As ``reachable``; what went wrong, None if nothing did."""
        async with self._slots:
            connection = await self._connection()
            if isinstance(connection, SmtpConnection):
                self._idle.append(connection)
                return None
            return connection

    async def size_limit(self) -> int:
        """As of a connection; 0 if there is none."""
        async with self._slots:
            connection = await self._connection()
            if not isinstance(connection, SmtpConnection):
                return 0
            self._idle.append(connection)
            return connection.size_limit

    def _envelope(self, letter: Outgoing) -> Envelope:
        relay = self._relay
        message_id, content = compose(letter, relay.sender)
        to = read_address(letter.to)
        back = relay.sender.address.mailbox
        if relay.bounce_domain:
            back = signed_address(BOUNCE, letter.key, relay.bounce_secret, relay.bounce_domain) or back
        return Envelope(back, to.mailbox, to.needs_smtputf8, message_id, content)

    async def _connection(self) -> SmtpConnection | Outcome:
        """An idle connection, else a new one; if the relay allows no more, the next one that becomes idle."""
        if self._idle:
            return self._idle.pop()
        opened = await self._open()
        if isinstance(opened, SmtpConnection):
            return opened
        while self._busy and not self._idle:
            self._returned.clear()
            await self._returned.wait()
        return self._idle.pop() if self._idle else opened

    async def _use(self, connection: SmtpConnection, envelope: Envelope) -> Outcome | None:
        """Send a letter on the connection, which then returns to the pool if it is still usable."""
        self._busy += 1
        try:
            wait = self._rate.reserve(asyncio.get_running_loop().time())
            if wait > 0:
                await asyncio.sleep(wait)
            if self._shared is not None:
                await self._shared.wait()
            return await connection.send(envelope)
        finally:
            self._busy -= 1
            self._returned.set()
            if connection.usable:
                self._idle.append(connection)
            else:
                connection.abort()

    async def _open(self) -> SmtpConnection | Outcome:
        """A new connection; during the pause after a failed one, the outcome of that failure."""
        clock = asyncio.get_running_loop().time
        if self._last_failure is not None and clock() < self._paused_until:
            return self._last_failure
        self._busy += 1
        try:
            opened = await SmtpConnection.open(self._relay, self._tls_context)
        finally:
            self._busy -= 1
            self._returned.set()
        if isinstance(opened, SmtpConnection):
            self._last_failure = None
            return opened
        pause = self._relay.pause * (10 if opened.code.startswith("5") else 1)
        if opened.after is None and pause:
            opened = replace(opened, after=timedelta(seconds=pause))
        self._last_failure = opened
        self._paused_until = clock() + pause
        return opened


def _tls_context(relay: Relay) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=relay.ca_file or None)
    except OSError as error:
        raise BadInput(
            Text(
                f"Không đọc được tệp chứng thư gốc «{relay.ca_file}»; hãy sửa ca_file.",
                f"The certificate file “{relay.ca_file}” cannot be read ({error}); correct ca_file.",
            )
        ) from error
    if not relay.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
