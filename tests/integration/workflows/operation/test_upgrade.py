"""The drill of an upgrade: an office from before the first release goes on in this version, and back by its backup.

``tests/data/upgrade/schema-0025.json.gz`` is what the last version before 0.1.0 had of a small office that the first
version of all had lived from 7 April to 24 June 2021: every row of every table as its SQLite file held them, bytes in
base64.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from bs4 import BeautifulSoup
from ground.commands import Commands
from ground.databases import closing_database, postgres_database
from ground.factory import row, rows
from ground.office import NOW, Office, enter, open_office
from ground.post import KEY, LetterBox, post_office
from ground.postgres import Ground

from config.settings import Settings
from engine.admin.settings_view import read_entered
from engine.store import search_index
from engine.store.database import FIRST_RELEASED, LAST_UNRELEASED, Database
from engine.store.records import Account, Letter, LetterBody, Notice, Promise, SavedView
from engine.store.records.columns import unpack
from workflows.checks.audit import run_checks
from workflows.operation.backup import DUMPS, Manifest, backup, postgres_command, run_postgres
from workflows.operation.doctor import examine
from workflows.operation.restore import release, restore
from workflows.operation.upgrade import gone, upgrade
from workflows.run import passes
from workflows.run.installation import establish, require_installation
from workflows.run.system import System, compose

OLD = Path(__file__).parents[3] / "data" / "upgrade" / "schema-0025.json.gz"
Rows = dict[str, list[dict[str, Any]]]


def left_behind(left: Rows | None = None) -> Rows:
    def value(plain: Any) -> Any:
        return base64.b64decode(plain["base64"]) if isinstance(plain, dict) and plain.keys() == {"base64"} else plain

    left = json.loads(gzip.decompress(OLD.read_bytes())) if left is None else left
    return {name: [{key: value(each) for key, each in one.items()} for one in found] for name, found in left.items()}


def letters_left() -> list[tuple[int, str, str]]:
    """(letter, subject, text)."""
    return [(each["letter_id"], each["subject"], unpack(each["text"])) for each in left_behind()["letter_body"]]


def lay_out(database: Database, schema: str = FIRST_RELEASED, left: Rows | None = None) -> None:
    """The schema with the rows and the number that the version before the release left; or another's."""
    with database.migrating() as settings:
        command.upgrade(settings, schema)
        connection = settings.attributes["connection"]
        if left is None:
            connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{LAST_UNRELEASED}'")
            left = left_behind()
        tables = sa.MetaData()
        tables.reflect(connection)
        for each in reversed(tables.sorted_tables):
            if each.name in left:
                connection.execute(each.delete())
        for each in tables.sorted_tables:
            switches = {column.name for column in each.columns if isinstance(column.type, sa.Boolean)}
            for one in left.get(each.name, []):
                values = {key: bool(value) if key in switches else value for key, value in one.items()}
                names = ", ".join(f'"{key}"' for key in values)
                marks = ", ".join("?" if database.dialect == "sqlite" else "%s" for _ in values)
                connection.exec_driver_sql(f'INSERT INTO "{each.name}" ({names}) VALUES ({marks})', (*values.values(),))
            if database.dialect == "postgresql" and "id" in each.columns and left.get(each.name):
                sequence = connection.exec_driver_sql(
                    f"SELECT pg_get_serial_sequence('\"{each.name}\"', 'id')"
                ).scalar()
                if sequence:
                    last = max(one["id"] for one in left[each.name])
                    connection.exec_driver_sql(f"SELECT setval('{sequence}', {last})")


def contents(database: Database) -> dict[str, list[str]]:
    """Every row of every table that is there, whatever the code knows."""
    with database.bind.connect() as connection:
        names = sa.inspect(connection).get_table_names()
        return {
            name: sorted(map(repr, connection.exec_driver_sql(f'SELECT * FROM "{name}"').all()))
            for name in names
            if not name.startswith("search_")
        }


def system_of(folder: Path, url: str) -> System:
    settings = Settings(  # type: ignore[call-arg]
        _env_file=None, data_dir=folder, database_url=url, prefect=False, secret=KEY
    )
    system = compose(settings)
    object.__setattr__(system, "clock", lambda: NOW)
    return system


