"""Claim letters with a lease, render, send, settle. No network call happens inside a transaction.

A crash between any two steps loses nothing: a claimed letter whose lease has run out is claimable again, and its
second copy has the same Message-ID. A letter is offered to a channel only after the database holds ``on_wire`` for it,
and a channel has at most twice as many of those as connections: so many second copies a crash can make, and no more.
A letter that was on the wire when a lease ran out twice becomes ``unknown`` and is for a person to decide.
"""

from __future__ import annotations

import asyncio
import logging
import math
import threading
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

from sqlalchemy import update
from sqlmodel import Session

from engine.assignments.due_work import in_window
from engine.errors import DondocError, Unavailable
from engine.store.database import Database, table
from engine.store.facts import held_letters, hold, place
from engine.store.high_water import HighWater
from engine.store.records import Letter
from engine.store.rulebook import Rulebook, read_rulebook
from engine.terms import LetterState
from notifications import settlement
from notifications.channel_health import MAX_FAILURES, channel_health
from notifications.contract.channel import About, Channel, Fate, Outcome, Outgoing
from notifications.letters.claiming import has_late_letters, issue_reply_codes, merge_late_letters
from notifications.letters.facts import LetterFacts, gather
from notifications.letters.renderer import InUse, LetterRenderer

log = logging.getLogger(__name__)
RENDER_CHUNK = 50
ON_WIRE_PER_CONNECTION = 2
"""One letter being carried, and one whose outcome is not in the database yet."""
GROUP_SECONDS = 0.002
"""A commit costs as much as to send several letters to a quick relay: so long it waits for more outcomes."""
SETTLE_RETRY_SECONDS, MAX_SETTLE_RETRY_SECONDS = 0.2, 5.0
STOP_SECONDS = 4.0
"""How long letters on the wire may still take once the process is told to stop."""


@dataclass(frozen=True, kw_only=True)
class DeliveryContext:
    """What a delivering pass works with. ``worker`` names this process among others; ``stop`` is set when the process
    is told to end: no further letter is offered to a channel then. ``lease``: for how long a claimed letter is this
    process's; a relay that hangs is given up long before. ``give_up``: after so long a letter that could not be sent
    expires, as relays do (RFC 5321, 4.5.4.1)."""

    channels: Mapping[str, Channel]
    renderer: LetterRenderer
    worker: str = "worker"
    lease: timedelta = timedelta(seconds=300)
    give_up: timedelta = timedelta(days=5)
    short_code_key: bytes = b""
    """What short codes in SMS are made with; empty where no answer by SMS can come back."""
    stop: threading.Event = field(default_factory=threading.Event, compare=False)
    mark: HighWater | None = None
    """How far this machine has seen the database come; None in simulations and the demonstration."""

    def restored(self, database: Database, now: datetime) -> bool:
        """Whether the database is an older one than this machine has seen: then it is held. Else the mark moves on."""
        return self.mark is not None and self.mark.observe(database, now)


@dataclass(slots=True)
class Delivered:
    """What a pass did: letters by what became of them. ``released``: claimed and given back untried. ``waits``: how
    long the accepted ones had been due, ``waited`` in seconds all together (``engine.store.facts``)."""

    claimed: int = 0
    fates: dict[str, int] = field(default_factory=dict)
    waits: Counter[int] = field(default_factory=Counter, compare=False)
    waited: float = field(default=0.0, compare=False)

    def count(self, fate: str, number: int = 1) -> None:
        if number:
            self.fates[fate] = self.fates.get(fate, 0) + number

    def count_batch(self, batch: _Batch) -> None:
        for sent in batch.settled:
            self.count("suppressed" if sent.outcome.code == "suppressed" else str(sent.outcome.fate))
        self.count("released", batch.released)
        for wait in batch.waits:
            self.waits[place(wait)] += 1
            self.waited += wait

    def add(self, other: Delivered) -> None:
        self.claimed += other.claimed
        self.waits += other.waits
        self.waited += other.waited
        for fate, number in other.fates.items():
            self.count(fate, number)


class OpenChannels(AsyncExitStack):
    """The channels of a context, each opened when it is first used, with its connections; all are closed together."""

    def __init__(self, channels: Mapping[str, Channel]) -> None:
        super().__init__()
        self._channels = channels
        self._open: dict[str, Channel] = {}

    async def opened(self, names: Collection[str]) -> Mapping[str, Channel]:
        """All that are open, these among them where there is such a channel."""
        for name in set(names) & set(self._channels) - set(self._open):
            self._open[name] = await self.enter_async_context(self._channels[name])
        return self._open


