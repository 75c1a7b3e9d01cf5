"""Send sign-in links immediately on the e-mail channel, bypassing the outbox: they expire after fifteen minutes and do
not count as the one letter a day. The composition root passes it to the pages (``engine.http.app_context``).

Called from a page's thread with no transaction open. Each call opens its own channel: the connections of the outbox
belong to the event loop of the heartbeat.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from engine.errors import DondocError
from engine.http.app_context import SignInLetter
from engine.rules.calendar import local_date
from engine.terms import Role
from notifications.channel import Channel, Fate
from notifications.letters.facts import LetterFacts, SignInFacts
from notifications.letters.renderer import LetterRenderer

log = logging.getLogger(__name__)
RELAY_TIMEOUT_SECONDS = 10.0
"""How long a page waits for the relay."""


class Mail(Channel, Protocol):
    """An e-mail channel that can check whether it accepts letters now."""

    async def reachable(self) -> bool: ...


@dataclass(frozen=True)
class EmailSignInMailer:
    """``channel``: factory of the e-mail channel, the same kind that the outbox uses."""

    channel: Callable[[], Mail]
    renderer: LetterRenderer
    timeout_seconds: float = RELAY_TIMEOUT_SECONDS

    def reachable(self) -> bool:
        try:
            return asyncio.run(self._check())
        except (DondocError, TimeoutError) as error:
            log.error("Sign-in links cannot be sent: %s", error or "the mail relay does not answer")
            return False

    def send(self, letter: SignInLetter) -> None:
        """Send without retries: people can request another link. Neither the address nor the link is logged."""
        try:
            asyncio.run(self._send(letter))
        except DondocError as error:
            log.error("The sign-in letter %s was not sent: %s", letter.name, error)

    async def _check(self) -> bool:
        async with asyncio.timeout(self.timeout_seconds), self.channel() as mail:
            return await mail.reachable()

    async def _send(self, letter: SignInLetter) -> None:
        async with self.channel() as mail:
            outcome = await mail.send(self.renderer.render(self._facts(letter), letter.at))
        if outcome.fate not in (Fate.ACCEPTED, Fate.DELIVERED):
            log.error("The sign-in letter %s was not accepted: %s %s", letter.name, outcome.fate, outcome.code)

    def _facts(self, letter: SignInLetter) -> LetterFacts:
        sign_in = SignInFacts(f"{self.renderer.base_url}{letter.path}", letter.device, letter.at)
        return LetterFacts(
            0,
            f"signin:{letter.name}",
            0,
            Role.COORDINATOR,
            "email",
            local_date(letter.at),
            letter.language,
            letter.to,
            "",
            letter.agency,
            (),
            None,
            sign_in=sign_in,
        )
