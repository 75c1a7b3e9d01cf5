"""Long work on a real Prefect server and worker: pages follow a run where a worker is, and every deployment can be
started with its parameters, as from Prefect's pages."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
from ground.factory import Laid, lay, rows
from ground.serving import AUTH, DONDOC, install, prefect_serving, shown

from config.settings import Settings
from engine.errors import BadInput
from engine.files.plan import PlanFile
from engine.queries.stored_plans import plan_of
from engine.store.clock import system_clock
from engine.store.database import Database
from engine.store.records import PlanDraft
from engine.terms import Scenario
from workflows.longwork import pages
from workflows.longwork.elsewhere import Elsewhere, workers_of
from workflows.run.prefect_server import PrefectServer
from workflows.run.system import System, compose
from workflows.simulation.simulation import cached_simulation

pytestmark = [pytest.mark.prefect, pytest.mark.deep]
NAMES = ("import", "simulate", "publish", "report", "audit", "backup", "digest")
LIMIT_SECONDS = 180


@pytest.fixture(scope="module")
def server(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrefectServer]:
    with prefect_serving(tmp_path_factory.mktemp("prefect"), migrated) as server:
        yield server


@pytest.fixture
def laid(sqlite_database: Database) -> Laid:
    return lay(sqlite_database, now=system_clock())


@pytest.fixture
def told(laid: Laid, server: PrefectServer, tmp_path: Path) -> dict[str, str]:
    """Environment variables of the office."""
    prefect = {"DONDOC_PREFECT_API_URL": server.api_url, "DONDOC_PREFECT_AUTH": AUTH}
    return {**install(str(laid.database.url), tmp_path), **prefect}


@pytest.fixture
def system(told: dict[str, str], tmp_path: Path) -> System:
    names = {name.removeprefix("DONDOC_").lower(): value for name, value in told.items()}
    return compose(Settings(_env_file=None, **names))  # type: ignore[arg-type]


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


def deploy(told: dict[str, str], folder: Path) -> str:
    words = [DONDOC, "prefect", "deploy", "--pool", "van-phong", "--every", "86400"]
    done = subprocess.run(words, env=os.environ | told, cwd=folder, capture_output=True, timeout=180)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()


def until(ask: Any, true: Any) -> Any:
    ends = time.monotonic() + LIMIT_SECONDS
    while not true(found := ask()):
        assert time.monotonic() < ends, f"it took too long: {found}"
        time.sleep(0.5)
    return found


def test_long_work_is_deployed_followed_by_pages_and_started_with_parameters(
    told: dict[str, str], system: System, laid: Laid, server: PrefectServer, tmp_path: Path
) -> None:
    workers = workers_of(system)
    assert workers is not None
    assert workers.do("import", b"text", {}) is None  # nothing is deployed yet
    printed = deploy(told, tmp_path)
    assert all(f"dondoc-{name}/on-demand" in printed for name in NAMES)
    with httpx.Client(base_url=server.api_url, auth=shown(), timeout=60) as http:
        found = {name: http.get(f"/deployments/name/dondoc-{name}/on-demand").json() for name in NAMES}
        crons = {
            name: (each["schedules"][0]["schedule"]["cron"], each["schedules"][0]["schedule"]["timezone"])
            for name, each in found.items()
            if each["schedules"]
        }
        zone = "Asia/Ho_Chi_Minh"
        assert crons == {"backup": ("15 2 * * *", zone), "digest": ("5 7 * * *", zone)}
        assert workers.do("import", b"text", {}) is None  # no worker yet
        with working(told, tmp_path):
            until(lambda: http.get("/deployments/name/dondoc-import/on-demand").json()["status"], "READY".__eq__)
            follow(workers, system, laid)
            start(http, found, laid, tmp_path)


def follow(workers: Elsewhere, system: System, laid: Laid) -> None:
    text = (Path(__file__).parents[2] / "data" / "188-kh-ubnd-2021.txt").read_bytes()
    text += b"\n" * (pages.SMALLEST_BYTES - len(text))
    draft = pages.reading(workers)(text, "ke-hoach.txt", "account:7")
    (stored,) = rows(system.database, PlanDraft)
    assert (stored.id, stored.name, stored.made_by) == (draft, "ke-hoach.txt", "account:7")
    with pytest.raises(BadInput):
        workers.do("import", b"%PDF-1.7 is no document", {"name": "x.pdf"})
    with system.database.read() as session:
        plan = PlanFile.model_validate(plan_of(session, laid.plan_id).file)
    asked = (plan, plan.issued_on, date(plan.year, 12, 31), Scenario.SILENT)
    shares: list[float] = []
    there = pages.simulating(workers)(*asked, shares.append)
    assert there is not None
    assert there == cached_simulation(system.database)(*asked, lambda share: None)
    assert list(system.settings.handover.iterdir()) == []


def start(http: httpx.Client, found: dict[str, Any], laid: Laid, folder: Path) -> None:
    """Every other deployment, as a person starts it from Prefect's pages."""
    parameters: dict[str, dict[str, Any]] = {
        "publish": {"plan_id": laid.plan_id},
        "report": {"plan_id": laid.plan_id, "period": "2021-H1"},
        "backup": {"to": str(folder / "copies")},
        "audit": {},
        "digest": {},
    }
    made = {}
    for name, typed in parameters.items():
        given = {**found[name]["parameters"], **typed}
        asked = {"parameters": given, "state": {"type": "SCHEDULED"}}
        made[name] = http.post(f"/deployments/{found[name]['id']}/create_flow_run", json=asked).json()["id"]

    def states() -> dict[str, tuple[str, str]]:
        asked = {name: http.get(f"/flow_runs/{run_id}").json()["state"] for name, run_id in made.items()}
        return {name: (each["type"], each["message"] or "") for name, each in asked.items()}

    ended = until(states, lambda seen: not {kind for kind, _ in seen.values()} & {"SCHEDULED", "PENDING", "RUNNING"})
    print(ended, file=sys.stderr)
    assert {name: kind for name, (kind, _) in ended.items()} == dict.fromkeys(parameters, "COMPLETED")
    assert "comes back whole" in ended["backup"][1]
    assert ended["report"][1].endswith(".docx")
    assert "/leadership/frozen/" in ended["publish"][1]