@pytest.fixture
def old(empty_url: str, tmp_path: Path) -> System:
    system = system_of(tmp_path / "live", empty_url)
    lay_out(system.database)
    (system.settings.files / "ab").mkdir(parents=True)
    (system.settings.files / "ab" / "evidence").write_bytes(b"a report's file")
    return system


@pytest.fixture
def elsewhere(empty_url: str, ground: Ground, tmp_path: Path, worker_id: str) -> str:
    if empty_url.startswith("sqlite"):
        return f"sqlite:///{tmp_path}/elsewhere/dondoc.db"
    return postgres_database(ground, f"elsewhere_{worker_id}")


def office_of(system: System, role: str) -> Office:
    office = open_office(system.database, system.settings.data_dir)
    return enter(office, row(system.database, Account, role=role).id)


def text(office: Office, path: str) -> str:
    answer = office.get(path)
    assert answer.status_code == 200, path
    return BeautifulSoup(answer.text, "lxml").get_text(" ")


def live(database: Database, box: LetterBox, days: int) -> None:
    for hour in range(0, days * 24, 12):
        asyncio.run(passes.tick(database, NOW + timedelta(hours=hour), post_office(box)))


def test_an_office_from_before_the_release_goes_on_where_it_was(old: System) -> None:
    left = left_behind()
    old.database.upgrade()
    establish(old)
    require_installation(old.settings)
    assert old.database.schema_versions()[0] == old.database.schema_versions()[1]
    assert run_checks(old.database, NOW).findings == {}

    monitor, administrator = office_of(old, "monitor"), office_of(old, "administrator")
    overdue = text(monitor, "/overdue")
    assert "IV.2.1" in overdue
    assert "Huyen b" in overdue
    accepting = text(monitor, "/accept")
    for report in left["report"]:
        assert report["body"] in accepting + text(monitor, f"/assignments/{report['assignment_id']}")
    kept = {each.letter_id: (each.subject, each.text) for each in rows(old.database, LetterBody)}
    assert kept == {letter_id: (subject, words) for letter_id, subject, words in letters_left()}
    for letter_id, subject, words in letters_left():
        assert subject in text(administrator, f"/letters/{letter_id}")
        assert words.partition("\n")[0] in text(administrator, f"/letters/{letter_id}/html")
    reader = open_office(old.database, old.settings.data_dir)
    latest = "\n".join(words for _, _, words in letters_left()[-6:])
    links = re.findall(r"http://127\.0\.0\.1:8188(/[a-z]+/\S+)", latest)
    assert len(links) == 3
    for link in links:
        refused = reader.get(link)
        assert refused.status_code == 403, "it signed with SHA-1, which is no longer taken"
        assert "thư mới nhất" in refused.text

    box = LetterBox()
    live(old.database, box, days=15)
    assert box.letters, "it goes on"
    before = {each["key"] for each in left["letter"]}
    assert before & {each.key for each in box.letters} == set(), "nobody is written to again for a day that was done"
    assert {each["key"] for each in left["notice"]} <= {each.key for each in rows(old.database, Notice)}
    assert run_checks(old.database, NOW + timedelta(days=15)).findings == {}


def test_the_backup_of_before_brings_the_old_version_back_row_for_row(
    old: System, elsewhere: str, tmp_path: Path
) -> None:
    before = contents(old.database)
    folder = backup(old, tmp_path / "backups")
    old.database.upgrade()
    establish(old)
    live(old.database, LetterBox(), days=1)
    dump = folder / DUMPS[old.database.dialect]
    with closing_database(elsewhere) as back:
        if back.dialect == "sqlite":
            Path(str(back.url.database)).parent.mkdir(exist_ok=True)
            shutil.copyfile(dump, str(back.url.database))
        else:
            restoring, environment = postgres_command(back, "pg_restore")
            run_postgres([*restoring, "--exit-on-error", str(dump)], environment)
        assert back.schema_versions()[0] == LAST_UNRELEASED
        assert contents(back) == before
    assert (folder / "files" / "ab" / "evidence").read_bytes() == b"a report's file"


