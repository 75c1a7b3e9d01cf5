"""One tick in a process of its own, without Prefect: prints MiB when ready, and MiB at most.

python -m tests.bench.peak DATABASE_URL RELAY_PORT DUE
"""

from __future__ import annotations

import sys
from pathlib import Path

from engine.store.database import Database
from tests.bench.ours import office, tick


def peak() -> float:
    """The most that this process ever had in memory. Not getrusage's figure, which a parent's can hide in."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def main() -> None:
    url, port, due = sys.argv[1:]
    database, post_office = Database(url), office(int(port))
    before = peak()
    tick(database, post_office, int(due))
    assert not any(name.startswith("prefect") for name in sys.modules)
    print(before, peak())


if __name__ == "__main__":
    main()