async def deliver(
    database: Database,
    now: datetime,
    delivery: DeliveryContext,
    agencies: Collection[str] | None = None,
    seconds: float = math.inf,
    channels: OpenChannels | None = None,
) -> Delivered:
    """Send every letter that is owed by now, batch by batch; those of some agencies, and for so many seconds, if they
    are given. What is claimed and not sent by then is released. ``channels`` stay open for the caller's next letters.
    """
    if channels is None:
        async with OpenChannels(delivery.channels) as own:
            return await deliver(database, now, delivery, agencies, seconds, own)
    done = Delivered()
    began = time.monotonic()
    delivery.restored(database, now)
    with database.read() as session:
        health = channel_health(session)
        held = [name for name, each in health.items() if each.held(now)]
        if not settlement.anything_owed(session, now, held):
            return done
        if hold(session) is not None:  # an earlier copy: an operator decides
            done.count("held", held_letters(session, now))
            return done
        book = read_rulebook(session)
        policy = book.general if in_window(now, book) and has_late_letters(session, now) else None
    if policy is not None:
        with database.write() as session:
            merge_late_letters(session, book, policy, now)
    while not delivery.stop.is_set():
        moment = now + timedelta(seconds=time.monotonic() - began)
        claimed, facts = _claim_batch(database, book, moment, now, delivery, held, agencies)
        if not claimed:
            break
        done.claimed += len(claimed)
        probing = {name for name, each in health.items() if each.down}
        left = min(delivery.lease.total_seconds() / 2, began + seconds - time.monotonic())
        batch = _Batch(database, delivery, claimed, now, probing, left, moment)
        await batch.send(facts, await channels.opened({each.channel for each in facts}))
        done.count_batch(batch)
        if delivery.restored(database, now) or batch.released:
            break
    return done


def release_kept(database: Database, now: datetime, channel: str = "email") -> int:
    """Owe again what was kept on this machine: called when a relay is configured. What is no longer true is dropped at
    send time, and a person's letters of several days become one. Returns how many."""
    letters = table(Letter)
    kept = (letters.c.state == LetterState.KEPT_HERE, letters.c.channel == channel)
    with database.write() as session:
        changed = session.connection().execute(
            update(letters)
            .where(*kept)
            .values(state=LetterState.QUEUED, send_after=now, settled_at=None, reason="", on_wire=False)
        )
    return changed.rowcount


def _claim_batch(
    database: Database,
    book: Rulebook,
    moment: datetime,
    now: datetime,
    delivery: DeliveryContext,
    held: Collection[str],
    agencies: Collection[str] | None,
) -> tuple[dict[int, settlement.ClaimedLetter], list[LetterFacts]]:
    """Claim up to a batch and gather what its letters say, in one transaction."""
    with database.write() as session:
        urgent = not in_window(now, book)
        claimed = settlement.claim(session, moment, delivery.worker, delivery.lease, held, agencies, urgent_only=urgent)
        if not claimed:
            return {}, []
        facts = _gathered(session, list(claimed), book, now, words=delivery.renderer.words)
        claimed = {each.letter_id: claimed[each.letter_id] for each in facts}
        return claimed, list(issue_reply_codes(session, facts, delivery.short_code_key, now))


def _gathered(session: Session, ids: Sequence[int], book: Rulebook, now: datetime, *, words: bool) -> list[LetterFacts]:
    """What the letters say. One that needs a row which cannot be read waits until its lease has run out, and is tried
    again then; the others go."""
    try:
        return gather(session, ids, book, now, words=words)
    except Unavailable:
        raise
    except Exception as error:  # noqa: BLE001 - an impossible value in one row must not keep back the others
        if len(ids) == 1:
            log.error("letter %d waits, it cannot be read: %s: %s", ids[0], type(error).__name__, error)
            return []
    return [each for letter_id in ids for each in _gathered(session, [letter_id], book, now, words=words)]


