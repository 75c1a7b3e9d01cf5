"""A wrong clock holds every pass and turns health red, until a second clock or a person says that it is right."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from ground.commands import Commands
from ground.databases import closing_database
from ground.factory import at, lay, row, rows, swept, told
from ground.office import Standing
from ground.post import KEY, LetterBox, post_office
from ground.web_servers import listening
from typer.testing import CliRunner

from config.settings import Settings
from engine.rules.calendar import PLAN_TIME
from engine.store.clock import system_clock
from engine.store.database import Database
from engine.store.facts import write_fact
from engine.store.machines import say
from engine.store.records import Assignment, Event, Letter, Pass
from engine.terms import EventKind
from notifications.delivery import deliver
from workflows.checks.repair import repair
from workflows.cli import app
from workflows.run import clock_guard
from workflows.run.system import System, compose
from workflows.serving.runs import run_audit, run_tick


def system_of(database: Database, folder: Path, heartbeat_url: str = "") -> System:
    settings = Settings(
        _env_file=None,
        data_dir=folder,
        secret=KEY,
        prefect=False,
        heartbeat_url=heartbeat_url,  # type: ignore[call-arg]
    )
    return replace(compose(settings), database=database, clock=Standing(system_clock()))


def held(system: System) -> bool:
    """Whether a tick is refused for its clock."""
    try:
        run_tick(system)
    except clock_guard.ClockNotBelieved:
        return True
    return False


@pytest.fixture(autouse=True)
def nobody_keeps_its_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine of the tests may have a time service."""
    monkeypatch.setattr(clock_guard, "kept_by_time_service", lambda: False)


@pytest.fixture
def jumped(sqlite_database: Database, tmp_path: Path) -> System:
    """A plan with reminders due; since the last audit the wall clock has gone on two years in no time."""
    lay(sqlite_database, now=at("2021-04-07"))
    system = system_of(sqlite_database, tmp_path)
    reading = clock_guard.read_clock(system.clock())
    clock_guard.remember(sqlite_database, replace(reading, wall=reading.wall - timedelta(days=730)))
    return system


def test_nothing_is_decided_while_the_clock_is_not_believed(jumped: System) -> None:
    """Three hours with the clock two years ahead silenced a year."""
    assert held(jumped)
    run_audit(jumped)
    assert rows(jumped.database, Letter) == []
    assert row(jumped.database, Pass, name="audit").counts["clock_wrong"] == 1
    clock_guard.confirm(jumped, actor="cli:root")
    run_tick(jumped)
    assert rows(jumped.database, Letter) != []
    assert row(jumped.database, Event, kind=EventKind.CLOCK_CONFIRMED).actor == "cli:root"


def test_once_a_clock_that_was_ahead_is_set_it_goes_on_by_itself(jumped: System) -> None:
    """What the audit says by a wrong clock stands in no log: the log would be ahead of the right one."""
    jumped.clock.now += timedelta(days=730)  # type: ignore[attr-defined]
    run_audit(jumped)
    assert row(jumped.database, Pass, name="audit").counts["clock_wrong"] == 1
    jumped.clock.now -= timedelta(days=2 * 730)  # type: ignore[attr-defined]
    assert clock_guard.suspicion(jumped) is None
    run_tick(jumped)
    assert rows(jumped.database, Letter) != []


def test_a_second_clock_that_agrees_is_enough_and_the_monitor_is_not_pinged_by_asking(
    jumped: System, tmp_path: Path
) -> None:
    with listening() as (url, asked):
        with_monitor = replace(jumped, settings=jumped.settings.model_copy(update={"heartbeat_url": url}))
        run_tick(with_monitor)
    assert rows(jumped.database, Letter) != []
    assert asked == []


def test_a_clock_before_the_last_event_is_not_believed(sqlite_database: Database, tmp_path: Path) -> None:
    lay(sqlite_database, now=system_clock() + timedelta(days=3))
    assert clock_guard.suspicion(system_of(sqlite_database, tmp_path)) is clock_guard.Suspicion.BEHIND


