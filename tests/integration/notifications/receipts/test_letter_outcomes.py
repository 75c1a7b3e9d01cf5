"""What becomes of letters after they left: receipts and bounces in any order, dead addresses, letters passed on."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from ground.factory import Laid, add_contact, at, do, happened, laid_once, lay, row, rows, swept
from ground.post import LetterBox, post_office
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from engine.rules.situation import Action
from engine.store.database import Database, table
from engine.store.recipients import remember_channels
from engine.store.records import Assignment, Contact, Delivery, Event, Incoming, Letter, Notice
from engine.terms import EventKind, LetterState, NoticeKind, Role
from notifications.contract.channel import Channel, Fate, Outcome
from notifications.delivery import deliver
from notifications.email.bounces import Bounce, Severity
from notifications.receipts import letter_outcomes
from notifications.sms.receipts import REPORTED, Receipt, advance

NOW = at("2021-04-07", "08:00")
COORDINATOR, HEAD = "coordinator@so-ban.example", "head@so-ban.example"


class ByReceipt(LetterBox):
    """Takes every letter; its receipt is made from the key, as a relay's or gateway's is."""

    def __init__(self, name: str = "email") -> None:
        super().__init__()
        self.name = name

    async def send(self, letter: Any) -> Outcome:
        self.letters.append(letter)
        return Outcome(fate=Fate.ACCEPTED, code="250", receipt=f"<{letter.key}>")


def sent(laid: Laid, now: Any = NOW, box: LetterBox | None = None, **channels: Channel) -> LetterBox:
    box = box or ByReceipt()
    office = replace(post_office(box), channels={"email": box, **channels})
    asyncio.run(deliver(laid.database, now, office))
    return box


@pytest.fixture
def laid(database: Database) -> Laid:
    """The plan is open; the first letters have been taken by the relay."""
    return laid_once(database, "first letters taken by a relay", begun)


def begun(database: Database) -> Laid:
    laid = lay(database, now=NOW)
    swept(database, NOW)
    sent(laid)
    return laid


def letter_to(laid: Laid, mailbox: str = COORDINATOR, **more: Any) -> Any:
    contact = row(laid.database, Contact, email=mailbox)
    return rows(laid.database, Letter, contact_id=contact.id, **more)[-1]


def told(laid: Laid, state: LetterState, now: Any = NOW, mailbox: str = COORDINATOR) -> letter_outcomes.ReceiptResult:
    """A gateway reports on the coordinator's first letter."""
    receipt = f"<{letter_to(laid, mailbox, day=date(2021, 4, 7)).key}>"
    with laid.database.write() as session:
        return letter_outcomes.take_receipt(session, Receipt(receipt, state, "1", now), now)


def bounced(
    laid: Laid, severity: Severity, now: Any = NOW, status: str = "5.1.1", mailbox: str = COORDINATOR
) -> letter_outcomes.ReceiptResult:
    """A relay reports on somebody's last letter, to its signed return address."""
    with laid.database.write() as session:
        key = letter_to(laid, mailbox).key
        return letter_outcomes.take_bounce(session, Bounce(severity, status=status), key, now)


def odd(laid: Laid) -> list[str]:
    return [
        each.detail["odd"] for each in rows(laid.database, Event, kind=EventKind.LETTER_SETTLED) if each.detail["odd"]
    ]


# --- the machine ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "state", "named"),
    [
        (["delivered"], "delivered", []),
        (["delivered", "delivered"], "delivered", ["delivered_twice"]),
        (["delivered", "accepted"], "delivered", ["accepted_after_delivered"]),
        (["accepted", "accepted", "delivered"], "delivered", []),
        (["delivered", "bounced_hard"], "bounced_hard", ["bounced_hard_after_delivered"]),
        (["bounced_hard", "delivered"], "bounced_hard", ["delivered_after_bounced_hard"]),
        (["bounced_hard", "bounced_hard", "bounced_hard"], "bounced_hard", ["bounced_hard_twice"]),
        (["delivered", "bounced_soft"], "delivered", ["bounced_soft_after_delivered"]),
        (["bounced_soft", "delivered"], "delivered", ["delivered_before_sending"]),
        (["refused", "delivered"], "delivered", ["delivered_after_refused"]),
        (["expired", "delivered"], "delivered", ["delivered_after_expired"]),
        (["unknown", "delivered"], "delivered", ["unknown_after_accepted"]),
    ],
)
def test_each_odd_order_of_receipts_has_a_name_and_one_end(
    laid: Laid, said: list[str], state: str, named: list[str]
) -> None:
    for each in said:
        told(laid, LetterState(each))
    assert (letter_to(laid, day=date(2021, 4, 7)).state, odd(laid)) == (state, named)


