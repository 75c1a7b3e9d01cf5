"""What ``serve`` does besides its pages: the heartbeat, in the process of the pages or in one of its own; and what
systemd is told: that the service is ready, that it stops, and, within ``WatchdogSec``, that it still lives.

A datagram to ``NOTIFY_SOCKET`` (sd_notify(3)); elsewhere than under systemd nothing is sent. The sign of life is a job
of the heartbeat and is left out while the pages do not answer a question that needs what every page needs, a thread of
the web server and the database: a process whose scheduler, web server or threads hang is ended and begun again. A
database or relay that is away is not among the reasons: that is an answer, and a restart would not bring it back.

The log of ``dondoc serve``: lines for people, or one JSON object a line (DONDOC_LOG=json).

How a process that lives for weeks keeps its memory small.

The listening socket of the web server.

Apart, a reader does not wait while ten thousand letters are rendered, and letters do not wait for readers; what either
does is in the database, so neither asks the other anything. The pages' process starts the other and starts it again
when it dies; the other ends when its standard input does, so that it outlives nobody.

    python -m workflows.serving.sending SECONDS     by ``sending_process`` alone; between ticks
"""

from __future__ import annotations

import ctypes
import gc
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx

from config.settings import Settings, read_settings
from engine.errors import BadInput
from engine.http.guards.request_limits import REQUEST_ID, access
from engine.store import machines
from engine.text import Text
from notifications.delivery import release_kept
from workflows.run.installation import MARK_SECONDS, observe_in_mailbox
from workflows.run.prefect_server import KeptProcess
from workflows.run.system import Running, System, compose
from workflows.serving.heartbeat import Heartbeat, Projecting, own_host
from workflows.serving.runs import run_audit, run_inbound, run_tick, run_webhooks

log = logging.getLogger(__name__)
READY, STOPPING, ALIVE = "READY=1", "STOPPING=1", "WATCHDOG=1"
SIGNS_PER_PERIOD = 3
ANSWER_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class ServiceManager:
    """``address``: of its socket, empty where there is none. ``watchdog_seconds``: after so long without a sign of life
    it ends the service; 0: never."""

    address: str = ""
    watchdog_seconds: float = 0.0

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> ServiceManager:
        """From the variables that systemd sets for its service's main process."""
        address, pid = environment.get("NOTIFY_SOCKET", ""), environment.get("WATCHDOG_PID", "")
        ours = address and pid in ("", str(os.getpid()))
        return cls(address, int(environment.get("WATCHDOG_USEC", 0)) / 1e6 if ours else 0.0)

    @property
    def sign_seconds(self) -> float:
        """How often it wants a sign of life; 0: not at all."""
        return self.watchdog_seconds / SIGNS_PER_PERIOD

    def tell(self, state: str) -> None:
        if not self.address:
            return
        address = "\0" + self.address[1:] if self.address.startswith("@") else self.address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagram:
                datagram.sendto(state.encode(), address)
        except OSError as error:
            log.warning("systemd is not told %s: %s", state, error)

    def tell_alive(self, page: str) -> None:
        """``page``: an address of our own; whatever it answers is a sign of life."""
        try:
            httpx.get(page, timeout=ANSWER_SECONDS, trust_env=False)
        except httpx.HTTPError as error:
            log.error("our own pages do not answer (%s): systemd is told nothing", type(error).__name__)
            return
        self.tell(ALIVE)


NOISY = ("apscheduler", "httpx", "httpcore")


class JsonLines(logging.Formatter):
    """at, level, logger, message; request, where one is served; the facts that the line was given; error."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request_id := REQUEST_ID.get():
            line["request"] = request_id
        facts = getattr(record, "facts", None)
        if isinstance(facts, dict):
            line |= facts
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def configure_logging(style: str) -> None:
    """``style``: text or json. Requests are logged one by one in JSON alone; a proxy logs them otherwise."""
    handler = logging.StreamHandler()
    text = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    handler.setFormatter(JsonLines() if style == "json" else text)
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    access.setLevel(logging.INFO if style == "json" else logging.WARNING)
    for noisy in NOISY:
        logging.getLogger(noisy).setLevel(logging.WARNING)


M_ARENA_MAX = -8
"""Of mallopt(3)."""
ARENAS = 2


def few_arenas() -> None:
    """Before the first thread: glibc gives each an arena of its own, eight a processor, and they keep what was freed.
    Python runs one thread at a time, so two do as well: a province's pages hold 198 MiB after 16 requests at once, with
    arenas for all 235. Processes that this one starts are told by their environment. Where the C library is another,
    nothing is done."""
    os.environ.setdefault("MALLOC_ARENA_MAX", str(ARENAS))
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_ARENA_MAX, ARENAS)


def listen_at(host: str, port: int) -> socket.socket:
    """A bound TCP socket; port 0 picks a free one. Raises BadInput if the address is not available.

    The protocol IPPROTO_TCP is given explicitly: asyncio sets TCP_NODELAY only on such sockets. Otherwise a response in
    two parts waits for the client's delayed acknowledgement: 40 ms a page.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise BadInput(
            Text(
                f"Không mở được {host}:{port} ({error.strerror}); chọn cổng khác bằng --port.",
                f"{host}:{port} cannot be opened; choose another with --port.",
            )
        ) from None
    return listener


