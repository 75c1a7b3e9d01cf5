"""Acting on what is due by one, two and four processes on PostgreSQL, in batches of owners as the tasks of workers do.

PYTHONPATH=tests python -m tests.bench.acting [--processes 1 2 4] [--communes 1000]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from datetime import datetime

from crash.campaign import communes
from ground.databases import closing_database, postgres_database
from ground.factory import at, begin, item, plan_file, store
from ground.postgres import Ground

from engine.assignments import escalation
from engine.errors import Unavailable
from engine.store.database import Database
from workflows.run import passes

NOW = at("2021-04-07")
DUTIES = 10


def act(url: str, now: datetime, first: float) -> dict[str, float]:
    """What one process did. ``first``: where in the batches it begins, from 0 to 1."""
    database, seen, again = Database(url), 0, 0
    print("ready", flush=True)
    sys.stdin.readline()
    began = time.monotonic()
    with database.read() as session:
        batches = escalation.due_batches(session, now, passes.ESCALATION_BATCH_ROWS)
    start = int(first * len(batches))
    waiting = batches[start:] + batches[:start]
    while waiting:
        try:
            seen += passes.act_on(database, now, waiting[0]).seen
            waiting.pop(0)
        except Unavailable:
            again += 1
    return {"seconds": time.monotonic() - began, "assignments": seen, "again": again}


def together(ground: Ground, count: int, many: int) -> None:
    with closing_database(postgres_database(ground, "acting")) as database:
        database.upgrade()
        plan = plan_file(urgency="khan", items=tuple(item(n, "cac-huyen") for n in range(1, DUTIES + 1)))
        begin(store(database, now=NOW, plan=plan, bodies=communes(many)), now=NOW)
        url = database.bind.url.render_as_string(hide_password=False)
        words = [sys.executable, "-m", "tests.bench.acting", "--act", url]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        mine = [subprocess.Popen([*words, str(n / count)], **pipes) for n in range(count)]  # type: ignore[call-overload]
        for each in mine:
            each.stdout.readline()
        for each in mine:
            each.stdin.write("\n")
            each.stdin.flush()
        told = [json.loads(each.communicate()[0]) for each in mine]
        seconds = max(each["seconds"] for each in told)
        shares = ", ".join(f"{each['assignments']}" for each in told)
        again = sum(each["again"] for each in told)
        total = sum(each["assignments"] for each in told)
        print(
            f"{count} processes: {total} assignments in {seconds:.1f} s ({shares}), {again} batches tried again",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, nargs="*", default=[1, 2, 4])
    parser.add_argument("--communes", type=int, default=1000)
    parser.add_argument("--act", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.act:
        print(json.dumps(act(asked.act[0], NOW, float(asked.act[1]))), flush=True)
        return
    ground = Ground.begin()
    try:
        for count in asked.processes:
            together(ground, count, asked.communes)
    finally:
        ground.stop()


if __name__ == "__main__":
    main()
