"""Long work waits for its turn; its thread tells its result or its error to who waits."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from engine.errors import Busy, TooOften
from engine.http.long_work import LongWork, Turns

NOW = datetime(2021, 6, 24, tzinfo=UTC)


def test_a_result_is_told() -> None:
    assert LongWork().start(lambda: 3, Turns().ask("account:1", NOW)).result(5) == 3


def test_an_error_is_told() -> None:
    def fails() -> None:
        raise TimeoutError("the work's own")

    with pytest.raises(TimeoutError, match="own"):
        LongWork().start(fails, Turns().ask("account:1", NOW)).result(5)


def test_of_one_person_one_works_and_one_waits_and_another_person_does_not_wait_for_them() -> None:
    turns = Turns(places=2)
    first, second = turns.ask("account:1", NOW), turns.ask("account:1", NOW)
    with pytest.raises(Busy):
        turns.ask("account:1", NOW)
    other, third = turns.ask("account:2", NOW), turns.ask("account:3", NOW)
    assert [first.begin(), second.begin(), other.begin(), third.begin()] == [True, False, True, False]
    first.end()
    assert [third.begin(), second.begin()] == [True, False]
    other.end()
    assert second.begin()


def test_an_hour_s_work_of_one_person_is_counted() -> None:
    turns = Turns(hourly=2)
    for _ in range(2):
        turns.ask("account:1", NOW).end()
    with pytest.raises(TooOften):
        turns.ask("account:1", NOW)
    turns.ask("account:2", NOW)
