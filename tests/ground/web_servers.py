"""Small web servers on loopback for what the product calls: heartbeat monitors and second clocks (``listening``),
receivers of webhooks, which keep what they are sent and answer as they are told (``receiving``), others (``served``).
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@contextmanager
def served(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """A web server on loopback, each request in a thread of its own; its address, without a path."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def listening(status: int = 200, ahead: timedelta = timedelta()) -> Iterator[tuple[str, list[str]]]:
    """A web server on loopback, and the paths that it was asked for. Its clock is so much ahead of this machine's."""
    asked: list[str] = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.do_HEAD()

        def do_HEAD(self) -> None:
            self.send_response(status)
            self.end_headers()

        def date_time_string(self, timestamp: float | None = None) -> str:
            return super().date_time_string(time.time() + ahead.total_seconds())

        def log_message(self, *_: Any) -> None:
            return

    with served(Answer) as url:
        yield f"{url}/ping", asked


@dataclass
class Received:
    headers: Mapping[str, str]
    body: bytes

    @property
    def data(self) -> dict[str, Any]:
        return dict(json.loads(self.body))


@dataclass
class Receiver:
    """``statuses``: what it answers, one after the other; the last again and again. ``pause``: seconds before each."""

    url: str = ""
    statuses: list[int] = field(default_factory=lambda: [200])
    headers: dict[str, str] = field(default_factory=dict)
    reply: bytes = b"ok"
    pause: float = 0.0
    got: list[Received] = field(default_factory=list)

    @property
    def types(self) -> list[str]:
        return [str(each.data["type"]) for each in self.got]


@contextmanager
def receiving(*statuses: int, **more: Any) -> Iterator[Receiver]:
    receiver = Receiver(statuses=list(statuses) or [200], **more)

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            receiver.got.append(Received({name.lower(): value for name, value in self.headers.items()}, body))
            time.sleep(receiver.pause)
            try:
                self._answer()
            except OSError:
                return  # the sender has gone: what it does after its time

        def _answer(self) -> None:
            self.send_response(receiver.statuses[min(len(receiver.got), len(receiver.statuses)) - 1])
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(receiver.reply)))
            self.end_headers()
            self.wfile.write(receiver.reply)

        def log_message(self, *_: Any) -> None:
            return

    with served(Answer) as url:
        receiver.url = f"{url}/hook"
        yield receiver
