"""Deliver the outbox: claim letters with a lease, render, send, settle. No network call inside a transaction.

A crash between two steps loses nothing: a letter whose lease has expired can be claimed again, and its second copy
has the same Message-ID. Settling checks the owner of the lease, so each letter gets exactly one outcome.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlmodel import Session

from engine.assignments.due_work import in_window
from engine.assignments.weekly_digest import schedule
from engine.errors import DondocError
from engine.store.database import Database, among, insert_rows, table, update_rows
from engine.store.event_log import append, event
from engine.store.records import STILL_OWED, Delivery, Letter, LetterBody, Notice
from engine.store.rulebook import read_rulebook
from engine.terms import EventKind, LetterState
from notifications.channel import Channel, Fate, Outcome, Outgoing
from notifications.channel_health import record_outcomes
from notifications.letters.coalescing import has_late_letters, merge_late_letters
from notifications.letters.facts import LetterFacts, gather
from notifications.letters.renderer import LetterRenderer
from notifications.letters.reply_codes import issue_reply_codes
from notifications.receipts.letter_outcomes import undelivered

log = logging.getLogger(__name__)
BATCH_LETTERS, RENDER_CHUNK_LETTERS = 500, 50
MIN_RETRY_WAIT, MAX_RETRY_WAIT = timedelta(minutes=2), timedelta(hours=4)
STATE_OF = {
    Fate.ACCEPTED: LetterState.ACCEPTED,
    Fate.DELIVERED: LetterState.DELIVERED,
    Fate.REFUSED: LetterState.REFUSED,
    Fate.UNKNOWN: LetterState.UNKNOWN,
}
RELEASED = Outcome(Fate.RETRY, code="released")
"""The batch ran out of time: the letter was not tried and returns to the queue unchanged."""


@dataclass(frozen=True)
class DeliveryContext:
    """What the delivery pass needs. ``worker`` identifies this process as the owner of leases."""

    channels: Mapping[str, Channel]
    renderer: LetterRenderer
    worker: str = "worker"
    lease: timedelta = timedelta(seconds=300)
    give_up: timedelta = timedelta(days=5)
    short_code_key: bytes = b""
    """Secret from which short codes in SMS are derived; empty if replies by SMS cannot be received."""


@dataclass(slots=True)
class Delivered:
    """Counts of one delivery pass: letters claimed, and letters by result."""

    claimed: int = 0
    fates: dict[str, int] = field(default_factory=dict)

    def count(self, fate: str) -> None:
        self.fates[fate] = self.fates.get(fate, 0) + 1


@dataclass(frozen=True, slots=True)
class _Sent:
    """A claimed letter after its attempt; ``letter`` is None if nothing was rendered."""

    facts: LetterFacts
    attempt: int
    created_at: datetime
    letter: Outgoing | None
    outcome: Outcome


async def deliver(database: Database, now: datetime, delivery: DeliveryContext) -> Delivered:
    """Send every letter that is due by ``now``, batch by batch."""
    done = Delivered()
    began = time.monotonic()
    with database.read() as session:
        if not _any_due(session, now):
            return done
        book = read_rulebook(session)
        policy = schedule(book) if in_window(now, book) and has_late_letters(session, now) else None
    if policy is not None:
        with database.write() as session:
            merge_late_letters(session, book.calendar, policy, now)
    async with AsyncExitStack() as stack:
        open_channels: dict[str, Channel] = {}
        while True:
            moment = now + timedelta(seconds=time.monotonic() - began)
            with database.write() as session:
                claimed = _claim(session, moment, delivery, urgent_only=not in_window(now, book))
                facts = (
                    issue_reply_codes(session, gather(session, list(claimed), book, now), delivery.short_code_key, now)
                    if claimed
                    else []
                )
            if not claimed:
                return done
            done.claimed += len(claimed)
            for name in {each.channel for each in facts} & set(delivery.channels) - set(open_channels):
                open_channels[name] = await stack.enter_async_context(delivery.channels[name])
            sent = await _send_all(facts, claimed, open_channels, delivery, now)
            with database.write() as session:
                _settle(session, sent, delivery, now)
            for each in sent:
                done.count(_result_name(each))
            if any(each.outcome is RELEASED for each in sent):
                return done


def retry_at(now: datetime, key: str, attempt: int, asked: timedelta | None = None) -> datetime:
    """When to try again: back-off doubles from two minutes to four hours, with ±25 % jitter. The jitter is derived
    from the key, so it is the same for the same letter and attempt. ``asked``: the wait that the server requested."""
    wait = min(MIN_RETRY_WAIT * (1 << min(attempt - 1, 12)), MAX_RETRY_WAIT)
    spread = int.from_bytes(hashlib.blake2b(f"{key}:{attempt}".encode(), digest_size=2).digest(), "big") / 65535
    waited: timedelta = max(wait * (0.75 + spread / 2), asked or timedelta())
    return now + waited


def _any_due(session: Session, now: datetime) -> bool:
    letters = table(Letter)
    owed = select(letters.c.id).where(STILL_OWED, letters.c.send_after <= now).limit(1)
    return session.connection().scalar(owed) is not None


def _claim(session: Session, moment: datetime, delivery: DeliveryContext, *, urgent_only: bool) -> dict[int, Any]:
    """Claim up to one batch of due letters for this worker; letter id -> row. Skips letters with a live lease."""
    letters = table(Letter)
    free = (letters.c.state == LetterState.QUEUED) | (letters.c.lease_until < moment)
    ids = select(letters.c.id).where(STILL_OWED, letters.c.send_after <= moment, free)
    if urgent_only:
        ids = ids.where(letters.c.urgent)
    ids = ids.order_by(letters.c.send_after, letters.c.id).limit(BATCH_LETTERS).with_for_update(skip_locked=True)
    claim = (
        update(letters)
        .where(letters.c.id.in_(ids.scalar_subquery()))
        .values(
            state=LetterState.SENDING,
            leased_by=delivery.worker,
            lease_until=moment + delivery.lease,
            attempts=letters.c.attempts + 1,
        )
        .returning(letters.c.id, letters.c.attempts, letters.c.created_at)
    )
    return {row.id: row for row in session.connection().execute(claim).all()}


async def _send_all(
    facts: Sequence[LetterFacts],
    claimed: Mapping[int, Any],
    channels: Mapping[str, Channel],
    delivery: DeliveryContext,
    now: datetime,
) -> list[_Sent]:
    """Send a batch, each channel with up to ``parallel`` workers. Stops before the lease expires."""
    deadline = time.monotonic() + delivery.lease.total_seconds() / 2
    sent: list[_Sent] = []

    async def work(channel: Channel, queue_letters: Iterator[tuple[LetterFacts, Outgoing | Outcome]]) -> None:
        late = time.monotonic() > deadline
        for each, letter in queue_letters:
            outcome = await _attempt(each, letter, channel, late=late)
            sent.append(_sent(each, claimed, letter if isinstance(letter, Outgoing) else None, outcome))
            late = time.monotonic() > deadline

    workers = []
    for name in sorted({each.channel for each in facts}):
        queue = [each for each in facts if each.channel == name and not each.unsendable and not each.empty]
        if name in channels:
            queue_letters = _rendered_in_chunks(queue, delivery, now)
            workers += [work(channels[name], queue_letters) for _ in range(min(channels[name].parallel, len(queue)))]
        else:
            sent += [
                _sent(each, claimed, None, Outcome(Fate.REFUSED, "no_channel", f"no_channel: {name}")) for each in queue
            ]
    sent += [
        _sent(each, claimed, None, Outcome(Fate.REFUSED, "suppressed"))
        for each in facts
        if each.unsendable or each.empty
    ]
    await asyncio.gather(*workers)
    return sent


def _rendered_in_chunks(
    facts: Sequence[LetterFacts], delivery: DeliveryContext, now: datetime
) -> Iterator[tuple[LetterFacts, Outgoing | Outcome]]:
    """Render a queue in chunks: rendering ``RENDER_CHUNK_LETTERS`` in a row is about twice as fast as rendering each
    letter between two replies of the relay (CPU caches)."""
    for start in range(0, len(facts), RENDER_CHUNK_LETTERS):
        yield from [(each, _render(each, delivery, now)) for each in facts[start : start + RENDER_CHUNK_LETTERS]]


def _render(facts: LetterFacts, delivery: DeliveryContext, now: datetime) -> Outgoing | Outcome:
    """The rendered letter, or an outcome if rendering failed. An exception here would abort the whole batch, and its
    letters already sent would be sent again."""
    try:
        return delivery.renderer.render(facts, now)
    except Exception as error:  # noqa: BLE001 - logged and kept as the letter's outcome
        return _failed(facts, error, Fate.RETRY)


async def _attempt(facts: LetterFacts, letter: Outgoing | Outcome, channel: Channel, *, late: bool) -> Outcome:
    if isinstance(letter, Outcome):
        return letter
    try:
        return RELEASED if late else await channel.send(letter)
    except Exception as error:  # noqa: BLE001 - logged and kept as the letter's outcome
        # A channel with a wrong configuration has sent nothing; with any other error the letter may have been sent.
        return _failed(facts, error, Fate.RETRY if isinstance(error, DondocError) else Fate.UNKNOWN)


def _failed(facts: LetterFacts, error: Exception, fate: Fate) -> Outcome:
    log.error("letter %s could not be made or sent", facts.letter_id, exc_info=error)
    return Outcome(fate, "failed", f"{type(error).__name__}: {error}")


def _sent(facts: LetterFacts, claimed: Mapping[int, Any], letter: Outgoing | None, outcome: Outcome) -> _Sent:
    row = claimed[facts.letter_id]
    return _Sent(facts, row.attempts, row.created_at, letter, outcome)


def _result_name(sent: _Sent) -> str:
    """The result of a letter, as counted in the pass's report."""
    code = sent.outcome.code
    return code if code in ("suppressed", "released") else str(sent.outcome.fate)


