"""What the heartbeat writes of a job that fails."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.errors import Unavailable
from engine.text import Text
from workflows.serving.heartbeat import logging_errors


def faults(*said: str) -> Iterator[str]:
    yield from said


def told(caplog: pytest.LogCaptureFixture) -> list[tuple[str, bool]]:
    return [(record.getMessage().split(":")[0], record.exc_info is not None) for record in caplog.records]


FIRST, AGAIN = "tick failed; it will be tried again at the next run", "tick failed again, {} times now"


def test_a_fault_that_lasts_is_told_once_whole_and_then_counted(caplog: pytest.LogCaptureFixture) -> None:
    left = faults(*["disk full"] * 9, "", "disk full", "locked")

    def job() -> None:
        if said := next(left):
            raise OSError(said)

    run = logging_errors("tick", job)
    for _ in range(12):
        run()
    counted = [(AGAIN.format(times), False) for times in (2, 4, 8)]
    assert told(caplog) == [(FIRST, True), *counted, (FIRST, True), (FIRST, True)]


def test_what_we_say_ourselves_has_no_traceback_and_is_one_fault_however_it_is_worded(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """PostgreSQL away for two minutes wrote 893 lines and 19 tracebacks."""
    left = faults("refused", "starting up", "terminating", "refused")

    def job() -> None:
        raise Unavailable(Text.same(next(left)))

    run = logging_errors("tick", job)
    for _ in range(4):
        run()
    assert told(caplog) == [(FIRST, False), (AGAIN.format(2), False), (AGAIN.format(4), False)]
    assert "refused" in caplog.records[0].getMessage()
