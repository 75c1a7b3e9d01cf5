"""The embedded process as an operator meets it: started, asked, killed, started twice."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import time
from contextlib import closing
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import httpx
import pytest
from ground.factory import at
from ground.serving import DONDOC, SOON, install, owing, serving, wait_for_letters
from ground.web_servers import served
from sqlalchemy import update

from engine.store.database import Database, table
from engine.store.facts import hold
from engine.store.records import Letter
from engine.store.version import version_line
from engine.terms import LetterState


@pytest.fixture
def owed(database: Database) -> Database:
    return owing(database)


@pytest.fixture
def owed_in_a_file(sqlite_database: Database) -> Database:
    """On SQLite alone; both are killed under letters in tests/services/test_kill_serve.py."""
    return owing(sqlite_database)


@pytest.mark.deep  # told to stop with letters owed: also in test_behind_nginx.py
def test_it_answers_at_once_sends_what_is_owed_ends_when_told_to_and_knows_no_prefect(
    owed_in_a_file: Database, tmp_path: Path
) -> None:
    listed = {"PYTHONPROFILEIMPORTTIME": "1"}  # its log names every module that Python imports
    with serving(str(owed_in_a_file.url), tmp_path, **listed) as (process, address, seconds):
        assert httpx.get(f"{address}/sign-in").status_code == 200
        states = wait_for_letters(owed_in_a_file)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=SOON) == 0
    assert seconds < SOON
    print(f"answered after {seconds:.2f} s")
    assert states
    assert set(states) == {LetterState.KEPT_HERE}
    assert len(list((tmp_path / "maildir" / "new").iterdir())) == len(states)
    log = next(tmp_path.glob("serve-*.log")).read_text()
    assert "Traceback" not in log
    assert f"Đôn Đốc {version_line('en')}" in re.sub("(?m)^import time:.*\n", "", log).splitlines()[0]
    imported = set(re.findall(r"\| +([\w.]+)$", log, re.M))
    assert "workflows.run.prefect_server" in imported
    assert not [name for name in imported if name.partition(".")[0] == "prefect"]


@pytest.mark.deep  # its parts: tests/integration/workflows/operation/test_high_water.py
def test_letters_leave_whatever_stands_at_prefect_s_address(owed_in_a_file: Database, tmp_path: Path) -> None:
    """A page for everything but the question whether it lives: the process ended before its pages opened."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers["content-length"] or 0))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"true" if self.path.endswith("/health") else b"<!doctype html><title>Log in</title>")

        do_POST = do_PATCH = do_GET

        def log_message(self, *_: object) -> None:
            pass

    with (
        served(Page) as page,
        serving(str(owed_in_a_file.url), tmp_path, "--prefect", DONDOC_PREFECT_API_URL=f"{page}/api"),
    ):
        states = wait_for_letters(owed_in_a_file)
    assert set(states) == {LetterState.KEPT_HERE}


@pytest.mark.deep
def test_killed_and_started_again_it_does_what_was_left_once(owed_in_a_file: Database, tmp_path: Path) -> None:
    owed, url = owed_in_a_file, str(owed_in_a_file.url)
    with serving(url, tmp_path) as (process, _, _):
        process.kill()
        process.wait(timeout=SOON)
    run_out = update(table(Letter)).where(table(Letter).c.lease_until.is_not(None)).values(lease_until=at("2021-04-07"))
    with owed.write() as session:  # the five minutes' lease of what it was just sending
        session.connection().execute(run_out)
    with serving(url, tmp_path):
        states = wait_for_letters(owed)
    kept = [path.name for path in (tmp_path / "maildir" / "new").iterdir()]
    assert set(states) == {LetterState.KEPT_HERE}
    assert len(set(kept)) == len(kept) == len(states)


def test_it_sends_nothing_from_an_older_file_that_was_put_back(owed_in_a_file: Database, tmp_path: Path) -> None:
    owed, url = owed_in_a_file, str(owed_in_a_file.url)
    file = Path(str(owed.url.database))
    install(url, tmp_path)
    with closing(sqlite3.connect(file)) as live, closing(sqlite3.connect(tmp_path / "old.db")) as old:
        live.backup(old)
    with serving(url, tmp_path):
        wait_for_letters(owed)
    owed.dispose()
    for each in file.parent.glob(f"{file.name}*"):
        each.unlink()
    shutil.copyfile(tmp_path / "old.db", file)
    sent = len(list((tmp_path / "maildir" / "new").iterdir()))
    with serving(url, tmp_path) as (_, address, _):
        assert httpx.get(f"{address}/sign-in").status_code == 200
        time.sleep(3)  # its first ticks
    with owed.read() as session:
        assert hold(session) is not None
    assert len(list((tmp_path / "maildir" / "new").iterdir())) == sent > 0


@pytest.mark.deep
def test_two_of_it_on_one_database_send_each_letter_once(owed: Database, url: str, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    with serving(url, one), serving(url, two):
        states = wait_for_letters(owed)
    sent = [path.name for folder in (one, two) for path in folder.glob("maildir/new/*")]
    assert set(states) == {LetterState.KEPT_HERE}
    assert len(sent) == len(set(sent)) == len(states)


@pytest.mark.deep
def test_a_busy_port_is_said_in_a_sentence(sqlite_database: Database, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        settings = install(str(sqlite_database.url), tmp_path)
        done = subprocess.run(
            [DONDOC, "serve", "--no-prefect", "--port", port],
            env=os.environ | settings,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=SOON,
        )
    assert done.returncode == 2
    assert port in done.stderr
    assert "Traceback" not in done.stderr