def _settle(session: Session, sent: Sequence[_Sent], delivery: DeliveryContext, now: datetime) -> None:
    """Write the outcomes of a batch in one transaction, only for letters whose lease is still ours."""
    letters = table(Letter)
    ours = set(
        session.connection().scalars(
            select(letters.c.id)
            .where(
                among(session, letters.c.id, (each.facts.letter_id for each in sent)),
                letters.c.state == LetterState.SENDING,
                letters.c.leased_by == delivery.worker,
            )
            .with_for_update()
        )
    )
    mine = [each for each in sent if each.facts.letter_id in ours]
    if not mine:
        return
    rows = [_outcome_row(each, delivery, now) for each in mine]
    update_rows(session, Letter, rows)
    _write_deliveries(session, mine, now)
    _write_bodies(session, mine)
    _write_obsolete(session, mine)
    suppressed = [each for each in mine if each.outcome.code == "suppressed"]
    append(
        session,
        [
            event(
                EventKind.LETTER_SUPPRESSED,
                now,
                key=f"{each.facts.key}:suppressed",
                letter=each.facts.letter_id,
                contact=each.facts.contact_id,
                reason=each.facts.unsendable or "nothing_left",
            )
            for each in suppressed
        ],
    )
    for channel in {each.facts.channel for each in mine}:
        record_outcomes(session, channel, [each.outcome for each in mine if each.facts.channel == channel], now)
    failed = {row["id"] for row in rows if row["state"] in (LetterState.REFUSED, LetterState.EXPIRED)}
    undelivered(session, sorted(failed | {each.facts.letter_id for each in suppressed if each.facts.unsendable}), now)


