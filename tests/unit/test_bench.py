"""What the benchmarks wrap is where they look for it: a function that moved made every figure an error, unseen."""

from __future__ import annotations

from tests.bench.phases import WATCHED


def test_every_phase_that_is_watched_exists() -> None:
    for phase, owner, name in WATCHED:
        assert callable(getattr(owner, name, None)), f"{phase}: {owner} has no {name}"
