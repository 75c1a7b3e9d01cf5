"""Folders used by tests, independent of the location of the test file."""

from __future__ import annotations

from pathlib import Path

TESTS = Path(__file__).parents[1]
DATA = TESTS / "data"
ROOT = TESTS.parent
CONFIG = ROOT / "config"
