"""The automations at a real Prefect server, with ten seconds in place of their own times; what they called comes out as
one line of JSON. In a process of its own, since Prefect is imported.

    python tests/services/workflows/alarmed.py API_URL PREFECT_HOME
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

sys.path[:0] = [str(Path(__file__).parents[3]), str(Path(__file__).parents[2])]

from ground.loopback import refuse_the_outside  # noqa: E402
from ground.serving import AUTH  # noqa: E402

from workflows.projection import events  # noqa: E402
from workflows.projection.prefect_api import PrefectApi  # noqa: E402
from workflows.run.prefect_server import environment  # noqa: E402

WITHIN, PATIENCE_SECONDS = timedelta(seconds=10), 60


class Called(BaseHTTPRequestHandler):
    """Somebody's address for alarms."""

    bodies: ClassVar[list[dict[str, str]]] = []

    def do_POST(self) -> None:
        self.bodies.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


def about(name: str, number: int, now: datetime) -> dict[str, Any]:
    told = events._event(f"dondoc.assignment.{name}", str(number), now, "x", {})
    return told | {"resource": {"prefect.resource.id": f"dondoc.assignment.{number}"}}


def main(api_url: str, home: Path) -> None:
    refuse_the_outside()
    os.environ.update(environment(home, api_url, AUTH))
    from workflows.run.flows import exit_process
    from workflows.run.prefect_automations import register

    server = HTTPServer(("127.0.0.1", 0), Called)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for _ in range(2):  # again: renewed, not doubled
        names = register(f"http://127.0.0.1:{server.server_port}/alarm", within=WITHIN)
    now = datetime.now(UTC)
    with PrefectApi(api_url, AUTH) as api:
        api.emit(
            [
                events.of_tick(now, "x"),
                about("opened", 1, now),
                about("opened", 2, now),
                about("acknowledged", 2, now),
                events._event("dondoc.digest.made", "w", now, "x", {}),
                events._event(events.CHANNEL_DOWN, "email", now, "x", {}),
                *(events._event(events.LETTER_REFUSED, str(n), now, "x", {}) for n in range(25)),
            ]
        )
    until = time.monotonic() + PATIENCE_SECONDS
    while len(Called.bodies) < len(names) and time.monotonic() < until:
        time.sleep(0.2)
    time.sleep(3)  # whoever calls twice would by now
    print(json.dumps({"names": names, "called": Called.bodies}), flush=True)
    exit_process(0)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
