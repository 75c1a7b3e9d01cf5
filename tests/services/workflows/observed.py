"""Ticks seen by a real Prefect server, lived in a process of its own; what happened comes out as one line of JSON.

    python tests/services/workflows/observed.py PREPARED.db FOLDER PREFECT_HOME PORT [deployed]

Prefect keeps threads, warnings and settings for the whole process, and here its server is killed: not a thing to do
inside pytest. ``test_flows.py`` runs this once, and in «make deep» once more with workers on deployments, and looks at
each part of what it says.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[3]), str(Path(__file__).parents[2])]

import httpx  # noqa: E402
from crash.life import BEGAN  # noqa: E402
from ground.factory import at, rows  # noqa: E402
from ground.loopback import refuse_the_outside  # noqa: E402
from ground.post import LetterBox, post_office  # noqa: E402
from ground.serving import AUTH, shown  # noqa: E402
from sqlalchemy import event, text  # noqa: E402

from config.settings import Settings  # noqa: E402
from engine.store.database import Database  # noqa: E402
from engine.store.records import Letter  # noqa: E402
from workflows.run import passes  # noqa: E402
from workflows.run.installation import establish  # noqa: E402
from workflows.run.passes import PassReport  # noqa: E402
from workflows.run.prefect_server import PrefectServer, environment  # noqa: E402
from workflows.run.system import compose  # noqa: E402

Tick = Callable[[Database, datetime, Any], Any]
LATER = at("2021-06-18", "07:30")


class Scene:
    """One database lived with, and the letters that came of it."""

    def __init__(self, folder: Path, name: str, prepared: Path) -> None:
        path = folder / name / "dondoc.db"
        path.parent.mkdir()
        shutil.copyfile(prepared, path)
        self.folder, self.box = path.parent, LetterBox()
        self.database = Database(f"sqlite:///{path}")
        self.seconds: list[float] = []

    def ticks(self, how: Tick, now: datetime) -> list[PassReport]:
        began = time.monotonic()
        try:
            reports: list[PassReport] = asyncio.run(how(self.database, now, post_office(self.box)))
        finally:
            self.seconds.append(round(time.monotonic() - began, 2))
        return reports

    @property
    def letters(self) -> list[list[str]]:
        """What was said to whom, but for the tokens: they hold the rows' numbers, which follow the order of work."""
        links = re.compile(r"(/[lr]/)\S+")
        return sorted([each.key, each.to, each.subject, links.sub(r"\1", each.text)] for each in self.box.letters)


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

    def flow_runs(self) -> list[Any]:
        return list(self.post("/flow_runs/filter", sort="START_TIME_ASC"))


def seen(api: Api, scene: Scene, observed: Tick) -> dict[str, Any]:
    """A tick with seven duties due, the same again with nothing due, and what the server can tell of them."""
    before = len(api.flow_runs())
    scene.ticks(observed, BEGAN)
    (run,) = api.flow_runs()[before:]
    again = scene.ticks(observed, BEGAN)
    found = {
        "flow_run": [run["name"], run["state_type"]],
        "again": [str(each) for each in again],
        "flow_runs_after_nothing_was_due": len(api.flow_runs()) - before,
        "analytics": api.get("/admin/settings")["server"]["analytics_enabled"],
    }
    scene.ticks(observed, LATER)
    return found | {"letters": scene.letters}


def failing(api: Api, scene: Scene, observed: Tick) -> dict[str, Any]:
    """One duty's rows cannot be read: its run says so, and everybody else has their letter."""
    passes.open_assignments(scene.database, BEGAN)
    with scene.database.write() as session:
        mine = "duty_id = (SELECT id FROM duty WHERE citation = 'IV.2.1')"
        session.connection().execute(text(f"UPDATE assignment SET acted_until = 'no date' WHERE {mine}"))
    error = ""
    before = {each["id"] for each in api.flow_runs()}
    try:
        scene.ticks(observed, BEGAN)
    except Exception as raised:  # noqa: BLE001 - to be told
        error = str(raised)
    (run,) = (each for each in api.flow_runs() if each["id"] not in before)
    return {
        "error": error,
        "flow_run": run["state_type"],
        "letters": [[key, to] for key, to, *_ in scene.letters],
    }


