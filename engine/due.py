"""What is due, and when something next will be: a look at four indexes, whatever is stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import exists, func, select
from sqlmodel import Session

from engine.calendar import instant, local_date
from engine.database import table
from engine.digest import LAST_WEEK, digest_day, is_owed, schedule, week_of
from engine.records import STILL_OWED, Assignment, Fact, Letter, Plan
from engine.rulebook import read_rulebook


@dataclass(frozen=True, slots=True)
class Due:
    """Which passes have something to do now."""

    open: bool
    act: bool
    digest: bool
    deliver: bool

    @property
    def anything(self) -> bool:
        return self.open or self.act or self.digest or self.deliver


def what_is_due(session: Session, now: datetime) -> Due:
    """One statement; the digest alone needs a second look in the week's first hours."""
    a, m, p, f = table(Assignment), table(Letter), table(Plan), table(Fact)
    looked = select(
        exists().where(p.c.next_open_at.is_not(None), p.c.next_open_at <= now),
        exists().where(a.c.next_action_at.is_not(None), a.c.next_action_at <= now),
        select(f.c.value).where(f.c.name == LAST_WEEK).scalar_subquery(),
        exists().where(STILL_OWED, m.c.send_after <= now),
    )
    opens, acts, week, delivers = session.connection().execute(looked).one()
    made = week is not None and week >= week_of(local_date(now))
    return Due(bool(opens), bool(acts), not made and is_owed(session, now), bool(delivers))


def next_moment(session: Session, after: datetime) -> datetime | None:
    """The next instant after ``after`` at which a pass will have something to do; None if there is none."""
    a, m, p = table(Assignment), table(Letter), table(Plan)
    connection = session.connection()
    found = [
        connection.scalar(select(func.min(column)).where(column > after, *also))
        for column, also in (
            (a.c.next_action_at, ()), (p.c.next_open_at, ()), (m.c.send_after, (STILL_OWED,)),
        )
    ]  # fmt: skip
    found.append(_next_digest(session, after))
    return min((moment for moment in found if moment is not None), default=None)


def _next_digest(session: Session, after: datetime) -> datetime | None:
    """The next digest's moment, while any plan is active and has something open."""
    a = table(Assignment)
    if session.connection().scalar(select(a.c.id).where(a.c.due_on.is_not(None)).limit(1)) is None:
        return None
    book = read_rulebook(session)
    policy = schedule(book)
    if policy is None:
        return None
    day = local_date(after)
    for weeks in range(4):
        wanted = digest_day(day + timedelta(days=7 * weeks), policy, book.calendar)
        if wanted is not None and instant(wanted, policy.decide_at) > after:
            return instant(wanted, policy.decide_at)
    return None
