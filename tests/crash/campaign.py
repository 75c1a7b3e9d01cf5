"""``dondoc serve`` killed at random moments while a thousand letters leave through a relay that takes its time.

    PYTHONPATH=tests python -m tests.crash.campaign --letters 1000 --kills 20 [--postgres] [--signal TERM]

Real processes, a real SMTP relay on loopback (5 to 50 ms a letter), SQLite or PostgreSQL. After each kill the leases
are made to have run out, as five minutes would. Printed at the end: kills, letters, lost, second and third copies.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from ground.factory import Laid, add_letters, at, lay, plan_file, rows, swept
from ground.postgres import Ground
from ground.serving import install
from sqlalchemy import update

from engine.rules.calendar import DayException, DayKind, local_date
from engine.store.clock import system_clock
from engine.store.database import Database, table
from engine.store.records import Letter
from engine.terms import LetterState

DONDOC = Path(sys.executable).with_name("dondoc")
CONNECTIONS = 4
OWED = {LetterState.QUEUED, LetterState.SENDING}
_MESSAGE_ID = re.compile(rb"^Message-ID:\s*(<[^>\r\n]+>)", re.I | re.M)


@dataclass
class SlowRelay:
    """An SMTP server on loopback that takes 5 to 50 ms a letter. ``taken``: Message-IDs in their order."""

    seed: int
    port: int = 0
    taken: list[str] = field(default_factory=list)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        rng = random.Random(self.seed)
        try:
            writer.write(b"220 relay ESMTP\r\n")
            while line := await reader.readline():
                word = line[:4].upper()
                if word == b"DATA":
                    writer.write(b"354 go on\r\n")
                    text = await reader.readuntil(b"\r\n.\r\n")
                    await asyncio.sleep(rng.uniform(0.005, 0.05))
                    found = _MESSAGE_ID.search(text)
                    self.taken.append(found[1].decode() if found else "")
                    writer.write(b"250 2.0.0 taken\r\n")
                elif word == b"QUIT":
                    writer.write(b"221 bye\r\n")
                    break
                else:
                    writer.write(b"250-relay\r\n250 SIZE 10000000\r\n" if word == b"EHLO" else b"250 ok\r\n")
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the sender was killed
        finally:
            writer.close()

    @contextmanager
    def running(self) -> Iterator[SlowRelay]:
        loop = asyncio.new_event_loop()
        started = threading.Event()

        async def main() -> None:
            server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=2**22)
            self.port = server.sockets[0].getsockname()[1]
            started.set()
            async with server:
                await server.serve_forever()

        task = loop.create_task(main())
        thread = threading.Thread(target=lambda: loop.run_until_complete(asyncio.gather(task, return_exceptions=True)))
        thread.start()
        started.wait(10)
        try:
            yield self
        finally:
            loop.call_soon_threadsafe(task.cancel)
            thread.join(10)
            loop.close()


@dataclass(frozen=True)
class Result:
    """``second``: letters taken twice; ``third``: more often. ``slowest_stop``: seconds from SIGTERM to the end."""

    kills: int
    letters: int
    lost: int
    second: int
    third: int
    doubtful: int
    slowest_stop: float

    def __str__(self) -> str:
        return (
            f"{self.kills} kills, {self.letters} letters: lost {self.lost}, second copies {self.second} "
            f"(at most {2 * CONNECTIONS} a kill), third copies {self.third}, in doubt {self.doubtful}"
            + (f", ended {self.slowest_stop:.1f} s after SIGTERM at the latest" if self.slowest_stop else "")
        )


def prepare(database: Database, letters: int) -> Laid:
    """Urgent letters, due now, whatever the hour: these days are holidays."""
    today = local_date(system_clock())
    days = tuple(DayException(today + timedelta(n), DayKind.HOLIDAY, "Nghỉ") for n in (-1, 0, 1))
    laid = lay(database, now=at("2021-04-07"), plan=plan_file(urgency="khan"), days=days)
    swept(database, at("2021-04-07"))
    add_letters(laid, letters, day=today)
    return laid


def run(
    database: Database, folder: Path, *, letters: int, kills: int, seed: int = 1, how: signal.Signals = signal.SIGKILL
) -> Result:
    """Kill serve so many times, then let it finish. ``how``: SIGKILL or SIGTERM."""
    rng, slowest = random.Random(seed), 0.0
    prepare(database, letters)
    with SlowRelay(seed).running() as relay:
        for _ in range(kills):
            before = len(relay.taken)
            process = _serve(database, folder, relay.port)
            try:
                _until(partial(_under_way, relay, before, database, process), 120)
                assert process.poll() is None, "serve ended by itself; see serve.log"
                time.sleep(rng.uniform(0, 0.6))
                began = time.monotonic()
                process.send_signal(how)
                process.wait(60)
                slowest = max(slowest, time.monotonic() - began)
            finally:
                _end(process)
            _leases_run_out(database)
        process = _serve(database, folder, relay.port)
        try:
            _until(lambda: _finished(database), 300)
        finally:
            _end(process)
        copies = Counter(relay.taken)
    states = Counter(each.state for each in _letters(database))
    told = states[LetterState.ACCEPTED] + states[LetterState.UNKNOWN]  # those in doubt are for a person to decide
    return Result(
        kills,
        sum(states.values()),
        sum(states.values()) - told + max(0, states[LetterState.ACCEPTED] - len(copies)),
        sum(count == 2 for count in copies.values()),
        sum(count > 2 for count in copies.values()),
        states[LetterState.UNKNOWN],
        slowest if how is signal.SIGTERM else 0.0,
    )


def _letters(database: Database) -> list[Letter]:
    return [each for each in rows(database, Letter, urgent=True) if each.state is not LetterState.SUPPRESSED]


def _under_way(relay: SlowRelay, before: int, database: Database, process: subprocess.Popen[bytes]) -> bool:
    return len(relay.taken) > before or _finished(database) or process.poll() is not None


def _finished(database: Database) -> bool:
    return not any(each.state in OWED for each in _letters(database))


def _serve(database: Database, folder: Path, relay: int) -> subprocess.Popen[bytes]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {
        **install(database.bind.url.render_as_string(hide_password=False), folder),
        "DONDOC_TICK_SECONDS": "1",
        "DONDOC_SMTP_HOST": "127.0.0.1",
        "DONDOC_SMTP_PORT": str(relay),
        "DONDOC_SMTP_SECURITY": "none",
        "DONDOC_SMTP_CONNECTIONS": str(CONNECTIONS),
    }
    with (folder / "serve.log").open("ab") as output:
        return subprocess.Popen(
            [DONDOC, "serve", "--no-prefect", "--port", str(port)],
            env=os.environ | settings,
            cwd=folder,
            stdout=output,
            stderr=output,
        )


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.kill()
    process.wait(30)


def _until(done: Callable[[], bool], seconds: float) -> None:
    began = time.monotonic()
    while not done() and time.monotonic() - began < seconds:
        time.sleep(0.05)


def _leases_run_out(database: Database) -> None:
    letters = table(Letter)
    with database.write() as session:
        session.connection().execute(
            update(letters).where(letters.c.lease_until.is_not(None)).values(lease_until=at("2021-04-07"))
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--letters", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--signal", choices=["KILL", "TERM"], default="KILL")
    asked = parser.parse_args()
    from ground.databases import closing_database, postgres_database

    with TemporaryDirectory() as name, _ground() as ground:
        url = postgres_database(ground, "campaign") if asked.postgres else f"sqlite:///{name}/dondoc.db"
        with closing_database(url) as database:
            database.upgrade()
            how = signal.Signals[f"SIG{asked.signal}"]
            result = run(database, Path(name), letters=asked.letters, kills=asked.kills, seed=asked.seed, how=how)
    print(f"{'PostgreSQL' if asked.postgres else 'SQLite'}, SIG{asked.signal}: {result}")
    sys.exit(bool(result.lost or result.third or result.second > 2 * CONNECTIONS * result.kills))


@contextmanager
def _ground() -> Iterator[Ground]:
    from ground.postgres import Ground

    ground = Ground.begin()
    try:
        yield ground
    finally:
        ground.stop()


if __name__ == "__main__":
    main()