@given(st.lists(st.sampled_from(REPORTED), max_size=8), st.randoms(use_true_random=False))
def test_the_end_does_not_depend_on_the_order_nor_on_repeats(said: list[LetterState], chance: Any) -> None:
    def end(order: list[LetterState]) -> LetterState:
        state = LetterState.ACCEPTED
        for each in order:
            state = advance(state, each).state
        return state

    shuffled = said + said[: len(said) // 2]
    chance.shuffle(shuffled)
    assert end(said) == end(shuffled)


def test_a_receipt_that_comes_before_its_letter_is_settled_waits_for_it(laid: Laid) -> None:
    letter = letter_to(laid, day=date(2021, 4, 7))
    with laid.database.write() as session:
        session.connection().execute(
            update(table(Letter)).where(table(Letter).c.id == letter.id).values(state=LetterState.SENDING)
        )
    assert told(laid, LetterState.DELIVERED).letter_id is None
    with laid.database.write() as session:
        assert letter_outcomes.settle_early(session, NOW) == 0
        session.connection().execute(
            update(table(Letter)).where(table(Letter).c.id == letter.id).values(state=LetterState.ACCEPTED)
        )
    with laid.database.write() as session:
        assert [letter_outcomes.settle_early(session, NOW) for _ in range(2)] == [1, 0]
    assert letter_to(laid, day=date(2021, 4, 7)).state is LetterState.DELIVERED


def test_a_receipt_for_no_letter_is_given_up_after_a_day_and_says_so(laid: Laid) -> None:
    with laid.database.write() as session:
        letter_outcomes.take_receipt(session, Receipt("nobody's", LetterState.DELIVERED, "1", NOW), NOW)
    for hours in (1, 25):
        with laid.database.write() as session:
            letter_outcomes.settle_early(session, NOW + timedelta(hours=hours))
    assert row(laid.database, Incoming).outcome == "no_letter"


def test_a_receipt_for_a_letter_that_was_never_sent_changes_nothing(laid: Laid) -> None:
    letter = letter_to(laid)
    with laid.database.write() as session:
        session.connection().execute(
            update(table(Letter)).where(table(Letter).c.id == letter.id).values(state=LetterState.SUPPRESSED)
        )
    told(laid, LetterState.DELIVERED)
    assert (letter_to(laid).state, odd(laid)) == (LetterState.SUPPRESSED, ["receipt_for_suppressed"])


# --- a dead address -------------------------------------------------------------------------------------------------


def test_a_dead_mailbox_is_written_to_no_more_and_the_letter_goes_to_the_head(laid: Laid) -> None:
    bounced(laid, Severity.HARD)
    assert row(laid.database, Contact, email=COORDINATOR).suppressed == {"email": "dead: 5.1.1"}
    passed = letter_to(laid, HEAD)
    before, after = (
        rows(laid.database, Notice, letter_id=letter_to(laid).id),
        rows(laid.database, Notice, letter_id=passed.id),
    )
    assert [each.assignment_id for each in before] == [each.assignment_id for each in after]
    box = sent(laid)
    assert HEAD in {each.to for each in box.letters}


def test_the_monitor_is_told_in_the_day_s_letter_that_an_agency_cannot_be_reached(laid: Laid) -> None:
    bounced(laid, Severity.HARD)
    (line,) = rows(laid.database, Notice, kind=NoticeKind.UNREACHABLE)
    assert line.detail == {"channel": "email", "next": True}
    (letter,) = [each for each in sent(laid).letters if each.to == "monitor@so-chinh.example"]
    assert "Hộp thư của đầu mối không nhận được nữa. Thư đã chuyển cho người hoặc kênh khác." in letter.text


def test_the_same_bounce_again_changes_nothing(laid: Laid) -> None:
    for _ in range(3):
        bounced(laid, Severity.HARD)
    assert len(rows(laid.database, Notice, kind=NoticeKind.UNREACHABLE)) == 1
    assert len(rows(laid.database, Letter, contact_id=row(laid.database, Contact, email=HEAD).id)) == 1
    assert happened(laid.database, kind=EventKind.CONTACT_CHANGED) == ["contact_changed"]


def test_who_has_a_telephone_gets_it_by_sms_before_anybody_else_does(laid: Laid) -> None:
    with laid.database.write() as session:
        session.connection().execute(
            update(table(Contact)).where(table(Contact).c.email == COORDINATOR).values(phone="0912345678")
        )
    bounced(laid, Severity.HARD)
    by_sms = ByReceipt("sms")
    sent(laid, box=None, sms=by_sms)
    assert [each.to for each in by_sms.letters] == ["0912345678"]
    assert rows(laid.database, Letter, contact_id=row(laid.database, Contact, email=HEAD).id) == []


def test_where_no_gateway_is_set_up_it_goes_to_the_head(laid: Laid) -> None:
    with laid.database.write() as session:
        session.connection().execute(update(table(Contact)).values(phone="0912345678"))
    remember_channels(laid.database, ["email"])
    bounced(laid, Severity.HARD)
    (passed_on,) = rows(laid.database, Letter, contact_id=row(laid.database, Contact, email=HEAD).id)
    assert passed_on.channel == "email"


def with_an_sms_beside(laid: Laid) -> str:
    """The day before the due date the coordinator is written to by mail and by SMS; there is no gateway. Returns the
    address of the letter."""
    with laid.database.write() as session:
        mine = table(Contact).c.email == COORDINATOR
        session.connection().execute(update(table(Contact)).where(mine).values(phone="+84912345678"))
    for task in rows(laid.database, Assignment, agency_id="so-ban"):
        do(laid.database, Action.ACKNOWLEDGE, task.id, now=NOW)
    swept(laid.database, at("2021-06-16", "07:00"))
    box = sent(laid, now=at("2021-06-16", "07:30"))
    sent(laid, now=at("2021-06-16", "07:40"), box=box)
    assert {each.channel: each.state for each in rows(laid.database, Letter, day=date(2021, 6, 16))}["sms"] is (
        LetterState.REFUSED
    )
    return next(each.key for each in box.letters if each.to == COORDINATOR)


def test_an_sms_that_no_gateway_takes_brings_nothing_to_the_head_of_who_has_the_letter(laid: Laid) -> None:
    with_an_sms_beside(laid)
    assert rows(laid.database, Letter, contact_id=row(laid.database, Contact, email=HEAD).id) == []
    assert happened(laid.database, kind=EventKind.UNREACHABLE) == []


def test_once_the_letter_comes_back_as_well_the_head_gets_it(laid: Laid) -> None:
    key = with_an_sms_beside(laid)
    with laid.database.write() as session:
        letter_outcomes.take_bounce(session, Bounce(Severity.HARD, status="5.1.1"), key, at("2021-06-16", "09:00"))
    (passed_on,) = rows(laid.database, Letter, contact_id=row(laid.database, Contact, email=HEAD).id)
    assert passed_on.channel == "email"


def test_the_chain_ends_where_nobody_is_left_and_every_step_happens_once(laid: Laid) -> None:
    bounced(laid, Severity.HARD)
    sent(laid)
    for _ in range(2):
        bounced(laid, Severity.HARD, mailbox=HEAD)
    unreachable = rows(laid.database, Event, kind=EventKind.UNREACHABLE)
    assert (
        len(unreachable)
        == len({each.key for each in unreachable})
        == len(rows(laid.database, Notice, letter_id=letter_to(laid).id))
    )


def test_later_letters_go_to_the_head_without_a_bounce(laid: Laid) -> None:
    bounced(laid, Severity.HARD)
    swept(laid.database, at("2021-06-03"))
    box = sent(laid, at("2021-06-03", "08:00"))
    assert {each.to for each in box.letters if "so-ban" in each.to} == {HEAD}


@pytest.mark.parametrize(
    ("code", "reply", "dead"),
    [
        ("550", "5.1.1 no such user", True),
        ("550", "5.2.1 account disabled", True),
        ("550", "mailbox unavailable", True),
        ("554", "5.7.1 rejected as spam", False),
        ("552", "5.3.4 message too large", False),
        ("no_channel", "sms", False),
    ],
)
def test_a_refusal_at_the_door_tells_a_dead_address_from_an_unhappy_relay(
    database: Database, code: str, reply: str, dead: bool
) -> None:
    laid = lay(database, now=NOW)
    swept(database, NOW)
    sent(laid, box=LetterBox(Outcome(fate=Fate.REFUSED, code=code, reply=reply)))
    assert bool(row(database, Contact, email=COORDINATOR).suppressed) is dead
    assert letter_to(laid, HEAD).state is LetterState.REFUSED  # and it went on to the head all the same


def test_a_letter_that_expired_goes_by_another_channel_not_to_another_person(laid: Laid) -> None:
    with laid.database.write() as session:
        session.connection().execute(update(table(Contact)).values(phone="0912345678"))
    told(laid, LetterState.EXPIRED)
    letters = [(each.contact_id, each.channel) for each in rows(laid.database, Letter) if each.channel == "sms"]
    assert letters == [(row(laid.database, Contact, email=COORDINATOR).id, "sms")]


# --- a soft bounce --------------------------------------------------------------------------------------------------


def test_a_soft_bounce_is_tried_again_twice_and_then_goes_to_the_next_person(laid: Laid) -> None:
    now, tries = NOW, []
    for _ in range(3):
        bounced(laid, Severity.SOFT, now, "4.2.2")
        letter = letter_to(laid)
        tries.append(letter.state)
        now = max(now, letter.send_after) + timedelta(minutes=1)
        sent(laid, now)
    assert tries == [LetterState.QUEUED, LetterState.QUEUED, LetterState.BOUNCED_SOFT]
    assert len(rows(laid.database, Delivery, letter_id=letter_to(laid).id)) == 3
    assert (row(laid.database, Contact, email=COORDINATOR).suppressed, letter_to(laid, HEAD).state) == ({}, "accepted")


def test_a_letter_tried_again_is_the_same_letter(laid: Laid) -> None:
    bounced(laid, Severity.SOFT, status="4.2.2")
    box = sent(laid, letter_to(laid).send_after + timedelta(minutes=1))
    assert [each.key for each in box.letters] == [letter_to(laid).key]


def test_a_notice_of_delay_changes_nothing_and_is_told_once(laid: Laid) -> None:
    for _ in range(2):
        bounced(laid, Severity.DELAYED, status="4.4.1")
    assert (letter_to(laid).state, odd(laid)) == (LetterState.ACCEPTED, ["delayed"])


# --- which letter -----------------------------------------------------------------------------------------------------


def test_a_bounce_while_the_letter_is_in_our_own_hands_waits(laid: Laid) -> None:
    with laid.database.write() as session:
        session.connection().execute(update(table(Letter)).values(state=LetterState.SENDING))
    assert bounced(laid, Severity.HARD).early["key"] == letter_to(laid).key


def test_the_head_is_not_bothered_with_a_duty_that_was_reported_meanwhile(laid: Laid) -> None:
    do(laid.database, Action.REPORT, laid.assignment("IV.1.1", "so-ban"), now=NOW)
    bounced(laid, Severity.HARD)
    assert rows(laid.database, Letter, contact_id=row(laid.database, Contact, email=HEAD).id) == []


def test_a_deputy_stands_before_the_head(laid: Laid) -> None:
    deputy = add_contact(laid.database, "so-ban", Role.DEPUTY)
    bounced(laid, Severity.HARD)
    assert [each.role for each in rows(laid.database, Letter, contact_id=deputy)] == [Role.DEPUTY]