@dataclass(slots=True, kw_only=True)
class _Lane:
    """One channel's letters of a batch. ``ready`` holds letters that the database knows to be on the wire; ``out`` are
    the ids of those that have no outcome in the database yet."""

    channel: Channel
    letters: Iterator[tuple[LetterFacts, Outgoing | Outcome]]
    size: int
    probing: bool = False
    """The channel was down: one letter at a time until one is accepted."""
    failed: set[str] = field(default_factory=set)
    """The addresses of the letters that have failed since the last one that was accepted."""
    ready: asyncio.Queue[tuple[LetterFacts, Outgoing]] = field(default_factory=asyncio.Queue)
    out: set[int] = field(default_factory=set)

    @property
    def room(self) -> int:
        return 0 if self.broken else (1 if self.probing else self.size) - len(self.out)

    @property
    def broken(self) -> bool:
        """So many different addresses in a row were not served: it is the channel and not the letters."""
        return len(self.failed) >= (1 if self.probing else MAX_FAILURES)

    def put_on_wire(self, letters: Sequence[tuple[LetterFacts, Outgoing]], ids: Collection[int]) -> None:
        """Those of the letters that the database has marked."""
        for letter in letters:
            if letter[0].letter_id in ids:
                self.out.add(letter[0].letter_id)
                self.ready.put_nowait(letter)

    def take_outcomes(self, returned: Sequence[settlement.Sent]) -> None:
        """Count what came back of this lane, in its order."""
        for sent in returned:
            if sent.facts.letter_id in self.out:
                self.out.discard(sent.facts.letter_id)
                self._note(sent.letter, sent.outcome)

    def _note(self, letter: Outgoing | None, outcome: Outcome) -> None:
        if letter is None or outcome.about is About.LETTER:
            return
        if outcome.fate in (Fate.ACCEPTED, Fate.DELIVERED, Fate.KEPT_HERE):
            self.failed.clear()
            self.probing = False
        else:
            self.failed.add(letter.to)


