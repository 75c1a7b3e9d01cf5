"""TXT records by DNS (RFC 1035, EDNS0 of RFC 6891): the one question that the system's resolver functions cannot ask.

Asked of the name servers of /etc/resolv.conf, over UDP and, where an answer was cut, TCP. Used by ``dondoc doctor``
alone, which changes nothing by what it reads; a library for this one question would be the larger part.
"""

from __future__ import annotations

import secrets
import socket
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

RESOLV_CONF = Path("/etc/resolv.conf")
TXT, OPT, INTERNET = 16, 41, 1
NO_ERROR, NAME_ERROR = 0, 3
UDP_BYTES, SECONDS, PORT = 1232, 3.0, 53
MAX_SERVERS = 2
MAX_POINTERS = 64


@dataclass(frozen=True, slots=True)
class TextRecords:
    """``exists``: False if the server says that there is no such name (RFC 8020: nor anything below it)."""

    exists: bool
    texts: tuple[str, ...] = ()


AskTexts = Callable[[str], TextRecords | None]
"""The TXT records of a name; None if nobody answered."""


def name_servers(path: Path = RESOLV_CONF) -> tuple[str, ...]:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return ()
    return tuple(words[1] for line in lines if (words := line.split())[:1] == ["nameserver"] and len(words) > 1)


def ask_texts(name: str, servers: Sequence[tuple[str, int]] | None = None) -> TextRecords | None:
    """Ask each server in turn until one answers."""
    if servers is None:
        servers = [(each, PORT) for each in name_servers()]
    number = secrets.randbits(16)
    try:
        question = _question(name, number)
    except UnicodeError:
        return None
    for server in servers[:MAX_SERVERS]:
        try:
            answer = _by_udp(question, server)
            if answer[2] & 0x02:  # cut
                answer = _by_tcp(question, server)
            return _read(answer, number)
        except (OSError, ValueError, struct.error, IndexError):
            continue
    return None


def _question(name: str, number: int) -> bytes:
    labels = name.rstrip(".").encode("idna").split(b".")
    if not all(0 < len(each) < 64 for each in labels):
        raise UnicodeError(name)
    asked = b"".join(bytes([len(each)]) + each for each in labels) + b"\0" + struct.pack("!HH", TXT, INTERNET)
    edns = b"\0" + struct.pack("!HHIH", OPT, UDP_BYTES, 0, 0)
    return struct.pack("!6H", number, 0x0100, 1, 0, 0, 1) + asked + edns


def _by_udp(question: bytes, server: tuple[str, int]) -> bytes:
    family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as asking:
        asking.settimeout(SECONDS)
        asking.connect(server)  # only this server's answer is taken
        asking.send(question)
        return asking.recv(65_535)


def _by_tcp(question: bytes, server: tuple[str, int]) -> bytes:
    with socket.create_connection(server, timeout=SECONDS) as asking:
        asking.sendall(struct.pack("!H", len(question)) + question)
        with asking.makefile("rb") as answer:
            (length,) = struct.unpack("!H", answer.read(2))
            return answer.read(length)


def _read(message: bytes, number: int) -> TextRecords | None:
    """None where the server did not answer the question (refused, failed). Raises ValueError for another's answer."""
    theirs, flags, questions, answers = struct.unpack_from("!4H", message)
    if theirs != number or not flags & 0x8000:
        raise ValueError("not the answer to this question")
    code = flags & 0x0F
    if code == NAME_ERROR:
        return TextRecords(exists=False)
    if code != NO_ERROR:
        return None
    at = 12
    for _ in range(questions):
        at = _after_name(message, at) + 4
    return TextRecords(exists=True, texts=tuple(_texts(message, at, answers)))


def _texts(message: bytes, at: int, answers: int) -> Iterator[str]:
    for _ in range(answers):
        at = _after_name(message, at)
        kind, _, _, length = struct.unpack_from("!HHIH", message, at)
        data = message[at + 10 : at + 10 + length]
        at += 10 + length
        if kind == TXT:  # a CNAME before it is passed over
            yield b"".join(_strings(data)).decode("ascii", "replace")


def _strings(data: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        yield data[at + 1 : at + 1 + data[at]]
        at += 1 + data[at]


def _after_name(message: bytes, at: int) -> int:
    for _ in range(MAX_POINTERS * 2):
        length = message[at]
        if length & 0xC0 == 0xC0:
            return at + 2
        at += 1 + length
        if not length:
            return at
    raise ValueError("a name without an end")
