"""The product as it is started, struck at random moments while a thousand letters leave through a slow relay and their
readers acknowledge.

    PYTHONPATH=tests python -m tests.crash.campaign --faults 20 [--fault kill|term|lock|full|away|crash]
        [--postgres] [--workers 2 [--servers 2]] [--letters 1000] [--rounds 1] [--seed 1]

Real processes (``dondoc serve``; with ``--workers`` Prefect workers on the registered deployments), a real SMTP relay
on loopback (5 to 50 ms a letter), SQLite or PostgreSQL. After each stop the leases are made to have run out, as five
minutes would. Printed at the end: faults, letters, lost, second and third copies, acknowledgements confirmed and lost.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields
from datetime import time, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from crash.faults import FAULTS, Strike, durable, killed, small_disk
from crash.forms import Form, Serve, Workers, wait_until
from crash.relay import Readers, SlowRelay
from ground.databases import closing_database, postgres_database
from ground.factory import Laid, agency, begin, directory, item, plan_file, store, swept
from ground.post import leases_run_out
from ground.postgres import Ground
from ground.serving import install
from sqlalchemy import func, select, update

from engine.files.directory import DirectoryFile
from engine.rules.calendar import DayException, DayKind, instant, local_date
from engine.store.clock import system_clock
from engine.store.database import Database, table
from engine.store.records import Assignment, Contact, Letter
from engine.terms import LetterState, Role

CONNECTIONS = 4
OWED = (LetterState.QUEUED, LetterState.SENDING)


@dataclass(frozen=True)
class Result:
    """``struck``: sending processes that the faults met. ``second``: letters taken twice; ``third``: more often.
    ``doubtful``: for a person to decide. ``confirmed``: acknowledgements that their readers were told of;
    ``forgotten``: those of them that the database does not know. ``slowest_stop``: seconds from the signal to the end.
    """

    faults: int = 0
    struck: int = 0
    letters: int = 0
    lost: int = 0
    second: int = 0
    third: int = 0
    doubtful: int = 0
    confirmed: int = 0
    forgotten: int = 0
    slowest_stop: float = 0.0

    @property
    def kept(self) -> bool:
        """Whether the promise held."""
        allowed = 2 * CONNECTIONS * self.struck
        return not (self.lost or self.third or self.forgotten) and self.second <= allowed

    def __add__(self, other: Result) -> Result:
        both = {each.name: getattr(self, each.name) + getattr(other, each.name) for each in fields(self)}
        return Result(**{**both, "slowest_stop": max(self.slowest_stop, other.slowest_stop)})

    def __str__(self) -> str:
        return (
            f"{self.faults} faults, {self.struck} senders struck, {self.letters} letters: lost {self.lost}, "
            f"second copies {self.second} (at most {2 * CONNECTIONS} each), third copies {self.third}, "
            f"in doubt {self.doubtful}; "
            f"acknowledgements confirmed {self.confirmed}, lost {self.forgotten}; "
            f"ended {self.slowest_stop:.1f} s after the signal at the latest"
        )


def prepare(database: Database, letters: int) -> Laid:
    """So many communes with a letter each, urgent and due now, whatever the hour. The duty is two days old and due in
    three weeks, and the days since are holidays, so that nothing else happens."""
    today = local_date(system_clock())
    issued = today - timedelta(2)
    days = (
        DayException(issued, DayKind.WORKED, "Làm bù"),
        *(DayException(today + timedelta(n), DayKind.HOLIDAY, "Nghỉ") for n in (-1, 0, 1)),
    )
    now = instant(issued, time(8))
    rules = {"mot-lan": {"source": "plan", "to": "so-chinh", "on": today + timedelta(20)}}
    duty = item(2, "cac-huyen", cadence=["once"], rule="mot-lan")
    plan = plan_file(items=(duty,), report_rules=rules, urgency="khan", issued_on=issued, year=issued.year)
    laid = begin(store(database, now=now, plan=plan, bodies=communes(letters), days=days), now=now)
    while swept(database, now).seen:
        pass
    with database.write() as session:
        m = table(Letter)
        session.connection().execute(update(m).where(m.c.state == LetterState.QUEUED).values(day=today, send_after=now))
    return laid


def communes(count: int) -> DirectoryFile:
    """The made-up province; its group of districts has so many members."""
    names = [f"huyen-{n}" for n in range(count)]
    more = {name.replace("-", "_"): agency(name, Role.COORDINATOR) for name in names}
    told = directory(**more).model_dump(by_alias=True)
    told["groups"][0]["members"] = names
    return DirectoryFile.model_validate(told)


def run(
    database: Database,
    form: Form,
    relay: SlowRelay,
    *,
    letters: int,
    faults: int,
    strike: Strike = killed,
    seed: int = 1,
    finish: Callable[[], object] | None = None,
) -> Result:
    """Strike so many times, then let it finish, or another process by ``finish``. ``form`` sends through ``relay``,
    which runs."""
    rng, slowest, count, struck = random.Random(seed), 0.0, 0, 0
    prepare(database, letters)
    with Readers(relay).running() as readers:
        try:
            for _ in range(faults):
                before = len(relay.taken)
                if not form.runs:
                    form.start()
                    readers.address = form.address
                wait_until(partial(_under_way, relay, before, database, form), 120)
                assert form.runs, "it ended by itself; see the logs"
                if _finished(database):
                    break
                struck += form.senders
                what = strike(form, database, rng)
                count += 1
                slowest = max(slowest, what.seconds)
                if what.stopped:
                    leases_run_out(database)
            if not form.runs and finish is not None:
                finish()
            elif not form.runs:
                form.start()
                readers.address = form.address
            wait_until(lambda: _finished(database), 600)
        finally:
            readers.end()
            form.end()
    return _account(database, relay, readers, (count, struck), slowest)


def _account(database: Database, relay: SlowRelay, readers: Readers, faults: tuple[int, int], slowest: float) -> Result:
    copies = Counter(relay.taken)
    m, a, c = table(Letter), table(Assignment), table(Contact)
    known = select(c.c.email).join(a, a.c.agency_id == c.c.agency_id).where(a.c.acknowledged_at.is_not(None))
    with database.read() as session:
        counted = session.connection().execute(select(m.c.state, func.count()).group_by(m.c.state))
        states: Counter[LetterState] = Counter({row[0]: row[1] for row in counted})
        acknowledged = set(session.connection().scalars(known))
    del states[LetterState.SUPPRESSED]
    told = states[LetterState.ACCEPTED] + states[LetterState.UNKNOWN]
    return Result(
        *faults,
        sum(states.values()),
        sum(states.values()) - told + max(0, states[LetterState.ACCEPTED] - len(copies)),
        sum(count == 2 for count in copies.values()),
        sum(count > 2 for count in copies.values()),
        states[LetterState.UNKNOWN],
        len(readers.confirmed),
        len(readers.confirmed - acknowledged),
        slowest,
    )


def _under_way(relay: SlowRelay, before: int, database: Database, form: Form) -> bool:
    return len(relay.taken) > before or not form.runs or _finished(database)


def _finished(database: Database) -> bool:
    m = table(Letter)
    with database.read() as session:
        return session.connection().scalar(select(m.c.id).where(m.c.state.in_(OWED)).limit(1)) is None


def settings(database: Database, folder: Path, relay: SlowRelay) -> dict[str, str]:
    """Environment variables of an installation on this database that sends through this relay."""
    return {
        **install(database.bind.url.render_as_string(hide_password=False), folder),
        "DONDOC_SMTP_HOST": "127.0.0.1",
        "DONDOC_SMTP_PORT": str(relay.port),
        "DONDOC_SMTP_SECURITY": "none",
    }


@contextmanager
def started(database: Database, folder: Path, relay: SlowRelay, workers: int = 0, servers: int = 1) -> Iterator[Form]:
    """The form: ``serve`` alone, or so many Prefect workers."""
    told = settings(database, folder, relay)
    if not workers:
        yield Serve(folder, told)
        return
    with Workers.registered(folder, told, workers, servers=servers, pages=database) as form:
        yield form


def one_round(ground: Ground, folder: Path, asked: argparse.Namespace, seed: int) -> Result:
    with ExitStack() as stack:
        place = stack.enter_context(small_disk(folder / "disk")) if asked.fault == "full" else folder
        url = postgres_database(ground, "campaign") if asked.postgres else f"sqlite:///{place}/dondoc.db"
        database = stack.enter_context(closing_database(url))
        database.upgrade()
        if asked.fault == "crash":
            durable(database)
        relay = stack.enter_context(SlowRelay(seed).running())
        form = stack.enter_context(started(database, folder, relay, asked.workers, asked.servers))
        strike = FAULTS[asked.fault]
        return run(database, form, relay, letters=asked.letters, faults=asked.faults, strike=strike, seed=seed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--letters", type=int, default=1000)
    parser.add_argument("--faults", type=int, default=20)
    parser.add_argument("--fault", choices=FAULTS, default="kill")
    parser.add_argument("--workers", type=int, default=0, help="the form with Prefect, with so many workers")
    parser.add_argument("--servers", type=int, default=1, help="of Prefect, each with deployments of its own")
    parser.add_argument("--rounds", type=int, default=1, help="each on a new database with the next seed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--postgres", action="store_true")
    asked = parser.parse_args()
    form = f"{asked.workers} Prefect workers" if asked.workers else "serve"
    name = f"{'PostgreSQL' if asked.postgres else 'SQLite'}, {form}, {asked.fault}"
    total = Result()
    ground = Ground.begin()
    try:
        for seed in range(asked.seed, asked.seed + asked.rounds):
            with TemporaryDirectory() as folder:
                total += one_round(ground, Path(folder), asked, seed)
            print(f"{name}: {total}", flush=True)
    finally:
        ground.stop()
    sys.exit(not total.kept)


if __name__ == "__main__":
    main()
