"""The self-audit: every open assignment has a next action or a recorded reason, and no letter is stuck.

Findings are shown on the health page and appended as events, each once a day. A clean audit pings the heartbeat URL,
so that an external monitor notices when the whole system is down.
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
from workflows.passes import PassName, PassReport, record_run

log = logging.getLogger(__name__)
STUCK_TOLERANCE = timedelta(minutes=30)
"""How long something may be due before it counts as stuck: several ticks and a slow relay."""


@dataclass(frozen=True)
class Audit:
    """Counts that should be zero, and the time of the oldest letter still to be sent (for information)."""

    without_next_step: int
    overdue_looks: int
    stuck_letters: int
    unknown_letters: int
    oldest_unsent: datetime | None

    @property
    def clean(self) -> bool:
        return not (self.without_next_step or self.overdue_looks or self.stuck_letters)


def run_checks(database: Database, now: datetime) -> Audit:
    """Query the database; each query uses a partial index."""
    a, m = table(Assignment), table(Letter)
    late = now - STUCK_TOLERANCE
    with database.read() as session:
        scalar = session.connection().scalar
        return Audit(
            without_next_step=scalar(select(func.count()).select_from(a).where(LOST)) or 0,
            overdue_looks=scalar(
                select(func.count()).select_from(a).where(a.c.next_action_at.is_not(None), a.c.next_action_at < late)
            )
            or 0,
            stuck_letters=scalar(
                select(func.count())
                .select_from(m)
                .where(
                    STILL_OWED,
                    m.c.send_after < late,
                    m.c.created_at < late,  # a letter made at noon may have send_after 07:30
                    (m.c.attempts == 0) | (m.c.state == LetterState.SENDING),
                )
            )
            or 0,
            unknown_letters=scalar(
                select(func.count())
                .select_from(m)
                .where(m.c.state == LetterState.UNKNOWN, m.c.settled_at > now - timedelta(days=1))
            )
            or 0,
            oldest_unsent=scalar(select(func.min(m.c.send_after)).where(STILL_OWED, m.c.send_after <= now)),
        )


def audit(
    database: Database, now: datetime, heartbeat_url: str = "", *, may_rest: bool = False, open_files: int = 0
) -> PassReport:
    """Run the checks, record findings, and ping if there are none. ``may_rest``: queued letters are expected to wait
    now (outside sending hours). ``open_files``: files of the data folder that others may read."""
    began = time.monotonic()
    result = run_checks(database, now)
    stuck = 0 if may_rest else result.stuck_letters
    counts = {
        "without_next_step": result.without_next_step,
        "overdue_looks": result.overdue_looks,
        "stuck_letters": stuck,
        "unknown_letters": result.unknown_letters,
        "open_files": open_files,
    }
    findings = {name: count for name, count in counts.items() if count and name != "unknown_letters"}
    today = local_date(now).isoformat()
    if findings:
        with database.write() as session:
            append(
                session,
                [
                    event(EventKind.AUDIT_FAILED, now, key=f"audit:{name}:{today}", finding=name, count=count)
                    for name, count in findings.items()
                ],
            )
        log.error("audit: %s", ", ".join(f"{name} {count}" for name, count in findings.items()))
    report = PassReport(PassName.AUDIT, counts, time.monotonic() - began)
    record_run(database, report, now)
    if heartbeat_url and not findings:
        _ping(heartbeat_url)
    return report


def _ping(url: str) -> None:
    try:
        httpx.get(url, timeout=5).raise_for_status()
    except httpx.HTTPError as error:
        log.warning("the heartbeat URL did not answer: %s", error)