class _Batch:
    """Sends claimed letters. Connections take letters from their lane; one settler writes whatever outcomes have come
    back and marks the next letters as on the wire, in one transaction, and goes round again."""

    def __init__(
        self,
        database: Database,
        delivery: DeliveryContext,
        claimed: Mapping[int, settlement.ClaimedLetter],
        now: datetime,
        probing: Collection[str] = (),
        seconds: float = math.inf,
        moment: datetime | None = None,
    ) -> None:
        """``seconds``: for so long letters are offered to the channels. ``moment``: when the batch begins, if that is
        later than the pass's ``now``."""
        self._probing = probing
        self._database, self._delivery, self._claimed, self._now = database, delivery, claimed, now
        self._returned: list[settlement.Sent] = []
        self._news, self._all_back = asyncio.Event(), asyncio.Event()
        self._expected = 0
        self._began = time.monotonic()
        self._moment = moment or now
        self._deadline = self._began + seconds
        self.settled: list[settlement.Sent] = []
        self.waits: list[float] = []
        self.released = 0

    async def send(self, facts: Sequence[LetterFacts], channels: Mapping[str, Channel]) -> None:
        lanes = self._lanes(facts, channels)
        workers = [asyncio.create_task(self._carry(lane)) for lane in lanes for _ in range(lane.channel.parallel)]
        try:
            with ThreadPoolExecutor(1, "settler") as thread:
                await self._settle_until_done(lanes, thread)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    def _lanes(self, facts: Sequence[LetterFacts], channels: Mapping[str, Channel]) -> list[_Lane]:
        """A lane a channel; what is sent by none of them has its outcome already."""
        queues: dict[str, list[LetterFacts]] = {}
        for each in facts:
            if each.unsendable or each.empty:
                self._return(each, None, Outcome(fate=Fate.REFUSED, code="suppressed"))
            elif each.channel not in channels:
                self._return(
                    each, None, Outcome(fate=Fate.REFUSED, code="no_channel", reply=f"no_channel: {each.channel}")
                )
            else:
                queues.setdefault(each.channel, []).append(each)
        return [
            _Lane(
                channel=channels[name],
                letters=_rendered(queue, self._delivery, self._now),
                size=channels[name].parallel * ON_WIRE_PER_CONNECTION,
                probing=name in self._probing,
            )
            for name, queue in sorted(queues.items())
        ]

    async def _carry(self, lane: _Lane) -> None:
        """One connection's letters, one after another, until the batch cancels it."""
        while True:
            facts, letter = await lane.ready.get()
            self._return(facts, letter, await _attempt(facts, letter, lane.channel))

    def _return(self, facts: LetterFacts, letter: Outgoing | None, outcome: Outcome) -> None:
        row = self._claimed[facts.letter_id]
        if outcome.fate in (Fate.ACCEPTED, Fate.DELIVERED):
            due = row.send_after if row.attempts == 1 else row.created_at
            accepted = self._moment + timedelta(seconds=time.monotonic() - self._began)
            self.waits.append(max(0.0, (accepted - due).total_seconds()))
        self._returned.append(settlement.Sent(facts, row.attempts, row.created_at, letter, outcome))
        self._news.set()
        if len(self._returned) >= self._expected:
            self._all_back.set()

    async def _settle_until_done(self, lanes: Sequence[_Lane], thread: ThreadPoolExecutor) -> None:
        while True:
            self._news.clear()
            returned, self._returned = self._returned, []
            for lane in lanes:  # settled in the very transaction that marks the next letters
                lane.take_outcomes(returned)
            marked = self._mark(lanes)
            returned += self._returned  # letters that could not be rendered
            self._returned = []
            ids: Collection[int] = [facts.letter_id for _, letters in marked for facts, _ in letters]
            if returned or ids:
                ids = await self._write(thread, returned, ids)
            self.settled += returned
            for lane, letters in marked:
                lane.put_on_wire(letters, ids)
            self._expected = sum(len(lane.out) for lane in lanes)
            if not (self._expected or self._returned):
                break
            if len(self._returned) < self._expected:
                try:
                    async with asyncio.timeout(STOP_SECONDS if self._delivery.stop.is_set() else None):
                        await self._wait()
                except TimeoutError:
                    break  # cut off by the end of the process: the lease runs out, and the letter is counted as lost
        await self._release(lanes, thread)

    async def _wait(self) -> None:
        """Until an outcome has come back, and a moment more for others to be committed with it; or the process is told
        to stop."""
        stopping = self._delivery.stop.is_set()
        while not self._news.is_set():
            try:
                await asyncio.wait_for(self._news.wait(), 0.25)
            except TimeoutError:
                if self._delivery.stop.is_set() != stopping:
                    return
        self._all_back.clear()
        if len(self._returned) < self._expected:
            with suppress(TimeoutError):
                async with asyncio.timeout(GROUP_SECONDS):
                    await self._all_back.wait()

    def _mark(self, lanes: Sequence[_Lane]) -> list[tuple[_Lane, list[tuple[LetterFacts, Outgoing]]]]:
        """The letters that go on the wire next, by lane; none once the batch is to end. What a lane that is broken has
        not begun is taken back."""
        if self._delivery.stop.is_set() or time.monotonic() > self._deadline:
            _take_back(lanes)
            return []
        _take_back([lane for lane in lanes if lane.broken])
        return [(lane, self._next(lane)) for lane in lanes]

    def _next(self, lane: _Lane) -> list[tuple[LetterFacts, Outgoing]]:
        """The next letters of a lane, as many as it has room for; one that cannot be rendered has its outcome."""
        letters: list[tuple[LetterFacts, Outgoing]] = []
        for facts, letter in islice(lane.letters, max(lane.room, 0)):
            if isinstance(letter, Outcome):
                self._return(facts, None, letter)
            else:
                letters.append((facts, letter))
        return letters

    async def _write(
        self, thread: ThreadPoolExecutor, returned: Sequence[settlement.Sent], ids: Collection[int]
    ) -> Collection[int]:
        """Commit outcomes and marks; returns the letters that are marked. While the database does not take them they
        stay here, nothing more is offered to a channel, and it is asked again. Outcomes that it refuses for what they
        say are written one by one, the last as ``unknown``: one letter must not hold up the others."""
        wait = SETTLE_RETRY_SECONDS
        loop = asyncio.get_running_loop()
        while True:
            try:
                return await loop.run_in_executor(thread, self._commit, returned, ids)
            except Unavailable as error:
                log.warning("outcomes of %d letters wait for the database: %s", len(returned), error)
                if self._delivery.stop.is_set() and wait >= MAX_SETTLE_RETRY_SECONDS / 2:
                    raise
                await asyncio.sleep(wait)
                wait = min(wait * 2, MAX_SETTLE_RETRY_SECONDS)
            except Exception:
                if len(returned) == 1:
                    log.exception("the outcome of letter %d could not be written", returned[0].facts.letter_id)
                    await loop.run_in_executor(thread, self._commit_unknown, returned[0])
                    returned = ()
                elif returned:
                    for each in returned:
                        await self._write(thread, [each], ())
                    returned = ()
                else:
                    raise

    def _commit(self, returned: Sequence[settlement.Sent], ids: Collection[int]) -> Collection[int]:
        """Returns which of ``ids`` are on the wire now: those that nobody else has leased."""
        try:
            with self._database.write() as session:
                self._write_all(session, returned, ids)
        except settlement.LeaseLost:
            with self._database.write() as session:
                asked = {each.facts.letter_id for each in returned} | set(ids)
                ours = settlement.still_leased(session, asked, self._delivery.worker)
                ids = ours & set(ids)
                self._write_all(session, [each for each in returned if each.facts.letter_id in ours], ids)
        return ids

    def _write_all(self, session: Session, returned: Sequence[settlement.Sent], ids: Collection[int]) -> None:
        settlement.settle(session, returned, self._delivery.worker, self._delivery.give_up, self._now)
        settlement.mark_on_wire(session, ids, self._delivery.worker)

    def _commit_unknown(self, each: settlement.Sent) -> None:
        letters = table(Letter)
        with self._database.write() as session:
            session.connection().execute(
                update(letters)
                .where(letters.c.id == each.facts.letter_id, letters.c.leased_by == self._delivery.worker)
                .values(
                    state=LetterState.UNKNOWN,
                    reason="not_settled",
                    settled_at=self._now,
                    lease_until=None,
                    on_wire=False,
                )
            )

    async def _release(self, lanes: Sequence[_Lane], thread: ThreadPoolExecutor) -> None:
        """Give back what was claimed and not offered to a channel, as it was."""
        on_wire = {letter_id for lane in lanes for letter_id in lane.out}
        ids = set(self._claimed) - {sent.facts.letter_id for sent in self.settled} - on_wire
        self.released = len(ids)
        if ids:
            await asyncio.get_running_loop().run_in_executor(thread, self._commit_release, ids)

    def _commit_release(self, ids: Collection[int]) -> None:
        with self._database.write() as session:
            settlement.give_back(session, ids, self._delivery.worker)


