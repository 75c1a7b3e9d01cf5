"""Undo what a wrong clock or a hand in the database left behind: ``dondoc repair``.

Everything that is computed can be computed again: the next action of open assignments from their ladder, the week of
the last digest from the calendar. Letters that would leave too late leave on the day that they were made for, or with
the next ones. Nothing is sent or deleted here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime

from sqlalchemy import bindparam, exists, func, or_, select, update
from sqlmodel import Session

from engine.application.daily_cleanup import LAST_CLEANUP_FACT
from engine.assignments.weekly_digest import LAST_LOOK, week_day, week_of
from engine.errors import Unavailable
from engine.rules.calendar import ONE_DAY, local_date
from engine.rules.policy import MAX_LEVEL
from engine.store import search_index
from engine.store.database import Database, table
from engine.store.records import STILL_OWED, Assignment, Event, Fact, Letter, Plan, Promise
from engine.store.records.work import CHASED
from engine.terms import EventKind, LetterState, PromiseState
from workflows.checks.audit import letters_far_ahead, recomputed
from workflows.checks.log_checks import EARLY, free_early_rungs, missed
from workflows.checks.record_checks import plans_to_open

log = logging.getLogger(__name__)


def repair(database: Database, now: datetime) -> dict[str, int]:
    """What was corrected, by name; -1 where a row holds what cannot be read: the other steps are done all the same."""
    steps: Mapping[str, Callable[[Session], int]] = {
        "early": lambda session: free_early_rungs(session, now),
        "rungs": _missed_rungs,
        "assignments": lambda session: _next_actions(session, now),
        "letters": lambda session: _far_ahead(session, now),
        "digests": lambda session: _digest_week(session, now),
        "cleanups": lambda session: _last_cleanup(session, now),
        "openings": lambda session: _openings(session, now),
        "leases": _without_lease,
        "levels": _levels,
        "promises": _promised_days,
        "search": lambda session: int(search_index.ensure(session.connection())),
    }
    with database.write() as session:
        return {name: _done(session, name, step) for name, step in steps.items()}


def _done(session: Session, name: str, step: Callable[[Session], int]) -> int:
    try:
        with session.begin_nested():
            return step(session)
    except Unavailable:
        raise
    except Exception as error:  # noqa: BLE001 - an impossible value in one row must not keep the others from repair
        log.error("repair: %s cannot be computed (%s: %s)", name, type(error).__name__, str(error)[:200])
        return -1


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


def _missed_rungs(session: Session) -> int:
    """Ladders are followed on from the day up to which they were followed indeed: the next pass looks at them."""
    a, found = table(Assignment), missed(session)
    for assignment_id, followed in found.items():
        session.connection().execute(update(a).where(a.c.id == assignment_id).values(acted_until=followed))
    return len(found)


def _levels(session: Session) -> int:
    """The level of unfinished tasks is the highest of the rungs that were reached."""
    a, e = table(Assignment), table(Event)
    level = func.coalesce(e.c.detail["level"].as_integer(), MAX_LEVEL)
    fired = (e.c.assignment_id == a.c.id, e.c.kind == EventKind.RUNG_FIRED, e.c.key.not_like(f"%{EARLY}%"))
    reached = select(func.coalesce(func.max(level), 0)).where(*fired)
    highest = reached.correlate(a).scalar_subquery()
    lower = update(a).where(CHASED, a.c.level > highest).values(level=highest)
    return session.connection().execute(lower).rowcount


def _openings(session: Session, now: datetime) -> int:
    """Plans that forgot what is still to come look again at the next pass."""
    p, ids = table(Plan), plans_to_open(session, now)
    for plan_id in ids:
        session.connection().execute(update(p).where(p.c.id == plan_id).values(next_open_at=now))
    return len(ids)


def _without_lease(session: Session) -> int:
    """Letters that nobody has leased are owed again: whether they left is not known, so they count as tried."""
    m = table(Letter)
    gone = (STILL_OWED, m.c.state == LetterState.SENDING, or_(m.c.lease_until.is_(None), m.c.leased_by == ""))
    owed = {"state": LetterState.QUEUED, "lease_until": None, "leased_by": "", "lost_leases": m.c.lost_leases + 1}
    return session.connection().execute(update(m).where(*gone).values(**owed)).rowcount


def _promised_days(session: Session) -> int:
    """Tasks wait for the day that their standing promise names."""
    a, p = table(Assignment), table(Promise)
    standing = (p.c.assignment_id == a.c.id, p.c.state == PromiseState.STANDING)
    day = select(p.c.promised_on).where(*standing).correlate(a).scalar_subquery()
    other = exists().where(*standing, or_(a.c.promised_on.is_(None), a.c.promised_on != p.c.promised_on))
    return session.connection().execute(update(a).where(a.c.done_on.is_(None), other).values(promised_on=day)).rowcount


def _far_ahead(session: Session, now: datetime) -> int:
    m, found = table(Letter), letters_far_ahead(session, now)
    for letter_id, when in found.items():
        session.connection().execute(update(m).where(m.c.id == letter_id).values(send_after=when.send_after))
    return len(found)


def _digest_week(session: Session, now: datetime) -> int:
    """This week's readers are looked for again; who had its digest gets no second one."""
    f, today = table(Fact), local_date(now)
    ahead = (f.c.name == LAST_LOOK, f.c.value > week_day(today))
    return session.connection().execute(update(f).where(*ahead).values(value=week_of(today))).rowcount


def _last_cleanup(session: Session, now: datetime) -> int:
    """The next pass cleans up again."""
    f, today = table(Fact), local_date(now)
    ahead = (f.c.name == LAST_CLEANUP_FACT, f.c.value > today.isoformat())
    yesterday = (today - ONE_DAY).isoformat()
    return session.connection().execute(update(f).where(*ahead).values(value=yesterday)).rowcount
