"""Benchmark of a tick against a minimal baseline (bare.py), in the same run with the same data and relay.

    python -m tests.bench.run [--stored 10000 100000 1000000] [--due 100 10000] [--rounds 3] [--postgres]
                              [--only tick|quiet|memory|channel|simulation]

Each measured figure is the best of its rounds (the machine may be shared); our rounds and those of the
baseline alternate. The relay is ``smtp_sink.py`` in its own process. Ticks are measured warm: one small tick runs
before.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from engine.store.database import Database
from notifications.delivery import DeliveryContext
from tests.bench import bare, email_channel, ground, simulation
from tests.bench.ours import NOW, SENDER, office, tick
from tests.bench.phases import PHASES, watched
from tests.bench.smtp_sink import Sink
from tests.ground.postgres import Ground
from workflows.run import passes

STORED = (10_000, 100_000, 1_000_000)
DUE = (100, 1_000, 10_000)
QUIET_TIMES = 2_000
Store = Callable[[int], AbstractContextManager[Database]]
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Round:
    """Seconds of one tick, of the bare SQL and of the bare sending of the same letters; processor seconds of both
    sides; seconds until the first letter was accepted."""

    ours: float
    sweep: float
    send: float
    phases: dict[str, float]
    cpu: float
    bare_cpu: float
    first: float
    first_cpu: float

    @property
    def bare(self) -> float:
        return self.sweep + self.send


def one_round(database: Database, stored: int, due: int, delivery: DeliveryContext, sink: Sink) -> Round:
    ground.make_due(database, stored, due)
    gc.collect()
    with watched() as watch:
        ours = tick(database, delivery, due)
    assert len(watch.messages) == due
    ground.make_quiet(database)
    ground.make_due(database, stored, due)
    gc.collect()
    processor = time.process_time()
    swept = bare.sweep(database)
    posted = asyncio.run(bare.send(watch.messages, SENDER.mailbox, sink.port))
    processor = time.process_time() - processor
    ground.make_quiet(database)
    return Round(ours, swept, posted, watch.seconds, watch.cpu, processor, watch.first, watch.first_cpu)


def ticks(database: Database, stored: int, wanted: tuple[int, ...], rounds: int) -> dict[int, Round]:
    """The best round for each number due: the minimum time of each side."""
    found = {}
    with Sink() as sink:
        delivery = office(sink.port)
        for due in wanted:
            one_round(database, stored, 20, delivery, sink)
            gc.freeze()  # as ``serve`` does after start-up
            done = [one_round(database, stored, due, delivery, sink) for _ in range(rounds * min(10_000 // due, 5))]
            best = min(done, key=lambda each: each.ours)
            found[due] = Round(
                best.ours,
                min(each.sweep for each in done),
                min(each.send for each in done),
                best.phases,
                *(min(getattr(each, name) for each in done) for name in ("cpu", "bare_cpu", "first", "first_cpu")),
            )
    return found


def quiet(database: Database) -> dict[str, float]:
    """Median ms of a tick with nothing due: the query alone, and the whole tick."""
    look = _median(lambda: passes.due(database, NOW))
    delivery = office(1)

    async def ticked() -> float:
        spent = []
        for _ in range(QUIET_TIMES // 4):
            start = time.perf_counter()
            assert not await passes.tick(database, NOW, delivery)
            spent.append(time.perf_counter() - start)
        return statistics.median(spent) * 1000

    return {"look": look, "tick": asyncio.run(ticked()), "select 1": _median(lambda: _select_1(database))}


def _median(act: Callable[[], object]) -> float:
    spent = []
    for _ in range(QUIET_TIMES):
        start = time.perf_counter()
        act()
        spent.append(time.perf_counter() - start)
    return statistics.median(spent) * 1000


def _select_1(database: Database) -> None:
    """The baseline of the query: one indexed statement on a kept connection."""
    with database.read() as session:
        session.connection().exec_driver_sql("SELECT 1").one()


def memory(database: Database, stored: int, due: int) -> tuple[float, float]:
    """MiB of a separate process: before the tick, and the peak while it sends ``due`` letters."""
    ground.make_due(database, stored, due)
    with Sink() as sink:
        url = database.url.render_as_string(hide_password=False)
        command = [sys.executable, "-m", "tests.bench.peak", url, str(sink.port), str(due)]
        said = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    ground.make_quiet(database)
    before, most = map(float, said.split())
    return before, most


@contextmanager
def databases(kinds: list[str]) -> Iterator[dict[str, Store]]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dondoc-bench-")))
        made: dict[str, Store] = {"sqlite": lambda stored: ground.sqlite(folder, stored)}
        if "postgres" in kinds:
            shared = Ground(folder, os.getpid())
            stack.callback(shared.stop)
            server = shared.postgres()
            made["postgres"] = lambda stored: ground.postgres(server, stored)
        yield {kind: made[kind] for kind in kinds}


def show(kind: str, table: dict[int, dict[int, Round]]) -> None:
    """The table of results and of phases."""
    print(f"\n{kind}: a tick (best of its rounds; bare = raw SQL sweep + kept aiosmtplib connections, same bytes)")
    print("   stored    due   ours s   bare s  (sweep   send)  ratio ms/letter  cpu s  bare cpu  ratio  first s (cpu)")
    for stored, rows in table.items():
        for due, each in rows.items():
            print(
                f"{stored:>9,} {due:>6,} {each.ours:>8.3f} {each.bare:>8.3f} {each.sweep:>7.3f} {each.send:>7.3f} "
                f"{each.ours / each.bare:>6.2f} {each.ours / due * 1000:>9.3f} {each.cpu:>6.2f} {each.bare_cpu:>9.2f} "
                f"{each.cpu / each.bare_cpu:>6.2f} {each.first:>8.3f} {each.first_cpu:>5.3f}"
            )
    print(f"\n{kind}: ms a letter, by phase")
    print("   stored    due " + " ".join(f"{phase:>7}" for phase in PHASES))
    for stored, rows in table.items():
        for due, each in rows.items():
            parts = " ".join(f"{each.phases[phase] / due * 1000:>7.3f}" for phase in PHASES)
            print(f"{stored:>9,} {due:>6,} {parts}")
    if len(table) > 1:
        least, most = min(table), max(table)
        for due in sorted(set(table[least]) & set(table[most])):
            print(
                f"{kind}: {due:,} due, {most:,} stored against {least:,}: "
                f"{table[most][due].ours / table[least][due].ours:.2f}"
            )


def measure(kind: str, make: Store, options: argparse.Namespace) -> None:
    table: dict[int, dict[int, Round]] = {}
    for stored in options.stored:
        with make(stored) as database:
            if options.only in ("", "quiet"):
                said = ", ".join(f"{name} {spent:.3f} ms" for name, spent in quiet(database).items())
                print(f"{kind}: {stored:,} stored, nothing due: {said} (medians)", flush=True)
            due = tuple(each for each in options.due if each <= stored)
            if options.only in ("", "tick"):
                table[stored] = ticks(database, stored, due, options.rounds)
            if options.only in ("", "memory"):
                before, most = memory(database, stored, max(due))
                print(
                    f"{kind}: {stored:,} stored, {max(due):,} due: {before:.0f} MiB ready, {most:.0f} MiB at most",
                    flush=True,
                )
    if table:
        show(kind, table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stored", type=int, nargs="+", default=STORED)
    parser.add_argument("--due", type=int, nargs="+", default=DUE)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--postgres", action="store_true", help="on PostgreSQL too")
    parser.add_argument("--only", choices=("tick", "quiet", "memory", "channel", "simulation"), default="")
    options = parser.parse_args()
    began = time.monotonic()
    print(f"{date.today().isoformat()}, {os.cpu_count()} cores, Python {sys.version.split()[0]}")
    if options.only in ("", "channel"):
        email_channel.measure(2_000)
    if options.only in ("", "simulation"):
        simulation.measure(simulation.PLANS)
    if options.only not in ("channel", "simulation"):
        with databases(["sqlite", *(["postgres"] if options.postgres else [])]) as made:
            for kind, make in made.items():
                measure(kind, make, options)
    print(f"\n{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
