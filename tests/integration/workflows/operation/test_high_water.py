"""A database file that was put back by hand knows less than what was sent: it is held as after «dondoc restore»."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from unittest.mock import Mock

import pytest
from ground.commands import Commands
from ground.databases import postgres_database
from ground.factory import Laid, add_letters, at, begin, row, rows, store, swept
from ground.office import join
from ground.post import LetterBox
from ground.postgres import Ground
from ground.web_servers import receiving

from config.settings import DemoSettings, Settings
from engine.accounts.sign_in import holder_of, open_session
from engine.errors import Unavailable
from engine.features.webhooks import subscriptions as webhooks
from engine.rules.targets import Allowed
from engine.store import high_water
from engine.store.database import Database
from engine.store.event_log import record
from engine.store.facts import hold
from engine.store.high_water import HighWater, MarkElsewhere
from engine.store.records import Letter, WebhookMessage
from engine.terms import EventKind, LetterState
from engine.text import Text
from notifications.contract.channel import Outcome, Outgoing
from notifications.inbound.fetching import Inbox
from notifications.settlement import BATCH
from notifications.webhooks import send_owed
from workflows.operation.restore import release
from workflows.run import clock_guard, passes
from workflows.run.clock_guard import ClockReading
from workflows.run.installation import establish, installation_id, observe_in_mailbox
from workflows.run.system import System, compose
from workflows.serving import runs
from workflows.serving.sending import Sending

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


@dataclass(frozen=True, kw_only=True)
class Mailbox(Inbox):
    """What an office's mailbox keeps, by Message-ID. ``away``: it does not answer."""

    host: str = "imap.tinh.example"
    username: str = "dondoc"
    password: str = "x"
    held: dict[str, str] = field(default_factory=dict)
    away: list[bool] = field(default_factory=lambda: [False])

    def kept(self, message_id: str) -> str | None:
        if self.away[-1]:
            raise Unavailable(Text.same("no answer"))
        return self.held.get(message_id)

    def keep(self, message_id: str, subject: str, text: str) -> None:
        assert text.isascii()
        self.held[message_id] = text

    def take_out(self, message_id: str) -> bytes | None:
        return self.held.pop(message_id).encode()


def with_mailbox(office: Office, inbox: Mailbox) -> System:
    """As it is started again; ten days later by its clock."""
    system = office.started()
    inbound = replace(system.inbound, inbox=inbox)
    return replace(system, inbound=inbound, clock=lambda: BEGAN + timedelta(days=9))


def forget_three_days(office: Office, inbox: Mailbox, snapshot: Path) -> int:
    """The whole data folder is put back to before three days of which the mailbox knows; how many letters had left."""
    runs.run_audit(with_mailbox(office, inbox))
    file, mark = copy(office, snapshot), office.mark.read_bytes()
    office.system = office.started()
    office.live(1, 3)
    runs.run_audit(with_mailbox(office, inbox))
    put_back(office, file)
    office.mark.write_bytes(mark)
    return len(office.box.letters)


def test_the_mailbox_keeps_the_mark_of_every_audit(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A single machine and its mailbox: after a snapshot nothing leaves a second time, and what was changed of accounts
    since is looked up in the data folder."""
    asked = Mock(return_value={})
    monkeypatch.setattr(high_water, "changed_since", asked)
    inbox = Mailbox()
    sent = forget_three_days(office, inbox, tmp_path / "snapshot")
    inbox.away.append(True)
    assert not observe_in_mailbox(with_mailbox(office, inbox))
    assert not office.held
    inbox.away.append(False)
    assert not observe_in_mailbox(with_mailbox(office, inbox))
    office.live(1, 4)
    assert (office.held, len(office.box.letters)) == (True, sent)
    assert [call.args[0] for call in asked.call_args_list] == [office.folder]


def test_a_process_that_starts_asks_the_mailbox_before_its_first_letter(office: Office, tmp_path: Path) -> None:
    inbox = Mailbox()
    sent = forget_three_days(office, inbox, tmp_path / "snapshot")
    Sending(with_mailbox(office, inbox))._tick()
    assert (office.held, len(office.box.letters)) == (True, sent)


@pytest.mark.parametrize("edited", ["", "x", "{}", "[]", "7", '{"event": [1]}'])
def test_a_mark_in_the_mailbox_that_was_edited_stops_nothing_and_is_written_anew(office: Office, edited: str) -> None:
    inbox = Mailbox()
    assert not observe_in_mailbox(with_mailbox(office, inbox))  # the first: nothing was there to say that all is well
    assert observe_in_mailbox(with_mailbox(office, inbox))
    before = dict(inbox.held)
    inbox.held.update(dict.fromkeys(before, edited))
    assert not observe_in_mailbox(with_mailbox(office, inbox))
    assert inbox.held == {}
    assert not observe_in_mailbox(with_mailbox(office, inbox))
    assert (inbox.held, office.held) == (before, False)


def test_nobody_from_outside_can_take_the_mark_s_place(office: Office) -> None:
    """Its Message-ID is known to whoever has the secret or the mailbox."""
    inbox = Mailbox()
    observe_in_mailbox(with_mailbox(office, inbox))
    (name,) = inbox.held
    installation, _, rest = name.strip("<>").partition(".")
    assert installation == installation_id(office.system.database)
    assert len(set(rest.partition("@")[0])) > 8


@pytest.mark.parametrize(("days", "asked"), [(0.6, False), (3, True)])  # a night; a Thursday without a sign
@pytest.mark.parametrize("mailbox", [True, False])
def test_a_start_after_a_silent_working_day_is_asked_about_unless_the_mailbox_knows(
    office: Office, days: float, asked: bool, mailbox: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A snapshot of a single machine has no other trace: 60 of 60 letters left again, and nothing was said."""
    monkeypatch.setattr(clock_guard, "kept_by_time_service", lambda: True)
    inbox, now = Mailbox(), BEGAN + timedelta(days=2)
    monkeypatch.setattr(clock_guard, "read_clock", lambda wall: ClockReading(wall, 100.0, f"start at {wall}"))
    system = with_mailbox(office, inbox)
    observe_in_mailbox(system)
    if not mailbox:
        system = replace(system, inbound=replace(system.inbound, inbox=None))
    clock_guard.remember(system.database, ClockReading(now - timedelta(days=days), 100.0, "the start before"))
    runs.run_tick(replace(system, clock=lambda: now))
    assert office.held == (asked and not mailbox)


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
