"""An expired link offers a new one to the mailbox for which it was made, and to nobody else."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from ground.office import Office, contact_of, letter_of, open_office, token_in
from ground.post import LinkBox, link_post

from engine.accounts.signed_links import Purpose
from engine.agencies import contacts
from engine.store.database import Database

OVER = date(2021, 6, 2)
MINE = "coordinator@huyen-b.example"


@pytest.fixture
def box() -> LinkBox:
    return LinkBox()


@pytest.fixture
def office(lived: Database, tmp_path: Path, box: LinkBox) -> Office:
    return open_office(lived, tmp_path, links=link_post(box))


@pytest.fixture
def link(office: Office, lived: Database) -> str:
    """Of a report about which no letter is the newest any more."""
    made_on = OVER - timedelta(days=30)
    return office.link(Purpose.REPORT, contact_of(lived, "huyen-b"), "1:2021-H1", made_on=made_on, until=OVER)


def ask_again(office: Office, page: str) -> int:
    return office.client.post(page, data={"token": token_in(office.get(page).text)}).status_code


def test_the_reader_of_an_expired_link_is_led_to_asking_for_another(office: Office, link: str, box: LinkBox) -> None:
    first = office.get(f"{link}/thread")
    assert (first.status_code, first.headers["location"]) == (303, f"/expired{link}")
    page = office.get(f"/expired{link}")
    assert (page.status_code, "02/6/2021" in page.text) == (200, True)
    assert MINE not in page.text
    assert ask_again(office, f"/expired{link}") == 303
    (letter,) = box.letters
    assert letter.to == MINE
    assert "Đường dẫn mới" in letter.subject
    new = letter.text.partition("http://127.0.0.1:8188")[2].split()[0]
    assert new.startswith("/r/")
    assert office.get(new).status_code == 200


def test_a_mailbox_is_not_filled_by_whoever_holds_an_old_link(office: Office, link: str, box: LinkBox) -> None:
    assert [ask_again(office, f"/expired{link}") for _ in range(4)] == [303, 303, 303, 429]
    assert len(box.letters) == 3


def test_a_forged_link_and_one_of_who_has_left_offer_nothing(office: Office, lived: Database, link: str) -> None:
    assert office.get(f"/expired{link[:-2]}xx").status_code == 403
    with lived.write() as session:
        contacts.leave_now(session, contact_of(lived, "huyen-b"), actor="cli", now=office.clock.now)
    assert office.get(f"/expired{link}").status_code == 403


def test_a_link_that_works_leads_nowhere_else(office: Office, lived: Database) -> None:
    who, day = contact_of(lived, "huyen-b"), office.clock.now.date()
    works = office.link(Purpose.ACKNOWLEDGE, who, str(letter_of(lived, who)), until=day + timedelta(days=1))
    assert office.get(works).status_code == 200
