"""Letters a second by Prefect workers beside as many plain processes, and a tick of a thousand due with and without
Prefect.

    PYTHONPATH=tests python -m tests.bench.workers [--workers 1 2 4] [--letters 4000] [--due 1000] [--rounds 3]
        [--relay 0.2] [--postgres]

A worker is ``dondoc prefect worker`` on the deployments of ``dondoc prefect deploy --every 60``: their ticks start the
runs that send. With ``--postgres`` Prefect's server is the manual's, with a database of its own. A plain process is
``dondoc once deliver``. The rate is taken between the tenth part of the letters and the ninth tenth, when all have
started; the seconds until the first letter, from when all workers are there, are given apart.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

from crash.campaign import communes, prepare, settings
from crash.forms import Workers, wait_until
from crash.relay import SlowRelay
from ground.databases import closing_database, postgres_database
from ground.factory import at, begin, plan_file, store
from ground.post import LetterBox
from ground.postgres import Ground
from ground.serving import DONDOC

from engine.store.database import Database

PATIENCE_SECONDS = 600


class Watched:
    """When the letters of a relay were taken: seconds since the start."""

    def __init__(self, relay: SlowRelay, letters: int) -> None:
        self.relay, self.letters, self.began = relay, letters, time.monotonic()
        self.at: dict[int, float] = {}
        self.thread = Thread(target=self._watch, daemon=True)
        self.thread.start()

    def _watch(self) -> None:
        marks = [1, self.letters // 10, self.letters * 9 // 10, self.letters]
        while marks:
            if len(self.relay.taken) >= marks[0]:
                self.at[marks.pop(0)] = time.monotonic() - self.began
            else:
                time.sleep(0.002)

    def rate(self) -> tuple[float, float]:
        """Seconds to the first letter, letters a second."""
        self.thread.join(PATIENCE_SECONDS)
        first, low, high, _ = self.at.values()
        return first, (self.letters * 8 // 10) / (high - low)


@contextmanager
def laid(
    ground: Ground, postgres: bool, letters: int, relay_seconds: float
) -> Iterator[tuple[Database, Path, SlowRelay]]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        url = postgres_database(ground, "workers") if postgres else f"sqlite:///{folder}/dondoc.db"
        database = stack.enter_context(closing_database(url))
        database.upgrade()
        relay = stack.enter_context(SlowRelay(seconds=(relay_seconds, relay_seconds), sample=10**9).running())
        prepare(database, letters)
        yield database, folder, relay


def plain(ground: Ground, postgres: bool, count: int, letters: int, relay_seconds: float) -> tuple[float, float]:
    with laid(ground, postgres, letters, relay_seconds) as (database, folder, relay):
        environment = os.environ | settings(database, folder, relay)
        watched = Watched(relay, letters)
        words = [DONDOC, "once", "deliver"]
        mine = [subprocess.Popen(words, env=environment, cwd=folder, stdout=subprocess.DEVNULL) for _ in range(count)]
        for each in mine:
            each.wait(PATIENCE_SECONDS)
        return watched.rate()


def by_workers(ground: Ground, postgres: bool, count: int, letters: int, relay_seconds: float) -> tuple[float, float]:
    with laid(ground, postgres, letters, relay_seconds) as (database, folder, relay):
        told, manual = settings(database, folder, relay), ground if postgres else None
        with Workers.registered(folder, told, count, every=60, manual=manual) as form:
            form.start()
            wait_until(lambda: _online(form) >= count, 60)
            found = Watched(relay, letters).rate()
            most = _at_once(form)
            form.end()
        print(f"runs that sent at once: {most}", flush=True)
        return found


def _at_once(form: Workers) -> int:
    """How many runs of «dondoc-deliver» went on at one time, at most."""
    sends = [each for each in form.flow_runs() if each["name"].startswith("dondoc-deliver 2") and each["start_time"]]
    ends = [each["end_time"] or "9" for each in sends]
    return max(
        (sum(a["start_time"] <= b["start_time"] < end for a, end in zip(sends, ends, strict=True)) for b in sends),
        default=0,
    )


def _online(form: Workers) -> int:
    with form.api() as http:
        return len(http.post("/work_pools/dondoc/workers/filter", json={}).json())


TICK = """
import asyncio, json, os, resource, sys, time
sys.path[:0] = {paths!r}
from dataclasses import replace
from config.settings import Settings
from ground.post import LetterBox, post_office
from tests.bench.workers import Timed
from workflows.run.system import compose
from workflows.serving import runs
from datetime import datetime
def office(url, box):
    given = dict(prefect=bool({api!r}), prefect_api_url={api!r}, database_url=url, secret="x" * 40)
    return replace(compose(Settings(_env_file=None, **given)), delivery=post_office(box))
