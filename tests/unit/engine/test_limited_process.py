"""What strangers wrote is worked on in a child that is stopped in time; the next call finds a new one."""

from __future__ import annotations

import operator
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed

import pytest

from engine.errors import BadInput, Busy
from engine.limited_process import MAX_MESSAGE_BYTES, CallFailed, LimitedProcess, LimitExceeded
from engine.rules.vietnamese import require_visible


@pytest.fixture(scope="module")
def process() -> Iterator[LimitedProcess]:
    process = LimitedProcess()
    yield process
    process.close()


def test_a_result_comes_back(process: LimitedProcess) -> None:
    assert process.call(5.0, require_visible, "Sở Y tế") == "Sở Y tế"


def test_what_never_ends_is_stopped_and_the_next_call_works(process: LimitedProcess) -> None:
    with pytest.raises(LimitExceeded):
        process.call(0.1, time.sleep, 3600.0)
    assert process.call(5.0, operator.add, 1, 2) == 3


def test_one_call_waits_for_another_and_a_third_is_refused_at_once(process: LimitedProcess) -> None:
    """Each that waits holds a thread of the web server: forty did, and for a quarter of an hour there was no page."""
    with ThreadPoolExecutor(8) as threads:
        calls = [threads.submit(process.call, 5.0, time.sleep, 1.0) for _ in range(8)]
        refused = [call.exception() for call in as_completed(calls)]
    assert [type(each) for each in refused] == [Busy] * 6 + [type(None)] * 2
    assert process.call(5.0, operator.add, 1, 2) == 3


def test_what_computes_too_long_is_stopped_by_its_own_time(process: LimitedProcess) -> None:
    with pytest.raises(LimitExceeded):
        process.call(0.1, sum, range(10**12))
    assert process.call(5.0, operator.add, 1, 2) == 3


def test_time_in_which_others_have_the_processor_does_not_count(process: LimitedProcess) -> None:
    assert process.call(0.2, time.sleep, 0.4) is None


def test_more_memory_than_allowed_is_an_error_and_not_the_machine_s(process: LimitedProcess) -> None:
    with pytest.raises(CallFailed, match="MemoryError"):
        process.call(5.0, operator.mul, "a", 5_000_000_000)


def test_a_result_too_long_to_take_back_is_none(process: LimitedProcess) -> None:
    with pytest.raises(LimitExceeded):
        process.call(5.0, operator.mul, "a", MAX_MESSAGE_BYTES)


def test_our_own_refusals_and_other_errors_are_told_apart(process: LimitedProcess) -> None:
    with pytest.raises(BadInput, match="direction-changing"):
        process.call(5.0, require_visible, "Sở\u202e")
    with pytest.raises(CallFailed, match="ZeroDivisionError"):
        process.call(5.0, operator.truediv, 1, 0)
