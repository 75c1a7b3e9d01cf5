"""What ``serve`` does besides its pages: the heartbeat, in the process of the pages or in one of its own.

Apart, a reader does not wait while ten thousand letters are rendered, and letters do not wait for readers; what either
does is in the database, so neither asks the other anything. The pages' process starts the other and starts it again
when it dies; the other ends when its standard input does, so that it outlives nobody.

    python -m workflows.serving.sending SECONDS     by ``SendingProcess`` alone; between ticks
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import subprocess
import sys
import threading
import time

from config.settings import Settings, read_settings
from notifications.delivery import release_kept
from workflows.run.prefect_mark import observe_in_prefect
from workflows.run.system import Running, System, compose
from workflows.serving.heartbeat import Heartbeat, Projecting
from workflows.serving.process import ServiceManager, configure_logging, few_arenas
from workflows.serving.runs import run_audit, run_inbound, run_tick, run_webhooks

log = logging.getLogger(__name__)
TICK_SECONDS = 20
"""How soon what is due is done; a tick with nothing to do costs a few statements."""
STOP_SECONDS = 20
"""A process that was told to stop settles what is on the wire."""
LONGEST_PAUSE_SECONDS = 60
STEADY_SECONDS = 60
"""One that ran for so long is started again at once."""


class Sending:
    """The heartbeat in a thread of this process."""

    def __init__(self, system: System, tick_seconds: int = TICK_SECONDS) -> None:
        settings, running, manager = system.settings, Running(system, _release_kept), ServiceManager.of(os.environ)
        self._system = system
        self._heartbeat = Heartbeat(
            tick=lambda: run_tick(running()),
            audit=lambda: run_audit(system, self._heartbeat.hanging()),
            seconds=tick_seconds,
            inbound=lambda: run_inbound(running()),
            webhooks=lambda: run_webhooks(running()),
            projection=Projecting(system).run if settings.prefect else None,
            alive=lambda: manager.tell_alive(f"http://{_own_host(settings.host)}:{settings.port}/readyz"),
            alive_seconds=manager.sign_seconds,
        )

    def start(self) -> None:
        _release_kept(self._system)
        self._heartbeat.start()

    def stop(self) -> None:
        """No further letter is offered; those on the wire get a few seconds."""
        self._system.delivery.stop.set()
        self._heartbeat.stop()


class SendingProcess:
    """The same as a child process, for as long as this one lives."""

    def __init__(self, settings: Settings, tick_seconds: int = TICK_SECONDS) -> None:
        chosen = {name: str(getattr(settings, name)) for name in ("host", "port", "prefect")}
        # The signs of life that systemd waits for come from there, and need that the pages answer.
        ours = {name: value for name, value in os.environ.items() if name != "WATCHDOG_PID"}
        self._environment = {**ours, **{f"DONDOC_{name.upper()}": value for name, value in chosen.items()}}
        self._command = [sys.executable, "-m", "workflows.serving.sending", str(tick_seconds)]
        self._child: subprocess.Popen[bytes] | None = None
        self._stopped = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="sending", daemon=True)

    def start(self) -> None:
        self._begin()
        self._keeper.start()

    def stop(self) -> None:
        self._stopped.set()
        child = self._child
        if child is None:
            return
        child.terminate()
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        self._keeper.join()

    def _begin(self) -> None:
        self._child = subprocess.Popen(self._command, env=self._environment, stdin=subprocess.PIPE)

    def _keep(self) -> None:
        """Wait for its end and begin it again; the sooner it ended, the later."""
        pause = 0.0
        while self._child is not None:
            began = time.monotonic()
            code = self._child.wait()
            if self._stopped.is_set():
                return
            steady = time.monotonic() - began > STEADY_SECONDS
            pause = 0.0 if steady else min(max(pause * 2, 1.0), LONGEST_PAUSE_SECONDS)
            log.error("The process that sends ended with %s; it is started again in %.0f s", code, pause)
            if self._stopped.wait(pause):
                return
            self._begin()


def _own_host(host: str) -> str:
    """Where this machine reaches the pages: an address that stands for all of them is not one to call."""
    here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"[{here}]" if ":" in here else here


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
    observe_in_prefect(system)
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
