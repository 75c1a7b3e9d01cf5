"""What the process that sends does beside its passes: it tells systemd that the service lives, if it does."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from ground.post import KEY
from ground.web_servers import listening

from config.settings import Settings
from engine.store.database import Database
from workflows.run.system import compose
from workflows.serving.process import ALIVE
from workflows.serving.sending import Sending

SOON = 30.0


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
        settings = Settings(
            _env_file=None,  # type: ignore[call-arg]
            data_dir=tmp_path,
            database_url=str(sqlite_database.url),
            secret=KEY,
            port=urlsplit(url).port or 0,
            prefect=False,
        )
        sending = Sending(compose(settings, with_entered=False))
        sending.start()
        try:
            assert systemd.recv(100) == ALIVE.encode()
        finally:
            sending.stop()
    assert set(asked) == {"/readyz"}
