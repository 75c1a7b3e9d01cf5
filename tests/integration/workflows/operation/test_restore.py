"""The drill: a copy three days old is restored, and nobody gets a second letter unasked."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ground.commands import Commands
from ground.databases import postgres_database
from ground.factory import at, begin, rows, store
from ground.office import join, looking
from ground.post import LetterBox, post_office
from ground.postgres import Ground
from sqlalchemy import select

from config.settings import Settings
from engine.accounts.accounts import account, answer, deactivate, set_password, unanswered
from engine.accounts.api_tokens import bearer_of, make_token
from engine.accounts.key_ring import load_keys
from engine.accounts.sign_in import LinkStale, account_of_link, holder_of, open_session, request_link
from engine.admin.settings_view import save
from engine.agencies.feed_addresses import make_feed
from engine.assignments.reports import evidence
from engine.errors import BadInput, Conflict, Unavailable
from engine.queries.system.health import Trouble, health
from engine.store.database import Database, table
from engine.store.event_log import record
from engine.store.facts import last_backup
from engine.store.records import Event, Feed, Letter, Notice
from engine.terms import EventKind, LetterState
from notifications.email.smtp import Email
from workflows.checks.audit import run_checks
from workflows.operation.backup import MANIFEST, Manifest, backup, damage, prove
from workflows.operation.restore import held, release, restore
from workflows.operation.secret_rotation import rotate
from workflows.run import clock_guard, passes
from workflows.run.installation import establish, require_installation
from workflows.run.system import System, compose

BACKUP_AT = at("2021-06-14", "12:00")
RESTORED_AT = BACKUP_AT + timedelta(days=3)


def settings_of(folder: Path, url: str, **more: Any) -> Settings:
    return Settings(_env_file=None, data_dir=folder, database_url=url, prefect=False, **more)  # type: ignore[call-arg]


def address(database: Database) -> str:
    return database.bind.url.render_as_string(hide_password=False)


def live(database: Database, box: LetterBox, day: int, days: int) -> None:
    """One tick in the morning and one at noon of each day after ``BACKUP_AT``."""
    for n in range(day, day + days):
        for hours in (-4, 0):
            moment = BACKUP_AT + timedelta(days=n, hours=hours)
            asyncio.run(passes.tick(database, moment, post_office(box)))


def told_since(database: Database, since: datetime) -> set[str]:
    """Keys of what people were told (assignment, rung, person) in letters sent since then."""
    n, m = table(Notice), table(Letter)
    sent = select(n.c.key).join(m, m.c.id == n.c.letter_id).where(m.c.sent_at > since, n.c.obsolete == "")
    with database.read() as session:
        return set(session.connection().scalars(sent))


@pytest.fixture
def lived(database: Database, tmp_path: Path) -> System:
    system = compose(settings_of(tmp_path / "live", address(database)))
    object.__setattr__(system, "clock", lambda: BACKUP_AT)
    establish(system)
    (system.settings.files / "ab").mkdir()
    (system.settings.files / "ab" / "evidence").write_bytes(b"a report's file")
    begin(store(database, now=at("2021-04-07")), now=at("2021-04-07"))
    return system


@pytest.fixture
def elsewhere(database: Database, ground: Ground, tmp_path: Path, worker_id: str) -> str:
    """The URL of an empty place of the same kind."""
    if database.dialect == "sqlite":
        return f"sqlite:///{tmp_path}/restored/dondoc.db"
    return postgres_database(ground, f"restored_{worker_id}")


def test_a_copy_three_days_old_sends_nobody_a_second_letter(lived: System, elsewhere: str, tmp_path: Path) -> None:
    box = LetterBox()
    live(lived.database, box, -10, 11)
    clock_guard.remember(lived.database, clock_guard.ClockReading(BACKUP_AT, 5_000.0, "the lost machine"))
    folder = backup(lived, tmp_path / "backups")
    live(lived.database, box, 1, 3)
    sent, told = len(box.letters), told_since(lived.database, BACKUP_AT)
    assert told
    settings = settings_of(tmp_path / "restored", elsewhere)
    restore(settings, folder, RESTORED_AT)
    require_installation(settings)
    restored = compose(settings)
    assert (settings.files / "ab" / "evidence").read_bytes() == b"a report's file"
    assert restored.settings.signing_key() == lived.settings.signing_key()
    with restored.database.read() as session:
        assert last_backup(session) == BACKUP_AT, "there is one: what was restored"

    live(restored.database, box, 3, 1)
    assert len(box.letters) == sent, "held"
    with looking(restored.database, RESTORED_AT) as (session, today):
        assert health(session, today).troubles[0] is Trouble.HELD
    assert run_checks(restored.database, RESTORED_AT).findings["letters_held"] == 1

    new_machine = clock_guard.ClockReading(RESTORED_AT, 60.0, "the new machine")
    assert clock_guard.suspicion(restored, new_machine) is clock_guard.Suspicion.SILENCE
    waiting = held(restored.database, RESTORED_AT)
    done = release(restored.database, RESTORED_AT, send=False, actor="cli:test")
    assert waiting is not None
    assert clock_guard.suspicion(restored, new_machine) is None, "the readings in it are as old as the copy"
    assert done.letters == waiting.letters > 0
    dropped = [
        each for each in rows(restored.database, Letter, state=LetterState.SUPPRESSED) if each.reason == "restored"
    ]
    assert len(dropped) == done.letters
    live(restored.database, box, 3, 14)
    assert told & told_since(restored.database, BACKUP_AT) == set()
    assert len(box.letters) > sent, "what follows goes out again"
    assert EventKind.LETTERS_RELEASED in {each.kind for each in rows(restored.database, Event)}
    restored.database.dispose()


def test_a_copy_opens_nothing_that_was_open_in_it_and_what_was_closed_since_stays_closed(
    lived: System, elsewhere: str, tmp_path: Path
) -> None:
    """A thief who was thrown out was back after the next disk failure."""
    roles = ("monitor", "leadership", "coordinator", "administrator")
    closed, stolen, other, _ = (join(lived.database, role, "so-chinh") for role in roles)
    with lived.database.write() as session:
        key = make_token(
            session, closed, label="x", scopes=["read"], lasts=timedelta(days=9), actor="cli", now=BACKUP_AT
        )
        cookie = open_session(session, other, way="password", device="", now=BACKUP_AT)
        link = request_link(session, email="coordinator@so-chinh.example", now=BACKUP_AT)
        make_feed(session, "so-chinh", account_id=other, actor="cli", now=BACKUP_AT)
    lived.observe()
    folder = backup(lived, tmp_path / "backups")
    later = BACKUP_AT + timedelta(hours=1)
    with lived.database.write() as session:
        deactivate(session, closed, actor="cli", now=later)
        set_password(session, stolen, "Chín con trâu qua cầu 47", actor="cli", now=later)
    lived.observe()
    (tmp_path / "live").rename(tmp_path / "restored.2021-06-15")
    settings = settings_of(tmp_path / "restored", elsewhere)
    restore(settings, folder, RESTORED_AT)
    restored = compose(settings)
    with restored.database.read() as session:
        assert bearer_of(session, key, BACKUP_AT) is None
        assert holder_of(session, cookie, BACKUP_AT) is None
        with pytest.raises(LinkStale):
            account_of_link(session, str(link), BACKUP_AT)
        assert [each.revoked_at for each in rows(restored.database, Feed)] == [RESTORED_AT]
        assert [account(session, each).active for each in (closed, stolen, other)] == [False, False, True]
        asked = [(each.email, each.what, each.at) for each in unanswered(session)]
    assert asked == [
        ("monitor@so-chinh.example", "deactivated", later),
        ("leadership@so-chinh.example", "password", later),
    ]
    with pytest.raises(Conflict, match="tài khoản"):
        release(restored.database, RESTORED_AT, send=False, actor="cli:test")
    with restored.database.write() as session:
        answer(session, closed, opens=False, actor="cli:test", now=RESTORED_AT)
        answer(session, stolen, opens=True, actor="cli:test", now=RESTORED_AT)
        assert [account(session, each).active for each in (closed, stolen)] == [False, True]
    release(restored.database, RESTORED_AT, send=False, actor="cli:test")
    restored.database.dispose()


def test_a_copy_from_before_another_secret_signs_by_another_again(
    lived: System, elsewhere: str, tmp_path: Path
) -> None:
    """The secret was changed because somebody had it: with the copy it would be in force again."""
    given = {"smtp_host": "relay.example", "smtp_username": "so", "smtp_password": "mat-khau"}
    with lived.database.write() as session:
        after = lived.settings.with_entered(given)
        save(session, lived.signer, lived.settings, after, given, actor="account:1", now=BACKUP_AT)
    lived.observe()
    folder = backup(lived, tmp_path / "backups")
    stolen = lived.settings.signing_key()
    keys = load_keys(lived.settings, lived.database)
    rotate(lived.settings, lived.database, keys, BACKUP_AT + timedelta(hours=1), actor="cli:test")
    lived.observe()
    (tmp_path / "live").rename(tmp_path / "restored.2021-06-15")
    settings = settings_of(tmp_path / "restored", elsewhere)
    restore(settings, folder, RESTORED_AT)
    require_installation(settings)
    assert settings.signing_key() != stolen
    assert compose(settings).settings.smtp_host == "relay.example", "what the copy has sealed is read"


def test_a_copy_is_read_by_the_secret_of_the_environment(lived: System, elsewhere: str, tmp_path: Path) -> None:
    folder = backup(lived, tmp_path / "backups")
    settings = settings_of(tmp_path / "restored", elsewhere, secret="another secret, entered since the copy was made")
    restore(settings, folder, RESTORED_AT)
    require_installation(settings)
    assert not (settings.data_dir / "secret").exists()


def test_only_what_the_manifest_lists_is_restored_and_no_link_is_followed(
    lived: System, elsewhere: str, tmp_path: Path
) -> None:
    folder = backup(lived, tmp_path / "backups")
    (folder / "files" / "ab" / "smuggled").symlink_to("/etc/passwd")
    settings = settings_of(tmp_path / "restored", elsewhere)
    restore(settings, folder, RESTORED_AT)
    assert [each.name for each in (settings.files / "ab").iterdir()] == ["evidence"]
    evidence_file = folder / "files" / "ab" / "evidence"
    elsewhere_kept = tmp_path / "kept"
    evidence_file.rename(elsewhere_kept)
    evidence_file.symlink_to(elsewhere_kept)
    assert Manifest.read(folder).spoiled(folder) == ["files/ab/evidence"]


def test_an_operator_may_let_it_all_out_and_then_some_are_told_twice(
    lived: System, elsewhere: str, tmp_path: Path
) -> None:
    box = LetterBox()
    live(lived.database, box, -10, 11)
    folder = backup(lived, tmp_path / "backups")
    live(lived.database, box, 1, 3)
    settings = settings_of(tmp_path / "restored", elsewhere)
    restore(settings, folder, RESTORED_AT)
    restored = Database(settings.database)
    told = told_since(lived.database, BACKUP_AT)
    live(restored, box, 3, 1)
    assert told_since(restored, BACKUP_AT) == set()
    release(restored, RESTORED_AT, send=True, actor="cli:test")
    live(restored, box, 3, 1)
    assert told & told_since(restored, BACKUP_AT), "what was sent after the backup is unknown and goes out again"
    with pytest.raises(Conflict):
        release(restored, RESTORED_AT, send=True, actor="cli:test")
    restored.dispose()


def test_a_spoiled_backup_is_refused_and_nothing_is_made(lived: System, elsewhere: str, tmp_path: Path) -> None:
    folder = backup(lived, tmp_path / "backups")
    assert Manifest.read(folder).spoiled(folder) == []
    (folder / "files" / "ab" / "evidence").write_bytes(b"another file")
    settings = settings_of(tmp_path / "restored", elsewhere)
    with pytest.raises(BadInput, match="files/ab/evidence"):
        restore(settings, folder, RESTORED_AT)
    assert not settings.data_dir.exists()
    (folder / MANIFEST).write_text("{}")
    with pytest.raises(BadInput):
        restore(settings, folder, RESTORED_AT)


def test_a_copy_of_a_damaged_database_is_not_called_a_backup(sqlite_database: Database, tmp_path: Path) -> None:
    """Two pages were overwritten by the disk, and the backup was said to be good."""
    system = compose(settings_of(tmp_path / "live", str(sqlite_database.url)))
    establish(system)
    begin(store(sqlite_database, now=at("2021-04-07")), now=at("2021-04-07"))
    system.database.dispose()
    file = Path(str(sqlite_database.url.database))
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        pages = database.execute("SELECT pageno FROM dbstat WHERE name = 'event' ORDER BY pageno LIMIT 2").fetchall()
        size = database.execute("PRAGMA page_size").fetchone()[0]
    with file.open("r+b") as spoiled:
        for (page,) in pages:
            spoiled.seek((page - 1) * size)
            spoiled.write(b"\xa5" * size)
    with pytest.raises(Unavailable, match="hỏng"):
        backup(system, tmp_path / "backups")
    assert [each.suffix for each in (tmp_path / "backups").iterdir()] == [".partial"]
    assert damage(file)


def test_evidence_that_was_altered_is_named_by_the_backup(lived: System, tmp_path: Path) -> None:
    with lived.database.write() as session:
        stored = evidence.store(lived.settings.files, name="a.pdf", body=b"%PDF-1.4 one")
        evidence.keep(session, stored, agency_id="so-ban", actor="cli", now=BACKUP_AT)
    assert backup(lived, tmp_path / "first").is_dir()
    evidence.path_of(lived.settings.files, stored.digest).write_bytes(b"another")
    with pytest.raises(Unavailable, match="minh chứng"):
        backup(lived, tmp_path / "second")


def test_a_backup_is_proved_by_restoring_it(lived: System, tmp_path: Path) -> None:
    with lived.database.write() as session:
        stored = evidence.store(lived.settings.files, name="a.pdf", body=b"%PDF-1.4 one")
        evidence.keep(session, stored, agency_id="so-ban", actor="contact:1", now=BACKUP_AT)
    folder = backup(lived, tmp_path / "backups")
    proof = prove(folder, lived.database)
    assert proof.good
    assert proof.files == 1
    assert proof.made.counts["contact"] == 13
    assert proof.rows == sum(proof.made.counts.values())


def test_a_backup_whose_log_was_changed_is_no_proof(lived: System, tmp_path: Path) -> None:
    """Where all links were made anew, the head in the manifest of an earlier backup says so."""
    first = Manifest.read(backup(lived, tmp_path / "first"))
    with lived.database.write() as session:
        session.connection().exec_driver_sql("UPDATE event SET actor = 'account:9' WHERE id = 5")
    broken = backup(lived, tmp_path / "second")
    assert prove(broken, lived.database).log == "event 5"
    with lived.database.write() as session:
        session.connection().exec_driver_sql("UPDATE event SET actor = 'system' WHERE id = 5")
        session.connection().exec_driver_sql("DELETE FROM event_link")
        record(session, EventKind.SETTINGS_CHANGED, BACKUP_AT, changes="x")
    again = backup(lived, tmp_path / "third")
    made_again, kept = Manifest.read(again).log, first.log
    (again / MANIFEST).write_text((again / MANIFEST).read_text().replace(made_again, kept))
    assert prove(again, lived.database).log == f"event_link {kept.split()[0]}"


def test_a_backup_that_lacks_rows_or_evidence_is_no_proof(lived: System, tmp_path: Path) -> None:
    with lived.database.write() as session:
        stored = evidence.store(lived.settings.files, name="a.pdf", body=b"%PDF-1.4 one")
        evidence.keep(session, stored, agency_id="so-ban", actor="contact:1", now=BACKUP_AT)
    evidence.path_of(lived.settings.files, stored.digest).unlink()
    folder = backup(lived, tmp_path / "backups")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["counts"]["letter"] = 1_000
    (folder / "manifest.json").write_text(json.dumps(manifest))
    proof = prove(folder, lived.database)
    assert proof.differing == ("letter",)
    assert proof.lost == (stored.digest,)


def test_nothing_that_is_there_is_overwritten(lived: System, elsewhere: str, tmp_path: Path) -> None:
    folder = backup(lived, tmp_path / "backups")
    with pytest.raises(Conflict, match="chỗ trống"):
        restore(lived.settings, folder, RESTORED_AT)
    other = settings_of(tmp_path / "restored", elsewhere)
    other.data_dir.mkdir()
    (other.data_dir / "secret").write_text("the secret of another installation")
    with pytest.raises(Conflict, match="secret"):
        restore(other, folder, RESTORED_AT)


def test_a_backup_is_private_whole_and_remembered(lived: System, tmp_path: Path) -> None:
    folder = backup(lived, tmp_path / "backups")
    manifest = json.loads((folder / MANIFEST).read_text())
    assert {"secret", "files/ab/evidence", "files/.installation"} < set(manifest["files"])
    assert folder.stat().st_mode & 0o077 == 0
    assert (folder / "secret").stat().st_mode & 0o077 == 0
    with lived.database.read() as session:
        assert last_backup(session) == BACKUP_AT
    with pytest.raises(BadInput):
        backup(lived, tmp_path / "backups")


def test_the_commands_back_up_restore_and_ask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    dondoc = Commands(tmp_path, f"sqlite:///{tmp_path}/one/dondoc.db", monkeypatch, capsys, secret="")
    dondoc("init")
    made = dondoc("backup", "--to", tmp_path / "backups").well
    (folder,) = (tmp_path / "backups").iterdir()
    assert str(folder) in made
    assert "chỗ trống" in dondoc("restore", folder, "--yes").err
    dondoc.set(DONDOC_DATA_DIR=str(tmp_path / "two"), DONDOC_DATABASE_URL="")
    assert "Chưa thư nào rời máy" in dondoc("restore", folder, "--yes").well
    assert "0 thư được giữ" in dondoc("release").well
    assert "Không hỏi về tài khoản số 7" in dondoc("release", "--closed", 7).err
    assert dondoc("release", "--send", "--drop").wrong
    assert "không gửi" in dondoc("release", "--drop").well
    assert "No letters are held" in dondoc("release").well


def test_the_relay_that_was_entered_on_a_page_comes_back(lived: System, elsewhere: str, tmp_path: Path) -> None:
    entered = {"smtp_host": "relay.example", "smtp_username": "so", "smtp_password": "mat-khau"}
    with lived.database.write() as session:
        after = lived.settings.with_entered(entered)
        save(session, lived.signer, lived.settings, after, entered, actor="account:1", now=BACKUP_AT)
    folder = backup(lived, tmp_path / "backups")
    assert all(b"mat-khau" not in each.read_bytes() for each in folder.rglob("*") if each.is_file())
    settings = settings_of(tmp_path / "restored", elsewhere)
    restore(settings, folder, RESTORED_AT)
    restored = compose(settings)
    assert restored.settings.smtp_password.get_secret_value() == "mat-khau"
    assert isinstance(restored.delivery.channels["email"], Email)
    restored.database.dispose()
