"""Benchmark of the pages with a province's data: a uvicorn process on loopback, PostgreSQL or SQLite.

    python -m tests.bench.province [--plans 1000] [--requests 200] [--only board overdue] [--sqlite FILE]

Fills a PostgreSQL database with ``tests.bench.province_data``, asks it, and with ``--sqlite`` copies it into a file and
asks that too (or only the existing ``--database``). Each page is requested by readers who have signed in: in sequence
over one kept connection, ten times right after another process reported something («first»); without any, each time
by another reader, for whom it is made of what is kept («other»), and by one who has it already («again»); then over
16 connections at once, by other readers and again. Beside each page: the processor time of the server's process and
of PostgreSQL's for another reader, and that of the first view's statements on the bare driver. Server, database and
client share the machine's cores.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import psycopg
from sqlalchemy import select
from sqlmodel import Session

from engine.accounts.accounts import create, find
from engine.accounts.sign_in import open_session
from engine.assignments import lifecycle
from engine.assignments.lifecycle import ReportText
from engine.http.request_context import BINDING_COOKIE, SESSION_COOKIE
from engine.http.security import FormTokens
from engine.store.database import Database, table
from engine.store.database_copy import copy_database
from engine.store.records import Assignment, Plan
from engine.terms import PlanState, State
from tests.bench import province_data
from tests.bench.province_data import NOW
from tests.bench.province_server import BARE
from tests.ground.postgres import Ground

ROOT = Path(__file__).parents[2]
AIM_MS = 100.0
PAGES: dict[str, str] = {
    "board": "/",
    "board, one plan": "/?plan=17",
    "board, one period": "/?period=2026-H1",
    "board, latest first": "/?sort=late",
    "board, one department": "/?department=so-3",
    "board, one kind": "/?kind=xa&late=7",
    "overdue": "/overdue",
    "overdue, one plan": "/overdue?plan=17",
    "overdue, page 5": "/overdue?page=5",
    "overdue, one department": "/overdue?department=so-3",
    "desk of a commune": "/agencies/xa-17",
    "desk of a department": "/agencies/so-3",
    "report page": "/report/xa-17/21/2026-H1",
    "assignments": "/assignments",
    "assignments overdue": "/assignments?class=open_overdue",
    "assignments of one": "/assignments?agency=xa-17",
    "to accept": "/assignments?waiting=accept",
    "accept": "/accept",
    "extensions to decide": "/extensions",
    "extensions": "/assignments?waiting=extension",
    "declined": "/assignments?waiting=declined",
    "story": "/assignments/100001",
    "letters": "/letters",
    "letters of one": "/letters?agency=xa-17",
    "letter": "/letters/9001",
    "plans": "/plans",
    "plan": "/plans/17",
    "agencies": "/agencies",
    "leadership": "/leadership",
    "leadership, one plan": "/leadership?plan=17",
    "year": "/year?year=2026",
    "year, one plan": "/year?year=2026&plan=17",
    "health": "/health",
    "search, three words": "/search?q=thu+tuc+muc+17",
    "search, a common word": "/search?q=xa",
    "search, a citation": "/search?q=IV.2.1",
    "search, a number": "/search?q=417%2FKH-UBND",
    "search, one kind": "/search?q=nhiem+vu&kind=duty",
    "search, nothing": "/search?q=khong+co+gi+het",
    "API board": "/api/v1/board",
    "API overdue": "/api/v1/overdue",
    "API assignments": "/api/v1/assignments",
}
AIMED = ("board", "overdue", "desk", "leadership", "year")
"""Pages whose names begin with this must meet the target."""
CONNECTIONS = 16
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Sorted durations of one page's requests in ms, by ``other`` readers and ``again`` by one; SQL statements and
    bytes of one response."""

    other: list[float]
    again: list[float]
    first: float
    """Median of the first views after an agency reported, ms."""
    statements: int
    """Of the first view after a change, most."""
    size: int
    ours: float
    """Processor time of the server's process, ms a request of another reader."""
    database: float
    """The same of PostgreSQL; SQLite is part of ours."""
    bare: float
    """Processor time of the first view's statements on the bare driver, both processes, ms."""


def at(spent: list[float], percent: float) -> float:
    return spent[min(len(spent) - 1, round(len(spent) * percent / 100))]


class Readers:
    """Administrators who are signed in, each with a browser that has been here before."""

    def __init__(self, database: Database, count: int) -> None:
        self._cookies = [_signed_in(database, number) for number in range(count)]
        self._asked = itertools.count()

    def again(self, number: int) -> str:
        """The cookies of one of them."""
        return self._cookies[number]

    def other(self, number: int) -> str:
        """Those of one whom the server meets for the first time: nothing has been kept for them."""
        return f"{self._cookies[number]}; before={next(self._asked)}"


