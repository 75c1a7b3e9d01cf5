"""Claim, render, send, settle: each letter owed has one outcome, whatever the other side or this one does."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from ground.factory import Laid, add_letters, at, do, happened, laid_once, row, rows
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
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, update

from engine.agencies.preferences import ASKED, lift_suppressions
from engine.queries.system.letters import count_letters
from engine.rules.situation import Action
from engine.store.database import Database, table
from engine.store.records import Contact, Delivery, Event, Letter, LetterBody, Notice
from engine.terms import EventKind, LetterState
from notifications.channel_health import MAX_FAILURES, channel_health
from notifications.contract.channel import Fate, Outcome, Outgoing
from notifications.delivery import Delivered, DeliveryContext, deliver, release_kept
from notifications.email.smtp_replies import Stage, reply_outcome
from notifications.receipts.letter_outcomes import suppress
from notifications.settlement import BATCH, FIRST_WAIT, LONGEST_WAIT, retry_at
from workflows.checks.audit import run_checks

NIGHT = at(DAY, "22:00")
MINUTE = timedelta(minutes=1)


@pytest.fixture
def laid(database: Database) -> Laid:
    return laid_once(database, "letters of 16 June", letters_of_16_june)


def delivered(laid: Laid, now: datetime = NOW, box: LetterBox | None = None, **more: Any) -> Delivered:
    return asyncio.run(deliver(laid.database, now, post_office(box, **more)))


def test_every_letter_owed_goes_once_and_keeps_what_was_said(laid: Laid) -> None:
    box = LetterBox()
    assert delivered(laid, box=box) == Delivered(4, {"delivered": 4})
    letter = owed(laid)
    assert (letter.state, letter.attempts, letter.leased_by, letter.lease_until) == (LetterState.DELIVERED, 1, "", None)
    assert letter.sent_at == letter.settled_at == NOW
    (sent,) = [each for each in box.letters if each.to == "coordinator@so-ban.example"]
    assert row(laid.database, LetterBody, letter_id=letter.id).text == sent.text
    assert (row(laid.database, Delivery, letter_id=letter.id).fate, sent.key) == ("delivered", letter.key)


def test_a_second_pass_finds_nothing(laid: Laid) -> None:
    box = LetterBox()
    delivered(laid, box=box)
    assert delivered(laid, NOW + MINUTE, box) == Delivered()
    assert len(box.letters) == 4


def test_before_its_moment_and_outside_the_window_a_letter_stays(laid: Laid) -> None:
    assert delivered(laid, at(DAY, "07:29")) == Delivered()
    assert delivered(laid, NIGHT) == Delivered()
    assert delivered(laid, at("2021-06-19", "10:00")) == Delivered()  # Saturday
    assert owed(laid).state is LetterState.QUEUED
    assert delivered(laid, at("2021-06-21", "07:00")).claimed == 0  # it is Monday's letter now, and may get more lines
    assert delivered(laid, at("2021-06-21", "07:30")).claimed == 4


def test_what_is_urgent_goes_at_night_alone(laid: Laid) -> None:
    with laid.database.write() as session:
        mine = table(Letter).c.id == owed(laid).id
        session.connection().execute(update(table(Letter)).where(mine).values(urgent=True))
    box = LetterBox()
    assert delivered(laid, NIGHT, box).claimed == 1
    assert [each.to for each in box.letters] == ["coordinator@so-ban.example"]


@pytest.mark.parametrize(
    ("answer", "state", "reason"),
    [
        (Outcome(fate=Fate.ACCEPTED, code="250", reply="2.0.0 queued"), LetterState.ACCEPTED, ""),
        (Outcome(fate=Fate.DELIVERED), LetterState.DELIVERED, ""),
        (Outcome(fate=Fate.REFUSED, code="550", reply="no such user"), LetterState.REFUSED, "no such user"),
        (Outcome(fate=Fate.UNKNOWN, code="timeout", reply="after DATA"), LetterState.UNKNOWN, "after DATA"),
    ],
)
def test_the_other_side_s_last_word_is_the_letter_s_state(
    laid: Laid, answer: Outcome, state: LetterState, reason: str
) -> None:
    box = LetterBox(answer)
    delivered(laid, box=box)
    letter = owed(laid)
    assert (letter.state, letter.reason, letter.settled_at) == (state, reason, NOW)
    assert (letter.sent_at is not None) is (state in (LetterState.ACCEPTED, LetterState.DELIVERED))
    for day in range(1, 12):
        delivered(laid, NOW + timedelta(days=day), box)
    # Nothing is ever tried again, least of all what is in doubt; what was refused goes on to the next person.
    assert len({each.key for each in box.letters}) == len(box.letters)
    assert (len(box.letters) > 4) is (state is LetterState.REFUSED)
    assert row(laid.database, Delivery, letter_id=letter.id).reply == answer.reply


def test_what_is_refused_for_now_is_tried_again_later_and_later(laid: Laid) -> None:
    box = LetterBox(Outcome(fate=Fate.RETRY, code="451", reply="try later"))
    waits, now = [], NOW
    for _ in range(4):
        delivered(laid, now, box)
        letter = owed(laid)
        assert (letter.state, letter.reason) == (LetterState.QUEUED, "try later")
        waits.append(letter.send_after - now)
        assert delivered(laid, letter.send_after - timedelta(seconds=1), LetterBox()).fates.get("delivered", 0) < 4
        now = letter.send_after
    assert waits == sorted(waits)
    box.answer = Outcome(fate=Fate.DELIVERED)
    delivered(laid, now, box)
    assert owed(laid).state is LetterState.DELIVERED
    assert [each.fate for each in rows(laid.database, Delivery, letter_id=owed(laid).id)] == ["retry"] * 4 + [
        "delivered"
    ]


@given(attempt=st.integers(1, 60), key=st.text(min_size=1, max_size=20))
def test_the_wait_doubles_to_four_hours_spread_by_a_quarter(attempt: int, key: str) -> None:
    waited = retry_at(NOW, key, attempt) - NOW
    middle = min(FIRST_WAIT * 2 ** min(attempt - 1, 20), LONGEST_WAIT)
    assert middle * 0.75 <= waited <= middle * 1.25
    assert retry_at(NOW, key, attempt) - NOW == waited


def test_the_other_side_s_own_wait_is_kept_when_it_is_longer(laid: Laid) -> None:
    delivered(laid, box=LetterBox(Outcome(fate=Fate.RETRY, code="421", reply="busy", after=timedelta(hours=2))))
    assert owed(laid).send_after == NOW + timedelta(hours=2)
    assert retry_at(NOW, "a", 1, timedelta(seconds=1)) - NOW >= FIRST_WAIT * 0.75


def test_after_days_of_trying_a_letter_expires_and_says_why(laid: Laid) -> None:
    box = LetterBox(Outcome(fate=Fate.RETRY, code="451", reply="mailbox busy"))
    now = NOW
    mine = owed(laid).id
    while row(laid.database, Letter, id=mine).state is LetterState.QUEUED:
        delivered(laid, now, box)
        now += timedelta(hours=3)
    letter = row(laid.database, Letter, id=mine)
    assert (letter.state, letter.reason) == (LetterState.EXPIRED, "mailbox busy")
    assert timedelta(days=4, hours=18) < letter.settled_at - letter.created_at < timedelta(days=5, hours=4)
    tried = {each.letter_id: each.at for each in rows(laid.database, Delivery)}
    assert tried[letter.id] <= letter.settled_at


def test_a_letter_of_a_worker_that_died_is_free_after_its_lease(laid: Laid) -> None:
    real = laid.database.dialect == "postgresql"  # there it is the server's clock
    until = (datetime.now(UTC) if real else NOW) + 5 * MINUTE
    change(laid, Letter, state=LetterState.SENDING, leased_by="dead:1", lease_until=until, attempts=1)
    assert delivered(laid, NOW + 4 * MINUTE) == Delivered()
    if real:
        leases_run_out(laid.database)
    delivered(laid, NOW + 6 * MINUTE)
    assert (owed(laid).attempts, owed(laid).state) == (2, LetterState.DELIVERED)


def test_a_worker_that_comes_back_after_its_lease_changes_nothing(laid: Laid) -> None:
    """While it sends, another takes the letter over and settles it: there is one outcome, and one delivery."""

    def meanwhile(_: Outgoing) -> Outcome:
        change(laid, Letter, state=LetterState.ACCEPTED, leased_by="", lease_until=None)
        return Outcome(fate=Fate.REFUSED, code="550", reply="too late")

    delivered(laid, box=Answering(meanwhile), worker="slow:1")
    assert owed(laid).state is LetterState.ACCEPTED
    assert rows(laid.database, Delivery) == []


def test_a_batch_that_takes_too_long_gives_back_what_it_has_not_tried(laid: Laid) -> None:
    class Slow(LetterBox):
        parallel = 1

        async def send(self, letter: Outgoing) -> Outcome:
            await asyncio.sleep(0.05)
            return await super().send(letter)

    box = Slow()
    done = delivered(laid, box=box, lease=timedelta(seconds=0.06))
    assert done.fates == {"delivered": 2, "released": 2}
    waiting = rows(laid.database, Letter, state=LetterState.QUEUED)
    assert [(each.attempts, each.leased_by, each.on_wire) for each in waiting] == [(0, "", False)] * 2
    assert delivered(laid, NOW + MINUTE, box).fates == {"delivered": 2}
    assert max(Counter(each.key for each in box.letters).values()) == 1


def test_one_letter_that_cannot_be_sent_spares_its_batch(laid: Laid, caplog: pytest.LogCaptureFixture) -> None:
    """A mistake of ours is that letter's outcome. It may have been taken, so it is in doubt and not sent again."""

    def broken(letter: Outgoing) -> Outcome:
        if letter.to == "coordinator@so-ban.example":
            raise RuntimeError("a mistake of ours")
        return Outcome(fate=Fate.DELIVERED)

    assert delivered(laid, box=Answering(broken)).fates == {"delivered": 3, "unknown": 1}
    letter = owed(laid)
    assert (letter.state, letter.reason) == (LetterState.UNKNOWN, "RuntimeError: a mistake of ours")
    assert "could not be made or sent" in caplog.text


