"""What the process that sends does beside its passes: it tells systemd that the service lives, if it does."""

from __future__ import annotations

import os
import socket
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from crash.forms import wait_until
from ground.factory import lay, row, rows
from ground.post import KEY
from ground.web_servers import listening
from sqlalchemy import update

from config.settings import Settings
from engine.store.clock import system_clock
from engine.store.database import Database, table
from engine.store.machines import machines
from engine.store.records import Assignment, Pass
from notifications.email.connection import Security
from notifications.inbound.fetching import LOGOUT_SECONDS, Inbox
from workflows.run.system import compose
from workflows.serving.sending import ALIVE, STOP_SECONDS, Sending

SOON = 30.0


def settings_of(database: Database, folder: Path, **more: Any) -> Settings:
    address = str(database.url)
    return Settings(_env_file=None, data_dir=folder, database_url=address, secret=KEY, prefect=False, **more)  # type: ignore[call-arg]


def test_the_first_audit_comes_after_the_first_tick_and_finds_no_backlog(
    sqlite_database: Database, tmp_path: Path
) -> None:
    """After a night off what lay due was 60 findings, in red for five minutes, though the tick was doing it already."""
    lay(sqlite_database, now=system_clock() - timedelta(hours=14))
    with sqlite_database.write() as session:
        late = update(table(Assignment)).values(next_action_at=system_clock() - timedelta(hours=12))
        session.connection().execute(late)
    sending = Sending(compose(settings_of(sqlite_database, tmp_path), with_entered=False))
    sending.start()
    try:
        assert wait_until(lambda: rows(sqlite_database, Pass, name="audit"), SOON)
    finally:
        sending.stop()
    counts = row(sqlite_database, Pass, name="audit").counts
    assert (counts["overdue_looks"], counts["rungs_missed"]) == (0, 0)


def test_once_a_minute_the_process_says_which_machine_it_is(sqlite_database: Database, tmp_path: Path) -> None:
    sending = Sending(compose(settings_of(sqlite_database, tmp_path), with_entered=False))

    def said() -> bool:
        with sqlite_database.read() as session:
            return [each.name for each in machines(session, system_clock())] == [socket.gethostname()]

    sending.start()
    try:
        assert wait_until(said, SOON)
    finally:
        sending.stop()


def test_a_mailbox_that_does_not_answer_is_given_up_before_the_process_is() -> None:
    """The stop waited for it longer than the process was waited for, which was killed then."""
    inbox = Inbox(host="127.0.0.1", username="x", password="x", security=Security.NONE)
    assert inbox.timeout + LOGOUT_SECONDS < STOP_SECONDS


def test_the_sign_of_life_asks_a_page_that_needs_a_thread_and_the_database(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """/healthz answered all the while that no page did."""
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    monkeypatch.setenv("WATCHDOG_USEC", "3000000")
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd, listening() as (url, asked):
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(SOON)
        settings = settings_of(sqlite_database, tmp_path, port=urlsplit(url).port or 0)
        sending = Sending(compose(settings, with_entered=False))
        sending.start()
        try:
            assert systemd.recv(100) == ALIVE.encode()
        finally:
            sending.stop()
    assert set(asked) == {"/readyz"}
