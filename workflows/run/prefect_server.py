"""Prefect's own processes as our children; and a child process that is started again when it ends, for as long as this
process lives.

A local server for ``serve``: started in the background, started again when it ends, stopped with ``serve``. Nothing
waits for it, and its data may be deleted at any time. A worker, whose flow runs get time to settle when it is told to
stop.

Whoever reaches Prefect's API can have a worker run any command. So the server answers those alone who show a string
(``System.prefect_auth``), another at each start, and it is given nothing of the office: no ``DONDOC_`` variable, no
``.env``. Any user of the machine may listen at its port before it does: such a one is neither asked nor shown anything.
"""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import httpx

from engine.errors import Unavailable
from engine.store.high_water import atomic_write
from engine.text import Text
from workflows.projection.prefect_api import prefect_client

if TYPE_CHECKING:
    from config.settings import Settings
    from engine.accounts.signed_links import Signer

log = logging.getLogger(__name__)
LONGEST_PAUSE_SECONDS = 60
STEADY_SECONDS = 60
"""One that ran for so long is started again at once."""


class KeptProcess:
    """``what``: its name in the log. ``begin``: starts it, in a session of its own. ``patience``: seconds between
    SIGTERM and SIGKILL."""

    def __init__(self, what: str, begin: Callable[[], subprocess.Popen[bytes]], patience: float) -> None:
        self._what, self._begin, self._patience = what, begin, patience
        self._stopped = threading.Event()
        self._keeper: threading.Thread | None = None
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._stopped.clear()
        self._child = self._begin()
        self._keeper = threading.Thread(target=self._keep, name=self._what, daemon=True)
        self._keeper.start()

    def stop(self) -> None:
        self._stopped.set()
        child, keeper = self._child, self._keeper
        if child is None or keeper is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGTERM)
        try:
            child.wait(self._patience)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        keeper.join()

    def _keep(self) -> None:
        """Wait for its end and begin it again; the sooner it ended, the later."""
        pause = 0.0
        while self._child is not None:
            began = time.monotonic()
            code = self._child.wait()
            steady = time.monotonic() - began > STEADY_SECONDS
            pause = 0.0 if steady else min(max(pause * 2, 1.0), LONGEST_PAUSE_SECONDS)
            if self._stopped.is_set():
                return
            log.error("%s ended with %s; it is started again in %.0f s", self._what, code, pause)
            if self._stopped.wait(pause):
                return
            self._child = self._begin()
            if self._stopped.is_set():  # meanwhile: nobody else would end this one
                self._child.terminate()


MISSING = Text(
    "Máy này không có gói prefect: nhắc việc vẫn gửi, chỉ không có trang và máy xử lý của Prefect. Cần thì «pip "
    "install prefect» vào cùng môi trường",
    "The package prefect is not on this machine: letters leave all the same, without Prefect's pages and workers. “pip "
    "install prefect” into the same environment brings them",
)
KEPT = frozenset({"PATH", "HOME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV", "MALLOC_ARENA_MAX"})
KEPT_PREFIXES = ("LC_", "PREFECT_")
"""Variables of this process that its server is given as well; no others, since anything may be a secret."""
DAY_SECONDS = 24 * 3600
LISTENS = "0A"
"""The state of a socket in ``/proc/net/tcp``: tcp_states.h of Linux."""
STOP_TIMEOUT_SECONDS = 5
"""Time between SIGTERM and SIGKILL for a server that we started."""
SETTLE_TIMEOUT_SECONDS = 7
"""Time for the flow runs of a worker that is told to stop: a little more than ``flows.STOP_TIMEOUT_SECONDS``."""


def environment(home: Path, api_url: str, auth: str) -> dict[str, str]:
    """Environment variables that Prefect reads on import: own home, no analytics, little logging, short time-outs.
    ``auth``: «user:password», which its API asks for.

    A flow run says every 30 s that it is alive (see ``prefect_deployments``); the place of one that was killed is free
    after 60 s, not 300.

    The server writes task runs once a second instead of one by one: on SQLite each single write makes the next task's
    request fail with 503 and wait two seconds (28 duties: 25 s; batched: 0.7 s).
    """
    return {
        "PREFECT_HOME": str(home.resolve()),
        "PREFECT_API_URL": api_url,
        "PREFECT_API_AUTH_STRING": auth,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_LOGGING_LEVEL": "ERROR",
        "PREFECT_LOGGING_TO_API_ENABLED": "false",
        "PREFECT_CLIENT_MAX_RETRIES": "1",
        "PREFECT_API_REQUEST_TIMEOUT": "5",
        "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "false",
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
        # A run that a worker begins before its time holds a place and the memory of a process, and does nothing.
        "PREFECT_WORKER_PREFETCH_SECONDS": "1",
        "PREFECT_WORKER_QUERY_SECONDS": "5",
        "PREFECT_SERVER_CONCURRENCY_INITIAL_DEPLOYMENT_LEASE_DURATION": "60",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "200",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
        "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_BATCH_SIZE": "500",
        "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_FLUSH_INTERVAL": "1",
    }