def test_a_machine_that_starts_two_years_ahead_does_nothing(sqlite_database: Database, tmp_path: Path) -> None:
    """60 false notices of overdue tasks, 51 of them sent within 25 seconds of a start."""
    lay(sqlite_database, now=at("2021-04-07"))
    system = system_of(sqlite_database, tmp_path)
    reading = clock_guard.read_clock(system.clock())
    before = replace(reading, wall=reading.wall - timedelta(days=730), boot="the start before")
    clock_guard.remember(sqlite_database, before)
    assert held(system)
    run_audit(system)
    assert rows(sqlite_database, Letter) == []
    assert row(sqlite_database, Pass, name="audit").counts["clock_wrong"] == 1
    clock_guard.confirm(system, actor="cli:root")
    run_tick(system)
    assert rows(sqlite_database, Letter) != []


@pytest.mark.parametrize(
    ("since", "ahead", "believed"),
    [
        (timedelta(hours=14), timedelta(), True),  # a night
        (timedelta(hours=14), timedelta(minutes=-5), True),
        (timedelta(hours=14), timedelta(days=-1), False),  # a clock a day ahead, that could be a night and a day
        (timedelta(minutes=20), timedelta(minutes=30), False),
        (timedelta(days=20), timedelta(), True),
        (timedelta(days=20), timedelta(days=-16), False),
    ],
)
def test_at_a_start_other_machines_are_asked_the_time(
    sqlite_database: Database, tmp_path: Path, since: timedelta, ahead: timedelta, believed: bool
) -> None:
    """However short the silence was: a step over a reboot that looks like a night or a weekend they alone can see."""
    lay(sqlite_database, now=at("2021-04-07"))
    with listening(ahead=ahead) as (url, _):
        system = system_of(sqlite_database, tmp_path, heartbeat_url=url)
        reading = clock_guard.read_clock(system.clock())
        clock_guard.remember(sqlite_database, replace(reading, wall=reading.wall - since, boot="the start before"))
        assert held(system) is not believed
        assert bool(rows(sqlite_database, Letter)) is believed
        if not believed:
            assert clock_guard.suspicion(system) is not None
            clock_guard.confirm(system, actor="cli:root")
            assert clock_guard.suspicion(system) is None


