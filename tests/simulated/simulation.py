"""One run of a script: N processes of the product over one database, on machines with clocks of their own.

``Simulator`` keeps what is the same in every run: the prepared database, and a Database a process with its compiled
statements. On SQLite all processes are on one machine, as one file is; on PostgreSQL each has its own. What reads a
clock or waits is given the simulated one (``_in_the_world``); nothing else of the product is replaced.
"""

from __future__ import annotations

import errno
import logging
import os
import random
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import psycopg
from ground.factory import Laid, agency, at, directory, lay, rows
from ground.post import KEY
from simulated.hosts import Account, Audited, Host, Machine, Slot
from simulated.invariants import log_stands, wrongs
from simulated.people import Confirmed, People
from simulated.relay import Mood, Relay
from simulated.script import DAY, HOUR, Planted, Script, only
from simulated.steps import Fault, Steps, listen
from simulated.world import World, current, run_coroutine
from sqlalchemy import select

import notifications.delivery
from config.settings import Settings
from engine.files.directory import DirectoryFile
from engine.rules.calendar import DayException, DayKind
from engine.store import high_water
from engine.store.database import Database, table
from engine.store.facts import hold
from engine.store.high_water import atomic_write
from engine.store.records import Letter, Pass
from engine.terms import LetterState, Role
from workflows.operation import restore
from workflows.run import clock_guard, passes
from workflows.run.system import System, compose
from workflows.serving import runs

BEGAN = at("2021-06-10", "07:00")
PREPARED = at("2021-06-09", "16:00")
HOSTS, COMMUNES = 4, 10
HOLIDAY, WORKED = at("2021-06-15").date(), at("2021-06-12").date()
"""A Tuesday before the due date that is off, and a Saturday that is worked instead."""
log = logging.getLogger(__name__)


@dataclass
class Ran:
    """What a run left behind, with all that its invariants are judged by."""

    script: Script
    world: World
    watch: Database
    account: Account
    relays: dict[str, Relay]
    machines: list[Machine]
    hosts: list[Host]
    confirmed: list[Confirmed]
    put_back: list[tuple[float, float]] = field(default_factory=list)
    """Each time: from when on the database knew nothing any more, and when that happened."""
    happened: list[Planted] = field(default_factory=list)

    @property
    def end(self) -> datetime:
        """Of what was lived; the world ends when the last of its runners would have acted again."""
        return self.world.began + timedelta(seconds=self.hosts[0].until)

    @property
    def steps(self) -> int:
        return sum(each.steps.taken for each in self.hosts)

    @property
    def faults(self) -> Counter[str]:
        """By their name, those that happened."""
        found: Counter[str] = Counter()
        for host in self.hosts:
            found.update({str(fault): count for fault, count in host.steps.fired.items()})
        for each in self.happened:
            found[f"{each.where.rstrip('0123456789')} {each.what}"] += 1
        return found


