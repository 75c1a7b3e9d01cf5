"""How long letters waited from the moment they were due until a relay or gateway had accepted them.

Counted by the passes that send, once a pass, and added up in a fact, so that every process tells the same. A letter
that needed more than one attempt counts from when it was made: its first due moment is not kept.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from engine.store.database import insert_new, table
from engine.store.facts import read_as, read_fact, write_fact
from engine.store.records import Fact

FACT = "letter_waits"
BOUNDS_SECONDS = (1, 5, 15, 30, 60, 120, 300, 900, 3600, 14400, 86400)
AIM_SECONDS, AIM_SHARE = 60, 0.95
"""Of the letters of a morning so many are to be accepted so soon after they are due."""
Waits = Mapping[int, int]
"""Letters by the place of their wait in BOUNDS_SECONDS; behind the last: longer than all."""


@dataclass(frozen=True, slots=True)
class LetterWaits:
    """Since the installation began. ``seconds``: all waits together."""

    counts: Waits
    seconds: float

    def cumulative(self) -> list[tuple[str, int]]:
        """Letters that waited no longer than each bound, as Prometheus counts them."""
        total, found = 0, []
        for place, bound in enumerate((*map(str, BOUNDS_SECONDS), "+Inf")):
            total += self.counts.get(place, 0)
            found.append((bound, total))
        return found


def place(seconds: float) -> int:
    return bisect_left(BOUNDS_SECONDS, seconds)


def read_waits(session: Session) -> LetterWaits:
    return _read(read_fact(session, FACT))


def add_waits(session: Session, counts: Waits, seconds: float) -> None:
    """Of two processes the second waits, so that neither's letters are lost."""
    f = table(Fact)
    insert_new(session, Fact, [{"name": FACT, "value": "{}"}])
    before = _read(session.connection().scalar(select(f.c.value).where(f.c.name == FACT).with_for_update()))
    total = Counter(before.counts) + Counter(counts)
    value = {"counts": {str(each): number for each, number in sorted(total.items())}}
    write_fact(session, FACT, json.dumps(value | {"seconds": round(before.seconds + seconds, 3)}))


def _read(value: str | None) -> LetterWaits:
    return read_as(value, _counted, LetterWaits({}, 0.0))


def _counted(kept: Mapping[str, Any]) -> LetterWaits:
    counts = {int(each): int(number) for each, number in kept.get("counts", {}).items()}
    return LetterWaits(counts, float(kept.get("seconds", 0.0)))
