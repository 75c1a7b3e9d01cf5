"""An asynchronous server for tests whose own code is synchronous, or has a loop for each of its steps."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager


@contextmanager
def on_own_loop(server: Callable[[], AbstractAsyncContextManager[object]]) -> Iterator[None]:
    """Entered and left in the loop of a thread of its own."""
    began = queue.SimpleQueue[tuple[asyncio.AbstractEventLoop, asyncio.Event]]()

    async def main() -> None:
        async with server():
            ended = asyncio.Event()
            began.put((asyncio.get_running_loop(), ended))
            await ended.wait()

    thread = threading.Thread(target=asyncio.run, args=(main(),))
    thread.start()
    loop, ended = began.get(timeout=10)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(10)
