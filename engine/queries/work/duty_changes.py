"""A duty to be amended, its possible owners, and previews of adding or amending one. Previews run the real action in a
session that is rolled back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import func, select
from sqlmodel import Session

from engine.agencies.directory_loading import exists_on
from engine.assignments import situations
from engine.assignments.escalation import run_escalations
from engine.errors import NotFound
from engine.files.directory import fold
from engine.plans.amendments import Amended, Amendment, NewDuty, add_duty, amend_duty
from engine.queries.work.ladder_steps import PlannedLetter, planned_letters
from engine.rules.outputs import Output, read_output
from engine.rules.words import level_rank, name_order
from engine.store.database import table
from engine.store.records import Agency, AgencyGroup, Assignment, Duty, Plan
from engine.store.rulebook import read_rulebook
from engine.store.stored_rows import object_of
from engine.terms import PlanState
from engine.text import Text

MAX_PREVIEW_LETTERS = 1_000


@dataclass(frozen=True)
class Choices:
    """Possible owners: groups as (id, name, members that exist), agencies as (id, name) by level. ``sizes``: how many
    each level has, also where only some are shown."""

    groups: tuple[tuple[str, str, int], ...]
    levels: Mapping[str, tuple[tuple[str, str], ...]]
    sizes: Mapping[str, int]

    def of_level(self, level: str) -> tuple[str, ...]:
        return tuple(agency for agency, _ in self.levels.get(level, ()))

    def narrowed(self, words: str, kept: Collection[str]) -> Choices:
        """The agencies whose names have these words, in any spelling, and those that are ``kept``."""
        wanted = fold(words)
        levels = {
            level: found
            for level, agencies in self.levels.items()
            if (found := tuple(each for each in agencies if each[0] in kept or wanted in fold(each[1])))
        }
        return replace(self, levels=levels)


@dataclass(frozen=True, kw_only=True)
class DutyNow:
    """The present state of a duty. ``due``: (period, due date, open assignments) of each period still owed."""

    id: int
    plan_id: int
    plan: str
    plan_state: PlanState
    supervisor_id: str
    citation: str
    text: str
    owners: tuple[str, ...]
    output: Output | None
    due: tuple[tuple[str, date | None, int], ...]


@dataclass(frozen=True)
class WouldOpen:
    """Effects of a new duty: its number, how its due date is computed, its owners, the letters that follow."""

    citation: str
    due_on: date | None
    why: Mapping[str, str]
    owners: tuple[str, ...]
    letters: tuple[PlannedLetter, ...]


def owner_choices(session: Session, on: date | None = None, kept: Collection[str] = ()) -> Choices:
    """With a day, the agencies that exist on it, those that are ``kept``, and the groups of which some exist. Two
    queries."""
    g, n = table(Agency), table(AgencyGroup)
    groups = session.connection().execute(select(n.c.id, n.c.name, n.c.members).order_by(n.c.name)).all()
    levels: dict[str, list[tuple[str, str]]] = {}
    rows = session.connection().execute(select(g.c.id, g.c.name, g.c.names, g.c.level))
    for row in sorted(rows, key=lambda row: name_order(row.name)):
        if on is not None and row.id not in kept and not exists_on(row.names, on):
            continue
        levels.setdefault(row.level, []).append((row.id, row.name))
    ranked = sorted(levels, key=level_rank)
    there = {agency for agencies in levels.values() for agency, _ in agencies}
    counted = ((row.id, row.name, sum(each in there for each in row.members)) for row in groups)
    return Choices(
        tuple(each for each in counted if each[2]),
        {level: tuple(levels[level]) for level in ranked},
        {level: len(levels[level]) for level in ranked},
    )


def plan_owners(session: Session, plan_id: int, on: date) -> tuple[str, ...]:
    """The agencies that have assignments of the plan and exist on a day, in the directory's order."""
    a, g = table(Assignment), table(Agency)
    owns = select(a.c.agency_id).where(a.c.plan_id == plan_id, situations.counted())
    found = session.connection().execute(select(g.c.id, g.c.name, g.c.names).where(g.c.id.in_(owns)))
    return tuple(row.id for row in sorted(found, key=lambda row: name_order(row.name)) if exists_on(row.names, on))


def duty_now(session: Session, duty_id: int) -> DutyNow:
    """Two queries. Raises NotFound."""
    d, p, a = table(Duty), table(Plan), table(Assignment)
    statement = select(
        d.c.id,
        d.c.plan_id,
        p.c.number.label("plan"),
        p.c.state.label("plan_state"),
        p.c.supervisor_id,
        d.c.citation,
        d.c.text,
        d.c.owners,
        d.c.output,
    )
    row = session.connection().execute(statement.join(p, p.c.id == d.c.plan_id).where(d.c.id == duty_id)).first()
    if row is None:
        raise NotFound(Text(f"Không có nhiệm vụ số {duty_id}.", f"There is no duty {duty_id}."))
    due_on = func.max(a.c.due_on)
    owed = select(a.c.period, due_on, func.count()).where(a.c.duty_id == duty_id, situations.owed())
    periods = session.connection().execute(owed.group_by(a.c.period).order_by(due_on, a.c.period))
    due = tuple((period, on, owed_by) for period, on, owed_by in periods)
    return object_of(DutyNow, row, owners=tuple(row.owners), output=read_output(row.output), due=due)


def would_add(session: Session, plan_id: int, new: NewDuty, *, actor: str, now: datetime) -> WouldOpen:
    """Preview of adding the duty, in a session that is rolled back."""
    created: list[int] = []

    def add() -> None:
        created.append(add_duty(session, plan_id, new, actor=actor, now=now))
        _run_next_pass(session, created[0], now)

    letters = planned_letters(session, add)
    a, d, g = table(Assignment), table(Duty), table(Agency)
    statement = select(d.c.citation, a.c.due_on, a.c.due_why, g.c.name).join(d, d.c.id == a.c.duty_id)
    opened = statement.join(g, g.c.id == a.c.agency_id).where(a.c.duty_id == created[0])
    rows = sorted(session.connection().execute(opened), key=lambda row: name_order(row.name))
    return WouldOpen(rows[0].citation, rows[0].due_on, rows[0].due_why, tuple(row.name for row in rows), letters)


def would_amend(
    session: Session, duty_id: int, change: Amendment, *, actor: str, now: datetime
) -> tuple[Amended, tuple[PlannedLetter, ...]]:
    """Preview of amending the duty, in a session that is rolled back."""
    results: list[Amended] = []

    def amend() -> None:
        results.append(amend_duty(session, duty_id, change, actor=actor, now=now))
        if results[0].opened:
            _run_next_pass(session, duty_id, now)

    letters = planned_letters(session, amend)
    return results[0], letters


def _run_next_pass(session: Session, duty_id: int, now: datetime) -> None:
    """Run what the next pass would do about the duty."""
    run_escalations(session, read_rulebook(session), now, limit=MAX_PREVIEW_LETTERS, duty_id=duty_id)
