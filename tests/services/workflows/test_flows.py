"""Prefect on a real server: each tick of ``serve`` is seen, workers run the passes, and without it nothing is lost
but the view."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from crash.life import BEGAN, prepare
from ground.databases import closing_database, sqlite_copy
from ground.factory import at
from ground.post import KEY, LetterBox, post_office
from ground.postgres import Ground
from ground.serving import AUTH, SOON, asked, free_port, letting_in, prefect_serving, shown, status
from sqlalchemy import event, text

from config.settings import Settings
from engine.store.database import Database
from workflows.run import passes
from workflows.run.prefect_server import PrefectServer, answers, environment, is_alive
from workflows.run.system import System, compose
from workflows.serving import runs

pytestmark = pytest.mark.prefect
LATER = at("2021-06-18", "07:30")


class Office:
    """A prepared database lived with, and the letters that came of it. ``server``: what its ticks are shown by."""

    def __init__(self, database: Database, folder: Path, server: PrefectServer | None) -> None:
        given: dict[str, Any] = {"prefect_api_url": letting_in(server.api_url)} if server else {"prefect": False}
        settings = Settings(_env_file=None, data_dir=folder, database_url=str(database.url), secret=KEY, **given)  # type: ignore[call-arg]
        self.box = LetterBox()
        self.system: System = replace(compose(settings), delivery=post_office(self.box))

    def tick(self, now: datetime) -> list[str]:
        return [str(each) for each in asyncio.run(runs.tick(self.system, now))]

    @property
    def letters(self) -> list[list[str]]:
        """What was said to whom, but for the tokens: they hold the rows' numbers, which follow the order of work."""
        links = re.compile(r"(/[lr]/)\S+")
        return sorted([each.key, each.to, each.subject, links.sub(r"\1", each.text)] for each in self.box.letters)


@contextmanager
def office(ground: Ground, folder: Path, server: PrefectServer | None) -> Iterator[Office]:
    folder.mkdir()
    with closing_database(sqlite_copy(ground, folder)) as database:
        prepare(database)
        made = Office(database, folder, server)
        yield made
        made.system.database.dispose()


@pytest.fixture(scope="module")
def server(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrefectServer]:
    with prefect_serving(tmp_path_factory.mktemp("prefect"), migrated) as server:
        yield server


@pytest.fixture(scope="module")
def plain(ground: Ground, tmp_path_factory: pytest.TempPathFactory) -> list[list[str]]:
    """The letters of two ticks without Prefect."""
    with office(ground, tmp_path_factory.mktemp("plain") / "office", None) as made:
        for now in (BEGAN, LATER):
            made.tick(now)
        return made.letters


def ticks(server: PrefectServer, ended: int) -> list[tuple[str, str, str]]:
    """Name, state and message of the runs of ticks, once so many have ended."""
    with httpx.Client(base_url=server.api_url, auth=shown(), timeout=SOON) as http:
        flow = {"flows": {"name": {"any_": ["dondoc-tick"]}}, "sort": "START_TIME_ASC"}
        until = time.monotonic() + SOON
        while True:
            found = asked(http, "/flow_runs/filter", flow)
            told = [(each["name"], each["state_type"], each["state"]["message"] or "") for each in found]
            if sum(kind != "RUNNING" for _, kind, _ in told) >= ended or time.monotonic() > until:
                return told
            time.sleep(0.2)


def test_a_tick_of_serve_is_one_flow_run_and_one_with_nothing_due_is_none(
    server: PrefectServer, ground: Ground, plain: list[list[str]], tmp_path: Path
) -> None:
    before = len(ticks(server, 0))
    with office(ground, tmp_path / "office", server) as made:
        assert made.tick(BEGAN)
        assert made.tick(BEGAN) == []
        ((name, state, message),) = ticks(server, before + 1)[before:]
        made.tick(LATER)
        assert made.letters == plain
    assert (name, state) == ("2021-06-02 09:00", "COMPLETED")
    assert "open: plans 1" in message
    assert len(plain) > 10


def test_a_duty_that_fails_makes_the_flow_run_failed_and_the_others_go_on(
    server: PrefectServer, ground: Ground, tmp_path: Path
) -> None:
    before = len(ticks(server, 0))
    with office(ground, tmp_path / "office", server) as made:
        passes.open_assignments(made.system.database, BEGAN)
        with made.system.database.write() as session:
            mine = "duty_id = (SELECT id FROM duty WHERE citation = 'IV.2.1')"
            session.connection().execute(text(f"UPDATE assignment SET acted_until = 'no date' WHERE {mine}"))
        with pytest.raises(passes.DutiesFailed, match=r"188/KH-UBND IV\.2\.1 · cong-an-tinh"):
            made.tick(BEGAN)
        ((_, state, message),) = ticks(server, before + 1)[before:]
        to = [each.to for each in made.box.letters]
    assert (state, "IV.2.1 · cong-an-tinh" in message) == ("FAILED", True)
    assert "daumoi@ubnd-tp-vinh.nghean.example" in to
    assert not any("cong-an-tinh" in each for each in to)


def test_a_server_that_dies_in_the_middle_and_a_home_that_is_deleted_change_no_letter(
    ground: Ground, migrated: Path, plain: list[list[str]], tmp_path: Path
) -> None:
    home = tmp_path / "prefect"
    home.mkdir()
    updates: list[str] = []
    with prefect_serving(home, migrated) as server, office(ground, tmp_path / "office", server) as made:

        @event.listens_for(made.system.database.bind, "before_cursor_execute")
        def _watch(_1: Any, _2: Any, statement: str, *_: Any) -> None:
            if statement.startswith("UPDATE assignment"):
                updates.append(statement)
                if len(updates) == 1:
                    server.stop()

        made.tick(BEGAN)
        shutil.rmtree(home)
        made.tick(LATER)
        assert made.letters == plain