def test_one_letter_that_cannot_be_made_is_tried_again_later(laid: Laid, caplog: pytest.LogCaptureFixture) -> None:
    mine = table(Notice).c.letter_id == owed(laid).id
    with laid.database.write() as session:
        session.connection().execute(update(table(Notice)).where(mine).values(detail=["not", "a", "mapping"]))
    assert delivered(laid).fates == {"delivered": 3, "retry": 1}
    assert (owed(laid).state, owed(laid).attempts) == (LetterState.QUEUED, 1)
    assert "could not be made or sent" in caplog.text


def test_without_its_channel_a_letter_is_refused_with_the_reason(laid: Laid) -> None:
    change(laid, Letter, channel="sms")
    change(laid, Contact, phone="+84900000000")
    delivered(laid)
    assert (owed(laid).state, owed(laid).reason) == (LetterState.REFUSED, "no_channel: sms")


# --- looked at again when it is sent ------------------------------------------------------------------------------


def test_what_was_reported_between_deciding_and_sending_is_not_asked_for(laid: Laid) -> None:
    do(laid.database, Action.REPORT, laid.assignment("IV.1.1", "so-ban"), now=at(DAY, "07:10"))
    box = LetterBox()
    assert delivered(laid, box=box).fates == {"delivered": 3, "suppressed": 1}
    letter = owed(laid)
    assert (letter.state, letter.reason, letter.sent_at) == (LetterState.SUPPRESSED, "nothing_left", None)
    assert [each.obsolete for each in rows(laid.database, Notice, letter_id=letter.id)] == ["reported"]
    event = row(laid.database, Event, key=f"{letter.key}:suppressed")
    assert (event.kind, event.detail["reason"]) == (EventKind.LETTER_SUPPRESSED, "nothing_left")
    assert "coordinator@so-ban.example" not in [each.to for each in box.letters]
    assert rows(laid.database, Delivery, letter_id=letter.id) == []


