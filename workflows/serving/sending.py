"""What ``serve`` does besides its pages: the heartbeat, in the process of the pages or in one of its own.

Apart, a reader does not wait while ten thousand letters are rendered, and letters do not wait for readers; what either
does is in the database, so neither asks the other anything. The pages' process starts the other and starts it again
when it dies; the other ends when its standard input does, so that it outlives nobody.

    python -m workflows.serving.sending SECONDS     by ``sending_process`` alone; between ticks
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable

from config.settings import Settings, read_settings
from engine.store import machines
from notifications.delivery import release_kept
from workflows.run.installation import MARK_SECONDS, observe_in_mailbox
from workflows.run.prefect_server import KeptProcess
from workflows.run.system import Running, System, compose
from workflows.serving.heartbeat import Heartbeat, Projecting, own_host
from workflows.serving.process import ServiceManager, configure_logging, few_arenas
from workflows.serving.runs import run_audit, run_inbound, run_tick, run_webhooks

log = logging.getLogger(__name__)
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
