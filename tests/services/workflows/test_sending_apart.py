"""Pages and letters of ``dondoc serve`` in two processes: one ends, the other knows what to do."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import httpx
import pytest
from crash.forms import wait_until
from ground.serving import SOON, owing, serving, wait_for_letters

from engine.store.database import Database
from engine.terms import LetterState
from workflows.run.prefect_server import descendants, is_alive

SENDS = b"workflows.serving.sending"


def sender(serve: subprocess.Popen[bytes]) -> int:
    """The id of the process that sends; 0 if there is none."""
    for pid in descendants(serve.pid):
        try:
            if SENDS in Path(f"/proc/{pid}/cmdline").read_bytes():
                return pid
        except OSError:
            continue
    return 0


def test_one_that_sends_is_started_again_and_the_letters_leave(sqlite_database: Database, tmp_path: Path) -> None:
    url = str(sqlite_database.url)
    with serving(url, tmp_path) as (serve, address, _):
        first = sender(serve)
        os.kill(first, signal.SIGKILL)
        assert wait_until(lambda: sender(serve) not in (0, first), SOON)
        assert httpx.get(f"{address}/sign-in").status_code == 200
        states = wait_for_letters(owing(sqlite_database))
    assert set(states) == {LetterState.KEPT_HERE}
    (log,) = tmp_path.glob("serve-*.log")
    assert "The process that sends ended with -9; it is started again in 1 s" in log.read_text()


def test_it_outlives_no_pages_that_were_killed(sqlite_database: Database, tmp_path: Path) -> None:
    with serving(str(sqlite_database.url), tmp_path) as (serve, _, _):
        child = sender(serve)
        assert child
        serve.kill()
        serve.wait(SOON)
        assert wait_until(lambda: not is_alive(child), SOON)
    (log,) = tmp_path.glob("serve-*.log")
    assert "Traceback" not in log.read_text()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_both_end(sqlite_database: Database, tmp_path: Path, how: signal.Signals) -> None:
    with serving(str(sqlite_database.url), tmp_path) as (serve, _, _):
        child, began = sender(serve), time.monotonic()
        serve.send_signal(how)
        serve.wait(SOON)
        assert not is_alive(child)
        assert time.monotonic() - began < SOON
    (log,) = tmp_path.glob("serve-*.log")
    assert "Traceback" not in log.read_text()
    assert "started again" not in log.read_text()


def test_one_that_has_sent_ends_without_an_abort(sqlite_database: Database, tmp_path: Path) -> None:
    """SIGABRT after everything was settled, at seven stops of eight: where cores are kept one of 150 MiB."""
    with serving(str(sqlite_database.url), tmp_path) as (serve, _, _):
        wait_for_letters(owing(sqlite_database))
        serve.terminate()
        serve.wait(SOON)
    (log,) = tmp_path.glob("serve-*.log")
    assert "Fatal" not in log.read_text()


def test_on_one_processor_there_is_one_process(sqlite_database: Database, tmp_path: Path) -> None:
    processors = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(processors)})
    try:
        with serving(str(sqlite_database.url), tmp_path) as (serve, _, _):
            states = wait_for_letters(owing(sqlite_database))
            assert sender(serve) == 0
    finally:
        os.sched_setaffinity(0, processors)
    assert set(states) == {LetterState.KEPT_HERE}
