"""How many of all cases a run takes: a rotating part in ``make test``, every one in ``make deep``.

A test or a parameter that is marked ``deep`` runs in ``make deep`` alone.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeVar

import pytest

T = TypeVar("T")
DEEP = os.environ.get("DONDOC_TEST_EXAMPLES") == "deep"


def part(cases: Sequence[T], turn: int, of: int) -> Sequence[T]:
    """Every ``of``-th case, beginning with another one each ``turn``: ``of`` turns together take all of them."""
    return cases if DEEP else cases[turn % of :: of]


def on_one_database(kind: str) -> pytest.MarkDecorator:
    """For a test of ``url`` or ``database``: in ``make test`` on ``"sqlite"`` or ``"postgres"``, in ``make deep`` on
    both; where what differs between them is shown by another test."""
    both = [
        pytest.param(
            each, marks=[*([pytest.mark.postgres] * (each == "postgres")), *([pytest.mark.deep] * (each != kind))]
        )
        for each in ("sqlite", "postgres")
    ]
    return pytest.mark.parametrize("url", both, indirect=True)
