"""Python's own hook at the start of a process: with this folder on its path the product's processes, which are not
changed otherwise, read a clock that runs fast (``crash.fast_clock``) and look for work as often as that needs."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType, SimpleNamespace
from typing import Any

FILE, SPEED = os.environ.get("FAST_CLOCK", ""), float(os.environ.get("FAST_SPEED", "1"))
LEAST_SECONDS = 0.4


def read() -> tuple[float, float]:
    """Seconds since 1970 by the fast clock, and by how much this machine's wall clock is wrong."""
    with open(FILE, encoding="ascii") as file:
        at, seen, speed, error = map(float, file.read().split())
    return at + (time.monotonic() - seen) * speed, error


def wall() -> datetime:
    at, error = read()
    return datetime.fromtimestamp(at + error, UTC)


def _clock(module: Any) -> None:
    module.system_clock = wall


def _guard(module: Any) -> None:
    """The machine's own time goes on with the fast clock, whatever its wall clock says."""
    module.time = SimpleNamespace(clock_gettime=lambda _: read()[0], CLOCK_BOOTTIME=time.CLOCK_BOOTTIME)


def _heartbeat(module: Any) -> None:
    usual = module.Heartbeat.__init__

    def begun(self: Any, jobs: Any) -> None:
        usual(self, {name: (job, max(every / SPEED, LEAST_SECONDS)) for name, (job, every) in jobs.items()})

    module.Heartbeat.__init__ = begun


def _delivery(module: Any) -> None:
    """A lease is ten real seconds, in which a letter leaves."""
    usual = module.DeliveryContext.__init__

    def begun(self: Any, **given: Any) -> None:
        usual(self, **{"lease": timedelta(seconds=10 * SPEED)} | given)

    module.DeliveryContext.__init__ = begun


CHANGED: dict[str, Callable[[Any], None]] = {
    "engine.store.clock": _clock,
    "notifications.delivery": _delivery,
    "workflows.run.clock_guard": _guard,
    "workflows.serving.heartbeat": _heartbeat,
}


class _Changing(PathFinder):
    """Finds modules as usual, and changes four of them as soon as they are loaded."""

    @classmethod
    def find_spec(
        cls, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = super().find_spec(fullname, path, target) if fullname in CHANGED else None
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                load(module)
                CHANGED[fullname](module)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


if FILE:
    sys.meta_path.insert(0, _Changing)
