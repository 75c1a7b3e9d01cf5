"""Whatever a hand has left in a row or a stored value: every way out ends without a traceback, and does the rest."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from ground.commands import Commands
from ground.factory import Laid, at, lay
from ground.office import looking
from ground.post import KEY, LetterBox, post_office

from config.settings import Settings
from engine.queries.system.health import health
from engine.store.database import Database, insert_new
from engine.store.facts import JSON_FACTS, JSON_PREFIXES, hold, write_fact
from engine.store.records import Fact
from notifications.finding_alarm import Operator
from workflows.checks.audit import audit, run_checks
from workflows.checks.log_checks import unreadable_rows
from workflows.checks.repair import repair
from workflows.operation.doctor import examine
from workflows.run import passes
from workflows.run.inbound_passes import watch
from workflows.run.system import compose
from workflows.serving.runs import run_audit

NOW = at("2021-06-22", "08:00")
TEXTS = ("garbage", "[1, 2", "5", "[]", "{}", '{"x": 1}', "[[1]]", '[["x", "y", "z"]]', "null", '"x"')
VALUES = (
    ("assignment", "state", "hong"),
    ("assignment", "quiet", "hong"),
    ("ladder", "body", "5"),
    ("policy", "body", "5"),
    ("letter", "state", "hong"),
    ("duty", "owners", "hong"),
    ("promise", "state", "hong"),
)


@pytest.fixture
def laid(sqlite_database: Database) -> Laid:
    return lay(sqlite_database, now=at("2021-06-14"))


def dondoc(laid: Laid, folder: Path, patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Commands:
    return Commands(folder, laid.database.bind.url.render_as_string(hide_password=False), patch, capsys)


def every_way_out(database: Database, run: Commands) -> None:
    for words in (("doctor", "--no-connections"), ("clock",), ("clock", "--confirm"), ("repair",), ("audit", "rows")):
        said = run(*words)
        assert said.code in (0, 1, 2), words
        assert "Traceback" not in said.err
    audit(database, NOW)
    asyncio.run(passes.tick(database, NOW, post_office(LetterBox())))


@pytest.mark.parametrize("name", [*sorted(JSON_FACTS), *(f"{each}x" for each in JSON_PREFIXES)])
def test_a_value_that_cannot_be_read_is_no_value_and_a_finding(
    laid: Laid, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    database = laid.database
    for text in TEXTS:
        with database.write() as session:
            session.connection().exec_driver_sql("DELETE FROM fact WHERE name = ?", (name,))
            insert_new(session, Fact, [{"name": name, "value": text}])
        if not text.startswith(("{", "[")) or text == "[1, 2":
            assert run_checks(database, NOW).findings["facts_unreadable"] == 1
        with looking(database, NOW) as (session, today):
            health(session, today)
    with database.write() as session:
        session.connection().exec_driver_sql("UPDATE fact SET value = 'garbage' WHERE name = ?", (name,))
    every_way_out(database, dondoc(laid, tmp_path, monkeypatch, capsys))


def test_a_hold_that_cannot_be_read_holds_all_the_same(laid: Laid) -> None:
    with laid.database.write() as session:
        insert_new(session, Fact, [{"name": "restored", "value": "garbage"}])
    with laid.database.read() as session:
        assert hold(session) is not None


@pytest.mark.parametrize(("name", "column", "value"), VALUES)
def test_repair_does_the_rest_and_names_table_id_and_column(
    laid: Laid,
    name: str,
    column: str,
    value: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    database, run = laid.database, dondoc(laid, tmp_path, monkeypatch, capsys)
    with database.write() as session:
        connection = session.connection()
        connection.exec_driver_sql("UPDATE fact SET value = '2028-01-01' WHERE name = 'last_digest_look'")
        connection.exec_driver_sql(f"UPDATE {name} SET {column} = ? WHERE id = (SELECT min(id) FROM {name})", (value,))
    counts = repair(database, NOW)
    assert {"early", "search", "digests"} <= counts.keys()
    said = run("repair")
    assert said.code == 0
    assert [each for each in unreadable_rows(database) if each not in said.out] == []
    for words in (
        ("clock",),
        ("clock", "--confirm"),
        ("audit", "rows"),
        ("audit", "log"),
        ("doctor", "--no-connections"),
    ):
        assert "Traceback" not in run(*words).err
    audit(database, NOW)


AT = NOW.isoformat()
STORED: dict[str, Any] = {
    "alarmed_findings": {"day": "2021-06-22", "since": {"disk_low": AT}, "told": ["disk_low"]},
    "canary": {"day": "2021-06-22", "message_id": "", "tried_at": AT, "back_at": ""},
    "channel:email": {"failures": 5, "down_since": AT, "why": "x", "failed": [1], "pauses": 1, "retry_at": AT},
    "clock": [[AT, 5.0, "boot"]],
    "clock_server_off": "360.0",
    "last_backup": AT,
    "last_tick": AT,
    "machine:may-b": {"name": "may-b", "seen_at": AT, "ahead": 0, "version": "0.1.0", "findings": {"disk_low": 1}},
    "mail_tried": f"relay.example {AT}",
    "restored": {"backup_at": AT, "restored_at": AT},
    "weekly_letter": {"week": "2021-W25", "tried_at": AT, "accepted_at": "", "confirmed_at": "", "waits_since": AT},
}


def garbled(value: Any) -> Any:
    """Of the same form, every word of it another."""
    if isinstance(value, dict):
        return {name: garbled(each) for name, each in value.items()}
    if isinstance(value, list):
        return [garbled(each) for each in value]
    return "garbage"


@pytest.mark.parametrize("name", STORED)
def test_a_stored_value_of_the_right_form_and_wrong_words_ends_nothing(laid: Laid, name: str, tmp_path: Path) -> None:
    database, box, operator = laid.database, LetterBox(), Operator("vanhanh@tinh.example")
    address = database.url.render_as_string(hide_password=False)
    known = {"data_dir": tmp_path, "database_url": address, "secret": KEY, "smtp_host": "relay.example"}
    system = compose(Settings(_env_file=None, prefect=False, operator_email=operator.email, **known))  # type: ignore[call-arg, arg-type]
    for form in (garbled(STORED[name]), "garbage", "9" * 400):
        with database.write() as session:
            write_fact(session, name, form if isinstance(form, str) else json.dumps(form))
        assert len(examine(system, connections=False)) > 10
        run_audit(system)
        for ask in (None, lambda week: f"https://x/{week}"):
            asyncio.run(watch(database, NOW, {"email": box}, operator, lambda key: operator.email, ask))
        asyncio.run(passes.tick(database, NOW, post_office(box)))
        with looking(database, NOW) as (session, today):
            health(session, today)
