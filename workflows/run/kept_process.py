"""A child process that is started again when it ends, for as long as this process lives."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable

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
