"""``dondoc doctor`` finds each planted fault, says the remedy, and changes nothing."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from ground.commands import Commands
from ground.factory import at
from ground.office import everything, join
from ground.post import KEY
from ground.province import load_province
from ground.smtp_server import FaultyServer
from ground.web_servers import served
from sqlalchemy import delete, update
from sqlmodel import select

from config.settings import Settings
from engine.admin.first_steps import CheckLine, Mark, WeeklyLetter, write_weekly_letter
from engine.queries.system.health import AUDIT, SILENT_AFTER
from engine.store.database import Database, table
from engine.store.facts import Hold, hold_letters, mail_tried, remember_backup, write_fact
from engine.store.records import CalendarDay, Contact, Letter, LetterBody, Pass
from engine.store.version import version_line
from engine.terms import LetterState, Role
from notifications import arrival
from notifications.sms import receipts
from workflows.operation import doctor
from workflows.run.installation import establish
from workflows.run.system import System, compose

NOW = at("2026-06-24")
HEARD = {
    "heartbeat_url": "https://monitor.example/1",
    "operator_email": "vanhanh@tinh.example",
    "operator_phone": "+84912000000",
    "sms_gateway": "kannel",
    "sms_url": "http://127.0.0.1:13013/cgi-bin/sendsms",
}
ZALO = {
    "zalo_app_id": "1",
    "zalo_app_secret": "x",
    "zalo_refresh_token": "y",
    "zalo_templates": '{"*": {"id": "230000", "parameters": {"noi_dung": "text"}}}',
}


def system_of(database: Database, folder: Path, **settings: Any) -> System:
    given = {"data_dir": folder, "secret": KEY, "prefect": False, "base_url": "https://dondoc.example"} | settings
    address = database.bind.url.render_as_string(hide_password=False)
    wired = compose(Settings(_env_file=None, database_url=address, **given))  # type: ignore[call-arg]
    object.__setattr__(wired, "clock", lambda: NOW)
    return wired


@pytest.fixture
def healthy(database: Database, tmp_path: Path) -> System:
    """A province with real mailboxes, an account, a backup of this night, and who hears when it stops."""
    system = system_of(database, tmp_path, **HEARD, smtp_host="relay.example")
    tmp_path.chmod(0o700)
    load_province(database, NOW)
    establish(system)
    join(database, "administrator", "ubnd-tinh")
    with database.write() as session:
        session.connection().execute(update(table(Contact)).values(email="daumoi@nghean.gov.invalid"))
        remember_backup(session, NOW - timedelta(hours=8))
        session.add(Pass(name=AUDIT, started_at=NOW, finished_at=NOW))
    return system


def wrong(system: System) -> dict[str, CheckLine]:
    return {line.name: line for line in doctor.examine(system, connections=False) if line.mark is Mark.WRONG}


def without_calendar(system: System) -> None:
    with system.database.write() as session:
        session.connection().execute(
            delete(table(CalendarDay)).where(table(CalendarDay).c.day >= NOW.date().replace(day=1, month=1))
        )


def change(values: dict[str, Any], *conditions: Any) -> Callable[[System], None]:
    def plant(system: System) -> None:
        with system.database.write() as session:
            session.connection().execute(update(table(Contact)).where(*conditions).values(**values))

    return plant


def old_backup(system: System) -> None:
    with system.database.write() as session:
        remember_backup(session, NOW - timedelta(days=3))


def stopped(system: System) -> None:
    with system.database.write() as session:
        session.connection().execute(update(table(Pass)).values(finished_at=NOW - SILENT_AFTER - timedelta(minutes=1)))


def never_started(system: System) -> None:
    with system.database.write() as session:
        session.connection().execute(delete(table(Pass)))


def restored(system: System) -> None:
    with system.database.write() as session:
        hold_letters(session, Hold(NOW - timedelta(days=3), NOW))


def open_to_all(system: System) -> None:
    system.settings.data_dir.chmod(0o755)


c = table(Contact)
FAULTS: dict[str, Callable[[System], None]] = {
    "files": open_to_all,
    "passes": stopped,
    "backup": old_backup,
    "held": restored,
    "contacts": change({"email": "daumoi@so-y-te.example"}, c.c.agency_id == "so-y-te"),
    "coordinators": change({"role": Role.HEAD}, c.c.agency_id == "so-y-te"),
    "calendar": without_calendar,
}


def test_a_healthy_installation_lacks_only_its_plan_and_nothing_is_changed(healthy: System) -> None:
    before = everything(healthy.database)
    assert set(wrong(healthy)) == {"plan", "activation"}
    assert everything(healthy.database) == before


def test_a_service_that_never_ran_is_found(healthy: System) -> None:
    never_started(healthy)
    assert "journalctl -u dondoc" in wrong(healthy)["passes"].remedy.en


@pytest.mark.parametrize("name", FAULTS)
def test_each_planted_fault_is_found_with_its_remedy(healthy: System, name: str) -> None:
    FAULTS[name](healthy)
    found = wrong(healthy)
    assert set(found) == {name, "plan", "activation"}
    assert found[name].remedy


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("address", {"base_url": "http://127.0.0.1:8188"}),
        ("address", {"base_url": "http://dondoc.example"}),
        ("secret", {"secret": "short"}),
        ("smtp", {}),
        ("watch", {}),
        ("watch", HEARD | {"heartbeat_url": ""}),
        ("arrival", {"smtp_host": "relay.example"}),
    ],
)
def test_settings_that_will_not_do_are_found(healthy: System, name: str, settings: dict[str, Any]) -> None:
    assert name in wrong(system_of(healthy.database, healthy.settings.data_dir, **settings))


def line(system: System, name: str) -> CheckLine:
    return next(each for each in doctor.examine(system, connections=False) if each.name == name)


def test_it_says_which_version_and_which_schema_run(healthy: System) -> None:
    assert line(healthy, "version").what.en == version_line("en")


def test_it_says_which_way_proves_that_letters_arrive(healthy: System) -> None:
    """Both ways, each before and after the first proof."""
    imap = {"smtp_host": "relay.example", "imap_host": "imap.example", "imap_username": "traloi"}
    by_mailbox = system_of(healthy.database, healthy.settings.data_dir, **imap)
    assert "mỗi tuần một thư thử tới vanhanh@tinh.example" in line(healthy, "arrival").what.vi
    assert line(healthy, "arrival").what.vi.endswith("chưa có lần nào")
    assert line(by_mailbox, "arrival").what.en == "a test letter a day comes back to traloi; none yet"
    with healthy.database.write() as session:
        write_weekly_letter(session, WeeklyLetter(week="2026-W25", confirmed_at="2026-06-16T02:05:00+00:00"))
        write_fact(session, arrival.FACT, '{"day": "2026-06-23", "back_at": "2026-06-23T00:31:00+00:00"}')
    assert "gần nhất 09:05" in line(healthy, "arrival").what.vi
    assert "gần nhất 07:31" in line(by_mailbox, "arrival").what.vi


def test_too_little_disk_and_a_wal_that_grew_are_found(tmp_path: Path) -> None:
    wal = tmp_path / "x.db-wal"
    with wal.open("wb") as file:
        file.truncate(doctor.MAX_WAL_BYTES + 1)
    assert doctor.wal(wal).mark is Mark.WRONG
    assert doctor.wal(tmp_path / "none").mark is Mark.WELL
    assert doctor.disk(tmp_path, needed=10**18).mark is Mark.WRONG


def test_an_old_schema_is_found_and_what_depends_on_it_is_not_asked(tmp_path: Path) -> None:
    system = compose(Settings(_env_file=None, data_dir=tmp_path, secret=KEY, prefect=False))  # type: ignore[call-arg]
    names = [line.name for line in doctor.examine(system, connections=False)]
    assert names[-1] == "schema"
    assert "db upgrade" in str(wrong(system)["schema"].remedy)


@pytest.mark.parametrize(
    ("server", "settings", "said"),
    [
        (FaultyServer(), {}, ""),
        (FaultyServer({"banner": b"554 no\r\n"}), {}, "554"),
        (FaultyServer(login=("ai", "dung")), {"smtp_username": "ai", "smtp_password": "sai"}, "từ chối đăng nhập"),
        (FaultyServer(), {"smtp_security": "starttls"}, "TLS"),
    ],
)
async def test_the_relay_is_connected_to_and_what_it_answers_is_said(
    sqlite_database: Database, tmp_path: Path, server: FaultyServer, settings: dict[str, Any], said: str
) -> None:
    async with server:
        given = {"smtp_host": "127.0.0.1", "smtp_port": server.port, "smtp_security": "none"} | settings
        line = await asyncio.to_thread(doctor.smtp, system_of(sqlite_database, tmp_path, **given))
    assert line.mark is (Mark.WRONG if said else Mark.WELL)
    assert said in line.what.vi
    assert server.taken == []


@pytest.mark.parametrize(
    ("look", "settings", "mark"),
    [
        (doctor.smtp, {}, Mark.WRONG),
        (doctor.smtp, {"smtp_host": "127.0.0.1", "smtp_port": 1, "smtp_security": "none"}, Mark.WRONG),
        (doctor.imap, {}, Mark.UNUSED),
        (doctor.imap, {"imap_host": "127.0.0.1:1"}, Mark.WRONG),
        (doctor.sms, {}, Mark.UNUSED),
        (doctor.sms, ZALO | {"zalo_templates": "", "sms_production": True}, Mark.WRONG),
        (doctor.sms, ZALO | {"sms_production": False}, Mark.WRONG),
        (doctor.sms, ZALO | {"sms_production": True}, Mark.WELL),
        (doctor.sms, {"sms_gateway": "kannel", "sms_url": "http://127.0.0.1:1/cgi-bin/sendsms"}, Mark.WRONG),
        (doctor.sms, {"sms_gateway": "gammu", "sms_gammu_dir": Path("/nowhere")}, Mark.WRONG),
        (doctor.prefect, {}, Mark.UNUSED),
        (doctor.prefect, {"prefect": True, "prefect_api_url": "http://127.0.0.1:1/api"}, Mark.WRONG),
    ],
)
def test_what_does_not_answer_is_wrong_and_what_is_not_configured_is_unused(
    sqlite_database: Database,
    tmp_path: Path,
    look: Callable[[System], CheckLine],
    settings: dict[str, Any],
    mark: Mark,
) -> None:
    assert look(system_of(sqlite_database, tmp_path, **settings)).mark is mark


@pytest.mark.parametrize(
    ("status", "body", "seconds", "said", "remedy"),
    [
        (401, "", 0, "không nhận chuỗi đăng nhập", "dondoc prefect key"),
        (500, "", 0, "lỗi 500", "nhật ký"),
        (503, "", 0, "lỗi 503", "nhật ký"),
        (200, '"3.9.1"', 2, "quá chậm", "tải"),
        (200, "<!doctype html><title>Log in</title>", 0, "không phải Prefect", "DONDOC_PREFECT_API_URL"),
        (404, "{}", 0, "không phải Prefect", "DONDOC_PREFECT_API_URL"),
    ],
)
def test_what_a_prefect_that_lives_answers_is_told_by_what_is_wrong_with_it(
    sqlite_database: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    body: str,
    seconds: float,
    said: str,
    remedy: str,
) -> None:
    """A slow one, one with a fault and another service were all told to set the string."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            lives = self.path.endswith("/health")
            time.sleep(0 if lives else seconds)
            with suppress(BrokenPipeError):
                self.send_response(200 if lives else status)
                self.end_headers()
                self.wfile.write(b"true" if lives else body.encode())

        def log_message(self, *_: object) -> None:
            pass

    monkeypatch.setattr(doctor, "CONNECT_SECONDS", 1.0)
    with served(Answer) as url:
        line = doctor.prefect(system_of(sqlite_database, tmp_path, prefect=True, prefect_api_url=f"{url}/api"))
    assert (line.mark, said in line.what.vi) == (Mark.WRONG, True)
    assert remedy in str(line.remedy)


