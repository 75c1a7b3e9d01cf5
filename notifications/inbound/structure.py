"""A large message over IMAP: its parts are looked at first, and only those that are needed are fetched.

A PDF of some megabytes may stand before the text, and nobody reads forty of them to learn that one word was written.
The parts are put together again to a message with the same head; a part that was left out says so
(``message.LEFT_OUT``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from engine.assignments.reports.evidence import MAX_FILE_BYTES, MAX_FILES
from notifications.inbound.message import LEFT_OUT

MAX_TEXT_BYTES = 262_144
"""Fetched of a text; of a message that is no larger everything."""
MAX_PART_BYTES = MAX_FILE_BYTES * 14 // 10
"""Of a file as it travels, in base64 with its line ends."""
MAX_FETCHED_BYTES = 4 * MAX_PART_BYTES
"""Of all files of one message."""
_BOUNDARY = b"dondoc-parts-of-a-large-message"
_REPLACED = (b"content-", b"mime-version")


@dataclass(frozen=True, slots=True)
class Part:
    """A part without parts: ``number`` as IMAP counts, ``size`` as it travels."""

    number: str
    main: str
    sub: str
    size: int


def parts_of(structure: Any, number: str = "") -> Iterator[Part]:
    """The parts of a BODYSTRUCTURE as ``imapclient`` has it. A mail within a mail is one part."""
    if isinstance(structure[0], list):
        for at, each in enumerate(structure[0], 1):
            yield from parts_of(each, f"{number}.{at}" if number else str(at))
        return
    main, sub, size = _word(structure[0]), _word(structure[1]), structure[6]
    yield Part(number or "1", main, sub, int(size))


def _word(value: Any) -> str:
    return value.decode("ascii", "replace").lower() if isinstance(value, bytes) else ""


def is_report(parts: Sequence[Part]) -> bool:
    """A delivery report, which is read as a whole."""
    return any(each.sub in ("delivery-status", "disposition-notification") for each in parts)


def wanted(parts: Sequence[Part]) -> dict[str, int]:
    """How many bytes to fetch of each part: of texts the beginning, of files all or nothing."""
    fetched: dict[str, int] = {}
    room, files = MAX_FETCHED_BYTES, 0
    for part in parts:
        if part.main == "text":
            fetched[part.number] = min(part.size, MAX_TEXT_BYTES)
        elif part.main != "message" and part.size <= min(MAX_PART_BYTES, room) and files < MAX_FILES:
            fetched[part.number] = part.size
            room, files = room - part.size, files + 1
    return fetched


def assembled(head: bytes, parts: Sequence[tuple[bytes, bytes | None]]) -> bytes:
    """A message of these parts, each its own head and content; None for one that was left out."""
    lines = [head_without_content(head), b'Content-Type: multipart/mixed; boundary="%s"\r\n\r\n' % _BOUNDARY]
    for own, content in parts:
        own = own.rstrip(b"\r\n")
        if content is None:
            own = own + b"\r\n" + LEFT_OUT.encode() + b": too large"
        lines += [b"--%s\r\n" % _BOUNDARY, own.lstrip(b"\r\n"), b"\r\n\r\n", content or b"", b"\r\n"]
    return b"".join([*lines, b"--%s--\r\n" % _BOUNDARY])


def head_without_content(head: bytes) -> bytes:
    """The head of a message without what says how its content is written."""
    kept: list[bytes] = []
    keep = True
    for line in head.replace(b"\r\n", b"\n").split(b"\n"):
        if not line:
            continue
        if line[:1] not in b" \t":
            keep = not line.lower().startswith(_REPLACED)
        if keep:
            kept.append(line)
    return b"".join(line + b"\r\n" for line in kept)
