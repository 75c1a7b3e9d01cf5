"""Here a new SQLite file takes every step of the schema."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ground.databases import real_migrations


@pytest.fixture(autouse=True)
def migrated_step_by_step() -> Iterator[None]:
    with real_migrations():
        yield
