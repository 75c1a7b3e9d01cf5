"""Mappings keyed by an enum: complete, or an error when the module is imported."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TypeVar

K = TypeVar("K")
T = TypeVar("T")


def complete(keys: Iterable[K], mapping: Mapping[K, T], *, but: Collection[K] = ()) -> Mapping[K, T]:
    """The mapping itself. ``keys``: an enum, or all values of a literal. Raises TypeError if one of them has no entry
    and is not among ``but``, those for which none is meant, or if the mapping has another entry. Write
    ``WORDS = complete(Role, {…})``: a new role then stops at import."""
    meant = {key for key in keys if key not in but}
    missing, idle = meant - mapping.keys(), mapping.keys() - meant
    if missing or idle:
        names = ", ".join(sorted(map(repr, missing or idle)))
        of = getattr(keys, "__name__", type(keys).__name__)
        raise TypeError(f"{of}: {'no entry for' if missing else 'an entry though none is meant for'} {names}")
    return mapping
