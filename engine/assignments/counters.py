"""How many assignments of running plans stand alike: what the board over all plans is made of.

A province holds hundreds of thousands of assignments, of which a few change in an hour. ``Tally`` is how they were
counted last; what changes an assignment (``engine.assignments.lifecycle``) appends a ``TallyChange`` in the same
transaction, so no two writers wait for one row, and the two together are exact at every moment. ``recount`` makes them
anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import case, delete, func, insert, literal, select, text, union_all
from sqlmodel import Session

from engine.store.database import insert_rows, table
from engine.store.records import Assignment, Plan, Tally, TallyChange
from engine.terms import COUNTED_STATES, PlanState, Timing

KEYS = ("agency_id", "policy_id", "period", "due_on", "timing")
MAX_PENDING_CHANGES = 5_000
"""So many lines are read as quickly as the count itself; past that it is made anew."""
ALONE = 20_210_408
"""The advisory lock under which PostgreSQL counts, so that two counts do not add up."""


@dataclass(frozen=True, slots=True)
class CounterKey:
    """Where an assignment is counted."""

    plan_id: int
    agency_id: str
    period: str
    due_on: date | None
    timing: Timing


def counter_key(row: Any, **changes: Any) -> CounterKey | None:
    """Where an assignment is counted, as it is or with changes to it; None for one that is nobody's any more."""
    state, due_on, done_on = (
        changes[name] if name in changes else getattr(row, name) for name in ("state", "due_on", "reported_on")
    )
    if state not in COUNTED_STATES:
        return None
    late = done_on is not None and due_on is not None and done_on > due_on
    timing = Timing.LATE if late else Timing.OPEN if done_on is None else Timing.ON_TIME
    return CounterKey(row.plan_id, row.agency_id, row.period, due_on, timing)


def record_transition(session: Session, leave: Iterable[CounterKey | None], enter: Iterable[CounterKey | None]) -> None:
    """Append that assignments stand elsewhere now. What leaves and enters the same place is no change."""
    change: Counter[CounterKey] = Counter(each for each in enter if each is not None)
    change.subtract(each for each in leave if each is not None)
    insert_rows(
        session,
        TallyChange,
        [
            {
                "plan_id": at.plan_id,
                "agency_id": at.agency_id,
                "period": at.period,
                "due_on": at.due_on,
                "timing": at.timing,
                "n": n,
            }
            for at, n in change.items()
            if n
        ],
    )


def recount(session: Session) -> None:
    """Count anew. On PostgreSQL one statement sees one state of everything: a change is either in the count, and its
    line goes, or its line stays."""
    t, c, connection = table(Tally), table(TallyChange), session.connection()
    counted = insert(t).from_select([*KEYS, "n"], _truly())
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({ALONE})"))
        gone = (delete(t).cte("gone"), delete(c).cte("passed"))
        connection.execute(counted.add_cte(*gone))
    else:
        connection.execute(delete(t))
        connection.execute(delete(c))
        connection.execute(counted)


def fold(session: Session) -> None:
    """Count anew if much has changed since."""
    c = table(TallyChange)
    many = select(func.count()).select_from(select(c.c.id).limit(MAX_PENDING_CHANGES).subquery())
    if (session.connection().scalar(many) or 0) >= MAX_PENDING_CHANGES:
        recount(session)


def wrong(session: Session) -> int:
    """In how many places the tally differs from the assignments: none, or there is a defect."""
    truly = _truly().subquery()
    both = union_all(*_lines(), select(*(truly.c[name] for name in KEYS), -truly.c.n)).subquery()
    differ = select(literal(1)).select_from(both).group_by(*(both.c[name] for name in KEYS))
    found = select(func.count()).select_from(differ.having(func.sum(both.c.n) != 0).subquery())
    return session.connection().scalar(found) or 0


def tallied() -> Any:
    """A subquery of ``KEYS`` and ``n``: how many assignments of active plans stand so, each place once."""
    lines = union_all(*_lines()).subquery()
    keys = [lines.c[name] for name in KEYS]
    n = func.sum(lines.c.n).label("n")
    return select(*keys, n).group_by(*keys).having(n > 0).subquery()


def _lines() -> tuple[Any, Any]:
    """The last count and what has changed since, to be added up. Changes of a plan that has ended fall away with it."""
    t, c, p = table(Tally), table(TallyChange), table(Plan)
    since = select(c.c.agency_id, p.c.policy_id, c.c.period, c.c.due_on, c.c.timing, c.c.n)
    since = since.join(p, p.c.id == c.c.plan_id).where(p.c.state == PlanState.ACTIVE)
    return select(*(t.c[name] for name in KEYS), t.c.n), since


def _truly() -> Any:
    """The count itself, over every assignment of the active plans."""
    a, p = table(Assignment), table(Plan)
    late = a.c.reported_on > a.c.due_on
    timing = case(
        (a.c.reported_on.is_(None), literal(Timing.OPEN.value)),
        (late, literal(Timing.LATE.value)),
        else_=literal(Timing.ON_TIME.value),
    )
    each = (
        select(a.c.agency_id, p.c.policy_id, a.c.period, a.c.due_on, timing.label("timing"))
        .select_from(a)
        .join(p, p.c.id == a.c.plan_id)
        .where(p.c.state == PlanState.ACTIVE, a.c.state.in_(COUNTED_STATES))
        .subquery()
    )
    keys = [each.c[name] for name in KEYS]
    return select(*keys, func.count().label("n")).group_by(*keys)
