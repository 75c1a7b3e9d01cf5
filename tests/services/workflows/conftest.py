"""A Prefect server is started from a database that is kept from one run of the tests to the next."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import pytest


@pytest.fixture(scope="package")
def migrated(pytestconfig: pytest.Config) -> Path:
    """Where this version's empty Prefect database is kept, once a server has made it: its 100 migrations take half of
    the processor time of a start."""
    assert pytestconfig.cache is not None
    return pytestconfig.cache.mkdir("prefect") / f"{version('prefect')}.db"
