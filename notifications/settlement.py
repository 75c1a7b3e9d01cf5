"""Outcomes into the database: which worker has which letter, and what became of letters that were offered to a
channel.

A letter is sent by whom it is leased to; what a dead worker had is free when the lease has run out. Every statement is
guarded by the lease's owner, so two workers never both change a letter. A lease is real time, by one clock for all
machines (``lease_clock``): what is owed by when is the plan's time, and ``moment`` is what a worker takes that to be.

Guarded by the lease's owner, so each letter has one outcome. A group is whatever has come back since the last commit:
a handful of letters while a relay is quick, one while it is slow.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, delete, select, update
from sqlmodel import Session

from engine.enums import complete
from engine.store.clock import lease_clock
from engine.store.database import among, insert_rows, table, update_rows
from engine.store.event_log import append, event
from engine.store.records import STILL_OWED, Delivery, Letter, LetterBody, Notice
from engine.store.records.columns import pack
from engine.store.stored_rows import columns_for, objects
from engine.terms import EventKind, LetterState
from notifications.channel_health import (
    REFUSALS_BELIEVED,
    ChannelHealth,
    channel_health,
    doubtful,
    is_of_address,
    record_outcomes,
    take_back,
    updated,
)
from notifications.contract.channel import About, Fate, Outcome, Outgoing
from notifications.letters.facts import LetterFacts
from notifications.receipts.letter_outcomes import undelivered

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


FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=2), timedelta(hours=4)
STATE_OF = complete(
    Fate,
    {
        Fate.ACCEPTED: LetterState.ACCEPTED,
        Fate.DELIVERED: LetterState.DELIVERED,
        Fate.KEPT_HERE: LetterState.KEPT_HERE,
        Fate.REFUSED: LetterState.REFUSED,
        Fate.UNKNOWN: LetterState.UNKNOWN,
    },
    but=(Fate.RETRY,),
)


@dataclass(frozen=True, slots=True)
class Sent:
    """A claimed letter after its attempt: what was said, and what came of it."""

    facts: LetterFacts
    attempt: int
    created_at: datetime
    letter: Outgoing | None
    outcome: Outcome


def retry_at(now: datetime, key: str, attempt: int, asked: timedelta | None = None) -> datetime:
    """When to try again: doubling from two minutes to four hours, spread by a quarter so that not all come at once.
    The spread is made from the key, so the same letter always waits the same."""
    wait = min(FIRST_WAIT * (1 << min(attempt - 1, 12)), LONGEST_WAIT)
    spread = int.from_bytes(hashlib.blake2b(f"{key}:{attempt}".encode(), digest_size=2).digest(), "big") / 65535
    waited: timedelta = max(wait * (0.75 + spread / 2), asked or timedelta())
    return now + waited


def settle(session: Session, returned: Sequence[Sent], worker: str, give_up: timedelta, now: datetime) -> None:
    """Write the outcomes of a group in one transaction. Raises LeaseLost if one of the letters is not ours any more;
    the transaction is then to be rolled back."""
    if not returned:
        return
    returned = _doubted(session, returned, now)
    rows = [_outcome_row(each, give_up, now) for each in returned]
    if update_rows(session, Letter, rows, state=LetterState.SENDING, leased_by=worker) < len(rows):
        raise LeaseLost
    _write_deliveries(session, returned, now)
    _write_bodies(session, returned)
    _write_obsolete(session, returned)
    suppressed = [each.facts for each in returned if each.outcome.code == "suppressed"]
    append(session, [_suppressed_event(facts, now) for facts in suppressed])
    _record_health(session, returned, now)
    failed = {row["id"] for row in rows if row["state"] in (LetterState.REFUSED, LetterState.EXPIRED)}
    undelivered(session, sorted(failed | {facts.letter_id for facts in suppressed if facts.unsendable}), now)


def _doubted(session: Session, returned: Sequence[Sent], now: datetime) -> Sequence[Sent]:
    """Refusals of addresses that may be the relay's fault are to be tried again."""
    if not any(is_of_address(each.outcome) for each in returned):
        return returned
    health, doubted = channel_health(session), []
    for each in returned:
        channel, contact_id = each.facts.channel, each.facts.contact_id
        so_far = health.get(channel, ChannelHealth())
        if doubtful(each.outcome, so_far, contact_id, each.attempt):
            each = replace(each, outcome=replace(each.outcome, fate=Fate.RETRY))
        health[channel] = updated(so_far, [each.outcome], now, [contact_id])
        doubted.append(each)
    return doubted


