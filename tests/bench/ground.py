"""Databases with many assignments for the benchmarks: valid rows, inserted by a few set-based statements.

20 plans with the 26 duties of plan 188, 10,000 agencies with a coordinator each, and any number of assignments over
them. ``make_due`` makes some of them due, distributed over the whole table, each of a different agency, so that n due
assignments are n letters; ``make_quiet`` undoes the effects of a tick.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Column, Connection, Date, Integer, MetaData, String, Table, bindparam, insert, text
from sqlmodel import SQLModel

from engine.assignments.weekly_digest import LAST_LOOK, week_day
from engine.files.plan import load_plan
from engine.files.yaml_reader import read
from engine.plans.loading import load_policy
from engine.rules.calendar import WorkCalendar, instant
from engine.rules.policy import Facts, Policy, next_look
from engine.store.database import Database, table
from engine.store.records import Agency, Assignment, Contact, Duty, Fact, Plan
from engine.store.rulebook import read_rulebook, store_ladder
from engine.terms import PlanState, Role, State
from tests.bench.ours import NOW, TODAY

CONFIG = Path(__file__).parents[2] / "config"
AGENCIES, PLANS, DUTIES = 10_000, 20, 26
OPENED = date(2021, 3, 15)
DUE_ON = date(2021, 6, 18)
CAUSE = "ngày 20/6/2021 là Chủ nhật, hạn chuyển sang thứ Hai, 21/6/2021"

own = MetaData()
awake = Table("bench_awake", own, Column("id", Integer, primary_key=True))
look = Table(
    "bench_look",
    own,
    Column("n", Integer, primary_key=True),
    Column("state", String),
    Column("due_on", Date),
    Column("acted_until", Date),
    Column("next_action_at", table(Assignment).c.next_action_at.type),
    Column("reported_on", Date),
    Column("quiet", String),
)
outbox = Table(
    "bench_outbox",
    own,
    Column("key", String, primary_key=True),
    Column("assignment_id", Integer),
    Column("contact_id", Integer),
)

# The n-th assignment: every agency in turn; its duty and period follow, so that (duty, agency, period) is unique.
FILL = f"""
WITH RECURSIVE series(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM series WHERE n < :stored - 1),
placed AS (SELECT n, n % :agencies AS agency, n / :agencies AS round FROM series)
INSERT INTO assignment (id, plan_id, duty_id, agency_id, supervisor_id, period, nominal_due, original_due_on, due_on,
    due_why, ladder_id, state, opened_at, opened_on, acted_until, next_action_at, reported_on, outcome,
    done_on, first_reported_on, quiet, level)
SELECT p.n + 1, d.plan_id, d.id, 'agency-' || p.agency, 'so-chinh', '2021-P' || (p.round / {PLANS * DUTIES}),
    l.due_on, l.due_on, l.due_on, :why, :ladder, l.state, :opened_at, :opened_on, l.acted_until, l.next_action_at,
    l.reported_on, CASE WHEN l.reported_on IS NOT NULL THEN 'done' END, l.reported_on, l.reported_on, l.quiet, 0
FROM placed p
JOIN duty d ON d.id = (p.round + p.agency * 7) % {PLANS * DUTIES} + 1
JOIN bench_look l ON l.n = (p.round * 13 + p.agency) % :looks
"""
WAKE = """
UPDATE assignment SET state = CASE id % 2 WHEN 0 THEN 'assigned' ELSE 'acknowledged' END, due_on = :due_on,
    original_due_on = :due_on, reported_on = NULL, outcome = NULL, done_on = NULL,
    first_reported_on = NULL, quiet = NULL, acted_until = :acted_until, next_action_at = :next,
    level = 0
WHERE id IN (SELECT id FROM bench_awake)
"""
SLEEP = """
UPDATE assignment SET state = 'accepted', reported_on = due_on, outcome = 'done', done_on = due_on,
    first_reported_on = due_on, next_action_at = NULL, quiet = NULL
