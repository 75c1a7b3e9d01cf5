"""Run seeds, and say what did not hold.

    PYTHONPATH=tests python -m simulated.run --seeds 200 [--first 0] [--postgres]
    PYTHONPATH=tests python -m simulated.run --script "17: host1@312:die email@36000:dead/7200"

A seed that fails is made shorter, by leaving out what the failure does not need, and printed as a script that can be
run again. The last line is the summary, as JSON. Started with PYTHONHASHSEED=0, as ``make simulate`` does, it goes the
same way in every process.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from ground.postgres import Ground
from simulated.script import Script, drawn, pessimistic, read, shortened
from simulated.simulation import Simulator


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--script", default="", help="one run, as a failure was printed")
    parser.add_argument("--postgres", action="store_true", help="on a PostgreSQL that is started for it")
    parser.add_argument("--pessimistic", action="store_true", help="with the faults of six seeds in each run")
    parser.add_argument("--whole", action="store_true", help="print failures as they are, without making them shorter")
    asked = parser.parse_args()
    logging.disable(logging.CRITICAL)  # hundreds of planted faults, each told
    with tempfile.TemporaryDirectory(prefix="dondoc-simulated-") as folder:
        os.chmod(folder, 0o755)
        ground = Ground(Path(folder) / "ground", os.getpid())
        ground.folder.mkdir()
        try:
            with closing(Simulator(Path(folder), ground.postgres() if asked.postgres else "")) as simulator:
                summary = run(simulator, list(scripts(asked)), shorter=not asked.whole)
        finally:
            ground.stop()
    print(json.dumps(summary, ensure_ascii=False))
    sys.exit(1 if summary["wrong"] else 0)


def scripts(asked: argparse.Namespace) -> Iterator[Script]:
    if asked.script:
        yield read(asked.script, postgres=asked.postgres)
        return
    for seed in range(asked.first, asked.first + asked.seeds):
        yield (pessimistic if asked.pessimistic else drawn)(seed, postgres=asked.postgres)


def run(simulator: Simulator, scripts: list[Script], *, shorter: bool = True) -> dict[str, object]:
    began, steps, letters, acts = time.monotonic(), 0, 0, 0
    faults: Counter[str] = Counter()
    wrong: list[str] = []
    for script in scripts:
        try:
            ran, sentences = simulator.run(script)
        except Exception as error:  # noqa: BLE001 - the other seeds are run all the same
            wrong.append(f"{script} -> {type(error).__name__}: {error}")
            print(wrong[-1], flush=True)
            continue
        steps, acts = steps + ran.steps, acts + len(ran.confirmed)
        letters += sum(len(relay.taken) for relay in ran.relays.values())
        faults += ran.faults
        if sentences:
            short = shortened(script, lambda tried: bool(simulator.run(tried)[1])) if shorter else script
            wrong.append(f"{short} -> {sentences}")
            print(f"{short}\n    " + "\n    ".join(sentences), flush=True)
    return {
        "runs": len(scripts),
        "steps": steps,
        "letters": letters,
        "acts": acts,
        "faults": dict(sorted(faults.items())),
        "seconds": round(time.monotonic() - began),
        "wrong": wrong,
    }


if __name__ == "__main__":
    main()
