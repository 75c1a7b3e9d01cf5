"""The log shows if it was changed: each event's link depends on all that were logged before it."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from ground.commands import Commands
from ground.databases import closing_database
from ground.factory import at, begin, rows, store
from ground.post import LetterBox, post_office
from sqlalchemy.event import listen

from engine.application.daily_cleanup import run_daily_cleanup
from engine.store.database import Database
from engine.store.event_log import Verdict, head, loose, record, verify
from engine.store.records import Event, EventLink
from engine.terms import EventKind
from workflows.checks.audit import audit, run_checks
from workflows.run import passes

NOW = at("2021-06-14", "12:00")


def looked_at(database: Database) -> Verdict:
    with database.read() as session:
        return verify(session.connection())


def by_hand(database: Database, statement: str) -> None:
    with database.write() as session:
        session.connection().exec_driver_sql(statement)


@pytest.fixture
def logged(database: Database) -> Database:
    """With a month of a plan behind it."""
    begin(store(database, now=at("2021-04-07")), now=at("2021-04-07"))
    asyncio.run(passes.tick(database, NOW, post_office(LetterBox())))
    return database


def test_every_event_has_its_link_and_the_chain_fits(logged: Database) -> None:
    events, links = rows(logged, Event), rows(logged, EventLink)
    assert len(events) > 20
    assert sorted(each.event_id for each in links) == sorted(each.id for each in events)
    with logged.read() as session:
        assert looked_at(logged) == Verdict(head(session.connection()))
    with logged.write() as session:
        run_daily_cleanup(session, NOW)
    assert looked_at(logged).event == 0


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE event SET actor = 'account:9' WHERE id = 5",
        "UPDATE event SET detail = '{}' WHERE id = 5",
        "UPDATE event SET kind = 'accepted' WHERE id = 5",
        "UPDATE event SET at = '2020-01-01 00:00:00' WHERE id = 5",
        "UPDATE event SET kind = 'hong' WHERE id = 5",
        "DELETE FROM event WHERE id = 5",
        "DELETE FROM event_link WHERE event_id = 5",
        "UPDATE event_link SET digest = 'x' WHERE event_id = 5",
    ],
)
def test_the_first_event_that_was_changed_is_named(logged: Database, change: str) -> None:
    by_hand(logged, change)
    assert looked_at(logged).event in (5, 6)


def test_an_event_put_in_by_hand_has_no_link(logged: Database) -> None:
    by_hand(
        logged,
        "INSERT INTO event (id, at, kind, actor, detail) "
        "VALUES (900, '2021-06-14 00:00:00', 'accepted', 'account:1', '{}')",
    )
    with logged.read() as session:
        assert loose(session.connection()) == 900


def test_a_log_that_was_made_anew_differs_from_a_head_that_was_kept(logged: Database) -> None:
    with logged.read() as session:
        kept = head(session.connection())
        assert kept.stands(session.connection())
    by_hand(logged, "UPDATE event SET actor = 'account:9' WHERE id = 5")
    by_hand(logged, "DELETE FROM event_link")
    with logged.write() as session:
        record(session, EventKind.SETTINGS_CHANGED, NOW, changes="x")
    with logged.read() as session:
        assert not kept.stands(session.connection())


def test_transactions_at_once_make_one_chain(database: Database) -> None:
    def write(number: int) -> None:
        with database.write() as session:
            for part in range(3):
                record(
                    session, EventKind.SETTINGS_CHANGED, NOW, changes=f"{number} {part}", key=f"{number % 20} {part}"
                )

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, range(40)))
    assert looked_at(database).head.position == 60, "an event whose key is there already has no link"
    assert looked_at(database).event == 0


def test_the_audit_finds_it_and_the_command_names_row_and_cure(
    logged: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with logged.read() as session:
        kept = str(head(session.connection()))
    dondoc = Commands(tmp_path, logged.bind.url.render_as_string(hide_password=False), monkeypatch, capsys)
    assert "liền mạch" in dondoc("audit", "log", "--head", kept).well
    assert dondoc("audit", "log", "--head", f"3 {'0' * 32}").code == 1
    assert "log_differs" not in run_checks(logged, NOW).findings
    by_hand(logged, "UPDATE event SET detail = '{}' WHERE id = 5")
    for _ in range(3):
        audit(logged, NOW)
        assert run_checks(logged, NOW).findings["log_differs"] == 1
    said = dondoc("audit", "log")
    assert (said.code, "dòng 5" in said.out, "--accept 5" in said.out) == (1, True, True)
    assert "liền mạch" in dondoc("audit", "log", "--accept", 5).well
    assert "log_differs" not in run_checks(logged, NOW).findings
    assert "--accept 5" in str(rows(logged, Event)[-1].detail)


def test_a_part_is_looked_at_behind_the_one_before(logged: Database) -> None:
    with logged.read() as session:
        connection = session.connection()
        first = verify(connection, most=10)
        assert first.head.position == 10
        assert verify(connection, first.head) == looked_at(logged)


@pytest.mark.postgres
def test_what_a_transaction_logged_is_found_by_index_before_there_are_statistics(postgres_url: str) -> None:
    sent: list[tuple[str, Any]] = []
    with closing_database(postgres_url) as database:
        by_hand(
            database,
            "INSERT INTO event (at, kind, actor, detail) "
            "SELECT now(), 'accepted', 'account:1', '{}' FROM generate_series(1, 20000)",
        )
        by_hand(database, "INSERT INTO event_link (position, event_id, digest) SELECT id, id, 'x' FROM event")
        listen(database.bind, "before_cursor_execute", partial(_note, sent))
        begin(store(database, now=at("2021-04-07")), now=at("2021-04-07"))
        statement, values = next(each for each in sent if "NOT (EXISTS (SELECT event_link" in each[0])
        with database.read() as session:
            plan = session.connection().exec_driver_sql(f"EXPLAIN {statement}", values).scalars().all()
    assert not [each for each in plan if "Seq Scan" in each]


def _note(sent: list[tuple[str, Any]], _1: Any, _2: Any, statement: str, parameters: Any, *_: Any) -> None:
    sent.append((statement, parameters))
