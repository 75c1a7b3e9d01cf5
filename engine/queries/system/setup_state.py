"""What this installation has and lacks before it can do its work: agencies, people, calendar, plans, letters.

What happened while the demonstration's clock was advanced: letters by what they say, reports that came in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, TextClause, func, or_, select
from sqlmodel import Session, SQLModel

from engine.agencies.directory_loading import exists_on
from engine.queries.system.health import STUCK_AFTER
from engine.queries.system.policies import calendar_year
from engine.queries.time_class import Today
from engine.store.database import table
from engine.store.records import STILL_OWED, Account, Agency, Contact, Event, Letter, Notice, Plan
from engine.terms import EventKind, NoticeKind, PlanState, Role

EXAMPLE_DOMAINS = ("%.example", "%@example")
"""Mailboxes that nobody has (RFC 2606)."""
PROVINCE = "tinh"
"""The level of the People's Committee: it gives duties and has none."""


@dataclass(frozen=True, kw_only=True)
class SetupState:
    """``without_coordinator``: names of agencies that exist today and that nobody answers for. ``calendar_known``: the
    holidays of this year and the next, as far as they are entered. ``stuck``: letters owed for an hour."""

    agencies: int
    contacts: int
    example_contacts: int
    without_coordinator: tuple[str, ...]
    accounts: int
    calendar_known: tuple[int, ...]
    plans: int
    loaded_plans: int
    active_plans: int
    stuck: int


def setup_state(session: Session, today: Today) -> SetupState:
    """Six queries."""
    c, p, m, a, g = table(Contact), table(Plan), table(Letter), table(Account), table(Agency)
    by_state = select(p.c.state, func.count()).group_by(p.c.state)
    plans: dict[PlanState, int] = dict(session.connection().execute(by_state).all())
    answers = answers_on(today.day)
    examples = or_(*(func.lower(c.c.email).like(pattern) for pattern in EXAMPLE_DOMAINS))
    agencies = session.connection().execute(select(g.c.id, g.c.name, g.c.names, g.c.level)).all()
    current = [row for row in agencies if exists_on(row.names, today.day)]
    covered = set(
        session.connection().scalars(select(c.c.agency_id).where(*answers, c.c.role == Role.COORDINATOR).distinct())
    )
    years = (today.day.year, today.day.year + 1)
    return SetupState(
        agencies=len(current),
        contacts=_count(session, Contact, *answers),
        example_contacts=_count(session, Contact, *answers, examples),
        without_coordinator=tuple(
            sorted(row.name for row in current if row.id not in covered and row.level != PROVINCE)
        ),
        accounts=_count(session, Account, a.c.active),
        calendar_known=tuple(year for year in years if calendar_year(today.calendar, year).known),
        plans=sum(plans.values()),
        loaded_plans=plans.get(PlanState.LOADED, 0),
        active_plans=plans.get(PlanState.ACTIVE, 0),
        stuck=_count(session, Letter, STILL_OWED, m.c.send_after <= today.now - STUCK_AFTER),
    )


def answers_on(day: date) -> tuple[Any, ...]:
    """Conditions: a contact that can be written to on a day."""
    c = table(Contact)
    return (
        (c.c.email != "") | (c.c.phone != ""),
        or_(c.c.valid_from.is_(None), c.c.valid_from <= day),
        or_(c.c.valid_until.is_(None), c.c.valid_until >= day),
    )


def _count(session: Session, model: type[SQLModel], *conditions: ColumnElement[bool] | TextClause) -> int:
    return session.connection().scalar(select(func.count()).select_from(table(model)).where(*conditions)) or 0


@dataclass(frozen=True)
class StepNews:
    """``lines``: (kind, escalation level, how many) of the letters' lines, most first."""

    since: datetime
    letters: int
    lines: tuple[tuple[NoticeKind, int, int], ...]
    reports: int


def step_news(session: Session, since: datetime, until: datetime) -> StepNews:
    """Three queries."""
    letter, n, e = table(Letter), table(Notice), table(Event)
    sent = (letter.c.sent_at > since, letter.c.sent_at <= until)
    count = func.count().label("n")
    by_kind = (
        select(n.c.kind, n.c.level, count)
        .join(letter, letter.c.id == n.c.letter_id)
        .where(*sent, n.c.obsolete == "")
        .group_by(n.c.kind, n.c.level)
        .order_by(count.desc(), n.c.kind, n.c.level)
    )
    reported = select(func.count()).where(e.c.kind == EventKind.REPORTED, e.c.at > since, e.c.at <= until)
    connection = session.connection()
    return StepNews(
        since,
        connection.scalar(select(func.count()).select_from(letter).where(*sent)) or 0,
        tuple((row[0], row[1], row[2]) for row in connection.execute(by_kind)),
        connection.scalar(reported) or 0,
    )
