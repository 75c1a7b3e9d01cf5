"""A relay that accepts everything as fast as possible, in its own process, for benchmarks.

    python tests/bench/smtp_sink.py [--ids] [--away MS]     prints its port, then its counts when standard input ends

``--away``: what comes in is answered after so many ms, as by a relay at that distance.
Supports EHLO (PIPELINING), MAIL, RCPT, DATA, RSET and QUIT; checks nothing, and stores only counts (and Message-IDs).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

HELLO = b"250-sink.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SIZE 50000000\r\n250 SMTPUTF8\r\n"
ANSWERS = {b"EHLO": HELLO, b"DATA": b"354 go on\r\n", b"QUIT": b"221 bye\r\n"}


@dataclass
class Count:
    """``bytes`` as received, dot-stuffed. ``ids`` is filled only on request."""

    messages: int = 0
    bytes: int = 0
    connections: int = 0
    ids: list[str] = field(default_factory=list)


class SinkProtocol(asyncio.Protocol):
    def __init__(self, count: Count, ids: bool, away: float) -> None:
        self.count, self.ids, self.away = count, ids, away
        self.buffer, self.in_data = b"", False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.count.connections += 1
        transport.write(b"220 sink.example ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        if self.away:
            asyncio.get_running_loop().call_later(self.away, self.read, data)
        else:
            self.read(data)

    def read(self, data: bytes) -> None:
        buffer = self.buffer + data if self.buffer else data
        while buffer:
            end = b"\r\n.\r\n" if self.in_data else b"\r\n"
            part, found, rest = buffer.partition(end)
            if not found:
                break
            buffer = rest
            if self.in_data:
                self.take(part)
            else:
                self.answer(part)
        self.buffer = buffer

    def take(self, message: bytes) -> None:
        self.in_data = False
        self.count.messages += 1
        self.count.bytes += len(message) + 2
        if self.ids:
            start = message.lower().find(b"\r\nmessage-id: ") + len(b"\r\nmessage-id: ")
            self.count.ids.append(message[start : message.find(b"\r\n", start)].decode())
        self.transport.write(b"250 2.0.0 taken\r\n")

    def answer(self, line: bytes) -> None:
        word = line[:4].upper()
        self.in_data = word == b"DATA"
        self.transport.write(ANSWERS.get(word, b"250 ok\r\n"))
        if word == b"QUIT":
            self.transport.close()


async def serve(ids: bool, away: float) -> None:
    loop, count = asyncio.get_running_loop(), Count()
    server = await loop.create_server(lambda: SinkProtocol(count, ids, away), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()
    print(json.dumps(vars(count)), flush=True)


class Sink:
    """``with Sink() as sink: … sink.port …``; ``sink.count`` is available after the block."""

    def __init__(self, *, ids: bool = False, away_ms: int = 0) -> None:
        self.ids, self.away_ms, self.count = ids, away_ms, Count()

    def __enter__(self) -> Self:
        command = [sys.executable, __file__, *(["--ids"] if self.ids else []), "--away", str(self.away_ms)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        said, _ = self.process.communicate(timeout=30)
        self.count = Count(**json.loads(said))


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--ids", action="store_true")
    arguments.add_argument("--away", type=int, default=0)
    options = arguments.parse_args()
    asyncio.run(serve(options.ids, options.away / 1000))