WHERE id IN (SELECT id FROM bench_awake)
"""
MADE = ("delivery", "letter_body", "notice", "letter", "event", "pass", "bench_outbox")


def fill(database: Database, stored: int, agencies: int = AGENCIES) -> None:
    """Fill a migrated, empty database; nothing is due yet."""
    with database.write() as session:
        policy = read(CONFIG / "policies" / "default.yaml", Policy)
        load_policy(session, policy, actor="bench", now=NOW)
        ladder = store_ladder(session, policy.ladders["order"])
        connection = session.connection()
        own.drop_all(connection)  # an emptied database keeps them
        own.create_all(connection)
        _bodies(connection, agencies)
        _plans(connection)
        looks = list(_looks(read_rulebook(session).calendar, policy))
        connection.execute(insert(look), looks)
        values: dict[str, Any] = {"stored": stored, "agencies": agencies, "looks": len(looks), "ladder": ladder}
        values |= {"opened_at": instant(OPENED, time(7)), "opened_on": OPENED, "why": {"vi": CAUSE}}
        connection.execute(_typed(FILL, **values))
        connection.execute(insert(table(Fact)), [{"name": LAST_LOOK, "value": week_day(TODAY)}])
    _settle_down(database)


def make_due(database: Database, stored: int, due: int, agencies: int = AGENCIES) -> None:
    """Make ``due`` assignments due: evenly distributed, no two of one agency; their T-3 is today."""
    step = stored // due
    ids = [{"id": n * step + n * step // agencies % step + 1} for n in range(due)]
    with database.write() as session:
        connection = session.connection()
        connection.execute(text("DELETE FROM bench_awake"))
        connection.execute(insert(awake), ids)
        values = {"due_on": DUE_ON, "acted_until": TODAY - timedelta(days=4), "next": instant(TODAY, time(7))}
        connection.execute(_typed(WAKE, **values))
    _settle_down(database)


def make_quiet(database: Database) -> None:
    """Undo the effects of ticks, so that nothing is due."""
    with database.write() as session:
        connection = session.connection()
        connection.execute(text(SLEEP))
        for name in MADE:
            statement = f"TRUNCATE {name}" if database.dialect == "postgresql" else f"DELETE FROM {name}"
            connection.execute(text(statement))
    _settle_down(database)


def _settle_down(database: Database) -> None:
    """Do what autovacuum or a checkpoint would have done before the next tick."""
    if database.dialect == "sqlite":
        with database.bind.connect() as connection:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.exec_driver_sql("PRAGMA optimize=0x10002")
    else:
        plain = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
        with closing(psycopg.connect(plain, autocommit=True)) as connection:
            for name in ("agency", "contact", "plan", "duty", "assignment", *MADE):
                connection.execute(f"VACUUM ANALYZE {name}".encode())


def _bodies(connection: Connection, agencies: int) -> None:
    bodies = [("tinh", "Ủy ban nhân dân tỉnh", None), ("so-chinh", "Sở Lao động - Thương binh và Xã hội", "tinh")]
    bodies += [(f"agency-{n}", f"Ủy ban nhân dân huyện số {n}", "tinh") for n in range(agencies)]
    _insert(
        connection,
        Agency,
        [
            Agency(id=key, level="huyen", parent_id=parent, name=name, short=name, names=[{"name": name}], aliases=[])
            for key, name, parent in bodies
        ],
    )
    people = [(f"agency-{n}", Role.COORDINATOR) for n in range(agencies)]
    people += [("so-chinh", Role.MONITOR), ("tinh", Role.LEADERSHIP)]
    _insert(
        connection,
        Contact,
        [
            Contact(agency_id=agency_id, role=role, label="Đầu mối", email=f"{role}@{agency_id}.example")
            for agency_id, role in people
        ],
    )


def _plans(connection: Connection) -> None:
    real = load_plan(CONFIG / "plans" / "188-kh-ubnd-2021.yaml")
    duties = [placed for placed in real.duties.values() if placed.section.kind == "assignments"]
    assert len(duties) == DUTIES
    for plan in range(PLANS):
        number = f"{188 + plan}/KH-UBND"
        _insert(
            connection,
            Plan,
            [
                Plan(
                    id=plan + 1,
                    number=number,
                    issuer_id="tinh",
                    year=2021,
                    issued_on=real.issued_on,
                    title=real.title,
                    short_title=f"Kế hoạch {number} năm 2021",
                    sms_name=f"KH{188 + plan}",
                    supervisor_id="so-chinh",
                    policy_id="default",
                    state=PlanState.ACTIVE,
                    digest="",
                    file={},
                )
            ],
        )
        _insert(
            connection,
            Duty,
            [
                Duty(
                    id=plan * DUTIES + position + 1,
                    plan_id=plan + 1,
                    position=position,
                    citation=each.duty.citation,
                    heading=each.item.heading,
                    text=each.duty.text,
                    cadence=["half_year"],
                    rule="gui-so",
                    owners=[],
                    coordinating=[],
                    waits_for=[],
                )
                for position, each in enumerate(duties)
            ],
        )


def _insert(connection: Connection, model: type[SQLModel], records: Sequence[SQLModel]) -> None:
    connection.execute(insert(table(model)), [record.model_dump(exclude_none=True) for record in records])


def _looks(calendar: WorkCalendar, policy: Policy) -> Iterator[dict[str, Any]]:
    """60 % are done; the others wait for a rung of their ladder in the coming months."""
    blank: dict[str, Any] = {"reported_on": None, "quiet": None, "acted_until": None, "next_action_at": None}
    for n in range(300):
        due_on = calendar.on_or_after(TODAY + timedelta(days=20 + n // 2))
        row = blank | {"n": n, "due_on": due_on}
        if n % 5 < 3:
            yield row | {"state": "accepted", "reported_on": TODAY}
            continue
        state = (State.ASSIGNED, State.ACKNOWLEDGED)[n % 2]
        facts = Facts(state, OPENED, due_on, TODAY)
        on, quiet = next_look(policy.ladders["order"], facts, calendar)
        assert on is not None
        assert quiet is None
        yield row | {"state": state, "acted_until": TODAY, "next_action_at": instant(on, policy.decide_at)}


def _typed(sql: str, **values: object) -> Any:
    """The statement with values bound to the column types of the records."""
    columns = {
        "opened_at": "opened_at",
        "next": "next_action_at",
        "opened_on": "opened_on",
        "due_on": "due_on",
        "acted_until": "acted_until",
        "why": "due_why",
    }
    types = {name: table(Assignment).c[column].type for name, column in columns.items() if name in values}
    return text(sql).bindparams(*(bindparam(name, value, types.get(name)) for name, value in values.items()))


@contextmanager
def sqlite(folder: Path, stored: int) -> Iterator[Database]:
    """A migrated, filled SQLite file, deleted at the end."""
    path = folder / f"{stored}.db"
    database = Database(f"sqlite:///{path}")
    try:
        database.upgrade()
        fill(database, stored)
        yield database
    finally:
        database.dispose()
        for each in folder.glob(f"{stored}.db*"):
            each.unlink()


@contextmanager
def postgres(server: str, stored: int) -> Iterator[Database]:
    """A migrated, filled database on a server (URL of its database ``postgres``), dropped at the end."""
    name = f"bench_{stored}"
    with closing(psycopg.connect(server, autocommit=True)) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
        connection.execute(f"CREATE DATABASE {name}".encode())
        database = Database(server.rpartition("/")[0] + "/" + name)
        try:
            database.upgrade()
            fill(database, stored)
            yield database
        finally:
            database.dispose()
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
