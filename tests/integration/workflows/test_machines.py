"""Machines with names: what one of several alone sees reaches page, monitor and operator, whichever audits after it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from ground.databases import closing_database
from ground.factory import at, lay, row, swept
from ground.office import Standing, enter, join, looking, open_office
from ground.post import KEY, LetterBox, post_office
from ground.web_servers import listening

from config.settings import Settings
from engine.queries.system.health import health
from engine.store.clock import system_clock
from engine.store.database import Database
from engine.store.facts import write_fact
from engine.store.machines import machines, say
from engine.store.records import Pass
from notifications.delivery import deliver
from workflows.operation.doctor import examine
from workflows.run import clock_guard
from workflows.run.system import System, compose
from workflows.serving.runs import run_audit, run_inbound

NOW = at("2021-04-07", "09:00")


@pytest.fixture(autouse=True)
def nobody_keeps_its_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine of the tests may have a time service."""
    monkeypatch.setattr(clock_guard, "kept_by_time_service", lambda: False)


@dataclass
class Two:
    """Two machines of one office, each with a clock; ``asked``: the calls that the monitor got."""

    a: System
    b: System
    asked: list[str]
    mail: LetterBox

    @property
    def database(self) -> Database:
        return self.a.database

    def pass_by(self, minutes: int) -> None:
        for system in (self.a, self.b):
            system.clock.now += timedelta(minutes=minutes)  # type: ignore[attr-defined]

    def found(self) -> dict[str, int]:
        counts = row(self.database, Pass, name="audit").counts
        return {name: count for name, count in counts.items() if count}


@contextmanager
def two_machines(database: Database, folder: Path, now: datetime) -> Iterator[Two]:
    lay(database, now=now)
    swept(database, now)
    asyncio.run(deliver(database, now, post_office()))
    mail = LetterBox()
    with listening(ahead=now - system_clock()) as (url, asked):

        def machine(name: str) -> System:
            data = folder / name
            data.mkdir(mode=0o700)
            (data / "secret").touch(0o600)
            known = {"heartbeat_url": url, "operator_email": "vanhanh@tinh.example"}
            address = database.url.render_as_string(hide_password=False)
            settings = Settings(_env_file=None, data_dir=data, database_url=address, secret=KEY, prefect=False, **known)  # type: ignore[call-arg, arg-type]
            made = compose(settings)
            delivery = replace(made.delivery, worker=f"{name}:1")
            return replace(made, database=database, clock=Standing(now), delivery=delivery, alarms={"email": mail})

        yield Two(machine("may-a"), machine("may-b"), asked, mail)


@pytest.fixture
def two(sqlite_database: Database, tmp_path: Path) -> Iterator[Two]:
    with two_machines(sqlite_database, tmp_path, NOW) as made:
        yield made


def test_a_fault_of_one_of_two_machines_is_told_once_and_the_monitor_is_not_called(two: Two) -> None:
    """A clean audit of the other wiped it: 0 alarms, 36 calls of the monitor, red at half of the looks."""
    run_audit(two.a)
    two.asked.clear()
    run_audit(two.b, hanging=1)
    red = []
    for minute in range(180):
        two.pass_by(1)
        if minute % 5 == 0:
            run_audit(two.b, hanging=1)
        if minute % 5 == 2:
            run_audit(two.a)
            run_inbound(two.a)
        with looking(two.database, two.a.clock()) as (session, today):
            red.append(not health(session, today).well)
    assert two.found() == {"passes_hang": 1}
    assert two.asked == []
    assert all(red)
    assert ["lần xử lý quá nửa giờ chưa xong: 1 (may-b)" in letter.text for letter in two.mail.letters] == [True]
    run_audit(two.b)
    run_audit(two.a)
    assert (two.found(), len(two.asked)) == ({}, 2)


def test_a_machine_that_is_not_heard_for_a_quarter_of_an_hour_is_a_finding_until_it_is_forgotten(two: Two) -> None:
    run_audit(two.a)
    run_audit(two.b, hanging=1)
    two.pass_by(15)
    run_audit(two.a)
    assert two.found() == {"passes_hang": 1}
    two.pass_by(1)
    run_audit(two.a)
    assert two.found() == {"machines_silent": 1}
    two.pass_by(24 * 60)
    run_audit(two.a)
    assert two.found() == {}
    with two.database.read() as session:
        assert [each.name for each in machines(session, two.a.clock())] == ["may-a"]


@pytest.mark.parametrize(("ahead", "known"), [(timedelta(days=700), []), (timedelta(hours=2), [("may-b", True)])])
def test_a_machine_that_spoke_by_a_clock_that_was_ahead_is_not_heard_until_then(
    two: Two, ahead: timedelta, known: list[tuple[str, bool]]
) -> None:
    """On SQLite, where the only clock is its own, its finding stood for as long as its clock had been ahead."""
    say(two.database, NOW + ahead, "may-b", {"clock_wrong": 1})
    with two.database.read() as session:
        assert [(each.name, each.silent) for each in machines(session, NOW)] == known


def test_an_older_version_beside_a_newer_is_seen(two: Two) -> None:
    run_audit(two.a)
    older = {"name": "may-b", "seen_at": NOW.isoformat(), "ahead": 0, "version": "0.0.9", "findings": {}}
    with two.database.write() as session:
        write_fact(session, "machine:may-b", json.dumps(older))
    run_audit(two.a)
    assert two.found() == {"machines_older": 1}
    with two.database.read() as session:
        assert [each.older for each in machines(session, NOW)] == [False, True]


def test_health_and_doctor_show_a_line_a_machine(two: Two, tmp_path: Path) -> None:
    run_audit(two.a)
    run_audit(two.b, hanging=1)
    lines = [line for line in examine(two.a, connections=False) if line.name == "machine"]
    assert [(line.what.en.partition(":")[0], bool(line.remedy)) for line in lines] == [
        ("may-a", False),
        ("may-b", True),
    ]
    office = enter(open_office(two.database, tmp_path, now=NOW), join(two.database, "administrator", "tinh"))
    page = BeautifulSoup(office.get("/health").text, "lxml")
    shown = [each.get_text(" ", strip=True) for each in page.select("section[aria-labelledby=machines] li")]
    assert [each.split()[0] for each in shown] == ["may-a", "may-b"]
    assert "quá nửa giờ chưa xong" in shown[1]
    assert "quá nửa giờ" not in shown[0]


@pytest.mark.postgres
def test_a_machine_whose_clock_is_wrong_is_found_by_the_other_s_audit_too(postgres_url: str, tmp_path: Path) -> None:
    with closing_database(postgres_url) as database, two_machines(database, tmp_path, system_clock()) as two:
        two.b.clock.now += timedelta(minutes=6)  # type: ignore[attr-defined]
        for _ in range(2):
            run_audit(two.b)
            run_audit(two.a)
            assert two.found()["clock_wrong"] == 1
        with database.read() as session:
            ahead = {each.name: each.ahead for each in machines(session, two.a.clock())}
    assert ahead["may-a"] <= 0
    assert ahead["may-b"] > 300
    assert two.asked == []
