"""What stops the call to the monitor and what does not, rule by rule: each cause is planted in a wired system with a
real relay, and then page, metrics, monitor and the operator's telephone are looked at."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from bs4 import BeautifulSoup
from ground.factory import Laid, add_letters, at, lay, row, rows, swept
from ground.office import Standing, enter, join, open_office
from ground.own_loop import on_own_loop
from ground.post import KEY, LetterBox
from ground.smtp_server import FaultyServer, certificate
from ground.web_servers import listening
from sqlalchemy import update
from sqlmodel import SQLModel

from config.settings import Settings
from engine.rules.calendar import DayException, DayKind
from engine.rules.words import coded
from engine.store.clock import system_clock
from engine.store.database import Database, table
from engine.store.facts import remember_backup
from engine.store.records import Assignment, Event, Letter, Pass, Plan
from engine.terms import LetterState, PassName
from engine.views.prometheus import render
from notifications.email.connection import Security
from notifications.inbound.fetching import InboundSources, Inbox
from notifications.inbound.message import MailProof
from workflows.checks import record_checks
from workflows.run import clock_guard
from workflows.run.passes import record_failure
from workflows.run.system import System, compose
from workflows.serving.heartbeat import logging_errors
from workflows.serving.runs import run_audit, run_inbound, run_tick

NEW_YEAR = DayException(date(2022, 1, 3), DayKind.HOLIDAY, "Tết Dương lịch")
NOW, DECEMBER = at("2021-04-07", "09:00"), at("2021-12-16", "09:00")
Plant = Callable[["Watched"], object]


class Phone(LetterBox):
    name = "sms"


@dataclass
class Watched:
    """A system on whose clock time passes by ``live``. ``asked``: the calls that its monitor got."""

    system: System
    clock: Standing
    relay: FaultyServer
    asked: list[str]
    phone: Phone
    monkeypatch: pytest.MonkeyPatch
    hanging: int = 0

    @property
    def database(self) -> Database:
        return self.system.database

    def live(self, minutes: int, every: int = 5) -> None:
        """What the heartbeat does, an error told as it tells it."""
        for _ in range(minutes // every):
            self.clock.now += timedelta(minutes=every)
            jobs = (
                lambda: run_tick(self.system),
                lambda: run_audit(self.system, self.hanging),
                lambda: run_inbound(self.system),
            )
            for job in jobs:
                logging_errors("job", job)()

    def change(self, model: type[SQLModel], **values: Any) -> None:
        with self.database.write() as session:
            session.connection().execute(update(table(model)).values(**values))

    def settings(self, **changes: object) -> None:
        self.system = replace(self.system, settings=self.system.settings.model_copy(update=changes))


@contextmanager
def office(database: Database, folder: Path, monkeypatch: pytest.MonkeyPatch, case: Case) -> Iterator[Watched]:
    """A plan is running and its first letters are due; the monitor's clock is right."""
    now, relay = case.now, case.server(folder)
    lay(database, now=now, days=case.days)
    clock, phone = Standing(now), Phone()
    with on_own_loop(lambda: relay), listening(ahead=now - system_clock()) as (url, asked):
        known: dict[str, Any] = {
            "smtp_host": "127.0.0.1",
            "smtp_port": relay.port,
            "smtp_security": "none",
            "operator_email": "vanhanh@tinh.example",
            "operator_phone": "+84912000000",
            "heartbeat_url": url,
        }
        settings = Settings(_env_file=None, data_dir=folder, secret=KEY, prefect=False, **{**known, **case.settings})  # type: ignore[call-arg]
        made = compose(settings)
        alarms = {**made.alarms, "sms": phone}
        inbound = InboundSources(MailProof(made.signer))
        folder.chmod(0o700)
        (folder / "secret").touch(0o600)
        system = replace(made, database=database, clock=clock, alarms=alarms, inbound=inbound)
        yield Watched(system, clock, relay, asked, phone, monkeypatch)


@dataclass(frozen=True, kw_only=True)
class Case:
    """``finding``: of the audit, or none: then the calls go on. ``told``: by telephone, in these words; else in those
    of the finding. ``server``: how the relay behaves. ``first``: minutes of quiet before it is planted."""

    plant: Plant = lambda watched: None
    finding: str = ""
    told: str = ""
    server: Callable[[Path], FaultyServer] = lambda folder: FaultyServer()
    settings: Mapping[str, Any] = field(default_factory=dict)
    now: datetime = NOW
    first: int = 15
    minutes: int = 60
    days: tuple[DayException, ...] = ()


def answers(reply: bytes) -> Callable[[Path], FaultyServer]:
    return lambda folder: FaultyServer({"rcpt": reply})


def strange_certificate(folder: Path) -> FaultyServer:
    return FaultyServer(trust=certificate(folder, "another.example")[0])


def clock_ahead(watched: Watched) -> None:
    watched.clock.now += timedelta(days=3)


