"""A crash at any moment loses no letter and doubles at most what was on the wire."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import pytest
from ground.databases import closing_database
from ground.factory import Laid, add_letters, at, laid_once, rows
from ground.post import (
    COORDINATOR,
    DAY,
    NOW,
    Answering,
    LetterBox,
    change,
    leases_run_out,
    letters_of_16_june,
    owed,
    post_office,
)
from sqlalchemy import update
from sqlmodel import Session

from engine.assignments.due_work import what_is_due
from engine.errors import Unavailable
from engine.rules.words import coded
from engine.store.database import Database, table
from engine.store.records import Delivery, Event, Letter
from engine.terms import EventKind, LetterState
from notifications.contract.channel import Fate, Outcome, Outgoing
from notifications.delivery import deliver
from notifications.settlement import BATCH, MAX_LOST_LEASES
from workflows.checks.audit import run_checks

MINUTE = timedelta(minutes=1)
CONNECTIONS = LetterBox.parallel
LEASE = timedelta(minutes=5)


@pytest.fixture
def laid(database: Database) -> Laid:
    return laid_once(database, "letters of 16 June", letters_of_16_june)


class Relay(LetterBox):
    """Takes 5 ms a letter, and stops the process that sends after so many: as a kill would, nothing is settled."""

    def __init__(self, cut_after: int = 0, at_cut: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self.cut_after, self.at_cut = cut_after, at_cut
        self.cut = asyncio.Event()

    async def send(self, letter: Outgoing) -> Outcome:
        await asyncio.sleep(0.005)
        self.letters.append(letter)
        if len(self.letters) == self.cut_after:
            self.at_cut()
            self.cut.set()
        return self.answer


async def cut_off(laid: Laid, now: datetime, relay: Relay, worker: str) -> None:
    """A pass that ends in the middle, whatever was on its way."""
    sending = asyncio.create_task(deliver(laid.database, now, post_office(relay, worker=worker, lease=LEASE)))
    cut = asyncio.create_task(relay.cut.wait())
    await asyncio.wait({sending, cut}, return_when=asyncio.FIRST_COMPLETED)
    for task in (sending, cut):
        task.cancel()
    await asyncio.gather(sending, cut, return_exceptions=True)


def copies(*relays: Relay) -> Counter[str]:
    return Counter(each.key for relay in relays for each in relay.letters)


async def test_a_crash_doubles_at_most_two_letters_a_connection(laid: Laid) -> None:
    add_letters(laid, 200)
    first, second = Relay(cut_after=90), Relay()
    await cut_off(laid, NOW, first, "one")
    on_wire = [each for each in rows(laid.database, Letter, state=LetterState.SENDING) if each.on_wire]
    assert len(on_wire) <= 2 * CONNECTIONS
    leases_run_out(laid.database)
    await deliver(laid.database, NOW + LEASE + MINUTE, post_office(second, worker="two"))
    sent = copies(first, second)
    assert len(sent) == 204
    assert sum(count - 1 for count in sent.values()) <= 2 * CONNECTIONS
    assert {each.state for each in rows(laid.database, Letter, day=date.fromisoformat(DAY))} == {LetterState.DELIVERED}


async def test_after_many_crashes_nobody_gets_a_third_copy_and_nothing_is_lost(laid: Laid) -> None:
    add_letters(laid, 100)
    relays, now = [Relay(cut_after=after) for after in (3, 5, 1, 9, 2, 12, 4)], NOW
    for number, relay in enumerate(relays):
        await cut_off(laid, now, relay, f"worker:{number}")
        leases_run_out(laid.database)
        now += LEASE + MINUTE
    last = Relay()
    await deliver(laid.database, now, post_office(last, worker="last"))
    sent = copies(*relays, last)
    assert max(sent.values()) <= 2
    letters = rows(laid.database, Letter, day=date.fromisoformat(DAY))
    doubtful = {each.key for each in letters if each.state is LetterState.UNKNOWN}
    assert {each.state for each in letters} <= {LetterState.DELIVERED, LetterState.UNKNOWN}
    assert {each.key for each in letters} == set(sent) | doubtful
    assert all(each.reason == "lease_lost" for each in letters if each.key in doubtful)


async def test_while_the_database_takes_no_outcome_nothing_more_is_sent_and_then_all_is_settled(laid: Laid) -> None:
    add_letters(laid, 100)
    relay, refused, write = Relay(), 0, laid.database.write

    @contextmanager
    def away() -> Iterator[Session]:
        nonlocal refused
        if len(relay.letters) >= 20 and refused < 3:
            refused += 1
            raise Unavailable
        with write() as session:
            yield session

    laid.database.write = away  # type: ignore[method-assign]
    try:
        before = len(relay.letters)
        done = await deliver(laid.database, NOW, post_office(relay))
    finally:
        laid.database.write = write  # type: ignore[method-assign]
    assert (before, refused) == (0, 3)
    assert done.fates == {"delivered": 104}
    assert max(copies(relay).values()) == 1


async def test_told_to_stop_it_ends_between_two_letters_and_gives_back_the_rest(laid: Laid) -> None:
    add_letters(laid, 200)
    relay = Relay(cut_after=30)
    office = post_office(relay)
    relay.at_cut = office.stop.set
    done = await deliver(laid.database, NOW, office)
    assert done.fates["delivered"] == len(relay.letters) <= 30 + 2 * CONNECTIONS
    letters = rows(laid.database, Letter, day=date.fromisoformat(DAY))
    assert {each.state for each in letters} == {LetterState.DELIVERED, LetterState.QUEUED}
    assert all(not each.on_wire and not each.leased_by for each in letters)


async def test_one_outcome_that_cannot_be_written_is_in_doubt_and_spares_the_others(
    laid: Laid, caplog: pytest.LogCaptureFixture
) -> None:
    unwritable = Outcome(fate=Fate.DELIVERED, receipt="\ud800")  # half a character: no database takes it

    def answer(letter: Outgoing) -> Outcome:
        return unwritable if letter.to == COORDINATOR else Outcome(fate=Fate.DELIVERED)

    done = await deliver(laid.database, NOW, post_office(Answering(answer)))
    assert sum(done.fates.values()) == 4
    letter = owed(laid)
    assert (letter.state, letter.reason, letter.settled_at) == (LetterState.UNKNOWN, "not_settled", NOW)
    assert (letter.lease_until, letter.on_wire) == (None, False)
    assert f"the outcome of letter {letter.id} could not be written" in caplog.text
    assert coded(letter.reason, "vi") == "không ghi được kết quả gửi"
    assert run_checks(laid.database, NOW).in_doubt == 1, "it is shown to a person"
    others = rows(laid.database, Letter, day=date.fromisoformat(DAY))
    assert [each.state for each in others if each.id != letter.id] == [LetterState.DELIVERED] * 3


@pytest.mark.parametrize(("on_wire", "parallel"), [(True, 4), (False, 1)])
async def test_an_outcome_is_written_although_another_letter_is_somebody_else_s_by_now(
    laid: Laid, *, on_wire: bool, parallel: int
) -> None:
    """The other one is on the wire, too, or was to go on it in the very transaction that writes the outcome."""

    first: list[str] = []

    def meanwhile(letter: Outgoing) -> Outcome:
        m = table(Letter)
        others = m.c.state == LetterState.SENDING, m.c.on_wire.is_(on_wire), m.c.key != letter.key
        if not first:
            first.append(letter.key)
            with laid.database.write() as session:
                session.connection().execute(update(m).where(*others).values(leased_by="another"))
        return Outcome(fate=Fate.DELIVERED)

    box = Answering(meanwhile)
    box.parallel = parallel
    await deliver(laid.database, NOW, post_office(box))
    letters = rows(laid.database, Letter, day=date.fromisoformat(DAY))
    theirs = {each.id for each in letters if each.leased_by == "another"}
    ours = {each.id for each in letters} - theirs
    assert theirs
    assert ours
    assert {each.state for each in letters if each.id in ours} == {LetterState.DELIVERED}
    assert {each.letter_id for each in rows(laid.database, Delivery)} == ours


async def test_a_letter_whose_lease_ran_out_twice_on_the_wire_is_given_up_and_says_why(laid: Laid) -> None:
    twice = {"lost_leases": MAX_LOST_LEASES - 1, "on_wire": True, "attempts": 2}
    change(laid, Letter, state=LetterState.SENDING, leased_by="dead", lease_until=at("2021-04-07"), **twice)
    box = LetterBox()
    assert (await deliver(laid.database, NOW, post_office(box))).claimed == 0
    assert box.letters == []
    letter = owed(laid)
    assert (letter.state, letter.reason) == (LetterState.UNKNOWN, "lease_lost")
    assert coded(letter.reason, "vi") == "hai lần đang gửi thì tiến trình gửi dừng"
    assert (letter.on_wire, letter.leased_by, letter.lease_until) == (False, "", None)
    settled = rows(laid.database, Event, kind=EventKind.LETTER_SETTLED)
    (event,) = [each for each in settled if each.detail["letter"] == letter.id]
    assert (event.key, event.detail["fate"], event.at) == (f"{letter.key}:lease_lost", "unknown", letter.settled_at)


async def test_what_another_worker_has_leased_by_now_is_not_offered(laid: Laid) -> None:
    """The process stood still for so long that its leases ran out: it goes on with nothing that it has not sent."""
    add_letters(laid, BATCH - 10)
    taken = False

    def meanwhile(letter: Outgoing) -> Outcome:
        nonlocal taken
        if not taken and len(box.letters) > 20:
            taken = True
            letters = table(Letter)
            waiting = (letters.c.state == LetterState.SENDING) & ~letters.c.on_wire
            with laid.database.write() as session:
                session.connection().execute(update(letters).where(waiting).values(leased_by="another"))
        return Outcome(fate=Fate.DELIVERED)

    box = Answering(meanwhile)
    done = await deliver(laid.database, NOW, post_office(box))
    theirs = [each for each in rows(laid.database, Letter, state=LetterState.SENDING) if each.leased_by == "another"]
    sent = [each.key for each in box.letters]
    assert done.fates["delivered"] == len(sent) == len(set(sent)) <= 21 + 2 * CONNECTIONS
    assert {each.key for each in theirs} | set(sent) == {
        each.key for each in rows(laid.database, Letter, day=date.fromisoformat(DAY))
    }
    assert not {each.key for each in theirs} & set(sent)


@pytest.mark.postgres
async def test_of_two_machines_six_minutes_apart_each_letter_leaves_once(postgres_url: str) -> None:
    """The clock of the second is ahead by more than a lease: what the first has claimed is still the first one's."""
    with closing_database(postgres_url) as database:
        letters_of_16_june(database)
        slow, ahead = LetterBox(), LetterBox()
        first_claimed, second_done = asyncio.Event(), asyncio.Event()

        async def wait(letter: Outgoing) -> Outcome:
            first_claimed.set()
            await second_done.wait()
            return await LetterBox.send(slow, letter)

        slow.send = wait  # type: ignore[method-assign]
        first = asyncio.create_task(deliver(database, NOW, post_office(slow, worker="one")))
        await first_claimed.wait()
        second = await deliver(database, NOW + LEASE + MINUTE, post_office(ahead, worker="two"))
        second_done.set()
        done = await first
        assert (done.fates, second.claimed, ahead.letters) == ({"delivered": 4}, 0, [])
        assert {each.state for each in rows(database, Letter, day=date.fromisoformat(DAY))} == {LetterState.DELIVERED}


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("now", "minutes", "taken"), [(NOW, -1, True), (NOW, 1, False), (at("2051-06-16", "08:00"), 1, False)]
)
async def test_on_postgresql_a_lease_runs_out_by_the_servers_clock(
    postgres_url: str, now: datetime, minutes: int, taken: bool
) -> None:
    """Whatever time it is in the plan: under a simulated clock, too, a letter is whose it was until real minutes have
    passed."""
    with closing_database(postgres_url) as database:
        laid, until = letters_of_16_june(database), datetime.now(UTC) + minutes * MINUTE
        change(laid, Letter, state=LetterState.SENDING, leased_by="dead", lease_until=until, attempts=1)
        with database.read() as session:
            assert what_is_due(session, now).deliver is taken
        assert bool((await deliver(database, now, post_office())).claimed) is taken
