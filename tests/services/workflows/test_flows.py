"""Prefect on a real server: each duty is seen, workers run the passes, and without it nothing is lost but the view."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from crash.life import prepare
from ground.databases import closing_database, sqlite_copy
from ground.postgres import Ground
from ground.serving import AUTH, SOON, free_port, prefect_serving

from workflows.run.prefect_server import PrefectServer, answers, environment

pytestmark = pytest.mark.prefect


def observed(folder: Path, ground: Ground, migrated: Path, *more: str) -> dict[str, Any]:
    """What ``observed.py`` lived through."""
    with closing_database(sqlite_copy(ground, folder)) as database:
        prepare(database)
    (folder / "prefect").mkdir()
    with prefect_serving(folder / "prefect", migrated) as server:
        page = httpx.get(f"http://127.0.0.1:{server.port}/", follow_redirects=True, timeout=SOON)
        unpacked = [each.name for each in server.home.rglob("index.html")]
        words = [Path(__file__).with_name("observed.py"), folder / "dondoc.db", folder, server.home, server.port]
        done = subprocess.run(
            [sys.executable, *map(str, words), *more], capture_output=True, text=True, timeout=600, cwd=folder
        )
    assert done.returncode == 0, done.stderr[-4000:]
    pages = {"content_type": page.headers["content-type"], "unpacked": unpacked}
    return {**json.loads(done.stdout.splitlines()[-1]), "pages": pages}


@pytest.fixture(scope="module")
def told(ground: Ground, migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return observed(tmp_path_factory.mktemp("observed"), ground, migrated)


@pytest.fixture(scope="module")
def deployed(ground: Ground, migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return observed(tmp_path_factory.mktemp("deployed"), ground, migrated, "deployed")


def test_a_tick_is_one_flow_run(told: dict[str, Any]) -> None:
    assert told["seen"]["flow_run"] == ["2021-06-02 09:00", "COMPLETED"]


def test_the_pages_of_the_local_prefect_are_there_where_the_code_cannot_be_written(told: dict[str, Any]) -> None:
    """As a service every page of it was 404: it unpacks them beside its code unless it is told a place."""
    assert told["pages"]["content_type"].startswith("text/html")
    assert told["pages"]["unpacked"]


def test_a_tick_with_nothing_due_starts_no_flow_run(told: dict[str, Any]) -> None:
    assert told["seen"]["again"] == []
    assert told["seen"]["flow_runs_after_nothing_was_due"] == 1


def test_seen_or_not_seen_the_letters_are_the_same(told: dict[str, Any]) -> None:
    assert len(told["plain"]["letters"]) > 10
    assert told["seen"]["letters"] == told["plain"]["letters"]


def test_a_server_that_dies_in_the_middle_and_a_home_that_is_deleted_change_no_letter(told: dict[str, Any]) -> None:
    assert told["interrupted"]["letters"] == told["plain"]["letters"]


def test_a_duty_that_fails_makes_the_flow_run_failed_and_the_others_go_on(told: dict[str, Any]) -> None:
    failing = told["failing"]
    assert failing["flow_run"] == "FAILED"
    mine = [to for _, to in failing["letters"]]
    assert "daumoi@ubnd-tp-vinh.nghean.example" in mine
    assert not any("cong-an-tinh" in to for to in mine)
    assert "188/KH-UBND IV.2.1 · cong-an-tinh" in failing["error"]  # and the tick says so, for the log


def test_nothing_is_told_to_the_outside(told: dict[str, Any]) -> None:
    """The process under test refuses every address that is not this machine's; the server is told not to ask."""
    assert told["seen"]["analytics"] is False
    assert environment(Path("home"), "http://127.0.0.1:1/api", AUTH)["DO_NOT_TRACK"] == "1"


@pytest.mark.deep
def test_a_worker_runs_tick_and_deliver_as_deployments_on_the_database_of_its_environment(
    deployed: dict[str, Any],
) -> None:
    assert deployed["names"] == ["dondoc-tick/every", "dondoc-deliver/every"]
    assert deployed["pool"] == ["van-phong"] * 2
    assert deployed["entrypoints"] == ["workflows.run.flows.tick", "workflows.run.flows.deliver"]
    assert deployed["every"] == [[90.0]] * 2  # registering again changes the schedule
    assert deployed["at_once"] == ["CANCEL_NEW", None]
    assert deployed["acted"] == ["COMPLETED: ", ["queued"]]
    assert deployed["tasks"] == [[name, "Completed"] for name in ("act: bao-nghe-an … ubnd-tp-vinh", "digest", "open")]
    assert deployed["letters"] > 5
    assert deployed["delivered"] == ["COMPLETED: ", ["kept_here"]]  # no relay is set


@pytest.mark.deep
def test_a_worker_on_another_database_refuses_to_run(deployed: dict[str, Any]) -> None:
    assert deployed["elsewhere"].startswith("FAILED")
    assert "DONDOC_DATABASE_URL" in deployed["elsewhere"]


def test_a_server_that_runs_already_is_taken_over_and_ended(tmp_path: Path) -> None:
    """As after a kill -9 of ``serve``: the next one finds the server and ends it with itself."""
    first = PrefectServer(tmp_path, free_port(), AUTH)
    first.start()
    pid = int((tmp_path / "server.pid").read_text())
    while b"prefect" not in Path(f"/proc/{pid}/cmdline").read_bytes():
        time.sleep(0.01)
    PrefectServer(tmp_path, first.port, AUTH).stop()
    first.stop()
    assert not Path(f"/proc/{pid}").exists()
    assert not (tmp_path / "server.pid").exists()
    PrefectServer(tmp_path, first.port, AUTH).stop()  # nothing to stop: nothing happens


def test_where_no_server_answers_that_is_said_at_once() -> None:
    assert not answers(f"http://127.0.0.1:{free_port()}/api")
