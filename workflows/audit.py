"""The self-audit: every live assignment has a next action or a stated reason, and no letter lies unsent.

The findings go to the health page and, once a day each, into the events; a clean audit pings the heartbeat URL, so
that somebody outside notices when this whole system stands still.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx
from sqlalchemy import func, select

from engine.rules.calendar import local_date
from engine.store.database import Database, table
from engine.store.event_log import append, event
from engine.store.records import LOST, STILL_OWED, Assignment, Letter
from engine.terms import EventKind, LetterState
from workflows.passes import PassName, PassReport, remember

log = logging.getLogger(__name__)
OVERDUE_LOOK_TOLERANCE = timedelta(minutes=30)
"""How long something may stay due before it counts as stuck: several ticks and a slow relay."""


@dataclass(frozen=True)
class Audit:
    """Counts that should all be nought, and the oldest letter still owed (informative on its own)."""

    without_next_step: int
    overdue_looks: int
    stuck_letters: int
    unknown_letters: int
    oldest_unsent: datetime | None

    @property
    def clean(self) -> bool:
        return not (self.without_next_step or self.overdue_looks or self.stuck_letters)


def look(database: Database, now: datetime) -> Audit:
    """Ask the database; each question is served by a partial index."""
    a, m = table(Assignment), table(Letter)
    late = now - OVERDUE_LOOK_TOLERANCE
    with database.read() as session:
        ask = session.connection().scalar
        return Audit(
            without_next_step=ask(select(func.count()).select_from(a).where(LOST)) or 0,
            overdue_looks=ask(
                select(func.count()).select_from(a).where(a.c.next_action_at.is_not(None), a.c.next_action_at < late)
            )
            or 0,
            stuck_letters=ask(
                select(func.count())
                .select_from(m)
                .where(
                    STILL_OWED,
                    m.c.send_after < late,
                    m.c.created_at < late,  # made at noon, it may say 07:30
                    (m.c.attempts == 0) | (m.c.state == LetterState.SENDING),
                )
            )
            or 0,
            unknown_letters=ask(
                select(func.count())
                .select_from(m)
                .where(m.c.state == LetterState.UNKNOWN, m.c.settled_at > now - timedelta(days=1))
            )
            or 0,
            oldest_unsent=ask(select(func.min(m.c.send_after)).where(STILL_OWED, m.c.send_after <= now)),
        )


def audit(database: Database, now: datetime, heartbeat_url: str = "", *, may_rest: bool = False) -> PassReport:
    """Look, record what is wrong, and ping when nothing is. ``may_rest``: letters may rightly wait now (night)."""
    began = time.monotonic()
    found = look(database, now)
    stuck = 0 if may_rest else found.stuck_letters
    counts = {
        "without_next_step": found.without_next_step,
        "overdue_looks": found.overdue_looks,
        "stuck_letters": stuck,
        "unknown_letters": found.unknown_letters,
    }
    wrong = {name: count for name, count in counts.items() if count and name != "unknown_letters"}
    today = local_date(now).isoformat()
    if wrong:
        with database.write() as session:
            append(
                session,
                [
                    event(EventKind.AUDIT_FAILED, now, key=f"audit:{name}:{today}", finding=name, count=count)
                    for name, count in wrong.items()
                ],
            )
        log.error("audit: %s", ", ".join(f"{name} {count}" for name, count in wrong.items()))
    report = PassReport(PassName.AUDIT, counts, time.monotonic() - began)
    remember(database, report, now)
    if heartbeat_url and not wrong:
        _ping(heartbeat_url)
    return report


def _ping(url: str) -> None:
    try:
        httpx.get(url, timeout=5).raise_for_status()
    except httpx.HTTPError as error:
        log.warning("the heartbeat URL did not answer: %s", error)
