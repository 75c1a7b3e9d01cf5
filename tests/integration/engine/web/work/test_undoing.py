"""The button that takes back what one has just done: on the page where it was done, for who did it, and no longer than
it says."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup, Tag
from ground.factory import row, rows
from ground.office import NOW, Office, as_role, enter, everything, join

from engine.store.database import Database
from engine.store.records import Assignment, Event, Extension
from engine.terms import EventKind, State

SO_BAN, HUYEN_A, HUYEN_B = 1, 2, 3


def page_of(office: Office, path: str) -> BeautifulSoup:
    answer = office.get(path)
    assert answer.status_code == 200, path
    return BeautifulSoup(answer.text, "lxml")


def offers(office: Office, path: str) -> list[Tag]:
    return page_of(office, path).select("form.undo")


def take_back(office: Office, path: str) -> str:
    """Press the only button; returns the words of the page that follows."""
    (form,) = offers(office, path)
    answer = office.post(str(form["action"]))
    assert answer.status_code == 303
    return " ".join(page_of(office, answer.headers["location"]).main.get_text(" ").split())  # type: ignore[union-attr]


def states(database: Database) -> dict[int, State]:
    return {each.id: each.state for each in rows(database, Assignment)}


ACTS: list[tuple[str, str, dict[str, Any]]] = [
    ("/accept", "/accept", {"act": "accept", "id": ["1", "2"], "sure": "1"}),
    ("/accept", "/accept", {"act": "return", "id": ["1", "2"], "reason": "Thiếu.", "sure": "1"}),
    ("/extensions", "/extensions", {"act": "grant", "id": ["1"], "sure": "1"}),
    ("/extensions", "/extensions", {"act": "refuse", "id": ["1"], "sure": "1"}),
    ("/overdue/chase", "/overdue", {"id": ["3"], "sure": "1"}),
    ("/agencies/huyen-b/acknowledge", "/agencies/huyen-b", {"id": ["3"]}),
    ("/assignments/bulk", "/assignments", {"act": "cancel", "id": ["3"], "reason": "Nhập nhầm.", "sure": "1"}),
    ("/assignments/1/accept", "/assignments/1", {}),
]


@pytest.mark.parametrize(("address", "place", "fields"), ACTS, ids=lambda each: each if isinstance(each, str) else "")
def test_each_act_is_taken_back_where_it_was_done(
    office: Office, lived: Database, address: str, place: str, fields: dict[str, Any]
) -> None:
    before, decided = states(lived), row(lived, Extension).decided_at
    assert not offers(office, place)
    assert office.post(address, **fields).status_code == 303
    said = take_back(office, place)
    assert "Đã hoàn tác" in said
    assert (states(lived), row(lived, Extension).decided_at) == (before, decided)
    assert EventKind.UNDONE in {each.kind for each in rows(lived, Event)}
    assert not offers(office, place)


def test_the_offer_says_until_when_and_goes(office: Office) -> None:
    office.post("/accept", act="return", id=["1", "2"], reason="Thiếu.", sure="1")
    (form,) = offers(office, "/accept")
    assert "Trả lại báo cáo: 2 việc" in " ".join(form.get_text(" ").split())
    assert "08:10" in form.get_text()
    address = str(form["action"])
    office.clock.now = NOW + timedelta(minutes=10)
    assert not offers(office, "/accept")
    late = office.post(address)
    assert late.status_code == 409
    assert "hết thời gian hoàn tác" in late.text


def test_pressed_twice_it_says_so(office: Office, lived: Database) -> None:
    office.post("/accept", act="accept", id=["1", "2"], sure="1")
    (form,) = offers(office, "/accept")
    office.post(str(form["action"]))
    before = everything(lived)
    again = office.post(str(form["action"]))
    assert "đã được hoàn tác trước đó" in office.get(again.headers["location"]).text
    assert everything(lived) == before


def test_what_was_built_on_is_said_to_stay(office: Office, lived: Database) -> None:
    office.post("/accept", act="accept", id=["1", "2"], sure="1")
    (form,) = offers(office, "/accept")
    office.post("/overdue/chase", id="2", sure="1")
    said = page_of(office, office.post(str(form["action"])).headers["location"]).get_text(" ")
    assert "1 việc giữ nguyên" in " ".join(said.split())
    assert states(lived)[SO_BAN] is State.REPORTED
    assert states(lived)[HUYEN_A] is State.ACCEPTED


def test_nobody_undoes_what_another_did(lived: Database, tmp_path: Path) -> None:
    office = as_role(lived, tmp_path, "monitor", "so-chinh")
    office.post("/accept", page="/accept", act="accept", id=["1", "2"], sure="1")
    (form,) = offers(office, "/accept")
    other = enter(office, join(lived, "administrator", "so-chinh"))
    assert not offers(other, "/accept")
    assert other.post(str(form["action"]), page="/accept").status_code == 404
    assert states(lived)[SO_BAN] is State.ACCEPTED
