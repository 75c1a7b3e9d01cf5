"""A duty as it may be changed, whom it may be given to, and what adding or changing one would do: the deed itself,
rehearsed and undone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlmodel import Session

from engine.assignments.escalation import run_escalations
from engine.errors import NotFound
from engine.plans.amendments import Amended, Amendment, NewDuty, add_duty, amend_duty
from engine.queries.work.rehearsal import WouldSay, letters_made
from engine.rules.words import level_rank
from engine.store.database import table
from engine.store.records import Agency, AgencyGroup, Assignment, Duty, Plan
from engine.store.rulebook import read_rulebook
from engine.terms import OPEN_STATES, PlanState
from engine.text import Text

MAX_PREVIEW_LETTERS = 1_000


@dataclass(frozen=True)
class Choices:
    """Whom a duty may be given to: groups as (id, name, how many), agencies as (id, name) by kind of body."""

    groups: tuple[tuple[str, str, int], ...]
    levels: Mapping[str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True)
class DutyNow:
    """A duty as it stands. ``due``: the periods that somebody still owes, with their due date and how many owe."""

    id: int
    plan_id: int
    plan: str
    plan_state: PlanState
    supervisor_id: str
    citation: str
    text: str
    owners: tuple[str, ...]
    due: tuple[tuple[str, date | None, int], ...]


@dataclass(frozen=True)
class WouldOpen:
    """What a new duty would do: its number, the arithmetic of its date, who would owe it, which letters follow."""

    citation: str
    due_on: date | None
    why: Mapping[str, str]
    owners: tuple[str, ...]
    letters: tuple[WouldSay, ...]


def owner_choices(session: Session) -> Choices:
    """Two queries."""
    g, n = table(Agency), table(AgencyGroup)
    groups = session.connection().execute(select(n.c.id, n.c.name, n.c.members).order_by(n.c.name))
    levels: dict[str, list[tuple[str, str]]] = {}
    for row in session.connection().execute(select(g.c.id, g.c.name, g.c.level).order_by(g.c.code, g.c.name)):
        levels.setdefault(row.level, []).append((row.id, row.name))
    ranked = sorted(levels, key=level_rank)
    return Choices(
        tuple((row.id, row.name, len(row.members)) for row in groups), {level: tuple(levels[level]) for level in ranked}
    )


def duty_now(session: Session, duty_id: int) -> DutyNow:
    """Two queries. Raises NotFound."""
    d, p, a = table(Duty), table(Plan), table(Assignment)
    chosen = select(d.c.id, d.c.plan_id, p.c.number, p.c.state, p.c.supervisor_id, d.c.citation, d.c.text, d.c.owners)
    row = session.connection().execute(chosen.join(p, p.c.id == d.c.plan_id).where(d.c.id == duty_id)).first()
    if row is None:
        raise NotFound(Text(f"Không có nhiệm vụ số {duty_id}.", f"There is no duty {duty_id}."))
    last = func.max(a.c.due_on)
    owed = select(a.c.period, last, func.count()).where(a.c.duty_id == duty_id, a.c.state.in_(OPEN_STATES))
    rounds = session.connection().execute(owed.group_by(a.c.period).order_by(last, a.c.period))
    return DutyNow(*row[:7], tuple(row.owners), tuple((each[0], each[1], each[2]) for each in rounds))


def would_add(session: Session, plan_id: int, new: NewDuty, *, actor: str, now: datetime) -> WouldOpen:
    """Add the duty and tell its owners, in a session that is undone."""
    made: list[int] = []

    def add() -> None:
        made.append(add_duty(session, plan_id, new, actor=actor, now=now))
        _tell(session, made[0], now)

    letters = letters_made(session, add)
    a, d, g = table(Assignment), table(Duty), table(Agency)
    chosen = select(d.c.citation, a.c.due_on, a.c.due_why, g.c.name).join(d, d.c.id == a.c.duty_id)
    opened = chosen.join(g, g.c.id == a.c.agency_id).where(a.c.duty_id == made[0]).order_by(g.c.code, g.c.name)
    rows = session.connection().execute(opened).all()
    return WouldOpen(rows[0].citation, rows[0].due_on, rows[0].due_why, tuple(row.name for row in rows), letters)


def would_amend(
    session: Session, duty_id: int, change: Amendment, *, actor: str, now: datetime
) -> tuple[Amended, tuple[WouldSay, ...]]:
    """Change the duty and tell whom it concerns, in a session that is undone."""
    came_to: list[Amended] = []

    def amend() -> None:
        came_to.append(amend_duty(session, duty_id, change, actor=actor, now=now))
        if came_to[0].opened:
            _tell(session, duty_id, now)

    letters = letters_made(session, amend)
    return came_to[0], letters


def _tell(session: Session, duty_id: int, now: datetime) -> None:
    """What the next pass would do about it."""
    run_escalations(session, read_rulebook(session), now, limit=MAX_PREVIEW_LETTERS, duty_id=duty_id)
