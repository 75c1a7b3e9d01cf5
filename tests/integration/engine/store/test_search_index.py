"""The index says what the rows say, whoever changes them, on both databases; lost, it is built anew."""

from __future__ import annotations

from datetime import timedelta

import pytest
from alembic import command
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from ground.databases import closing_database
from ground.factory import add_contact, at, lay, rows
from sqlalchemy import Column, String, delete, insert, text, update

from engine.assignments.chasing import record_paper
from engine.store import search_index
from engine.store.database import FIRST_RELEASED, LAST_UNRELEASED, Database, table
from engine.store.records import Agency, Assignment, Contact, Duty, LetterBody, Plan
from engine.terms import Role
from workflows.checks.audit import run_checks
from workflows.checks.repair import repair

NOW = at("2021-04-07")


def entries(database: Database) -> set[tuple[str, str, str]]:
    with database.read() as session:
        found = session.connection().execute(text("SELECT kind, ref, words FROM search_entry"))
        return {(row.kind, row.ref, row.words) for row in found}


def test_rows_that_are_written_changed_and_deleted_are_followed(database: Database) -> None:
    lay(database, now=NOW)
    with database.write() as session:
        do = session.connection().execute
        do(update(table(Plan)).values(title="Kế hoạch đường thủy"))
        do(update(table(Duty)).where(table(Duty).c.citation == "IV.1.1").values(text="Nạo vét luồng lạch"))
        do(update(table(Agency)).where(table(Agency).c.id == "so-ban").values(aliases=["Ty Đường sông"]))
        do(insert(table(LetterBody)), [{"letter_id": 9001, "subject": "Nhắc báo cáo", "text": "", "html": b""}])
    someone = add_contact(database, "so-ban", Role.COORDINATOR, label="Văn phòng")
    followed = entries(database)
    with database.write() as session:
        session.connection().execute(update(table(Contact)).values(label="", email="", phone=""))
        session.connection().execute(delete(table(LetterBody)))
    gone = followed - entries(database)
    assert {kind for kind, _, _ in gone} == {"contact", "letter"}
    assert str(someone) in {ref for kind, ref, _ in gone}
    kept = entries(database)
    with database.write() as session:
        search_index.rebuild(session.connection())
    assert entries(database) == kept


def test_a_paper_stands_once_an_agency_before_and_after_a_rebuild(database: Database) -> None:
    lay(database, now=NOW)
    ids = [each.id for each in rows(database, Assignment)]
    about = {"number": "412/SLĐTBXH", "on": NOW.date(), "actor": "cli", "now": NOW}
    for _ in range(2):
        with database.write() as session:
            record_paper(session, "so-chinh", 1, ids, **about)
    papers = {each for each in entries(database) if each[0] == "paper"}
    assert len(papers) == len({each.agency_id for each in rows(database, Assignment)})
    with database.write() as session:
        search_index.rebuild(session.connection())
    assert {each for each in entries(database) if each[0] == "paper"} == papers


@pytest.mark.parametrize("loss", ["DELETE FROM search_entry", "trigger"])
def test_a_lost_index_is_found_by_the_audit_and_repaired(database: Database, loss: str) -> None:
    lay(database, now=NOW)
    before = entries(database)
    with database.write() as session:
        connection = session.connection()
        if loss == "trigger":
            name = next(each for each in search_index.triggers(connection) if "plan_added" in each)
            lite = database.dialect == "sqlite"
            loss = f"DROP TRIGGER {name}" if lite else f"DROP FUNCTION {name} CASCADE"
        connection.execute(text(loss))
    assert run_checks(database, NOW + timedelta(minutes=1)).findings.get("search_lost") == 1
    assert repair(database, NOW)["search"] == 1
    assert entries(database) == before
    assert "search_lost" not in run_checks(database, NOW).findings


def test_an_upgrade_indexes_what_was_there_before(empty_url: str) -> None:
    with closing_database(empty_url) as database:
        with database.migrating() as settings:
            command.upgrade(settings, FIRST_RELEASED)
            settings.attributes["connection"].exec_driver_sql(
                f"UPDATE alembic_version SET version_num = '{LAST_UNRELEASED}'"
            )
            settings.attributes["connection"].exec_driver_sql(
                "INSERT INTO agency (id, level, name, short, names, aliases) "
                "VALUES ('so-cu', 'so', 'Sở Đường thủy', 'SĐT', '[]', '[\"Ty Thủy lợi\"]')"
            )
        database.upgrade()
        ((kind, ref, words),) = entries(database)
        assert (kind, ref) == ("agency", "so-cu")
        assert "Thủy lợi" in words or "thuy loi" in words


def test_a_table_copied_by_a_migration_loses_its_triggers_and_gets_them_back(sqlite_database: Database) -> None:
    lay(sqlite_database, now=NOW)
    before = entries(sqlite_database)
    with sqlite_database.migrating() as settings:
        connection = settings.attributes["connection"]
        operations = Operations(MigrationContext.configure(connection))
        with operations.batch_alter_table("plan", recreate="always") as batch:
            batch.add_column(Column("extra", String(), nullable=True))
        assert not search_index.intact(connection)
        assert search_index.ensure(connection)
        assert not search_index.ensure(connection)
    assert entries(sqlite_database) == before