def test_of_two_lines_one_may_lose_its_point_and_the_letter_still_goes(laid: Laid) -> None:
    mine = owed(laid)
    other = {
        "key": "assignment:9:chase:x",
        "letter_id": mine.id,
        "kind": "chase",
        "rung": "",
        "level": 0,
        "assignment_id": laid.assignment("IV.2.1", "huyen-a"),
        "detail": {},
        "obsolete": "",
    }
    with laid.database.write() as session:
        session.connection().execute(insert(table(Notice)).values(**other))
    do(laid.database, Action.REPORT, laid.assignment("IV.1.1", "so-ban"), now=at(DAY, "07:10"))
    box = LetterBox()
    delivered(laid, box=box)
    (sent,) = [each for each in box.letters if each.to == "coordinator@so-ban.example"]
    assert ("IV.2.1" in sent.text, "IV.1.1" in sent.text) == (True, False)
    assert [each.obsolete for each in rows(laid.database, Notice, letter_id=mine.id)] == ["reported", ""]


@pytest.mark.parametrize(
    ("contact", "reason"),
    [
        ({"valid_until": date(2021, 6, 15)}, "no_longer_answers"),
        ({"suppressed": {"email": "550 no such user"}}, "address_suppressed"),
        ({"email": ""}, "no_address"),
    ],
)
def test_who_is_no_longer_to_be_written_to_is_not(laid: Laid, contact: dict[str, Any], reason: str) -> None:
    letter = owed(laid)
    with laid.database.write() as session:
        session.connection().execute(
            update(table(Contact)).where(table(Contact).c.id == letter.contact_id).values(**contact)
        )
    box = LetterBox()
    assert delivered(laid, box=box).fates == {"delivered": 4, "suppressed": 1}  # the head gets it instead
    after = row(laid.database, Letter, id=letter.id)
    assert (after.state, after.reason) == (LetterState.SUPPRESSED, reason)
    assert happened(laid.database, kind=EventKind.LETTER_SUPPRESSED) == ["letter_suppressed"]