def auth_of(settings: Settings, signer: Signer) -> str:
    """«user:password» that the API of a server for several machines asks for: what its address holds, or derived from
    the signing key."""
    within = urlsplit(settings.prefect_api_url).netloc.rpartition("@")[0]
    return unquote(within) or f"dondoc:{signer.secret('prefect')[:32]}"


def kept_auth(key: Path) -> str:
    """«user:password» that the server beside ``serve`` asks for, from its file; empty before it was first started."""
    return key.read_text() if key.exists() else ""


def listener_uids(table: str, port: int) -> frozenset[int]:
    """Whose sockets listen at a port, by a table like ``/proc/net/tcp`` (proc_pid_net(5))."""
    rows = (line.split() for line in table.splitlines()[1:])
    return frozenset(int(row[7]) for row in rows if row[3] == LISTENS and int(row[1].rpartition(":")[2], 16) == port)


def listeners(port: int) -> frozenset[int]:
    """The users who listen at a port of this machine; none where there is no ``/proc``."""
    tables = [path.read_text() for path in map(Path, ("/proc/net/tcp", "/proc/net/tcp6")) if path.exists()]
    return frozenset().union(*(listener_uids(each, port) for each in tables))


def is_ours(port: int) -> bool:
    """Whether this process's user listens at a port of this machine, and nobody else."""
    return listeners(port) == {os.geteuid()}


def answers(api_url: str, timeout: float = 1.0) -> bool:
    """True if a Prefect API responds at ``api_url``, and not a proxy's page; ``timeout`` in seconds."""
    try:
        answer = httpx.get(f"{api_url}/health", timeout=timeout, trust_env=False)
    except (httpx.HTTPError, httpx.InvalidURL):
        return False
    return answer.is_success and answer.content == b"true"


SILENT, NOT_PREFECT = 0, -1


def status_for(api_url: str, auth: str = "", timeout: float = 1.0) -> int:
    """The status with which the API answers a question to somebody with this string, or to a stranger; ``SILENT`` if it
    does not answer in time, ``NOT_PREFECT`` if what answers is something else. Raises nothing."""
    try:
        with prefect_client(api_url, auth, timeout) as http:
            answer = http.get("/admin/version")
            return NOT_PREFECT if answer.is_success and not isinstance(answer.json(), str) else answer.status_code
    except ValueError:
        return NOT_PREFECT
    except (httpx.HTTPError, httpx.InvalidURL):
        return SILENT


def installed() -> bool:
    """Prefect may be taken away, with the sixty-five packages that it alone needs."""
    try:
        return importlib.util.find_spec("prefect") is not None
    except ModuleNotFoundError:
        return False


def require_installed() -> None:
    """Raises Unavailable."""
    if not installed():
        raise Unavailable(MISSING)