def mark_is_not_taken(watched: Watched) -> None:
    """Of a machine whose disk is full, beside a database server that goes on."""

    def full(path: Path, body: bytes, mode: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    watched.monkeypatch.setattr("engine.store.high_water.atomic_write", full)


def pass_fails(watched: Watched) -> None:
    record_failure(watched.database, PassName.DIGEST, ValueError("x"), watched.clock())


def tick_stands_still(watched: Watched) -> None:
    """Its job hangs in a call that does not return; what it should look at is due."""
    watched.change(Assignment, next_action_at=watched.clock.now)
    watched.monkeypatch.setattr("workflows.run.passes.tick", hanging)


async def hanging(*arguments: object, **named: object) -> list[object]:
    return []


def begun_days_ago(watched: Watched) -> None:
    watched.change(Plan, activated_at=watched.clock.now - timedelta(days=4))


def disk_fills(watched: Watched) -> None:
    usage = SimpleNamespace(total=1_000, free=99)
    watched.monkeypatch.setattr(record_checks, "shutil", SimpleNamespace(disk_usage=lambda folder: usage))


def backed_up(watched: Watched) -> None:
    with watched.database.write() as session:
        remember_backup(session, watched.clock())


def nothing_opens(watched: Watched) -> None:
    watched.change(Plan, next_open_at=None)


def without_any_work(watched: Watched) -> None:
    """As if nobody were to do anything of it: no period was opened, none is waited for."""
    nothing_opens(watched)
    with watched.database.write() as session:
        for each in ("notice", "event", "letter_body", "delivery", "letter", "assignment"):
            session.connection().exec_driver_sql(f"DELETE FROM {each}")
        session.connection().exec_driver_sql("UPDATE duty SET owners = '[]'")


def another_day(watched: Watched) -> None:
    watched.change(Letter, day=at("2021-04-09").date(), state=LetterState.QUEUED, send_after=at("2021-04-09", "07:30"))


def letters(count: int) -> Plant:
    """So many leave today."""

    def plant(watched: Watched) -> None:
        swept(watched.database, watched.clock())
        made = rows(watched.database, Letter)
        if len(made) < count:
            add_letters(Laid(watched.database, 1), count - len(made))
        m = table(Letter)
        with watched.database.write() as session:
            rest = update(m).where(m.c.id.in_([each.id for each in made[count:]]))
            session.connection().execute(rest.values(state=LetterState.SUPPRESSED, reason="stopped"))

    return plant


def unknown_mailboxes(count: int) -> Callable[[Path], FaultyServer]:
    """The first so many that are written to do not exist."""
    unknown: list[str] = []

    def made(folder: Path) -> FaultyServer:
        def fault(point: str) -> bytes | None:
            line = server.said[-1] if point == "rcpt" else ""
            if line and line not in unknown and len(unknown) < count:
                unknown.append(line)
            return b"550 5.1.1 User unknown\r\n" if line in unknown else None

        server = FaultyServer(fault)
        return server

    return made


MAIL = "Kênh thư điện tử không hoạt động"
STOPS = {
    "nobody answers at the relay": Case(
        server=lambda folder: FaultyServer({"connect": b"-"}), finding="channels_down", told=MAIL, first=0
    ),
    "the relay puts everything off": Case(
        server=answers(b"451 4.7.1 later\r\n"), finding="late_letters", first=0, minutes=120
    ),
    "the relay knows nobody": Case(
        server=answers(b"550 5.1.1 unknown\r\n"), finding="channels_down", told=MAIL, first=0
    ),
    "the password is refused": Case(
        server=lambda folder: FaultyServer(login=("dondoc", "another")),
        settings={"smtp_username": "dondoc", "smtp_password": "old"},
        finding="channels_down",
        told=MAIL,
        first=0,
    ),
    "the certificate is another's": Case(
        server=strange_certificate,
        settings={"smtp_security": "starttls"},
        finding="channels_down",
        told=MAIL,
        first=0,
        minutes=120,
    ),
    "the clock is wrong": Case(plant=clock_ahead, finding="clock_wrong"),
    "a pass fails": Case(plant=pass_fails, finding="failed_passes"),
    "a mailbox never answers": Case(plant=lambda watched: setattr(watched, "hanging", 1), finding="passes_hang"),
    "the disk takes no mark": Case(plant=mark_is_not_taken, finding="mark_unusable", first=0),
    "a pass hangs": Case(plant=tick_stands_still, finding="overdue_looks", minutes=90),
    "no good backup for three days": Case(plant=begun_days_ago, finding="backup_old"),
    "less than a tenth of the disk": Case(plant=disk_fills, finding="disk_low"),
    "no holidays by 15 December": Case(plant=backed_up, finding="holidays_missing", now=DECEMBER, first=0),
    "a running plan waits for nothing": Case(plant=nothing_opens, finding="openings_forgotten"),
    "a running plan has no work": Case(plant=without_any_work, finding="plans_without_work"),
    "a letter is of another day": Case(plant=another_day, finding="letters_of_another_day"),
    "five of twelve mailboxes are unknown": Case(
        plant=letters(12), server=unknown_mailboxes(5), finding="failed_letters", first=0
    ),
    "the daily letter does not come back": Case(
        settings={"imap_host": "imap.example", "mail_from": "dondoc@tinh.example"}, finding="canary_missing", first=0
    ),
    "nobody confirms the weekly letter": Case(
        plant=lambda watched: setattr(watched.clock, "now", at("2021-04-08", "17:00")), finding="arrival_unconfirmed"
    ),
}
GOES_ON = {
    "nothing": Case(),
    "one dead mailbox of three letters": Case(plant=letters(3), server=unknown_mailboxes(1), first=0),
    "two of five, whom others stand in for": Case(plant=letters(5), server=unknown_mailboxes(2), first=0),
    "two of ten": Case(plant=letters(10), server=unknown_mailboxes(2), first=0),
    "holidays entered by 15 December": Case(now=DECEMBER, days=(NEW_YEAR,)),
    "no holidays on 14 December": Case(now=DECEMBER - timedelta(days=2)),
    "a backup of the day before yesterday": Case(
        plant=lambda watched: watched.change(Plan, activated_at=watched.clock.now - timedelta(days=2))
    ),
}


@pytest.fixture(autouse=True)
def nobody_keeps_its_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock_guard, "kept_by_time_service", lambda: False)


