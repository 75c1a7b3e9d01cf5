"""Which passes have work now, and when the next work is due: four index queries, whatever is stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, bindparam, case, exists, func, select
from sqlmodel import Session

from engine.assignments.outbox import next_digest_day, send_day
from engine.assignments.weekly_digest import LAST_LOOK, is_owed, week_day
from engine.rules.calendar import ONE_DAY, instant, local_date
from engine.store.clock import lease_clock
from engine.store.database import table
from engine.store.records import STILL_OWED, Assignment, Fact, Letter, Plan
from engine.store.rulebook import Rulebook, read_rulebook
from engine.terms import LetterState


@dataclass(frozen=True, slots=True)
class Due:
    """Which passes have work now."""

    open: bool
    act: bool
    digest: bool
    deliver: bool

    @property
    def anything(self) -> bool:
        return self.open or self.act or self.digest or self.deliver


def what_is_due(session: Session, now: datetime) -> Due:
    """One statement. The digest needs a second query in the first hours of the week, and letters one outside the send
    window: those that wait for the morning are not due at night."""
    opens, acts, last_look, delivers = session.connection().execute(_statement(_dialect(session)), {"now": now}).one()
    looked = last_look is not None and last_look >= week_day(local_date(now))
    # Plans are opened first, here or in another process; otherwise their contacts would miss this week's digest.
    digest = not opens and not looked and is_owed(session, now)
    return Due(bool(opens), bool(acts), digest, bool(delivers) and _may_leave(session, now))


@cache
def _statement(dialect: str) -> Any:
    """Built once: every tick runs it, and building it takes longer than running it."""
    a, m, p, f = table(Assignment), table(Letter), table(Plan), table(Fact)
    now = bindparam("now", type_=a.c.next_action_at.type)
    return select(
        exists().where(p.c.next_open_at.is_not(None), p.c.next_open_at <= now),
        exists().where(a.c.next_action_at.is_not(None), a.c.next_action_at <= now),
        select(f.c.value).where(f.c.name == LAST_LOOK).scalar_subquery(),
        exists().where(STILL_OWED, m.c.send_after <= now, _claimable(dialect, now)),
    )


def in_window(now: datetime, book: Rulebook) -> bool:
    """True if non-urgent letters may be sent now: on a working day, inside the send window."""
    return opens_at(now, book) == now


def _claimable(dialect: str, now: datetime | ColumnElement[datetime]) -> Any:
    """Condition: the letter is not claimed, or the claim's lease has expired."""
    m = table(Letter)
    return (m.c.state == LetterState.QUEUED) | (m.c.lease_until < lease_clock(dialect, now))


def _dialect(session: Session) -> str:
    return session.connection().dialect.name


def _may_leave(session: Session, now: datetime) -> bool:
    """True if any due letter may be sent at this hour."""
    if in_window(now, read_rulebook(session)):
        return True
    m = table(Letter)
    urgent = select(m.c.id).where(STILL_OWED, m.c.send_after <= now, m.c.urgent, _claimable(_dialect(session), now))
    return session.connection().scalar(urgent.limit(1)) is not None


def next_moment(session: Session, after: datetime) -> datetime | None:
    """The next instant after ``after`` at which a pass has work; None if there is none."""
    columns = table(Assignment).c.next_action_at, table(Plan).c.next_open_at
    moments = [session.connection().scalar(select(func.min(column)).where(column > after)) for column in columns]
    moments += [_next_letter(session, after), _next_digest(session, after)]
    return min((moment for moment in moments if moment is not None), default=None)


def _next_letter(session: Session, after: datetime) -> datetime | None:
    """When the next letter is sent: at its own time, or when the send window opens."""
    m = table(Letter)
    statement = select(m.c.urgent, func.min(m.c.send_after), func.min(case((m.c.send_after > after, m.c.send_after))))
    book = read_rulebook(session)
    moments = []
    for urgent, earliest, later in session.connection().execute(statement.where(STILL_OWED).group_by(m.c.urgent)):
        if later is not None:
            moments.append(later if urgent else opens_at(later, book))
        if not urgent and earliest <= after:
            moments.append(opens_at(after, book))
    return min((moment for moment in moments if moment is not None and moment > after), default=None)


def opens_at(moment: datetime, book: Rulebook) -> datetime | None:
    """The first instant from ``moment`` on at which non-urgent letters may be sent."""
    policy = book.general
    if policy is None:
        return None
    return max(moment, instant(send_day(moment, policy, book.calendar), policy.window.opens))


def _next_digest(session: Session, after: datetime) -> datetime | None:
    """The time of the next digest, if any assignment has a due date."""
    a = table(Assignment)
    if session.connection().scalar(select(a.c.id).where(a.c.due_on.is_not(None)).limit(1)) is None:
        return None
    book = read_rulebook(session)
    policy = book.general
    if policy is None:
        return None
    today = local_date(after)
    decided = after >= instant(today, policy.decide_at)
    day = next_digest_day(today + ONE_DAY if decided else today, policy, book.calendar)
    return None if day is None else instant(day, policy.decide_at)
