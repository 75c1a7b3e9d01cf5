"""Number the steps of a process that runs passes, and kill it at one of them.

A step is every SQL statement, and the moments before and after every commit and every send. The numbers are
deterministic, so a crash can be reproduced by its number. Production code is not changed: statements and commits come
from SQLAlchemy events, sends from a wrapper around the channel.
"""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any, Self

from sqlalchemy import event
from sqlmodel import Session

from engine.store.database import Database
from notifications.contract.channel import Channel, Outcome, Outgoing

BEFORE_SEND, AFTER_SEND, BEFORE_COMMIT, AFTER_COMMIT = "before send", "after send", "before commit", "after commit"


class Journal:
    """A log that survives the killed process: an unbuffered file. Each line is the process id, then ``moment 3``,
    ``taken letter:12:email:2021-06-18 <…@…>`` or ``died 118 before commit``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = -1

    def begin(self) -> None:
        self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def lines(self) -> list[list[str]]:
        return [line.split() for line in self.path.read_text().splitlines()] if self.path.exists() else []

    def note(self, *words: object) -> None:
        os.write(self._file, (" ".join(map(str, (os.getpid(), *words))) + "\n").encode())


class Steps:
    """Counts the steps of this process and kills it with SIGKILL at step ``last`` (0: never)."""

    def __init__(self, journal: Journal) -> None:
        self.taken = self.last = 0
        self._journal = journal

    def take(self, name: str) -> None:
        self.taken += 1
        if self.taken == self.last:
            self._journal.note("died", self.taken, name)
            os.kill(os.getpid(), signal.SIGKILL)

    def listen(self, database: Database) -> None:
        """Count every statement and commit of a database in this process."""

        @event.listens_for(database.bind, "before_cursor_execute")
        def _statement(_1: Any, _2: Any, statement: str, *_: Any) -> None:
            self.take(" ".join(statement.split()[:3]))

        @event.listens_for(database.bind, "commit")
        def _before(_: Any) -> None:
            self.take(BEFORE_COMMIT)

        @event.listens_for(Session, "after_commit")
        def _after(_: Any) -> None:
            self.take(AFTER_COMMIT)


CONNECTIONS = 3


class Watched:
    """A wrapper around a channel that writes accepted letters to the journal before it returns."""

    name = "email"
    parallel = CONNECTIONS

    def __init__(self, inner: Channel, steps: Steps, journal: Journal) -> None:
        self._inner, self._steps, self._journal = inner, steps, journal

    async def send(self, letter: Outgoing) -> Outcome:
        self._steps.take(BEFORE_SEND)
        await asyncio.sleep(0)  # let other tasks run, so that sends overlap as on a network
        outcome = await self._inner.send(letter)
        self._journal.note("taken", letter.key, outcome.receipt)
        self._steps.take(AFTER_SEND)
        return outcome

    async def __aenter__(self) -> Self:
        await self._inner.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self._inner.__aexit__(*error)
