"""Machines with their clocks, and the processes on them: what the heartbeat calls, at times of their own."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from simulated.relay import Line, Relay
from simulated.script import DAY, HOUR
from simulated.steps import Steps
from simulated.world import Died, World, current
from sqlalchemy import select

from engine.assignments.due_work import next_moment
from engine.errors import Unavailable
from engine.store.database import Database, table
from engine.store.event_log import Head
from engine.store.high_water import NAME, HighWater
from engine.store.records import Letter
from engine.terms import LetterState
from workflows.run.clock_guard import ClockNotBelieved, ClockReading
from workflows.run.system import System
from workflows.serving.runs import run_audit, run_tick

TICK_SECONDS = 60.0
UNASKED = 20 * HOUR
"""In life it is every five minutes; here each costs as much as a day's letters."""
LONGEST_SLEEP = 5 * HOUR
LAST_LOOK = 5 * TICK_SECONDS
"""Before the end every process looks once more: in life it would each minute."""


@dataclass
class Machine:
    """``error``: seconds by which its clock is wrong. ``starts``: how often it was started; processes of an earlier
    start are gone. ``up_at``: until then it is off. ``full_until``: until then its own disk takes nothing."""

    world: World
    name: str
    folder: Path
    error: float = 0.0
    full_until: float = 0.0
    starts: int = 0
    started: float = -HOUR
    up_at: float = 0.0

    def wall(self) -> datetime:
        return self.world.true + timedelta(seconds=self.error)

    def reading(self) -> ClockReading:
        return ClockReading(self.wall(), self.world.now - self.started, f"{self.name} start {self.starts}")

    def stop(self, seconds: float) -> None:
        self.starts += 1
        self.up_at = self.started = self.world.now + seconds


@dataclass
class Account:
    """What happened, to compare with what was planted. ``doubtful``: letters that were on the wire of a process when it
    died, stood still or lost its database, or that a snapshot does not know of; each may be sent once more for that.
    ``heads``: of the log after each fault, with the time."""

    deaths: int = 0
    fell_at: float = -DAY
    """When a process died, stood still or had its database fail last."""
    audited: float = -DAY
    asked: bool = False
    """Somebody would look at the audit now."""
    most_on_wire: int = 0
    doubtful: Counter[str] = field(default_factory=Counter)
    heads: list[tuple[float, Head]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    audits: list[Audited] = field(default_factory=list)


@dataclass(frozen=True)
class Audited:
    """What an audit found, at a true time, by whose clock."""

    at: float
    error: float
    wrong_clock: bool
    held: bool
    down: str
    fell: float
    """When the last of what was planted has ended."""
    findings: dict[str, int]


class Slot:
    """A Database that is kept from run to run for its compiled statements; ``steps``: of the process that has it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.steps: Steps | None = None


@dataclass
class Host:
    """One process after another on a machine, each begun when the one before has died. ``watch``: reads the database as
    it is, for the account. ``on_wire``: keys of letters that the database knows to be on the wire of a worker."""

    name: str
    world: World
    machine: Machine
    slot: Slot
    steps: Steps
    composed: System
    relays: dict[str, Relay]
    account: Account
    on_wire: Callable[[str], list[str]]
    check_log: Callable[[], None]
    audited: Callable[[Machine, float], Audited]
    until: float
    dice: random.Random
    begun: int = 0
    machine_start: int = 0
    machine_audited: int = -1
    asleep: bool = False
    """Between two ticks: may be woken."""

    @property
    def worker(self) -> str:
        return f"{self.name}:{self.begun}"

    def killed(self) -> bool:
        return self.machine_start != self.machine.starts

    def live(self) -> None:
        system = self._start()
        while self.world.now < self.until:
            try:
                if self.killed():
                    raise Died
                self.steps.open = False
                self._once(system)
                rest = self._rest()
            except Died:
                system, rest = self._again(), 1.0
            except Unavailable:
                rest = TICK_SECONDS
            except Exception as error:  # noqa: BLE001 - as the heartbeat: the next run does the rest
                self.account.errors.append(f"{self.worker}: {type(error).__name__}: {str(error)[:200]}")
                rest = TICK_SECONDS
            self.asleep = True
            self._pause(rest)
            self.asleep = False

    def _once(self, system: System) -> None:
        with suppress(ClockNotBelieved):  # the heartbeat logs it and audits all the same
            run_tick(system)
        account = self.account
        first = self.machine_audited != self.machine_start  # as ``serve``: one at its start, then every five minutes
        if account.asked or first or self.world.now - account.audited > UNASKED:
            error = self.machine.error
            run_audit(system)  # one that dies is made again: in life, too, the next is not a day later
            account.asked, account.audited, self.machine_audited = False, self.world.now, self.machine_start
            account.audits.append(self.audited(self.machine, error))

    def _rest(self) -> float:
        """Until shortly after something is due, as a tick a minute would find; it is looked at in between."""
        letters = table(Letter)
        with self.slot.database.read() as session:
            due = next_moment(session, self.machine.wall())
            others = select(letters.c.id).where(letters.c.state == LetterState.SENDING).limit(1)
            if session.connection().scalar(others) is not None:
                return TICK_SECONDS
        ahead = LONGEST_SLEEP if due is None else (due - self.machine.wall()).total_seconds()
        rest = min(max(ahead, 1.0), self.dice.uniform(HOUR, LONGEST_SLEEP))
        left = self.until - LAST_LOOK - self.world.now
        return (min(rest, left) if left > 0 else rest) + self.dice.uniform(0, TICK_SECONDS)

    def _pause(self, seconds: float) -> None:
        runner = current()
        assert runner is not None
        runner.pause(seconds)

    def _again(self) -> System:
        """The process is gone: so are its connections. Its machine may be off for a while."""
        runner = current()
        assert runner is not None
        self.account.deaths += 1
        self.note_on_wire()
        self.slot.database.dispose()
        self.steps.open = False
        runner.dead = False
        self._pause(max(self.machine.up_at - self.world.now, self.dice.choice((5.0, 60.0, HOUR))))
        return self._start()

    def note_on_wire(self) -> None:
        """These letters may be sent again by others."""
        self.account.fell_at = self.world.now
        keys = self.on_wire(self.worker)
        self.account.most_on_wire = max(self.account.most_on_wire, len(keys))
        self.account.doubtful.update(keys)
        self.check_log()

    def _start(self) -> System:
        self.begun += 1
        self.machine_start = self.machine.starts
        worker = self.worker
        lines = {name: Line(name, relay, self.steps, lambda: worker) for name, relay in self.relays.items()}
        delivery = replace(
            self.composed.delivery, channels=lines, worker=worker, mark=HighWater(self.machine.folder / NAME)
        )
        return replace(self.composed, database=self.slot.database, clock=self.machine.wall, delivery=delivery)
