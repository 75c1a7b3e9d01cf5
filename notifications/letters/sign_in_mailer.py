"""Sign-in links leave at once, by the e-mail channel but past the outbox: they work for fifteen minutes, and the one
letter a day is for duties. Wired into the pages by the composition root (``engine.http.app_context.LinkPost``).

Called from a page's thread, with no transaction open. Each call opens the channel anew: what the outbox keeps open
belongs to the heartbeat's event loop.
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
"""Seconds that a page waits for the relay."""


class Mail(Channel, Protocol):
    """The e-mail channel, which can be asked whether it would take a letter."""

    async def reachable(self) -> bool: ...


@dataclass(frozen=True)
class EmailSignInMailer:
    """``channel`` makes the e-mail channel, as the outbox uses it."""

    channel: Callable[[], Mail]
    renderer: LetterRenderer
    patience: float = RELAY_TIMEOUT_SECONDS

    def reachable(self) -> bool:
        try:
            return asyncio.run(self._asked())
        except (DondocError, TimeoutError) as error:
            log.error("Sign-in links cannot be sent: %s", error or "the mail relay does not answer")
            return False

    def send(self, letter: SignInLetter) -> None:
        """Once: who waits for it will ask again. Neither the address nor the link is logged."""
        try:
            asyncio.run(self._sent(letter))
        except DondocError as error:
            log.error("The sign-in letter %s was not sent: %s", letter.name, error)

    async def _asked(self) -> bool:
        async with asyncio.timeout(self.patience), self.channel() as mail:
            return await mail.reachable()

    async def _sent(self, letter: SignInLetter) -> None:
        async with self.channel() as mail:
            outcome = await mail.send(self.renderer.render(self._facts(letter), letter.at))
        if outcome.fate not in (Fate.ACCEPTED, Fate.DELIVERED):
            log.error("The sign-in letter %s was not taken: %s %s", letter.name, outcome.fate, outcome.code)

    def _facts(self, letter: SignInLetter) -> LetterFacts:
        asked = SignInFacts(f"{self.renderer.base_url}{letter.path}", letter.device, letter.at)
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
            sign_in=asked,
        )
