"""The product as it is started: ``dondoc serve`` alone, or pages and a Prefect worker with its two deployments."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import httpx
from ground.serving import DONDOC, free_port

from workflows.prefect_server import PrefectServer, answers, descendants, environment, is_alive

POOL = "dondoc"


class Form(Protocol):
    """What is struck. ``address``: where its pages answer. ``pids``: its processes that write to the database.
    ``senders``: how many of them may have letters on the wire."""

    @property
    def address(self) -> str: ...
    @property
    def runs(self) -> bool: ...
    @property
    def pids(self) -> list[int]: ...
    @property
    def senders(self) -> int: ...
    def start(self) -> None: ...
    def strike(self, how: signal.Signals) -> float: ...
    def end(self) -> None: ...


@dataclass
class Serve:
    """``dondoc serve`` on a free port. ``settings``: its environment variables."""

    folder: Path
    settings: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None
    address: str = ""

    def start(self) -> None:
        port = free_port()
        self.address = f"http://127.0.0.1:{port}"
        self.process = _begin(
            [DONDOC, "serve", "--no-prefect", "--port", str(port)], self.folder, self.settings, "serve"
        )

    @property
    def runs(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def strike(self, how: signal.Signals) -> float:
        """Send the signal. Returns the seconds until the process has ended."""
        assert self.process is not None
        began = time.monotonic()
        self.process.send_signal(how)
        self.process.wait(60)
        return time.monotonic() - began

    def end(self) -> None:
        if self.process is not None:
            _kill(self.process)

    @property
    def pids(self) -> list[int]:
        return [self.process.pid] if self.process is not None else []

    @property
    def senders(self) -> int:
        return 1


@dataclass
class Workers:
    """``count`` Prefect workers on the deployments that ``dondoc prefect deploy`` registers. Killed are the workers
    with their flow runs, as when a machine loses its power; the server stays."""

    folder: Path
    settings: Mapping[str, str]
    server: PrefectServer
    count: int = 1
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @classmethod
    @contextmanager
    def on_a_server(
        cls, folder: Path, settings: Mapping[str, str], count: int = 1, every: int = 10
    ) -> Iterator[Workers]:
        """A server with the deployments registered, a run ``every`` seconds, by the commands of the manual."""
        port = free_port()
        server = PrefectServer(folder / "prefect", port)
        server.start()
        try:
            wait_until(lambda: answers(server.api_url), 120)
            asked = {**settings, "DONDOC_PREFECT_API_URL": server.api_url}
            words = [DONDOC, "prefect", "deploy", "--pool", POOL, "--every", str(every)]
            done = subprocess.run(
                words, env=os.environ | asked, cwd=folder, capture_output=True, text=True, timeout=120, check=False
            )
            assert done.returncode == 0, done.stderr
            told = dict(re.findall(r"^export (\w+)='?([^'\n]*)'?$", done.stdout, re.M))
            mine = {**told, **asked, **environment(server.home, server.api_url), "PREFECT_WORKER_QUERY_SECONDS": "1"}
            yield cls(folder, mine, server, count)
        finally:
            server.stop()

    def start(self) -> None:
        words = [DONDOC, "prefect", "worker", "--pool", POOL]
        self.workers = [_begin(words, self.folder, self.settings, "worker") for _ in range(self.count)]

    @property
    def address(self) -> str:
        return ""

    @property
    def runs(self) -> bool:
        return bool(self.workers) and all(each.poll() is None for each in self.workers)

    def strike(self, how: signal.Signals) -> float:
        """SIGKILL: workers and flow runs, as of a machine that loses its power. SIGTERM: the workers alone; they pass
        it on. Returns the seconds until the last has ended."""
        began, runs = time.monotonic(), [pid for each in self.workers for pid in descendants(each.pid)]
        if how is signal.SIGKILL:
            self.end()
        for each in self.workers:
            if each.poll() is None:
                each.send_signal(how)
            each.wait(60)
        wait_until(lambda: not any(is_alive(pid) for pid in runs), 60)
        return time.monotonic() - began

    def end(self) -> None:
        for each in self.workers:
            _kill(each)

    @property
    def pids(self) -> list[int]:
        return [pid for each in self.workers for pid in descendants(each.pid)]

    @property
    def senders(self) -> int:
        """Flow runs; each has connections of its own."""
        return sum(_runs(pid, b"prefect.engine") for pid in self.pids)

    def api(self) -> httpx.Client:
        return httpx.Client(base_url=self.server.api_url, timeout=10)

    def flow_runs(self) -> list[Any]:
        with self.api() as http:
            return list(http.post("/flow_runs/filter", json={"sort": "START_TIME_ASC", "limit": 200}).json())


def _begin(words: list[Any], folder: Path, settings: Mapping[str, str], name: str) -> subprocess.Popen[bytes]:
    with (folder / f"{name}.log").open("ab") as output:
        return subprocess.Popen(
            words,
            env=os.environ | dict(settings),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def _runs(pid: int, module: bytes) -> bool:
    try:
        return module in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the process and what it has started."""
    for pid in [process.pid, *descendants(process.pid)]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait(30)


def wait_until(done: Any, seconds: float) -> bool:
    """True once ``done()`` is; False after ``seconds``."""
    began = time.monotonic()
    while not done():
        if time.monotonic() - began > seconds:
            return False
        time.sleep(0.05)
    return True
