"""A local Prefect server beside ``serve``: started in the background, adopted if it runs already, stopped with us.

It is an observer: nothing waits for it, and what it stores may be deleted at any time.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx

log = logging.getLogger(__name__)
STOP_TIMEOUT_SECONDS = 5
"""Seconds that a server of ours has to end by itself."""


def environment(home: Path, api_url: str) -> dict[str, str]:
    """What Prefect reads when it is imported: a home of our own, no analytics, quiet, and quick to give up.

    The server writes task runs once a second instead of one by one: on SQLite each of its single writes makes the next
    task's request fail with 503 and wait two seconds (28 duties: 25 s; written together: 0.7 s).
    """
    return {
        "PREFECT_HOME": str(home.resolve()),
        "PREFECT_API_URL": api_url,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_LOGGING_LEVEL": "ERROR",
        "PREFECT_LOGGING_TO_API_ENABLED": "false",
        "PREFECT_CLIENT_MAX_RETRIES": "1",
        "PREFECT_API_REQUEST_TIMEOUT": "5",
        "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "false",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "200",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
        "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_BATCH_SIZE": "500",
    }


def answers(api_url: str, timeout: float = 1.0) -> bool:
    """Whether a Prefect API answers there now."""
    try:
        return httpx.get(f"{api_url}/health", timeout=timeout).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


class PrefectServer:
    """The server as a child process. ``start`` returns at once; the server needs 7–11 s before it answers."""

    def __init__(self, home: Path, port: int) -> None:
        self.home, self.port = home, port
        self.api_url = f"http://127.0.0.1:{port}/api"
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def _pid_file(self) -> Path:
        return self.home / "server.pid"

    def start(self) -> None:
        """Start it, unless one answers at our port already (left by a process that was killed)."""
        if answers(self.api_url):
            return
        self.home.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(self.port)]
        child_environment = {**os.environ, **environment(self.home, self.api_url)}
        with (self.home / "server.log").open("ab") as output:
            self._child = subprocess.Popen(
                command,
                env=child_environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._pid_file.write_text(str(self._child.pid))
        log.info("Prefect is starting at %s", self.api_url)

    def stop(self) -> None:
        """End the server that we started, now or in an earlier life."""
        try:
            pid = int(self._pid_file.read_text())
            if self._child is not None or b"prefect" in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.killpg(pid, signal.SIGTERM)
        except (OSError, ValueError):
            pass  # it is gone already
        self._pid_file.unlink(missing_ok=True)
        if self._child is not None:
            self._end(self._child)

    def _end(self, child: subprocess.Popen[bytes]) -> None:
        try:
            child.wait(STOP_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        self._child = None
