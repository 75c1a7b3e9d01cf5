"""The schema is brought to this version: first a copy of all there is, then the steps, then one sentence about both."""

from __future__ import annotations

import shutil
from pathlib import Path

from engine.store.database import Database
from engine.text import Text
from workflows.operation.backup import backup
from workflows.run.system import System

FOLDER, KEPT = "before-upgrade", 3
"""In the data folder; so many copies stay."""


def upgrade(system: System) -> Text | None:
    """What was done, None where the schema is this version's or new. Two processes at once: the second waits and finds
    nothing to do. Raises Unavailable, with nothing changed, where the database is damaged or of a newer version."""
    said: list[Text] = []

    def before(stored: str, newest: str) -> None:
        copied = Text("", "") if system.settings.demo else _copied(system)
        said.append(
            Text(
                f"Cơ sở dữ liệu được nâng từ lược đồ {stored} lên {newest}{copied.vi}.",
                f"The database goes from schema {stored} to {newest}{copied.en}.",
            )
        )

    system.database.upgrade(before)
    return said[-1] if said else None


def _copied(system: System) -> Text:
    """The end of the sentence: where the copy is, or why there is none."""
    to, needed = system.settings.data_dir / FOLDER, 2 * _size(system.database)
    free = shutil.disk_usage(system.settings.data_dir).free
    if free < needed:
        missing = f"{free / 1e9:.1f}/{needed / 1e9:.1f} GB"
        return Text(f"; chưa sao lưu trước được, đĩa thiếu chỗ ({missing})", f"; no copy before: no room ({missing})")
    if system.database.dialect == "postgresql" and shutil.which("pg_dump") is None:
        return Text("; chưa sao lưu trước được: thiếu lệnh pg_dump", "; no copy before: pg_dump is missing")
    folder = backup(system, to, before_upgrade=True)
    for old in sorted(to.glob("dondoc-*"))[:-KEPT]:
        shutil.rmtree(old)
    return Text(f"; bản trước đó ở «{folder}»", f"; the one before is in “{folder}”")


def _size(database: Database) -> int:
    if database.dialect == "sqlite":
        return Path(str(database.url.database)).stat().st_size
    with database.bind.connect() as connection:
        asked = "SELECT pg_database_size(current_database())"
        return int(connection.exec_driver_sql(asked).scalar_one())
