"""Clients that send slowly, half a request, or too many at once: they are dropped, others are served."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from workflows.server import ConnectionLimits, WebServer
from workflows.serving.sending import listen_at

QUICK = ConnectionLimits(connections=20, header_seconds=0.3, body_seconds=0.3, body_bytes=100, whole_body_seconds=2.0)


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with how much was sent."""
    if scope["type"] == "http":
        with suppress(ClientDisconnect):
            await PlainTextResponse(str(len(await Request(scope, receive).body())))(scope, receive, send)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    listener = listen_at("127.0.0.1", 0)
    server = WebServer(echo, QUICK)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield int(listener.getsockname()[1])
    server.should_exit = True
    thread.join()


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def answered(client: socket.socket) -> bytes:
    """All that comes until the server closes the connection."""
    found = b""
    try:
        while part := client.recv(65_536):
            found += part
    except ConnectionResetError:
        pass
    return found


def asked(port: int, request: bytes = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") -> bytes:
    with connect(port) as client:
        client.sendall(request)
        return answered(client)


@pytest.mark.parametrize(
    "sent",
    [b"", b"GET / HTTP/1.1\r\nHost: x\r\n", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\na="],
    ids=["nothing", "half of the headers", "half of the body"],
)
def test_a_connection_that_sends_no_more_is_closed_without_an_answer(port: int, sent: bytes) -> None:
    with connect(port) as client:
        client.sendall(sent)
        assert answered(client) == b""


def test_headers_that_drip_are_not_waited_for(port: int) -> None:
    with connect(port) as client:
        client.sendall(b"GET / HTTP/1.1\r\n")
        with pytest.raises(OSError, match=r"reset|Broken pipe"):
            drip(client)


def drip(client: socket.socket) -> None:
    for number in range(500):
        client.sendall(f"X-{number}: y\r\n".encode())
        time.sleep(0.02)


def test_the_second_request_of_a_connection_is_limited_too(port: int) -> None:
    with connect(port) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n")
        assert answered(client).count(b"HTTP/1.1 200") == 1


def test_a_body_that_keeps_coming_is_read_to_its_end(port: int) -> None:
    with connect(port) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 4000\r\n\r\n")
        for _ in range(20):
            client.sendall(b"a" * 200)
            time.sleep(0.05)
        assert answered(client).endswith(b"4000")


def test_more_connections_than_allowed_are_told_to_come_back_and_others_are_served_after(
    port: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    crowd = [connect(port) for _ in range(60)]
    for client in crowd:
        try:
            client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\na=")
        except OSError:
            continue  # turned away already
    said = [answered(client) for client in crowd]
    for client in crowd:
        client.close()
    assert sum(b"503" in each and b"Retry-After: 10" in each for each in said) >= 30
    assert b"200 OK" in asked(port)
    assert "Traceback" not in caplog.text


def test_trouble_with_accepting_is_one_line_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    server = WebServer(echo, QUICK)

    async def trouble() -> None:
        loop = asyncio.get_running_loop()
        for _ in range(1000):
            error = OSError(24, "Too many open files")
            server._note_trouble(loop, {"message": "socket.accept() out of system resource", "exception": error})

    asyncio.run(trouble())
    assert [each.getMessage() for each in caplog.records] == [
        "socket.accept() out of system resource: Too many open files"
    ]
