"""What an installation remembers of its backups: when the last one was made, and that it was restored from one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlmodel import Session

from engine.store.database import insert_new, table
from engine.store.records import STILL_OWED, Fact, Letter

BACKUP, HOLD = "last_backup", "restored"


@dataclass(frozen=True, slots=True)
class Hold:
    """No letter leaves since a restore: what the copy does not know may have been sent already."""

    backup_at: datetime
    restored_at: datetime


def last_backup(session: Session) -> datetime | None:
    value = _value(session, BACKUP)
    return datetime.fromisoformat(value) if value else None


def remember_backup(session: Session, now: datetime) -> None:
    _set(session, BACKUP, now.isoformat())


def hold(session: Session) -> Hold | None:
    """Why letters are held; None if they are not."""
    value = _value(session, HOLD)
    if not value:
        return None
    found = json.loads(value)
    return Hold(datetime.fromisoformat(found["backup_at"]), datetime.fromisoformat(found["restored_at"]))


def hold_letters(session: Session, since: Hold) -> None:
    value = {"backup_at": since.backup_at.isoformat(), "restored_at": since.restored_at.isoformat()}
    _set(session, HOLD, json.dumps(value))


def end_hold(session: Session) -> None:
    session.connection().execute(delete(table(Fact)).where(table(Fact).c.name == HOLD))


def held_letters(session: Session, now: datetime) -> int:
    """How many letters would leave now if they were not held."""
    m = table(Letter)
    statement = select(func.count()).select_from(m).where(STILL_OWED, m.c.send_after <= now)
    return session.connection().scalar(statement) or 0


def _value(session: Session, name: str) -> str:
    f = table(Fact)
    return str(session.connection().scalar(select(f.c.value).where(f.c.name == name)) or "")


def _set(session: Session, name: str, value: str) -> None:
    f = table(Fact)
    insert_new(session, Fact, [{"name": name, "value": value}])
    session.connection().execute(update(f).where(f.c.name == name).values(value=value))