class Simulator:
    """``server``: a PostgreSQL URL; without one, SQLite in ``folder``."""

    def __init__(self, folder: Path, server: str = "") -> None:
        self.folder, self.server = folder, server
        self._prepared = self._url("prepared")
        if server:
            self._create("simulated_prepared", "template1")
        with closing(_Disposed(Database(self._prepared, durable=False))) as made:
            made.database.upgrade()
            _prepare(made.database)
            if server:
                _simulated_clock(made.database)
        self.slots = [Slot(Database(self._url("life"), durable=False)) for _ in range(HOSTS + 2)]
        for slot in self.slots:
            listen(slot.database, lambda slot=slot: slot.steps)  # type: ignore[misc]
        self.watch = Database(self._url("life"), durable=False)
        settings = Settings(_env_file=None, data_dir=folder / "composed", secret=KEY, prefect=False)  # type: ignore[call-arg]
        self.composed = compose(settings, with_entered=False)

    def close(self) -> None:
        self._let_go()
        self.composed.database.dispose()
        if self.server:
            with closing(psycopg.connect(self.server, autocommit=True)) as connection:
                for name in ("life", "prepared"):
                    connection.execute(f'DROP DATABASE IF EXISTS "simulated_{name}" WITH (FORCE)')

    def run(self, script: Script) -> tuple[Ran, list[str]]:
        """The run, and the sentences about what it should not have done."""
        self._fresh()
        one = _Run(self, script)
        with _in_the_world(one):
            one.world.run()
        return one.ran, list(wrongs(one.ran))

    def _fresh(self) -> None:
        self._let_go()
        shutil.rmtree(self.folder / "machines", ignore_errors=True)
        if self.server:
            self._create("simulated_life", "simulated_prepared")
        else:
            self.put(self.folder / "prepared.db")

    def put(self, file: Path) -> None:
        """In place of the database; whoever has the old one open goes on with what is no file any more."""
        for old in self.folder.glob("life.db*"):
            old.unlink()
        shutil.copyfile(file, self.folder / "life.db")

    def copy(self, file: Path) -> None:
        """As ``sqlite3 .backup``, or a snapshot of a quiet moment."""
        with closing(sqlite3.connect(self.folder / "life.db")) as source, closing(sqlite3.connect(file)) as target:
            source.backup(target)

    def _let_go(self) -> None:
        for slot in self.slots:
            slot.steps = None
            slot.database.dispose()
        self.watch.dispose()

    def _url(self, name: str) -> str:
        if self.server:
            return f"{self.server.rpartition('/')[0]}/simulated_{name}"
        return f"sqlite:///{self.folder}/{name}.db"

    def _create(self, name: str, template: str) -> None:
        with closing(psycopg.connect(self.server, autocommit=True)) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
            connection.execute(f'ALTER DATABASE "{name}" SET search_path = public, pg_catalog')


@dataclass
class _Disposed:
    database: Database

    def close(self) -> None:
        self.database.dispose()


def _prepare(database: Database) -> Laid:
    """The made-up plan, activated a week before its half-year report is due; coordinators have telephones, too."""
    telephones = {
        name.replace("-", "_"): agency(
            name,
            contacts=[
                {"role": Role.COORDINATOR, "email": f"coordinator@{name}.example", "phone": f"+8491200000{number}"},
                {"role": Role.HEAD, "email": f"head@{name}.example"},
            ],
        )
        for number, name in enumerate(("so-ban", "huyen-a", "huyen-b"))
    }
    bodies = directory(**telephones, **{f"xa_{n}": agency(f"xa-{n}", Role.COORDINATOR) for n in range(COMMUNES)})
    told = bodies.model_dump(by_alias=True)
    told["groups"][0]["members"] = ["huyen-a", "huyen-b", *(f"xa-{n}" for n in range(COMMUNES))]
    days = (DayException(HOLIDAY, DayKind.HOLIDAY, "Nghỉ"), DayException(WORKED, DayKind.WORKED, "Làm bù"))
    return lay(database, now=PREPARED, bodies=DirectoryFile.model_validate(told), days=days)


def _simulated_clock(database: Database) -> None:
    """The server's clock is the world's: found before that of pg_catalog."""
    with database.write() as session:
        session.connection().exec_driver_sql(
            "CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql STABLE "
            "AS $$ SELECT current_setting('simulated.now')::timestamptz $$"
        )


