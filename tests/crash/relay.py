"""A relay that takes its time, and the readers of its letters who acknowledge while the product is being killed."""

from __future__ import annotations

import asyncio
import email
import email.policy
import queue
import random
import re
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

import httpx
from ground.own_loop import on_own_loop

_MESSAGE_ID = re.compile(rb"^Message-ID:\s*(<[^>\r\n]+>)", re.I | re.M)
_LINK = re.compile(r"/l/[\w.~-]+")
_FORM_TOKEN = re.compile(r'name="token" value="([^"]+)"')


@dataclass
class SlowRelay:
    """An SMTP server on loopback. ``seconds``: the shortest and longest time a letter takes. ``taken``: Message-IDs in
    their order. ``letters``: every ``sample``-th letter as received, for a reader."""

    seed: int = 1
    seconds: tuple[float, float] = (0.005, 0.05)
    sample: int = 20
    port: int = 0
    taken: list[str] = field(default_factory=list)
    letters: queue.SimpleQueue[bytes] = field(default_factory=queue.SimpleQueue)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        rng = random.Random(self.seed)
        try:
            writer.write(b"220 relay ESMTP\r\n")
            while line := await reader.readline():
                word = line[:4].upper()
                if (refusal := self.refusal(word)) is not None:
                    writer.write(refusal)
                    if not refusal:
                        break
                elif word == b"DATA":
                    writer.write(b"354 go on\r\n")
                    text = await reader.readuntil(b"\r\n.\r\n")
                    await asyncio.sleep(rng.uniform(*self.seconds))
                    self.take(text)
                    if self.refusal(b".") is not None:
                        break
                    writer.write(b"250 2.0.0 taken\r\n")
                elif word == b"QUIT":
                    writer.write(b"221 bye\r\n")
                    break
                else:
                    writer.write(b"250-relay\r\n250 SIZE 10000000\r\n" if word == b"EHLO" else b"250 ok\r\n")
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the sender was killed, or the relay ends while it is connected
        finally:
            writer.close()

    def refusal(self, word: bytes) -> bytes | None:
        """Instead of the usual answer to a command, or after a letter («.»); empty: the connection breaks off."""
        return None

    def take(self, text: bytes) -> None:
        found = _MESSAGE_ID.search(text)
        self.taken.append(found[1].decode() if found else "")
        if len(self.taken) % self.sample == 0:
            self.letters.put(text)

    @contextmanager
    def running(self) -> Iterator[SlowRelay]:
        with on_own_loop(self._open):
            yield self

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[None]:
        # Without ``async with``: leaving it waits for senders that stay connected, and they end with the loop.
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=2**22)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()


@dataclass
class Readers:
    """Open the link of a sampled letter and acknowledge. ``address``: where the product answers now; empty: nowhere.
    ``confirmed``: mailboxes that were told «đã ghi nhận»."""

    relay: SlowRelay
    address: str = ""
    confirmed: set[str] = field(default_factory=set)
    _ended: threading.Event = field(default_factory=threading.Event)

    def end(self) -> None:
        """No further letter is opened."""
        self._ended.set()

    @contextmanager
    def running(self) -> Iterator[Readers]:
        thread = threading.Thread(target=self._read)
        thread.start()
        try:
            yield self
        finally:
            self.end()
            thread.join(60)

    def _read(self) -> None:
        while not self._ended.is_set():
            try:
                message = email.message_from_bytes(self.relay.letters.get(timeout=0.2), policy=email.policy.default)
            except queue.Empty:
                continue
            text = message.get_body(("plain",))
            link = _LINK.search(text.get_content()) if text is not None else None
            if link is not None and self._acknowledge(link[0]):
                self.confirmed.add(str(message["To"]).strip("<>"))

    def _acknowledge(self, path: str) -> bool:
        for _ in range(20):  # for as long as the product may be away
            if self._ended.is_set():
                return False
            try:
                with httpx.Client(base_url=self.address, timeout=10) as http:
                    token = _FORM_TOKEN.search(http.get(path).raise_for_status().text)
                    told = http.post(path, data={"token": token[1] if token else ""})
                    if told.status_code == httpx.codes.SEE_OTHER:
                        return True
            except (httpx.HTTPError, httpx.InvalidURL):
                pass
            self._ended.wait(0.5)
        return False
