"""A worker that starts on one core, after nobody has worked for a while: ticks are late, and one of their two places is
held by a run of a machine that is gone. Letters leave, and nothing stays *Submitting*."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from crash.campaign import prepare, settings
from crash.forms import Workers, wait_until
from crash.relay import SlowRelay
from ground.serving import asked

from engine.store.clock import system_clock
from engine.store.database import Database

pytestmark = [pytest.mark.prefect, pytest.mark.deep]
LATE_RUNS, LETTERS = 60, 100
FIRST_LETTER_SECONDS = 90
"""15 on a quiet machine (docs/scale.md); beside other tests a start takes longer."""


@contextmanager
def one_core() -> Iterator[None]:
    """For this process and those that it starts."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def leave_late(http: httpx.Client) -> None:
    """Runs that were due while there was no worker, and one that holds its place and is no longer alive."""
    deployment = http.get("/deployments/name/dondoc-tick/every").raise_for_status().json()["id"]
    for number in range(LATE_RUNS):
        due = (system_clock() - timedelta(seconds=90 + 10 * number)).isoformat()
        state = {"type": "SCHEDULED", "name": "Late", "state_details": {"scheduled_time": due}}
        made = asked(http, f"/deployments/{deployment}/create_flow_run", {"state": state})
    asked(http, f"/flow_runs/{made['id']}/set_state", {"state": {"type": "PENDING", "name": "Submitting"}})


def unfinished(form: Workers) -> set[str]:
    """Names of runs of the deployments that a worker has taken and that have neither begun nor ended."""
    with form.api() as http:
        pending = {"flow_runs": {"state": {"type": {"any_": ["PENDING"]}}}, "limit": 200}
        return {each["name"] for each in asked(http, "/flow_runs/filter", pending)}


def test_on_one_core_the_first_letter_leaves_soon_and_nothing_stays_submitting(
    sqlite_database: Database, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        relay = stack.enter_context(SlowRelay(seconds=(0.02, 0.02), sample=10**9).running())
        told = settings(sqlite_database, tmp_path, relay)
        prepare(sqlite_database, LETTERS)
        stack.enter_context(one_core())
        form = stack.enter_context(Workers.registered(tmp_path, told, every=20))
        with form.api() as http:
            leave_late(http)
        began = time.monotonic()
        form.start()
        stack.callback(form.end)
        wait_until(lambda: relay.taken, 2 * FIRST_LETTER_SECONDS)
        first = time.monotonic() - began
        wait_until(lambda: len(relay.taken) == LETTERS, 120)
        all_of_them = time.monotonic() - began
        taken = unfinished(form)
        wait_until(lambda: not taken & unfinished(form), 180)  # others are taken meanwhile: a run every 20 seconds
        left = taken & unfinished(form)
        print(f"first letter after {first:.1f} s, the last after {all_of_them:.1f} s, left {left}")
        assert len(relay.taken) == len(set(relay.taken)) == LETTERS
        assert first < FIRST_LETTER_SECONDS
        assert not left