def _take_back(lanes: Sequence[_Lane]) -> None:
    """Nothing more is offered to a channel: what no connection has taken yet is released with the rest."""
    for lane in lanes:
        while not lane.ready.empty():
            facts, _ = lane.ready.get_nowait()
            lane.out.discard(facts.letter_id)


def _rendered(
    facts: Sequence[LetterFacts], delivery: DeliveryContext, now: datetime
) -> Iterator[tuple[LetterFacts, Outgoing | Outcome]]:
    """The letters of a queue, rendered in chunks: about twice as fast as one at a time between answers of the relay."""
    for start in range(0, len(facts), RENDER_CHUNK):
        templates = delivery.renderer.templates()
        yield from [(each, _render(each, delivery, now, templates)) for each in facts[start : start + RENDER_CHUNK]]


def _render(facts: LetterFacts, delivery: DeliveryContext, now: datetime, templates: InUse) -> Outgoing | Outcome:
    """The letter; or, where it cannot be made, that as its outcome: an error in one letter must not stop the batch."""
    try:
        return delivery.renderer.render(facts, now, templates)
    except Exception as error:  # noqa: BLE001 - logged and kept as the letter's outcome
        return _failed(facts, error, Fate.RETRY)


async def _attempt(facts: LetterFacts, letter: Outgoing, channel: Channel) -> Outcome:
    try:
        return await channel.send(letter)
    except Exception as error:  # noqa: BLE001 - logged and kept as the letter's outcome
        # A channel that is configured wrongly (DondocError) has handed nothing over; for any other error nobody knows.
        return _failed(facts, error, Fate.RETRY if isinstance(error, DondocError) else Fate.UNKNOWN)


def _failed(facts: LetterFacts, error: Exception, fate: Fate) -> Outcome:
    log.error("letter %s could not be made or sent", facts.letter_id, exc_info=error)
    return Outcome(fate=fate, code="failed", reply=f"{type(error).__name__}: {error}")
