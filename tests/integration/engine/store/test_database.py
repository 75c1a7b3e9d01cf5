"""The one door: whole units of work, aware instants, and a sentence when the database is out of reach."""

from __future__ import annotations

import socket
import threading
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from ground.databases import closing_database
from ground.factory import at, row, rows
from sqlalchemy import insert, select
from sqlalchemy.exc import OperationalError, ProgrammingError, StatementError
from sqlmodel import Session

from engine.errors import BadInput, Unavailable
from engine.store.database import Database, insert_new, table
from engine.store.records import CalendarDay, Fact, Pass, PolicyRecord


def fact(name: str, value: str = "x") -> dict[str, str]:
    return {"name": name, "value": value}


def fail_after_writing(session: Session) -> None:
    session.add(Fact(name="half", value="x"))
    session.flush()
    raise LookupError("in the middle")


def test_a_unit_of_work_that_fails_leaves_nothing(database: Database) -> None:
    with pytest.raises(LookupError), database.write() as session:
        fail_after_writing(session)
    assert rows(database, Fact) == []


def test_what_is_read_is_left_as_it_was(database: Database) -> None:
    with database.read() as session:
        session.add(Fact(name="a", value="x"))
        session.flush()
    assert rows(database, Fact) == []


def test_a_rehearsal_is_always_undone(database: Database) -> None:
    with database.rehearse() as session:
        assert insert_new(session, Fact, [fact("a")]) == 1
    assert rows(database, Fact) == []


def test_instants_come_back_aware_in_utc_whatever_zone_they_went_in_with(database: Database) -> None:
    hanoi = datetime(2021, 6, 17, 23, 59, tzinfo=timezone(timedelta(hours=7)))
    with database.write() as session:
        session.add(Pass(name="act", started_at=hanoi))
    found = row(database, Pass).started_at
    assert found == hanoi
    assert found.tzinfo is UTC


def test_instants_are_compared_in_the_database_as_instants(database: Database) -> None:
    with database.write() as session:
        session.add(Pass(name="act", started_at=at("2021-06-17", "07:00")))
    started = table(Pass).c.started_at
    with database.read() as session:
        assert session.scalars(select(started).where(started <= at("2021-06-17", "06:59"))).all() == []
        assert len(session.scalars(select(started).where(started <= at("2021-06-17", "07:00"))).all()) == 1


def test_an_instant_without_a_zone_is_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="timezone"), database.write() as session:
        session.connection().execute(insert(table(Pass)).values(name="act", started_at=datetime(2021, 6, 17)))


def test_new_rows_are_counted_and_known_ones_left_as_they_are(database: Database) -> None:
    with database.write() as session:
        assert insert_new(session, Fact, [fact("a", "first")]) == 1
        assert insert_new(session, Fact, [fact("a", "second"), fact("b"), fact("b")]) == 1
        assert insert_new(session, Fact, []) == 0
    assert {each.name: each.value for each in rows(database, Fact)} == {"a": "first", "b": "x"}


def test_many_new_rows_are_counted_too(database: Database) -> None:
    with database.write() as session:
        insert_new(session, Fact, [fact(f"{n}") for n in range(0, 3000, 3)])
        assert insert_new(session, Fact, [fact(f"{n}") for n in range(3000)]) == 2000


def test_vietnamese_and_nested_data_come_back_as_they_were(database: Database) -> None:
    body = {"tên": "Ủy ban nhân dân huyện Quỳ Hợp", "lịch": ["07:00", None, {"số": 1.5}]}
    with database.write() as session:
        session.add(PolicyRecord(id="a", body=body, loaded_at=at("2021-04-07")))
        session.add(CalendarDay(day=date(2021, 4, 21), kind="holiday", name="Giỗ Tổ Hùng Vương"))
    assert row(database, PolicyRecord).body == body
    assert row(database, CalendarDay).name == "Giỗ Tổ Hùng Vương"


def test_writers_queue_and_none_fails_half_way(database: Database) -> None:
    start = threading.Barrier(4)

    def count(n: int) -> None:
        start.wait()
        for turn in range(10):
            with database.write() as session:
                session.add(Fact(name=f"{n}-{turn}", value=str(len(session.scalars(select(Fact)).all()))))

    threads = [threading.Thread(target=count, args=(n,)) for n in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(rows(database, Fact)) == 40


def test_a_schema_that_was_never_made_says_which_command_makes_it(empty_url: str) -> None:
    with closing_database(empty_url) as database, pytest.raises(Unavailable, match="dondoc db upgrade"):
        rows(database, Fact)


def test_a_server_that_does_not_answer_is_one_sentence() -> None:
    nobody = "postgresql://dondoc@127.0.0.1:9/none"
    with closing_database(nobody) as database, pytest.raises(Unavailable, match="DONDOC_DATABASE_URL"):
        rows(database, Fact)


@pytest.mark.deep  # takes the seconds that it waits
def test_a_server_that_takes_the_connection_and_says_nothing_is_one_sentence_too() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        nobody = f"postgresql://dondoc@127.0.0.1:{silent.getsockname()[1]}/none"
        with closing_database(nobody) as database, pytest.raises(Unavailable, match="DONDOC_DATABASE_URL"):
            rows(database, Fact)


def test_a_mistake_in_our_own_sql_is_not_taken_for_an_outage(database: Database) -> None:
    with pytest.raises((OperationalError, ProgrammingError)), database.read() as session:
        session.connection().exec_driver_sql("SELECT nothing_such FROM fact")


@pytest.mark.parametrize("url", ["", "not a url", "mysql://root@127.0.0.1/x"])
def test_a_url_that_names_no_database_we_know_is_refused(url: str) -> None:
    with pytest.raises(BadInput):
        Database(url)


def test_a_sqlite_file_is_made_with_its_folder(tmp_path: Path) -> None:
    with closing_database(f"sqlite:///{tmp_path}/var/new/dondoc.db") as database:
        database.upgrade()
        assert rows(database, Fact) == []
    assert (tmp_path / "var/new/dondoc.db").exists()


def test_sqlite_survives_a_power_cut_and_keeps_its_references(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/dondoc.db")
    with database.read() as session:
        asked = {
            name: session.connection().exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    database.dispose()
    assert asked == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
