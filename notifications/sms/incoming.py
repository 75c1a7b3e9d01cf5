"""Incoming SMS from the two self-hosted gateways.

Kannel calls a URL (``sms-service``, ``get-url``), gammu-smsd writes files into its inbox. The sender is the number
reported by the network; ``inbound.answers`` matches it to a contact.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from engine.errors import BadInput
from engine.text import Text
from notifications.sms.numbers import e164

KANNEL_GET_URL = "from=%p&text=%a&id=%I&coding=%c"
"""Query string for ``get-url``, after the callback URL. ``max-messages = 0`` must be set too: our answer is a letter of
its own, not the HTTP response to Kannel."""
FILE_SETTLE_TIME = timedelta(seconds=10)
"""A message of several parts is several files; they are read when the newest is this old."""
_FILE = re.compile(r"(?P<id>IN\d{8}_\d{6}_\d+_(?P<sender>[^_/]+))_(?P<part>\d+)\.txt")


@dataclass(frozen=True, slots=True)
class Incoming:
    """``id``: the gateway's unique id, by which duplicates are recognised. ``sender``: E.164, or the name reported by
    the network if it is not a mobile number (a service, a bank); then ``answerable`` is False."""

    id: str
    sender: str
    text: str
    answerable: bool


def incoming(id: str, sender: str, text: str) -> Incoming:
    text = text.replace("\0", "")  # gammu-smsd pads UTF-16 with zeros, which PostgreSQL rejects
    try:
        return Incoming(id, e164(sender), text, answerable=True)
    except BadInput:
        return Incoming(id, sender[:32], text, answerable=False)


def from_kannel(query: Mapping[str, str]) -> Incoming:
    """The message of a Kannel request. Raises BadInput if parameters of ``KANNEL_GET_URL`` are missing."""
    if not query.get("id") or not query.get("from"):
        raise BadInput(
            Text(
                "Kannel gọi thiếu id hoặc from; sửa get-url.", "Kannel called without id or from; correct its get-url."
            )
        )
    return incoming(query["id"][:160], query["from"], query.get("text", ""))


def from_gammu(inbox: Path, now: datetime) -> list[tuple[Incoming, list[Path]]]:
    """Complete messages in the inbox, oldest first, each with its files. The caller removes the files after storing the
    message."""
    messages: dict[str, list[tuple[int, Path]]] = {}
    for path in sorted(inbox.glob("IN*.txt")):
        match = _FILE.fullmatch(path.name)
        if match:
            messages.setdefault(match["id"], []).append((int(match["part"]), path))
    complete = []
    for id, parts in messages.items():
        paths = [path for _, path in sorted(parts)]
        if all(datetime.fromtimestamp(path.stat().st_mtime, UTC) <= now - FILE_SETTLE_TIME for path in paths):
            sender = id.rpartition("_")[2]
            complete.append((incoming(id, sender, "".join(_text(path.read_bytes()) for path in paths)), paths))
    return complete


def _text(raw: bytes) -> str:
    """Decode a file: InboxFormat ``unicode`` is UTF-16 with a BOM, ``standard`` uses the daemon's locale."""
    return raw.decode("utf-16" if raw[:2] in (b"\xfe\xff", b"\xff\xfe") else "utf-8", "replace")
