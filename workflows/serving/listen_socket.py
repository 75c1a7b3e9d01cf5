"""The listening socket of the web server."""

from __future__ import annotations

import socket

from engine.errors import BadInput
from engine.text import Text


def listen_at(host: str, port: int) -> socket.socket:
    """A bound TCP socket; port 0 picks a free one. Raises BadInput if the address is not available.

    The protocol IPPROTO_TCP is given explicitly: asyncio sets TCP_NODELAY only on such sockets. Otherwise a response in
    two parts waits for the client's delayed acknowledgement: 40 ms a page.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise BadInput(
            Text(
                f"Không mở được {host}:{port} ({error.strerror}); chọn cổng khác bằng --port.",
                f"{host}:{port} cannot be opened; choose another with --port.",
            )
        ) from None
    return listener
