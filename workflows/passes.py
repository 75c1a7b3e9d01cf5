"""The passes: plain functions (database, now) -> PassReport. Each may crash, overlap, run twice or catch up.

``tick`` runs those that have something to do, in the order in which they feed one another. Nothing here knows a
scheduler or an observer: ``workflows.flows`` shows the same functions in Prefect, ``workflows.heartbeat`` calls them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sqlalchemy import update

from engine import digest as digests
from engine import opening, sweep
from engine.database import Database, insert_new, table
from engine.due import Due, in_window, what_is_due
from engine.records import Pass
from engine.rulebook import read_rulebook
from notifications.delivery import PostOffice
from notifications.delivery import deliver as deliver_letters

SWEEP_BATCH = 2000


class PassName(StrEnum):
    OPEN = "open"
    ACT = "act"
    DIGEST = "digest"
    DELIVER = "deliver"
    AUDIT = "audit"


@dataclass(frozen=True)
class PassReport:
    """What one pass did, in counts a person can read."""

    name: PassName
    counts: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    def __str__(self) -> str:
        said = ", ".join(f"{name} {count}" for name, count in self.counts.items() if count) or "nothing to do"
        return f"{self.name}: {said} ({self.seconds:.2f} s)"


def open_assignments(database: Database, now: datetime) -> PassReport:
    """Open what the active plans' horizons hold."""
    began, opened, plans = time.monotonic(), 0, 0
    while True:
        with database.write() as session:
            count = opening.open_due(session, now)
        if count < 0:
            break
        opened, plans = opened + count, plans + 1
    return _report(database, PassName.OPEN, now, began, {"plans": plans, "assignments": opened})


def act(database: Database, now: datetime, duty_id: int | None = None) -> PassReport:
    """Act on what is due, all of it or one duty's: remind, ask again, escalate."""
    began = time.monotonic()
    total = sweep.Swept()
    while True:
        with database.write() as session:
            swept = sweep.sweep(session, read_rulebook(session), now, limit=SWEEP_BATCH, duty_id=duty_id)
        for name in ("seen", "fired", "skipped", "notices", "unreachable"):
            setattr(total, name, getattr(total, name) + getattr(swept, name))
        if swept.seen < SWEEP_BATCH:
            break
    counts = {"assignments": total.seen, "rungs": total.fired, "skipped": total.skipped, "notices": total.notices,
              "unreachable": total.unreachable}  # fmt: skip
    return _report(database, PassName.ACT, now, began, counts)


def digest(database: Database, now: datetime) -> PassReport:
    """Make this week's digests if their moment has come and they are not made yet."""
    began = time.monotonic()
    counts = {}
    with database.write() as session:
        if digests.is_owed(session, now):
            letters, empty = digests.make(session, now)
            counts = {"digests": letters, "empty": empty}
    return _report(database, PassName.DIGEST, now, began, counts)


async def deliver(database: Database, now: datetime, office: PostOffice) -> PassReport:
    """Send every letter owed by now."""
    began = time.monotonic()
    done = await deliver_letters(database, now, office)
    return _report(database, PassName.DELIVER, now, began, {"letters": done.claimed} | done.fates)


async def tick(database: Database, now: datetime, office: PostOffice) -> list[PassReport]:
    """Everything that is due, in order: open, act, digest, deliver. Nothing due: one look, and no report."""
    reports: list[PassReport] = []
    if due(database, now).open:
        reports.append(open_assignments(database, now))
    for name, run in (("act", act), ("digest", digest)):
        if getattr(due(database, now), name):
            reports.append(run(database, now))
    if reports or due(database, now).deliver:
        reports.append(await deliver(database, now, office))
    return reports


def due(database: Database, now: datetime) -> Due:
    with database.read() as session:
        return what_is_due(session, now)


def may_send(database: Database, now: datetime) -> bool:
    """Whether letters that are not urgent may leave now."""
    with database.read() as session:
        return in_window(now, read_rulebook(session))


def _report(database: Database, name: PassName, now: datetime, began: float, counts: dict[str, int]) -> PassReport:
    report = PassReport(name, counts, time.monotonic() - began)
    if any(counts.values()):
        remember(database, report, now)
    return report


def remember(database: Database, report: PassReport, now: datetime) -> None:
    """Keep the last run of each pass for the health page."""
    passes = table(Pass)
    row = {"started_at": now, "finished_at": now, "counts": report.counts, "error": ""}
    with database.write() as session:
        changed = session.connection().execute(update(passes).where(passes.c.name == report.name.value).values(**row))
        if changed.rowcount == 0:
            insert_new(session, Pass, [{"name": report.name.value, **row}])


PLAIN: dict[PassName, Callable[[Database, datetime], PassReport]] = {
    PassName.OPEN: open_assignments,
    PassName.ACT: act,
    PassName.DIGEST: digest,
}
"""The passes that need no post office."""
