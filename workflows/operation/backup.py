"""``dondoc backup``: a consistent copy of everything an installation needs, in one folder with a manifest; and
``dondoc prove``: it is restored into a place of its own, which is removed again, and compared with what was copied.

The database is copied first, by its own means while it runs, then the files: every file that the copy of the database
names was stored before, so it is there. Prefect's database is no part of it, it holds no truth.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, func, inspect, select, text
from sqlalchemy.exc import DatabaseError, DBAPIError, ProgrammingError
from sqlmodel import SQLModel, create_engine

from engine.assignments.reports.evidence import path_of
from engine.errors import BadInput, Unavailable
from engine.rules.calendar import PLAN_TIME
from engine.store import event_log
from engine.store.database import Database, table
from engine.store.facts import remember_backup
from engine.store.records import EventLink, Evidence
from engine.store.version import version
from engine.text import Text
from workflows.run.installation import installation_id

if TYPE_CHECKING:
    from workflows.run.system import System

MANIFEST, SECRET, FILES, TEMPLATES = "manifest.json", "secret", "files", "templates"
DUMPS = {"sqlite": "dondoc.db", "postgresql": "dondoc.pgdump"}
FORMAT = 1
EVIDENCE = re.compile(rf"{FILES}/[0-9a-f]{{2}}/[0-9a-f]{{64}}")
"""Named by their digest."""
CHUNK_BYTES = 1_048_576


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """``files``: path within the folder -> SHA-256. ``made_at``: the moment of the copy of the database. ``counts``:
    rows of each table in it, ``log``: a link of the log's chain; both empty in backups of earlier versions."""

    made_at: datetime
    version: str
    dialect: str
    schema: str
    installation: str
    files: dict[str, str]
    counts: dict[str, int] = field(default_factory=dict)
    log: str = ""

    def text(self) -> str:
        plain = self.__dict__ | {"format": FORMAT, "made_at": self.made_at.isoformat()}
        if not self.log:
            del plain["log"]  # 0.1.0 refuses what it does not know, and goes back by its own restore
        return json.dumps(plain, indent=1, ensure_ascii=False, sort_keys=True) + "\n"

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Raises BadInput if there is none that this version can read."""
        try:
            plain: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
            if plain.pop("format") != FORMAT:
                raise ValueError
            return cls(**plain | {"made_at": datetime.fromisoformat(plain["made_at"])})
        except (OSError, ValueError, KeyError, TypeError):
            raise BadInput(
                Text(f"«{folder}» không phải bản sao lưu đọc được.", f"“{folder}” is no backup that can be read.")
            ) from None

    def spoiled(self, folder: Path) -> list[str]:
        """Files that are missing, differ, or are not files of this folder: a link leads elsewhere."""
        return [name for name, digest in self.files.items() if _digest_within(folder, name) != digest]


def backup(system: System, to: Path, *, before_upgrade: bool = False) -> Path:
    """Write a backup into a new folder below ``to``; returns it. An interrupted one ends with ``.partial``, and so does
    one that is no good: a damaged database, files that are not what their digest says. Raises Unavailable then.
    ``before_upgrade``: within the data folder, where files need no second room; it is not the office's own backup."""
    now, settings = system.clock(), system.settings
    folder = to / f"dondoc-{now.astimezone(PLAN_TIME):%Y-%m-%dT%H%M%S}"
    partial = folder.with_name(f"{folder.name}.partial")
    if folder.exists() or partial.exists():
        raise BadInput(Text(f"«{folder}» đã có.", f"“{folder}” exists already."))
    partial.mkdir(parents=True, mode=0o700)
    with system.database.read() as session:
        chained = inspect(session.connection()).has_table(table(EventLink).name)  # not in an older schema
        log = event_log.head(session.connection()) if chained else event_log.NO_LINK
    dump = _dump_sqlite if system.database.dialect == "sqlite" else _dump_postgres
    counts = dump(system.database, partial / DUMPS[system.database.dialect])
    secret = partial / SECRET
    secret.touch(mode=0o600)
    secret.write_text(settings.signing_key())
    copy_evidence = _link if before_upgrade else shutil.copy2
    for source, name, copy in ((settings.files, FILES, copy_evidence), (settings.templates, TEMPLATES, shutil.copy2)):
        if source.is_dir():
            shutil.copytree(source, partial / name, copy_function=copy)
    manifest = Manifest(
        made_at=now,
        version=version(),
        dialect=system.database.dialect,
        schema=system.database.schema_versions()[0],
        installation=installation_id(system.database),
        files={name: file_digest(partial / name) for name in _names(partial)},
        counts=counts,
        log=f"{log.position} {log.digest}" if log.position else "",
    )
    (partial / MANIFEST).write_text(manifest.text())
    _require_sound(system.database, partial, manifest)
    partial.rename(folder)
    if not before_upgrade:
        with system.database.write() as session:
            remember_backup(session, now)
    return folder


def _link(source: str, to: str) -> None:
    """Evidence never changes. On another disk, or of another owner, it is copied."""
    try:
        os.link(source, to)
    except OSError:
        shutil.copy2(source, to)


def damage(file: Path) -> str:
    """What SQLite finds wrong in a database file; empty if it is sound. Every page is read."""
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as copy:
            (said,) = copy.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        return str(error)
    return "" if said == "ok" else " ".join(str(said).split())[:200]


_THERE = "SELECT count(*) FROM pg_extension WHERE extname = 'amcheck'"
_INDEXES = """
    SELECT c.oid, c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam
    WHERE a.amname = 'btree' AND i.indisvalid AND c.relnamespace = 'public'::regnamespace AND c.relpersistence = 'p'
    ORDER BY c.relname"""
_TABLES = """
    SELECT oid, relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY relname"""
