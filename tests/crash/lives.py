"""Run the scenario with crashes, and check the invariants of every run.

``Cradle`` restores a prepared database for each run and forks processes that run the scenario; everything is imported
once. Requires a process without threads: pytest starts ``run.py``, which has none.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import re
import shutil
import threading
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
from crash.life import LEASE, live, prepare
from crash.steps import CONNECTIONS, Journal, Steps, Watched
from ground.databases import closing_database
from ground.factory import rows
from sqlalchemy import select

from engine.accounts.signed_links import Signer
from engine.store.database import Database, table
from engine.store.records import Assignment, Delivery, Digest, Duty, Event, Letter, LetterBody, Notice
from engine.terms import EventKind, LetterState
from notifications.delivery import DeliveryContext
from notifications.email.maildir import Maildir
from notifications.email.mime import Sender
from notifications.letters.renderer import LetterRenderer, RendererSettings

SENDER = Sender("dondoc@tinh.example", "Đôn Đốc")


@dataclass(frozen=True)
class Death:
    """One process: the step at which it is killed (0: never) and its delay after the previous process."""

    step: int = 0
    late: timedelta = timedelta()


@dataclass
class Account:
    """The result of one run, comparable between runs: row ids are replaced by natural keys."""

    notices: set[str] = field(default_factory=set)
    events: Counter[str] = field(default_factory=Counter)
    agenda: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    digests: set[tuple[int, str]] = field(default_factory=set)
    letters: dict[str, LetterState] = field(default_factory=dict)
    delivered: Counter[str] = field(default_factory=Counter)
    bodies: set[str] = field(default_factory=set)
    taken: dict[str, list[str]] = field(default_factory=dict)
    """Letter key -> the Message-ID of each copy that the channel accepted."""
    in_flight: Counter[str] = field(default_factory=Counter)
    """Letter key -> how many of the processes that had it accepted were killed: each may have done so before it was
    settled. Which ones did is known to the database alone; together they are at most two a connection."""
    deaths: list[str] = field(default_factory=list)


class Cradle:
    """Provides a prepared database for each run. ``server``: a PostgreSQL URL; without one, SQLite in ``folder``.

    The constructor runs the scenario without crashes, so that everything is imported, compiled and cached once; the
    forked processes inherit it.
    """

    def __init__(self, folder: Path, server: str = "") -> None:
        self.folder, self.server = folder, server
        self._names = {name: f"crash_{name}_{os.getpid()}" for name in ("life", "prepared")}
        if server:
            self._create(self._names["prepared"], "template1")
        with closing_database(self._url("prepared")) as database:
            database.upgrade()
            prepare(database)
        self.database = Database(
            self._url("life"), durable=False
        )  # killed processes do not lose data that the OS has: no fsync needed
        self.journal = Journal(folder / "journal")
        self.steps = Steps(self.journal)
        self.steps.listen(self.database)
        self._renderer = LetterRenderer(
            Signer("a key for the crash tests alone"), RendererSettings("http://127.0.0.1:8188")
        )
        for _ in ("everything compiled on the way", "and counted"):
            self._fresh()
            self._be(Death(), "host:0", 0, None)
        self.undisturbed = self._account()
        self.length = self.steps.taken

    def close(self) -> None:
        self.database.dispose()
        for name in self._names.values() if self.server else ():
            with closing(psycopg.connect(self.server, autocommit=True)) as connection:
                connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def _url(self, name: str) -> str:
        if self.server:
            return self.server.rpartition("/")[0] + "/" + self._names[name]
        return f"sqlite:///{self.folder}/{name}.db"

    def _fresh(self) -> None:
        """Restore the prepared database; remove mail and journal."""
        self.database.dispose()
        shutil.rmtree(self.folder / "mail", ignore_errors=True)
        self.journal.path.unlink(missing_ok=True)
        if self.server:
            self._create(self._names["life"], self._names["prepared"])
            return
        for old in self.folder.glob("life.db*"):
            old.unlink()
        shutil.copyfile(self.folder / "prepared.db", self.folder / "life.db")

    def _create(self, name: str, template: str) -> None:
        with closing(psycopg.connect(self.server, autocommit=True)) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')

    # --- living ---------------------------------------------------------------------------------------------------

    def live(self, deaths: Sequence[Death]) -> Account:
        """One run: a process per crash, each resuming where the previous one was killed, and a last one to the end."""
        self._fresh()
        for number, death in enumerate((*deaths, Death(0, deaths[-1].late))):
            pid = self._fork(death, f"host:{number}", None)
            if not self._ended(os.waitpid(pid, 0)[1]):
                break
        return self._account()

    def live_together(self, deaths: Sequence[Death]) -> Account:
        """One run by several concurrent processes, synchronised at each moment. Killed ones are not restarted."""
        self._fresh()
        together = multiprocessing.get_context("fork").Barrier(len(deaths))
        children = {self._fork(death, f"host:{n}", together) for n, death in enumerate(deaths)}
        while children:
            pid, status = os.wait()
            children.remove(pid)
            if self._ended(status):
                together.abort()  # the others do not wait for the killed process
        return self._account()

    def _fork(self, death: Death, worker: str, together: Any) -> int:
        begin = max((int(words[2]) for words in self.journal.lines() if words[1] == "moment"), default=0)
        self.database.dispose()
        pid = os.fork()
        if pid:
            return pid
        try:
            self._be(death, worker, begin, together)
        except BaseException:  # noqa: BLE001 - the child must never continue with its parent's code
            (self.folder / "said").write_text(traceback.format_exc())
            os._exit(1)
        os._exit(0)

    def _ended(self, status: int) -> bool:
        """True if the child was killed; a child that failed by itself fails the whole run."""
        if not os.WIFSIGNALED(status) and os.waitstatus_to_exitcode(status):
            raise RuntimeError((self.folder / "said").read_text())
        return os.WIFSIGNALED(status)

    def _be(self, death: Death, worker: str, begin: int, together: Any) -> None:
        self.journal.begin()
        self.steps.taken, self.steps.last = 0, death.step
        channel = Watched(Maildir(self.folder / "mail", SENDER, delivers=True), self.steps, self.journal)
        office = DeliveryContext(channels={"email": channel}, renderer=self._renderer, worker=worker, lease=LEASE)

        def told(number: int) -> None:
            if together is not None:
                _meet(together)
            self.journal.note("moment", number)

        asyncio.run(live(self.database, office, begin=begin, late=death.late, told=told))

    def _account(self) -> Account:
        found = Account()
        _read(self.database, found)
        took: dict[str, set[str]] = {}
        for pid, what, *rest in self.journal.lines():
            if what == "taken":
                found.taken.setdefault(rest[0], []).append(rest[1])
                took.setdefault(pid, set()).add(rest[0])
            elif what == "died":
                found.deaths.append(" ".join(rest[1:]))
                found.in_flight.update(took.pop(pid, ()))
        return found


def _meet(together: Any) -> None:
    """Wait for the other processes at the next moment, unless one of them was killed."""
    with contextlib.suppress(threading.BrokenBarrierError):
        together.wait(60)


def _read(database: Database, found: Account) -> None:
    a, d = table(Assignment), table(Duty)
    with database.read() as session:
        named = session.connection().execute(select(a, d.c.citation).join(d, d.c.id == a.c.duty_id)).all()
    names = {str(row.id): f"{row.citation}/{row.agency_id}/{row.period}" for row in named}

    def known(key: str | None) -> str:
        return re.sub(r"assignment:(\d+)", lambda match: names[match[1]], key or "")

    for row in named:
        looks = (row.acted_until, row.next_action_at, row.quiet)
        found.agenda[names[str(row.id)]] = (row.state, row.level, row.due_on, *looks)
    found.notices = {known(row.key) for row in rows(database, Notice)}
    for row in rows(database, Event):
        if row.kind is not EventKind.LETTER_SUPPRESSED:
            found.events[f"{row.kind.value} {known(row.key)} {names.get(str(row.assignment_id), '')}"] += 1
    found.digests = {(row.contact_id, row.week) for row in rows(database, Digest)}
    keys = {row.id: row.key for row in rows(database, Letter)}
    found.letters = {row.key: row.state for row in rows(database, Letter)}
    found.delivered.update(keys[row.letter_id] for row in rows(database, Delivery))
    found.bodies = {keys[row.letter_id] for row in rows(database, LetterBody)}


def wrongs(lived: Account, undisturbed: Account) -> Iterator[str]:
    """The violated invariants, as sentences; empty if there are none. A letter on the wire at two deaths may end
    in doubt: a person decides, and no third copy goes out."""
    doubtful = {key for key, state in lived.letters.items() if state is LetterState.UNKNOWN}
    if doubtful and len(lived.deaths) < 2:
        yield f"in doubt after {len(lived.deaths)} deaths: {sorted(doubtful)}"
    given_up = Counter(f"{EventKind.LETTER_SETTLED.value} {key}:lease_lost " for key in doubtful)
    for name in ("notices", "agenda", "digests", "events"):
        mine, theirs = getattr(lived, name), getattr(undisturbed, name)
        if name == "events":
            theirs = theirs + given_up
        if mine != theirs:
            lost, more = _difference(theirs, mine), _difference(mine, theirs)
            yield f"{name}: missing {lost}, too many {more}"
    said = {LetterState.DELIVERED, LetterState.SUPPRESSED}
    for key, state in lived.letters.items():
        if key in doubtful:
            if lived.delivered[key] or len(lived.taken.get(key, [])) > lived.in_flight[key]:
                yield f"{key} is in doubt and has {lived.delivered[key]} deliveries"
            continue
        if state not in said:
            yield f"{key} ended as {state}"
        due = 1 if state is LetterState.DELIVERED else 0
        if lived.delivered[key] != due or (key in lived.bodies) != bool(due):
            yield f"{key} is {state} and has {lived.delivered[key]} deliveries"
        copies = lived.taken.get(key, [])
        if not due <= len(copies) <= due + lived.in_flight[key]:
            yield f"{key}: {len(copies)} copies, and {lived.in_flight[key]} of those that sent it were killed"
        if len(set(copies)) > 1:
            yield f"{key}: copies with different Message-IDs"
    second = sum(len(copies) - 1 for copies in lived.taken.values())
    if second > 2 * CONNECTIONS * len(lived.deaths):
        yield f"{second} second copies after {len(lived.deaths)} deaths"
    for key in set(lived.taken) - set(lived.letters):
        yield f"{key} was sent and is not in the database"


def _difference(some: Any, others: Any) -> list[Any]:
    if isinstance(some, dict) and not isinstance(some, Counter):
        return [(key, value) for key, value in some.items() if others.get(key) != value][:5]
    return list(some - others)[:5]
