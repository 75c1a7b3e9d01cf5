"""Mappings keyed by an enum: complete, or an error when the module is imported."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import Enum
from typing import TypeVar

E = TypeVar("E", bound=Enum)
T = TypeVar("T")


def complete(kind: type[E], mapping: Mapping[E, T], *, but: Collection[E] = ()) -> Mapping[E, T]:
    """The mapping itself. Raises TypeError if a member of ``kind`` has no entry and is not among ``but``, the members
    for which none is meant. Write ``WORDS = complete(Role, {…})``: a new role then stops at import."""
    missing = [member for member in kind if member not in mapping and member not in but]
    idle = [member for member in but if member in mapping]
    if missing or idle:
        names = ", ".join(map(repr, missing or idle))
        raise TypeError(
            f"{kind.__name__}: {'no entry for' if missing else 'an entry though none is meant for'} {names}"
        )
    return mapping