def _record_health(session: Session, returned: Sequence[Sent], now: datetime) -> None:
    for channel in {each.facts.channel for each in returned}:
        sent = [each for each in returned if each.facts.channel == channel]
        contacts = [each.facts.contact_id for each in sent]
        recovered = record_outcomes(session, channel, [each.outcome for each in sent], now, contacts)
        if recovered is not None:
            take_back(session, channel, recovered, now)


def _suppressed_event(facts: LetterFacts, now: datetime) -> dict[str, Any]:
    return event(
        EventKind.LETTER_SUPPRESSED,
        now,
        key=f"{facts.key}:suppressed",
        letter=facts.letter_id,
        contact=facts.contact_id,
        reason=facts.unsendable or "nothing_left",
    )


def _outcome_row(each: Sent, give_up: timedelta, now: datetime) -> dict[str, Any]:
    outcome, tried = each.outcome, each.attempt
    state, reason, after, settled = STATE_OF.get(outcome.fate, LetterState.QUEUED), outcome.reply[:200], now, True
    if outcome.code == "suppressed":
        state, reason = LetterState.SUPPRESSED, each.facts.unsendable or "nothing_left"
    elif outcome.about is About.UNCLEAR and outcome.code.startswith("5") and tried >= REFUSALS_BELIEVED:
        state = LetterState.REFUSED
    elif outcome.fate is Fate.RETRY:
        after = retry_at(now, each.facts.key, tried, outcome.after)
        settled = after - each.created_at > give_up
        state = LetterState.EXPIRED if settled else LetterState.QUEUED
    reached = outcome.fate in (Fate.ACCEPTED, Fate.DELIVERED)
    return {
        "id": each.facts.letter_id,
        "state": state,
        "reason": "" if reached else reason,
        "send_after": after,
        "receipt": outcome.receipt,
        "sent_at": now if reached else None,
        "settled_at": now if settled else None,
        "attempts": tried,
        "lease_until": None,
        "leased_by": "",
        "on_wire": False,
    }


def _write_deliveries(session: Session, returned: Sequence[Sent], now: datetime) -> None:
    insert_rows(
        session,
        Delivery,
        [
            {
                "letter_id": each.facts.letter_id,
                "attempt": each.attempt,
                "at": now,
                "fate": str(each.outcome.fate),
                "code": each.outcome.code[:32],
                "reply": each.outcome.reply[:500],
                "receipt": each.outcome.receipt,
            }
            for each in returned
            if each.letter is not None
        ],
    )


def _write_bodies(session: Session, returned: Sequence[Sent]) -> None:
    """Keep exactly what was said in the last attempt."""
    said = [each for each in returned if each.letter is not None]
    if not said:
        return
    bodies = table(LetterBody)
    again = [each.facts.letter_id for each in said if each.attempt > 1]
    if again:
        session.connection().execute(delete(bodies).where(bodies.c.letter_id.in_(again)))
    insert_rows(
        session,
        LetterBody,
        [
            {
                "letter_id": each.facts.letter_id,
                "subject": each.letter.subject,
                "text": each.letter.text,
                "html": pack(each.letter.html, like=each.letter.text) if each.letter.html else b"",
            }
            for each in said
            if each.letter is not None
        ],
    )


def _write_obsolete(session: Session, returned: Sequence[Sent]) -> None:
    obsolete = [(notice, why) for each in returned for notice, why in each.facts.obsolete.items()]
    update_rows(session, Notice, [{"id": notice, "obsolete": why[:64]} for notice, why in obsolete])
