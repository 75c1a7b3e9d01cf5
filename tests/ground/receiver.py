"""A receiver of webhooks on loopback: keeps what it is sent and answers as it is told."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


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

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
