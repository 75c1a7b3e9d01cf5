"""Which worker has which letter.

A letter is sent by whom it is leased to; what a dead worker had is free when the lease has run out. Every statement is
guarded by the lease's owner, so two workers never both change a letter. A lease is real time, by one clock for all
machines (``lease_clock``): what is owed by when is the plan's time, and ``moment`` is what a worker takes that to be.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, case, select, update
from sqlmodel import Session

from engine.store.clock import lease_clock
from engine.store.database import among, table, update_rows
from engine.store.event_log import append, event
from engine.store.records import STILL_OWED, Letter
from engine.store.stored_rows import columns_for, objects
from engine.terms import EventKind, LetterState

BATCH = 100
"""Letters of a claim: so few that others who send find some, and no process sits on what is owed."""
MAX_LOST_LEASES = 2
"""So often a letter's lease may run out while it is on the wire; then its fate is unknown."""


class LeaseLost(Exception):
    """A letter is leased to another worker by now, or to nobody."""


def anything_owed(session: Session, now: datetime, held: Collection[str]) -> bool:
    letters = table(Letter)
    owed = select(letters.c.id).where(STILL_OWED, letters.c.send_after <= now, letters.c.channel.not_in(held)).limit(1)
    return session.connection().scalar(owed) is not None


@dataclass(frozen=True, slots=True)
class ClaimedLetter:
    """A letter that this worker has leased."""

    id: int
    key: str
    attempts: int
    created_at: datetime
    send_after: datetime
    lost_leases: int


def claim(
    session: Session,
    moment: datetime,
    worker: str,
    lease: timedelta,
    held: Collection[str] = (),
    agencies: Collection[str] | None = None,
    *,
    urgent_only: bool,
) -> dict[int, ClaimedLetter]:
    """Lease up to a batch of owed letters to this worker, by id. Others' live leases are left alone.

    A letter whose lease ran out while it was on the wire is counted, and the second time it is not sent again."""
    letters, clock = table(Letter), lease_clock(session.connection().dialect.name, moment)
    free = (letters.c.state == LetterState.QUEUED) | (letters.c.lease_until < clock)
    owed = select(letters.c.id).where(STILL_OWED, letters.c.send_after <= moment, free)
    if held:
        owed = owed.where(letters.c.channel.not_in(held))
    if urgent_only:
        owed = owed.where(letters.c.urgent)
    if agencies is not None:
        owed = owed.where(among(session, letters.c.agency_id, agencies))
    owed = owed.order_by(letters.c.send_after, letters.c.id).limit(BATCH).with_for_update(skip_locked=True)
    lost = letters.c.lost_leases + case((letters.c.on_wire, 1), else_=0)
    taken = (
        update(letters)
        .where(letters.c.id.in_(owed.scalar_subquery()))
        .values(
            state=LetterState.SENDING,
            leased_by=worker,
            lease_until=clock + lease,
            attempts=letters.c.attempts + 1,
            lost_leases=lost,
            on_wire=False,
        )
        .returning(*columns_for(ClaimedLetter, letters))
    )
    rows = objects(ClaimedLetter, session.connection().execute(taken))
    doubtful = [row for row in rows if row.lost_leases >= MAX_LOST_LEASES]
    if doubtful:
        _give_to_a_person(session, doubtful, moment)
    return {row.id: row for row in rows if row.lost_leases < MAX_LOST_LEASES}


def _give_to_a_person(session: Session, rows: Sequence[ClaimedLetter], now: datetime) -> None:
    letters = table(Letter)
    session.connection().execute(
        update(letters)
        .where(letters.c.id.in_([row.id for row in rows]))
        .values(
            state=LetterState.UNKNOWN,
            reason="lease_lost",
            lease_until=None,
            leased_by="",
            settled_at=now,
            on_wire=False,
        )
    )
    append(
        session,
        [
            event(EventKind.LETTER_SETTLED, now, key=f"{row.key}:lease_lost", letter=row.id, fate="unknown")
            for row in rows
        ],
    )


def mark_on_wire(session: Session, letter_ids: Iterable[int], worker: str) -> None:
    """From here on a crash may double these letters. Raises LeaseLost if one of them is not ours any more."""
    rows = [{"id": each, "on_wire": True} for each in letter_ids]
    if update_rows(session, Letter, rows, state=LetterState.SENDING, leased_by=worker) < len(rows):
        raise LeaseLost


def still_leased(session: Session, letter_ids: Iterable[int], worker: str) -> set[int]:
    """Those that are leased to this worker, locked."""
    ours = select(table(Letter).c.id).where(_leased(session, letter_ids, worker))
    return set(session.connection().scalars(ours.with_for_update()))


def give_back(session: Session, letter_ids: Iterable[int], worker: str) -> None:
    """Owe again what was claimed and not offered to a channel, as it was."""
    letters = table(Letter)
    session.connection().execute(
        update(letters)
        .where(_leased(session, letter_ids, worker))
        .values(
            state=LetterState.QUEUED,
            attempts=letters.c.attempts - 1,
            lease_until=None,
            leased_by="",
            on_wire=False,
        )
    )


def _leased(session: Session, letter_ids: Iterable[int], worker: str) -> ColumnElement[bool]:
    """Those of the letters that are leased to this worker."""
    letters = table(Letter)
    return and_(
        among(session, letters.c.id, letter_ids),
        letters.c.state == LetterState.SENDING,
        letters.c.leased_by == worker,
    )
