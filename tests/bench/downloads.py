"""What a list of 100,000 rows costs as a spreadsheet: processor time and the memory that it adds, each in a process of
its own, on SQLite. Every assignment is open and overdue.

python -m tests.bench.downloads [--rows 100000]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import update
from sqlmodel import Session

from engine.http.list_columns import assignment_columns, overdue_columns
from engine.queries.time_class import Today, read_today
from engine.queries.work.assignments import AssignmentFilter, every_assignment
from engine.queries.work.overdue import every_overdue
from engine.store.database import Database, table
from engine.store.records import Assignment
from engine.terms import State
from engine.text import Text
from engine.views.spreadsheets import Column, Sheet, write_csv, write_xlsx
from tests.bench import ground
from tests.bench.ours import NOW, TODAY
from tests.bench.peak import peak

AIM_SECONDS, AIM_MIB = 3.0, 50.0
AGENCIES = 500
Rows = Callable[[Session, Today], Iterator[Any]]
ALL = AssignmentFilter()
LISTS: dict[str, tuple[Callable[[Today], list[Column[Any]]], Rows]] = {
    "assignments": (assignment_columns, lambda session, today: every_assignment(session, today, ALL)),
    "assignments, by agency": (
        assignment_columns,
        lambda session, today: every_assignment(session, today, ALL, "-agency"),
    ),
    "overdue": (lambda _: overdue_columns(), lambda session, today: every_overdue(session, today, ALL)),
    "overdue, by number": (
        lambda _: overdue_columns(),
        lambda session, today: every_overdue(session, today, ALL, "-count"),
    ),
}
WRITERS = {"xlsx": write_xlsx, "csv": write_csv}


def measure(url: str, name: str, taken_as: str) -> None:
    """Print processor seconds, and MiB added at the peak."""
    database, (columns, rows) = Database(url), LISTS[name]
    with database.read() as session:
        today = read_today(session, NOW)
        next(rows(session, today))  # what is imported and prepared once is not counted
        before, began = peak(), time.process_time()
        with tempfile.TemporaryFile() as file:
            WRITERS[taken_as](Sheet(Text(name, name), name, columns(today), rows(session, today)), "vi", file)
        print(time.process_time() - began, peak() - before)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        measure(*options.child)
        return
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/bench.db")
        database.upgrade()
        ground.fill(database, options.rows, AGENCIES)
        with database.write() as session:
            late = {"state": State.ACKNOWLEDGED, "due_on": TODAY - timedelta(days=9), "done_on": None}
            session.connection().execute(
                update(table(Assignment)).values(**late, reported_on=None, outcome=None, first_reported_on=None)
            )
        database.dispose()
        print(f"{options.rows} rows; aims {AIM_SECONDS:.0f} s, {AIM_MIB:.0f} MiB")
        for name in LISTS:
            for taken_as in WRITERS:
                command = [sys.executable, "-m", "tests.bench.downloads", "--child", str(database.bind.url)]
                made = subprocess.run([*command, name, taken_as], check=True, capture_output=True, text=True)
                seconds, more = map(float, made.stdout.split())
                print(f"  {name:24} {taken_as:5} {seconds:5.2f} s  +{more:3.0f} MiB", flush=True)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    main()