# --- many ---------------------------------------------------------------------------------------------------------


def test_more_than_a_batch_all_go_in_one_pass(laid: Laid) -> None:
    add_letters(laid, BATCH)
    box = LetterBox()
    assert delivered(laid, box=box).fates == {"delivered": BATCH + 4}
    assert len({each.key for each in box.letters}) == BATCH + 4


async def test_two_offices_at_once_send_each_letter_once(laid: Laid) -> None:
    """Overlapping passes of two workers, as of two machines."""
    box = Answering(lambda _: Outcome(fate=Fate.DELIVERED))
    offices: list[DeliveryContext] = [post_office(box, worker=f"worker:{n}") for n in range(3)]
    done = await asyncio.gather(*(deliver(laid.database, NOW, office) for office in offices))
    assert sum(each.claimed for each in done) == 4
    assert max(Counter(each.key for each in box.letters).values()) == 1


# --- a relay's bad hour silences nobody -------------------------------------------------------------------------------


def judged(stage: Stage, code: int, words: str) -> Answering:
    return Answering(lambda _: reply_outcome(stage, code, words))


async def test_a_relay_that_refuses_everything_for_an_hour_loses_no_letter_and_silences_no_address(laid: Laid) -> None:
    """60 letters met a relay that answered 5xx for one tick: all were refused for ever, all 60 mailboxes suppressed."""
    add_letters(laid, 60)
    bad = judged(Stage.RCPT, 554, "5.7.1 Relay access denied")
    done = await deliver(laid.database, NOW, post_office(bad))
    assert done.fates["retry"] == len(bad.letters) <= MAX_FAILURES + 2 * LetterBox.parallel
    with laid.database.read() as session:
        assert channel_health(session)["email"].held(NOW + timedelta(seconds=30))
    assert (await deliver(laid.database, NOW + timedelta(seconds=30), post_office(bad))).claimed == 0
    one = await deliver(laid.database, NOW + timedelta(minutes=2), post_office(bad))
    assert one.fates["retry"] == 1
    good = LetterBox()
    for hours in range(1, 8):
        await deliver(laid.database, NOW + timedelta(hours=hours), post_office(good))
    assert {each.state for each in rows(laid.database, Letter, day=date.fromisoformat(DAY))} == {LetterState.DELIVERED}
    assert all(each.suppressed == {} for each in rows(laid.database, Contact))


async def test_after_an_outage_the_first_letter_goes_alone_and_the_rest_of_the_batch_side_by_side(laid: Laid) -> None:
    class Counting(LetterBox):
        """How many letters are on their way at once, at the first and at most."""

        together, most = 0, list[int]()

        async def send(self, letter: Outgoing) -> Outcome:
            self.together += 1
            self.most.append(self.together)
            for _ in range(5):
                await asyncio.sleep(0)
            self.together -= 1
            return await super().send(letter)

    add_letters(laid, 20)
    await deliver(laid.database, NOW, post_office(judged(Stage.RCPT, 554, "5.7.1 Relay access denied")))
    back = Counting()
    assert (await deliver(laid.database, NOW + timedelta(hours=8), post_office(back))).fates == {"delivered": 24}
    assert (back.most[0], back.most[1], max(back.most)) == (1, 1, LetterBox.parallel)


async def test_a_refusal_without_a_known_reason_is_believed_the_third_time_and_suppresses_nothing(laid: Laid) -> None:
    sour = Answering(
        lambda each: (
            reply_outcome(Stage.RCPT, 550, "Rejected") if each.to == COORDINATOR else Outcome(fate=Fate.DELIVERED)
        )
    )
    now = NOW
    for _ in range(3):
        await deliver(laid.database, now, post_office(sour))
        now += timedelta(hours=3)
    assert (owed(laid).state, owed(laid).attempts) == (LetterState.REFUSED, 3)
    assert row(laid.database, Contact, email=COORDINATOR).suppressed == {}


