"""Prefect as an observer, on a real server: one task run a duty, and without it nothing is lost but the view."""

from __future__ import annotations

import fcntl
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from crash.life import prepare
from ground.databases import closing_database, sqlite_copy
from ground.postgres import Ground

from workflows.prefect_server import PrefectServer, answers, environment

pytestmark = pytest.mark.prefect


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(home: Path) -> Iterator[PrefectServer]:
    """A real Prefect server of our own, answering."""
    mine = PrefectServer(home, free_port())
    mine.start()
    try:
        for _ in range(600):
            if answers(mine.api_url):
                break
            time.sleep(0.1)
        yield mine
    finally:
        mine.stop()


def observed(folder: Path, ground: Ground) -> str:
    """What ``observed.py`` lived through, as JSON."""
    with closing_database(sqlite_copy(ground, folder)) as database:
        prepare(database)
    (folder / "prefect").mkdir()
    with serving(folder / "prefect") as server:
        words = [Path(__file__).with_name("observed.py"), folder / "dondoc.db", folder, server.home, server.port]
        done = subprocess.run(
            [sys.executable, *map(str, words)], capture_output=True, text=True, timeout=150, cwd=folder
        )
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def told(ground: Ground, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The same, lived once for all the workers of a run."""
    kept = ground.folder / "observed.json"
    with kept.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            kept.write_text(observed(tmp_path_factory.mktemp("observed"), ground))
    found: dict[str, Any] = json.loads(kept.read_text())
    return found


def test_a_tick_is_one_flow_run_with_one_task_run_for_each_duty_that_is_due(told: dict[str, Any]) -> None:
    seen = told["seen"]
    assert seen["flow_run"] == ["2021-06-02 09:00", "COMPLETED"]
    assert (len(seen["names"]), seen["states"]) == (seen["duties"], ["COMPLETED"])
    assert "188/KH-UBND IV.2.1 · cong-an-tinh" in seen["names"]
    assert "188/KH-UBND IV.16.1 · 2 owners" in seen["names"]


def test_task_runs_are_found_by_plan_citation_owner_and_name(told: dict[str, Any]) -> None:
    seen = told["seen"]
    assert seen["by_plan"] == seen["duties"]
    assert seen["by_citation"] == ["188/KH-UBND IV.2.1 · cong-an-tinh"]
    assert seen["by_owner"] == [f"188/KH-UBND {each} · 2 owners" for each in ("IV.16.1", "IV.16.2", "V.1")]
    assert seen["by_name"] == 1


def test_a_tick_with_nothing_due_starts_no_flow_run(told: dict[str, Any]) -> None:
    assert told["seen"]["again"] == []
    assert told["seen"]["flow_runs_after_nothing_was_due"] == 1


def test_seen_or_not_seen_the_letters_are_the_same(told: dict[str, Any]) -> None:
    assert len(told["plain"]["letters"]) > 10
    assert told["seen"]["letters"] == told["plain"]["letters"]


def test_a_server_that_dies_in_the_middle_and_a_home_that_is_deleted_change_no_letter(told: dict[str, Any]) -> None:
    assert told["interrupted"]["letters"] == told["plain"]["letters"]


def test_a_duty_that_fails_is_tried_three_times_and_the_others_go_on(told: dict[str, Any]) -> None:
    runs = told["failing"]["runs"]
    assert runs.pop("188/KH-UBND IV.2.1 · cong-an-tinh") == ["FAILED", 3]
    assert set(map(tuple, runs.values())) == {("COMPLETED", 1)}
    mine = [to for _, to in told["failing"]["letters"]]
    assert "daumoi@ubnd-tp-vinh.nghean.example" in mine
    assert not any("cong-an-tinh" in to for to in mine)
    assert told["failing"]["error"]  # and the tick says so, for the log


def test_nothing_is_told_to_the_outside(told: dict[str, Any]) -> None:
    """The process under test refuses every address that is not this machine's; the server is told not to ask."""
    assert told["seen"]["analytics"] is False
    assert environment(Path("home"), "http://127.0.0.1:1/api")["DO_NOT_TRACK"] == "1"


def test_a_worker_runs_the_tick_as_a_deployment_on_the_database_of_its_environment(told: dict[str, Any]) -> None:
    deployed = told["deployed"]
    assert (deployed["name"], deployed["pool"], deployed["entrypoint"]) == (
        "dondoc-tick/every",
        "van-phong",
        "workflows.flows.tick",
    )
    assert deployed["every"] == [90.0]  # registering again changes the schedule
    assert (deployed["code"], deployed["state"]) == (0, "COMPLETED")
    assert len(deployed["letters"]) > 5
    assert set(deployed["letters"]) == {"kept_here"}  # no relay is set


def test_a_server_that_runs_already_is_taken_over_and_ended(tmp_path: Path) -> None:
    """As after a kill -9 of ``serve``: the next one finds the server and ends it with itself."""
    first = PrefectServer(tmp_path, free_port())
    first.start()
    pid = int((tmp_path / "server.pid").read_text())
    while b"prefect" not in Path(f"/proc/{pid}/cmdline").read_bytes():
        time.sleep(0.01)
    PrefectServer(tmp_path, first.port).stop()
    first.stop()
    assert not Path(f"/proc/{pid}").exists()
    assert not (tmp_path / "server.pid").exists()
    PrefectServer(tmp_path, first.port).stop()  # nothing to stop: nothing happens


def test_where_no_server_answers_that_is_said_at_once() -> None:
    assert not answers(f"http://127.0.0.1:{free_port()}/api")
