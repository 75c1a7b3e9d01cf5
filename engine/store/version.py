"""Which version of the program this is, and which schema it needs."""

from __future__ import annotations

import math
import re
from importlib import metadata
from pathlib import Path

OLDEST = (0, 0, 0, 0.0)
MIGRATIONS = Path(__file__).with_name("migrations") / "versions"


def version() -> str:
    """``0.2.0``, or ``0.2.0.dev12+g2c1b653a`` between two releases; the build took it from git (setup.py)."""
    return metadata.version("dondoc")


def newest_schema() -> str:
    """The last step of the schema that this version knows, as ``0114``."""
    return max((step.name.partition("_")[0] for step in MIGRATIONS.glob("[0-9]*_*.py")), default="")


def version_line(language: str) -> str:
    """``0.2.0, schema 0114``; ``language``: vi or en."""
    return f"{version()}, {'lược đồ' if language == 'vi' else 'schema'} {newest_schema()}"


def age_of(written: str) -> tuple[int, int, int, float]:
    """To be compared: ``0.2.0.dev12+g2c1b653a`` comes before ``0.2.0``. What is no version is the oldest."""
    found = re.match(r"(\d+)\.(\d+)\.(\d+)(?:\.dev(\d+))?", written)
    if found is None:
        return OLDEST
    major, minor, patch, commits = found.groups()
    return int(major), int(minor), int(patch), float(commits or math.inf)
