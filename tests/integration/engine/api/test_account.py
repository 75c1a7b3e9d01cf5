"""One's own account by the API: who calls, sessions ended, keys made, listed and revoked."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ground.office import NOW, Office, as_role, enter, join, open_office
from httpx import Response

from engine.accounts.api_tokens import make_token
from engine.accounts.sign_in import open_session
from engine.store.database import Database

NEW = {"label": "Kho số liệu", "scopes": ["read"], "days": 30}


@pytest.fixture
def mine(lived: Database, tmp_path: Path) -> Office:
    return as_role(lived, tmp_path, "coordinator", "huyen-b")


def by_key(lived: Database, folder: Path, *scopes: str, role: str = "coordinator") -> Office:
    """A program with a key of an account of huyen-b."""
    account_id = join(lived, role, "huyen-b")
    with lived.write() as session:
        key = make_token(session, account_id, label="Kho", scopes=scopes, lasts=timedelta(days=9), actor="cli", now=NOW)
    office = open_office(lived, folder)
    office.client.headers["authorization"] = f"Bearer {key}"
    return office


def post(office: Office, path: str, said: dict[str, Any] | None = None) -> Response:
    return office.client.post(f"/api/v1/account/{path}", json=said or {})


def test_who_calls_is_told_who_he_is_and_what_his_key_may_do(mine: Office, lived: Database, tmp_path: Path) -> None:
    signed_in = mine.get("/api/v1/account").json()
    program = by_key(lived, tmp_path, "read", role="head").get("/api/v1/account").json()
    assert (signed_in["email"], signed_in["scopes"]) == ("coordinator@huyen-b.example", None)
    assert (program["role"], program["scopes"]) == ("head", ["read"])


def test_at_the_machine_there_is_no_account(lived: Database, tmp_path: Path) -> None:
    assert open_office(lived, tmp_path).get("/api/v1/account").status_code == 404


def test_a_key_is_made_used_listed_and_revoked(mine: Office, lived: Database, tmp_path: Path) -> None:
    made = post(mine, "tokens", NEW)
    assert made.status_code == 201
    assert made.json()["token"]["used_on"] is None
    program = open_office(lived, tmp_path)
    program.client.headers["authorization"] = f"Bearer {made.json()['key']}"
    assert program.get("/api/v1/plans").status_code == 200
    listed = mine.get("/api/v1/account/tokens").json()
    assert [(each["label"], each["used_on"]) for each in listed["items"]] == [("Kho số liệu", "2021-06-24")]
    assert made.json()["key"] not in str(listed)
    assert post(mine, f"tokens/{made.json()['token']['id']}/revoke").status_code == 204
    assert program.get("/api/v1/plans").status_code == 401


@pytest.mark.parametrize(
    "said",
    [
        NEW | {"scopes": []},
        NEW | {"scopes": ["all"]},
        NEW | {"days": 0},
        NEW | {"days": 367},
        NEW | {"label": ""},
        {},
        NEW | {"for_ever": True},
        NEW | {"label": " "},
    ],
)
def test_a_key_that_cannot_be_made_is_refused(mine: Office, said: dict[str, Any]) -> None:
    answer = post(mine, "tokens", said)
    assert (answer.status_code in (400, 422), answer.headers["content-type"]) == (True, "application/problem+json")


def test_a_key_makes_no_key_that_reaches_further(lived: Database, tmp_path: Path) -> None:
    program = by_key(lived, tmp_path, "read", "administer", role="administrator")
    assert post(program, "tokens", NEW | {"scopes": ["report"]}).status_code == 403
    assert post(program, "tokens", NEW).status_code == 201


def test_a_key_without_the_scope_sees_and_ends_nothing(lived: Database, tmp_path: Path) -> None:
    program = by_key(lived, tmp_path, "read", "report")
    answers = [program.get(f"/api/v1/account/{each}").status_code for each in ("sessions", "tokens")]
    answers += [
        post(program, each).status_code for each in ("sessions/end-others", "sessions/1/end", "tokens/1/revoke")
    ]
    assert [*answers, post(program, "tokens", NEW).status_code] == [403] * 6


def test_sessions_are_listed_and_ended(mine: Office, lived: Database) -> None:
    with lived.write() as session:
        for _ in range(2):
            open_session(session, 1, way="link", device="Firefox", now=NOW)
    listed = mine.get("/api/v1/account/sessions").json()
    assert (listed["total"], listed["next"]) == (3, None)
    assert post(mine, "sessions/2/end").json() == {"ended": 1}
    assert post(mine, "sessions/end-others").json() == {"ended": 1}
    assert mine.get("/api/v1/account").status_code == 200
    assert post(mine, "sessions/3/end").status_code == 404


def test_anothers_session_and_key_are_out_of_reach(mine: Office, lived: Database, tmp_path: Path) -> None:
    by_key(lived, tmp_path, "read", role="head")
    with lived.write() as session:
        open_session(session, 2, way="link", device="Firefox", now=NOW)
    assert [post(mine, each).status_code for each in ("sessions/2/end", "tokens/1/revoke")] == [404, 404]


def test_who_guesses_a_password_is_told_in_seconds_how_long_to_wait(lived: Database, tmp_path: Path) -> None:
    account_id = join(lived, "administrator", "tinh", password="mot cau dai de nho 7")
    office = enter(open_office(lived, tmp_path), account_id)
    answers = [post(office, "tokens", NEW | {"password": "sai"}) for _ in range(6)]
    assert answers[-1].status_code == 429
    assert 0 < int(answers[-1].headers["retry-after"]) <= 15 * 60
