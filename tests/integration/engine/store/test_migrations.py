"""The steps of the schema lead to exactly the tables that the code has, on both databases, whoever else is starting."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from ground.databases import closing_database, postgres_database
from ground.factory import at, rows, store
from ground.postgres import Ground
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel

import engine
from engine.errors import Unavailable
from engine.store.database import FIRST_RELEASED, Database, table
from engine.store.records import Duty, Fact
from engine.store.search_index import is_a_record
from engine.store.version import MIGRATIONS

ROOT = Path(engine.__file__).parents[1]
UPGRADE = """
import sys
from alembic import command
from engine.store.version import MIGRATIONS
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


def test_processes_of_the_version_before_can_go_on_beside_each_step(columns_after: dict[str, Columns]) -> None:
    """Machines are upgraded one by one: a step drops nothing that the version before reads, changes no type that it
    writes, and what it adds need not be written."""
    assert STEPS[0] == FIRST_RELEASED
    for before, after in itertools.pairwise(STEPS):
        known, found = columns_after[before], columns_after[after]
        assert set(known) - set(found) == set(), f"{after}: dropped while the version before still reads it"
        changed = {key for key, (kind, _) in known.items() if found[key][0] != kind}
        assert changed == set(), f"{after}: the version before writes another type"
        tables = {name for name, _ in known}
        new = {key: may_miss for key, (_, may_miss) in found.items() if key not in known and key[0] in tables}
        assert all(new.values()), f"{after}: the version before does not know it; give it a server default: {new}"


def renumbered(database: Database, number: str) -> None:
    with database.write() as session:
        session.connection().exec_driver_sql(f"UPDATE alembic_version SET version_num = '{number}'")


def test_an_older_schema_is_told_which_version_comes_first(database: Database) -> None:
    newest = database.schema_versions()[1]
    renumbered(database, "0024")
    with pytest.raises(Unavailable, match="29 November 2026"):
        database.upgrade()
    assert database.schema_versions()[0] == "0024"
    renumbered(database, newest)
