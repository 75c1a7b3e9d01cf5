"""A database file that was put back by hand knows less than what was sent: it is held as after «dondoc restore»."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from ground.commands import Commands
from ground.databases import postgres_database
from ground.factory import Laid, add_letters, at, begin, row, rows, store, swept
from ground.office import join
from ground.post import LetterBox
from ground.postgres import Ground
from ground.web_servers import receiving, served

from config.settings import DemoSettings, Settings
from engine.accounts.sign_in import holder_of, open_session
from engine.admin.first_steps import Mark
from engine.errors import Unavailable
from engine.features.webhooks import subscriptions as webhooks
from engine.rules.targets import Allowed
from engine.store.database import Database
from engine.store.event_log import record
from engine.store.high_water import HighWater, MarkElsewhere
from engine.store.markers import hold
from engine.store.records import Letter, WebhookMessage
from engine.terms import EventKind, LetterState
from notifications.contract.channel import Outcome, Outgoing
from notifications.leases import BATCH
from notifications.webhooks.delivery import send_owed
from workflows.operation import doctor
from workflows.operation.restore import release
from workflows.run import passes
from workflows.run.installation import establish
from workflows.run.prefect_mark import observe_in_prefect
from workflows.run.system import System, compose
from workflows.serving import runs

BEGAN = at("2021-06-14", "12:00")
NAME = "high-water"


class Office:
    """An installation whose letters go into a box. ``system`` again is a process started again."""

    def __init__(self, folder: Path, url: str = "") -> None:
        self.folder, self.url, self.box = folder, url, LetterBox()
        self.system = self.started()

    def started(self) -> System:
        settings = Settings(_env_file=None, data_dir=self.folder, database_url=self.url, prefect=False)  # type: ignore[call-arg]
        system = compose(settings, with_entered=False)
        object.__setattr__(system, "delivery", replace(system.delivery, channels={"email": self.box}))
        return system

    def live(self, day: float, days: int = 1) -> None:
        """A tick in the morning and one at noon of each day after ``BEGAN``."""
        for n in range(days):
            for hours in (-4, 0):
                moment = BEGAN + timedelta(days=day + n, hours=hours)
                asyncio.run(passes.tick(self.system.database, moment, self.system.delivery))

    def stop(self) -> None:
        self.system.database.dispose()

    @property
    def held(self) -> bool:
        with self.system.database.read() as session:
            return hold(session) is not None

    @property
    def mark(self) -> Path:
        return self.folder / NAME


def address(database: Database) -> str:
    return database.bind.url.render_as_string(hide_password=False)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """On SQLite, in its own folder, with ten days behind it."""
    made = Office(tmp_path / "var")
    made.system.database.upgrade()
    establish(made.system)
    begin(store(made.system.database, now=at("2021-04-07")), now=at("2021-04-07"))
    made.live(-10, 11)
    yield made
    made.stop()


def copy(office: Office, to: Path) -> Path:
    """As with ``cp`` while nothing runs."""
    office.stop()
    to.mkdir()
    shutil.copyfile(office.folder / "dondoc.db", to / "dondoc.db")
    return to / "dondoc.db"


def put_back(office: Office, file: Path) -> None:
    office.stop()
    for each in office.folder.glob("dondoc.db*"):
        each.unlink()
    shutil.copyfile(file, office.folder / "dondoc.db")
    office.system = office.started()


def doubled(box: LetterBox) -> list[str]:
    """Who was told the same twice, by subject and text."""
    return [to for (to, _, _), n in Counter((each.to, each.subject, each.key) for each in box.letters).items() if n > 1]


def test_an_older_file_sends_nothing_until_a_person_decides_and_then_nobody_is_told_twice(
    office: Office, tmp_path: Path
) -> None:
    monitor = join(office.system.database, "monitor", "so-chinh")
    with office.system.database.write() as session:
        cookie = open_session(session, monitor, way="password", device="", now=BEGAN)
    old = copy(office, tmp_path / "old")
    office.live(1, 3)
    sent = len(office.box.letters)
    put_back(office, old)
    office.live(3)
    assert (office.held, len(office.box.letters)) == (True, sent)
    with office.system.database.read() as session:
        since = hold(session)
        assert holder_of(session, cookie, BEGAN) is None, "whoever was signed in then may have been thrown out since"
    assert since is not None
    assert BEGAN - timedelta(days=1) < since.backup_at <= BEGAN  # what the file knows last
    release(office.system.database, BEGAN + timedelta(days=3), send=False, actor="cli:test")
    office.live(4, 10)
    assert not office.held
    assert len(office.box.letters) > sent
    assert doubled(office.box) == []


def test_a_file_from_between_deciding_and_sending_is_held(office: Office, tmp_path: Path) -> None:
    """Nothing was written since but what became of the letters: their rows are there, owed."""
    before = len(office.box.letters)
    swept(office.system.database, at("2021-06-16", "07:00"))
    runs.run_audit(office.system)
    old = copy(office, tmp_path / "old")
    asyncio.run(passes.deliver(office.system.database, at("2021-06-16", "08:00"), office.system.delivery))
    sent = len(office.box.letters)
    assert sent > before
    put_back(office, old)
    asyncio.run(passes.deliver(office.system.database, at("2021-06-16", "09:00"), office.system.delivery))
    assert (office.held, len(office.box.letters)) == (True, sent)


def test_a_file_that_was_worked_on_before_it_was_noticed_is_held(office: Office, tmp_path: Path) -> None:
    """Commands and pages have written more rows into it than the newer one had."""
    old = copy(office, tmp_path / "old")
    office.live(1, 3)
    newest = max(each.id for each in rows(office.system.database, Letter))
    put_back(office, old)
    passes.act(office.system.database, BEGAN + timedelta(days=6))
    passes.act(office.system.database, BEGAN + timedelta(days=13))
    assert max(each.id for each in rows(office.system.database, Letter)) > newest
    sent = len(office.box.letters)
    office.live(14)
    assert (office.held, len(office.box.letters)) == (True, sent)


def test_a_lost_wal_is_held(office: Office) -> None:
    """The file alone, without what was only in the log beside it."""
    database = office.system.database
    with closing(sqlite3.connect(office.folder / "dondoc.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with database.read() as reader:  # keeps the log from being taken into the file
        reader.connection().exec_driver_sql("SELECT count(*) FROM event").all()
        office.live(1, 3)
        lost = (office.folder / "dondoc.db").read_bytes()
    office.stop()
    for each in office.folder.glob("dondoc.db*"):
        each.unlink()
    (office.folder / "dondoc.db").write_bytes(lost)
    office.system = office.started()
    sent = len(office.box.letters)
    office.live(4)
    assert (office.held, len(office.box.letters)) == (True, sent)


def test_a_snapshot_of_the_whole_folder_is_held_by_the_mark_elsewhere(office: Office, tmp_path: Path) -> None:
    """60 of 60 letters left again: the file beside the secret went back with the database."""
    elsewhere: list[str] = []

    def observed() -> bool:
        mark = MarkElsewhere(Path("elsewhere"), lambda: elsewhere[-1] if elsewhere else None, elsewhere.append)
        return mark.observe(office.system.database, BEGAN + timedelta(days=9))

    assert not observed()
    file = copy(office, tmp_path / "snapshot")
    mark = office.mark.read_bytes()
    office.system = office.started()
    office.live(1, 3)
    assert not observed()
    put_back(office, file)
    office.mark.write_bytes(mark)
    assert not office.held
    assert observed()
    assert office.held
    sent = len(office.box.letters)
    office.live(4)
    assert len(office.box.letters) == sent


@contextmanager
def variables(reply: bytes = b"") -> Iterator[tuple[str, dict[str, Any]]]:
    """Prefect's variables, and nothing else of it: the URL of its API, and what it keeps. ``reply``: its answer to
    everything, as of a proxy that stands before it."""
    kept: dict[str, Any] = {}

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"] or 0))
            given, name = json.loads(body or "{}"), self.path.rpartition("/")[2]
            name = given.get("name", name)
            there = self.command == "POST" or name in kept
            if given:
                kept.update({name: given["value"]} if there else {})
            self.say(200 if there else 404, json.dumps({"value": kept.get(name)}).encode())

        def do_GET(self) -> None:
            if reply or self.path.endswith("/health"):
                self.say(200, reply or b"true")
            elif self.path.endswith("/admin/version"):
                self.say(200 if "authorization" in self.headers else 401, b'"3"')
            else:
                self.answer()

        do_PATCH = do_POST = answer

        def do_DELETE(self) -> None:
            self.say(204 if kept.pop(self.path.rpartition("/")[2], None) else 404, b"")

        def say(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with served(Handler) as url:
        yield f"{url}/api", kept


def beside(office: Office, url: str) -> System:
    """Its system where a Prefect server of another machine is in use."""
    settings = office.system.settings.model_copy(update={"prefect": True, "prefect_api_url": url})
    return replace(office.system, settings=settings, clock=lambda: BEGAN + timedelta(days=9))


def test_prefect_s_server_keeps_the_mark_of_every_audit(office: Office, tmp_path: Path) -> None:
    with variables() as (url, kept):
        runs.run_audit(beside(office, url))
        assert [name.startswith("dondoc_mark_") for name in kept] == [True]
        file, mark = copy(office, tmp_path / "snapshot"), office.mark.read_bytes()
        office.system = office.started()
        office.live(1, 3)
        runs.run_audit(beside(office, url))
        put_back(office, file)
        office.mark.write_bytes(mark)
        runs.run_audit(beside(office, url))
        assert office.held
    runs.run_audit(beside(office, url))  # no answer


@pytest.mark.parametrize("edited", ["x", {}, {"mark": "x"}, {"mark": {}}, [], 7, {"mark": '{"event": [1]}'}])
def test_a_variable_of_prefect_s_that_was_edited_stops_nothing_and_is_written_anew(
    office: Office, caplog: pytest.LogCaptureFixture, edited: object
) -> None:
    with variables() as (url, kept):
        observe_in_prefect(beside(office, url))
        before = dict(kept)
        (name,) = kept
        kept[name] = edited
        observe_in_prefect(beside(office, url))
        assert kept == {}
        observe_in_prefect(beside(office, url))
        assert kept == before
    (said,) = caplog.messages
    assert (name in said, "file" in said) == (True, False)
    assert not office.held


@pytest.mark.parametrize("reply", [b"<!doctype html><title>Log in</title>", b"[]", b"7", b'"ok"', b"{}"])
def test_another_service_at_prefect_s_address_stops_nothing(
    office: Office, caplog: pytest.LogCaptureFixture, reply: bytes
) -> None:
    with variables(reply) as (url, _):
        observe_in_prefect(beside(office, url))
        line = doctor.prefect(beside(office, url))
    assert (line.mark, "DONDOC_PREFECT_API_URL" in str(line.remedy)) == (Mark.WRONG, True)
    assert len(caplog.messages) == 1
    assert not office.held


def test_the_newer_file_put_back_again_goes_on(office: Office, tmp_path: Path) -> None:
    """The mistake undone; and a file that is ahead of this folder's mark, from another machine."""
    old, mark = copy(office, tmp_path / "old"), office.mark.read_bytes()
    office.live(1, 3)
    newer = copy(office, tmp_path / "newer")
    put_back(office, old)
    office.live(3)
    assert office.held
    put_back(office, newer)
    sent = len(office.box.letters)
    office.live(4, 10)
    assert (office.held, len(office.box.letters) > sent, doubled(office.box)) == (False, True, [])
    office.mark.write_bytes(mark)
    office.live(15)
    assert not office.held


