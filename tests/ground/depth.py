"""How many of all cases a run takes: a rotating part in ``make test``, every one in ``make deep``.

A test or a parameter that is marked ``deep`` runs in ``make deep`` alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeVar
from zlib import crc32

import pytest

T = TypeVar("T")
DEEP = os.environ.get("DONDOC_TEST_EXAMPLES") in ("deep", "every")


def part(cases: Sequence[T], turn: int, of: int) -> Sequence[T]:
    """Every ``of``-th case, beginning with another one each ``turn``: ``of`` turns together take all of them."""
    return cases if DEEP else cases[turn % of :: of]


def halves(items: Iterable[pytest.Item], *folders: Path) -> None:
    """Of a test with three cases or more under these folders ``make test`` takes every second, of one marked ``both``
    all; the others are marked ``deep``, so that the automatic check takes them."""
    cases: dict[str, list[pytest.Item]] = {}
    for item in items:
        whole = item.get_closest_marker("both") or item.get_closest_marker("deep")
        if hasattr(item, "callspec") and any(map(item.path.is_relative_to, folders)) and not whole:
            cases.setdefault(item.nodeid.partition("[")[0], []).append(item)
    for each in cases.values():
        for left_out in each[1::2] if len(each) > 2 else ():
            left_out.add_marker("deep")


def takes_turns(item: pytest.Item, fixtures: set[str], of: int = 2) -> None:
    """Of what one of these fixtures doubles, ``make test`` takes one half and ``make deep`` both: one test ``of`` these
    in a file with the second value, the others with the first. Not where a test says itself which, by
    ``parametrize``. Which one comes first differs from file to file, so that small files have their turn, too."""
    call = getattr(item, "callspec", None)
    doubled = sorted(fixtures & (call.params.keys() if call else set()))
    if not doubled or any(fixtures & {*_names(mark)} for mark in item.iter_markers("parametrize")):
        return
    turns = _TURNS.setdefault(item.path, {})
    rest = sorted((name, repr(value)) for name, value in call.params.items() if name not in doubled)
    turn = turns.setdefault((item.nodeid.partition("[")[0], *rest), len(turns)) + crc32(item.path.name.encode())
    for each in doubled:
        values, value = _VALUES.setdefault(each, []), call.params[each]
        if value not in values:
            values.append(value)
        if values.index(value) != int(turn % of == 0):
            item.add_marker("deep")


def _names(parametrize: pytest.Mark) -> Sequence[str]:
    names: str | Sequence[str] = parametrize.args[0]
    return names.replace(" ", "").split(",") if isinstance(names, str) else names


_TURNS: dict[Path, dict[tuple[object, ...], int]] = {}
_VALUES: dict[str, list[object]] = {}
"""The two values of each fixture, in their order: pytest's own index counts the product of all parameters."""
