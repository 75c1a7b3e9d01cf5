"""The steps of the schema lead to exactly the tables that the code has, on both databases, whoever else is starting."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from ground.databases import closing_database, postgres_database
from ground.factory import at, lay, row, rows, store
from ground.postgres import Ground
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel

import engine
from engine.assignments import lifecycle
from engine.assignments.lifecycle import ReportText
from engine.errors import Unavailable
from engine.rules.calendar import local_date
from engine.store.database import MIGRATIONS, Database, table
from engine.store.records import ApiToken, Assignment, Duty, Fact
from engine.store.search_index import is_a_record
from engine.terms import Outcome

ROOT = Path(engine.__file__).parents[1]
UPGRADE = """
import sys
from alembic import command
from engine.store.database import Database
database = Database(sys.argv[1])
database.schema_versions()
print("begins", flush=True)
database.upgrade()
"""
SCHEMA = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL",
    "postgresql": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
}


def indexes(database: Database) -> dict[str, str]:
    """Name -> definition, with the conditions of partial indexes, which Alembic does not compare."""
    with database.bind.connect() as connection:
        found = dict(map(tuple, connection.exec_driver_sql(SCHEMA[database.dialect])))
    return {name: sql for name, sql in found.items() if "alembic" not in name and is_a_record(name, "table", {})}


def test_the_steps_lead_to_the_tables_of_the_code(database: Database) -> None:
    with database.bind.connect() as connection:
        difference = compare_metadata(
            MigrationContext.configure(connection, opts={"include_name": is_a_record}), SQLModel.metadata
        )
    assert difference == [], "run «make migration»"


def test_partial_indexes_hold_the_same_condition_as_in_the_code(empty_url: str) -> None:
    with closing_database(empty_url) as database:
        SQLModel.metadata.create_all(database.bind)
        wanted = indexes(database)
        SQLModel.metadata.drop_all(database.bind)
        database.upgrade()
        assert indexes(database) == wanted
        assert any("WHERE" in sql for sql in wanted.values())


def test_keys_of_before_stay_and_have_not_been_seen_in_use(empty_url: str) -> None:
    with closing_database(empty_url) as database:
        with database.migrating() as settings:
            command.upgrade(settings, "0001")
            connection = settings.attributes["connection"]
            for row in (
                "agency (id, level, name, short, names, aliases) VALUES ('so', 'so', 'Sở', 'Sở', '[]', '[]')",
                "account (email, label, role, agency_id, password, language, active, created_at)"
                " VALUES ('a@so.example', '', 'head', 'so', '', 'vi', true, '2021-06-07 00:00:00')",
                "api_token (account_id, digest, label, scopes, created_at)"
                " VALUES (1, 'd', 'Kho', '[\"read\"]', '2021-06-07 00:00:00')",
            ):
                connection.exec_driver_sql(f"INSERT INTO {row}")
        database.upgrade()
        (kept,) = rows(database, ApiToken)
        assert (kept.label, kept.scopes, kept.used_on) == ("Kho", ["read"], None)


def test_tasks_reported_unfinished_before_are_asked_again_two_weeks_after_the_step(database: Database) -> None:
    laid = lay(database, now=at("2021-04-07"))
    before, done = laid.assignment("IV.1.1", "so-ban"), laid.assignment("IV.2.1", "huyen-a")
    with database.write() as session:
        text = ReportText(outcome=Outcome.NOT_YET, reason="Chờ kinh phí.")
        lifecycle.report(session, before, text, actor="contact:1", now=at("2021-06-16"))
        lifecycle.report(session, done, ReportText(), actor="contact:1", now=at("2021-06-16"))
    with database.migrating() as settings:
        command.downgrade(settings, "0017")
    database.upgrade()
    kept = row(database, Assignment, id=before)
    assert timedelta(days=13) <= kept.promised_on - local_date(datetime.now(UTC)) <= timedelta(days=15)
    assert kept.next_action_at <= datetime.now(UTC)  # the next pass works out when it reminds of that day
    assert kept.quiet is None
    assert row(database, Assignment, id=done).promised_on is None


def test_a_second_upgrade_changes_nothing(database: Database) -> None:
    with database.write() as session:
        session.add(Fact(name="kept", value="yes"))
    database.upgrade()
    assert [each.value for each in rows(database, Fact)] == ["yes"]


def test_processes_that_start_together_make_the_schema_once(empty_url: str) -> None:
    """This one is the second, so that only one has to be started: it begins when the other does."""
    with (
        closing_database(empty_url) as database,
        subprocess.Popen([sys.executable, "-c", UPGRADE, empty_url], cwd=ROOT, stdout=subprocess.PIPE) as other,
    ):
        assert other.stdout
        assert other.stdout.readline() == b"begins\n"
        database.upgrade()
        assert other.wait(timeout=60) == 0
        assert rows(database, Fact) == []


def test_a_step_that_fails_leaves_the_schema_as_it_was(database: Database) -> None:
    def step(connection: sa.Connection) -> None:
        connection.exec_driver_sql("ALTER TABLE fact ADD COLUMN half_way INTEGER")
        connection.exec_driver_sql("INSERT INTO fact (name, value) VALUES (NULL, NULL)")

    with pytest.raises(IntegrityError), database.migrating() as settings:
        step(settings.attributes["connection"])
    with database.bind.connect() as connection:
        assert "half_way" not in {each["name"] for each in sa.inspect(connection).get_columns("fact")}


def test_a_table_others_point_at_can_be_rebuilt_and_is_guarded_again_afterwards(sqlite_database: Database) -> None:
    store(sqlite_database, now=at("2021-04-07"))
    before = rows(sqlite_database, Duty)
    with sqlite_database.migrating() as settings:
        operations = Operations(MigrationContext.configure(settings.attributes["connection"]))
        with operations.batch_alter_table("plan", recreate="always") as batch:
            batch.add_column(sa.Column("extra", sa.String(), nullable=True))
    assert rows(sqlite_database, Duty) == before
    with pytest.raises(IntegrityError), sqlite_database.write() as session:
        session.connection().execute(sa.update(table(Duty)).values(plan_id=999))


def test_alembics_own_command_is_sent_to_ours() -> None:
    settings = Config()
    settings.set_main_option("script_location", str(ROOT / "engine" / "store" / "migrations"))
    with pytest.raises(Unavailable, match="dondoc db upgrade"):
        command.upgrade(settings, "head")


def test_a_program_older_than_the_schema_says_so_and_changes_nothing(database: Database) -> None:
    with database.write() as session:
        session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Unavailable, match="9999"):
        database.upgrade()
    with database.write() as session:
        session.connection().exec_driver_sql(
            f"UPDATE alembic_version SET version_num = '{database.schema_versions()[1]}'"
        )


Columns = dict[tuple[str, str], tuple[str, bool]]


def columns(database: Database) -> Columns:
    """(table, column) -> its type, and whether a row may be written that does not name it."""
    found = sa.inspect(database.bind)
    return {
        (name, each["name"]): (
            str(each["type"]),
            bool(each["nullable"] or each["default"] is not None or each.get("autoincrement") is True),
        )
        for name in found.get_table_names()
        for each in found.get_columns(name)
    }


TOGETHER = {"0006", "0012", "0019"}
"""Before the first release, said in docs/operating/upgrade.md: the two measures that 0006 adds to the tally cannot be
left out; 0012 makes bytes of the texts of letters, so that a process of before sends but cannot note what it sent; 0019
renames a column that the version of 0018 reads."""
STEPS = sorted(step.name.partition("_")[0] for step in MIGRATIONS.glob("[0-9]*_*.py"))


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def columns_after(
    request: pytest.FixtureRequest, ground: Ground, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Columns]:
    """Step -> ``columns`` after it, of one database that takes all steps one by one."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('steps')}/steps.db"
    else:
        url = postgres_database(ground, f"steps_{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}")
    found = {}
    with closing_database(url) as database:
        for step in STEPS:
            with database.migrating() as settings:
                command.upgrade(settings, step)
            found[step] = columns(database)
    return found


@pytest.mark.parametrize(("before", "after"), [pair for pair in itertools.pairwise(STEPS) if pair[1] not in TOGETHER])
def test_processes_of_the_version_before_can_go_on_beside_each_step(
    before: str, after: str, columns_after: dict[str, Columns]
) -> None:
    """Machines are upgraded one by one: a step drops nothing that the version before reads, changes no type that it
    writes, and what it adds need not be written."""
    known, found = columns_after[before], columns_after[after]
    assert set(known) - set(found) == set(), "dropped while the version before still reads it"
    changed = {key for key, (kind, _) in known.items() if found[key][0] != kind}
    assert changed == set(), "the version before writes another type"
    tables = {name for name, _ in known}
    needed = {key for key, (_, may_miss) in found.items() if key not in known and key[0] in tables and not may_miss}
    assert needed == set(), "the version before does not know it; give it a server default"
