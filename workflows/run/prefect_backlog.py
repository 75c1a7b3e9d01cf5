"""Runs in Prefect that would only cost processes or look alive: those that were due while no worker was free, whose
work the last one does; and those that a worker took up and never began."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx

from engine.store.clock import system_clock
from workflows.projection.prefect_api import prefect_client

log = logging.getLogger(__name__)
PASSES = ("dondoc-tick/every", "dondoc-deliver/every", "dondoc-backup/on-demand", "dondoc-digest/on-demand")
LATE = timedelta(seconds=15)
NEVER_BEGAN = timedelta(minutes=2)
"""A process begins its run within seconds, on a starved machine within a minute."""
AT_ONCE = 50
"""As many as the server takes in one call."""
CRASHED = {"type": "CRASHED", "name": "Crashed", "message": "Taken up by a worker that is gone; it never began."}


def tidy(api_url: str, auth: str, deployments: Iterable[str] = PASSES) -> int:
    """Delete the runs of each deployment that are late, but for the last, and end those that never began; returns how
    many. A worker that starts after an hour would begin a process for each late run at once, and on one core none of
    them would get anywhere."""
    done = 0
    try:
        with prefect_client(api_url, auth, timeout=5) as http:
            for deployment in deployments:
                found = http.get(f"/deployments/name/{deployment}")
                if found.status_code != httpx.codes.NOT_FOUND:
                    done += _tidy(http, found.raise_for_status().json()["id"], system_clock())
    except httpx.HTTPError as error:
        log.warning("late runs in Prefect were not looked for (%s)", type(error).__name__)
    return done


def _tidy(http: httpx.Client, deployment_id: str, now: datetime) -> int:
    late = [each["id"] for each in _runs(http, deployment_id, "SCHEDULED", now - LATE)][1:]
    for start in range(0, len(late), AT_ONCE):
        ids = {"flow_runs": {"id": {"any_": late[start : start + AT_ONCE]}}}
        http.post("/flow_runs/bulk_delete", json=ids).raise_for_status()
    taken = [
        each["id"]
        for each in _runs(http, deployment_id, "PENDING", now - NEVER_BEGAN)
        if datetime.fromisoformat(each["state"]["timestamp"]) < now - NEVER_BEGAN
    ]
    for run_id in taken:
        http.post(f"/flow_runs/{run_id}/set_state", json={"state": CRASHED, "force": True}).raise_for_status()
    return len(late) + len(taken)


def _runs(http: httpx.Client, deployment_id: str, state: str, before: datetime) -> Iterator[dict[str, Any]]:
    """Those that were to begin before a moment, the last first: at most 200, as the server answers."""
    asked = {
        "deployment_id": {"any_": [deployment_id]},
        "state": {"type": {"any_": [state]}},
        "expected_start_time": {"before_": before.isoformat()},
    }
    body = {"flow_runs": asked, "sort": "EXPECTED_START_TIME_DESC", "limit": 200}
    yield from http.post("/flow_runs/filter", json=body).raise_for_status().json()
