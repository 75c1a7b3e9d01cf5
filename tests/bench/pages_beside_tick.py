"""How long a page takes while a tick sends 10,000 letters in a thread of the same process, as under ``dondoc serve``:
SQLite, a relay on loopback that answers at once. Python's own interval between threads, that of ``serve`` and others
take turns in the same tick; beside them, the page alone.

    python -m tests.bench.pages_beside_tick [--due 10000]
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import threading
import time
from pathlib import Path

import httpx

from config.settings import Settings
from engine.accounts.signed_links import Signer
from engine.application.app import make_app
from engine.http.app_context import AppContext
from engine.store.database import Database
from tests.bench import ground
from tests.bench.ours import NOW, office, tick
from tests.bench.province_server import KEY
from tests.bench.smtp_sink import Sink
from workflows.server import SWITCH_SECONDS

PAGE = "/agencies/agency-17"
STORED, IN_TURN, ALONE = 20_000, 8, 100
INTERVALS_MS = (5.0, SWITCH_SECONDS * 1000, 0.2)


def said(name: str, spent: list[float]) -> None:
    spent.sort()
    at = [spent[len(spent) * percent // 100] * 1000 for percent in (50, 95, 99)]
    print(f"{name:8} {len(spent):>5} pages  p50 {at[0]:6.1f}  p95 {at[1]:6.1f}  p99 {at[2]:6.1f} ms", flush=True)


async def compare(client: httpx.AsyncClient, database: Database, port: int, due: int) -> None:
    async def asked() -> float:
        began = time.perf_counter()
        assert (await client.get(PAGE)).status_code == 200
        return time.perf_counter() - began

    said("alone", [await asked() for _ in range(ALONE)][10:])
    spent: dict[float, list[float]] = {each: [] for each in INTERVALS_MS}
    took: list[float] = []
    ticking = threading.Thread(target=lambda: took.append(tick(database, office(port), due)))
    ticking.start()
    while ticking.is_alive():
        for interval in INTERVALS_MS:
            sys.setswitchinterval(interval / 1000)
            spent[interval] += [await asked() for _ in range(IN_TURN)]
    for interval, each in spent.items():
        said(f"{interval:.1f} ms", each)
    print(f"the tick: {took[0]:.1f} s for {due:,} letters")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--due", type=int, default=10_000)
    due = parser.parse_args().due
    with tempfile.TemporaryDirectory() as folder, ground.sqlite(Path(folder), STORED) as database, Sink() as sink:
        ground.make_due(database, STORED, due)
        settings = Settings(_env_file=None, data_dir=Path(folder), secret=KEY)  # type: ignore[call-arg]
        app = make_app(
            AppContext(database=database, clock=lambda: NOW, signer=Signer(KEY), settings=settings, open_desk=True)
        )

        async def asking() -> None:
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
                await compare(client, database, sink.port, due)

        asyncio.run(asking())


if __name__ == "__main__":
    main()
