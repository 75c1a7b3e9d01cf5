"""The thread of long work tells its result or its error to who waits."""

from __future__ import annotations

import pytest

from engine.http.long_work import LongWork


def test_a_result_is_told() -> None:
    assert LongWork().start(lambda: 3).result(5) == 3


def test_an_error_is_told() -> None:
    def fails() -> None:
        raise TimeoutError("the work's own")

    with pytest.raises(TimeoutError, match="own"):
        LongWork().start(fails).result(5)
