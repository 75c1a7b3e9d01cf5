"""Who calls: a token within its scopes, a signed-in person, nobody; and a write that is sent twice."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from ground.factory import row, rows
from ground.office import NOW, Office, everything, open_office
from httpx import Response
from sqlalchemy import update

from engine.accounts.accounts import create
from engine.accounts.api_tokens import Scope, make_token, revoke_token
from engine.accounts.sign_in import open_session
from engine.store.database import Database, table
from engine.store.records import ApiToken, Assignment, Event, IdempotencyKey, Report
from engine.terms import EventKind

DEED = "/api/v1/assignments/3/acknowledge"
REPORT: dict[str, Any] = {"outcome": "done", "body": "Đã làm."}


def token(database: Database, *scopes: str, role: str = "coordinator", agency_id: str = "huyen-b") -> str:
    with database.write() as session:
        account_id = create(
            session, email=f"{role}@{agency_id}.example", role=role, agency_id=agency_id, actor="cli", now=NOW
        )
        return make_token(
            session, account_id, label="Kho số liệu", scopes=scopes, lasts=timedelta(days=30), actor="cli", now=NOW
        )


def call(office: Office, key: str, path: str, said: dict[str, Any] | None = None, once: str = "") -> Response:
    headers = {"authorization": f"Bearer {key}"} | ({"idempotency-key": once} if once else {})
    if said is None:
        return office.get(path, headers=headers)
    return office.client.post(path, json=said, headers=headers)


def mine(database: Database) -> int:
    """The assignment of huyen-b that nobody has reported."""
    return next(each.id for each in rows(database, Assignment, agency_id="huyen-b"))  # type: ignore[return-value, no-any-return]


def test_a_token_acts_for_its_account_and_events_name_the_token(office: Office, lived: Database) -> None:
    key, number = token(lived, "read", "report"), mine(lived)
    answer = call(office, key, f"/api/v1/assignments/{number}/report", REPORT)
    assert answer.status_code == 200
    assert row(lived, Event, kind=EventKind.REPORTED, assignment_id=number).actor == "api:1"


def test_a_token_without_the_scope_is_refused_by_name(office: Office, lived: Database) -> None:
    key = token(lived, "read")
    answer = call(office, key, f"/api/v1/assignments/{mine(lived)}/report", REPORT)
    assert (answer.status_code, "«report»" in answer.json()["detail"]) == (403, True)


def test_a_token_reaches_no_further_than_its_account(office: Office, lived: Database) -> None:
    key = token(lived, "read", "report")
    with lived.write() as session:
        session.connection().execute(update(table(ApiToken)).values(scopes=[*Scope]))  # one of an earlier release
    assert call(office, key, "/api/v1/board").status_code == 403
    assert call(office, key, "/api/v1/account").json()["scopes"] == ["read", "report"]
    assert call(office, key, "/api/v1/agencies/so-ban").status_code == 403
    assert call(office, key, "/api/v1/assignments/1/accept", {}).status_code == 403
    assert {each["agency_id"] for each in call(office, key, "/api/v1/assignments").json()["items"]} == {"huyen-b"}


@pytest.mark.parametrize("said", ["Bearer x", "Bearer ", "Basic eDp5", "Bearer " + "x" * 9000, "bearer"])
def test_what_is_no_token_is_refused_even_at_the_machine(office: Office, said: str) -> None:
    answer = office.get("/api/v1/plans", headers={"authorization": said})
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="dondoc"')
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_token_that_is_over_or_revoked_is_refused(office: Office, lived: Database) -> None:
    key = token(lived, "read")
    assert call(office, key, "/api/v1/plans").status_code == 200
    office.clock.now = NOW + timedelta(days=31)
    assert call(office, key, "/api/v1/plans").status_code == 401
    office.clock.now = NOW
    with lived.write() as session:
        revoke_token(session, 1, 1, actor="cli", now=NOW)
    assert call(office, key, "/api/v1/plans").status_code == 401


def test_the_first_call_of_a_day_says_that_the_key_is_in_use_and_no_other_writes(
    office: Office, lived: Database
) -> None:
    key, before = token(lived, "read"), everything(lived)
    for day in (date(2021, 6, 24), date(2021, 6, 25)):
        assert call(office, key, "/api/v1/plans").status_code == 200
        used = everything(lived)
        assert {name for name in used if used[name] != before[name]} == {"api_token"}
        assert row(lived, ApiToken).used_on == day
        assert call(office, key, "/api/v1/assignments").status_code == 200
        assert everything(lived) == used
        office.clock.now = NOW + timedelta(days=1)


def test_a_refused_key_is_not_used(office: Office, lived: Database) -> None:
    key = token(lived, "read")
    with lived.write() as session:
        revoke_token(session, 1, 1, actor="cli", now=NOW)
    assert call(office, key, "/api/v1/plans").status_code == 401
    assert row(lived, ApiToken).used_on is None


def test_a_signed_in_person_calls_with_his_own_reach(office: Office, lived: Database) -> None:
    token(lived, "read")
    with lived.write() as session:
        office.client.cookies.set("dondoc_session", open_session(session, 1, way="link", device="", now=NOW))
    assert office.get("/api/v1/agencies/huyen-b").status_code == 200
    assert office.get("/api/v1/board").status_code == 403


def test_a_write_of_a_signed_in_person_from_another_site_is_refused(office: Office, lived: Database) -> None:
    token(lived, "read")
    with lived.write() as session:
        office.client.cookies.set("dondoc_session", open_session(session, 1, way="link", device="", now=NOW))
    answer = office.client.post(DEED, json={}, headers={"origin": "https://evil.example"})
    assert answer.status_code == 403


def test_a_write_sent_twice_is_done_once_and_answered_alike(office: Office, lived: Database) -> None:
    key, number = token(lived, "report"), mine(lived)
    path = f"/api/v1/assignments/{number}/report"
    first, again = (call(office, key, path, REPORT, "k1") for _ in range(2))
    assert (first.status_code, again.status_code, again.content) == (200, 200, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert len(rows(lived, Report, assignment_id=number)) == 1


def test_several_reports_sent_twice_are_taken_once(office: Office, lived: Database) -> None:
    key, number = token(lived, "report"), mine(lived)
    said = {
        "agency": "huyen-b",
        "plan": 1,
        "period": row(lived, Assignment, id=number).period,
        "duties": [{"assignment": number, **REPORT}],
    }
    first, again = (call(office, key, "/api/v1/reports", said, "k1") for _ in range(2))
    assert (first.status_code, again.status_code, again.content) == (200, 200, first.content)
    assert len(rows(lived, Report, assignment_id=number)) == 1


def test_a_key_used_for_something_else_is_refused(office: Office, lived: Database) -> None:
    key, number = token(lived, "report"), mine(lived)
    call(office, key, f"/api/v1/assignments/{number}/acknowledge", {}, "k1")
    answer = call(office, key, f"/api/v1/assignments/{number}/report", REPORT, "k1")
    assert answer.status_code == 422
    assert rows(lived, Report, assignment_id=number) == []


def test_a_refused_write_leaves_no_key_behind(office: Office, lived: Database) -> None:
    key, number = token(lived, "report"), mine(lived)
    answer = call(office, key, f"/api/v1/assignments/{number}/report", {"outcome": "done", "body": ""}, "k1")
    assert answer.status_code == 422
    assert rows(lived, IdempotencyKey) == []
    assert call(office, key, f"/api/v1/assignments/{number}/report", REPORT, "k1").status_code == 200


def test_two_callers_may_use_the_same_key(lived: Database, tmp_path: Path) -> None:
    office = open_office(lived, tmp_path)
    first, second = token(lived, "report"), token(lived, "report", role="head")
    path = f"/api/v1/assignments/{mine(lived)}/acknowledge"
    answers = [call(office, key, path, {}, "k1") for key in (first, second)]
    assert [answer.headers.get("idempotency-replayed") for answer in answers] == [None, None]


def test_a_key_that_is_too_long_is_refused(office: Office, lived: Database) -> None:
    assert call(office, token(lived, "report"), DEED, {}, "k" * 201).status_code == 422
