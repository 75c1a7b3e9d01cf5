"""Handing over: looked at first, named in a sentence, then done; what could not move is said."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from ground.factory import happened, row, rows
from ground.office import NOW, Office, as_role, everything, open_office
from httpx import Response

from engine.agencies.agencies import succeed
from engine.store.database import Database
from engine.store.records import Assignment, Event
from engine.terms import State

PATH = "/admin/agencies/huyen-b/handover"
TASK = "to-3"
"""huyen-b's open assignment IV.2.1 of the first half of 2021; huyen-a has the same one."""


@pytest.fixture
def merged(lived: Database) -> Database:
    """District B went to district A, and its tourism to the department."""
    with lived.write() as session:
        for to, function in (("huyen-a", "chung"), ("so-ban", "du lịch")):
            succeed(
                session,
                "huyen-b",
                to,
                on=date(2021, 6, 1),
                function=function,
                basis="Nghị quyết 27/NQ-HĐND",
                actor="desk",
                now=NOW,
            )
    return lived


def give(office: Office, **more: str) -> Response:
    return office.post(PATH, page=PATH, **more)


def words(page: str) -> str:
    return " ".join(BeautifulSoup(page, "lxml").main.get_text(" ").split())  # type: ignore[union-attr]


def test_every_open_assignment_stands_with_its_likely_receiver_and_a_merge_is_said(
    merged: Database, tmp_path: Path
) -> None:
    page = BeautifulSoup(open_office(merged, tmp_path).get(PATH).text, "lxml")
    (chosen,) = page.select("select")
    assert chosen["name"] == TASK
    assert chosen.select_one("[selected]")["value"] == "huyen-a"  # type: ignore[index]
    assert "sẽ gộp" in chosen.select_one("[selected]").get_text()  # type: ignore[union-attr]
    assert [each["value"] for each in chosen.select("option")] == ["", "huyen-a", "so-ban"]


def test_before_anything_moves_a_sentence_names_the_effect(merged: Database, tmp_path: Path) -> None:
    office = open_office(merged, tmp_path)
    before = everything(merged)
    assert "Chuyển sang So ban" in words(give(office, **{TASK: "so-ban"}).text)
    assert "Gộp vào việc mà Huyen a" in words(give(office, **{TASK: "huyen-a"}).text)
    assert everything(merged) == before


def test_the_deed_transfers_with_the_basis_and_says_how_many(merged: Database, tmp_path: Path) -> None:
    office = open_office(merged, tmp_path)
    answer = give(office, **{TASK: "so-ban", "sure": "1"})
    assert answer.status_code == 303
    assert "Đã chuyển 1 việc, gộp 0 việc" in words(office.get(answer.headers["location"]).text)
    assert row(merged, Assignment, id=3).state is State.TRANSFERRED
    assert "Nghị quyết 27" in row(merged, Event, kind="transferred").detail["reason"]


def test_one_that_merges_is_cancelled_with_the_reason(merged: Database, tmp_path: Path) -> None:
    give(open_office(merged, tmp_path), **{TASK: "huyen-a", "sure": "1"})
    assert row(merged, Assignment, id=3).state is State.CANCELLED
    assert "Nhập vào việc của Huyen a" in row(merged, Event, kind="cancelled").detail["reason"]


def test_sent_twice_it_is_done_once_and_the_second_says_why_not(merged: Database, tmp_path: Path) -> None:
    office = open_office(merged, tmp_path)
    give(office, **{TASK: "so-ban", "sure": "1"})
    again = office.post(PATH, **{TASK: "so-ban", "sure": "1"})
    assert again.status_code == 409
    assert "chưa chuyển được" in again.text
    assert happened(merged, kind="transferred") == ["transferred"]


@pytest.mark.parametrize("fields", [{}, {TASK: ""}, {TASK: "tinh", "sure": "1"}, {"to-x": "so-ban", "sure": "1"}])
def test_what_cannot_be_is_refused_in_words(merged: Database, tmp_path: Path, fields: dict[str, str]) -> None:
    answer = give(open_office(merged, tmp_path), **fields)
    assert answer.status_code in (400, 422)
    assert happened(merged, kind="transferred") == []


def test_an_agency_that_nobody_succeeded_says_how_one_is_recorded(office: Office) -> None:
    assert "Ghi việc kế thừa" in words(office.get("/admin/agencies/so-ban/handover").text)


def test_the_board_and_the_administration_warn_of_work_left_behind(merged: Database, tmp_path: Path) -> None:
    office = open_office(merged, tmp_path)
    for page in ("/", "/admin"):
        assert f'href="{PATH}"' in office.get(page).text
    give(office, **{TASK: "so-ban", "sure": "1"})
    assert f'href="{PATH}"' not in office.get("/").text


@pytest.mark.parametrize("role", ["head", "monitor", "coordinator", "leadership"])
def test_nobody_but_the_administrator_hands_over_or_is_warned(merged: Database, tmp_path: Path, role: str) -> None:
    office = as_role(merged, tmp_path, role, "huyen-b")
    token = office.token("/account")
    assert office.get(PATH).status_code == 403
    assert office.client.post(PATH, data={"token": token, TASK: "so-ban", "sure": "1"}).status_code == 403
    assert PATH not in office.get("/", follow_redirects=True).text
    assert len(rows(merged, Assignment, state=State.TRANSFERRED)) == 0
