"""The letter that tells an agency's coordinators and heads of a new deputy, at once and with a way to end it; and the
one that tells the monitors above of a proposal that the agency did not make.

A link in a letter is enough to name one, and letters are forwarded: who gets an agency's letters must not change in
silence.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session

from engine.assignments.outbox import letter_row
from engine.rules.calendar import local_date
from engine.store.database import insert_new, table
from engine.store.recipients import CHANNELS, Recipient, read_recipients
from engine.store.records import Assignment, Letter, Plan
from engine.terms import Role

DEPUTY_NAMED = "deputy:"
"""Key prefix of these letters; the deputy's contact id and the recipient's follow."""


def announce_deputy(session: Session, deputy_id: int, agency_id: str, now: datetime) -> None:
    """Queue a letter for each coordinator and head, on the first channel that reaches them."""
    found = read_recipients(session, [agency_id])
    told = [each for role in (Role.COORDINATOR, Role.HEAD) for each in found.by_role.get((agency_id, role), ())]
    _queue(session, deputy_id, told, now)


def report_refusal(session: Session, deputy_id: int, agency_id: str, now: datetime) -> None:
    """Queue a letter for the monitors of each department that follows the agency: a letter of theirs went further than
    it should, and its links still work."""
    p, a = table(Plan), table(Assignment)
    departments = list(
        session.connection().scalars(
            select(p.c.supervisor_id).join(a, a.c.plan_id == p.c.id).where(a.c.agency_id == agency_id).distinct()
        )
    )
    found = read_recipients(session, departments)
    told = [each for department in departments for each in found.by_role.get((department, Role.MONITOR), ())]
    _queue(session, deputy_id, told, now)


def _queue(session: Session, deputy_id: int, told: Iterable[Recipient], now: datetime) -> None:
    today = local_date(now)
    rows = [
        letter_row(each, channel, today, now, now) | {"key": f"{DEPUTY_NAMED}{deputy_id}:{each.id}"}
        for each in told
        if each.answers_on(today)
        for channel in [name for name in CHANNELS if each.address(name)][:1]
    ]
    insert_new(session, Letter, rows)
