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
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from bs4 import BeautifulSoup
from ground.databases import closing_database, postgres_database
from ground.factory import row, rows
from ground.office import NOW, Office, enter, open_office
from ground.post import KEY, LetterBox, post_office
from ground.postgres import Ground

from config.settings import Settings
from engine.store.database import FIRST_RELEASED, LAST_UNRELEASED, Database
from engine.store.records import Account, Letter, LetterBody, Notice
from engine.store.records.letter_text import unpack
from workflows.checks.audit import run_checks
from workflows.operation.backup import DUMPS, backup, postgres_command, run_postgres
from workflows.operation.restore import release, restore
from workflows.run import passes
from workflows.run.installation import establish, require_installation
from workflows.run.system import System, compose

OLD = Path(__file__).parents[3] / "data" / "upgrade" / "schema-0025.json.gz"
Rows = dict[str, list[dict[str, Any]]]


def left_behind() -> Rows:
    def value(plain: Any) -> Any:
        return base64.b64decode(plain["base64"]) if isinstance(plain, dict) else plain

    left: Rows = json.loads(gzip.decompress(OLD.read_bytes()))
    return {name: [{key: value(each) for key, each in one.items()} for one in found] for name, found in left.items()}


def letters_left() -> list[tuple[int, str, str]]:
    """(letter, subject, text)."""
    return [(each["letter_id"], each["subject"], unpack(each["text"])) for each in left_behind()["letter_body"]]


def lay_out(database: Database) -> None:
    """The schema with the rows and the number that the version before the release left."""
    left = left_behind()
    with database.migrating() as settings:
        command.upgrade(settings, FIRST_RELEASED)
        settings.attributes["connection"].exec_driver_sql(
            f"UPDATE alembic_version SET version_num = '{LAST_UNRELEASED}'"
        )
        connection = settings.attributes["connection"]
        tables = sa.MetaData()
        tables.reflect(connection)
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
