"""An office whose sheet holds telephones and which has no SMS gateway: its first overdue days are green."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bs4 import BeautifulSoup
from ground.factory import Laid, at, item, lay, plan_file, rows
from ground.office import open_office
from ground.post import LetterBox, post_office
from sqlalchemy import update

from engine.queries.system.health import findings_of
from engine.store.database import Database, table
from engine.store.records import Contact, Letter
from engine.terms import LetterState
from notifications.delivery import DeliveryContext
from workflows.checks.audit import audit
from workflows.run import passes

OPENED = at("2021-04-07", "09:00")
DAYS = ("2021-06-03", "2021-06-14", "2021-06-16", "2021-06-18", "2021-06-22")


class Phone(LetterBox):
    name = "sms"


def lived(laid: Laid, office: DeliveryContext, *days: str) -> None:
    for day in days:
        for time in ("07:00", "07:30", "08:00"):
            asyncio.run(passes.tick(laid.database, at(day, time), office))


def with_telephones(database: Database) -> Laid:
    laid = lay(database, now=OPENED, plan=plan_file(items=(item(1, "so-ban"),)))
    with database.write() as session:
        session.connection().execute(update(table(Contact)).values(phone="+84912345678"))
    return laid


def test_no_letter_is_made_that_nobody_can_send_and_nothing_is_red(database: Database, tmp_path: Path) -> None:
    laid = with_telephones(database)
    asyncio.run(passes.tick(database, OPENED, post_office()))
    lived(laid, post_office(), *DAYS)
    now = at(DAYS[-1], "08:05")
    letters = rows(database, Letter)
    assert {each.channel for each in letters} == {"email"}
    assert LetterState.REFUSED not in {each.state for each in letters}
    assert findings_of(audit(database, now).counts) == {}
    channels = BeautifulSoup(open_office(database, tmp_path, now=now).get("/health").text, "lxml")
    shown = channels.select_one("#channels").get_text().split()  # type: ignore[union-attr]
    assert " ".join(shown[-4:]) == "tin nhắn chưa đặt"


def test_once_a_gateway_is_set_they_are_made_from_then_on_and_none_of_before(database: Database) -> None:
    laid, mail, phone = with_telephones(database), LetterBox(), Phone()
    asyncio.run(passes.tick(database, OPENED, post_office(mail)))
    lived(laid, post_office(mail), *DAYS[:-1])
    lived(laid, DeliveryContext(channels={"email": mail, "sms": phone}, renderer=post_office().renderer), DAYS[-1])
    assert {each.day.isoformat() for each in rows(database, Letter, channel="sms")} == {DAYS[-1]}
    assert phone.letters
