"""The steps of the schema lead to exactly the tables that the code has, on both databases, whoever else is starting."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from ground.databases import closing_database
from sqlmodel import SQLModel

from engine.database import Database
from engine.records import Fact

SCHEMA = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL",
    "postgresql": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
}


def indexes(database: Database) -> dict[str, str]:
    """Name -> definition, with the conditions of partial indexes, which Alembic does not compare."""
    with database.bind.connect() as connection:
        found = dict(map(tuple, connection.exec_driver_sql(SCHEMA[database.dialect])))
    return {name: sql for name, sql in found.items() if "alembic" not in name}


def test_the_steps_lead_to_the_tables_of_the_code(database: Database) -> None:
    with database.bind.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), SQLModel.metadata) == []


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
    with database.read() as session:
        assert session.get(Fact, "kept") is not None
