"""What the audit finds reaches the operator, once a day each, by every way that works."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from ground.factory import at
from ground.post import LetterBox

from engine.store.database import Database
from engine.store.facts import write_fact
from engine.terms import PassName
from notifications.contract.channel import Fate, Outcome
from notifications.finding_alarm import Operator, alarm_findings, alarm_from_prefect
from workflows.run.passes import PassReport, record_run

NOW, LATER = at("2021-06-16", "09:00"), at("2021-06-16", "09:20")
OPERATOR = Operator("operator@tinh.example", "+84912000000")


class Phone(LetterBox):
    name = "sms"


def found(database: Database, **counts: int) -> None:
    record_run(database, PassReport(PassName.AUDIT, counts), NOW)


def told(database: Database, now: object, *boxes: LetterBox, operator: Operator = OPERATOR) -> int:
    channels = {box.name: box for box in boxes}
    return asyncio.run(alarm_findings(database, now, channels, operator))  # type: ignore[arg-type]


def test_a_finding_that_lasts_is_told_once_a_day_in_words(database: Database) -> None:
    mail, phone = LetterBox(), Phone()
    found(database, backup_old=1, unknown_letters=3, channels_down=1)
    assert told(database, NOW, mail, phone) == 0, "it may be gone at the next audit"
    assert [told(database, LATER + timedelta(hours=n), mail, phone) for n in range(3)] == [1, 0, 0]
    assert [(box.letters[0].to, len(box.letters)) for box in (mail, phone)] == [
        ("operator@tinh.example", 1),
        ("+84912000000", 1),
    ]
    assert "quá 3 ngày chưa có bản sao lưu tốt: 1" in mail.letters[0].text
    assert "unknown" not in mail.letters[0].text
    assert told(database, LATER + timedelta(days=1), mail, phone) == 1


def test_what_is_new_the_same_day_is_told_alone(database: Database) -> None:
    mail = LetterBox()
    found(database, backup_old=1)
    told(database, NOW, mail)
    told(database, LATER, mail)
    found(database, backup_old=1, disk_low=1)
    told(database, LATER, mail)
    assert told(database, LATER + timedelta(minutes=15), mail, operator=Operator("a@so.example", language="en")) == 1
    assert "less than a tenth of the disk is free" in mail.letters[-1].text
    assert "backup" not in mail.letters[-1].text


def test_what_has_gone_meanwhile_is_not_told(database: Database) -> None:
    mail = LetterBox()
    found(database, canary_missing=1)
    told(database, NOW, mail)
    found(database, canary_missing=0)
    assert told(database, LATER, mail) == 0
    found(database, canary_missing=1)
    assert told(database, LATER + timedelta(minutes=1), mail) == 0, "counted from when it came again"
    assert mail.letters == []


@pytest.mark.parametrize("wall", ["06:30", "21:30"])
def test_nobody_is_woken(database: Database, wall: str) -> None:
    mail, night = LetterBox(), at("2021-06-17", wall)
    found(database, disk_low=1)
    told(database, NOW, mail)
    assert told(database, night, mail) == 0
    assert mail.letters == []


def test_what_no_channel_took_is_told_later_and_a_channel_that_is_down_is_left_alone(database: Database) -> None:
    mail, phone = LetterBox(Outcome(fate=Fate.RETRY)), Phone()
    found(database, disk_low=1)
    told(database, NOW, mail)
    assert told(database, LATER, mail) == 0
    with database.write() as session:
        write_fact(session, "channel:email", '{"failures": 5, "down_since": "2021-06-16T02:00:00+00:00"}')
    assert told(database, LATER, mail, phone) == 1
    assert len(mail.letters) == 1
    assert len(phone.letters) == 1


def test_without_an_address_nothing_is_sent(database: Database) -> None:
    mail = LetterBox()
    found(database, disk_low=1)
    told(database, NOW, mail, operator=Operator())
    assert told(database, LATER, mail, operator=Operator()) == 0
    assert mail.letters == []


def test_what_prefect_calls_about_is_told_once_a_day_each(database: Database) -> None:
    mail, phone = LetterBox(), Phone()
    about = {
        "name": "dondoc: no tick for ten minutes",
        "what": "Mười phút không có lượt xử lý nào xong.",
        "about": None,
    }

    def passed_on(told: dict[str, object], day: int = 0) -> bool:
        channels = {"email": mail, "sms": phone}
        return asyncio.run(alarm_from_prefect(database, NOW + timedelta(days=day), channels, OPERATOR, told))  # type: ignore[arg-type]

    other = {"name": "dondoc: an assignment that nobody has acknowledged", "what": "…", "about": "12/KH-UBND IV.2.1"}
    assert [passed_on(each) for each in (about, about, other)] == [True, False, True]
    assert passed_on(about, day=1)
    assert [len(box.letters) for box in (mail, phone)] == [3, 3]
    assert (mail.letters[0].to, "Mười phút" in mail.letters[0].text) == (OPERATOR.email, True)
    assert "12/KH-UBND IV.2.1" in mail.letters[1].text


@pytest.mark.parametrize("told", [{}, {"name": 7}, {"name": "x" * 900, "what": ["y"]}])
def test_whatever_is_called_about_is_told_in_a_letter(database: Database, told: dict[str, object]) -> None:
    mail = LetterBox()
    asyncio.run(alarm_from_prefect(database, NOW, {"email": mail}, OPERATOR, told))
    assert len(mail.letters) == 1
