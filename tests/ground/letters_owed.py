"""Four letters owed on one morning, and a channel that answers them as a test wants."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date
from typing import Any

from ground.factory import Laid, at, lay, row, swept
from ground.post import LetterBox
from sqlalchemy import select, update

from engine.store.database import Database, table
from engine.store.records import Contact, Letter, WebhookMessage
from engine.terms import LetterState
from notifications.channel import Outcome, Outgoing

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
