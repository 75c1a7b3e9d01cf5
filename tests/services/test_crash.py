"""Processes killed at numbered steps and begun again: nothing lost, nothing doubled. A sample of what
``python tests/crash/run.py --seeds 500`` does; run in a process of its own, since it forks."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from crash.lives import Account, wrongs
from ground.paths import TESTS
from ground.postgres import Ground

from engine.terms import LetterState

RUN = TESTS / "crash" / "run.py"
KEY, COPY = "letter:1:email:2021-06-18", "<one@tinh.example>"
WELL = Account(
    notices={"T+1"}, letters={KEY: LetterState.DELIVERED}, delivered=Counter([KEY]), bodies={KEY}, taken={KEY: [COPY]}
)


def killed(*arguments: str) -> dict[str, Any]:
    done = subprocess.run([sys.executable, RUN, *arguments], capture_output=True, text=True)
    assert done.stdout, done.stderr
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


@pytest.mark.parametrize(
    ("kind", "first", "seeds"),
    [
        ("sqlite", 50, 1),  # killed three times: in its first, its second and its last third
        ("sqlite", 0, 3),
        pytest.param("postgres", 0, 3, marks=pytest.mark.postgres),
    ],
)
@pytest.mark.deep
def test_whenever_a_process_is_killed_every_letter_has_one_key_and_one_outcome(
    kind: str, first: int, seeds: int, ground: Ground
) -> None:
    server = ["--postgres", ground.postgres()] if kind == "postgres" else []
    told = killed("--first", str(first), "--seeds", str(seeds), "--together", "1", *server)
    assert told["wrong"] == []
    assert told["lives"] == seeds + 1
    assert told["deaths"] >= 3
    assert told["letters"] > 20
    assert told["notices"] > 30


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"notices": set()}, "notices: missing ['T+1']"),
        ({"notices": {"T+1", "T+3"}}, "too many ['T+3']"),
        ({"events": Counter(["opened", "opened"])}, "events"),
        ({"letters": {KEY: LetterState.SENDING}}, "ended as sending"),
        ({"letters": {KEY: LetterState.UNKNOWN}}, "in doubt after 0 deaths"),
        ({"taken": {KEY: [COPY, COPY]}}, "2 copies"),
        ({"taken": {}}, "0 copies"),
        ({"taken": {KEY: [COPY, COPY]}, "in_flight": Counter([KEY])}, "1 second copies after 0 deaths"),
        ({"taken": {KEY: [COPY, "<two@tinh.example>"]}, "in_flight": Counter([KEY])}, "different Message-IDs"),
        ({"delivered": Counter([KEY, KEY])}, "2 deliveries"),
        ({"bodies": set()}, "1 deliveries"),
        ({"taken": {KEY: [COPY], "letter:2": [COPY]}}, "is not in the database"),
    ],
)
def test_the_account_of_a_life_notices_what_is_wrong(changes: dict[str, Any], said: str) -> None:
    assert list(wrongs(WELL, WELL)) == []
    assert said in " | ".join(wrongs(replace(WELL, **changes), WELL))
