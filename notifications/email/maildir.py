"""The channel "email" when no relay is configured: letters are written to a local Maildir folder.

A Maildir (tmp, new, cur) can be opened with any mail client. The file name is derived from the letter's key, so a
second copy of a letter replaces the first.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_binary_file, policy
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Self

from engine.errors import BadInput, NotFound
from engine.text import Text
from notifications.contract.channel import Channel, Fate, Outcome, Outgoing
from notifications.email.mime import Sender, compose, digest

_NAME = re.compile(r"[0-9a-f]{32}\.dondoc(:2,[A-Z]*)?")  # with the flags that mail clients append


@dataclass(frozen=True, slots=True, kw_only=True)
class MaildirLetter:
    """One letter in the folder. ``text`` and ``html`` are empty in the results of ``letters``."""

    name: str
    at: datetime
    to: str
    subject: str
    message_id: str
    text: str = ""
    html: str = ""


class Maildir(Channel):
    """The channel. ``durable``: call fsync after each letter. ``delivers``: in the demonstration, where the person at
    the screen is the reader; elsewhere a letter in the folder is kept, not delivered."""

    name = "email"
    parallel = 4

    def __init__(self, folder: Path, sender: Sender, *, durable: bool = False, delivers: bool = False) -> None:
        self._folder = folder
        self._sender = sender
        self._durable = durable
        self._fate = Fate.DELIVERED if delivers else Fate.KEPT_HERE

    async def __aenter__(self) -> Self:
        try:
            for part in ("tmp", "new", "cur"):
                (self._folder / part).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadInput(
                Text(
                    f"Không tạo được thư mục thư «{self._folder}»; hãy sửa đường dẫn hoặc quyền ghi.",
                    f"The mail folder “{self._folder}” cannot be created ({error.strerror}); check path and rights.",
                )
            ) from error
        return self

    async def reachable(self) -> bool:
        """True if the folder is writable."""
        return os.access(self._folder / "tmp", os.W_OK)

    async def send(self, letter: Outgoing) -> Outcome:
        """Write the letter as it would be sent. A full or read-only disk is a retry."""
        try:
            message_id, content = compose(letter, self._sender)
        except BadInput as error:
            return Outcome(fate=Fate.REFUSED, reply=str(error))
        try:
            self._write(f"{digest(letter.key)[:32]}.dondoc", content, letter.at.timestamp())
        except OSError as error:
            return Outcome(fate=Fate.RETRY, reply=f"{self._folder}: {error.strerror}")
        return Outcome(fate=self._fate, receipt=message_id if self._fate is Fate.DELIVERED else "")

    def _write(self, name: str, content: bytes, at: float) -> None:
        """Write to tmp, then rename, so that a reader never sees an incomplete letter."""
        partial = self._folder / "tmp" / name
        with open(partial, "wb") as file:
            file.write(content)
            if self._durable:
                file.flush()
                os.fsync(file.fileno())
        os.utime(partial, (at, at))
        partial.rename(self._folder / "new" / name)
        if self._durable:
            _sync_folder(self._folder / "new")


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def letters(folder: Path, limit: int = 100) -> list[MaildirLetter]:
    """The newest letters of a folder, newest first, headers only. Empty if the folder does not exist."""
    entries = [entry for part in ("new", "cur") if (folder / part).is_dir() for entry in os.scandir(folder / part)]
    newest = sorted(entries, key=lambda entry: (entry.stat().st_mtime, entry.name), reverse=True)[:limit]
    return [_read(Path(entry.path), whole=False) for entry in newest]


def read(folder: Path, name: str) -> MaildirLetter:
    """One letter with its bodies. Raises NotFound for a name that does not belong to a letter, e.g. a path."""
    paths = [folder / part / name for part in ("new", "cur")] if _NAME.fullmatch(name) else []
    path = next((path for path in paths if path.is_file()), None)
    if path is None:
        raise NotFound(Text("Không có thư này.", "There is no such letter."))
    return _read(path, whole=True)


def _read(path: Path, *, whole: bool) -> MaildirLetter:
    with open(path, "rb") as file:
        if whole:
            message = message_from_binary_file(file, policy=policy.default)
        else:
            message = BytesHeaderParser(policy=policy.default).parse(file)
        at = datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC)
    bodies = {kind: message.get_body((kind,)) if whole else None for kind in ("plain", "html")}
    text, html = ("" if body is None else str(body.get_content()).replace("\r\n", "\n") for body in bodies.values())
    head = {name: str(message.get(name, "")) for name in ("To", "Subject", "Message-ID")}
    return MaildirLetter(
        name=path.name,
        at=at,
        to=head["To"],
        subject=head["Subject"],
        message_id=head["Message-ID"],
        text=text,
        html=html,
    )
