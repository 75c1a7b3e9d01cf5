"""Where a tick's time goes: stopwatches around the functions that a tick is made of. For benchmarks alone."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import notifications.smtp
from notifications import delivery
from notifications.letters import Stationery
from workflows import passes

PHASES = ("sweep", "claim", "facts", "render", "mime", "send", "settle", "rest")
# Phase -> whose attribute to time. ``send`` holds ``render`` and ``mime``, which are taken off it afterwards.
WATCHED: tuple[tuple[str, Any, str], ...] = (
    ("sweep", passes, "act"),
    ("claim", delivery, "_claim"),
    ("facts", delivery, "gather"),
    ("render", Stationery, "render"),
    ("mime", notifications.smtp, "compose"),
    ("send", delivery, "_send_all"),
    ("settle", delivery, "_settle"),
)


@contextmanager
def watched() -> Iterator[dict[str, float]]:
    """Seconds by phase, filled in while the block runs."""
    spent = dict.fromkeys((phase for phase, _, _ in WATCHED), 0.0)
    kept = [(owner, name, getattr(owner, name)) for _, owner, name in WATCHED]
    for phase, owner, name in WATCHED:
        setattr(owner, name, _timed(phase, getattr(owner, name), spent))
    try:
        yield spent
    finally:
        for owner, name, original in kept:
            setattr(owner, name, original)
        spent["send"] -= spent["render"] + spent["mime"]


def _timed(phase: str, function: Callable[..., Any], spent: dict[str, float]) -> Callable[..., Any]:
    @functools.wraps(function)
    def plain(*args: Any, **more: Any) -> Any:
        start = time.perf_counter()
        try:
            return function(*args, **more)
        finally:
            spent[phase] += time.perf_counter() - start

    @functools.wraps(function)
    async def waiting(*args: Any, **more: Any) -> Any:
        start = time.perf_counter()
        try:
            return await function(*args, **more)
        finally:
            spent[phase] += time.perf_counter() - start

    return waiting if phase == "send" else plain
