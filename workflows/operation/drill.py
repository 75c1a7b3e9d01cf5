"""``dondoc prove``: a backup is restored into a place of its own, which is removed again, and compared with what its
manifest says: the rows of each table, and each file of evidence that the rows name, by its digest."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine, select, text
from sqlalchemy.exc import DBAPIError

from engine.assignments.reports.evidence import path_of
from engine.errors import BadInput, Unavailable
from engine.store import event_log
from engine.store.database import Database, table
from engine.store.records import Evidence
from engine.text import Text
from workflows.operation.backup import (
    DUMPS,
    FILES,
    Manifest,
    damage,
    file_digest,
    postgres_command,
    run_postgres,
    table_counts,
)


@dataclass(frozen=True, slots=True)
class Proof:
    """``differing``: tables with another number of rows than the manifest says. ``lost``: digests of evidence that the
    backup lacks or holds altered. ``log``: what of its log does not fit; empty: nothing."""

    made: Manifest
    rows: int
    files: int
    differing: tuple[str, ...]
    lost: tuple[str, ...]
    log: str

    @property
    def good(self) -> bool:
        return not self.differing and not self.lost and not self.log


def prove(folder: Path, database: Database) -> Proof:
    """``database``: of the installation; on PostgreSQL the scratch database is made beside it. Raises BadInput for a
    folder that is no backup or whose files differ, Unavailable where it cannot be restored."""
    manifest = Manifest.read(folder)
    if spoiled := manifest.spoiled(folder):
        raise BadInput(
            Text(f"Bản sao lưu bị hỏng: {', '.join(spoiled[:3])}.", f"The backup is spoiled: {', '.join(spoiled[:3])}.")
        )
    with _restored(folder, manifest, database) as scratch, scratch.connect() as connection:
        counts = table_counts(connection)
        evidence = table(Evidence)
        digests = sorted(set(connection.scalars(select(evidence.c.digest))))
        log = _broken(connection, manifest.log) if manifest.log else ""
    differing = tuple(name for name, rows in manifest.counts.items() if counts.get(name) != rows)
    lost = tuple(each for each in digests if file_digest(path_of(folder / FILES, each)) != each)
    return Proof(manifest, sum(counts.values()), len(digests), differing, lost, log)


def _broken(connection: Connection, kept: str) -> str:
    if event := event_log.verify(connection).event or event_log.loose(connection):
        return f"event {event}"
    return "" if event_log.Head.read(kept).stands(connection) else f"event_link {kept.split()[0]}"


@contextmanager
def _restored(folder: Path, manifest: Manifest, database: Database) -> Iterator[Engine]:
    if manifest.dialect != database.dialect:
        raise BadInput(
            Text(
                f"Bản sao lưu là {manifest.dialect}, cơ sở dữ liệu ở đây là {database.dialect}.",
                f"The backup is of {manifest.dialect}, the database here is {database.dialect}.",
            )
        )
    restored = _restored_sqlite if database.dialect == "sqlite" else _restored_postgres
    with restored(folder / DUMPS[manifest.dialect], database) as scratch:
        try:
            yield scratch.bind
        finally:
            scratch.dispose()


@contextmanager
def _restored_sqlite(dump: Path, database: Database) -> Iterator[Database]:
    with tempfile.TemporaryDirectory(prefix="dondoc-prove-") as place:
        copy = Path(place) / dump.name
        shutil.copyfile(dump, copy)
        if wrong := damage(copy):
            raise Unavailable(
                Text(f"Cơ sở dữ liệu trong bản sao lưu hỏng: {wrong}", f"Its database is damaged: {wrong}")
            )
        yield Database(f"sqlite:///{copy}")


@contextmanager
def _restored_postgres(dump: Path, database: Database) -> Iterator[Database]:
    name = f"dondoc_prove_{secrets.token_hex(6)}"
    server = database.bind.execution_options(isolation_level="AUTOCOMMIT")
    try:
        with server.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE template0"))
    except DBAPIError as error:
        raise Unavailable(
            Text(
                "Không tạo được cơ sở dữ liệu thử; cấp quyền: ALTER ROLE … CREATEDB.",
                "No scratch database can be made; allow it: ALTER ROLE … CREATEDB.",
            )
        ) from error
    try:
        scratch = Database(database.url.set(database=name).render_as_string(hide_password=False))
        command, environment = postgres_command(scratch, "pg_restore")
        run_postgres([*command, "--exit-on-error", str(dump)], environment)
        yield scratch
    finally:
        with server.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