def test_after_a_release_the_other_branch_is_held_however_long_it_is(office: Office, tmp_path: Path) -> None:
    old = copy(office, tmp_path / "old")
    office.live(1, 8)
    long = copy(office, tmp_path / "long")
    put_back(office, old)
    office.live(8)
    release(office.system.database, BEGAN + timedelta(days=8), send=False, actor="cli:test")
    office.live(9)
    assert not office.held
    sent = len(office.box.letters)
    put_back(office, long)
    office.live(10)
    assert (office.held, len(office.box.letters)) == (True, sent)


def test_webhooks_are_held_too(office: Office, tmp_path: Path) -> None:
    old = copy(office, tmp_path / "old")
    office.live(1, 3)
    put_back(office, old)
    database, now = office.system.database, BEGAN + timedelta(days=4)
    with receiving() as receiver, database.write() as session:
        signer, loopback = office.system.signer, Allowed.of("127.0.0.1")
        hook, _ = webhooks.add(session, signer, loopback, url=receiver.url, events=(), actor="cli:test", now=now)
        webhooks.send_test(session, hook, now=now)
    assert asyncio.run(send_owed(database, now, office.system.webhooks)) == {}
    assert office.held
    assert row(database, WebhookMessage).state is LetterState.QUEUED


def test_the_audit_moves_the_mark_where_nothing_is_sent(office: Office) -> None:
    before = office.mark.read_bytes()
    with office.system.database.write() as session:
        record(session, EventKind.ACCOUNT_CHANGED, BEGAN, actor="cli:test", what="changed", account=1)
    runs.run_audit(office.system)
    moved = office.mark.read_bytes()
    assert moved != before