def _signed_in(database: Database, number: int) -> str:
    address = f"reader-{number}@so-3.example"
    with database.write() as session:
        found = find(session, address)
        account_id = found.id if found is not None else _joined(session, address)
        key = open_session(session, account_id, way="link", device="Firefox", now=NOW)
    return f"{SESSION_COOKIE}={key}; {BINDING_COOKIE}={FormTokens.fresh_binding()}"


def _joined(session: Session, address: str) -> int:
    given = {"role": "administrator", "agency_id": "so-3", "language": "vi", "password": "", "actor": "cli"}
    return create(session, email=address, **given, now=NOW)


@dataclass(frozen=True)
class Served:
    """The pages in a process of their own. ``postmaster``: PostgreSQL's first process, 0 for SQLite."""

    port: int
    process: int
    postmaster: int

    def processor(self) -> tuple[float, float]:
        """Seconds of processor time so far: of the server, and of PostgreSQL with all its processes."""
        every = [Path(f"/proc/{each}/stat").read_text() for each in self._of_postgres()]
        return _spent(Path(f"/proc/{self.process}/stat").read_text(), 13, 15), sum(
            _spent(each, 13, 17) for each in every
        )

    def _of_postgres(self) -> list[int]:
        if not self.postmaster:
            return []
        children = Path(f"/proc/{self.postmaster}/task/{self.postmaster}/children").read_text().split()
        return [self.postmaster, *map(int, children)]


def _spent(stat: str, first: int, last: int) -> float:
    """Seconds, from the fields of /proc/PID/stat: user and system time, then those of children that have ended."""
    return sum(map(int, stat.rpartition(")")[2].split()[first - 2 : last - 2])) / TICKS


def measure(served: Served, readers: Readers, path: str, requests: int, database: Database, firsts: int = 10) -> Cost:
    """One page over one kept connection: each time after another process reported something, then without any."""
    with closing(http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)) as line:

        def ask(cookies: str) -> tuple[float, int, int]:
            began = time.perf_counter()
            line.request("GET", path, headers={"cookie": cookies})
            answer = line.getresponse()
            body = answer.read()
            took = (time.perf_counter() - began) * 1000
            if answer.status != 200:
                raise RuntimeError(f"{path}: {answer.status} {body[:300]!r}")
            return took, int(answer.headers["x-statements"]), len(body)

        first = []
        for _ in range(firsts):
            report_one(database)
            first.append(ask(readers.other(0)))
        line.request("GET", BARE)
        bare = float(line.getresponse().read())
        before = served.processor()
        other = [ask(readers.other(0)) for _ in range(requests)]
        ours, theirs = ((now - then) * 1000 / requests for now, then in zip(served.processor(), before, strict=True))
        again = [ask(readers.again(0)) for _ in range(requests)]
    return Cost(
        other=sorted(took for took, _, _ in other),
        again=sorted(took for took, _, _ in again),
        first=statistics.median(took for took, _, _ in first),
        statements=max(statements for _, statements, _ in first),
        size=other[0][2],
        ours=ours,
        database=theirs,
        bare=bare,
    )


def report_one(database: Database) -> None:
    """What changes most often, by another process: an agency reports."""
    a, p = table(Assignment), table(Plan)
    waiting = select(a.c.id).join(p, p.c.id == a.c.plan_id).where(p.c.state == PlanState.ACTIVE)
    with database.write() as session:
        chosen = waiting.where(a.c.state == State.ACKNOWLEDGED).order_by(a.c.id).limit(1)
        assignment_id = session.connection().scalars(chosen).one()
        lifecycle.report(session, assignment_id, ReportText(), actor="bench:agency", now=NOW)


def requests_a_second(port: int, path: str, seconds: float, cookies: Callable[[int], str]) -> float:
    """Over so many kept connections, each asking again as soon as it has its answer."""

    def ask(number: int) -> int:
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as line:
            answered = 0
            while time.monotonic() < until:
                line.request("GET", path, headers={"cookie": cookies(number)})
                answer = line.getresponse()
                answer.read()
                answered += answer.status == 200
            return answered

    began = time.monotonic()
    until = began + seconds
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        answered = sum(threads.map(ask, range(CONNECTIONS)))
    return answered / (time.monotonic() - began)


