"""What the heartbeat writes of a job that fails."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from workflows.serving.heartbeat import logging_errors


def faults(*said: str) -> Iterator[str]:
    yield from said


def test_a_fault_that_lasts_is_told_once_whole_and_then_counted(caplog: pytest.LogCaptureFixture) -> None:
    left = faults("disk full", "disk full", "disk full", "", "disk full", "locked")

    def job() -> None:
        if said := next(left):
            raise OSError(said)

    run = logging_errors("tick", job)
    for _ in range(6):
        run()
    told = [(record.getMessage().split(":")[0], record.exc_info is not None) for record in caplog.records]
    first, again = ("tick failed; it will be tried again at the next run", True), "tick failed again, {} times now"
    assert told == [first, (again.format(2), False), (again.format(3), False), first, first]
