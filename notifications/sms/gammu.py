"""gammu-smsd over its files backend (gammu-smsd-files(7)), for a local modem. A message is a file in the daemon's
outbox; the daemon moves it to ``sent`` or ``error`` under the same name, which is the receipt.

The daemon needs ``TransmitFormat = auto`` (its default would drop Vietnamese marks silently) and
``InboxFormat = unicode``. A network's report of delivery cannot be matched to a file, so ``sent`` means accepted.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from engine.errors import BadInput
from engine.terms import LetterState
from engine.text import Text
from notifications.contract.channel import Channel, Fate, Outcome, Outgoing
from notifications.sms.gateway import CodeMeaning, Message, outcome, prepare, refused
from notifications.sms.receipts import Receipt

_OURS = re.compile(r"OUTC_\+\d+_(dd-[0-9a-f]{32})\.txtd")
_FOLDER = Text(
    "Không ghi được vào outbox của gammu-smsd; xem thư mục và quyền.",
    "gammu-smsd's outbox cannot be written; check folder and permissions.",
)


class Gammu(Channel):
    """``outbox``, ``sent`` and ``error`` are the folders of the daemon's OutboxPath, SentSMSPath and ErrorSMSPath,
    three different ones on one file system."""

    name = "sms"
    parallel = 1

    def __init__(self, outbox: Path, sent: Path, error: Path) -> None:
        if len({outbox, sent, error}) < 3:
            raise BadInput(
                Text(
                    "Ba thư mục outbox, sent, error của gammu-smsd phải khác nhau.",
                    "gammu-smsd's outbox, sent and error must be three different folders.",
                )
            )
        self.outbox, self.sent, self.error = outbox, sent, error

    async def send(self, letter: Outgoing) -> Outcome:
        try:
            message = prepare(letter)
        except BadInput as error:
            return refused(error)
        try:
            return await asyncio.to_thread(self._submit, message)
        except OSError as failed:
            return outcome(CodeMeaning(Fate.RETRY, _FOLDER), type(failed).__name__, failed.strerror or "")

    def _submit(self, message: Message) -> Outcome:
        """Write the file atomically (rename). One name per letter, so a repeated call finds the file of the first."""
        name = f"OUTC_{message.number}_{message.reference}.txtd"
        for folder in (self.outbox, self.sent):  # in the order in which the daemon moves files
            if (folder / name).exists():
                return outcome(CodeMeaning(Fate.ACCEPTED), folder.name, "already there", message.reference)
        partial = self.outbox / f".{name}"  # the daemon ignores hidden files
        partial.write_bytes(message.text.encode("ascii" if message.text.isascii() else "utf-16"))
        partial.chmod(0o644)  # the daemon is another user; the folder's permissions say who gets here
        os.replace(partial, self.outbox / name)
        (self.error / name).unlink(missing_ok=True)
        return outcome(CodeMeaning(Fate.ACCEPTED), self.outbox.name, "", message.reference)

    def receipts(self) -> Iterator[Receipt]:
        """Receipts for all our files in ``sent`` and ``error``; the same ones each time, until they are pruned."""
        for folder, state in ((self.sent, LetterState.ACCEPTED), (self.error, LetterState.BOUNCED_SOFT)):
            for path, ours in self._files(folder):
                at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
                yield Receipt(ours, state, folder.name, at)

    def prune(self, before: datetime) -> int:
        """Remove files sent or failed before a time, since they contain texts and numbers. Returns how many."""
        old = [
            path
            for folder in (self.sent, self.error)
            for path, _ in self._files(folder)
            if path.stat().st_mtime < before.timestamp()
        ]
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)

    @staticmethod
    def _files(folder: Path) -> Iterator[tuple[Path, str]]:
        for path in sorted(folder.iterdir()):
            ours = _OURS.fullmatch(path.name)
            if ours:
                yield path, ours.group(1)
