"""How many of all cases a run takes: a rotating part in ``make test``, every one in ``make deep``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")
DEEP = os.environ.get("DONDOC_TEST_EXAMPLES") == "deep"


def part(cases: Sequence[T], turn: int, of: int) -> Sequence[T]:
    """Every ``of``-th case, beginning with another one each ``turn``: ``of`` turns together take all of them."""
    return cases if DEEP else cases[turn % of :: of]