async def test_a_mailbox_that_does_not_exist_is_written_to_no_more(laid: Laid) -> None:
    gone = reply_outcome(Stage.RCPT, 550, "5.1.1 User unknown")
    box = Answering(lambda each: gone if each.to == COORDINATOR else Outcome(fate=Fate.DELIVERED))
    await deliver(laid.database, NOW, post_office(box))
    assert owed(laid).state is LetterState.REFUSED
    assert row(laid.database, Contact, email=COORDINATOR).suppressed["email"].startswith("dead: ")

    with laid.database.write() as session:
        earlier = lift_suppressions(
            session, date(2021, 1, 1), NOW.date() - timedelta(days=1), actor="cli:root", now=NOW
        )
        contact = row(laid.database, Contact, email=COORDINATOR)
        suppress(session, contact.id, "sms", ASKED, NOW)
        lifted = lift_suppressions(session, NOW.date(), NOW.date(), actor="cli:root", now=NOW)
    assert (earlier, [(each.contact_id, each.channel) for each in lifted]) == ([], [(contact.id, "email")])
    assert row(laid.database, Contact, email=COORDINATOR).suppressed == {"sms": ASKED}


async def test_a_relay_that_knows_nobody_for_an_hour_silences_nobody_for_good(laid: Laid) -> None:
    """Its directory was away: «user unknown» to everybody is no news of the readers."""
    add_letters(laid, 60)
    nobody = judged(Stage.RCPT, 550, "5.1.1 User unknown")
    for minutes in (0, 1, 3, 10, 40):
        await deliver(laid.database, NOW + minutes * MINUTE, post_office(nobody))
    silenced = [each for each in rows(laid.database, Contact) if each.suppressed]
    assert len(silenced) == 1, "the first one; it was not known yet that the relay says so to everybody"
    good = LetterBox()
    for hours in range(1, 8):
        await deliver(laid.database, NOW + timedelta(hours=hours), post_office(good))
    letters = rows(laid.database, Letter, day=date.fromisoformat(DAY))
    assert {each.state for each in letters} == {LetterState.DELIVERED}
    assert all(each.suppressed == {} for each in rows(laid.database, Contact))
    resumed = [each for each in rows(laid.database, Event, kind=EventKind.CONTACT_CHANGED) if "what" in each.detail]
    assert [(each.actor, each.detail["contact"]) for each in resumed] == [("system", silenced[0].id)]


async def test_two_dead_mailboxes_one_after_the_other_are_believed_when_they_are_said_again(laid: Laid) -> None:
    dead = {COORDINATOR, "coordinator@huyen-a.example"}
    gone = reply_outcome(Stage.RCPT, 550, "5.1.1 User unknown")

    def answer(letter: Outgoing) -> Outcome:
        return gone if letter.to in dead else Outcome(fate=Fate.DELIVERED)

    for hours in range(8):
        await deliver(laid.database, NOW + timedelta(hours=hours), post_office(Answering(answer)))
    assert {each.email for each in rows(laid.database, Contact) if each.suppressed} == dead


# --- what never left is not delivered ---------------------------------------------------------------------------------


async def test_letters_kept_on_the_machine_count_nowhere_as_sent_and_leave_once_a_relay_is_set(laid: Laid) -> None:
    """53 letters were shown as delivered that had only been put into a folder, and were never sent."""
    found_before = run_checks(laid.database, NOW).findings
    await deliver(laid.database, NOW, post_office(LetterBox(Outcome(fate=Fate.KEPT_HERE))))
    assert (owed(laid).state, owed(laid).sent_at) == (LetterState.KEPT_HERE, None)
    with laid.database.read() as session:
        assert count_letters(session, NOW.date(), NOW.date() + timedelta(days=1)).sent == 0
    assert run_checks(laid.database, NOW).findings == {**found_before, "letters_kept_here": 4}
    relay = LetterBox()
    assert release_kept(laid.database, NOW + MINUTE) == 4
    done = await deliver(laid.database, NOW + MINUTE, post_office(relay))
    assert done.fates == {"delivered": 4} == {"delivered": len(relay.letters)}
    assert run_checks(laid.database, NOW + MINUTE).findings == found_before
