"""The API over the lived plan, as a program on the machine calls it."""

from __future__ import annotations

from pathlib import Path

import pytest
from ground.office import Office, open_office

from engine.store.database import Database


@pytest.fixture
def office(lived: Database, tmp_path: Path) -> Office:
    return open_office(lived, tmp_path)
