"""The product as it is started: ``dondoc serve`` alone, or pages and a Prefect worker with its two deployments."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import Any, Protocol

import httpx
from ground.databases import closing_database
from ground.factory import rows
from ground.postgres import Ground
from ground.serving import (
    AUTH,
    DONDOC,
    ServerOfTheManual,
    free_port,
    letting_in,
    prefect_by_the_manual,
    shown,
    status,
)

from engine.store.database import Database
from engine.store.records import Pass
from engine.terms import PassName
from workflows.run.prefect_server import PrefectServer, answers, descendants, environment, is_alive

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
    """``dondoc serve`` on a free port. ``settings``: its environment variables; ``every``: seconds between ticks."""

    folder: Path
    settings: Mapping[str, str]
    every: int = 1
    process: subprocess.Popen[bytes] | None = None
    address: str = ""

    def start(self) -> None:
        port = free_port()
        self.address = f"http://127.0.0.1:{port}"
        words = [DONDOC, "serve", "--no-prefect", "--port", str(port), "--every", str(self.every)]
        self.process = _begin(words, self.folder, self.settings, "serve")

    @property
    def runs(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def is_ready(self) -> bool:
        return status(f"{self.address}/readyz") == httpx.codes.OK

    def strike(self, how: signal.Signals) -> float:
        """SIGKILL: the pages and the process that sends, as of a machine that loses its power. SIGTERM: the first,
        which tells the other. Returns the seconds until both have ended."""
        assert self.process is not None
        began, both = time.monotonic(), self.pids
        if how is signal.SIGKILL:
            _kill(self.process)
        elif self.runs:
            self.process.send_signal(how)
        self.process.wait(60)
        assert wait_until(lambda: not any(is_alive(pid) for pid in both), 60)
        return time.monotonic() - began

    def end(self) -> None:
        if self.process is not None:
            _kill(self.process)

    @property
    def pids(self) -> list[int]:
        return [self.process.pid, *descendants(self.process.pid)] if self.process is not None else []

    @property
    def senders(self) -> int:
        return 1


@dataclass
class Workers:
    """``count`` Prefect workers on the deployments that ``dondoc prefect deploy`` registers, and where wanted a
    ``serve`` whose passes rest, for the pages. Killed are the workers with their flow runs, as when a machine loses its
    power; servers and pages stay. On more servers than one each has deployments of its own, as somebody might register
    them by mistake; the workers take turns."""

    folder: Path
    settings: Sequence[Mapping[str, str]]
    servers: Sequence[PrefectServer | ServerOfTheManual]
    count: int = 1
    pages: Serve | None = None
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @classmethod
    @contextmanager
    def registered(
        cls,
        folder: Path,
        settings: Mapping[str, str],
        count: int = 1,
        *,
        every: int = 10,
        servers: int = 1,
        pages: Database | None = None,
        manual: Ground | None = None,
    ) -> Iterator[Workers]:
        """Servers with the deployments registered, a run ``every`` seconds, by the commands of the manual. ``pages``:
        what a ``serve`` beside them shows; its one pass is over before anything is due. ``manual``: one server, whose
        database is on PostgreSQL, as the manual has it in earnest."""
        with ExitStack() as stack:
            started: list[PrefectServer | ServerOfTheManual] = []
            if manual is not None:
                started.append(stack.enter_context(prefect_by_the_manual(manual, folder)))
            for number in range(0 if manual else servers):
                server = PrefectServer(folder / f"prefect-{number}", free_port(), AUTH)
                server.start()
                stack.callback(server.stop)
                started.append(server)
            for each in started:
                wait_until(partial(answers, each.api_url), 120)
            told = [_deploy(folder, settings, server, every) for server in started]
            serve = Serve(folder, settings, every=3600) if pages else None
            if serve is not None and pages is not None:
                serve.start()
                stack.callback(serve.end)
                assert wait_until(serve.is_ready, 60)
                assert wait_until(partial(_has_looked, pages), 60)
            yield cls(folder, told, started, count, serve)

    def start(self) -> None:
        words = [DONDOC, "prefect", "worker", "--pool", POOL]
        told = enumerate(islice(cycle(self.settings), self.count))
        self.workers = [_begin_worker(words, self.folder / f"worker-{n}", each) for n, each in told]

    @property
    def address(self) -> str:
        return self.pages.address if self.pages else ""

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

    def api(self, server: int = 0) -> httpx.Client:
        return httpx.Client(base_url=self.servers[server].api_url, timeout=10, auth=shown())

    def flow_runs(self, server: int = 0) -> list[Any]:
        with self.api(server) as http:
            return list(http.post("/flow_runs/filter", json={"sort": "START_TIME_ASC", "limit": 200}).json())


def _deploy(
    folder: Path, settings: Mapping[str, str], server: PrefectServer | ServerOfTheManual, every: int
) -> Mapping[str, str]:
    """Register the deployments. Returns the environment of a worker, as the command prints it."""
    asked = {**settings, "DONDOC_PREFECT_API_URL": letting_in(server.api_url)}
    words = [DONDOC, "prefect", "deploy", "--pool", POOL, "--every", str(every)]
    done = subprocess.run(
        words, env=os.environ | asked, cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    told = dict(re.findall(r"^export (\w+)='?([^'\n]*)'?$", done.stdout, re.M))
    return {**told, **asked, **environment(server.home, server.api_url, AUTH), "PREFECT_WORKER_QUERY_SECONDS": "1"}


def _begin_worker(words: list[Any], folder: Path, settings: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """As by the manual: what is ours stands in ``.env``; and by a script with «&», in which SIGINT is ignored."""
    folder.mkdir(exist_ok=True)
    ours = {name: value for name, value in settings.items() if name.startswith("DONDOC_")}
    (folder / ".env").write_text("".join(f"{name}='{value}'\n" for name, value in ours.items()))
    others = {name: value for name, value in settings.items() if name not in ours}
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return _begin(words, folder, others, "worker")
    finally:
        signal.signal(signal.SIGINT, before)


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


def _has_looked(database: Database) -> bool:
    """The first tick, of one statement, begins before the first audit; a tick with nothing due leaves no row."""
    with closing_database(database.bind.url.render_as_string(hide_password=False)) as apart:
        return any(each.finished_at for each in rows(apart, Pass, name=PassName.AUDIT))


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
