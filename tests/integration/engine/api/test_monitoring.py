"""The monitor's work by the API: what waits, deciding many, duties after the document, figures, what is published."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ground.factory import row, rows
from ground.office import NOW, Office, everything, join, open_office
from httpx import Response
from sqlalchemy import update

from engine.accounts.api_tokens import make_token, scopes_of
from engine.accounts.permissions import ActorRole
from engine.assignments.lifecycle import ReportText, report
from engine.store.database import Database, table
from engine.store.records import Agency, Assignment, Duty, Extension, PublishedFigures, Report
from engine.terms import State

DUTY = {"text": "Rà soát.", "owners": ["cac-huyen"], "due": "2021-07-04", "basis": "Công văn 15"}
WRITES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("reports/accept", {"reports": [1, 2]}),
    ("reports/return", {"reports": [1], "reason": "Thiếu."}),
    ("extensions/decide", {"extensions": [1], "granted": True}),
    ("plans/1/duties", DUTY),
    ("plans/1/reports", {"due": "2021-07-02", "basis": "Công văn 15"}),
    ("duties/2/amend", {"basis": "Công văn 16", "due": {"2021-H1": "2021-07-04"}}),
    ("plans/1/freeze", {"cut_off": "2021-06-20"}),
)
READS = (
    "reports/waiting",
    "extensions",
    "plans/1/figures",
    "standing",
    "standing/changes?since=2021-06-16",
    "published",
    "published/1",
)


def post(office: Office, path: str, body: dict[str, Any], **headers: str) -> Response:
    return office.client.post(f"/api/v1/{path}", json=body, headers=headers)


def got(office: Office, path: str) -> Any:
    answer = office.get(f"/api/v1/{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def called_by(database: Database, folder: Path, role: str, agency: str, *scopes: str) -> Office:
    """An office whose client bears a token with those of the scopes that its role may have."""
    account, office = join(database, role, agency), open_office(database, folder)
    held = [each for each in scopes if each in scopes_of(ActorRole(role))]
    with database.write() as session:
        key = make_token(
            session, account, label="Kho số liệu", scopes=held, lasts=timedelta(days=9), actor="cli", now=NOW
        )
    office.client.headers["authorization"] = f"Bearer {key}"
    return office


def test_what_waits_is_listed_with_cursors(office: Office) -> None:
    first = got(office, "reports/waiting?limit=1")
    then = got(office, f"reports/waiting?limit=1&after={first['next']}")
    assert [(each["id"], each["assignment"]["agency_id"]) for each in first["items"] + then["items"]] == [
        (1, "so-ban"),
        (2, "huyen-a"),
    ]
    assert (first["total"], then["next"]) == (2, None)
    asked = got(office, "extensions?agency=mat-tran")["items"]
    assert [(each["until"], each["assignment"]["due_on"]) for each in asked] == [("2021-06-30", "2021-06-17")]


def test_many_are_accepted_and_those_left_say_why(office: Office, lived: Database) -> None:
    answer = post(office, "reports/accept", {"reports": [1, 2, 77]})
    assert (answer.status_code, answer.json()["done"]) == (200, [1, 2])
    assert [(each["id"], bool(each["why"])) for each in answer.json()["left"]] == [(77, True)]
    assert {row(lived, Assignment, id=each).state for each in (1, 2)} == {State.ACCEPTED}


def test_many_go_back_with_one_reason(office: Office, lived: Database) -> None:
    assert post(office, "reports/return", {"reports": [2, 1], "reason": "Thiếu."}).json()["done"] == [1, 2]
    assert {each.returned_reason for each in rows(lived, Report)} == {"Thiếu."}


def test_extensions_are_decided_together(office: Office, lived: Database) -> None:
    said = {"extensions": [1, 9], "granted": True, "answer": "Đồng ý."}
    answer = post(office, "extensions/decide", said).json()
    assert (answer["done"], [each["id"] for each in answer["left"]]) == ([1], [9])
    assert row(lived, Extension).granted is True


def test_a_duty_is_added_and_changed(office: Office, lived: Database) -> None:
    added = post(office, "plans/1/duties", DUTY).json()
    changed = post(office, f"duties/{added['duty']}/amend", {"basis": "Công văn 16", "owners": ["huyen-a", "so-ban"]})
    assert (added["citation"], row(lived, Duty, id=added["duty"]).owners) == ("BS.1", ["huyen-a", "so-ban"])
    assert changed.json() == {"opened": 1, "cancelled": 1, "moved": 0}


def test_what_is_published_stays_and_what_is_learnt_later_stands_beside_it(office: Office, lived: Database) -> None:
    made = post(office, "plans/1/freeze", {"period": "2021-H1", "cut_off": "2021-06-23"}).json()
    with lived.write() as session:
        report(session, 3, ReportText(body="Xong."), actor="desk", now=NOW - timedelta(days=5))
    found = got(office, f"published/{made['id']}")
    assert found["published"]["intact"] is True
    assert found["standing"]["total"] == made["total"]
    assert [each["agency_id"] for each in found["restatements"]] == ["huyen-b"]
    assert [each["id"] for each in got(office, "published?plan=1")] == [made["id"]]


def test_standing_and_changes_speak_of_the_days_asked_for(office: Office) -> None:
    assert got(office, "standing")["as_of"] == "2021-06-24"
    assert got(office, "standing?as_of=2021-06-10&plan=1&period=2021-H1")["total"]["overdue"] == 0
    changed = got(office, "standing/changes?since=2021-06-16&until=2021-06-24")
    assert {each["agency_id"] for each in changed} >= {"huyen-a", "huyen-b"}
    assert {each["since"] for each in changed} == {"2021-06-16"}


def test_figures_say_who_still_owes(office: Office) -> None:
    found = got(office, "plans/1/figures")
    assert (found["period"], found["complete"], found["reported"]) == ("2021-H1", False, 2)
    assert set(found["waiting"]) == {"huyen-b", "so-chinh"}
    assert set(found["asked"]) == {"mat-tran"}


@pytest.mark.parametrize(("path", "body"), WRITES, ids=[path for path, _ in WRITES])
def test_a_write_sent_twice_with_one_key_is_done_once(
    office: Office, lived: Database, path: str, body: dict[str, Any]
) -> None:
    first = post(office, path, body, **{"idempotency-key": "k1"})
    stands = everything(lived)
    again = post(office, path, body, **{"idempotency-key": "k1"})
    assert (first.status_code, again.status_code, again.content) == (200, 200, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert everything(lived) == stands


@pytest.mark.parametrize(
    ("role", "agency", "status"),
    [
        ("monitor", "so-chinh", 200),
        ("monitor", "so-ban", 403),
        ("leadership", "tinh", 403),
        ("coordinator", "so-chinh", 403),
    ],
)
def test_writes_are_the_departments_own(lived: Database, tmp_path: Path, role: str, agency: str, status: int) -> None:
    office = called_by(lived, tmp_path, role, agency, "read", "decide")
    office.get("/api/v1/account")  # the day's first call, which notes that the key is in use
    before = everything(lived)
    answers = {path: post(office, path, body).status_code for path, body in WRITES[:1] + WRITES[2:]}
    assert set(answers.values()) == {status}, answers
    assert (everything(lived) == before) == (status == 403)


def test_reads_are_for_those_who_watch_and_lists_of_what_waits_for_the_department(
    office: Office, lived: Database, tmp_path: Path
) -> None:
    post(office, "plans/1/freeze", {"cut_off": "2021-06-20"})
    leader = called_by(lived, tmp_path, "leadership", "tinh", "read")
    assert [leader.get(f"/api/v1/{path}").status_code for path in READS] == [403, 403, *[200] * 5]
    owner = called_by(lived, tmp_path, "coordinator", "so-ban", "read")
    assert {owner.get(f"/api/v1/{path}").status_code for path in READS} == {403}
    other = called_by(lived, tmp_path, "monitor", "so-ban", "read", "decide")
    assert [got(other, path)["items"] for path in READS[:2]] == [[], []]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("reports/accept", {"reports": []}, 422),
        ("reports/accept", {"reports": list(range(1, 502))}, 422),
        ("reports/accept", {"reports": [0]}, 422),
        ("reports/return", {"reports": [1], "reason": " "}, 400),
        ("extensions/decide", {"extensions": [1]}, 422),
        ("plans/9/duties", DUTY, 404),
        ("plans/1/duties", DUTY | {"due": "2021-06-01"}, 400),
        ("plans/1/duties", DUTY | {"owners": []}, 422),
        ("plans/1/duties", DUTY | {"owners": ["nowhere"]}, 400),
        ("plans/1/duties", DUTY | {"text": " "}, 422),
        ("duties/2/amend", {"basis": "x"}, 400),
        ("duties/2/amend", {"basis": "x", "due": {"2021-Q1": "2021-07-01"}}, 400),
        ("duties/99/amend", {"basis": "x"}, 404),
        ("plans/1/freeze", {"period": "2021-Q3", "cut_off": "2021-06-20"}, 400),
        ("plans/1/freeze", {"cut_off": "2021-06-25"}, 400),
        ("plans/1/freeze", {}, 422),
    ],
)
def test_what_cannot_be_done_is_a_problem_and_changes_nothing(
    office: Office, lived: Database, path: str, body: dict[str, Any], status: int
) -> None:
    before = everything(lived)
    answer = post(office, path, body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json()["detail"]
    assert everything(lived) == before
    assert rows(lived, PublishedFigures) == []


def test_a_body_that_has_ended_is_asked_for_no_report(office: Office, lived: Database) -> None:
    with lived.write() as session:
        ended = [{"name": "Huyen a", "until": "2021-06-23"}]
        session.connection().execute(update(table(Agency)).where(table(Agency).c.id == "huyen-a").values(names=ended))
    asked = {"due": "2021-07-02", "basis": "Công văn 15"}
    refused = post(office, "plans/1/reports", asked | {"owners": ["huyen-a", "huyen-b"]})
    assert (refused.status_code, "Huyen a" in refused.text) == (400, True)
    assert post(office, "plans/1/reports", asked).status_code == 200
    assert "huyen-a" not in row(lived, Duty, citation="BS.1").owners
    assert post(office, "plans/1/reports", asked | {"owners": ["cac-huyen"]}).status_code == 200
    assert row(lived, Duty, citation="BS.2").owners == ["huyen-b"], "a group is its members of that day"
