"""Undo what a wrong clock or a hand in the database left behind: ``dondoc repair``.

Everything that is computed can be computed again: the next action of open assignments from their ladder, the week of
the last digest from the calendar. Letters dated far ahead go out with the next pass. Nothing is sent or deleted here.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, update
from sqlmodel import Session

from engine.assignments.weekly_digest import LAST_WEEK, week_of
from engine.rules.calendar import local_date
from engine.store import search_index
from engine.store.database import Database, table
from engine.store.records import STILL_OWED, Assignment, Fact, Letter
from workflows.run.audit import FAR_AHEAD, recomputed


def repair(database: Database, now: datetime) -> dict[str, int]:
    """What was corrected, by name."""
    with database.write() as session:
        return {
            "assignments": _next_actions(session, now),
            "letters": _far_ahead(session, now),
            "digests": _digest_week(session, now),
            "search": int(search_index.ensure(session.connection())),
        }


def _next_actions(session: Session, now: datetime) -> int:
    """Open assignments of running plans whose next action is missing, or later than their ladder says."""
    a = table(Assignment)
    changes: list[dict[str, object]] = []
    for each in recomputed(session, now):
        row, at = each.row, each.at
        earlier = at is not None and (row.next_action_at is None or row.next_action_at > at)
        silent = at is None and row.next_action_at is None and row.quiet is None
        if earlier or silent or each.acted_until != row.acted_until:
            changes.append({"row_id": row.id, "set_next": at, "set_quiet": each.quiet, "set_acted": each.acted_until})
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
