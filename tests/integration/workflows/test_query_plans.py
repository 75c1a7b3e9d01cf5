"""The passes cost what is due, not what is stored: no statement walks a big table, whatever the planner knows.

After ANALYZE, SQLite's planner made the weekly digest walk every assignment: 50 s in one write transaction on a Monday.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ground.databases import closing_database, sqlite_copy
from ground.office import looking
from ground.post import LetterBox, post_office
from ground.postgres import Ground
from sqlalchemy import event, insert
from sqlmodel import SQLModel

from engine.queries.paging import MOST_COUNTED
from engine.queries.system.health import health
from engine.queries.system.letters import LetterFilter, letter_story, list_letters
from engine.queries.system.log import LogFilter, log
from engine.queries.work.incoming import MessageFilter, list_messages
from engine.store.database import Database, table
from engine.store.records import Letter
from engine.terms import LetterState, Role
from tests.bench.ground import fill, make_due, own
from tests.bench.ours import NOW
from workflows.checks.audit import run_checks
from workflows.run import passes

AGENCIES, DUE = 300, 40
MONDAY = NOW + timedelta(days=6)
BIG = ("assignment", "letter", "letter_body", "notice", "event", "delivery", "report")
WEEKLY_COUNTS = ("supervisor_id, anon_1.period, anon_1.request, count(*) FILTER", "assignment.done_on >=")
"""What a week's letters tell is counted of all assignments of active plans: once a week, as its digest is claimed. Of
what is four times as much, four times as much was done in the week, which the audit looks at."""
ONES_OWN = "max(letter.send_after) AS"
"""Whether a reader's letters are held is read from that reader's letters, all of which have an index."""
INSTRUCTIONS = 1_000
"""Of SQLite's virtual machine, between two counts."""


def live(database: Database) -> None:
    """A tick with something due, a Monday with digests, both with their letters and an audit."""
    for now in (NOW, MONDAY):
        asyncio.run(passes.tick(database, now, post_office(LetterBox())))
        run_checks(database, now)
        look(database, now)


def look(database: Database, now: datetime) -> None:
    """At the pages of what was sent and whether all is well, which many ask for and machines every minute."""
    with looking(database, now) as (session, today):
        health(session, today)
        found = list_letters(session, LetterFilter(), most=MOST_COUNTED)
        letter_story(session, found.rows[0].id)
        log(session, LogFilter())
        list_messages(session, MessageFilter())


def keep_letters(database: Database, count: int) -> None:
    """Letters of earlier years, all delivered."""
    at = NOW - timedelta(days=400)
    common: dict[str, Any] = {"role": Role.COORDINATOR, "channel": "email", "state": LetterState.DELIVERED}
    common |= {"send_after": at, "created_at": at, "sent_at": at}
    rows = [
        common
        | {"key": f"old:{n}", "contact_id": n % AGENCIES + 1, "agency_id": f"agency-{n % AGENCIES}"}
        | {"day": at.date() - timedelta(days=n % 1_000)}
        for n in range(count)
    ]
    with database.write() as session:
        session.connection().execute(insert(table(Letter)), rows)


@contextmanager
def work(database: Database) -> Iterator[Counter[str]]:
    """Thousands of instructions by statement."""
    counted: Counter[str] = Counter()
    running = [""]

    def begin(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        running[0] = statement
        counted.setdefault(statement, 0)
        cursor.connection.set_progress_handler(step, INSTRUCTIONS)

    def step() -> int:
        counted[running[0]] += 1
        return 0

    event.listen(database.bind, "before_cursor_execute", begin)
    try:
        yield counted
    finally:
        event.remove(database.bind, "before_cursor_execute", begin)


def measured(ground: Ground, folder: Path, stored: int, *, analyzed: bool) -> Counter[str]:
    with closing_database(sqlite_copy(ground, folder)) as database:
        fill(database, stored, AGENCIES)
        make_due(database, stored, DUE, AGENCIES)
        keep_letters(database, stored)
        with database.write() as session:
            statistics = "ANALYZE" if analyzed else "DELETE FROM sqlite_stat1"
            session.connection().exec_driver_sql(statistics)
        database.dispose()  # the planner reads them when it connects
        with work(database) as counted:
            live(database)
    return counted


@pytest.mark.parametrize("analyzed", [False, True], ids=["without statistics", "with statistics"])
def test_four_times_as_much_stored_is_no_more_work(ground: Ground, tmp_path: Path, analyzed: bool) -> None:
    small = measured(ground, tmp_path / "small", 4_000, analyzed=analyzed)
    large = measured(ground, tmp_path / "large", 16_000, analyzed=analyzed)
    assert len(small) > 20
    grown = {
        statement: (small[statement], count)
        for statement, count in large.items()
        if not any(each in statement for each in (*WEEKLY_COUNTS, ONES_OWN))
    }
    assert not {each: counts for each, counts in grown.items() if counts[1] > 1.5 * counts[0] + 20}


@pytest.mark.postgres
def test_every_statement_has_an_index_to_go_by(postgres_url: str) -> None:
    """PostgreSQL, told to avoid sequential scans, uses none: there is another way for every statement."""
    statements: dict[str, Any] = {}

    def note(_1: Any, _2: Any, statement: str, parameters: Any, _3: Any, many: bool) -> None:
        if statement.lstrip().startswith(("SELECT", "UPDATE", "DELETE", "WITH")):
            statements.setdefault(statement, parameters[0] if many else parameters)

    with closing_database(postgres_url) as database:
        fill(database, 1_000, AGENCIES)
        make_due(database, 1_000, DUE, AGENCIES)
        keep_letters(database, 1_000)
        event.listen(database.bind, "before_cursor_execute", note)
        live(database)
        event.remove(database.bind, "before_cursor_execute", note)
        assert len(statements) > 20
        walked = set()
        with database.read() as session:
            connection = session.connection()
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            for statement, parameters in statements.items():
                plan = "\n".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN {statement}", parameters))
                walked |= {(each, statement) for each in re.findall(r"Seq Scan on (\w+)", plan) if each in BIG}
        with database.write() as session:
            own.drop_all(session.connection())  # the database is used by other tests, too
    assert {each.name for each in SQLModel.metadata.sorted_tables} >= set(BIG)
    assert not walked
