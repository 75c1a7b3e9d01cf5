"""The socket that the pages are answered at."""

from __future__ import annotations

import socket

from engine.errors import BadInput
from engine.text import Text


def listen_at(host: str, port: int) -> socket.socket:
    """A bound TCP socket; port 0 is any that is free. Raises BadInput in words when the address cannot be had.

    Made as TCP by name: asyncio sends at once (TCP_NODELAY) only on sockets that say so. On others an answer in two
    parts waits for the reader's delayed acknowledgement: 40 ms a page.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    door = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind((host, port))
    except OSError as error:
        door.close()
        raise BadInput(
            Text(
                f"Không mở được {host}:{port} ({error.strerror}); chọn cổng khác bằng --port.",
                f"{host}:{port} cannot be opened; choose another with --port.",
            )
        ) from None
    return door
