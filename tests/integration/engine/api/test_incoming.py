"""Incoming messages under /api/v1: listed, read, recorded, dropped and taken back as on the pages; other systems are
told that one waits."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from ground.factory import Laid, at, lay, row, rows
from ground.incoming.messages import keep_message
from ground.office import Office, contact_of, open_office
from httpx import Response

from engine.correspondence.message_acts import Request
from engine.store.database import Database, insert_rows
from engine.store.records import Assignment, Extension, IncomingMessage, Webhook, WebhookMessage
from engine.terms import Ask, State, WaitReason

NOW = at("2021-06-08")


@pytest.fixture
def laid(sqlite_database: Database) -> Laid:
    return lay(sqlite_database, now=at("2021-04-07"))


@pytest.fixture
def office(laid: Laid, tmp_path: Path) -> Office:
    return open_office(laid.database, tmp_path, now=NOW)


@pytest.fixture
def message(laid: Laid) -> int:
    """«Xã nhận rồi», read as an acknowledgement."""
    task = laid.assignment("IV.1.1", "so-ban")
    with laid.database.write() as session:
        return keep_message(
            session,
            "so-ban",
            "Xã nhận rồi",
            now=NOW,
            about=[task],
            supervisor_id="so-chinh",
            waits=WaitReason.PROPOSED,
            proposed=[Request(ask=Ask.ACKNOWLEDGE, ids=(task,))],
            contact_id=contact_of(laid.database, "so-ban"),
        )


def post(office: Office, path: str, **body: Any) -> Response:
    return office.client.post(f"/api/v1/incoming/{path}", json=body)


def state(laid: Laid) -> State:
    return State(row(laid.database, Assignment, id=laid.assignment("IV.1.1", "so-ban")).state)


def test_what_waits_is_listed_read_recorded_and_taken_back(office: Office, laid: Laid, message: int) -> None:
    (listed,) = office.get("/api/v1/incoming?waiting=yes").json()["items"]
    assert listed == office.get(f"/api/v1/incoming/{message}").json()
    assert (listed["waits"], listed["proposed"][0]["ask"], listed["done"]) == ("proposed", "acknowledge", [])
    recorded = post(office, f"{message}/record").json()
    assert (recorded["waits"], recorded["read"], recorded["done"][0]["act"]) == (None, "confirmed", "acknowledged")
    assert state(laid) is State.ACKNOWLEDGED
    back = post(office, f"{message}/misread").json()
    assert (back["waits"], back["read"], back["done"], state(laid)) == ("proposed", "taken_back", [], State.ASSIGNED)
    assert post(office, f"{message}/aside").json()["done"][0]["act"] == "set_aside"


def test_something_else_is_recorded_than_was_read(office: Office, laid: Laid, message: int) -> None:
    task = laid.assignment("IV.1.1", "so-ban")
    day = {"ask": "day", "ids": [task], "on": "2021-06-25", "text": "chờ số liệu"}
    assert post(office, f"{message}/record", requests=[day]).json()["read"] == "corrected"
    assert (row(laid.database, Extension).until, state(laid)) == (date(2021, 6, 25), State.ASSIGNED)


@pytest.mark.parametrize(
    "requests",
    [
        [{"ask": "day", "ids": [1], "text": "không có ngày"}],
        [{"ask": "acknowledge", "ids": [999]}],
        [{"ask": "acknowledge", "ids": []}],
        [{"ask": "decide", "ids": [1]}],
    ],
)
def test_what_lacks_something_is_refused_and_changes_nothing(
    office: Office, laid: Laid, message: int, requests: list[dict[str, Any]]
) -> None:
    assert post(office, f"{message}/record", requests=requests).status_code in (400, 422)
    assert (row(laid.database, IncomingMessage).settled_at, state(laid)) == (None, State.ASSIGNED)


def test_other_systems_are_told_that_a_message_waits_and_nothing_of_its_words(
    office: Office, laid: Laid, message: int
) -> None:
    hook = {"url": "https://x.example", "label": "", "events": ["message.waits"], "secret": "x", "made_at": NOW}
    with laid.database.write() as session:
        insert_rows(session, Webhook, [{**hook, "active": True, "last_secret": "", "failures": 0, "why": ""}])
    post(office, f"{message}/record")
    post(office, f"{message}/misread")
    (told,) = rows(laid.database, WebhookMessage)
    assert told.payload["data"] == {
        "message_id": message,
        "agency_id": "so-ban",
        "waits": "proposed",
        "asks": [],
    }