_INDEX = "SELECT bt_index_check(:oid, true)"
_TABLE = "SELECT msg FROM verify_heapam(:oid) LIMIT 1"
LONGEST = 200


def server_damage(database: Database) -> str | None:
    """What PostgreSQL finds wrong in its own tables and indexes, where the extension amcheck is there and ours to call:
    empty if all is sound, None if it cannot be asked. Every table and index is read, under locks that hold up nobody.
    ``pg_dump`` reads no index: a damaged one answers wrongly and is saved as if it were sound."""
    with database.read() as session:
        connection = session.connection()
        if not connection.scalar(text(_THERE)):
            return None
    try:
        with database.read() as session:
            return _first_wrong(session.connection())
    except ProgrammingError:  # not ours to call: GRANT EXECUTE ON FUNCTION … TO …
        return None
    except (DBAPIError, Unavailable) as error:
        return _short(error)


def _first_wrong(connection: Connection) -> str:
    tables: Sequence[tuple[int, str]] = [(row.oid, row.relname) for row in connection.execute(text(_TABLES))]
    for oid, name in tables:
        said = connection.scalar(text(_TABLE), {"oid": oid})
        if said:
            return f"{name}: {said}"[:LONGEST]
    for row in connection.execute(text(_INDEXES)).all():
        connection.execute(text(_INDEX), {"oid": row.oid})  # raises what it finds
    return ""


def _short(error: Exception) -> str:
    cause = error.orig if isinstance(error, DBAPIError) else error
    return " ".join(str(cause).split())[:LONGEST]


def _require_sound(database: Database, folder: Path, manifest: Manifest) -> None:
    """pg_dump has read every row and no index; a copy of an SQLite file holds damaged pages as they were."""
    wrong = damage(folder / DUMPS["sqlite"]) if database.dialect == "sqlite" else server_damage(database)
    if wrong:
        raise Unavailable(
            Text(
                f"Bản sao lưu không dùng được, còn ở «{folder}»: cơ sở dữ liệu hỏng ({wrong}). Giữ bản sao lưu tốt gần "
                "nhất; xem docs/vi/van-hanh/sao-luu.md.",
                f"The backup is no good and is left at “{folder}”: the database is damaged ({wrong}). Keep the last "
                "good one; see docs/operating/backup.md.",
            )
        )
    altered = [
        name for name, digest in manifest.files.items() if EVIDENCE.fullmatch(name) and not name.endswith(digest)
    ]
    if altered:
        raise Unavailable(
            Text(
                f"Bản sao lưu còn ở «{folder}»: {len(altered)} tệp minh chứng không còn như khi tải lên "
                f"({altered[0]}, …); lấy lại từ bản sao lưu trước.",
                f"The backup is left at “{folder}”: {len(altered)} files of evidence are not what was uploaded "
                f"({altered[0]}, …); take them from an earlier backup.",
            )
        )


def postgres_command(database: Database, program: str) -> tuple[list[str], dict[str, str]]:
    """(command with the connection, environment): the password is in the environment, not in the process list."""
    if shutil.which(program) is None:
        raise Unavailable(
            Text(f"Thiếu lệnh {program}; cài gói postgresql-client.", f"{program} is missing: postgresql-client.")
        )
    url = database.url.set(drivername="postgresql")
    plain = url.set(password=None).render_as_string(hide_password=False)
    environment = dict(os.environ) | ({"PGPASSWORD": str(url.password)} if url.password else {})
    return [program, f"--dbname={plain}", "--no-owner", "--no-privileges"], environment


def run_postgres(command: list[str], environment: dict[str, str]) -> None:
    """Raises Unavailable with what the program says."""
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if ran.returncode:
        said = " ".join(ran.stderr.split())[:500]
        raise Unavailable(Text(f"{command[0]}: {said}", f"{command[0]}: {said}"))


def _dump_sqlite(database: Database, to: Path) -> dict[str, int]:
    """Copy the database; returns what the copy holds."""
    with (
        closing(sqlite3.connect(f"file:{database.url.database}?mode=ro", uri=True)) as source,
        closing(sqlite3.connect(to)) as target,
    ):
        source.backup(target)
        target.execute("PRAGMA journal_mode = DELETE")  # one file, no WAL beside it
    copy = create_engine(f"sqlite:///{to}")
    try:
        with copy.connect() as connection:
            return table_counts(connection)
    except DatabaseError:
        return {}  # a damaged one: ``_require_sound`` says so
    finally:
        copy.dispose()


def _dump_postgres(database: Database, to: Path) -> dict[str, int]:
    """Dump the database; returns what the dump holds: both see one snapshot."""
    command, environment = postgres_command(database, "pg_dump")
    with database.bind.execution_options(isolation_level="REPEATABLE READ").connect() as connection:
        snapshot = connection.scalar(select(func.pg_export_snapshot()))
        counts = table_counts(connection)
        run_postgres([*command, "--format=custom", f"--snapshot={snapshot}", f"--file={to}"], environment)
    return counts


def table_counts(connection: Connection) -> dict[str, int]:
    """Rows of each table of ours that there is: the schema may be an older one."""
    there = sorted(set(inspect(connection).get_table_names()) & {*SQLModel.metadata.tables})
    tables = (SQLModel.metadata.tables[name] for name in there)
    return {each.name: connection.scalar(select(func.count()).select_from(each)) or 0 for each in tables}


def _names(folder: Path) -> list[str]:
    return sorted(each.relative_to(folder).as_posix() for each in folder.rglob("*") if each.is_file())


def _digest_within(folder: Path, name: str) -> str:
    inside = (folder / name).resolve() == folder.resolve() / name
    return file_digest(folder / name) if inside else ""


def file_digest(path: Path) -> str:
    """Empty of a file that is not there."""
    if not path.is_file():
        return ""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


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
