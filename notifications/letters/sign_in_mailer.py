"""Send sign-in links, and what changed about an account, immediately on the e-mail channel, bypassing the outbox: they
do not count as the one letter a day. The composition root passes it to the pages (``engine.http.app_context``).

Called from a page's thread with no transaction open. Each call opens its own channel: the connections of the outbox
belong to the event loop of the heartbeat.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from engine.errors import DondocError
from engine.http.app_context import AccountLetter, SignInLetter
from engine.rules.calendar import local_date
from engine.terms import Role
from notifications.contract.channel import Channel, Fate
from notifications.letters.facts import AccountFacts, LetterFacts, SignInFacts
from notifications.letters.renderer import LetterRenderer, RendererSettings

log = logging.getLogger(__name__)
RELAY_TIMEOUT_SECONDS = 10.0
"""How long a page waits for the relay."""


class Mail(Channel, Protocol):
    """An e-mail channel that can check whether it accepts letters now."""

    async def reachable(self) -> bool: ...


@dataclass(frozen=True)
class EmailSignInMailer:
    """``channel``: factory of the e-mail channel, the same kind that the outbox uses; ``settings``: those of letters as
    they are now."""

    channel: Callable[[], Mail]
    renderer: LetterRenderer
    settings: Callable[[], RendererSettings]
    timeout_seconds: float = RELAY_TIMEOUT_SECONDS

    def reachable(self) -> bool:
        try:
            return asyncio.run(self._check())
        except (DondocError, TimeoutError) as error:
            log.error("Sign-in links cannot be sent: %s", error or "the mail relay does not answer")
            return False

    def send(self, letter: SignInLetter) -> None:
        """Send without retries: people can request another link. Neither the address nor the link is logged."""
        sign_in = SignInFacts(f"{self.settings().base_url}{letter.path}", letter.device, letter.at, letter.until)
        self._deliver(letter, replace(_facts(letter, "signin"), sign_in=sign_in))

    def tell(self, letter: AccountLetter) -> None:
        """Send without retries: the account's page and the event log hold what it says."""
        account = AccountFacts(letter.sentence, letter.device, letter.at)
        self._deliver(letter, replace(_facts(letter, "account"), account=account))

    def _deliver(self, letter: SignInLetter | AccountLetter, facts: LetterFacts) -> None:
        try:
            asyncio.run(self._send(letter, facts))
        except DondocError as error:
            log.error("The letter %s about an account was not sent: %s", letter.name, error)

    async def _check(self) -> bool:
        async with asyncio.timeout(self.timeout_seconds), self.channel() as mail:
            return await mail.reachable()

    async def _send(self, letter: SignInLetter | AccountLetter, facts: LetterFacts) -> None:
        self.renderer.settings = self.settings()
        async with self.channel() as mail:
            outcome = await mail.send(self.renderer.render(facts, letter.at))
        if outcome.fate is Fate.KEPT_HERE:
            log.info("The letter %s about an account stays in this machine's Maildir: no relay is set", letter.name)
        elif outcome.fate not in (Fate.ACCEPTED, Fate.DELIVERED):
            log.error("The letter %s about an account was not accepted: %s %s", letter.name, outcome.fate, outcome.code)


def _facts(letter: SignInLetter | AccountLetter, kind: str) -> LetterFacts:
    return LetterFacts(
        letter_id=0,
        key=f"{kind}:{letter.name}",
        contact_id=0,
        role=Role.COORDINATOR,
        channel="email",
        day=local_date(letter.at),
        language=letter.language,
        to=letter.to,
        label="",
        agency=letter.agency,
        items=(),
        digest=None,
    )
