"""PostgreSQL checks its own tables and indexes, where amcheck is there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest
from ground.databases import closing_database, postgres_migrated
from ground.factory import at, lay
from ground.postgres import Ground
from sqlalchemy import text

from engine.store.database import Database
from workflows.operation.backup import server_damage

pytestmark = pytest.mark.postgres
DATABASE = "amchecked"
BECOMES_WRONG = (
    "CREATE FUNCTION turned(word text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT $1'",
    "CREATE INDEX ix_turned ON fact (turned(name))",
    "CREATE OR REPLACE FUNCTION turned(word text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT reverse($1)'",
)
"""What a new collation of the operating system does to every index of texts: rows are looked for where they are not."""


@pytest.fixture
def url(ground: Ground) -> str:
    return postgres_migrated(ground, DATABASE)


@pytest.fixture
def lived(url: str) -> Iterator[Database]:
    with closing_database(url) as database:
        lay(database, now=at("2021-04-07"))
        with database.write() as session:
            session.connection().execute(text("INSERT INTO fact (name, value) VALUES ('abc', ''), ('abd', '')"))
        yield database


def run(url: str, *statements: str) -> None:
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        for statement in statements:
            connection.execute(statement)  # type: ignore[call-overload]


def test_without_the_extension_it_is_not_asked(lived: Database) -> None:
    assert server_damage(lived) is None


def test_an_index_that_answers_wrongly_is_named(lived: Database, url: str) -> None:
    run(url, "CREATE EXTENSION amcheck")
    assert server_damage(lived) == ""
    run(url, *BECOMES_WRONG)
    found = server_damage(lived)
    assert found is not None
    assert "ix_turned" in found


def test_who_may_not_ask_is_told_so_and_not_that_it_is_damaged(lived: Database, url: str) -> None:
    run(url, "CREATE EXTENSION amcheck", "DROP ROLE IF EXISTS amchecks_nothing", "CREATE ROLE amchecks_nothing LOGIN")
    run(url, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO amchecks_nothing")
    other = lived.url.set(username="amchecks_nothing").render_as_string(hide_password=False)
    with closing_database(other) as database:
        assert server_damage(database) is None
