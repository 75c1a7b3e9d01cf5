"""The letter that tells an agency's coordinators and heads of a new deputy, at once and with a way to end it.

A link in a letter is enough to name one, and letters are forwarded: who gets an agency's letters must not change in
silence.
"""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from engine.assignments.outbox import letter_row
from engine.rules.calendar import local_date
from engine.store.database import insert_new
from engine.store.recipients import CHANNELS, read_recipients
from engine.store.records import Letter
from engine.terms import Role

DEPUTY_NAMED = "deputy:"
"""Key prefix of these letters; the deputy's contact id and the recipient's follow."""


def announce_deputy(session: Session, deputy_id: int, agency_id: str, now: datetime) -> None:
    """Queue a letter for each coordinator and head, on the first channel that reaches them."""
    today, found = local_date(now), read_recipients(session, [agency_id])
    told = [each for role in (Role.COORDINATOR, Role.HEAD) for each in found.by_role.get((agency_id, role), ())]
    rows = [
        letter_row(each, channel, today, now, now) | {"key": f"{DEPUTY_NAMED}{deputy_id}:{each.id}"}
        for each in told
        if each.answers_on(today)
        for channel in [name for name in CHANNELS if each.address(name)][:1]
    ]
    insert_new(session, Letter, rows)