TICK_SECONDS = 20
"""How soon what is due is done; a tick with nothing to do costs a few statements."""
AUDIT_SECONDS, INBOUND_SECONDS, MACHINE_SECONDS, PROJECTION_SECONDS = 300, 60, 60, 5
STOP_SECONDS = 20
"""A process that was told to stop settles what is on the wire."""


class Sending:
    """The heartbeat in a thread of this process."""

    def __init__(self, system: System, tick_seconds: int = TICK_SECONDS) -> None:
        settings, running, manager = system.settings, Running(system, _release_kept), ServiceManager.of(os.environ)
        self._system, self._running, self._looked = system, running, False
        self._ticked = threading.Event()
        jobs: dict[str, tuple[Callable[[], None], float]] = {
            "tick": (self._tick, tick_seconds),
            "audit": (self._audit, AUDIT_SECONDS),
            "inbound": (lambda: run_inbound(running()), INBOUND_SECONDS),
            "webhooks": (lambda: run_webhooks(running()), tick_seconds),
        }
        if not settings.demo:
            jobs["machine"] = self._say, MACHINE_SECONDS
        if settings.prefect:
            jobs["projection"] = Projecting(system).run, PROJECTION_SECONDS
        if manager.sign_seconds:
            page = f"http://{own_host(settings.host)}:{settings.port}/readyz"
            jobs["alive"] = lambda: manager.tell_alive(page), manager.sign_seconds
        self._heartbeat = Heartbeat(jobs)

    def start(self) -> None:
        _release_kept(self._system)
        self._heartbeat.start()

    def _tick(self) -> None:
        if not self._looked:  # before the first letter
            observe_in_mailbox(self._system, MARK_SECONDS)
            self._looked = True
        try:
            run_tick(self._running())
        finally:
            self._ticked.set()

    def _audit(self) -> None:
        self._ticked.wait(AUDIT_SECONDS)  # what lay here at the start is no finding before the first tick has seen it
        run_audit(self._system, self._heartbeat.hanging())

    def _say(self) -> None:
        hanging = {"passes_hang": self._heartbeat.hanging()}
        machines.say(self._system.database, self._system.clock(), self._system.machine, hanging)

    def stop(self) -> None:
        """No further letter is offered; those on the wire get a few seconds."""
        self._system.delivery.stop.set()
        self._heartbeat.stop()


def sending_process(settings: Settings, tick_seconds: int = TICK_SECONDS) -> KeptProcess:
    """The same as a child process, for as long as this one lives."""
    chosen = {name: str(getattr(settings, name)) for name in ("host", "port", "prefect")}
    # The signs of life that systemd waits for come from there, and need that the pages answer.
    ours = {name: value for name, value in os.environ.items() if name != "WATCHDOG_PID"}
    environment = {**ours, **{f"DONDOC_{name.upper()}": value for name, value in chosen.items()}}
    command = [sys.executable, "-m", "workflows.serving.sending", str(tick_seconds)]

    def begin() -> subprocess.Popen[bytes]:
        return subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, start_new_session=True)

    return KeptProcess("The process that sends", begin, STOP_SECONDS)


def _release_kept(system: System) -> None:
    """Letters that were kept on this machine leave once a relay is set."""
    if system.settings.smtp_host and not system.settings.demo:
        release_kept(system.database, system.clock())


def main() -> None:
    """Until SIGTERM, SIGINT, or the end of standard input: whoever holds its other end has ended."""
    few_arenas()
    told = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: told.set())
    settings = read_settings()
    configure_logging(settings.log)
    system = compose(settings)
    system.observe()
    sending = Sending(system, int(sys.argv[1]))
    threading.Thread(target=_wait_for_the_other_end, args=[told], daemon=True).start()
    gc.freeze()  # objects made at start-up live for ever
    sending.start()
    try:
        told.wait()
    finally:
        sending.stop()
        system.database.dispose()


def _wait_for_the_other_end(told: threading.Event) -> None:
    os.read(0, 1)  # not by sys.stdin, whose lock the interpreter needs at its end: it aborted
    told.set()


if __name__ == "__main__":
    main()
