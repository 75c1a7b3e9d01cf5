"""What systemd is told: that the service is ready, that it stops, and, within ``WatchdogSec``, that it still lives.

A datagram to ``NOTIFY_SOCKET`` (sd_notify(3)); elsewhere than under systemd nothing is sent. The sign of life is a job
of the heartbeat and is left out while the pages do not answer a question that needs what every page needs, a thread of
the web server and the database: a process whose scheduler, web server or threads hang is ended and begun again. A
database or relay that is away is not among the reasons: that is an answer, and a restart would not bring it back.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

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
