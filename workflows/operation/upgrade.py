"""The schema is brought to this version: first a copy of all there is, then the steps, then one sentence about both."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import func, select

from config.settings import Settings
from engine.store.database import Database, table
from engine.store.records import SavedView
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


def gone(system: System) -> Iterator[Text]:
    """What people had made and this version does not use, a sentence each; nothing of it is deleted."""
    from notifications.letters.template_check import check_folder  # not at every start

    v = table(SavedView)
    with system.database.read() as session:
        chosen = session.connection().scalar(select(func.count()).where(v.c.path.contains("columns=")))
    if chosen:
        yield Text(
            f"Cột đã chọn không còn dùng, {chosen} cách xem đã lưu mở với các cột thông thường.",
            f"Chosen columns are not used any more: {chosen} saved views open with the usual ones.",
        )
    if found := check_folder(system.settings.templates):
        named = ", ".join(sorted({name for problem in found for name in problem.file.split(", ")}))
        yield Text(
            "Mẫu thư riêng chưa hợp bản này, thư nào vướng thì dùng mẫu đi kèm (xem «dondoc templates check»): "
            f"{named}.",
            "Customised letters do not fit this version; where they fail, the shipped ones are used (see “dondoc "
            f"templates check”): {named}.",
        )


def _copied(system: System) -> Text:
    """The end of the sentence: where the copy is, or why there is none."""
    to, needed = system.settings.data_dir / FOLDER, 2 * _size(system.database) + _elsewhere(system.settings)
    for left in to.glob("*.partial"):  # of a start that failed: a service tries again every ten seconds
        shutil.rmtree(left)
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


def _elsewhere(settings: Settings) -> int:
    """What the evidence takes where it cannot be linked into the copy: on another disk."""
    if not settings.files.is_dir() or settings.files.stat().st_dev == settings.data_dir.stat().st_dev:
        return 0
    return sum(each.stat().st_size for each in settings.files.rglob("*") if each.is_file())


def _size(database: Database) -> int:
    if database.dialect == "sqlite":
        return Path(str(database.url.database)).stat().st_size
    with database.bind.connect() as connection:
        asked = "SELECT pg_database_size(current_database())"
        return int(connection.exec_driver_sql(asked).scalar_one())