def interrupted(server: PrefectServer, scene: Scene, observed: Tick) -> dict[str, Any]:
    """The server dies in the middle of the work, then it is gone, then its home is gone too."""
    updates: list[str] = []

    @event.listens_for(scene.database.bind, "before_cursor_execute")
    def _watch(_1: Any, _2: Any, statement: str, *_: Any) -> None:
        if statement.startswith("UPDATE assignment"):
            updates.append(statement)
            if len(updates) == 1:
                os.killpg(int((server.home / "server.pid").read_text()), signal.SIGKILL)

    scene.ticks(observed, BEGAN)
    shutil.rmtree(server.home)
    scene.ticks(observed, LATER)
    return {"letters": scene.letters, "seconds": scene.seconds}


def deployed(api: Api, server: PrefectServer, scene: Scene) -> dict[str, Any]:
    """Registered twice, then a run of each as a worker's child process does it, on the database of its environment."""
    from workflows.run import flows
    from workflows.run.prefect_deployments import deploy

    settings = Settings(_env_file=None, data_dir=scene.folder, prefect=False)  # type: ignore[call-arg]
    installation = establish(compose(settings))
    for seconds in (60, 90):
        names = deploy(
            environment(server.home, server.api_url, AUTH), "van-phong", timedelta(seconds=seconds), installation
        )
    told = [api.get(f"/deployments/name/{each}") for each in names]

    def execute(number: int) -> str:
        given = {**told[number]["parameters"], "now": BEGAN.isoformat()}
        run = api.post(f"/deployments/{told[number]['id']}/create_flow_run", parameters=given)
        mine = {**os.environ, "DONDOC_DATA_DIR": str(scene.folder)}
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
        return sorted({each.state.value for each in rows(scene.database, Letter)})

    def refused(installation: str) -> str:
        """The same flow in this process, which has this database."""
        flows._flow_context.set(flows.FlowContext(scene.database, post_office()))
        state: Any = asyncio.run(flows.tick(BEGAN.isoformat(), False, installation, return_state=True))  # type: ignore[call-overload]
        return f"{state.type.value}: {state.message}"

    return {
        "names": names,
        "pool": [each["work_pool_name"] for each in told],
        "entrypoints": [each["entrypoint"] for each in told],
        "every": [[each["schedule"]["interval"] for each in one["schedules"]] for one in told],
        "at_once": [
            (each["concurrency_options"] or {}).get("collision_strategy") if each["global_concurrency_limit"] else None
            for each in told
        ],
        "elsewhere": refused("another"),
        "acted": [execute(0), states()],
        "tasks": tasks(),
        "delivered": [execute(1), states()],
        "letters": len(rows(scene.database, Letter)),
    }


def main(prepared: Path, folder: Path, home: Path, port: int, *, with_workers: bool) -> None:
    refuse_the_outside()
    server = PrefectServer(home, port, AUTH)
    os.environ.update(environment(home, server.api_url, AUTH))
    plain, undisturbed = Scene(folder, "plain", prepared), Scene(folder, "undisturbed", prepared)
    for now in (BEGAN, LATER):
        plain.ticks(passes.tick, now)
    from workflows.run.flows import exit_process, observed_tick

    logging.getLogger("prefect").setLevel(logging.CRITICAL)
    api = Api(server.api_url)
    with closing(api.http):
        if with_workers:
            told = deployed(api, server, Scene(folder, "deployed", prepared))
        else:
            told = {
                "plain": {"letters": plain.letters},
                "seen": seen(api, undisturbed, observed_tick),
                "failing": failing(api, Scene(folder, "failing", prepared), observed_tick),
                "interrupted": interrupted(server, Scene(folder, "interrupted", prepared), observed_tick),
            }
    print(json.dumps(told, ensure_ascii=False), flush=True)
    exit_process(0)


if __name__ == "__main__":
    prepared, folder, home = map(Path, sys.argv[1:4])
    main(prepared, folder, home, int(sys.argv[4]), with_workers="deployed" in sys.argv[5:])
