"""What an installation remembers of itself: its last backup, that it was restored from one, that its mail was tried."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import delete, func, select
from sqlmodel import Session

from engine.store.database import insert_new, table
from engine.store.facts import read_as, read_fact, read_instant, write_fact
from engine.store.records import STILL_OWED, Fact, Letter

BACKUP, HOLD, EPOCHS = "last_backup", "restored", "epochs"
INSTALLATION = "installation"
"""The id of the installation and a check value of its secret (``workflows.run.installation``)."""


MAIL_TRIED, LAST_TICK = "mail_tried", "last_tick"
UNKNOWN = datetime(1970, 1, 1, tzinfo=UTC)
"""Of a hold whose times cannot be read: letters are held all the same."""


@dataclass(frozen=True, slots=True)
class Hold:
    """No letter leaves an earlier copy, restored or put back: what it does not know may have been sent already."""

    backup_at: datetime
    restored_at: datetime


def last_backup(session: Session) -> datetime | None:
    return read_instant(read_fact(session, BACKUP))


def remember_backup(session: Session, now: datetime) -> None:
    write_fact(session, BACKUP, now.isoformat())


def last_tick(session: Session) -> datetime | None:
    """When a tick last came to its end, by the system's clock."""
    return read_instant(read_fact(session, LAST_TICK))


def remember_tick(session: Session, now: datetime) -> None:
    write_fact(session, LAST_TICK, now.isoformat())


def mail_tried(session: Session, host: str) -> datetime | None:
    """When this relay last accepted a test letter."""
    tried_host, _, at = (read_fact(session, MAIL_TRIED) or "").partition(" ")
    return read_instant(at) if tried_host == host else None


def remember_mail_tried(session: Session, host: str, now: datetime) -> None:
    write_fact(session, MAIL_TRIED, f"{host} {now.isoformat()}")


def hold(session: Session) -> Hold | None:
    """Why letters are held; None if they are not."""
    value = read_fact(session, HOLD)
    if not value:
        return None
    return read_as(value, _hold, Hold(UNKNOWN, UNKNOWN))


def _hold(kept: Mapping[str, str]) -> Hold:
    return Hold(datetime.fromisoformat(kept["backup_at"]), datetime.fromisoformat(kept["restored_at"]))


def hold_letters(session: Session, since: Hold) -> None:
    value = {"backup_at": since.backup_at.isoformat(), "restored_at": since.restored_at.isoformat()}
    write_fact(session, HOLD, json.dumps(value))


def end_hold(session: Session) -> None:
    begin_epoch(session)
    session.connection().execute(delete(table(Fact)).where(table(Fact).c.name == HOLD))


def epochs(session: Session) -> tuple[str, ...]:
    """Random names of the database's epochs, the newest last. One begins when a person lets go what was held."""
    return read_as(read_fact(session, EPOCHS), lambda kept: tuple(map(str, kept)), ())


def begin_epoch(session: Session, *, first: bool = False) -> None:
    """``first``: only where there is none yet. Of two transactions the second waits, so that neither's is lost."""
    f = table(Fact)
    insert_new(session, Fact, [{"name": EPOCHS, "value": "[]"}])
    locked = select(f.c.value).where(f.c.name == EPOCHS).with_for_update()
    known: list[str] = read_as(session.connection().scalar(locked), list, [])
    if not (first and known):
        write_fact(session, EPOCHS, json.dumps([*known, secrets.token_hex(8)]))


def installation(session: Session) -> str:
    """The id of the installation; empty where there is none."""
    return read_as(read_fact(session, INSTALLATION), lambda kept: str(kept["id"]), "")


def held_letters(session: Session, now: datetime) -> int:
    """How many letters would leave now if they were not held."""
    m = table(Letter)
    statement = select(func.count()).select_from(m).where(STILL_OWED, m.c.send_after <= now)
    return session.connection().scalar(statement) or 0
