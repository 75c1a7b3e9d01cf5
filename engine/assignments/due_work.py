"""What is due, and when something next will be: a look at four indexes, whatever is stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import bindparam, case, exists, func, select
from sqlmodel import Session

from engine.assignments.weekly_digest import LAST_WEEK, digest_day, is_owed, schedule, week_of
from engine.rules.calendar import ONE_DAY, instant, local_date
from engine.store.database import table
from engine.store.records import STILL_OWED, Assignment, Fact, Letter, Plan
from engine.store.rulebook import Rulebook, read_rulebook
from engine.terms import LetterState


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
    """One statement; the digest needs a second look in the week's first hours, and letters one outside the window:
    those that wait for the morning are not due all night."""
    opens, acts, week, delivers = session.connection().execute(_look(), {"now": now}).one()
    made = week is not None and week >= week_of(local_date(now))
    # A plan about to open, here or in another process, comes first: else its people would miss this week's digest.
    digest = not opens and not made and is_owed(session, now)
    return Due(bool(opens), bool(acts), digest, bool(delivers) and _may_leave(session, now))


@cache
def _look() -> Any:
    """Made once: every tick asks it, and to make it takes longer than to answer it."""
    a, m, p, f = table(Assignment), table(Letter), table(Plan), table(Fact)
    now = bindparam("now", type_=a.c.next_action_at.type)
    return select(
        exists().where(p.c.next_open_at.is_not(None), p.c.next_open_at <= now),
        exists().where(a.c.next_action_at.is_not(None), a.c.next_action_at <= now),
        select(f.c.value).where(f.c.name == LAST_WEEK).scalar_subquery(),
        exists().where(STILL_OWED, m.c.send_after <= now, _free(now)),
    )


def in_window(now: datetime, book: Rulebook) -> bool:
    """Whether letters that are not urgent may leave now: a working day, inside the window."""
    policy = schedule(book)
    today = local_date(now)
    if policy is None or not book.calendar.is_working(today):
        return False
    return instant(today, policy.window.opens) <= now < instant(today, policy.window.closes)


def _free(now: Any) -> Any:
    """Nobody is sending it: not claimed, or claimed by somebody whose lease ran out."""
    m = table(Letter)
    return (m.c.state == LetterState.QUEUED) | (m.c.lease_until < now)


def _may_leave(session: Session, now: datetime) -> bool:
    """Whether any of the letters that are due may leave at this hour."""
    if in_window(now, read_rulebook(session)):
        return True
    m = table(Letter)
    urgent = select(m.c.id).where(STILL_OWED, m.c.send_after <= now, m.c.urgent, _free(now)).limit(1)
    return session.connection().scalar(urgent) is not None


def next_moment(session: Session, after: datetime) -> datetime | None:
    """The next instant after ``after`` at which a pass will have something to do; None if there is none."""
    columns = table(Assignment).c.next_action_at, table(Plan).c.next_open_at
    found = [session.connection().scalar(select(func.min(column)).where(column > after)) for column in columns]
    found += [_next_letter(session, after), _next_digest(session, after)]
    return min((moment for moment in found if moment is not None), default=None)


def _next_letter(session: Session, after: datetime) -> datetime | None:
    """When a letter next leaves: at its own moment, or when the window opens for those that wait outside of it."""
    m = table(Letter)
    asked = select(m.c.urgent, func.min(m.c.send_after), func.min(case((m.c.send_after > after, m.c.send_after))))
    book = read_rulebook(session)
    found = []
    for urgent, earliest, later in session.connection().execute(asked.where(STILL_OWED).group_by(m.c.urgent)):
        if later is not None:
            found.append(later if urgent else opens_at(later, book))
        if not urgent and earliest <= after:
            found.append(opens_at(after, book))
    return min((moment for moment in found if moment is not None and moment > after), default=None)


def opens_at(moment: datetime, book: Rulebook) -> datetime | None:
    """The first instant from ``moment`` on at which letters that are not urgent may leave."""
    policy = schedule(book)
    if policy is None or in_window(moment, book):
        return moment if policy else None
    day = local_date(moment)
    if moment >= instant(day, policy.window.closes):
        day += ONE_DAY
    return instant(book.calendar.on_or_after(day), policy.window.opens)


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
