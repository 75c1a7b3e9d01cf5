"""What it costs to show assignments in Prefect, and to follow what people do with them.

    PYTHONPATH=tests python -m tests.bench.projection [--assignments 1000 10000] [--changes 200]

A run for each, on a server of its own with SQLite; by the projector of ``serve``, one call at a time. Memory is the
largest of this process, and what the server's process holds at the end.
"""

from __future__ import annotations

import argparse
import resource
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
from crash.campaign import communes
from crash.forms import wait_until
from ground.databases import closing_database
from ground.factory import at, begin, do, item, plan_file, rows, store
from ground.serving import AUTH, free_port

from engine.rules.situation import Action
from engine.store.records import Assignment
from workflows.projection.projector import Projected, Projector
from workflows.run.prefect_server import PrefectServer, answers

NOW = at("2021-04-07")
DUTIES = 10


def shown(picture: Projector) -> Projected:
    """All that is to be shown, pass after pass; a pass that a busy server refuses is made again, as by ``serve``."""
    runs = calls = 0
    while True:
        try:
            done = picture.run(NOW)
        except httpx.HTTPError:
            time.sleep(1)
            continue
        runs, calls = runs + done.runs, calls + done.calls
        if not done.runs:
            return Projected(runs=runs, calls=calls)


def memory(pid: int) -> float:
    """MiB of a process."""
    line = next(each for each in Path(f"/proc/{pid}/status").read_text().splitlines() if each.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def project(assignments: int, changes: int) -> None:
    with TemporaryDirectory() as name, ExitStack() as stack:
        database = stack.enter_context(closing_database(f"sqlite:///{name}/dondoc.db"))
        database.upgrade()
        items = tuple(item(n, "cac-huyen") for n in range(1, DUTIES + 1))
        plan = plan_file(urgency="khan", items=items)
        begin(store(database, now=NOW, plan=plan, bodies=communes(assignments // DUTIES)), now=NOW)
        server = PrefectServer(Path(name) / "prefect", free_port(), AUTH)
        server.start()
        stack.callback(server.stop)
        wait_until(lambda: answers(server.api_url), 120)
        picture = Projector(
            database=database,
            api_url=server.api_url,
            auth=AUTH,
            installation="bench",
            base_url="http://127.0.0.1",
            most=10**9,
            own_clock=True,
        )
        began = time.monotonic()
        made = shown(picture)
        seconds = time.monotonic() - began
        for row in rows(database, Assignment)[:changes]:
            do(database, Action.ACKNOWLEDGE, row.id, now=NOW)
        began = time.monotonic()
        changed = shown(picture)
        after = time.monotonic() - began
        pid = int((server.home / "server.pid").read_text())
        print(
            f"{made.runs} shown in {seconds:.0f} s, {1000 * seconds / made.runs:.0f} ms and "
            f"{made.calls / made.runs:.2f} calls each; {changed.runs} changed in {after:.1f} s, "
            f"{1000 * after / changed.runs:.0f} ms and {changed.calls / changed.runs:.2f} calls each; at most "
            f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB, the server {memory(pid):.0f} MiB",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--assignments", type=int, nargs="*", default=[1000, 10_000])
    parser.add_argument("--changes", type=int, default=200)
    asked = parser.parse_args()
    for count in asked.assignments:
        project(count, asked.changes)


if __name__ == "__main__":
    main()
