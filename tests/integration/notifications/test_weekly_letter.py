"""A letter a week to the operator with a link, where no mailbox is fetched: asked once a week, missed the day after."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path

import pytest
from ground.factory import at, lay, row
from ground.incoming.messages import keep_message
from ground.post import KEY, LetterBox

from config.settings import Settings
from engine.accounts.signed_links import Signer
from engine.admin.first_steps import arrival_keys, confirm_arrival
from engine.errors import LinkRefused
from engine.rules.calendar import DayException, DayKind
from engine.store.database import Database
from engine.store.event_log import head
from engine.store.records import Pass
from engine.terms import WaitReason
from notifications import arrival
from notifications.contract.channel import Channel, Fate, Outcome
from notifications.finding_alarm import Operator
from workflows.checks.audit import audit
from workflows.checks.record_checks import office_findings
from workflows.run.channel_wiring import arrival_link, own_mailbox
from workflows.run.inbound_passes import watch

SIGNER = Signer(KEY)
OPERATOR = Operator("operator@tinh.example", "+84912000000")
MONDAY, TUESDAY, FRIDAY, NEXT_MONDAY = "2021-06-14", "2021-06-15", "2021-06-18", "2021-06-21"


def settings(folder: Path, **more: str) -> Settings:
    known = {"smtp_host": "relay.example", "operator_email": OPERATOR.email, "base_url": "https://dondoc.tinh.example"}
    return Settings(_env_file=None, data_dir=folder, secret=KEY, prefect=False, **known | more)  # type: ignore[call-arg]


@pytest.fixture
def laid(database: Database) -> Database:
    lay(database, now=at("2021-06-10"))
    return database


def sent(database: Database, day: str, wall: str, relay: Channel, operator: Operator = OPERATOR) -> bool:
    return asyncio.run(arrival.send_weekly(database, at(day, wall), relay, operator, lambda week: f"https://x/{week}"))


def missing(database: Database, folder: Path, day: str, wall: str, **more: str) -> int:
    with database.read() as session:
        return office_findings(session, settings(folder, **more), at(day, wall)).get("arrival_unconfirmed", 0)


def confirmed(database: Database, day: str, wall: str, week: str) -> None:
    with database.write() as session:
        confirm_arrival(session, SIGNER, arrival_keys(SIGNER, week)[0], at(day, wall))


def test_it_goes_once_a_week_in_working_hours(laid: Database) -> None:
    relay = LetterBox()
    with laid.write() as session:
        keep_message(session, "so-ban", "Gọi lại", now=at("2021-06-10"), waits=WaitReason.NOT_UNDERSTOOD)
    assert [sent(laid, MONDAY, wall, relay) for wall in ("07:29", "07:30", "07:31", "16:00")] == [
        False,
        True,
        False,
        False,
    ]
    assert [sent(laid, day, "09:00", relay) for day in (TUESDAY, FRIDAY, "2021-06-19", "2021-06-20")] == [False] * 4
    assert sent(laid, NEXT_MONDAY, "07:30", relay)
    assert [letter.to for letter in relay.letters] == [OPERATOR.email] * 2
    assert "https://x/2021-W24" in relay.letters[0].text
    assert "Trong 7 ngày qua có 1 thư trả lời: đang chờ 1." in relay.letters[0].text
    with laid.read() as session:
        assert str(head(session.connection())) in relay.letters[1].text, (
            "shows later that the log is the same until then"
        )
    assert relay.letters[0].headers["Auto-Submitted"] == "auto-generated"


def test_it_is_in_the_operators_language(laid: Database) -> None:
    relay = LetterBox()
    sent(laid, MONDAY, "07:30", relay, Operator(OPERATOR.email, language="en"))
    sent(laid, NEXT_MONDAY, "07:30", relay)
    assert [letter.subject.partition(": ")[2] for letter in relay.letters] == [
        "please confirm that it has arrived",
        "đề nghị xác nhận đã đến",
    ]


def test_a_closed_monday_moves_it_and_a_closed_week_has_none(database: Database) -> None:
    closed = (date(2021, 6, 14), *(date(2021, 6, day) for day in range(21, 26)))
    lay(database, now=at("2021-06-10"), days=tuple(DayException(day, DayKind.HOLIDAY, "Nghỉ") for day in closed))
    relay = LetterBox()
    days = (MONDAY, TUESDAY, NEXT_MONDAY, "2021-06-23", "2021-06-28")
    assert [sent(database, day, "08:00", relay) for day in days] == [False, True, False, False, True]


def test_one_that_was_off_on_monday_morning_asks_when_it_is_on_but_not_in_the_evening(laid: Database) -> None:
    relay = LetterBox()
    assert [sent(laid, day, wall, relay) for day, wall in ((MONDAY, "18:00"), (TUESDAY, "07:30"))] == [False, True]


def test_what_nobody_confirms_by_the_end_of_the_next_working_day_is_a_finding(laid: Database, tmp_path: Path) -> None:
    sent(laid, MONDAY, "07:30", LetterBox())
    assert [missing(laid, tmp_path, TUESDAY, wall) for wall in ("16:59", "17:00")] == [0, 1]
    assert missing(laid, tmp_path, TUESDAY, "17:00", imap_host="imap.example") == 0, "the daily letter proves it"
    assert missing(laid, tmp_path, TUESDAY, "17:00", operator_email="") == 0, "nobody can be asked; doctor says so"
    confirmed(laid, TUESDAY, "17:30", "2021-W24")
    assert missing(laid, tmp_path, TUESDAY, "17:30") == 0
    assert missing(laid, tmp_path, NEXT_MONDAY, "07:00") == 0


def test_over_a_weekend_it_is_waited_for(laid: Database, tmp_path: Path) -> None:
    sent(laid, FRIDAY, "10:00", LetterBox())
    assert [missing(laid, tmp_path, day, "17:00") for day in ("2021-06-19", "2021-06-20", NEXT_MONDAY)] == [0, 0, 1]


def test_a_further_letter_does_not_make_the_finding_go(laid: Database, tmp_path: Path) -> None:
    relay = LetterBox()
    sent(laid, MONDAY, "07:30", relay)
    sent(laid, NEXT_MONDAY, "07:30", relay)
    assert missing(laid, tmp_path, NEXT_MONDAY, "07:31") == 1
    with pytest.raises(LinkRefused):
        confirmed(laid, NEXT_MONDAY, "08:00", "2021-W24")
    confirmed(laid, NEXT_MONDAY, "08:00", "2021-W25")
    assert missing(laid, tmp_path, NEXT_MONDAY, "08:00") == 0
    confirmed(laid, NEXT_MONDAY, "08:05", "2021-W25")  # once more


def test_one_that_no_relay_took_is_tried_again_and_missed(laid: Database, tmp_path: Path) -> None:
    broken = LetterBox(Outcome(fate=Fate.RETRY, code="451"))
    assert [sent(laid, MONDAY, wall, broken) for wall in ("07:30", "07:35", "07:41")] == [False] * 3
    assert [letter.key for letter in broken.letters] == ["weekly:2021-W24"] * 2
    assert missing(laid, tmp_path, TUESDAY, "17:00") == 1
    assert sent(laid, "2021-06-16", "08:00", LetterBox())
    assert not sent(laid, "2021-06-17", "08:00", LetterBox())


def test_an_office_that_has_just_begun_misses_none(laid: Database, tmp_path: Path) -> None:
    assert missing(laid, tmp_path, TUESDAY, "18:00") == 0


def test_it_goes_where_no_mailbox_is_fetched_and_somebody_can_be_asked(laid: Database, tmp_path: Path) -> None:
    link = arrival_link(settings(tmp_path), SIGNER)
    assert link is not None
    assert link("2021-W24") == f"https://dondoc.tinh.example/arrived/{arrival_keys(SIGNER, '2021-W24')[0]}"
    assert link("2021-W24") != link("2021-W25")
    for without in ({"imap_host": "imap.example"}, {"operator_email": ""}, {"smtp_host": ""}):
        assert arrival_link(settings(tmp_path, **without), SIGNER) is None
    assert own_mailbox(settings(tmp_path), SIGNER) is None
    relay = LetterBox()
    report = asyncio.run(watch(laid, at(MONDAY, "07:30"), {"email": relay}, OPERATOR, None, link))
    assert report.counts["weekly_letter"] == 1
    assert link("2021-W24") in relay.letters[0].text


def test_the_operator_is_told_once_a_week_as_they_are_asked(laid: Database, tmp_path: Path) -> None:
    """By every channel, since their mailbox may be what does not work."""

    class Phone(LetterBox):
        name = "sms"

    mail, phone = LetterBox(), Phone()
    sent(laid, MONDAY, "07:30", mail)
    for day in (TUESDAY, "2021-06-16", "2021-06-17", "2021-06-18", NEXT_MONDAY, "2021-06-22"):
        for wall in ("17:05", "17:25", "20:00"):
            now = at(day, wall)
            with laid.read() as session:
                outside = office_findings(session, settings(tmp_path), now)
            audit(laid, now, outside=outside)
            asyncio.run(watch(laid, now, {"email": mail, "sms": phone}, OPERATOR))
    told = [letter for letter in phone.letters if "thư thử hằng tuần" in letter.text]
    assert [f"{letter.at:%d/%m}" for letter in told] == ["15/06", "21/06"]
    assert row(laid, Pass, name="audit").counts["arrival_unconfirmed"] == 1
