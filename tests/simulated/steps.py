"""The numbered steps of a process: every statement, every commit, before and after every letter; and what befalls it
at one of them.

As in ``crash.steps``, but a database may also fail and go on. The faults are raised where the driver would raise them
(the dialect's ``do_execute`` and ``do_commit``), so that SQLAlchemy and the product meet what they meet in life. Others
go on only between transactions: on SQLite there is one writer, and whoever waits for it waits in vain here.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable
from enum import StrEnum
from typing import Any

import psycopg
from crash.steps import AFTER_COMMIT, AFTER_SEND, BEFORE_COMMIT, BEFORE_SEND
from simulated.world import Died, World, current

from engine.store.database import Database


class Fault(StrEnum):
    """What happens at a step. ``UNTOLD``: it is committed, and the answer is lost."""

    DIE = "die"
    STALL = "stall"
    IO = "io"
    LOCKED = "locked"
    FULL = "full"
    LOST = "lost"
    UNTOLD = "untold"


SAID = {
    Fault.IO: "disk I/O error",
    Fault.LOCKED: "database is locked",
    Fault.FULL: "database or disk is full",
    Fault.LOST: "unable to open database file",
    Fault.UNTOLD: "disk I/O error",
}
NOT_OF_THE_DATABASE = (AFTER_COMMIT, BEFORE_SEND, AFTER_SEND)
STALL_SECONDS = 900.0
"""Longer than a lease: a machine that was suspended, or a virtual one that was moved."""
AWAY_STEPS = 6
"""A database that fails, fails for some statements, not for one."""
STEP_SECONDS = 0.02


class Steps:
    """Of one process. ``planned``: what happens at which number. ``fired``: what has happened, for the account."""

    def __init__(
        self, world: World, planned: dict[int, Fault], killed: Callable[[], bool], *, postgres: bool = False
    ) -> None:
        self.world, self.planned, self.killed, self.postgres = world, planned, killed, postgres
        self.falls: Callable[[], None] = lambda: None
        """Called before it stands still or its database fails."""
        self.taken = 0
        self.open = False
        """A transaction is open: nobody else may go on."""
        self.untold = False
        self.away_until = -1.0
        self.fired: Counter[Fault] = Counter()
        self._failing: tuple[Fault, int] | None = None

    def take(self, name: str) -> None:
        """Raises Died, or what the driver raises."""
        runner = current()
        if runner is None:
            return
        if runner.dead:
            raise _error(self, Fault.LOST)
        self.taken += 1
        fault = self.planned.pop(self.taken, None)
        if fault is not None:
            self._meet(fault, name)
        if self.killed():
            runner.dead = True
            raise Died
        if name in NOT_OF_THE_DATABASE:
            return
        if self.world.now < self.away_until:
            raise _error(self, Fault.LOST)
        if self._failing is not None:
            kind, left = self._failing
            self._failing = (kind, left - 1) if left > 1 else None
            raise _error(self, kind)

    def _meet(self, fault: Fault, name: str) -> None:
        runner = current()
        assert runner is not None
        if (fault is Fault.STALL and self.open) or (fault is Fault.UNTOLD and name != BEFORE_COMMIT):
            self.planned[self.taken + 1] = fault  # at the next step at which it can happen
            return
        self.fired[fault] += 1
        match fault:
            case Fault.DIE:
                runner.dead = True
                raise Died
            case Fault.STALL:
                self.falls()
                runner.pause(STALL_SECONDS)
            case Fault.UNTOLD:
                self.untold = True
            case _:
                self.falls()
                self._failing = (fault, AWAY_STEPS)

    def between(self) -> None:
        """A transaction is about to begin: the moment for others to go on."""
        runner = current()
        if runner is not None and not runner.dead and not self.open:
            runner.pause(self.world.dice.expovariate(1 / STEP_SECONDS))


def _error(steps: Steps, kind: Fault) -> Exception:
    if steps.postgres:
        return psycopg.OperationalError(f"the connection is lost ({kind})")
    return sqlite3.OperationalError(SAID.get(kind, "disk I/O error"))


def listen(database: Database, steps_of: Callable[[], Steps | None]) -> None:
    """Number the steps of whoever uses this database, by ``steps_of``; once for a Database, which is kept for its
    compiled statements."""
    dialect: Any = database.bind.dialect
    postgres = database.dialect == "postgresql"

    def execute(inner: Callable[..., Any]) -> Callable[..., Any]:
        def done(cursor: Any, statement: str, *rest: Any) -> Any:
            steps = steps_of()
            if steps is not None:
                if statement.startswith("BEGIN"):
                    steps.between()
                steps.take(" ".join(statement.split()[:3]))
                if postgres and "clock_timestamp" in statement:
                    cursor.execute("SELECT set_config('simulated.now', %s, false)", [steps.world.true.isoformat()])
                if statement.startswith("BEGIN"):
                    answer = inner(cursor, statement, *rest)
                    steps.open = True
                    return answer
            return inner(cursor, statement, *rest)

        return done

    for name in ("do_execute", "do_executemany", "do_execute_no_params"):
        setattr(dialect, name, execute(getattr(dialect, name)))
    begin, commit, rollback = dialect.do_begin, dialect.do_commit, dialect.do_rollback

    def begins(connection: Any) -> None:
        steps = steps_of()
        if steps is not None and postgres:
            steps.between()
            steps.open = True
        begin(connection)

    def commits(connection: Any) -> None:
        steps = steps_of()
        if steps is None:
            commit(connection)
            return
        steps.take(BEFORE_COMMIT)
        commit(connection)
        steps.open = False
        if steps.untold:
            steps.untold = False
            raise _error(steps, Fault.UNTOLD)
        steps.take(AFTER_COMMIT)

    def rolls_back(connection: Any) -> None:
        steps = steps_of()
        if steps is not None:
            steps.open = False
        rollback(connection)

    dialect.do_begin, dialect.do_commit, dialect.do_rollback = begins, commits, rolls_back
