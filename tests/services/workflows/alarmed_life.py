"""An office's life at a real Prefect server, with the automations' times shortened: its relay is killed, then its
service stops, and with it the week's digest. What the automations called comes out as one line of JSON.

    python tests/services/workflows/alarmed_life.py DATABASE.db API_URL PREFECT_HOME
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
import time
from dataclasses import replace
from datetime import datetime, timedelta
from http.server import HTTPServer
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[3]), str(Path(__file__).parents[2]), str(Path(__file__).parent)]

import httpx  # noqa: E402
from alarmed import Called  # noqa: E402
from crash.relay import SlowRelay  # noqa: E402
from ground.factory import at, lay, plan_file, rows  # noqa: E402
from ground.loopback import refuse_the_outside  # noqa: E402
from ground.post import post_office  # noqa: E402
from ground.serving import AUTH  # noqa: E402

from engine.store.database import Database  # noqa: E402
from engine.store.records import Letter  # noqa: E402
from engine.terms import LetterState  # noqa: E402
from notifications.email.mime import Sender  # noqa: E402
from notifications.email.relay import Relay, Security  # noqa: E402
from notifications.email.smtp import Email  # noqa: E402
from workflows.projection.projector import Projector  # noqa: E402
from workflows.run import passes  # noqa: E402
from workflows.run.prefect_server import environment  # noqa: E402

BEGAN, LATER = at("2021-04-07", "09:00"), at("2021-06-16", "09:00")
WITHIN, PATIENCE_SECONDS = timedelta(seconds=10), 90


def shown(picture: Projector, now: datetime) -> None:
    """A pass; made again, as ``serve`` does, where the server is busy (its SQLite locked: 503)."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            picture.run(now)
        except httpx.HTTPStatusError:
            if time.monotonic() > until:
                raise
            time.sleep(0.5)
        else:
            return


def of_the_office() -> list[str]:
    """Which automations have called about the installation; of single assignments others are told."""
    return sorted({each["name"] for each in Called.bodies if each["resource"] == "dondoc.installation.life"})


def main(path: Path, api_url: str, home: Path) -> None:
    refuse_the_outside()
    os.environ.update(environment(home, api_url, AUTH))
    from workflows.run.flows import exit_process
    from workflows.run.prefect_automations import register

    server = HTTPServer(("127.0.0.1", 0), Called)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    register(f"http://127.0.0.1:{server.server_port}/alarm", within=WITHIN)
    database = Database(f"sqlite:///{path}")
    laid = lay(database, now=BEGAN, plan=plan_file(urgency="khan"))
    picture = Projector(
        database=laid.database,
        api_url=api_url,
        auth=AUTH,
        installation="life",
        base_url="https://dondoc.example",
        most=2000,
        own_clock=True,
    )
    shown(picture, BEGAN)
    with SlowRelay(seconds=(0, 0), sample=10**9).running() as relay:
        office = post_office()
        sender = Sender("nhacviec@so.example", "Đôn Đốc")
        channel = Email(Relay(host="127.0.0.1", port=relay.port, sender=sender, security=Security.NONE, pause=0.0))
        office = replace(office, channels={"email": channel})
        asyncio.run(passes.tick(database, BEGAN, office))
        shown(picture, BEGAN)
        taken = len(relay.taken)
    before = of_the_office()
    asyncio.run(passes.tick(database, LATER, office))  # the relay is gone
    shown(picture, LATER)  # the last sign of life
    until = time.monotonic() + PATIENCE_SECONDS
    while len(of_the_office()) < 3 and time.monotonic() < until:
        time.sleep(0.2)
    owed = sum(each.state is LetterState.QUEUED for each in rows(database, Letter))
    told = {"taken": taken, "before": before, "called": of_the_office(), "owed": owed}
    print(json.dumps(told), flush=True)
    exit_process(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
