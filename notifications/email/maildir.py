"""The channel "email" while no relay is set up: letters go into a folder on this machine, for people to look at.

A Maildir (tmp, new, cur), so that any mail reader opens it. The file's name is made from the letter's key, so a
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
from types import TracebackType
from typing import Self

from engine.errors import BadInput, NotFound
from engine.text import Text
from notifications.channel import Fate, Outcome, Outgoing
from notifications.email.mime import Sender, compose, digest

_NAME = re.compile(r"[0-9a-f]{32}\.dondoc(:2,[A-Z]*)?")  # with the flags that a mail reader adds


@dataclass(frozen=True, slots=True)
class MaildirChannel:
    """One letter in the folder. ``text`` and ``html`` are empty in a list."""

    name: str
    at: datetime
    to: str
    subject: str
    message_id: str
    text: str = ""
    html: str = ""


class Maildir:
    """The channel. ``durable`` waits for the disk after each letter, which a folder for looking at seldom needs."""

    name = "email"
    parallel = 4

    def __init__(self, folder: Path, sender: Sender, *, durable: bool = False) -> None:
        self._folder = folder
        self._sender = sender
        self._durable = durable

    async def __aenter__(self) -> Self:
        try:
            for part in ("tmp", "new", "cur"):
                (self._folder / part).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadInput(
                Text(
                    f"Không tạo được thư mục thư «{self._folder}»; hãy sửa đường dẫn hoặc quyền ghi.",
                    f"The mail folder “{self._folder}” cannot be made ({error.strerror}); correct its path or rights.",
                )
            ) from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    async def reachable(self) -> bool:
        """Whether a letter would be taken now."""
        return os.access(self._folder / "tmp", os.W_OK)

    async def send(self, letter: Outgoing) -> Outcome:
        """Writes the letter as it would be sent. A full or read-only disk is a retry."""
        try:
            message_id, content = compose(letter, self._sender)
        except BadInput as error:
            return Outcome(Fate.REFUSED, reply=str(error))
        try:
            self._write(f"{digest(letter.key)[:32]}.dondoc", content, letter.at.timestamp())
        except OSError as error:
            return Outcome(Fate.RETRY, reply=f"{self._folder}: {error.strerror}")
        return Outcome(Fate.DELIVERED, receipt=message_id)

    def _write(self, name: str, content: bytes, at: float) -> None:
        """Complete in tmp first, then renamed, so that a reader never sees half a letter."""
        half = self._folder / "tmp" / name
        with open(half, "wb") as file:
            file.write(content)
            if self._durable:
                file.flush()
                os.fsync(file.fileno())
        os.utime(half, (at, at))
        half.rename(self._folder / "new" / name)
        if self._durable:
            _sync_folder(self._folder / "new")


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def letters(folder: Path, limit: int = 100) -> list[MaildirChannel]:
    """The newest letters of a folder, newest first, heads only. Empty for a folder that is not there."""
    found = [entry for part in ("new", "cur") if (folder / part).is_dir() for entry in os.scandir(folder / part)]
    newest = sorted(found, key=lambda entry: (entry.stat().st_mtime, entry.name), reverse=True)[:limit]
    return [_read(Path(entry.path), whole=False) for entry in newest]


def read(folder: Path, name: str) -> MaildirChannel:
    """One letter with its bodies. Raises NotFound for a name that is none of ours, paths included."""
    paths = [folder / part / name for part in ("new", "cur")] if _NAME.fullmatch(name) else []
    path = next((path for path in paths if path.is_file()), None)
    if path is None:
        raise NotFound(Text("Không có thư này.", "There is no such letter here."))
    return _read(path, whole=True)


def _read(path: Path, *, whole: bool) -> MaildirChannel:
    with open(path, "rb") as file:
        if whole:
            message = message_from_binary_file(file, policy=policy.default)
        else:
            message = BytesHeaderParser(policy=policy.default).parse(file)
        at = datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC)
    bodies = {kind: message.get_body((kind,)) if whole else None for kind in ("plain", "html")}
    text, html = ("" if body is None else str(body.get_content()).replace("\r\n", "\n") for body in bodies.values())
    head = {name: str(message.get(name, "")) for name in ("To", "Subject", "Message-ID")}
    return MaildirChannel(path.name, at, head["To"], head["Subject"], head["Message-ID"], text, html)
