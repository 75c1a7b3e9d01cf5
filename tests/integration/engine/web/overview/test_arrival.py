"""The page behind the weekly test letter's link: opened by anything, confirmed by one tap."""

from __future__ import annotations

from pathlib import Path

import pytest
from ground.office import Office, everything, open_office

from engine.admin.first_steps import WeeklyLetter, arrival_keys, read_weekly_letter, write_weekly_letter
from engine.store.database import Database

WEEK = "2021-W25"


@pytest.fixture
def office(lived: Database, tmp_path: Path) -> Office:
    """As somebody's who is not signed in; this week's letter has left."""
    with lived.write() as session:
        write_weekly_letter(session, WeeklyLetter(week=WEEK, tried_at="2021-06-21", waits_since="2021-06-21"))
    return open_office(lived, tmp_path)


def path_of(office: Office, week: str = WEEK) -> str:
    return f"/arrived/{arrival_keys(office.context.signer, week)[0]}"


def confirmed(office: Office) -> bool:
    with office.context.database.read() as session:
        letter = read_weekly_letter(session)
    assert bool(letter.confirmed_at) is not bool(letter.waits_since)
    return bool(letter.confirmed_at)


def test_a_scanner_that_opens_the_link_confirms_nothing(office: Office, lived: Database) -> None:
    before = everything(lived)
    for _ in range(2):
        assert "Thư này đã đến" in office.get(path_of(office)).text
        office.client.head(path_of(office))
    assert everything(lived) == before
    assert not confirmed(office)


def test_one_tap_confirms_and_a_second_says_so_again(office: Office) -> None:
    path = path_of(office)
    form = {"token": office.token(path)}
    assert [office.client.post(path, data=form).headers["location"] for _ in range(2)] == [path] * 2
    assert confirmed(office)
    said = office.get(path).text
    assert "Đã xác nhận thư đến" in said
    assert '<form method="post"' not in said


def test_without_the_form_of_its_page_nothing_is_taken(office: Office) -> None:
    for token in ("", "x", office.token("/sign-in")):
        assert office.client.post(path_of(office), data={"token": token}).status_code == 403
    assert not confirmed(office)


@pytest.mark.parametrize("key", ["x", "0" * 32, "ẵ", "%00"])
def test_a_guessed_link_is_none(office: Office, key: str) -> None:
    assert office.get(f"/arrived/{key}").status_code == 403


def test_an_older_letters_link_names_the_newest(office: Office) -> None:
    answer = office.get(path_of(office, "2021-W24"))
    assert answer.status_code == 403
    assert "hãy mở thư mới nhất" in answer.text


def test_it_reads_in_english_too(office: Office) -> None:
    assert "This letter has arrived" in office.get(f"{path_of(office)}?lang=en").text
