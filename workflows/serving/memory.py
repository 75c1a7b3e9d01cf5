"""How a process that lives for weeks keeps its memory small."""

from __future__ import annotations

import ctypes
import os

M_ARENA_MAX = -8
"""Of mallopt(3)."""
ARENAS = 2


def few_arenas() -> None:
    """Before the first thread: glibc gives each an arena of its own, eight a processor, and they keep what was freed.
    Python runs one thread at a time, so two do as well: a province's pages hold 198 MiB after 16 requests at once, with
    arenas for all 235. Processes that this one starts are told by their environment. Where the C library is another,
    nothing is done."""
    os.environ.setdefault("MALLOC_ARENA_MAX", str(ARENAS))
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_ARENA_MAX, ARENAS)