def test_the_command_prints_a_line_each_or_json_and_says_by_its_exit_code(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    dondoc = Commands(tmp_path, str(sqlite_database.url), monkeypatch, capsys)
    ran = dondoc("doctor", "--no-connections")
    assert (ran.code, ran.err) == (1, "")
    assert "✗ address" in ran.out
    assert "DONDOC_BASE_URL" in ran.out
    lines = json.loads(dondoc("doctor", "--json").out)
    assert {line["mark"] for line in lines if line["name"] == "smtp"} == {"wrong"}


async def test_a_test_letter_says_what_the_relay_answered(
    tmp_path: Path, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    dondoc = Commands(tmp_path, str(sqlite_database.url), monkeypatch, capsys)
    assert "DONDOC_SMTP_HOST" in (await asyncio.to_thread(dondoc, "send-test", "--to", "toi@so-y-te.example")).out
    with sqlite_database.read() as session:
        assert mail_tried(session, "127.0.0.1") is None
    async with FaultyServer() as relay:
        dondoc.set(DONDOC_SMTP_HOST="127.0.0.1", DONDOC_SMTP_PORT=str(relay.port), DONDOC_SMTP_SECURITY="none")
        ran = await asyncio.to_thread(dondoc, "send-test", "--to", "toi@so-y-te.example")
    assert ran.code == 0
    assert "queued as 4X" in ran.out
    with sqlite_database.read() as session:
        tried = mail_tried(session, "127.0.0.1")
    assert tried is not None
    assert [each.recipient for each in relay.taken] == ["toi@so-y-te.example"]
    async with FaultyServer({"rcpt": b"550 5.1.1 no such user\r\n"}) as relay:
        dondoc.set(DONDOC_SMTP_PORT=str(relay.port))
        ran = await asyncio.to_thread(dondoc, "send-test", "--to", "sai@so-y-te.example")
    assert (ran.code, "no such user" in ran.out) == (1, True)
    with sqlite_database.read() as session:
        assert mail_tried(session, "127.0.0.1") == tried
    assert "DONDOC_SMS_GATEWAY" in (await asyncio.to_thread(dondoc, "send-test", "--to", "+84912345678")).out


def sms(system: System, key: str, text: str, **more: Any) -> None:
    values = {"channel": "sms", "day": NOW.date(), "send_after": NOW, "created_at": NOW, "state": LetterState.ACCEPTED}
    with system.database.write() as session:
        person = session.exec(select(Contact)).first()
        assert person is not None
        letter = Letter(
            key=key, contact_id=person.id or 0, agency_id=person.agency_id, role=person.role, **{**values, **more}
        )
        session.add(letter)
        session.flush()
        session.add(LetterBody(letter_id=letter.id, subject="", text=text))


def test_what_sms_lately_cost_is_said_in_parts(healthy: System) -> None:
    sms(healthy, "one", "Nhắc việc " * 10)
    sms(healthy, "two", "Nhắc việc " * 20)
    sms(healthy, "queued", "Nhắc việc", state=LetterState.QUEUED)
    sms(healthy, "long ago", "Nhắc việc", day=NOW.date() - timedelta(days=30))

    def line(**settings: Any) -> CheckLine | None:
        given = {"sms_gateway": "esms", "sms_username": "x", "sms_password": "y", **settings}
        system = system_of(healthy.database, healthy.settings.data_dir, **given)
        return next((each for each in doctor.examine(system, connections=False) if each.name == "sms_cost"), None)

    assert line(sms_gateway="") is None
    known = line()
    assert known
    assert (known.mark, known.what.vi) == (Mark.WELL, "30 ngày qua: 2 tin nhắn, khoảng 3 phần")
    assert known.what.en == "the last 30 days: 2 SMS, about 3 parts"


def test_of_many_sms_the_latest_stand_for_all(healthy: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receipts, "SAMPLE", 2)
    for number, words in enumerate(("ngắn", "Nhắc việc " * 20, "ngắn")):
        sms(healthy, str(number), words)
    with healthy.database.read() as session:
        assert receipts.usage(session, NOW) == receipts.Usage(messages=3, parts=5)


@pytest.mark.parametrize(
    ("settings", "opens", "mark", "says"),
    [
        ({"keep_bodies_days": 60}, 92, Mark.WRONG, "DONDOC_KEEP_BODIES_DAYS"),
        ({}, 92, Mark.WELL, "đến sau hạn 15 ngày"),
        ({}, 30, Mark.WELL, "liên kết dùng 45 ngày"),
    ],
)
def test_settings_that_only_make_sense_together_are_compared(
    database: Database, tmp_path: Path, settings: dict[str, Any], opens: int, mark: Mark, says: str
) -> None:
    line = doctor.settings_pairs(system_of(database, tmp_path, **settings).settings, opens)
    assert line.mark is mark
    assert says in f"{line.what.vi} {line.remedy.vi if line.remedy else ''}"
