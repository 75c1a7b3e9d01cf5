"""Where the tests find things, wherever a test file lies."""

from __future__ import annotations

from pathlib import Path

TESTS = Path(__file__).parents[1]
DATA = TESTS / "data"
ROOT = TESTS.parent
CONFIG = ROOT / "config"
