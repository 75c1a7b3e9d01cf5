"""The weekly digests of 500 agencies over many stored assignments, 2,000 of them overdue, beside raw queries and mails.

    python -m tests.bench.digests [--stored 1000000]

Processor seconds of this process, SQLite. Bare: the overdue rows by agency, a row a digest, and kept aiosmtplib
connections that send the same bytes.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path

from sqlalchemy import delete, text

from engine.store.database import Database, table
from engine.store.records import Fact
from notifications.letters.template_check import samples
from tests.bench import bare, ground
from tests.bench.ours import NOW, SENDER, TODAY, office
from tests.bench.phases import watched
from tests.bench.smtp_sink import Sink
from workflows.run import passes

AGENCIES, OVERDUE = 500, 2_000
LATE = f"""
UPDATE assignment SET state = 'acknowledged', due_on = '2021-06-01', original_due_on = '2021-06-01', reported_on = NULL,
    outcome = NULL, done_on = NULL, first_reported_on = NULL
WHERE id IN (SELECT id FROM assignment WHERE id % 251 = 1 LIMIT {OVERDUE})
"""
ROWS = """
SELECT a.agency_id, p.number, d.citation, a.period, a.due_on FROM assignment a
JOIN plan p ON p.id = a.plan_id JOIN duty d ON d.id = a.duty_id
WHERE a.done_on IS NULL AND a.state NOT IN ('cancelled', 'transferred') AND a.due_on < ? ORDER BY a.due_on
"""


def raw(path: Path) -> None:
    """The rows of every digest, and a row for each, in one transaction of the bare driver."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        found = {agency_id for agency_id, *_ in connection.execute(ROWS, (TODAY.isoformat(),)).fetchall()}
        rows = [(f"digest:{each}", 0, 0) for each in found]
        connection.executemany("INSERT INTO bench_outbox (key, assignment_id, contact_id) VALUES (?, ?, ?)", rows)
        connection.execute("COMMIT")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stored", type=int, default=1_000_000)
    stored = parser.parse_args().stored
    with tempfile.TemporaryDirectory(prefix="dondoc-bench-") as folder, Sink() as sink:
        path = Path(folder) / "digests.db"
        database = Database(f"sqlite:///{path}")
        database.upgrade()
        ground.fill(database, stored, AGENCIES)
        with database.write() as session:
            session.connection().execute(delete(table(Fact)).where(table(Fact).c.name == ground.LAST_LOOK))
            session.connection().execute(text(LATE))
        ground._settle_down(database)
        delivery = office(sink.port)
        for kind in ("duties", "watch", "leadership"):  # templates are compiled once a process
            for facts in samples("vi", kind):
                delivery.renderer.render(facts, NOW)
        with watched() as watch:
            began = time.process_time()
            made = passes.digest(database, NOW)
            digested = time.process_time() - began
            sent = asyncio.run(passes.deliver(database, NOW, delivery))
            ours = time.process_time() - began
        began = time.process_time()
        raw(path)
        asyncio.run(bare.send(watch.messages, SENDER.mailbox, sink.port))
        alone = time.process_time() - began
        database.dispose()
    print(f"{stored:,} stored: {made.counts['digests']} digests, {sent.counts['letters']} letters")
    print(f"ours {ours:.2f} s of processor time (making {digested:.2f}), bare {alone:.2f}, ratio {ours / alone:.1f}")
    print("ms a letter: " + ", ".join(f"{phase} {spent / 502 * 1000:.2f}" for phase, spent in watch.seconds.items()))


if __name__ == "__main__":
    main()
