"""A channel's pulse, and the alarm: down after failures in a row, told by another channel, once a day."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from ground.factory import Laid, at, lay, row, rows, swept
from ground.post import LetterBox, post_office

from engine.store.database import Database
from engine.store.records import Event
from engine.terms import EventKind
from notifications.channel_health import MAX_FAILURES, ChannelHealth, channel_health, record_fetch, updated
from notifications.contract.channel import Fate, Outcome
from notifications.delivery import deliver
from notifications.finding_alarm import Operator, alarm
from notifications.sms.gateway import BALANCE, LOGIN

NOW = at("2021-04-07", "08:00")
FAILED, WORKED = Outcome(fate=Fate.RETRY, code="421", reply="try later"), Outcome(fate=Fate.ACCEPTED, code="250")
OPERATOR = Operator("van-hanh@so.example", "+84912345678")


def sms_box(answer: Outcome | None = None) -> LetterBox:
    box = LetterBox(answer)
    box.name = "sms"
    return box


@pytest.mark.parametrize(
    ("outcomes", "down"),
    [
        ([FAILED] * (MAX_FAILURES - 1), False),
        ([FAILED] * MAX_FAILURES, True),
        ([FAILED] * (MAX_FAILURES - 1) + [WORKED] + [FAILED], False),
        ([FAILED] * MAX_FAILURES + [WORKED], False),
        ([FAILED] * MAX_FAILURES + [Outcome(fate=Fate.REFUSED, code="550", reply="no such user")], True),
        ([Outcome(fate=Fate.RETRY, code="535", reply="bad password")], True),
        ([Outcome(fate=Fate.RETRY, code="101", reply=str(LOGIN))], True),
        ([Outcome(fate=Fate.RETRY, code="103", reply=f"… → {BALANCE}")], True),
        ([Outcome(fate=Fate.REFUSED, code="suppressed")] * 9, False),
        ([Outcome(fate=Fate.RETRY, code="released")] * 9, False),
    ],
)
def test_when_a_channel_counts_as_down(outcomes: list[Outcome], down: bool) -> None:
    assert updated(ChannelHealth(), outcomes, NOW).down is down


def test_down_since_is_when_it_began() -> None:
    early = updated(ChannelHealth(), [FAILED] * MAX_FAILURES, NOW)
    assert updated(early, [FAILED], NOW + timedelta(hours=1)).down_since == NOW.isoformat()


@pytest.fixture
def laid(sqlite_database: Database) -> Laid:
    return lay(sqlite_database, now=NOW)


def fail(laid: Laid, channel: str = "email") -> None:
    for _ in range(MAX_FAILURES):
        with laid.database.write() as session:
            record_fetch(session, channel, "Connection refused", NOW)


def told(laid: Laid, now: Any = NOW, operator: Operator = OPERATOR, **channels: LetterBox) -> dict[str, int]:
    return asyncio.run(alarm(laid.database, now, channels, operator))


def test_letters_that_cannot_leave_are_what_the_pulse_is_felt_by(laid: Laid) -> None:
    swept(laid.database, NOW)
    box = LetterBox(Outcome(fate=Fate.RETRY, code="535", reply="bad password"))
    asyncio.run(deliver(laid.database, NOW, post_office(box)))
    with laid.database.read() as session:
        assert channel_health(session)["email"].why == "bad password"
    asyncio.run(deliver(laid.database, NOW + timedelta(hours=5), post_office(LetterBox())))
    with laid.database.read() as session:
        assert not channel_health(session)["email"].down


def test_e_mail_that_is_down_is_told_by_sms_once_a_day(laid: Laid) -> None:
    fail(laid)
    mail, sms = LetterBox(), sms_box()
    times = [told(laid, NOW + timedelta(hours=hours), email=mail, sms=sms)["told"] for hours in (0, 1, 5, 24)]
    assert times == [1, 0, 0, 1]
    assert (mail.letters, {each.to for each in sms.letters}) == ([], {OPERATOR.phone})
    assert "Kênh thư điện tử không hoạt động từ 08:00 07/04/2021" in sms.letters[0].text
    assert "refused" not in sms.letters[0].text
    assert len(rows(laid.database, Event, kind=EventKind.AUDIT_FAILED)) == 2


def test_sms_that_is_down_is_told_by_mail_with_the_other_side_s_words(laid: Laid) -> None:
    fail(laid, "sms")
    mail = LetterBox()
    told(laid, email=mail, sms=sms_box())
    assert (mail.letters[0].to, "Connection refused" in mail.letters[0].text) == (OPERATOR.email, True)


def test_a_mailbox_that_cannot_be_read_is_told_too(laid: Laid) -> None:
    fail(laid, "imap")
    mail = LetterBox()
    assert told(laid, email=mail) == {"down": 1, "told": 1}


@pytest.mark.parametrize("operator", [Operator(), Operator(email="van-hanh@so.example")])
def test_with_no_way_left_the_alarm_is_tried_again_and_nothing_pretends(laid: Laid, operator: Operator) -> None:
    fail(laid)
    assert told(laid, operator=operator, email=LetterBox(), sms=sms_box()) == {"down": 1, "told": 0}
    assert told(laid, email=LetterBox(), sms=sms_box(FAILED)) == {"down": 1, "told": 0}
    assert told(laid, email=LetterBox(), sms=sms_box()) == {"down": 1, "told": 1}
    assert row(laid.database, Event, kind=EventKind.AUDIT_FAILED).detail["finding"] == "channel_email"


def test_nothing_is_down_nothing_is_said(laid: Laid) -> None:
    assert told(laid, email=LetterBox()) == {"down": 0, "told": 0}
