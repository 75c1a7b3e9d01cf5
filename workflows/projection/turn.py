"""One projector at a time, whoever else serves the same database: a turn is a lease, by the database's clock."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlmodel import Session

from engine.store.clock import system_clock
from engine.store.database import Database
from engine.store.facts import read_fact, swap_fact

TURN = "prefect_projector"
LEASE, RENEW_BEFORE = timedelta(seconds=120), timedelta(seconds=60)


def take_turn(database: Database, holder: str) -> bool:
    """Whether it is this process's turn. Writes once a minute; what a dead process had is free after two."""
    with database.read() as session:
        value, now = read_fact(session, TURN) or "", _clock(session)
    whose, until = _read(value, now)
    if whose == holder and until - now > RENEW_BEFORE:
        return True
    if whose != holder and until > now:
        return False
    with database.write() as session:
        return swap_fact(session, TURN, value, f"{holder} {(now + LEASE).isoformat()}")


def _read(value: str, now: datetime) -> tuple[str, datetime]:
    whose, _, until = value.partition(" ")
    return whose, datetime.fromisoformat(until) if until else now


def _clock(session: Session) -> datetime:
    if session.connection().dialect.name == "postgresql":
        moment: datetime = session.connection().scalars(select(func.clock_timestamp())).one()
        return moment
    return system_clock()