def test_while_many_letters_leave_the_mark_moves_with_each_batch(office: Office) -> None:
    """A copy made in the middle of a long pass is behind it."""
    seen: list[bytes] = []

    class Watching(LetterBox):
        async def send(self, letter: Outgoing) -> Outcome:
            seen.append(office.mark.read_bytes())
            return await super().send(letter)

    office.box = Watching()
    office.stop()
    office.system = office.started()
    swept(office.system.database, at("2021-06-16", "07:00"))
    add_letters(Laid(office.system.database, 1), 600)
    asyncio.run(passes.deliver(office.system.database, at("2021-06-16", "08:00"), office.system.delivery))
    assert len(seen) > 600
    assert len(set(seen)) == -(-len(seen) // BATCH)


def test_a_mark_that_cannot_be_read_stops_sending_and_says_which_file(office: Office) -> None:
    office.mark.write_text("{")
    sent = len(office.box.letters)
    with pytest.raises(Unavailable, match=NAME):
        office.live(1, 3)
    assert len(office.box.letters) == sent


def test_a_demonstration_keeps_none(tmp_path: Path) -> None:
    settings = DemoSettings(_env_file=None, data_dir=tmp_path, prefect=False)  # type: ignore[call-arg]
    assert compose(settings, with_entered=False).delivery.mark is None


def test_the_command_line_says_that_it_is_held_and_lets_go(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    old = copy(office, tmp_path / "old")
    office.live(1, 3)
    put_back(office, old)
    office.stop()
    url = f"sqlite:///{office.folder}/dondoc.db"
    dondoc = Commands(office.folder, url, monkeypatch, capsys, secret="")
    dondoc.set(DONDOC_DATA_DIR=str(office.folder))
    later = (BEGAN + timedelta(days=3)).isoformat()
    assert "held" in dondoc("once", "tick", "--at", later).well
    assert "được giữ" in dondoc("release").well
    assert "không gửi" in dondoc("release", "--drop", "--at", later).well
    assert "held" not in dondoc("once", "tick", "--at", later).out


@pytest.mark.postgres
def test_a_database_behind_the_mark_of_any_machine_is_held(ground: Ground, tmp_path: Path, worker_id: str) -> None:
    """One machine was off for a day and knows no better; the other does. A decision on one is one for both."""
    name = f"high_water_{worker_id}"
    url = postgres_database(ground, name)
    one = Office(tmp_path / "one", url)
    one.system.database.upgrade()
    establish(one.system)
    begin(store(one.system.database, now=at("2021-04-07")), now=at("2021-04-07"))
    one.live(-10, 11)
    (tmp_path / "two").mkdir()
    shutil.copyfile(one.folder / "secret", tmp_path / "two" / "secret")
    two = Office(tmp_path / "two", url)
    two.box = one.box
    one.stop()
    old = postgres_database(ground, f"{name}_old", name)
    two.system = two.started()
    two.live(1, 3)
    two.stop()
    for each in (one, two):
        each.url = old
        each.system = each.started()
    sent = len(one.box.letters)
    assert not one.held
    two.live(4)
    one.live(4)
    assert (one.held, two.held, len(one.box.letters)) == (True, True, sent)
    release(one.system.database, BEGAN + timedelta(days=4), send=False, actor="cli:test")
    for each in (one, two):
        each.live(5, 3)
        each.live(8, 3)
    assert (one.held, two.held, doubled(one.box)) == (False, False, [])
    assert len(one.box.letters) > sent
    one.stop()
    two.stop()


def test_two_machines_that_begin_at_once_agree_on_an_epoch(database: Database, tmp_path: Path) -> None:
    """Each with a mark of its own: neither is behind the other's."""
    marks = [HighWater(tmp_path / str(n) / NAME) for n in range(4)]
    with ThreadPoolExecutor(4) as threads:
        assert not any(threads.map(lambda mark: mark.observe(database, BEGAN), marks))
    assert not any(mark.observe(database, BEGAN) for mark in marks)
    assert len({mark.path.read_bytes() for mark in marks}) == 1