def test_whoever_confirms_after_a_silent_working_day_is_told_that_letters_are_held(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lay(sqlite_database, now=at("2021-04-07"))
    system = system_of(sqlite_database, tmp_path)
    reading = clock_guard.read_clock(system.clock())
    clock_guard.remember(sqlite_database, replace(reading, wall=reading.wall - timedelta(days=20), boot="before"))
    command = Commands(tmp_path, sqlite_database.url.render_as_string(hide_password=False), monkeypatch, capsys)
    assert "«dondoc release»" in command("clock", "--confirm").well
    assert "«dondoc release»" not in command("clock").well


@pytest.mark.postgres
@pytest.mark.parametrize(("off", "believed"), [(0, True), (50, True), (-360, False), (360, False)])
def test_a_machine_that_is_minutes_off_its_database_does_nothing(
    postgres_url: str, tmp_path: Path, off: int, believed: bool
) -> None:
    """Two machines six minutes apart sent eight letters twice in each pass, without a crash and without end."""
    with closing_database(postgres_url) as database:
        lay(database, now=at("2021-04-07"))
        system = replace(system_of(database, tmp_path), clock=Standing(system_clock() + timedelta(seconds=off)))
        assert held(system) is not believed
        run_audit(system)
        assert bool(rows(database, Letter)) is believed
        assert row(database, Pass, name="audit").counts["clock_wrong"] == (not believed)


@pytest.mark.postgres
def test_where_the_database_server_s_clock_is_the_wrong_one_a_person_says_so_and_it_goes_on(
    postgres_url: str, tmp_path: Path
) -> None:
    """Every machine of the office was held, the sentence named a command that said the same sentence again."""
    with closing_database(postgres_url) as database:
        lay(database, now=at("2021-04-07"))
        system = replace(system_of(database, tmp_path), clock=Standing(system_clock() + timedelta(minutes=6)))
        with pytest.raises(clock_guard.ClockNotBelieved) as refused:
            clock_guard.require_belief(system)
        said = refused.value.said("en")
        assert f"{system.clock().astimezone(PLAN_TIME):%H:%M:%S} / " in said, "both times"
        assert re.search(r"\+3(60|59|58) seconds", said)
        assert "dondoc clock --confirm" in said
        clock_guard.confirm(system, actor="cli:root")
        run_tick(system)
        assert rows(database, Letter) != []
        clock_guard.require_agreement(database, system_clock() + timedelta(minutes=6))  # nor is a worker held
        run_audit(system)
        assert row(database, Pass, name="audit").counts["clock_wrong"] == 0
        with pytest.raises(clock_guard.ClockNotBelieved):
            clock_guard.require_agreement(database, system_clock() + timedelta(minutes=12))
        system.clock.now -= timedelta(minutes=6)  # type: ignore[attr-defined] # the server's clock was set
        assert clock_guard.suspicion(system) is None
        system.clock.now += timedelta(minutes=6)  # type: ignore[attr-defined]
        assert clock_guard.suspicion(system) is clock_guard.Suspicion.DATABASE, "what was confirmed is over"


@pytest.mark.postgres
def test_where_another_machine_agrees_with_the_server_this_clock_is_set_and_cannot_be_confirmed(
    postgres_url: str, tmp_path: Path
) -> None:
    with closing_database(postgres_url) as database:
        lay(database, now=at("2021-04-07"))
        say(database, system_clock(), "may-b", {})
        system = replace(system_of(database, tmp_path), clock=Standing(system_clock() + timedelta(minutes=6)))
        with pytest.raises(clock_guard.ClockNotBelieved) as refused:
            clock_guard.confirm(system, actor="cli:root")
        assert [word for word in ("may-b", "--confirm", "timedatectl") if word in refused.value.said("en")] == [
            "may-b",
            "timedatectl",
        ]
        assert rows(database, Event, kind=EventKind.CLOCK_CONFIRMED) == []
        system.clock.now -= timedelta(minutes=6)  # type: ignore[attr-defined]
        run_tick(system)
        assert rows(database, Letter) != []


@pytest.mark.postgres
def test_both_times_are_shown(postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"DATA_DIR": str(tmp_path), "DATABASE_URL": postgres_url, "SECRET": KEY}.items():
        monkeypatch.setenv(f"DONDOC_{name}", value)
    shown = CliRunner().invoke(app, ["clock"])
    _, there = shown.output.splitlines()
    assert there.endswith(" PostgreSQL")


@pytest.mark.postgres
def test_a_worker_that_is_minutes_off_its_database_refuses(postgres_url: str) -> None:
    with closing_database(postgres_url) as database:
        clock_guard.require_agreement(database, system_clock())
        with pytest.raises(clock_guard.ClockNotBelieved):
            clock_guard.require_agreement(database, system_clock() + timedelta(minutes=6))


def test_what_was_fired_before_its_day_does_not_keep_the_true_letters_from_going(database: Database) -> None:
    """After a clock two years ahead 61 of 61 letters of the first day late never went: false ones held their keys."""
    lay(database, now=at("2021-04-07"))
    for day in ("2021-04-07", "2021-06-14"):
        swept(database, at(day, "07:00"))
    false, today = at("2023-06-14", "07:00"), at("2021-06-15", "09:00")
    swept(database, false)
    asyncio.run(deliver(database, at("2023-06-14", "07:30"), post_office(LetterBox())))
    with database.write() as session:
        write_fact(session, "last_upkeep", "2023-06-14")
    assert told(database, date(2023, 6, 14)) != []
    repaired = repair(database, today)
    assert repaired["early"] > 0
    assert repaired["cleanups"] == 1
    assert repair(database, today)["early"] == 0
    assert swept(database, today).fired == 0
    swept(database, at("2021-06-16", "07:00"))
    swept(database, at("2021-06-18", "07:00"))
    late = {(who, rung) for who, rung, _ in told(database, date(2021, 6, 18)) if rung == "T+1"}
    both = {
        f"{role}@{agency}.example" for agency in ("so-ban", "huyen-a", "huyen-b") for role in ("coordinator", "head")
    }
    assert late == {(mailbox, "T+1") for mailbox in both | {"coordinator@mat-tran.example"}}
    assert max(each.level for each in rows(database, Assignment)) <= 1
