"""What the audit is told that is not in the rows it reads: the disk, the backups, the holidays of the next year, the
daily canary, or the weekly letter that somebody confirms. Each stops the heartbeat's ping, so that somebody hears
before it is felt."""

from __future__ import annotations

import shutil
from datetime import date, datetime, timedelta
from pathlib import Path

from sqlalchemy import exists, func, select
from sqlmodel import Session

from config.settings import ArrivalProof, Settings
from engine.rules.calendar import DayKind, local_date
from engine.store.database import Database, table
from engine.store.markers import last_backup
from engine.store.records import CalendarDay, Plan
from engine.terms import PlanState
from notifications import canary, weekly_letter
from workflows.checks.record_checks import evidence_lost

MAX_BACKUP_AGE = timedelta(days=3)
LEAST_FREE = 0.1
"""Of the data folder's disk."""
HOLIDAYS_BY = (12, 15)
"""Month and day by which the next year's holidays are entered; they are published in November."""


def machine_findings(settings: Settings, database: Database, now: datetime) -> dict[str, int]:
    """A demonstration is never backed up, and its years go by in minutes."""
    if settings.demo:
        return {}
    with database.read() as session:
        found = {"backup_old": backup_old(session, now), "holidays_missing": holidays_missing(session, now)}
        if settings.arrival_proof is ArrivalProof.DAILY:
            found["canary_missing"] = canary.missing(session, now)
        elif settings.arrival_proof is ArrivalProof.WEEKLY:
            found["arrival_unconfirmed"] = weekly_letter.unconfirmed(session, now)
    return found | {
        "disk_low": disk_low(settings.data_dir),
        "evidence_lost": evidence_lost(database, settings.files),
    }


def disk_low(folder: Path, least: float = LEAST_FREE) -> int:
    usage = shutil.disk_usage(folder)
    return int(usage.free < usage.total * least)


def backup_old(session: Session, now: datetime) -> int:
    """No good backup for three days, of an office whose plans have run as long."""
    p = table(Plan)
    begun = session.connection().scalar(select(func.min(p.c.activated_at)).where(p.c.state == PlanState.ACTIVE))
    if begun is None:
        return 0
    return int(now - max(begun, last_backup(session) or begun) > MAX_BACKUP_AGE)


def holidays_missing(session: Session, now: datetime) -> int:
    """Nobody has entered the holidays of the next year by the middle of December, and a plan is running."""
    today, d, p = local_date(now), table(CalendarDay), table(Plan)
    if today < date(today.year, *HOLIDAYS_BY):
        return 0
    following = (d.c.day >= date(today.year + 1, 1, 1), d.c.day <= date(today.year + 1, 12, 31))
    entered = exists().where(d.c.kind == DayKind.HOLIDAY, *following)
    running = exists().where(p.c.state == PlanState.ACTIVE)
    return int(bool(session.connection().scalar(select(running & ~entered))))
