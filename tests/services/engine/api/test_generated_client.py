"""A Python client generated from the OpenAPI document works against a served instance.

The generator (openapi-python-client) pins other versions than ours, so it has an environment of its own, which
``make setup`` makes from ``client_generator.lock``; the client is generated and run there.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from browser.conftest import Spring, spring_of
from ground.factory import rows
from ground.office import NOW, join
from ground.postgres import Ground
from ground.province import SILENT

from engine.accounts.api_tokens import Scope, make_token
from engine.store.records import Assignment
from engine.terms import State

TOOL = Path(__file__).parents[4] / "build" / "client-tool" / "bin"
USE = """
import sys
from client import AuthenticatedClient
from client.api.reading import list_agencies, list_assignments
from client.api.writing import acknowledge_assignment, report_assignment
from client.models import Nothing, Outcome, Problem, ReportBody, State

url, monitor, coordinator, agency = sys.argv[1:]
with AuthenticatedClient(base_url=url, token=monitor, raise_on_unexpected_status=True) as client:
    agencies = list_agencies.sync(client=client)
with AuthenticatedClient(base_url=url, token=coordinator, raise_on_unexpected_status=True) as client:
    assert list_agencies.sync(client=client).status == 403
    mine = list_assignments.sync(client=client, agency=agency, state=[State.ASSIGNED])
    first = mine.items[0]
    done = acknowledge_assignment.sync(first.id, client=client, body=Nothing(), idempotency_key="one")
    again = acknowledge_assignment.sync(first.id, client=client, body=Nothing(), idempotency_key="one")
    said = ReportBody(outcome=Outcome.DONE, body="Đã tổ chức 12 lớp tập huấn.")
    reported = report_assignment.sync(first.id, client=client, body=said)
    refused = report_assignment.sync(999999, client=client, body=said)
    assert isinstance(refused, Problem), refused
    assert not any(isinstance(each, Problem) for each in (done, again, reported)), (done, again, reported)
    print(len(agencies.items), first.id, refused.status)
"""


@pytest.fixture(scope="module")
def spring(ground: Ground, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spring]:
    with spring_of(ground, tmp_path_factory.mktemp("client")) as served:
        yield served


def key_of(spring: Spring, role: str, agency_id: str, scopes: tuple[Scope, ...]) -> str:
    caller = join(spring.database, role, agency_id)
    with spring.database.write() as session:
        return make_token(session, caller, label="thử", scopes=scopes, lasts=timedelta(9), actor="cli", now=NOW)


def run(*words: object, folder: Path) -> str:
    environment = {"PATH": f"{TOOL}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8", "HOME": str(folder)}
    made = subprocess.run(
        [*map(str, words)], cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert made.returncode == 0, made.stdout + made.stderr
    return made.stdout


def test_a_generated_client_lists_agencies_acknowledges_and_reports(spring: Spring, tmp_path: Path) -> None:
    assert TOOL.exists(), "missing: make setup makes build/client-tool"
    began = time.monotonic()
    (tmp_path / "openapi.json").write_bytes(httpx.get(f"{spring.url}/api/v1/openapi.json").content)
    words = ("--path", "openapi.json", "--output-path", "client", "--meta", "none", "--fail-on-warning")
    run(TOOL / "openapi-python-client", "generate", *words, folder=tmp_path)
    reads, acts = (Scope.READ,), (Scope.READ, Scope.REPORT)
    keys = key_of(spring, "monitor", "so-ldtbxh", reads), key_of(spring, "coordinator", SILENT, acts)
    (tmp_path / "use.py").write_text(USE, encoding="utf-8")
    said = run(TOOL / "python", "use.py", spring.url, *keys, SILENT, folder=tmp_path)
    agencies, task, refused = map(int, said.split())
    assert agencies >= 50
    assert refused == 404
    (row,) = [each for each in rows(spring.database, Assignment) if each.id == task]
    assert (row.state, row.agency_id) == (State.REPORTED, SILENT)
    assert row.acknowledged_at is not None
    assert time.monotonic() - began < 60
