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
from notifications import delivery, settlement
from notifications.letters.renderer import LetterRenderer

PHASES = ("sweep", "claim", "facts", "render", "mime", "send", "settle", "rest")
WITHIN = ("render", "mime")
"""Phases inside ``send``, subtracted from it afterwards."""
WATCHED: tuple[tuple[str, Any, str], ...] = (
    ("sweep", engine.assignments.escalation, "run_escalations"),
    ("claim", settlement, "claim"),
    ("facts", delivery, "gather"),
    ("render", LetterRenderer, "render"),
    ("mime", notifications.email.smtp, "compose"),
    ("send", delivery._Batch, "send"),
    ("settle", settlement, "settle"),
)


@dataclass
class Watch:
    """Seconds by phase, and (recipient, message) of each composed message; filled while the block runs. ``first``:
    seconds until the relay has answered for the first letter; ``cpu`` and ``first_cpu``: processor seconds of this
    process, in all and until then."""

    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PHASES, 0.0))
    messages: list[tuple[str, bytes]] = field(default_factory=list)
    first: float = 0.0
    first_cpu: float = 0.0
    cpu: float = 0.0


@contextmanager
def watched() -> Iterator[Watch]:
    watch = Watch()
    kept = [(owner, name, getattr(owner, name)) for _, owner, name in WATCHED]
    attempt = delivery._attempt
    start, processor = time.perf_counter(), time.process_time()

    async def first(*args: Any) -> Any:
        outcome = await attempt(*args)
        if not watch.first:
            watch.first, watch.first_cpu = time.perf_counter() - start, time.process_time() - processor
        return outcome

    for phase, owner, name in WATCHED:
        setattr(owner, name, _timed(phase, getattr(owner, name), watch))
    setattr(delivery, "_attempt", first)  # noqa: B010 - as the others above
    try:
        yield watch
    finally:
        setattr(delivery, "_attempt", attempt)  # noqa: B010
        watch.cpu = time.process_time() - processor
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