box = Timed()
system, now = office({url!r}, box), datetime.fromisoformat({now!r})
if {warm!r}:
    asyncio.run(runs.tick(office({warm!r}, LetterBox()), now))
began = box.began = time.monotonic()
reports = asyncio.run(runs.tick(system, now))
seconds = time.monotonic() - began
work = sum(report.seconds for report in reports)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
told = dict(seconds=seconds, work=work, first=box.first, letters=len(box.letters), mebibytes=peak)
print(json.dumps(told), flush=True)
os._exit(0)
"""


class Timed(LetterBox):
    """``first``: seconds from ``began`` to the first letter."""

    began = first = 0.0

    async def send(self, letter: object) -> object:  # type: ignore[override]
        self.first = self.first or time.monotonic() - self.began
        return await super().send(letter)  # type: ignore[arg-type]


def tick(due: int, observed: bool, warm: bool) -> dict[str, float]:
    """A tick with so many communes due, in a process of its own; with a Prefect server beside it if ``observed``.
    ``warm``: another one went before, as in a ``serve`` that has run for a while."""
    from ground.serving import AUTH, free_port, letting_in

    from workflows.run.prefect_server import PrefectServer, answers

    with TemporaryDirectory() as name, ExitStack() as stack:
        url, now = f"sqlite:///{name}/dondoc.db", at("2021-04-07")
        database = stack.enter_context(closing_database(url))
        database.upgrade()
        begin(store(database, now=now, plan=plan_file(urgency="khan"), bodies=communes(due)), now=now)
        before = f"sqlite:///{name}/before.db" if warm else ""
        if before:
            first = stack.enter_context(closing_database(before))
            first.upgrade()
            begin(store(first, now=now, plan=plan_file(urgency="khan"), bodies=communes(2)), now=now)
        api = ""
        if observed:
            server = PrefectServer(Path(name) / "prefect", free_port(), AUTH)
            server.start()
            stack.callback(server.stop)
            wait_until(lambda: answers(server.api_url), 120)
            api = letting_in(server.api_url)
        root = Path(__file__).parents[2]
        paths = [str(root), str(root / "tests")]
        code = TICK.format(paths=paths, url=url, now=now.isoformat(), api=api, warm=before)
        done = subprocess.run([sys.executable, "-c", code], cwd=name, capture_output=True, text=True)
        assert done.stdout, done.stderr
        found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2, 4])
    parser.add_argument("--letters", type=int, default=4000)
    parser.add_argument("--relay", type=float, default=0.02, help="seconds for which the relay keeps a letter")
    parser.add_argument("--due", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=1, help="of the tick; the best is printed")
    parser.add_argument("--postgres", action="store_true")
    asked = parser.parse_args()
    kinds = [*product((False, True), (False, True) if asked.due else ())]
    taken = [(kind, tick(asked.due, *kind)) for _ in range(asked.rounds) for kind in kinds]
    for observed, warm in kinds:
        found = min((each for kind, each in taken if kind == (observed, warm)), key=lambda each: each["seconds"])
        print(
            f"tick, {'Prefect' if observed else 'plain':7}, {'warm' if warm else 'cold'}: "
            f"{found['letters']} letters in {found['seconds']:.2f} s, of it passes {found['work']:.2f}, "
            f"first after {found['first']:.2f} s, "
            f"at most {found['mebibytes']:.0f} MiB",
            flush=True,
        )
    ground = Ground.begin()
    try:
        for count in asked.workers:
            for name, run in (("plain processes", plain), ("workers", by_workers)):
                first, rate = run(ground, asked.postgres, count, asked.letters, asked.relay)
                print(f"{count} {name}: {rate:.0f} letters a second, first after {first:.1f} s", flush=True)
    finally:
        ground.stop()


if __name__ == "__main__":
    main()
