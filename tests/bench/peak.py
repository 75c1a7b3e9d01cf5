"""Memory of one tick in its own process, without Prefect: prints MiB before the tick, and peak MiB.

python -m tests.bench.peak DATABASE_URL RELAY_PORT DUE
"""

from __future__ import annotations

import sys
from pathlib import Path

from engine.store.database import Database
from tests.bench.ours import office, tick


def peak() -> float:
    """Peak resident memory of this process in MiB. Not from getrusage, which may include the parent's."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def main() -> None:
    url, port, due = sys.argv[1:]
    database, delivery = Database(url), office(int(port))
    before = peak()
    tick(database, delivery, int(due))
    assert not any(name.startswith("prefect") for name in sys.modules)
    print(before, peak())


if __name__ == "__main__":
    main()
