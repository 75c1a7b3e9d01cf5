"""The deployments on a real Prefect server, each run as a worker's child process does it; what happened comes out as
one line of JSON. In a process of its own, since Prefect is imported: it keeps threads, warnings and settings.

    python tests/services/workflows/deployed.py PREPARED.db FOLDER PREFECT_HOME PORT
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[3]), str(Path(__file__).parents[2])]

import httpx  # noqa: E402
from crash.life import BEGAN  # noqa: E402
from ground.factory import rows  # noqa: E402
from ground.loopback import refuse_the_outside  # noqa: E402
from ground.serving import AUTH, letting_in, shown  # noqa: E402

from config.settings import Settings  # noqa: E402
from engine.store.database import Database  # noqa: E402
from engine.store.records import Assignment, Letter  # noqa: E402
from workflows.projection.prefect_api import PrefectApi  # noqa: E402
from workflows.run.installation import establish  # noqa: E402
from workflows.run.prefect_server import PrefectServer, environment  # noqa: E402
from workflows.run.system import compose  # noqa: E402

POOL = "van-phong"


class Api:
    """What the server says of the runs that it has seen."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, timeout=60, auth=shown())

    def asked(self, method: str, path: str, body: Any = None) -> Any:
        """The answer; asked for again while it is 503 (the server's SQLite is locked), as Prefect's own client does."""
        for pause in (0.5, 1, 2, 4, 8, 16):
            answer = self.http.request(method, path, json=body)
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                break
            time.sleep(pause)
        return answer.raise_for_status().json()

    def get(self, path: str) -> Any:
        return self.asked("GET", path)

    def post(self, path: str, **body: Any) -> Any:
        return self.asked("POST", path, body)

    def of(self, flow: str) -> list[Any]:
        return list(self.post("/flow_runs/filter", flows={"name": {"any_": [flow]}}, sort="EXPECTED_START_TIME_ASC"))


def lived(api: Api, server: PrefectServer, folder: Path, database: Database) -> dict[str, Any]:
    """Registered twice, then a run of each, on the database of its environment."""
    from workflows.duty import duty
    from workflows.operation.daily_work import flows
    from workflows.run.flows import tick
    from workflows.run.prefect_deployments import deploy, with_retries

    settings = Settings(_env_file=None, data_dir=folder, prefect=False)  # type: ignore[call-arg]
    installation = establish(compose(settings))
    for seconds in (60, 90):
        wanted = POOL, timedelta(seconds=seconds), installation
        with PrefectApi(server.api_url, AUTH) as prefect:
            names = with_retries(lambda wanted=wanted: deploy(prefect, *wanted, more=[(duty, ""), *flows()]))  # type: ignore[misc]
    told = {each: api.get(f"/deployments/name/{each}") for each in names}

    def execute(name: str, **parameters: Any) -> Any:
        given = {**told[name]["parameters"], **parameters}
        run = api.post(f"/deployments/{told[name]['id']}/create_flow_run", parameters=given)
        mine = {**os.environ, "DONDOC_DATA_DIR": str(folder), "DONDOC_PREFECT_API_URL": letting_in(server.api_url)}
        words = [sys.executable, "-m", "prefect", "flow-run", "execute", run["id"]]
        subprocess.run(words, env=mine, capture_output=True, text=True)
        ended = api.get(f"/flow_runs/{run['id']}")
        return f"{ended['state_type']}: {ended['state']['message'] or ''}"

    def tasks() -> list[list[str]]:
        """Name and state of the task runs, once the server has written the last of them."""
        for _ in range(100):
            found = api.post("/task_runs/filter", limit=200)
            if found and all(each["state_type"] == "COMPLETED" for each in found):
                break
            time.sleep(0.2)
        return sorted([each["name"], each["state_name"]] for each in found)

    def states() -> list[str]:
        return sorted({each.state.value for each in rows(database, Letter)})

    def refused(other: str) -> str:
        """The same flow in this process, which has this database."""
        os.environ |= {"DONDOC_DATA_DIR": str(folder)}
        state: Any = asyncio.run(tick(BEGAN.isoformat(), other, return_state=True))  # type: ignore[call-overload]
        return f"{state.type.value}: {state.message}"

    acted = [execute("dondoc-tick/every", now=BEGAN.isoformat()), states()]
    asked = api.of("dondoc-deliver")
    found = {
        "acted": acted,
        "tasks": tasks(),
        "started": [each["state_type"] for each in asked],
        "delivered": [execute("dondoc-deliver/on-demand", now=BEGAN.isoformat()), states()],
        "letters": len(rows(database, Letter)),
    }
    letters, number = len(rows(database, Letter)), min(each.id or 0 for each in rows(database, Assignment))
    twice = [execute("dondoc-duty/on-demand", assignment=number) for _ in range(2)]
    waiting = [each for each in api.of("dondoc-duty") if each["state_type"] == "SCHEDULED"]
    return found | {
        "names": names,
        "pools": sorted({each["work_pool_name"] for each in told.values()}),
        "entrypoints": [each["entrypoint"] for each in told.values()],
        "every": [[each["schedule"].get("interval") for each in one["schedules"]] for one in told.values()],
        "at_once": [(each["concurrency_options"] or {}).get("collision_strategy") for each in told.values()],
        "elsewhere": refused("another"),
        "duty": twice,
        "waiting": [each["parameters"]["assignment"] == number for each in waiting],
        "wakes": [datetime.fromisoformat(each["expected_start_time"]).isoformat() for each in waiting],
        "nobody": execute("dondoc-duty/on-demand", assignment=10**6),
        "letters_after": len(rows(database, Letter)) - letters,
    }


def main(prepared: Path, folder: Path, home: Path, port: int) -> None:
    refuse_the_outside()
    server = PrefectServer(home, port, AUTH)
    os.environ.update(environment(home, server.api_url, AUTH))
    api, own = Api(server.api_url), folder / "deployed"
    own.mkdir()
    shutil.copyfile(prepared, own / "dondoc.db")
    with closing(api.http):
        print(json.dumps(lived(api, server, own, Database(f"sqlite:///{own / 'dondoc.db'}")), ensure_ascii=False))


if __name__ == "__main__":
    prepared, folder, home = map(Path, sys.argv[1:4])
    main(prepared, folder, home, int(sys.argv[4]))
