"""Two Prefect workers on the registered deployments: told to stop, then their machine loses its power, while readers
acknowledge; a process by hand sends what is left. See tests/crash/campaign.py, which does it more often, on both
databases, by the clock, and with workers to the end."""

from __future__ import annotations

import os
import random
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from crash.campaign import run, settings
from crash.faults import Struck, killed, told_to_stop
from crash.forms import Form, Workers
from crash.relay import SlowRelay
from ground.serving import DONDOC

from engine.store.database import Database

STOP_SECONDS = 40
"""10 on a quiet machine (docs/faults.md); a run that is still importing Prefect beside other tests takes longer."""


class Asked(Workers):
    """A run of ``dondoc-deliver`` for each worker as soon as they start, and none by the clock: a run that is only
    begun to find nothing costs three seconds of a processor."""

    def start(self) -> None:
        super().start()
        with self.api() as http:
            deployment = http.get("/deployments/name/dondoc-deliver/on-demand").raise_for_status().json()["id"]
            asked = f"/deployments/{deployment}/create_flow_run", {"state": {"type": "SCHEDULED"}}
            for _ in range(self.count):
                while http.post(asked[0], json=asked[1]).is_error:  # a busy server answers 503
                    time.sleep(0.5)


@pytest.mark.deep
def test_told_to_stop_they_settle_and_killed_they_double_at_most_what_was_on_the_wire(
    sqlite_database: Database, tmp_path: Path
) -> None:
    seen: list[tuple[float, int]] = []

    def strike(form: Form, database: Database, rng: random.Random) -> Struck:
        what = (killed if seen else told_to_stop)(form, database, rng)
        seen.append((what.seconds, len(relay.taken) - len(set(relay.taken))))
        return what

    with ExitStack() as stack:
        relay = stack.enter_context(SlowRelay(sample=50).running())
        told = settings(sqlite_database, tmp_path, relay)
        form = stack.enter_context(Asked.registered(tmp_path, told, 2, every=3600, pages=sqlite_database))

        def by_hand() -> None:
            subprocess.run([DONDOC, "once", "deliver"], env=os.environ | told, cwd=tmp_path, check=True)

        result = run(sqlite_database, form, relay, letters=500, faults=2, strike=strike, finish=by_hand)
        runs = {each["name"]: each["state_type"] for each in form.flow_runs()}
    print(result, seen)
    assert result.faults == 2
    assert result.kept
    (stopped_after, _), (_, copies_when_killed) = seen
    assert stopped_after < STOP_SECONDS
    assert copies_when_killed == 0  # what was told to stop left nothing on the wire
    assert result.confirmed
    assert any(name.startswith("dondoc-deliver 20") and state == "COMPLETED" for name, state in runs.items())
