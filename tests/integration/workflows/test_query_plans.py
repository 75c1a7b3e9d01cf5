"""No pass walks a big table: the plan of every statement it runs, with and without statistics, on both databases.

After ANALYZE, SQLite's planner made the weekly digest walk everything: 50 s in one write transaction on a Monday morning.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from ground.post import LetterBox, post_office
from sqlalchemy import Connection, event

from engine.store.database import Database
from tests.bench.ground import fill, make_due
from tests.bench.ours import NOW
from workflows import passes
from workflows.audit import run_checks

STORED, DUE = 6_000, 40
BIG = ("assignment", "letter", "letter_body", "notice", "event", "delivery", "report")
MONDAY = NOW + timedelta(days=6)


@contextmanager
def statements(database: Database) -> Iterator[list[tuple[str, Any]]]:
    """Every SELECT, UPDATE and DELETE that runs meanwhile, once, with its first parameters."""
    seen: dict[str, Any] = {}

    def note(_1: Any, _2: Any, statement: str, parameters: Any, _3: Any, many: bool) -> None:
        if statement.lstrip().startswith(("SELECT", "UPDATE", "DELETE", "WITH")):
            seen.setdefault(statement, parameters[0] if many else parameters)

    found: list[tuple[str, Any]] = []
    event.listen(database.bind, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(database.bind, "before_cursor_execute", note)
        found += seen.items()


def walks(connection: Connection, statement: str, parameters: Any) -> set[str]:
    """The big tables that a statement walks from end to end."""
    if connection.dialect.name == "sqlite":
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        plan = "\n".join(row[3] for row in rows)
        aliases = dict(re.findall(r"(?:FROM|JOIN) (\w+) AS (\w+)", statement))
        names = {alias: name for name, alias in aliases.items()}
        scanned = re.findall(r"SCAN (\w+)(?! USING (?:COVERING )?INDEX ix_\w+_(?:open|lost|to_accept|early))", plan)
        return {names.get(each, each) for each in scanned} & set(BIG)
    connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
    plan = "\n".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN {statement}", parameters))
    return set(re.findall(r"Seq Scan on (\w+)", plan)) & set(BIG)


def live(database: Database) -> None:
    """A tick with something due, a Monday with digests, an audit, and letters delivered."""
    for now in (NOW, MONDAY):
        asyncio.run(passes.tick(database, now, post_office(LetterBox())))
        run_checks(database, now)


@pytest.mark.parametrize("analyzed", [False, True], ids=["without statistics", "with statistics"])
def test_no_pass_walks_a_big_table(database: Database, analyzed: bool) -> None:
    fill(database, STORED)
    make_due(database, STORED, DUE)
    with database.write() as session:
        if analyzed:
            session.connection().exec_driver_sql("ANALYZE")
        elif database.dialect == "sqlite":
            session.connection().exec_driver_sql("DROP TABLE IF EXISTS sqlite_stat1")
            session.connection().exec_driver_sql("DROP TABLE IF EXISTS sqlite_stat4")
    database.dispose()
    with statements(database) as run:
        live(database)
    assert len(run) > 20
    with database.read() as session:
        found = {
            (table, statement) for statement, values in run for table in walks(session.connection(), statement, values)
        }
    assert not found, "\n\n".join(f"{table}: {statement}" for table, statement in sorted(found))