def _outcome_row(each: _Sent, delivery: DeliveryContext, now: datetime) -> dict[str, Any]:
    outcome, tried = each.outcome, each.attempt
    state, reason, after, settled = STATE_OF.get(outcome.fate, LetterState.QUEUED), outcome.reply[:200], now, True
    if outcome.code == "suppressed":
        state, reason = LetterState.SUPPRESSED, each.facts.unsendable or "nothing_left"
    elif outcome is RELEASED:
        reason, settled, tried = "", False, tried - 1
    elif outcome.fate is Fate.RETRY:
        after = retry_at(now, each.facts.key, tried, outcome.after)
        settled = after - each.created_at > delivery.give_up
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
    }


def _write_deliveries(session: Session, mine: Sequence[_Sent], now: datetime) -> None:
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
            for each in mine
            if each.letter is not None and each.outcome is not RELEASED
        ],
    )


def _write_bodies(session: Session, mine: Sequence[_Sent]) -> None:
    """Store the texts of the last attempt."""
    rendered = [each for each in mine if each.letter is not None and each.outcome is not RELEASED]
    if not rendered:
        return
    bodies = table(LetterBody)
    again = [each.facts.letter_id for each in rendered if each.attempt > 1]
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
                "html": _compressed(each.letter.html),
            }
            for each in rendered
            if each.letter is not None
        ],
    )


def _compressed(html: str) -> bytes:
    """zlib-compressed with a 4 KiB window, enough for a letter; the default window takes five times as long to set
    up."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 12, 6)
    return packer.compress(html.encode()) + packer.flush()


def _write_obsolete(session: Session, mine: Sequence[_Sent]) -> None:
    obsolete = [(notice, why) for each in mine for notice, why in each.facts.obsolete.items()]
    update_rows(session, Notice, [{"id": notice, "moot": why[:64]} for notice, why in obsolete])
