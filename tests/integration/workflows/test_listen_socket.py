"""Where the pages are answered: at once, or with a sentence that says why not."""

from __future__ import annotations

import asyncio
import socket
from contextlib import closing

import pytest

from engine.errors import BadInput
from workflows.serving.sending import listen_at


def test_what_is_answered_leaves_at_once() -> None:
    """Measured: without it every page on a kept connection came 40 ms later."""

    async def accepted() -> int:
        told: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def met(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            told.set_result(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        door = listen_at("127.0.0.1", 0)
        async with await asyncio.start_server(met, sock=door):
            _, writer = await asyncio.open_connection(*door.getsockname())
            found = await told
            writer.close()
            return found

    assert asyncio.run(accepted()) == 1


def test_an_address_that_is_taken_is_said_in_a_sentence() -> None:
    with closing(listen_at("127.0.0.1", 0)) as taken:
        taken.listen()
        with pytest.raises(BadInput, match="Không mở được"):
            listen_at(*taken.getsockname())