@contextmanager
def serving(url: str) -> Iterator[Served]:
    """Run the pages in their own process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "tests.bench.province_server", url, str(port)]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        for _ in range(1200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield Served(port, process.pid, _postmaster(url))
    finally:
        process.terminate()
        process.wait(20)


def _postmaster(url: str) -> int:
    """The parent of the process that answers a connection."""
    if url.startswith("sqlite"):
        return 0
    with closing(psycopg.connect(url)) as connection:
        row = connection.execute("SELECT pg_backend_pid()").fetchone()
        assert row is not None
        return int(Path(f"/proc/{row[0]}/stat").read_text().rpartition(")")[2].split()[1])


@contextmanager
def province(given: str, plans: int) -> Iterator[str]:
    """The URL of a filled database: the given one, else one on a temporary server."""
    if given:
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="dondoc-province-") as folder:
        Path(folder).chmod(0o755)
        ground = Ground(Path(folder) / "ground", os.getpid())
        ground.folder.mkdir()
        try:
            url = ground.postgres().rpartition("/")[0] + "/province"
            seed(url, plans)
            yield url
        finally:
            ground.stop()


def seed(url: str, plans: int) -> None:
    """Recreate the database of a URL and fill it."""
    server, _, name = url.rpartition("/")
    with closing(psycopg.connect(server + "/postgres", autocommit=True)) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
        connection.execute(f"CREATE DATABASE {name}".encode())
    began = time.monotonic()
    with closing_database(url) as database:
        database.upgrade()
        rows = province_data.lay(database, plans)
    print(
        f"seeded in {time.monotonic() - began:.0f} s: " + ", ".join(f"{n:,} {name}" for name, n in rows.items()),
        flush=True,
    )


def copy(url: str, path: Path) -> None:
    """The same province in a new SQLite file."""
    began = time.monotonic()
    target = Database(f"sqlite:///{path}", durable=False)
    with closing_database(url) as source:
        copy_database(source, target, lambda name, rows: None)
    target.optimize()
    target.dispose()
    print(f"copied in {time.monotonic() - began:.0f} s, {path.stat().st_size / 1e6:,.0f} MB", flush=True)


@contextmanager
def closing_database(url: str) -> Iterator[Database]:
    database = Database(url)
    try:
        yield database
    finally:
        database.dispose()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plans", type=int, default=province_data.PLANS)
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--only", nargs="*", default=[], help="names of pages")
    parser.add_argument("--database", default="", metavar="URL", help="already seeded; nothing is seeded")
    parser.add_argument("--seed", default="", metavar="URL", help="only make and fill this PostgreSQL database")
    parser.add_argument("--sqlite", type=Path, metavar="FILE", help="copy it into this new file and ask that")
    parser.add_argument("--seconds", type=float, default=5, help="of the requests over 16 connections; 0: none")
    options = parser.parse_args()
    if options.seed:
        seed(options.seed, options.plans)
        return
    print(f"{date.today().isoformat()}, {os.cpu_count()} cores, Python {sys.version.split()[0]}", flush=True)
    with province(options.database, options.plans) as url:
        with serving(url) as served, closing_database(url) as database:
            compare(served, database, options)
        if options.sqlite:
            copy(url, options.sqlite)
            url = f"sqlite:///{options.sqlite}"
            with serving(url) as served, closing_database(url) as database:
                compare(served, database, options)


def compare(served: Served, database: Database, options: argparse.Namespace) -> None:
    readers = Readers(database, CONNECTIONS)
    print(
        f"{'page':24} {'first ms':>8} {'bare ms':>8} {'other p50':>9} {'p99':>6} {'again p50':>9} {'p99':>6}"
        f" {'ours ms':>8} {'base ms':>8} {'queries':>8} {'KB':>6} {'others a second':>15} {'again a second':>14}"
        f"   load {os.getloadavg()[0]:.0f}"
    )
    for name, path in PAGES.items():
        if not options.only or name in options.only:
            cost = measure(served, readers, path, options.requests, database)
            rates = [
                f"{requests_a_second(served.port, path, options.seconds, cookies):14.1f}"
                for cookies in (readers.other, readers.again)
                if options.seconds
            ]
            over = "  over the aim" if name.startswith(AIMED) and at(cost.other, 99) > AIM_MS else ""
            print(
                f"{name:24} {cost.first:8.1f} {cost.bare:8.1f} {at(cost.other, 50):9.1f} {at(cost.other, 99):6.1f} "
                f"{at(cost.again, 50):9.1f} {at(cost.again, 99):6.1f} {cost.ours:8.1f} {cost.database:8.1f} "
                f"{cost.statements:8} {cost.size / 1024:6.1f} {' '.join(rates)}{over}",
                flush=True,
            )


if __name__ == "__main__":
    main()
