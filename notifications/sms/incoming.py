"""Messages that come in, as the two gateways that a province runs itself hand them over.

Kannel calls an address (``sms-service``, ``get-url``), gammu-smsd writes files into its inbox. The sender is what the
network says; whether it is a contact's number is decided where contacts are known.
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
"""What the operator puts after the address and its secret in ``get-url``, with ``max-messages = 0`` beside it: the
answer is a letter of its own, never Kannel's reply to the request."""
FILE_SETTLE_TIME = timedelta(seconds=10)
"""A message of several parts is several files: they are read when the newest is this old."""
_FILE = re.compile(r"(?P<id>IN\d{8}_\d{6}_\d+_(?P<sender>[^_/]+))_(?P<part>\d+)\.txt")


@dataclass(frozen=True, slots=True)
class Incoming:
    """``id`` is the gateway's own and unique there: the same message twice is recognised by it. ``sender`` is E.164,
    or what the network said when that is no mobile number (a service, a bank): such a one is never answered."""

    id: str
    sender: str
    text: str
    answerable: bool


def incoming(id: str, sender: str, text: str) -> Incoming:
    text = text.replace("\0", "")  # gammu-smsd fills UTF-16 up with zeros, and no database takes them
    try:
        return Incoming(id, e164(sender), text, answerable=True)
    except BadInput:
        return Incoming(id, sender[:32], text, answerable=False)


def from_kannel(query: Mapping[str, str]) -> Incoming:
    """Raises BadInput when the address lacks what ``KANNEL_GET_URL`` asks for."""
    if not query.get("id") or not query.get("from"):
        raise BadInput(
            Text("Kannel gọi thiếu id hoặc from; sửa get-url.", "Kannel called without id or from; mend its get-url.")
        )
    return incoming(query["id"][:160], query["from"], query.get("text", ""))


def from_gammu(inbox: Path, now: datetime) -> list[tuple[Incoming, list[Path]]]:
    """Whole messages in the inbox, oldest first, each with its files: the caller stores the message, then removes
    them."""
    messages: dict[str, list[tuple[int, Path]]] = {}
    for path in sorted(inbox.glob("IN*.txt")):
        named = _FILE.fullmatch(path.name)
        if named:
            messages.setdefault(named["id"], []).append((int(named["part"]), path))
    found = []
    for id, parts in messages.items():
        paths = [path for _, path in sorted(parts)]
        if all(datetime.fromtimestamp(path.stat().st_mtime, UTC) <= now - FILE_SETTLE_TIME for path in paths):
            sender = id.rpartition("_")[2]
            found.append((incoming(id, sender, "".join(_text(path.read_bytes()) for path in paths)), paths))
    return found


def _text(raw: bytes) -> str:
    """InboxFormat ``unicode`` writes UTF-16 with its mark; ``standard`` writes in the daemon's locale."""
    return raw.decode("utf-16" if raw[:2] in (b"\xfe\xff", b"\xff\xfe") else "utf-8", "replace")
