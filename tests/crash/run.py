"""Kill a running process at numbered steps, restart it, and check that nothing is lost or duplicated.

    python tests/crash/run.py --seeds 500                 SQLite, 500 runs with one to three crashes each
    python tests/crash/run.py --seeds 500 --postgres      the same on a PostgreSQL that is started for it
    python tests/crash/run.py --every 1                   one run for every single step
    python tests/crash/run.py --together 50               runs of two concurrent processes, one of which may crash

The last line is the summary, as JSON: {"lives", "deaths", "copies", "steps", "wrong": [...]}.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from itertools import chain
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]

from crash.life import LEASE  # noqa: E402
from crash.lives import Account, Cradle, Death, wrongs  # noqa: E402
from ground.postgres import Ground  # noqa: E402

PROMPT = timedelta()
AFTER_THE_LEASE = LEASE + timedelta(minutes=1)


def drawn(seed: int, steps: int) -> list[Death]:
    """The crashes of a seed: mostly one, sometimes two or three; each process starts at once or after the lease."""
    dice = random.Random(seed)
    deaths, left, late = [], steps, PROMPT
    for _ in range(dice.choice((1, 1, 2, 3))):
        step = dice.randint(1, max(left, 1))
        deaths.append(Death(step, late))
        left, late = left - step, dice.choice((PROMPT, AFTER_THE_LEASE))
    return deaths


def alone(cradle: Cradle, lives: list[list[Death]]) -> Iterator[tuple[str, Account]]:
    for deaths in lives:
        yield f"deaths at {[(death.step, death.late.seconds) for death in deaths]}", cradle.live(deaths)


def together(cradle: Cradle, count: int, steps: int) -> Iterator[tuple[str, Account]]:
    for seed in range(count):
        dice = random.Random(seed)
        step = dice.choice((0, dice.randint(1, steps)))
        yield f"two at once, one dies at {step}", cradle.live_together([Death(step), Death()])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--every", type=int, default=0, help="one death at every n-th step")
    parser.add_argument("--together", type=int, default=0)
    parser.add_argument("--postgres", nargs="?", const="start", default="", metavar="URL")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dondoc-crash-") as folder:
        ground = Ground(Path(folder) / "ground", os.getpid())
        ground.folder.mkdir()
        os.chmod(folder, 0o755)
        server = ground.postgres() if given.postgres == "start" else given.postgres
        with closing(Cradle(Path(folder), server)) as cradle:
            summary = account(cradle, given)
        if given.postgres == "start":
            ground.stop()
    print(json.dumps(summary, ensure_ascii=False))
    sys.exit(1 if summary["wrong"] else 0)


def account(cradle: Cradle, given: argparse.Namespace) -> dict[str, object]:
    lives = [drawn(seed, cradle.length) for seed in range(given.first, given.first + given.seeds)]
    if given.every:
        lives += [[Death(step), Death(0, AFTER_THE_LEASE)] for step in range(1, cradle.length + 1, given.every)]
    wrong = [f"undisturbed: {sentence}" for sentence in wrongs(cradle.undisturbed, cradle.undisturbed)]
    lived = deaths = copies = 0
    where: set[str] = set()
    for what, found in chain(alone(cradle, lives), together(cradle, given.together, cradle.length)):
        wrong += [f"{what}: {sentence}" for sentence in wrongs(found, cradle.undisturbed)]
        lived, deaths = lived + 1, deaths + len(found.deaths)
        copies += sum(len(each) - 1 for each in found.taken.values())
        where |= set(found.deaths)
    return {
        "steps": cradle.length,
        "letters": len(cradle.undisturbed.letters),
        "notices": len(cradle.undisturbed.notices),
        "lives": lived,
        "deaths": deaths,
        "second_copies": copies,
        "died_at": sorted(where),
        "wrong": wrong,
    }


if __name__ == "__main__":
    main()
