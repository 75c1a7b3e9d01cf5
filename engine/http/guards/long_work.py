"""Work that takes longer than a reader should wait for an answer: it goes on in a thread, and the page says so.

Nothing is kept outside this process: on another one the same address begins the same work again, which is why only work
that may be done twice is given here, as is work whose second time changes nothing. What it writes, it writes in one
transaction, so a process that is killed leaves nothing half.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

PATIENCE_SECONDS = 1.0
"""How long an answer waits for the work before it says that it goes on."""
KEPT_SECONDS = 300.0


@dataclass
class _Work:
    """``about``: what its page needs to show the result. ``seen``: a page has shown it, so it is not joined again."""

    began: float
    about: Any = None
    future: Future[Any] = field(default_factory=Future)
    seen: bool = False


class LongWork:
    """Begun once by its key; whoever asks again joins it. ``patience``: in seconds."""

    def __init__(self, patience: float = KEPT_SECONDS) -> None:
        self.patience = patience
        self._works: dict[Hashable, _Work] = {}
        self._lock = threading.Lock()

    def run(self, key: Hashable, act: Callable[[], Any], about: Any = None) -> tuple[bool, Any]:
        """(whether it is done, its result). Raises what the work raised."""
        with self._lock:
            self._forget_old()
            work = self._works.get(key)
            if work is None or work.seen:
                work = self._works[key] = _Work(time.monotonic(), about)
                threading.Thread(target=_do, args=(work.future, act), daemon=True).start()
        return self._outcome(key, work)

    def running(self, key: Hashable) -> float | None:
        """For how many seconds the work has been going on; None when it is done or was never begun."""
        work = self._works.get(key)
        return None if work is None or work.future.done() else time.monotonic() - work.began

    def about(self, key: Hashable) -> Any:
        """What was given with the work; None when it was never begun here, or ended long ago."""
        work = self._works.get(key)
        return None if work is None else work.about

    def result(self, key: Hashable) -> Any:
        """The result of work that is done, which stays for a while, so that its page can be opened again. Raises what
        the work raised, and KeyError for work that is not known."""
        work = self._works[key]
        work.seen = True
        return work.future.result(0)

    def _outcome(self, key: Hashable, work: _Work) -> tuple[bool, Any]:
        try:
            result = work.future.result(self.patience)
        except TimeoutError:
            if not work.future.done():
                return False, None
            raise
        finally:
            if work.future.done():
                self._works.pop(key, None)
        return True, result

    def _forget_old(self) -> None:
        """Finished work that nobody came back for."""
        for key, work in list(self._works.items()):
            if work.future.done() and time.monotonic() - work.began > KEPT_SECONDS:
                del self._works[key]


def _do(future: Future[Any], act: Callable[[], Any]) -> None:
    try:
        future.set_result(act())
    except Exception as error:  # noqa: BLE001 - told to whoever waits
        future.set_exception(error)
