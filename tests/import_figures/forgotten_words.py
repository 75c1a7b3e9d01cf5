"""How the importer reads when it knows fewer words.

    PYTHONPATH=tests python -m import_figures.forgotten_words SEEDS SHARE [--directory[=PERCENT]] FILE.yaml …

forgets a share of its tables by chance, once a seed, and prints the figures of all labelled texts together; with the
directory of an office that knows all, or so many of a hundred, of the labelled bodies.

What is new in a plan is first of all a word that no table holds: this tells more of unseen plans than the texts that
the importer was mended for.
"""

from __future__ import annotations

import importlib
import random
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from import_figures.own_directory import asked_for

from engine.features.plan_import.importer.phrases import lexicon

TABLES = ["HEADS", "GROUPED", "OPENERS", "FIELDS", "WHOLE_NAMES", "STRONG", "DUTY_HEADINGS", "CLOSERS", "ORDERS"]


def forget(whole: Mapping[str, Sequence[str]], seed: int, share: float) -> None:
    """The tables without some of their words; the importer, which compiles them when it is imported, comes anew."""
    chance = random.Random(seed)
    for name, words in whole.items():
        setattr(lexicon, name, tuple(word for word in words if chance.random() > share))
    stale = ("engine.features.plan_import.importer", "import_figures.")
    for name in [each for each in sys.modules if each.startswith(stale)]:
        if not name.endswith(".lexicon"):
            del sys.modules[name]


def figures(seeds: int, share: float, files: Sequence[Path], percent: int | None) -> str:
    whole = {name: tuple(getattr(lexicon, name)) for name in TABLES}
    rows: list[str] = []
    for seed in range(1, seeds + 1):
        forget(whole, seed, share)
        kinds = importlib.import_module("import_figures.kinds")
        every = kinds.by_kind(files[0], percent)["all"]
        for file in files[1:]:
            found = kinds.by_kind(file, percent)["all"]
            every.found += found.found
            every.extra += found.extra
            every.missed += found.missed
        rows += kinds.table({f"seed {seed}": every}).splitlines()[2 if rows else 0 :]
    return "\n".join(rows)


if __name__ == "__main__":
    files = [Path(each) for each in sys.argv[3:] if not each.startswith("--")]
    sys.stdout.write(figures(int(sys.argv[1]), float(sys.argv[2]), files, asked_for(sys.argv)) + "\n")
