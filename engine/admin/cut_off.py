"""The figures of a period are published by themselves once it is over: on the day after its last due date, or as many
days after as the policy says. What happens later, a reorganisation too, is a restatement beside them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlmodel import Session

from engine.admin.published_figures import publish_figures
from engine.files.plan import ONCE
from engine.rules.calendar import local_date
from engine.rules.periods import split_after
from engine.store.database import table
from engine.store.records import Assignment, Plan, PublishedFigures
from engine.store.rulebook import read_rulebook
from engine.store.stored_rows import objects
from engine.terms import PlanState

LOOKED_BACK = timedelta(days=45)
"""How far back a period is looked for that nobody published, as after days without a server."""


@dataclass(frozen=True, slots=True)
class Closed:
    """A period of a running plan whose last due date, as first set, has passed. ``opened``: when its first reports were
    asked for, which is later in a plan that began late."""

    plan_id: int
    period: str
    last_due: date
    opened: date
    policy_id: str

    def cut_off(self, days: int) -> date:
        return max(self.last_due + timedelta(days=days), self.opened)


def publish_closed(session: Session, now: datetime) -> int:
    """Publish the figures of the periods that are over and have none; returns how many. For a daily pass."""
    today, book, count = local_date(now), read_rulebook(session), 0
    for each in _closed(session, today, since=today - LOOKED_BACK):
        days = book.policy(each.policy_id).cut_off_days
        cut_off = each.cut_off(days)
        if days and cut_off <= today:
            publish_figures(session, each.plan_id, each.period, cut_off, actor="system", now=now)
            count += 1
    return count


def publish_before(session: Session, plan_ids: Iterable[int], now: datetime, *, actor: str) -> int:
    """Publish what is over in some plans and has not been published, as it stands before an act that reorganises who
    owes it; returns how many."""
    closed = [each for each in _closed(session, local_date(now)) if each.plan_id in set(plan_ids)]
    for each in closed:
        publish_figures(session, each.plan_id, each.period, each.cut_off(1), actor=actor, now=now)
    return len(closed)


def _closed(session: Session, today: date, since: date | None = None) -> list[Closed]:
    """The closed periods of running plans without published figures; with ``since``, those of which something was due
    from that day on. The periods are found by an index of the due dates."""
    a, p, f = table(Assignment), table(Plan), table(PublishedFigures)
    connection = session.connection()
    due = [a.c.due_on < today] if since is None else [a.c.due_on < today, a.c.due_on >= since]
    found = select(a.c.plan_id, a.c.period).where(*due).distinct().subquery()
    published = select(f.c.id).where(f.c.plan_id == a.c.plan_id, f.c.period == a.c.period).exists()
    statement = (
        select(
            a.c.plan_id,
            a.c.period,
            func.max(a.c.original_due_on).label("last_due"),
            func.min(a.c.opened_on).label("opened"),
            p.c.policy_id,
        )
        .join(found, (found.c.plan_id == a.c.plan_id) & (found.c.period == a.c.period))
        .join(p, p.c.id == a.c.plan_id)
        .where(p.c.state == PlanState.ACTIVE, a.c.period != ONCE, ~published)
        .group_by(a.c.plan_id, a.c.period, p.c.policy_id)
        .having(func.max(a.c.original_due_on) < today)
        .order_by(a.c.plan_id, a.c.period)
    )
    closed = objects(Closed, connection.execute(statement))
    return [each for each in closed if split_after(each.period)[1] is None]
