"""The relay's rate over all machines: a global concurrency limit of Prefect whose slots decay, made by ``dondoc prefect
deploy``. Each process keeps to ``DONDOC_SMTP_PER_MINUTE`` by itself as well; where Prefect does not answer, or has no
such limit, that alone holds, and letters go on."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

from workflows.projection.prefect_api import prefect_client

log = logging.getLogger(__name__)
LIMIT = "dondoc-relay"
ASK_SECONDS = 2.0
BUSY_SECONDS, MOST_BUSY = 0.5, 10
"""A busy server (its SQLite is locked) answers 503: it is asked again so long later, so often in a row."""
SILENT_SECONDS = 60.0
"""After no answer: for so long it is not asked again."""
MOST_WAIT_SECONDS = 100.0
"""A letter waits no longer, whatever Prefect says: it is leased for a time."""


def slots_of(per_minute: int) -> tuple[int, float]:
    """Slots of the limit, two seconds' worth, and how many are free again in a second."""
    return max(1, per_minute // 30), per_minute / 60


@dataclass(kw_only=True)
class PrefectRate:
    """One a process; any event loop. ``at_once``: slots that are taken by one call."""

    api_url: str
    auth: str
    at_once: int = 1
    clock: Callable[[], float] = time.monotonic
    transport: httpx.BaseTransport | None = None
    _taken: int = 0
    _ask_again_at: float = 0.0
    _silent_until: float = 0.0
    _busy: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _http: httpx.Client | None = None

    async def wait(self) -> None:
        """Until a letter may leave. Raises nothing."""
        until = self.clock() + MOST_WAIT_SECONDS
        while True:
            pause, left = await asyncio.to_thread(self._take), until - self.clock()
            if pause <= 0 or left <= 0:
                return
            await asyncio.sleep(min(pause, left))

    def _take(self) -> float:
        """0: a letter may leave; else seconds until it is to be asked again."""
        with self._lock:
            if self._taken:
                self._taken -= 1
                return 0.0
            if self.clock() < self._silent_until:
                return 0.0
            if (pause := self._ask_again_at - self.clock()) > 0:
                return pause
            return self._ask()

    def _ask(self) -> float:
        body = {"names": [LIMIT], "slots": self.at_once, "mode": "rate_limit"}
        try:
            answer = self._client().post("/v2/concurrency_limits/increment", json=body)
            if answer.status_code == httpx.codes.LOCKED:
                return self._pause(float(answer.headers["retry-after"]))
            if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE and self._busy < MOST_BUSY:
                self._busy += 1
                return self._pause(BUSY_SECONDS)
            if not answer.raise_for_status().json():
                raise ValueError("there is no such limit")
        except (httpx.HTTPError, ValueError, KeyError) as error:
            log.warning("the relay's rate is this process's own for a minute: %s", error or type(error).__name__)
            self._silent_until = self.clock() + SILENT_SECONDS
            return 0.0
        self._taken, self._busy = self.at_once - 1, 0
        return 0.0

    def _pause(self, seconds: float) -> float:
        self._ask_again_at = self.clock() + seconds
        return seconds

    def _client(self) -> httpx.Client:
        if self._http is None:
            self._http = prefect_client(self.api_url, self.auth, ASK_SECONDS, self.transport)
            weakref.finalize(self, self._http.close)
        return self._http
