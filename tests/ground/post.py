"""Fake channels that keep their letters and answer as a test wants: ``LetterBox``, ``LinkBox`` for sign-in letters,
``Answering``; and four letters owed on the morning of 16 June 2021 (``DAY``, ``NOW``).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import date
from typing import Any

from ground.factory import Laid, at, lay, row, swept
from sqlalchemy import select, update

from engine.accounts.signed_links import Signer
from engine.store.database import Database, table
from engine.store.records import Contact, Letter, WebhookMessage
from engine.terms import LetterState
from notifications.contract.channel import Channel, Fate, Outcome, Outgoing
from notifications.delivery import DeliveryContext
from notifications.letters.renderer import LetterRenderer, RendererSettings
from notifications.letters.sign_in_mailer import EmailSignInMailer

KEY = "a key for tests that signs nothing outside of them"


class LetterBox(Channel):
    """The channel "email"; ``answer`` is the outcome of every letter, default: delivered."""

    name = "email"
    parallel = 4

    def __init__(self, answer: Outcome | None = None) -> None:
        self.letters: list[Outgoing] = []
        self.answer = answer or Outcome(fate=Fate.DELIVERED)

    async def send(self, letter: Outgoing) -> Outcome:
        self.letters.append(letter)
        return self.answer


def post_office(
    box: LetterBox | None = None, *, renderer: LetterRenderer | None = None, **more: object
) -> DeliveryContext:
    """A DeliveryContext whose only channel is the box."""
    made = renderer or LetterRenderer(Signer(KEY), RendererSettings("http://127.0.0.1:8188"))
    return DeliveryContext(channels={"email": box or LetterBox()}, renderer=made, **more)  # type: ignore[arg-type]


class LinkBox(LetterBox):
    """The e-mail channel of sign-in letters; ``up``: whether it is reachable."""

    up = True

    async def reachable(self) -> bool:
        return self.up

    @property
    def path(self) -> str:
        """The path of the newest link."""
        texts = "\n".join(letter.text for letter in self.letters)
        found: list[str] = re.findall(r"https?://[^/\s]+(/sign-in/link/\S+)", texts)
        return found[-1]


def link_post(box: LinkBox, base_url: str = "http://127.0.0.1:8188") -> EmailSignInMailer:
    settings = RendererSettings(base_url)
    return EmailSignInMailer(lambda: box, LetterRenderer(Signer(KEY), settings), lambda: settings)


DAY, NOW = "2021-06-16", at("2021-06-16", "07:30")
COORDINATOR = "coordinator@so-ban.example"


def letters_of_16_june(database: Database) -> Laid:
    """On 16 June every coordinator has one letter: due tomorrow."""
    laid = lay(database, now=at("2021-04-07"))
    for day in ("2021-04-07", "2021-06-03", "2021-06-14"):
        swept(database, at(day))
    with database.write() as session:
        session.connection().execute(update(table(Letter)).values(state=LetterState.DELIVERED))
    swept(database, at(DAY, "07:00"))
    return laid


class Answering(LetterBox):
    """Answers each letter as a function says; what it raises is raised."""

    def __init__(self, answer: Callable[[Outgoing], Outcome]) -> None:
        super().__init__()
        self.answering = answer

    async def send(self, letter: Outgoing) -> Outcome:
        self.letters.append(letter)
        await asyncio.sleep(0)
        return self.answering(letter)


def owed(laid: Laid, mailbox: str = COORDINATOR) -> Any:
    """The letter of 16 June to a mailbox."""
    contact = row(laid.database, Contact, email=mailbox)
    return row(laid.database, Letter, contact_id=contact.id, day=date.fromisoformat(DAY))


def change(laid: Laid, model: type, **values: Any) -> None:
    with laid.database.write() as session:
        session.connection().execute(update(table(model)).values(**values))


def leases_run_out(database: Database) -> None:
    """As if every lease's minutes had passed: on PostgreSQL they pass by the server's clock, not by a test's. What
    somebody is writing just now is left alone."""
    for model in (Letter, WebhookMessage):
        m = table(model)
        leased = select(m.c.id).where(m.c.lease_until.is_not(None)).with_for_update(skip_locked=True)
        with database.write() as session:
            session.connection().execute(update(m).where(m.c.id.in_(leased)).values(lease_until=at("2021-04-07")))
