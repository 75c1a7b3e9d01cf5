"""The product without one of its cures, to show that a run finds what it is for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from unittest.mock import patch

import notifications.settlement
from engine.assignments import due_work
from engine.store.high_water import HighWater
from workflows.run import clock_guard


class Cure(StrEnum):
    """``LEASES``: they are judged by the database's clock, and ``GUARD``: no machine sends that is off it. ``START``: a
    clock is not believed because its machine has just started, and ``SILENCE``: nor after a working day without a sign
    of any. ``MARK``: an older database is held."""

    LEASES = "leases"
    GUARD = "guard"
    START = "start"
    SILENCE = "silence"
    MARK = "mark"


def _own_clock(dialect: str, moment: Any) -> Any:
    return moment


def _a_week_missed(latest: datetime, now: datetime, calendar: Any) -> bool:
    return now - latest > timedelta(days=7)


_UNGUARDED = (clock_guard, "_off_database", lambda database, wall: False)
SWITCHED_OFF: dict[Cure, tuple[tuple[Any, str, Any], ...]] = {
    Cure.LEASES: (
        (notifications.settlement, "lease_clock", _own_clock),
        (due_work, "lease_clock", _own_clock),
        _UNGUARDED,
    ),
    Cure.GUARD: (_UNGUARDED,),
    Cure.START: ((clock_guard, "judge", lambda readings, reading, last_event, calendar: None),),
    Cure.SILENCE: ((clock_guard, "_working_day_missed", _a_week_missed),),
    Cure.MARK: ((HighWater, "observe", lambda self, database, now: False),),
}


@contextmanager
def without(cure: Cure) -> Iterator[None]:
    with ExitStack() as stack:
        for owner, name, there in SWITCHED_OFF[cure]:
            stack.enter_context(patch.object(owner, name, there))
        due_work._statement.cache_clear()  # it is built once, with the clock of a lease
        yield
    due_work._statement.cache_clear()
