"""Work that takes long is begun once, joined by who asks again, and its result or error is told once."""

from __future__ import annotations

import threading

import pytest

from engine.http.guards.long_work import LongWork


def test_what_is_quick_is_answered_at_once() -> None:
    assert LongWork(5).run("a", lambda: 3) == (True, 3)


def test_what_takes_long_goes_on_and_is_joined_by_its_key() -> None:
    gate, begun = threading.Event(), []

    def act() -> str:
        begun.append(1)
        gate.wait(10)
        return "done"

    work = LongWork(0.01)
    assert work.run("year", act) == (False, None)
    assert work.run("year", act) == (False, None)
    assert (work.running("year") or 0) > 0
    gate.set()
    work.patience = 10
    assert work.run("year", act) == (True, "done")
    assert begun == [1]
    assert work.running("year") is None


def test_an_error_is_raised_to_who_waits_and_the_work_may_be_begun_again() -> None:
    work = LongWork(5)

    def fails() -> None:
        raise TimeoutError("the work's own")

    with pytest.raises(TimeoutError, match="own"):
        work.run("a", fails)
    assert work.run("a", lambda: 1) == (True, 1)
