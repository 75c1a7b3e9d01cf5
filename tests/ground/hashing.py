"""Passwords are hashed with the least that argon2 allows; processes of their own hash as in production.

A hash costs 25 ms with the product's parameters, and a run makes and checks some hundreds: the tests of sign-in, passes
and commands take 16.6 s of processor time with this, 19.5 without. The parameters are asserted in
tests/integration/engine/accounts, with ``real_hashing``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher

from engine.accounts import passwords

REAL = passwords._hasher
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def hash_cheaply() -> None:
    _use(CHEAP)


@contextmanager
def real_hashing() -> Iterator[None]:
    """The product's parameters, for the block."""
    _use(REAL)
    try:
        yield
    finally:
        _use(CHEAP)


def _use(hasher: PasswordHasher) -> None:
    passwords._hasher = hasher
    passwords._dummy_hash.cache_clear()
