"""Pages of plan 188 alone (demonstration data, SQLite): processor time of this process, beside the same statements on
the bare driver.

    python -m tests.bench.pages [--times 100]
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import event

from config.settings import DemoSettings
from engine.accounts.signed_links import Signer
from engine.application.app import make_app
from engine.http.app_context import AppContext
from engine.store.database import Database
from tests.bench.province_server import KEY
from workflows.run.system import System, compose
from workflows.simulation.demo import Example, prepare

PAGES = ("/", "/?plan=1", "/overdue", "/agencies/ubnd-huyen-yen-thanh", "/leadership", "/year?year=2021")
Statement = tuple[str, Any]


def listened(database: Database) -> list[Statement]:
    """Filled with the statements and parameters that are sent to the database from now on."""
    sent: list[Statement] = []
    event.listen(
        database.bind, "before_cursor_execute", lambda _c, _k, sql, given, _x, _many: sent.append((sql, given))
    )
    return sent


def bare(path: Path, sent: Sequence[Statement], times: int) -> float:
    """Median ms of processor time of the statements on one kept connection."""
    spent = []
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for _ in range(times):
            began = time.process_time()
            for sql, given in sent:
                connection.execute(sql, given).fetchall()
            spent.append(time.process_time() - began)
    return statistics.median(spent) * 1000


async def measure(system: System, path: Path, times: int) -> None:
    app = make_app(
        AppContext(
            database=system.database, clock=system.clock, signer=Signer(KEY), settings=system.settings, open_desk=True
        )
    )
    sent = listened(system.database)
    gc.collect()
    gc.freeze()  # as ``serve`` does
    print("page                     ours ms  statements  the same on the bare driver  ratio    KB")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
        for page in PAGES:
            spent = []
            for _ in range(times):
                sent.clear()
                began = time.process_time()
                answer = await client.get(page)
                spent.append(time.process_time() - began)
                assert answer.status_code == 200, (page, answer.status_code)
            ours = statistics.median(spent[times // 10 :]) * 1000
            alone = bare(path, [(sql, given) for sql, given in sent if "BEGIN" not in sql], times)
            size = len(answer.content) / 1024
            print(
                f"{page:<24} {ours:>7.2f} {len(sent):>11} {alone:>28.2f} {ours / alone:>6.1f} {size:>5.0f}", flush=True
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=100)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dondoc-bench-") as folder:
        settings = DemoSettings(_env_file=None, data_dir=Path(folder), secret=KEY)  # type: ignore[call-arg]
        system = compose(settings)
        prepare(system, Example.NGHE_AN_2021)
        asyncio.run(measure(system, Path(str(system.database.url.database)), options.times))


if __name__ == "__main__":
    main()
