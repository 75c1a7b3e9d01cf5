"""The API held to its own OpenAPI document: whatever is sent, by whomever, no 5xx, and every answer is as declared."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import cache
from typing import Any

import httpx
import pytest
import schemathesis
from ground.office import NOW, Office
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import SearchStrategy
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from engine.accounts.accounts import create
from engine.accounts.api_tokens import make_token, scopes_of
from engine.accounts.permissions import ActorRole
from engine.store.database import Database

ROLES = ("coordinator", "monitor", "administrator")
HELD = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
QUIET = settings(
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)


def sent(office: Office, case: schemathesis.Case, key: str) -> httpx.Response:  # type: ignore[type-arg]
    told: dict[str, Any] = case.as_transport_kwargs(base_url=str(office.client.base_url))
    headers = {name: value for name, value in dict(told.get("headers") or {}).items() if value.isascii()}
    body = {name: told[name] for name in ("json", "content", "data") if told.get(name) is not None}
    if key:
        headers["authorization"] = f"Bearer {key}"
    answer = office.client.request(told["method"], told["url"], params=told.get("params"), headers=headers, **body)
    answer.elapsed = timedelta()
    return answer


def keys(database: Database) -> dict[str, str]:
    """A token with every scope that it may have for each role; «» is whoever sits at the machine."""
    with database.write() as session:
        made = {"": ""}
        for role in ROLES:
            agency = "so-chinh" if role in ("monitor", "administrator") else "huyen-b"
            account = create(
                session, email=f"{role}@{agency}.example", role=role, agency_id=agency, actor="cli", now=NOW
            )
            made[role] = make_token(
                session,
                account,
                label="thử",
                scopes=scopes_of(ActorRole(role)),
                lasts=timedelta(days=9),
                actor="cli",
                now=NOW,
            )
        return made


@cache
def strategies(document: str) -> list[SearchStrategy[schemathesis.Case]]:  # type: ignore[type-arg]
    """What can be sent to each operation; read from the document once, for all roles."""
    schema = schemathesis.openapi.from_dict(json.loads(document))
    return [found.ok().as_strategy() for found in schema.get_all_operations()]


@pytest.mark.parametrize(
    ("role", "examples"),
    [
        *((role, 1) for role in ("", *ROLES)),
        *(pytest.param(role, 10, marks=pytest.mark.deep) for role in ("", *ROLES)),
    ],
)
def test_every_call_answers_as_the_document_says(office: Office, lived: Database, role: str, examples: int) -> None:
    key = keys(lived)[role] if role else ""
    calls = strategies(office.get("/api/v1/openapi.json").text)
    assert len(calls) > 60
    for call in calls:

        @settings(QUIET, max_examples=examples)
        @given(case=call)
        def hold(case: schemathesis.Case) -> None:  # type: ignore[type-arg]
            case.validate_response(sent(office, case, key), checks=HELD)

        hold()