def test_a_backup_from_before_the_release_is_restored_into_this_version_and_held(
    old: System, elsewhere: str, tmp_path: Path
) -> None:
    folder = backup(old, tmp_path / "backups")
    restored = system_of(tmp_path / "elsewhere", elsewhere)
    restore(restored.settings, folder, NOW)
    box = LetterBox()
    live(restored.database, box, days=2)
    assert not box.letters, "held"
    assert release(restored.database, NOW, send=False, actor="cli:test").letters == len(
        rows(restored.database, Letter, reason="restored")
    )
    assert text(office_of(restored, "monitor"), "/overdue")


# --- from 0.1.0 -----------------------------------------------------------------------------------------------------


@pytest.fixture(params=["0102", "0103"])
def released(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What 0.1.0 left of the same office on the morning of 28 June 2021, under one of its two schemas: eight letters
    decided and not sent, a promise, a saved list, entered settings. ``sent``: the letters as it sent them itself."""
    file = OLD.with_name(f"schema-{request.param}.json.gz")
    found: dict[str, Any] = json.loads(gzip.decompress(file.read_bytes()))
    return found | {"at": datetime.fromisoformat(found["at"]), "rows": left_behind(found["rows"])}


@pytest.fixture
def office_of_0_1_0(released: dict[str, Any], empty_url: str, tmp_path: Path) -> System:
    system = system_of(tmp_path / "live", empty_url)
    lay_out(system.database, released["schema"], released["rows"])
    with system.database.bind.begin() as connection:
        search_index.rebuild(connection)  # as every office has it: its triggers stand in the way of the steps
    system.settings.files.mkdir(parents=True, exist_ok=True)
    return system


def test_an_office_of_0_1_0_is_copied_carried_on_and_writes_what_it_would_have_written(
    office_of_0_1_0: System, released: dict[str, Any], elsewhere: str, capfd: pytest.CaptureFixture[str]
) -> None:
    system, database = office_of_0_1_0, office_of_0_1_0.database
    before = contents(database)
    said = upgrade(system)
    assert said is not None
    (folder,) = (system.settings.data_dir / "before-upgrade").iterdir()
    newest = database.schema_versions()[1]
    assert said.vi == (
        f"Cơ sở dữ liệu được nâng từ lược đồ {released['schema']} lên {newest}; bản trước đó ở «{folder}»."
    )
    assert "Running upgrade" not in "".join(capfd.readouterr())
    assert Manifest.read(folder).schema == released["schema"]
    with closing_database(elsewhere) as back:
        if back.dialect == "sqlite":
            Path(str(back.url.database)).parent.mkdir(exist_ok=True)
            shutil.copyfile(folder / DUMPS["sqlite"], str(back.url.database))
        else:
            restoring, environment = postgres_command(back, "pg_restore")
            run_postgres([*restoring, "--exit-on-error", str(folder / DUMPS["postgresql"])], environment)
        assert contents(back) == before, "the way back"
    assert upgrade(system) is None
    establish(system)
    require_installation(system.settings)

    box = LetterBox()
    asyncio.run(passes.tick(database, released["at"], post_office(box)))
    assert sorted([each.key, each.to] for each in box.letters) == released["sent"]
    assert run_checks(database, released["at"] + timedelta(hours=1)).findings == {}
    assert [each.name for each in rows(database, SavedView)] == ["Việc quá hạn của tôi"]
    assert len(rows(database, Promise)) == len(released["rows"]["promise"]) == 1
    assert read_entered(database, system.signer).values["smtp_host"] == "mail.tinh.example"


def test_three_copies_from_before_upgrades_stay_and_none_is_made_without_room(
    office_of_0_1_0: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    to = office_of_0_1_0.settings.data_dir / "before-upgrade"
    for day in range(1, 4):
        (to / f"dondoc-2021-05-0{day}T070000").mkdir(parents=True)
    full = shutil.disk_usage(to)._replace(free=10)
    with monkeypatch.context() as short:
        short.setattr(shutil, "disk_usage", lambda folder: full)
        short.setattr(Database, "upgrade", lambda self, before: before("0103", "0114"))
        said = upgrade(office_of_0_1_0)
    assert said is not None
    assert "chưa sao lưu trước được, đĩa thiếu chỗ" in said.vi
    upgrade(office_of_0_1_0)
    assert [each.name[:17] for each in sorted(to.iterdir())] == [
        "dondoc-2021-05-02",
        "dondoc-2021-05-03",
        "dondoc-2021-06-24",
    ]


def copy_before(system: System) -> Path:
    assert upgrade(system) is not None
    (folder,) = (system.settings.data_dir / "before-upgrade").iterdir()
    return folder


def test_the_program_of_before_reads_the_copy(office_of_0_1_0: System) -> None:
    folder = copy_before(office_of_0_1_0)
    known = {"made_at", "version", "dialect", "schema", "installation", "files", "counts", "format"}
    assert json.loads((folder / "manifest.json").read_text()).keys() == known, "0.1.0 refuses any other name"


def test_an_own_template_that_is_edited_afterwards_does_not_spoil_the_copy(office_of_0_1_0: System) -> None:
    own = office_of_0_1_0.settings.templates / "vi" / "sms.txt"
    own.parent.mkdir(parents=True)
    own.write_text("before")
    folder = copy_before(office_of_0_1_0)
    with own.open("a") as editor:
        editor.write(" and after")
    assert Manifest.read(folder).spoiled(folder) == []


def test_evidence_on_another_disk_is_copied_and_what_a_failed_start_left_is_cleared(office_of_0_1_0: System) -> None:
    left = office_of_0_1_0.settings.data_dir / "before-upgrade" / "dondoc-2021-06-27T070000.partial"
    left.mkdir(parents=True)
    with tempfile.TemporaryDirectory(dir="/dev/shm") as elsewhere:
        (Path(elsewhere) / "ab").mkdir()
        (Path(elsewhere) / "ab" / "evidence").write_bytes(b"a report's file")
        moved = office_of_0_1_0.settings.model_copy(update={"files_dir": Path(elsewhere)})
        folder = copy_before(replace(office_of_0_1_0, settings=moved))
    assert (folder / "files" / "ab" / "evidence").read_bytes() == b"a report's file"


def test_what_this_version_no_longer_uses_is_named_and_kept(office_of_0_1_0: System) -> None:
    system = office_of_0_1_0
    assert list(gone(system)) == []
    (system.settings.templates / "vi" / "leadership").mkdir(parents=True)
    own = system.settings.templates / "vi" / "leadership" / "subject.txt"
    own.write_text("Báo cáo tuần: tăng {{ digest.before.done }}")
    upgrade(system)
    with system.database.bind.begin() as connection:
        connection.exec_driver_sql("UPDATE saved_view SET path = '/overdue?columns=agency'")
    columns, letters = (each.vi for each in gone(system))
    assert columns == "Cột đã chọn không còn dùng, 1 cách xem đã lưu mở với các cột thông thường."
    assert letters.endswith("vi/leadership/subject.txt.")
    assert "«dondoc templates check»" in letters
    assert [each.path for each in rows(system.database, SavedView)] == ["/overdue?columns=agency"]


def test_the_tool_of_the_steps_says_nothing_of_its_own(tmp_path: Path) -> None:
    program = (
        "import logging; logging.basicConfig(level=logging.INFO)\n"
        "from engine.store.database import Database\n"
        f"Database('sqlite:///{tmp_path}/new.db').upgrade()"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout + ran.stderr == ""


def test_doctor_does_not_advise_to_upgrade_a_database_that_is_ahead_of_the_program(office_of_0_1_0: System) -> None:
    upgrade(office_of_0_1_0)
    with office_of_0_1_0.database.bind.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    (line,) = (each for each in examine(office_of_0_1_0, connections=False) if each.name == "schema")
    assert line.remedy is not None
    assert line.remedy.vi == "Nâng cấp chương trình trên máy này."


def test_a_backup_is_proved_where_there_is_no_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    system = system_of(tmp_path / "live", f"sqlite:///{tmp_path}/live/dondoc.db")
    upgrade(system)
    establish(system)
    folder, elsewhere = backup(system, tmp_path / "backups"), tmp_path / "nothing"
    elsewhere.mkdir()
    run = Commands(elsewhere, f"sqlite:///{elsewhere}/dondoc.db", monkeypatch, capsys)
    assert "khôi phục được" in run("prove", str(folder)).well
