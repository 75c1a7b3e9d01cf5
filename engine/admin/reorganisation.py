"""The act «sắp xếp lại tổ chức», with the figures of what is over published first; and its dry run by the same code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlmodel import Session

from engine.admin.cut_off import publish_before
from engine.assignments import situations
from engine.assignments.escalation import run_escalations
from engine.plans import reorganisation
from engine.plans.reorganisation import Decision, Reorganised, ended_agencies
from engine.queries.work.ladder_steps import PlannedLetter, planned_letters
from engine.rules.calendar import local_date
from engine.store.database import table
from engine.store.records import Agency, Assignment, Duty, Plan
from engine.store.rulebook import read_rulebook
from engine.store.stored_rows import objects

ALL_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class OwedReports:
    """What an agency would owe anew: how many reports of a plan and period, the first of them due on a day."""

    agency_id: str
    agency: str
    plan: str
    period: str
    count: int
    due_on: date | None


@dataclass(frozen=True, kw_only=True)
class DryRun:
    """What the act would do. ``letters``: that would leave with the next pass because of it."""

    done: Reorganised
    published: int
    owed: tuple[OwedReports, ...]
    letters: tuple[PlannedLetter, ...]

    @property
    def agencies(self) -> int:
        return len({each.agency_id for each in self.owed})

    @property
    def reports(self) -> int:
        return sum(each.count for each in self.owed)


def reorganise(
    session: Session, decisions: Sequence[Decision], *, actor: str, now: datetime
) -> tuple[Reorganised, int]:
    """The act, and of how many periods the figures were published before it. Raises Conflict, BadInput."""
    chosen = {each.agency_id for each in decisions}
    concerned = [each for each in ended_agencies(session, local_date(now)) if each.id in chosen]
    plans = {share.plan_id for each in concerned for share in each.plans}
    published = publish_before(session, plans, now, actor=actor)
    return reorganisation.reorganise(session, decisions, actor=actor, now=now), published


def dry_run(session: Session, decisions: Sequence[Decision], *, actor: str, now: datetime) -> DryRun:
    """Run the act and the pass after it in a session that is rolled back (Database.rehearse)."""
    a = table(Assignment)
    last = session.connection().scalar(select(func.max(a.c.id))) or 0
    done: list[tuple[Reorganised, int]] = []

    def act() -> None:
        done.append(reorganise(session, decisions, actor=actor, now=now))
        ids = session.connection().scalars(select(a.c.id).where(a.c.id > last)).all()
        if ids:
            run_escalations(session, read_rulebook(session), now, limit=max(ALL_AT_ONCE, len(ids)), ids=ids)

    letters = planned_letters(session, act)
    return DryRun(done=done[0][0], published=done[0][1], owed=_owed(session, last), letters=letters)


def _owed(session: Session, last: int) -> tuple[OwedReports, ...]:
    a, d, p, g = table(Assignment), table(Duty), table(Plan), table(Agency)
    statement = (
        select(
            a.c.agency_id,
            g.c.name.label("agency"),
            p.c.number.label("plan"),
            a.c.period,
            func.count().label("count"),
            func.min(a.c.due_on).label("due_on"),
        )
        .join(d, d.c.id == a.c.duty_id)
        .join(p, p.c.id == a.c.plan_id)
        .join(g, g.c.id == a.c.agency_id)
        .where(a.c.id > last, situations.without_report())
        .group_by(a.c.agency_id, g.c.name, p.c.number, a.c.period)
        .order_by(g.c.name, p.c.number, a.c.period)
    )
    return tuple(objects(OwedReports, session.connection().execute(statement)))
