"""Time of the phases of a tick, measured by wrapping their functions. Only for benchmarks."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import engine.assignments.escalation
import notifications.email.smtp
from notifications import delivery
from notifications.letters.renderer import LetterRenderer

PHASES = ("sweep", "claim", "facts", "render", "mime", "send", "settle", "rest")
WITHIN = ("render", "mime")
"""Phases inside ``send``, subtracted from it afterwards."""
WATCHED: tuple[tuple[str, Any, str], ...] = (
    ("sweep", engine.assignments.escalation, "run_escalations"),
    ("claim", delivery, "_claim"),
    ("facts", delivery, "gather"),
    ("render", LetterRenderer, "render"),
    ("mime", notifications.email.smtp, "compose"),
    ("send", delivery._Batch, "send"),
    ("settle", delivery, "settle"),
)


@dataclass
class Watch:
    """Seconds by phase, and (recipient, message) of each composed message; filled while the block runs."""

    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PHASES, 0.0))
    messages: list[tuple[str, bytes]] = field(default_factory=list)


@contextmanager
def watched() -> Iterator[Watch]:
    watch = Watch()
    kept = [(owner, name, getattr(owner, name)) for _, owner, name in WATCHED]
    start = time.perf_counter()
    for phase, owner, name in WATCHED:
        setattr(owner, name, _timed(phase, getattr(owner, name), watch))
    try:
        yield watch
    finally:
        seconds = watch.seconds
        for owner, name, original in kept:
            setattr(owner, name, original)
        seconds["rest"] = time.perf_counter() - start - sum(seconds[phase] for phase in PHASES if phase not in WITHIN)
        seconds["send"] -= sum(seconds[phase] for phase in WITHIN)


def _timed(phase: str, function: Callable[..., Any], watch: Watch) -> Callable[..., Any]:
    spent = watch.seconds

    @functools.wraps(function)
    def plain(*args: Any, **more: Any) -> Any:
        start = time.perf_counter()
        try:
            made = function(*args, **more)
        finally:
            spent[phase] += time.perf_counter() - start
        if phase == "mime":
            watch.messages.append((args[0].to, made[1]))
        return made

    @functools.wraps(function)
    async def waiting(*args: Any, **more: Any) -> Any:
        start = time.perf_counter()
        try:
            return await function(*args, **more)
        finally:
            spent[phase] += time.perf_counter() - start

    return waiting if phase == "send" else plain