class _Run:
    """Puts hosts, people and what befalls them into a world."""

    def __init__(self, simulator: Simulator, script: Script) -> None:
        self.simulator, self.script = simulator, script
        self.world = world = World(script.seed, BEGAN)
        self.until = script.days * DAY + 4 * HOUR
        relays = {name: Relay(world) for name in ("email", "sms")}
        self.machines = [Machine(world, f"machine{n}", self._folder(n)) for n in range(self._count())]
        self.account = Account()
        self.hosts = [self._host(n, f"host{n}", relays) for n in range(script.hosts)]
        web = self._host(HOSTS, "people", relays)
        self.operator = simulator.slots[HOSTS + 1]
        self.operator.steps = Steps(world, {}, lambda: False, postgres=script.postgres)
        self.people = People(web, dice=random.Random(f"people {script.seed}"))
        self.ran = Ran(
            script,
            world,
            simulator.watch,
            self.account,
            relays,
            self.machines,
            [*self.hosts, web],
            self.people.confirmed,
        )
        self.planted: list[tuple[float, float]] = []
        self.runners = [(host, world.add(host.name, host.live, world.dice.uniform(0, 60))) for host in self.hosts]
        for host, runner in self.runners:
            runner.place = host.machine
        world.add("people", self.people.live, HOUR).place = web.machine
        for number, each in enumerate(script.planted):
            if each.where in ("email", "sms", "database") or each.where.startswith(("clock", "disk")):
                world.add(f"fate{number}", lambda each=each: self._happens(each), each.at)  # type: ignore[misc]

    def _count(self) -> int:
        return self.script.hosts if self.script.postgres else 1

    def _folder(self, number: int) -> Path:
        folder = self.simulator.folder / "machines" / str(number)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    def _host(self, number: int, name: str, relays: dict[str, Relay]) -> Host:
        machine = self.machines[number % len(self.machines)]
        slot = self.simulator.slots[number]
        planned = {each.at: Fault(each.what) for each in only(self.script.planted, name)}
        host = Host(
            name=name,
            world=self.world,
            machine=machine,
            slot=slot,
            steps=Steps(self.world, planned, lambda: False, postgres=self.script.postgres),
            composed=self.simulator.composed,
            relays=relays,
            account=self.account,
            on_wire=self._on_wire,
            check_log=self._check_log,
            audited=self._audited,
            until=self.until,
            dice=random.Random(f"{name} {self.script.seed}"),
        )
        host.steps.killed = host.killed
        host.steps.falls = host.note_on_wire
        slot.steps = host.steps
        return host

    def _on_wire(self, worker: str) -> list[str]:
        m = table(Letter)
        mine = (m.c.leased_by == worker, m.c.state == LetterState.SENDING, m.c.on_wire)
        with self.simulator.watch.read() as session:
            return list(session.connection().scalars(select(m.c.key).where(*mine)))

    def _check_log(self) -> None:
        head, event = log_stands(self.simulator.watch)
        self.account.heads.append((self.world.now, head))
        if event:
            self.account.errors.append(f"event {event} is not as it was logged ({self.world.now / DAY:.2f} days)")

    def _audited(self, machine: Machine, error: float) -> Audited:
        """What the audit that has just ended found, beside what is planted. ``error``: of its clock when it began: a
        process may stand still meanwhile, and the clock jump."""
        (told,) = rows(self.simulator.watch, Pass, name="audit")
        with self.simulator.watch.read() as session:
            held = hold(session) is not None
        down = next((name for name, relay in self.ran.relays.items() if relay.serves_nobody), "")
        now, off = self.world.now, min(abs(machine.error), abs(error))
        ended = max((min(end, now) for begin, end in self.planted if begin <= now), default=-DAY)
        return Audited(
            at=now,
            error=machine.error,
            wrong_clock=off > (60 if self.script.postgres else 2 * HOUR),
            held=held,
            down=down,
            fell=max(ended, self.account.fell_at),
            findings={name: count for name, count in told.counts.items() if count},
        )

    # --- what befalls them ----------------------------------------------------------------------------------------

    def _happens(self, planted: Planted) -> None:
        if planted.what != "skew":
            self.ran.happened.append(planted)
            self.planted.append((self.world.now, self.world.now + planted.lasts))
        if planted.where in self.ran.relays:
            self.ran.relays[planted.where].become(Mood(planted.what), planted.lasts)
            self._pause(planted.lasts * 0.9)
            self._ask()
        elif planted.what == "away":
            self._away(planted.lasts)
        elif planted.what == "put_back":
            self._put_back(planted.lasts)
        else:
            befalls = {"snapshot": self._snapshot, "full": self._full}.get(planted.what, self._clock)
            befalls(self.machines[int(planted.where[-1]) % len(self.machines)], planted)
        self._check_log()

    def _away(self, seconds: float) -> None:
        for host in self.ran.hosts:
            host.note_on_wire()
            host.steps.away_until = self.world.now + seconds

    def _full(self, machine: Machine, planted: Planted) -> None:
        """Nothing can be written to its disk: it sends nothing, and the others do."""
        machine.full_until = self.world.now + planted.lasts
        self._pause(planted.lasts)

    def _snapshot(self, machine: Machine, planted: Planted) -> None:
        """The machine is brought back as it was, with its disk: the folder with its mark and, on SQLite, the database.
        Nothing that is left there knows what was sent since: that may be sent again."""
        kept, taken_at = machine.folder.with_suffix(".snapshot"), self.world.true
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(machine.folder, kept)

        def bring_back() -> None:
            shutil.rmtree(machine.folder)
            shutil.copytree(kept, machine.folder)
            if not self.script.postgres:
                taken = (copy for relay in self.ran.relays.values() for copy in relay.taken)
                self.account.doubtful.update({copy.key for copy in taken if copy.at >= taken_at})

        if not self.script.postgres:
            self._put_back(planted.lasts, bring_back)
            return
        self._pause(planted.lasts)
        machine.stop(600)
        bring_back()

    def _put_back(self, seconds: float, with_it: Callable[[], None] = lambda: None) -> None:
        """The office is stopped, an older copy laid in place of its file, and the office begun again. Somebody reads
        that letters are held, and decides."""
        copied, file = self.world.now, self.simulator.folder / "copy.db"
        self.simulator.copy(file)
        self._pause(seconds)
        self.machines[0].stop(600)
        for host in self.ran.hosts:
            host.note_on_wire()
        for database in (self.simulator.watch, self.operator.database):
            database.dispose()
        self.simulator.put(file)
        with_it()
        self.ran.put_back.append((copied, self.world.now))
        self._pause(5 * HOUR)
        self._ask()
        self._pause(HOUR)
        self.planted.append((self.world.now, self.world.now))
        with self.simulator.watch.read() as session:
            held = hold(session) is not None
        if held:
            restore.release(self.operator.database, self.machines[0].wall(), send=False, actor="cli:root")
        self._vouch(self.machines[0])

    def _clock(self, machine: Machine, planted: Planted) -> None:
        """Wrong for a while; then somebody sets it, and says so where it is not believed by itself."""
        if planted.what == "skew":
            machine.error = float(planted.amount)
            return
        usual = machine.error
        if planted.what == "reboot":
            machine.stop(300)
        machine.error = usual + planted.amount
        self._pause(planted.lasts * 0.5)
        self._ask()
        self._pause(planted.lasts * 0.5)
        machine.error = usual
        if planted.amount:
            self._vouch(machine)
            self._ask()  # as every five minutes: what is believed now is read then

    def _vouch(self, machine: Machine) -> None:
        """Somebody reads that the clock, which is right now, is not believed, and says so."""
        system = self._of(machine)
        if clock_guard.suspicion(system, machine.reading()) is not None:
            with patch.object(clock_guard, "read_clock", lambda now: machine.reading()):
                clock_guard.confirm(system, "cli:root")

    def _of(self, machine: Machine) -> System:
        return replace(self.simulator.composed, database=self.operator.database, clock=machine.wall)

    def _ask(self) -> None:
        """Somebody has the audit run now."""
        self.account.asked = True
        for host, runner in self.runners:
            if host.asleep:
                runner.wake = min(runner.wake, self.world.now + 1)

    def _pause(self, seconds: float) -> None:
        runner = current()
        assert runner is not None
        runner.pause(seconds)


@contextmanager
def _in_the_world(run: _Run) -> Iterator[None]:
    """The product's clocks and waits are those of whoever acts."""

    def place() -> Machine:
        runner = current()
        return (runner.place if runner is not None else None) or run.machines[0]

    def write(path: Path, body: bytes, mode: int) -> None:
        if run.world.now < place().full_until:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        atomic_write(path, body, mode)

    clock: Any = SimpleNamespace(monotonic=lambda: run.world.now)
    with ExitStack() as stack:
        for module, name, there in (
            (runs, "asyncio", SimpleNamespace(run=run_coroutine)),
            (notifications.delivery, "time", clock),
            (passes, "time", clock),
            (high_water, "atomic_write", write),
            (clock_guard, "read_clock", lambda now: place().reading()),
            (clock_guard, "system_clock", lambda: place().wall()),
        ):
            stack.enter_context(patch.object(module, name, there))
        yield
