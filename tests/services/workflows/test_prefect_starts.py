"""A Prefect server by the lines of the manual, on PostgreSQL, with a worker: every deployment can be started with its
parameters, as from Prefect's pages; what is owed is sent; and an assignment that becomes Late is acted on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from ground.factory import Laid, lay, plan_file, rows
from ground.post import KEY
from ground.postgres import Ground
from ground.serving import DONDOC, ServerOfTheManual, install, letting_in, prefect_by_the_manual, shown
from sqlalchemy import update

from config.settings import Settings
from engine.rules.calendar import local_date
from engine.store.clock import system_clock
from engine.store.database import Database, table
from engine.store.records import Assignment, Event
from engine.terms import EventKind
from workflows.projection.shown_runs import FLOW
from workflows.run.system import compose
from workflows.serving.heartbeat import projector

pytestmark = [pytest.mark.prefect, pytest.mark.postgres, pytest.mark.deep]
NAMES = ("audit", "backup", "digest")
LIMIT_SECONDS = 180


@pytest.fixture(scope="module")
def server(ground: Ground, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerOfTheManual]:
    with prefect_by_the_manual(ground, tmp_path_factory.mktemp("manual")) as server:
        yield server


@pytest.fixture
def laid(sqlite_database: Database) -> Laid:
    return lay(sqlite_database, now=system_clock(), plan=plan_file(urgency="khan"))  # at any hour


@pytest.fixture
def told(laid: Laid, server: ServerOfTheManual, tmp_path: Path) -> dict[str, str]:
    """Environment variables of the office."""
    prefect = {"DONDOC_PREFECT_API_URL": letting_in(server.api_url)}
    return {**install(str(laid.database.url), tmp_path), **prefect}


@contextmanager
def working(told: dict[str, str], folder: Path) -> Iterator[None]:
    """A worker on the deployments, as by the manual."""
    environment = os.environ | told | {"PREFECT_WORKER_QUERY_SECONDS": "1"}
    words = [DONDOC, "prefect", "worker", "--pool", "van-phong"]
    worker = subprocess.Popen(words, env=environment, cwd=folder)
    try:
        yield
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.wait(60)


def deploy(told: dict[str, str], folder: Path, every: str = "86400") -> str:
    words = [DONDOC, "prefect", "deploy", "--pool", "van-phong", "--every", every]
    done = subprocess.run(words, env=os.environ | told, cwd=folder, capture_output=True, timeout=180)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()


def until(ask: Any, true: Any) -> Any:
    ends = time.monotonic() + LIMIT_SECONDS
    while not true(found := ask()):
        assert time.monotonic() < ends, f"it took too long: {found}"
        time.sleep(0.5)
    return found


def answer(http: httpx.Client, method: str, path: str, asked: dict[str, Any] | None = None) -> Any:
    """What the server says; asked again while it is busy (its SQLite locked: 503)."""
    return until(lambda: http.request(method, path, json=asked), lambda got: not got.is_error).json()


def test_backup_audit_and_digest_are_deployed_and_started_with_parameters(
    told: dict[str, str], server: ServerOfTheManual, tmp_path: Path
) -> None:
    printed = deploy(told, tmp_path)
    assert all(f"dondoc-{name}/on-demand" in printed for name in NAMES)
    with httpx.Client(base_url=server.api_url, auth=shown(), timeout=60) as http:
        found = {name: answer(http, "GET", f"/deployments/name/dondoc-{name}/on-demand") for name in NAMES}
        crons = {
            name: (each["schedules"][0]["schedule"]["cron"], each["schedules"][0]["schedule"]["timezone"])
            for name, each in found.items()
            if each["schedules"]
        }
        zone = "Asia/Ho_Chi_Minh"
        assert crons == {"backup": ("15 2 * * *", zone), "digest": ("5 7 * * *", zone)}
        with working(told, tmp_path):
            start(http, found, tmp_path)


def start(http: httpx.Client, found: dict[str, Any], folder: Path) -> None:
    """Every deployment, as a person starts it from Prefect's pages."""
    parameters: dict[str, dict[str, Any]] = {
        "backup": {"to": str(folder / "copies")},
        "audit": {},
        "digest": {},
    }
    made = {}
    for name, typed in parameters.items():
        given = {**found[name]["parameters"], **typed}
        asked = {"parameters": given, "state": {"type": "SCHEDULED"}}
        made[name] = answer(http, "POST", f"/deployments/{found[name]['id']}/create_flow_run", asked)["id"]

    def states() -> dict[str, tuple[str, str]]:
        asked = {name: answer(http, "GET", f"/flow_runs/{run_id}")["state"] for name, run_id in made.items()}
        return {name: (each["type"], each["message"] or "") for name, each in asked.items()}

    ended = until(states, lambda seen: not {kind for kind, _ in seen.values()} & {"SCHEDULED", "PENDING", "RUNNING"})
    print(ended, file=sys.stderr)
    assert {name: kind for name, (kind, _) in ended.items()} == dict.fromkeys(parameters, "COMPLETED")
    assert "comes back whole" in ended["backup"][1]


def test_what_is_owed_is_sent_by_a_run_that_a_tick_started_and_what_is_late_is_acted_on(
    told: dict[str, str], laid: Laid, server: ServerOfTheManual, tmp_path: Path
) -> None:
    deploy(told, tmp_path, "20")
    system = compose(Settings(_env_file=None, data_dir=tmp_path, database_url=str(laid.database.url), secret=KEY))  # type: ignore[call-arg]
    late = laid.assignment("IV.2.1", "huyen-a")
    with laid.database.write() as session:
        a = table(Assignment)
        gone = local_date(system_clock()) - timedelta(days=1)
        session.connection().execute(update(a).where(a.c.id == late).values(due_on=gone))
    picture = projector(replace(system, settings=system.settings.model_copy(update=prefect_of(server))))
    with httpx.Client(base_url=server.api_url, auth=shown(), timeout=60) as http, working(told, tmp_path):
        until(lambda: picture.run(system.clock()).runs, lambda shown: not shown)

        def runs(flow: str) -> list[dict[str, Any]]:
            asked = {"flows": {"name": {"any_": [flow]}}, "sort": "START_TIME_ASC", "limit": 200}
            return list(answer(http, "POST", "/flow_runs/filter", asked))

        def acted() -> list[dict[str, Any]]:
            """Runs of a worker; the kept ones have another name."""
            return [each for each in runs(FLOW) if each["deployment_id"] and each["state_type"] == "COMPLETED"]

        (done, *_) = until(acted, bool)
        until(lambda: runs("dondoc-deliver"), lambda found: any(each["state_type"] == "COMPLETED" for each in found))
    assert done["parameters"]["assignment"] == late
    assert "Tiếp theo: " in done["state"]["message"]
    keys = [each.key for each in rows(laid.database, Event, kind=EventKind.RUNG_FIRED, assignment_id=late)]
    assert len(keys) == len(set(keys))


def prefect_of(server: ServerOfTheManual) -> dict[str, Any]:
    return {"prefect": True, "prefect_api_url": letting_in(server.api_url)}
