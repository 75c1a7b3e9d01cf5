"""What a Prefect that is stopped, hangs or answers wrongly does to the letters of ``dondoc serve``.

    PYTHONPATH=tests python -m tests.bench.beside_prefect [--letters 150] [--rounds 2]

Each kind in turn: seconds from the start of the process to the first and the last letter, letters, copies. ``serve``
ticks every second; the relay answers after 20 ms.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from tempfile import TemporaryDirectory

from crash.campaign import prepare, settings
from crash.forms import wait_until
from crash.relay import SlowRelay
from ground.databases import closing_database
from ground.serving import DONDOC, free_port
from ground.web_servers import served

from workflows.run.prefect_server import descendants

PATIENCE_SECONDS = 180
SLOW_SECONDS = 30.0


def answering(status: int, body: bytes, seconds: float = 0, lives: bool = True) -> type[BaseHTTPRequestHandler]:
    """``lives``: the question whether it lives is answered at once, and well."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            well = lives and self.path.endswith("/health")
            time.sleep(0 if well else seconds)
            with suppress(OSError):
                self.send_response(200 if well else status)
                self.end_headers()
                self.wfile.write(b"true" if well else body)

        do_POST = do_PATCH = do_PUT = do_DELETE = do_GET

        def log_message(self, *_: object) -> None:
            pass

    return Answer


@contextmanager
def nobody() -> Iterator[str]:
    """A port at which nobody listens."""
    yield f"http://127.0.0.1:{free_port()}"


@contextmanager
def silent() -> Iterator[str]:
    """The connection is taken, and nothing is said."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(100)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


KINDS: dict[str, Callable[[], object] | None] = {
    "not used": None,
    "stopped": nobody,
    "hangs": silent,
    "every answer after 30 s": lambda: served(answering(200, b"true", SLOW_SECONDS, lives=False)),
    "lives, the rest after 30 s": lambda: served(answering(200, b"{}", SLOW_SECONDS)),
    "401 to all but health": lambda: served(answering(401, b"{}")),
    "500 to all but health": lambda: served(answering(500, b"{}")),
    "404 to all but health": lambda: served(answering(404, b"{}")),
    "200 with HTML to all but health": lambda: served(answering(200, b"<!doctype html><title>Log in</title>")),
}


def lived(kind: str, letters: int) -> tuple[float, float, int, int]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        database = stack.enter_context(closing_database(f"sqlite:///{folder}/dondoc.db"))
        database.upgrade()
        relay = stack.enter_context(SlowRelay(seconds=(0.02, 0.02), sample=10**9).running())
        told = settings(database, folder, relay)
        prepare(database, letters)
        words = [DONDOC, "serve", "--port", str(free_port()), "--every", "1"]
        if (begin := KINDS[kind]) is None:
            words.append("--no-prefect")
        else:
            told["DONDOC_PREFECT_API_URL"] = f"{stack.enter_context(begin())}/api"  # type: ignore[arg-type]
        began = time.monotonic()
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(words, env=os.environ | told, cwd=folder, stdout=log, stderr=log)
        try:
            wait_until(lambda: relay.taken, PATIENCE_SECONDS)
            first = time.monotonic() - began
            wait_until(lambda: len(relay.taken) >= letters, PATIENCE_SECONDS)
            return first, time.monotonic() - began, len(set(relay.taken)), len(relay.taken) - len(set(relay.taken))
        finally:
            for pid in [process.pid, *descendants(process.pid)]:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--letters", type=int, default=150)
    parser.add_argument("--rounds", type=int, default=1)
    asked = parser.parse_args()
    for _ in range(asked.rounds):
        for kind in KINDS:
            first, last, taken, copies = lived(kind, asked.letters)
            print(f"| {kind} | {taken} | {copies} | {first:.1f} | {last:.1f} |", flush=True)


if __name__ == "__main__":
    main()