class PrefectServer:
    """The server as a child process, started again when it ends. ``start`` returns immediately; the server needs 7–11 s
    until it responds. ``auth``: «user:password» that it asks for; empty: made at each start. ``key``: where that is
    kept. ``days``: for which it keeps events and runs, a quarter of reports."""

    def __init__(self, home: Path, port: int, auth: str = "", days: int = 90) -> None:
        self.home, self.port, self.days, self._given = home, port, days, auth
        self.key, self.api_url = home / "key", f"http://127.0.0.1:{port}/api"
        self._kept = KeptProcess("The Prefect server", self._begin, STOP_TIMEOUT_SECONDS)

    @property
    def auth(self) -> str:
        return self._given or kept_auth(self.key)

    @property
    def _pid_file(self) -> Path:
        return self.home / "server.pid"

    def start(self) -> None:
        """Start the server; one that was left by a process that was killed is ended first. Where another user listens
        at the port there is none."""
        if listeners(self.port) - {os.geteuid()}:
            log.error("Prefect is not started: port %d is another user's", self.port)
            return
        self._end_left()
        self.home.mkdir(parents=True, exist_ok=True)
        atomic_write(self.key, (self._given or f"dondoc:{secrets.token_hex(16)}").encode(), 0o600)
        self._kept.start()
        log.info("Prefect is starting at %s", self.api_url)

    def stop(self) -> None:
        self._kept.stop()
        self._pid_file.unlink(missing_ok=True)

    def _begin(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(self.port)]
        with (self.home / "server.log").open("ab") as output:
            child = subprocess.Popen(
                command,
                env=self._environment(),
                cwd=self.home,  # Prefect reads the .env of its working folder: not the office's
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._pid_file.write_text(str(child.pid))
        return child

    def _environment(self) -> dict[str, str]:
        given = {name: value for name, value in os.environ.items() if name in KEPT or name.startswith(KEPT_PREFIXES)}
        pages = (f"http://127.0.0.1:{self.port}", f"http://localhost:{self.port}")
        return {
            **given,
            **environment(self.home, self.api_url, self.auth),
            "PREFECT_SERVER_API_AUTH_STRING": self.auth,
            "PREFECT_SERVER_API_CORS_ALLOWED_ORIGINS": ",".join(pages),
            "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
            "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": str(self.days * DAY_SECONDS),
            "PREFECT_SERVER_EVENTS_RETENTION_PERIOD": f"P{self.days}D",
            # Its pages are unpacked where it may write; by default beside its code, where a service may not.
            "PREFECT_SERVER_UI_STATIC_DIRECTORY": str((self.home / "ui").resolve()),
            # The newer pages have each reader's browser ask amplitude.com, whatever the settings of analytics say.
            "PREFECT_SERVER_UI_V2_ENABLED": "false",
            "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        }

    def _end_left(self) -> None:
        with contextlib.suppress(OSError, ValueError):  # there is none
            pid = int(self._pid_file.read_text())
            if b"prefect" in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.killpg(pid, signal.SIGTERM)
                until = time.monotonic() + STOP_TIMEOUT_SECONDS
                while is_alive(pid) and time.monotonic() < until:
                    time.sleep(0.1)
                os.killpg(pid, signal.SIGKILL)


def run_worker(pool: str, settings: Mapping[str, str], prefect: Mapping[str, str], runs: int) -> int:
    """Run a worker of a pool until it ends or this process is told to stop. Returns its exit code. ``settings``:
    variables for its flow runs, which begin in a folder of their own where no ``.env`` lies; ``prefect``: its own
    (``environment``); ``runs``: how many it has at once, a process each.

    A worker that gets SIGTERM kills its flow runs without a word (SIGKILL), as if the machine had lost its power. Here
    they are told first and settle what is on the wire, while the worker stands still and can begin no new one."""
    command = [sys.executable, "-m", "prefect", "worker", "start", "--type", "process", "--pool", pool]
    command += ["--limit", str(runs)]
    # Begun by a script with «&» this process ignores SIGINT, and a worker that inherits that never ends.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    child_environment = {**os.environ, **settings, **prefect}
    worker = subprocess.Popen(command, env=child_environment, start_new_session=True)

    def stop(*_: object) -> None:
        worker.send_signal(signal.SIGSTOP)
        runs = descendants(worker.pid)
        for pid in runs:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        until = time.monotonic() + SETTLE_TIMEOUT_SECONDS
        while time.monotonic() < until and any(is_alive(pid) for pid in runs):
            time.sleep(0.05)
        worker.send_signal(signal.SIGTERM)
        worker.send_signal(signal.SIGCONT)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    return worker.wait()


def descendants(root: int) -> list[int]:
    """The processes that a process has started, and theirs. Where there is no ``/proc``: none."""
    children: dict[int, list[int]] = {}
    for each in Path("/proc").glob("[0-9]*"):
        if (found := _state_and_parent(int(each.name))) is not None:
            children.setdefault(found[1], []).append(int(each.name))
    all_of_them: list[int] = []
    left = [root]
    while left:
        mine = children.get(left.pop(), [])
        all_of_them += mine
        left += mine
    return all_of_them


def is_alive(pid: int) -> bool:
    """True for a process that has not ended; one that only waits to be reaped has."""
    found = _state_and_parent(pid)
    return found is not None and found[0] != "Z"


def _state_and_parent(pid: int) -> tuple[str, int] | None:
    try:
        state, parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
    except OSError:
        return None
    return state, int(parent)
