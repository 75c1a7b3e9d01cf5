"""Files from outside are shown to a clamd of the office before anybody downloads them (its INSTREAM command).

A file is looked at each time, with the signatures of that moment. What cannot be looked at is held: it stays stored and
is given out once clamd answers.
"""

from __future__ import annotations

import socket
import struct
from contextlib import closing

from engine.errors import NotAllowed, Unavailable
from engine.text import Text

CHUNK_BYTES = 65_536
TIMEOUT_SECONDS = 20.0
MAX_REPLY_BYTES = 1_000
_LENGTH = struct.Struct(">I")


class Infected(NotAllowed):
    default = Text(
        "Máy quét mã độc của cơ quan báo tệp này có hại nên không tải xuống được; đề nghị báo cơ quan đã gửi.",
        "The office's scanner says that this file is harmful, so it is not given out; tell the agency that sent it.",
    )


class ScannerAway(Unavailable):
    default = Text(
        "Chưa quét mã độc được nên tệp tạm giữ trên máy chủ, không mất; đề nghị thử lại sau ít phút hoặc báo quản trị "
        "viên.",
        "The file could not be scanned, so it is held on the server and not lost; try again in a few minutes, or tell "
        "the administrator.",
    )


def require_clean(clamd: str, body: bytes, seconds: float = TIMEOUT_SECONDS) -> None:
    """``clamd``: «host:port», or the path of its socket; empty: nothing is scanned. Raises Infected, ScannerAway."""
    if not clamd:
        return
    try:
        reply = _reply_to(clamd, body, seconds)
    except (OSError, ValueError) as error:
        raise ScannerAway from error
    if reply.endswith("FOUND"):
        raise Infected
    if not reply.endswith("OK"):  # such as «INSTREAM size limit exceeded. ERROR»
        raise ScannerAway


def _reply_to(clamd: str, body: bytes, seconds: float) -> str:
    """What clamd says of the bytes. Raises OSError, or ValueError for an address that is none."""
    with closing(_connected(clamd, seconds)) as scanner:
        scanner.sendall(b"zINSTREAM\0")
        for start in range(0, len(body), CHUNK_BYTES):
            chunk = body[start : start + CHUNK_BYTES]
            scanner.sendall(_LENGTH.pack(len(chunk)) + chunk)
        scanner.sendall(_LENGTH.pack(0))
        reply = b""
        while not reply.endswith(b"\0") and len(reply) < MAX_REPLY_BYTES and (part := scanner.recv(MAX_REPLY_BYTES)):
            reply += part
    return reply.rstrip(b"\0\n").decode("utf-8", "replace")


def _connected(clamd: str, seconds: float) -> socket.socket:
    if not clamd.startswith("/"):
        host, _, port = clamd.rpartition(":")
        return socket.create_connection((host.strip("[]"), int(port)), timeout=seconds)
    scanner = socket.socket(socket.AF_UNIX)
    try:
        scanner.settimeout(seconds)
        scanner.connect(clamd)
    except OSError:
        scanner.close()
        raise
    return scanner