def test_a_server_that_hangs_holds_up_no_tick(ground: Ground, tmp_path: Path) -> None:
    """It takes the connection and says nothing."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(50)
        hangs = PrefectServer(tmp_path, silent.getsockname()[1], AUTH)
        with office(ground, tmp_path / "office", hangs) as made:
            began = time.monotonic()
            made.tick(BEGAN)
            hung = time.monotonic() - began
        with office(ground, tmp_path / "without", None) as other:
            began = time.monotonic()
            other.tick(BEGAN)
            assert hung < time.monotonic() - began + 2.0


def test_the_pages_of_the_local_prefect_are_there_where_the_code_cannot_be_written(server: PrefectServer) -> None:
    """As a service every page of it was 404: it unpacks them beside its code unless it is told a place."""
    page = httpx.get(f"http://127.0.0.1:{server.port}/", follow_redirects=True, timeout=SOON)
    assert page.headers["content-type"].startswith("text/html")
    assert list(server.home.rglob("index.html"))


def test_nothing_is_told_to_the_outside(server: PrefectServer) -> None:
    """Tests refuse every address that is not this machine's; the server is told not to ask."""
    with httpx.Client(base_url=server.api_url, auth=shown(), timeout=SOON) as http:
        assert http.get("/admin/settings").json()["server"]["analytics_enabled"] is False
    assert environment(Path("home"), "http://127.0.0.1:1/api", AUTH)["DO_NOT_TRACK"] == "1"


def test_one_that_was_left_by_a_killed_serve_is_ended_and_one_that_dies_is_started_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    words = [sys.executable, "-c", "import time; time.sleep(600)", "prefect"]
    left = subprocess.Popen(words, start_new_session=True)
    while b"prefect" not in Path(f"/proc/{left.pid}/cmdline").read_bytes():
        time.sleep(0.01)
    (tmp_path / "server.pid").write_text(str(left.pid))
    mine = PrefectServer(tmp_path, free_port(), AUTH)
    mine.start()
    try:
        assert left.wait(SOON)
        first = int((tmp_path / "server.pid").read_text())
        os.killpg(first, signal.SIGKILL)
        until = time.monotonic() + SOON
        while (second := int((tmp_path / "server.pid").read_text() or 0)) in (0, first) and time.monotonic() < until:
            time.sleep(0.05)
    finally:
        mine.stop()
    assert second != first
    assert "The Prefect server ended with -9; it is started again in 1 s" in caplog.messages
    assert not is_alive(second)
    assert not (tmp_path / "server.pid").exists()


def test_where_no_server_answers_that_is_said_at_once() -> None:
    assert not answers(f"http://127.0.0.1:{free_port()}/api")
    assert not status(f"http://127.0.0.1:{free_port()}/api/health")


@pytest.fixture(scope="module")
def deployed(ground: Ground, server: PrefectServer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What ``deployed.py`` lived through."""
    folder = tmp_path_factory.mktemp("deployed")
    with closing_database(sqlite_copy(ground, folder)) as database:
        prepare(database)
    words = [Path(__file__).with_name("deployed.py"), folder / "dondoc.db", folder, server.home, server.port]
    done = subprocess.run([sys.executable, *map(str, words)], capture_output=True, text=True, timeout=600, cwd=folder)
    assert done.returncode == 0, done.stderr[-4000:]
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


@pytest.mark.deep
def test_workers_run_each_deployment_on_the_database_of_their_environment(deployed: dict[str, Any]) -> None:
    assert deployed["names"] == [
        "dondoc-tick/every",
        *(f"dondoc-{each}/on-demand" for each in ("deliver", "duty", "audit", "backup", "digest")),
    ]
    assert deployed["pools"] == ["van-phong"]
    assert deployed["entrypoints"][:3] == [
        "workflows.run.flows.tick",
        "workflows.run.flows.deliver",
        "workflows.duty.duty",
    ]
    assert deployed["every"][:3] == [[90.0], [], []]  # registering again changes the schedule
    assert deployed["at_once"][:3] == ["CANCEL_NEW", None, "ENQUEUE"]
    assert deployed["acted"] == ["COMPLETED: ", ["queued"]]
    assert deployed["tasks"] == [[name, "Completed"] for name in ("act: bao-nghe-an … ubnd-tp-vinh", "digest", "open")]
    assert deployed["letters"] > 5
    assert deployed["delivered"] == ["COMPLETED: ", ["kept_here"]]  # no relay is set


@pytest.mark.deep
def test_a_tick_starts_a_run_that_sends_what_is_owed(deployed: dict[str, Any]) -> None:
    assert len(deployed["started"]) == 1


@pytest.mark.deep
def test_a_duty_is_acted_on_once_says_so_and_waits_once_for_its_next_rung(deployed: dict[str, Any]) -> None:
    """By the clock of today its rungs of 2021 are past: what is left to say is said in one letter."""
    first, second = deployed["duty"]
    assert first.startswith("COMPLETED: ")
    assert "Tiếp theo: " in first
    assert second.startswith("COMPLETED: Chưa có gì đến hạn. Tiếp theo: ")
    assert deployed["waiting"] in ([], [True])
    assert deployed["nobody"].startswith("FAILED")


@pytest.mark.deep
def test_a_worker_on_another_database_refuses_to_run(deployed: dict[str, Any]) -> None:
    assert deployed["elsewhere"].startswith("FAILED")
    assert "DONDOC_DATABASE_URL" in deployed["elsewhere"]
