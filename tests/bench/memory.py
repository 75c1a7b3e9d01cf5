"""Memory of the process of the pages over many requests, with another process's reports between.

    python -m tests.bench.memory [--plans 30] [--requests 20000] [--database URL]

A province on SQLite; eight pages in turn, of ten requests one by a reader for whom it is made of what is kept, and
before every twentieth an agency reports. Prints the resident memory of the server after every tenth part.
"""

from __future__ import annotations

import argparse
import http.client
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import cycle
from pathlib import Path

from engine.store.database import Database
from tests.bench.province import PAGES, Readers, closing_database, copy, province, report_one, serving

ASKED = ("board", "overdue", "desk of a commune", "plans", "leadership", "year", "accept", "letters")


def resident(process: int) -> float:
    """MiB."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))) / 1024


def ask_many(database: Database, url: str, requests: int) -> None:
    readers = Readers(database, 16)
    with serving(url) as served, closing(http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)) as line:
        for n, page in zip(range(requests), cycle(ASKED), strict=False):
            if n % 20 == 0:
                report_one(database)
            cookies = readers.other(n % 16) if n % 10 == 0 else readers.again(n % 16)
            line.request("GET", PAGES[page], headers={"cookie": cookies})
            answer = line.getresponse()
            body = answer.read()
            if answer.status != 200:
                raise RuntimeError(f"{page}: {answer.status} {body[:300]!r}")
            if (n + 1) % (requests // 10) == 0:
                print(f"after {n + 1:,} requests: {resident(served.process):.0f} MiB", flush=True)


@contextmanager
def filled(given: str, plans: int) -> Iterator[str]:
    """The URL of a filled SQLite database: the given one, else a copy of a province made for it."""
    if given:
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="dondoc-memory-") as folder, province("", plans) as url:
        copy(url, Path(folder) / "province.db")
        yield f"sqlite:///{folder}/province.db"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plans", type=int, default=30)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--database", default="", metavar="URL", help="already filled, SQLite")
    options = parser.parse_args()
    with filled(options.database, options.plans) as url, closing_database(url) as database:
        ask_many(database, url, options.requests)


if __name__ == "__main__":
    main()
