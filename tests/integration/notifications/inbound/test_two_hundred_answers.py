"""Two hundred answers in the words of offices, by ten mail programs, measured against what a careful clerk would do
with each (``tests/data/answers``). They were there while the reading was written: they say that nothing went back, and
nothing about answers that nobody here has seen (``tests/measure_answers.py`` measures a file of those)."""

from __future__ import annotations

from pathlib import Path

from ground.incoming.labelled import KEPT, LOST, OTHERWISE, PROPOSED, RIGHTLY, WRONGLY, labelled, measure, reminded
from ground.paths import DATA

from engine.store.database import Database

OUTCOMES = {RIGHTLY: "sure", PROPOSED: "proposed", KEPT: "kept"}


def test_two_hundred_answers_are_acted_upon_proposed_or_kept_as_before(
    sqlite_database: Database, tmp_path: Path
) -> None:
    answers = list(labelled(DATA / "answers" / "answers.txt"))
    assert len(answers) == 200
    measured = measure(sqlite_database, reminded(sqlite_database), answers, tmp_path)
    print(measured)
    assert measured.shown(WRONGLY, LOST) == []
    differs = [
        line
        for outcome, found in measured.found.items()
        for each, line in found
        if OUTCOMES.get(outcome, "kept") != each.outcome
    ]
    assert differs == []
    print(*measured.shown(OTHERWISE), sep="\n")
