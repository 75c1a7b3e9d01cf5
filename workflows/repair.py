"""Undo what a wrong clock or a hand in the database left behind: ``dondoc repair``.

Everything that is computed can be computed again: the next action of open assignments from their ladder, the week of
the last digest from the calendar. Letters dated far ahead go out with the next pass. Nothing is sent or deleted here.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlmodel import Session

from engine.assignments.weekly_digest import LAST_WEEK, week_of
from engine.rules.calendar import instant, local_date
from engine.rules.policy import Facts, next_look
from engine.store.database import Database, table
from engine.store.records import STILL_OWED, Assignment, Fact, Letter, Plan
from engine.store.rulebook import read_rulebook
from engine.terms import OPEN_STATES, PlanState
from workflows.audit import FAR_AHEAD


def repair(database: Database, now: datetime) -> dict[str, int]:
    """What was corrected, by name."""
    with database.write() as session:
        return {
            "assignments": _next_actions(session, now),
            "letters": _far_ahead(session, now),
            "digests": _digest_week(session, now),
        }


def _next_actions(session: Session, now: datetime) -> int:
    """Open assignments of running plans whose next action is missing, or later than their ladder says."""
    a, p, today = table(Assignment), table(Plan), local_date(now)
    statement = (
        select(
            a.c.id,
            a.c.state,
            a.c.opened_on,
            a.c.due_on,
            a.c.acted_until,
            a.c.next_action_at,
            a.c.quiet,
            a.c.ladder_id,
            p.c.policy_id,
        )
        .join(p, p.c.id == a.c.plan_id)
        .where(a.c.state.in_(OPEN_STATES), p.c.state == PlanState.ACTIVE)
    )
    book = read_rulebook(session)
    changes: list[dict[str, Any]] = []
    for row in session.connection().execute(statement):
        acted = min(row.acted_until, today) if row.acted_until else None
        facts = Facts(row.state, row.opened_on, row.due_on, acted)
        on, quiet = next_look(book.ladders[row.ladder_id], facts, book.calendar)
        at = None if on is None else instant(on, book.policy(row.policy_id).decide_at)
        earlier = at is not None and (row.next_action_at is None or row.next_action_at > at)
        silent = at is None and row.next_action_at is None and row.quiet is None
        if earlier or silent or acted != row.acted_until:
            changes.append({"row_id": row.id, "set_next": at, "set_quiet": quiet, "set_acted": acted})
    if changes:
        session.connection().execute(
            update(a)
            .where(a.c.id == bindparam("row_id"))
            .values(
                next_action_at=bindparam("set_next"), quiet=bindparam("set_quiet"), acted_until=bindparam("set_acted")
            ),
            changes,
        )
    return len(changes)


def _far_ahead(session: Session, now: datetime) -> int:
    m = table(Letter)
    changed = session.connection().execute(
        update(m).where(STILL_OWED, m.c.send_after > now + FAR_AHEAD).values(send_after=now)
    )
    return changed.rowcount


def _digest_week(session: Session, now: datetime) -> int:
    f, week = table(Fact), week_of(local_date(now))
    changed = session.connection().execute(update(f).where(f.c.name == LAST_WEEK, f.c.value > week).values(value=week))
    return changed.rowcount
