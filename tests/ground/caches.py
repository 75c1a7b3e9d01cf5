"""How much the caches of our packages hold (``functools``): one that grows with each view is a leak."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

CACHE = type(lru_cache(lambda: None))
OURS = ("config", "engine", "notifications", "workflows")


def entries() -> dict[str, int]:
    """The entries of each cache of the modules that are loaded, by module and name."""
    return {name: cached.cache_info().currsize for name, cached in _caches()}


def _caches() -> Iterator[tuple[str, Any]]:
    """Of modules and of their classes."""
    for place, module in list(sys.modules.items()):
        if place.partition(".")[0] in OURS:
            named: list[tuple[str, Mapping[str, Any]]] = [(place, vars(module))]
            named += [(f"{place}.{n}", vars(each)) for n, each in vars(module).items() if isinstance(each, type)]
            for where, names in named:
                yield from ((f"{where}.{n}", each) for n, each in names.items() if isinstance(each, CACHE))
