"""Simulated time, and who goes on when: one runner at a time, the one whose turn comes first.

A runner is a thread that holds the only baton until it pauses, so that the product's synchronous code runs unchanged
and every run of a seed is the same. Passes that are coroutines run on a loop of their own (``run_coroutine``), whose
waiting is simulated time and whose «executor» is the loop itself.
"""

from __future__ import annotations

import asyncio
import random
import selectors
import threading
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")
_local = threading.local()


class Died(SystemExit):
    """This process was killed: a SystemExit, since nothing may catch it and go on."""


class Ended(SystemExit):
    """The simulation has ended; who still waits, leaves."""


class World:
    """``now``: seconds since the beginning, of the true time."""

    def __init__(self, seed: int, began: datetime) -> None:
        self.began = began
        self.now = 0.0
        self.dice = random.Random(seed)
        self.error: BaseException | None = None
        self._runners: list[Runner] = []
        self._back = threading.Semaphore(0)

    @property
    def true(self) -> datetime:
        return self.began + timedelta(seconds=self.now)

    def seconds_to(self, moment: datetime) -> float:
        return (moment - self.true).total_seconds()

    def add(self, name: str, live: Callable[[], None], wake: float = 0.0) -> Runner:
        runner = Runner(self, name, live, wake)
        self._runners.append(runner)
        return runner

    def run(self) -> None:
        """Until every runner has ended. Raises the first error of one of them, when all have left."""
        try:
            while (runner := self.next_runner()) is not None:
                self.now = max(self.now, runner.wake)
                runner.resume(self._back)
                if self.error is not None:
                    raise self.error
        finally:
            for runner in self._runners:
                runner.leave(self._back)

    def next_runner(self) -> Runner | None:
        waiting = [each for each in self._runners if not each.ended]
        return min(waiting, key=lambda each: each.wake, default=None)

    def hand_over(self) -> None:
        self._back.release()


class Runner:
    """Somebody who acts in the world. ``dead``: was killed, and is being cleared away."""

    def __init__(self, world: World, name: str, live: Callable[[], None], wake: float) -> None:
        self.world, self.name, self.wake = world, name, wake
        self.ended = self.dead = False
        self.place: Any = None
        """The machine on which this happens."""
        self._leaving = False
        self._live = live
        self._turn = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def pause(self, seconds: float) -> None:
        """Let whoever comes first go on; back after so many seconds."""
        self.wake = self.world.now + max(seconds, 0.0)
        if self.world.next_runner() is self:
            self.world.now = self.wake
            return
        self.world.hand_over()
        self._turn.acquire()
        if self._leaving:
            raise Ended

    def resume(self, back: threading.Semaphore) -> None:
        if self._thread.ident is None:
            self._thread.start()
        else:
            self._turn.release()
        back.acquire()

    def leave(self, back: threading.Semaphore) -> None:
        self._leaving = True
        if self._thread.ident is not None:
            if not self.ended:
                self.resume(back)
            self._thread.join()

    def _run(self) -> None:
        _local.runner = self
        try:
            self._live()
        except Ended:
            pass
        except BaseException as error:  # noqa: BLE001 - raised by ``World.run``, in its thread
            self.world.error = self.world.error or error
        finally:
            self.ended = True
            self.world.hand_over()


def current() -> Runner | None:
    """Who has the baton; None outside of a simulation, as while it is prepared."""
    return getattr(_local, "runner", None)


def run_coroutine(coroutine: Coroutine[Any, Any, T]) -> T:
    """In place of ``asyncio.run``. After a death its tasks are cleared away without touching anything."""
    runner = current()
    assert runner is not None
    loop = _Loop(runner)
    try:
        return loop.run_until_complete(coroutine)
    except Died:
        runner.dead = True
        raise
    finally:
        _clear(loop)
        loop.close()


def _clear(loop: _Loop) -> None:
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self, runner: Runner) -> None:
        self._runner, self._drift = runner, 0.0
        super().__init__(_Nothing(self))

    def time(self) -> float:
        return self._runner.world.now + self._drift

    def wait(self, seconds: float | None) -> None:
        if seconds is None:
            raise RuntimeError(f"{self._runner.name} waits for nothing that will ever come")
        if seconds <= 0:
            return
        if self._runner.dead:
            self._drift += seconds
        else:
            self._runner.pause(seconds)

    def run_in_executor(self, executor: object, function: Callable[..., Any], *arguments: Any) -> asyncio.Future[Any]:  # type: ignore[override]
        """Soon, on this loop: others that are ready go first, as beside a thread."""
        future = self.create_future()

        def run() -> None:
            if future.cancelled():
                return
            try:
                future.set_result(function(*arguments))
            except Exception as error:  # noqa: BLE001 - for whoever awaits it
                future.set_exception(error)

        self.call_soon(run)
        return future


class _Nothing(selectors.BaseSelector):
    """A selector without files: to wait is to let simulated time pass."""

    def __init__(self, loop: _Loop) -> None:
        self._loop = loop
        self._keys: dict[Any, selectors.SelectorKey] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        self._keys[fileobj] = selectors.SelectorKey(fileobj, 0, events, data)
        return self._keys[fileobj]

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._keys.pop(fileobj)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._loop.wait(timeout)
        return []

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._keys