@pytest.fixture
def place(sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes the office of a case."""
    return partial(office, sqlite_database, tmp_path, monkeypatch)


def first_lines(watched: Watched, folder: Path, language: str) -> str:
    """What the page Health says before anything else, to an administrator."""
    account = join(watched.database, "administrator", "tinh") if language == "vi" else 1
    page = enter(open_office(watched.database, folder, now=watched.clock.now), account).get(f"/health?lang={language}")
    return " ".join(
        each.get_text(" ", strip=True) for each in BeautifulSoup(page.text, "lxml").select(".head h1, .head .lead")
    )


def measured(watched: Watched, finding: str) -> float:
    with watched.database.read() as session:
        text = render(session, watched.clock(), {}).decode()
    name = f'dondoc_pass_last_found{{pass="audit",what="{finding}"}} '
    return float(next(line.removeprefix(name) for line in text.splitlines() if line.startswith(name)))


@pytest.mark.parametrize("cause", STOPS)
def test_it_stops_and_somebody_is_told(cause: str, place: Any, tmp_path: Path) -> None:
    case = STOPS[cause]
    with place(case) as watched:
        watched.live(case.first)
        assert bool(watched.asked) is bool(case.first), "all is well before it"
        case.plant(watched)
        watched.live(case.minutes)
        watched.asked.clear()
        watched.live(20)
        assert watched.asked == []
        assert row(watched.database, Pass, name="audit").counts[case.finding] > 0
        assert measured(watched, case.finding) > 0
        for language in ("vi", "en"):
            words = coded(case.finding, language)
            assert words.lower() in first_lines(watched, tmp_path, language).lower()
        told = [each.text for each in watched.phone.letters if (case.told or coded(case.finding, "vi")) in each.text]
        assert len(told) == 1, [each.text for each in watched.phone.letters]


def test_a_disk_that_takes_the_mark_again_is_no_finding_any_more(place: Any) -> None:
    """What a machine does not say of itself it finds as before: it found it for ever."""
    with place(Case()) as watched:
        with watched.monkeypatch.context() as full:
            mark_is_not_taken(replace(watched, monkeypatch=full))
            watched.live(10)
        assert measured(watched, "mark_unusable") == 1
        watched.live(10)
        assert measured(watched, "mark_unusable") == 0


def test_a_mailbox_that_accepts_and_never_answers_is_a_finding_within_the_hour_and_is_told(place: Any) -> None:
    """It was found by the next morning's canary, where there is one."""
    with socket.create_server(("127.0.0.1", 0)) as silent, place(Case()) as watched:
        port, plain = silent.getsockname()[1], Security.NONE
        inbox = Inbox(host="127.0.0.1", username="x", password="x", port=port, security=plain, timeout=0.05)
        watched.system = replace(watched.system, inbound=replace(watched.system.inbound, inbox=inbox))
        watched.live(45)
        watched.asked.clear()
        watched.live(15)
        assert watched.asked == []
        assert row(watched.database, Pass, name="audit").counts["channels_down"] == 1
        assert row(watched.database, Event, key="audit:channel_imap:2021-04-07").detail["count"] >= 5, "told by mail"


@pytest.mark.parametrize("cause", GOES_ON)
def test_it_goes_on_and_nobody_is_told(cause: str, place: Any) -> None:
    case = GOES_ON[cause]
    with place(case) as watched:
        watched.live(case.first)
        case.plant(watched)
        watched.live(case.minutes)
        assert len(watched.asked) == (case.first + case.minutes) // 5, row(watched.database, Pass, name="audit").counts
        assert watched.phone.letters == []
