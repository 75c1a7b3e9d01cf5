"""What a list of 100,000 rows costs as a spreadsheet: processor time and the memory that it adds, each in a process of
its own. Every assignment is open and overdue, a letter went and an event was logged for each.

python -m tests.bench.downloads [--rows 100000] [--postgres]
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

from sqlalchemy import select, update
from sqlmodel import Session

from engine.http.lists.list_columns import LETTER_LIST, OVERDUE_LIST, assignment_list, log_list
from engine.http.lists.listing import Listing
from engine.queries.paging import DOWNLOAD_ROWS, every_row
from engine.queries.system.letters import LetterFilter, every_letter
from engine.queries.system.log import LogFilter, LogRow, log
from engine.queries.time_class import Today, read_today
from engine.queries.work.assignments import AssignmentFilter, every_assignment
from engine.queries.work.overdue import every_overdue
from engine.store.database import Database, insert_rows, table
from engine.store.records import Assignment, Contact, Event, Letter, LetterBody
from engine.terms import EventKind, LetterState, Role, State
from engine.text import Text
from engine.views.spreadsheets import Sheet, write_csv, write_xlsx
from tests.bench.ours import NOW, TODAY
from tests.bench.peak import peak
from tests.bench.run import databases

AIM_SECONDS, AIM_MIB = 3.0, 50.0
Rows = Callable[[Session, Today], Iterator[Any]]
ALL = AssignmentFilter()
LISTS: dict[str, tuple[Callable[[Today], Listing[Any]], Rows]] = {
    "assignments": (assignment_list, lambda session, today: every_assignment(session, today, ALL)),
    "assignments, by agency": (
        assignment_list,
        lambda session, today: every_assignment(session, today, ALL, "-agency"),
    ),
    "overdue": (lambda _: OVERDUE_LIST, lambda session, today: every_overdue(session, today, ALL)),
    "overdue, by number": (
        lambda _: OVERDUE_LIST,
        lambda session, today: every_overdue(session, today, ALL, "-count"),
    ),
}


def every_event(session: Session, today: Today) -> Iterator[LogRow]:
    return every_row(lambda cursor: log(session, LogFilter(), after=cursor, limit=DOWNLOAD_ROWS))


LISTS |= {
    "letters": (lambda _: LETTER_LIST, lambda session, today: every_letter(session, LetterFilter())),
    "log": (lambda _: log_list({}), every_event),
}
WRITERS = {"xlsx": write_xlsx, "csv": write_csv}


def measure(url: str, name: str, export_format: str) -> None:
    """Print processor seconds, and MiB added at the peak."""
    database, (listing, rows) = Database(url), LISTS[name]
    with database.read() as session:
        today = read_today(session, NOW)
        next(rows(session, today))  # what is imported and prepared once is not counted
        before, began = peak(), time.process_time()
        with tempfile.TemporaryFile() as file:
            WRITERS[export_format](
                Sheet(Text(name, name), name, listing(today).columns, rows(session, today)), "vi", file
            )
        print(time.process_time() - began, peak() - before)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--postgres", action="store_true", help="on PostgreSQL instead of SQLite")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        measure(*options.child)
        return
    kind = "postgres" if options.postgres else "sqlite"
    with databases([kind]) as made, made[kind](options.rows) as database:
        with database.write() as session:
            _live(session)
        database.optimize()
        print(f"{options.rows} rows, {kind}; aims {AIM_SECONDS:.0f} s, {AIM_MIB:.0f} MiB")
        for name in LISTS:
            for export_format in WRITERS:
                url = database.url.render_as_string(hide_password=False)
                command = [sys.executable, "-m", "tests.bench.downloads", "--child", url, name, export_format]
                taken = subprocess.run(command, check=True, capture_output=True, text=True)
                seconds, more = map(float, taken.stdout.split())
                print(f"  {name:24} {export_format:5} {seconds:5.2f} s  +{more:3.0f} MiB", flush=True)


def _live(session: Session) -> None:
    """Everything is overdue; of each assignment a letter went and an event is in the log."""
    a, connection = table(Assignment), session.connection()
    late = {"state": State.ACKNOWLEDGED, "due_on": TODAY - timedelta(days=9), "done_on": None}
    connection.execute(update(a).values(**late, reported_on=None, outcome=None, first_reported_on=None))
    ids = connection.execute(select(a.c.id, a.c.agency_id, a.c.plan_id)).all()
    contacts: dict[str, int] = dict(connection.execute(select(table(Contact).c.agency_id, table(Contact).c.id)).all())  # type: ignore[arg-type]
    letters = [
        {
            "id": number,
            "key": f"bench:{number}",
            "contact_id": contacts[agency],
            "agency_id": agency,
            "role": Role.COORDINATOR,
            "channel": "email",
            "day": TODAY,
            "send_after": NOW,
            "state": LetterState.DELIVERED,
            "created_at": NOW,
            "sent_at": NOW,
        }
        for number, agency, _ in ids
    ]
    insert_rows(session, Letter, letters)
    bodies = [
        {"letter_id": number, "subject": f"[188] {number} việc quá hạn", "text": "", "html": b""} for number, *_ in ids
    ]
    insert_rows(session, LetterBody, bodies)
    events = [
        {
            "at": NOW,
            "kind": EventKind.OPENED,
            "actor": "system",
            "plan_id": plan,
            "assignment_id": number,
            "detail": {"due_on": TODAY.isoformat()},
        }
        for number, _, plan in ids
    ]
    insert_rows(session, Event, events)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    main()
