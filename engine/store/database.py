"""Access to the database: SQLite by default, PostgreSQL by URL.

``read()`` gives a session that is rolled back; ``write()`` one that commits at its end or not at all. On SQLite a write
transaction begins with BEGIN IMMEDIATE, so two writers queue instead of failing half-way.
"""

from __future__ import annotations

import functools
import json
import logging
import sqlite3
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy import (
    URL,
    ColumnElement,
    Connection,
    CursorResult,
    Dialect,
    Engine,
    String,
    any_,
    bindparam,
    event,
    func,
    inspect,
    select,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, InterfaceError, OperationalError, ProgrammingError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.visitors import InternalTraversal
from sqlmodel import Session, SQLModel, create_engine

from engine.errors import BadInput, Unavailable
from engine.store import data_versions, search_index
from engine.store.version import newest_schema
from engine.text import Text

if TYPE_CHECKING:
    from alembic.config import Config as AlembicConfig

log = logging.getLogger(__name__)
BUSY_SECONDS = 30
CONNECT_SECONDS = 8
"""A PostgreSQL server that does not answer is away; without a limit each page would wait for two minutes to say so."""
LAST_UNRELEASED, FIRST_RELEASED = "0025", "0100"
"""The same schema: the last step from before any release, and that of 0.1.0, into which the steps were folded."""
BEFORE_COMMIT = "before_commit"
"""In ``Session.info``: what is called with the session at the end of its transaction."""
SQL_MISTAKES = ("ambiguous column", "no such column", "near ", "too many")
"""SQLite reports these as OperationalError, but they are bugs in our SQL: not to be reported as «unavailable»."""


class Database:
    """Sessions on one database. ``url`` in SQLAlchemy's syntax; ``postgresql://`` means psycopg 3.
    ``durable=False`` does not wait for the disk; for scratch databases only (SQLite)."""

    def __init__(self, url: str, *, durable: bool = True) -> None:
        try:
            parsed = make_url(url)
        except ArgumentError:
            raise BadInput(
                Text(
                    "DONDOC_DATABASE_URL không đọc được; viết như sqlite:///var/dondoc.db hoặc "
                    "postgresql://tên:mật-khẩu@máy/cơ-sở.",
                    "The database URL cannot be read.",
                )
            ) from None
        if parsed.drivername in ("postgresql", "postgres"):
            parsed = parsed.set(drivername="postgresql+psycopg")
        self.url = parsed
        self.dialect = parsed.get_backend_name()
        if self.dialect == "sqlite":
            self.bind = _sqlite(parsed, durable=durable)
        elif self.dialect == "postgresql":
            self.bind = _postgresql(parsed)
        else:
            raise BadInput(
                Text(
                    f"Cơ sở dữ liệu «{self.dialect}» không dùng được; hãy dùng sqlite hoặc postgresql.",
                    f"The database “{self.dialect}” cannot be used; use sqlite or postgresql.",
                )
            )
        level = {"isolation_level": "REPEATABLE READ"} if self.dialect == "postgresql" else {}
        self._reading = self.bind.execution_options(**level)  # as SQLite does: a page's numbers are of one moment
        self._writing = self.bind.execution_options(dondoc_write=True)
        event.listen(self._reading, "after_cursor_execute", _note_reads)
        event.listen(self._writing, "after_execute", _note_writes)
        weakref.finalize(self, self.bind.dispose)  # closes the connections of a command that never calls dispose()

    @property
    def made(self) -> bool:
        """False where there is no SQLite file yet, or an empty one."""
        path = Path(self.url.database or "")
        return self.dialect != "sqlite" or (path.is_file() and path.stat().st_size > 0)

    def require_made(self) -> None:
        """Raises Unavailable unless it is ``made``: connecting would make it, and it would look like an installation to
        the next command."""
        if self.made:
            return
        path = self.url.database
        raise Unavailable(
            Text(
                f"Chưa chạy được: không có cơ sở dữ liệu ở {path}. Nếu đây là lần đầu, hãy chạy «dondoc init».",
                f"Not started: no database at {path}. If this is the first time, run “dondoc init”.",
            )
        )

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session with a consistent snapshot; its changes are rolled back."""
        with _reachable(), Session(self._reading, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction: committed at the end, with new versions of what it wrote, rolled back on an error."""
        written = data_versions.Written()
        writing = self._writing.execution_options(dondoc_written=written)
        with _reachable(), Session(writing, expire_on_commit=False) as session:
            session.info[data_versions.WRITTEN] = written
            with session.begin():
                yield session
                session.flush()
                for finish in session.info.pop(BEFORE_COMMIT, ()):
                    finish(session)
                if written.topics:
                    data_versions.change_versions(session, written)

    @contextmanager
    def rehearse(self) -> Iterator[Session]:
        """A transaction that is always rolled back: a dry run of the real code."""
        with _reachable(), Session(self._writing, expire_on_commit=False) as session:
            yield session

    def upgrade(self, before: Callable[[str, str], None] | None = None) -> None:
        """Migrate the schema to this version (Alembic). Safe to call at every start and from two processes at once.
        An up-to-date schema costs one query, and Alembic is not imported. ``before``: called with both versions before
        the first step of a schema that there is, while nobody else can begin one. Raises Unavailable if the schema is
        of a newer version: processes of the version before may go on while machines are upgraded one by one, but none
        may begin."""
        stored, newest = self.schema_versions()
        if stored == newest:
            return
        if stored and stored < FIRST_RELEASED:
            self._carry_over(stored)
            self.upgrade(before)
            return
        if stored > newest:
            raise Unavailable(
                Text(
                    f"Cơ sở dữ liệu đã ở phiên bản {stored}, mới hơn chương trình trên máy này ({newest}); hãy nâng "
                    "cấp chương trình rồi khởi động lại.",
                    f"The database is at version {stored}, newer than the program on this machine ({newest}); upgrade "
                    "the program, then start again.",
                )
            )
        logging.getLogger("alembic").setLevel(logging.WARNING)  # one sentence of ours instead; it speaks when imported
        from alembic import command

        def first() -> None:
            if before is not None and (stored := self._version()) not in ("", newest):  # nobody has been quicker
                before(stored, newest)

        with self.migrating(first) as settings:
            command.upgrade(settings, "head")
            search_index.ensure(settings.attributes["connection"])

    def _carry_over(self, stored: str) -> None:
        """The last schema from before the first release is that of the first release, under another number. Raises
        Unavailable for an older one."""
        if stored != LAST_UNRELEASED:
            raise Unavailable(
                Text(
                    f"Cơ sở dữ liệu ở phiên bản {stored}, trước bản phát hành đầu tiên; hãy cài bản ngày 29/11/2026 "
                    f"(phiên bản {LAST_UNRELEASED}), chạy «dondoc db upgrade», rồi cài lại bản này.",
                    f"The database is at version {stored}, from before the first release; install the version of "
                    f"29 November 2026 (schema {LAST_UNRELEASED}), run “dondoc db upgrade”, then install this one.",
                )
            )
        with self.migrating() as settings:
            given = {"first": FIRST_RELEASED, "last": LAST_UNRELEASED}
            statement = text("UPDATE alembic_version SET version_num = :first WHERE version_num = :last")
            connection = settings.attributes["connection"]
            connection.execute(statement, given)
            search_index.ensure(connection)

    def schema_versions(self) -> tuple[str, str]:
        """The revision of the stored schema (empty without one) and that of this version."""
        return self._version(), newest_schema()

    def server_version(self) -> str:
        """«SQLite 3.46.1», «PostgreSQL 17.4»."""
        sqlite = self.dialect == "sqlite"
        with _reachable(), self.bind.connect() as connection:
            asked = "SELECT sqlite_version()" if sqlite else "SHOW server_version"
            return f"{'SQLite' if sqlite else 'PostgreSQL'} {connection.exec_driver_sql(asked).scalar()}"

    def _version(self) -> str:
        """The current schema revision; empty for a database without a schema."""
        with _reachable(), self.bind.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return ""
            return str(connection.exec_driver_sql("SELECT max(version_num) FROM alembic_version").scalar() or "")

    @contextmanager
    def migrating(self, first: Callable[[], None] = lambda: None) -> Iterator[AlembicConfig]:
        """Alembic's configuration, with a connection that locks the schema until the end of the transaction.
        ``first``: done under that lock before any table is locked, since it reads on connections of its own."""
        from alembic.config import Config

        settings = Config()
        folder = Path(__file__).with_name("migrations")
        settings.set_main_option("script_location", str(folder).replace("%", "%%"))
        with _reachable(), self._writing.connect() as connection, _without_foreign_keys(connection), connection.begin():
            if self.dialect == "postgresql":
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(20210407)")
            settings.attributes["connection"] = connection
            first()
            search_index.stand_aside(connection)
            yield settings

    def optimize(self) -> None:
        """Refresh the planner's statistics, from a sample (SQLite; PostgreSQL does it by itself)."""
        if self.dialect == "sqlite":
            with _reachable(), self._writing.connect() as connection, connection.begin():
                connection.exec_driver_sql("PRAGMA analysis_limit=400")
                connection.exec_driver_sql("PRAGMA optimize=0x10002")

    def dispose(self) -> None:
        self.bind.dispose()


def _note_reads(_1: Connection, _2: Any, sql: str, *_: Any) -> None:
    data_versions.note_statement(sql)


def _note_writes(connection: Connection, statement: Any, _1: Any, _2: Any, _3: Any, result: CursorResult[Any]) -> None:
    """A statement that met no row has written nothing; of one that returns rows the driver cannot tell."""
    if isinstance(statement, UpdateBase) and (result.rowcount != 0 or result.returns_rows):
        data_versions.note_write(connection, str(statement.table))


@contextmanager
def _reachable() -> Iterator[None]:
    """Translate «cannot connect», «locked», «not a database» and «no such table» into ``Unavailable``."""
    try:
        yield
    except (DatabaseError, InterfaceError) as error:
        original = str(error.orig or error).strip().splitlines()[0]
        # For a file that is not a database or is damaged, SQLite raises DatabaseError itself, not a subclass.
        away = isinstance(error, OperationalError | InterfaceError) or type(error) is DatabaseError
        missing = isinstance(error, ProgrammingError) and _no_schema(original)
        if not (away or missing) or original.startswith(SQL_MISTAKES):
            raise
        raise Unavailable(_explanation(original)) from error


@contextmanager
def _without_foreign_keys(connection: Connection) -> Iterator[None]:
    """SQLite alters a table by copying and dropping it, which foreign keys would forbid; the migration checks them
    afterwards. Set on the driver connection, because SQLite ignores the pragma inside a transaction."""
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name != "sqlite":
        yield
        return
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys=ON")


def _no_schema(original: str) -> bool:
    """True for the message of SQLite or PostgreSQL about a missing table."""
    return "no such table" in original or original.startswith('relation "')


def _explanation(original: str) -> Text:
    if _no_schema(original):
        hint = Text("Chạy «dondoc db upgrade» trước.", "Run “dondoc db upgrade” first.")
    elif "locked" in original:
        hint = Text("Một tiến trình khác đang ghi quá lâu; thử lại.", "Another process holds the database; try again.")
    else:
        hint = Text("Kiểm tra DONDOC_DATABASE_URL và máy chủ.", "Check DONDOC_DATABASE_URL and the server.")
    return Text(
        f"Không dùng được cơ sở dữ liệu: {original}. {hint.vi}", f"The database cannot be used: {original}. {hint.en}"
    )


def _read_json(text: str) -> Any:
    """Fast path for ``{}``: most JSON columns are empty, and a letter reads six of them."""
    return {} if text == "{}" else json.loads(text)


def _postgresql(url: URL) -> Engine:
    bind = create_engine(
        url,
        json_deserializer=_read_json,
        connect_args={} if "connect_timeout" in url.query else {"connect_timeout": CONNECT_SECONDS},
        pool_pre_ping=True,
        pool_size=5,
        max_overflow=15,
        pool_timeout=10,
    )

    @event.listens_for(bind, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.execute("SET jit = off")  # compiling a page's statement takes longer than its answer
        connection.execute("SET work_mem = '32MB'")  # with 4 MB a province's sums are sorted on disk instead of hashed
        connection.commit()

    return bind


def _sqlite(url: URL, *, durable: bool) -> Engine:
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    connect_args = {"timeout": BUSY_SECONDS, "check_same_thread": False}
    bind = create_engine(url, json_deserializer=_read_json, connect_args=connect_args)

    @event.listens_for(bind, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # BEGIN is issued explicitly, below
        wait = "FULL" if durable else "OFF"
        _enable_wal(connection)
        for pragma in (f"synchronous={wait}", "foreign_keys=ON", "cache_size=-2048"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(bind, "begin")
    def _begin(connection: Connection) -> None:
        write = connection.get_execution_options().get("dondoc_write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return bind


def _enable_wal(connection: Any) -> None:
    """When two processes open a new file at once, one switches it to WAL and the other gets «locked» immediately,
    whatever its timeout; so retry."""
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.02)


def insert_new(session: Session, model: type[SQLModel], rows: Sequence[Mapping[str, object]]) -> int:
    """Insert rows, skipping those whose unique key already exists. Returns the number inserted. All rows must have the
    same columns."""
    return _write(session, "insert new", model, rows)


def insert_returning(
    session: Session, model: type[SQLModel], rows: Sequence[Mapping[str, object]], *columns: Any
) -> Sequence[Any]:
    """Like ``insert_new``, but returns the given columns (numbers, text, dates) of the rows that were inserted, in no
    particular order. Slower per row."""
    if not rows:
        return ()
    if session.connection().dialect.name == "postgresql":
        names = ", ".join(column.name for column in columns)
        return _execute(session, "insert new", model, rows, f" RETURNING {names}").all()
    statement = sqlite.insert(table(model)).on_conflict_do_nothing().returning(*columns)
    return session.connection().execute(statement, [dict(row) for row in rows]).all()


def insert_rows(session: Session, model: type[SQLModel], rows: Sequence[Mapping[str, object]]) -> int:
    """Insert rows; raises on a duplicate unique key."""
    return _write(session, "insert", model, rows)


def update_rows(session: Session, model: type[SQLModel], rows: Sequence[Mapping[str, object]], **only: str) -> int:
    """Update columns of many rows by their ``id``, as an optimistic check only where these other (text) columns still
    match ``only``. Returns the number updated."""
    return _execute(session, "update", model, rows, only=only).rowcount if rows else 0


def among(session: Session, column: Any, values: Iterable[object]) -> Any:
    """``column IN (values)`` with any number of values as one parameter: the statement stays the same, whereas a list
    of thousands would be compiled, parsed and planned again each time."""
    if session.connection().dialect.name == "postgresql":
        return column == any_(bindparam(None, list(values), type_=postgresql.ARRAY(column.type)))
    each = func.json_each(json.dumps(list(values))).table_valued("value")
    return column.in_(select(each.c.value))


def numbered(session: Session, values: Sequence[str]) -> tuple[Any, Any]:
    """(number, value) columns of a list that joins a statement as one parameter, so that rows can be in its order."""
    if session.connection().dialect.name == "postgresql":
        array = bindparam(None, list(values), type_=postgresql.ARRAY(String))
        listed = func.unnest(array).table_valued("value", with_ordinality="key", name="listed").render_derived()
    else:
        listed = func.json_each(json.dumps(list(values))).table_valued("key", "value", name="listed")
    return listed.c.key, listed.c.value


class unindexed(ColumnElement[Any]):
    """A column by which SQLite is not to look for rows: in a join it then begins with the table of this column."""

    inherit_cache = True
    _traverse_internals: ClassVar[Any] = [("column", InternalTraversal.dp_clauseelement)]  # type: ignore[misc]

    def __init__(self, column: ColumnElement[Any]) -> None:
        self.column, self.type = column, column.type


@compiles(unindexed)
def _plain(element: unindexed, compiler: Any, **options: Any) -> str:
    return str(compiler.process(element.column, **options))


@compiles(unindexed, "sqlite")
def _with_plus(element: unindexed, compiler: Any, **options: Any) -> str:
    return f"+{compiler.process(element.column, **options)}"


@functools.cache
@functools.cache
def table(model: type[SQLModel], alias: str = "") -> Any:
    """The Core table of a record, for queries that return rows instead of objects; or once more under another name,
    whose columns are made once: that costs more than many a statement."""
    core = model.__table__  # type: ignore[attr-defined]
    return core.alias(alias) if alias else core


# --- many rows at once -------------------------------------------------------------------------------------------
# SQLAlchemy binds values row by row and name by name, which costs more than the driver itself. Here they are bound
# column by column, by the same types; PostgreSQL then gets whole columns, in one statement.


def _write(session: Session, action: str, model: type[SQLModel], rows: Sequence[Mapping[str, object]]) -> int:
    return _execute(session, action, model, rows).rowcount if rows else 0


def _execute(
    session: Session,
    action: str,
    model: type[SQLModel],
    rows: Sequence[Mapping[str, object]],
    ending: str = "",
    only: Mapping[str, str] = MappingProxyType({}),
) -> CursorResult[Any]:
    connection = session.connection()
    prepared = _prepare_statement(action, model, tuple(rows[0]), connection.dialect, tuple(only))
    columns = [_bound([row[name] for row in rows], bind) for name, bind in prepared.binders]
    columns += [[value] * len(rows) for value in prepared.defaults]
    values: Any
    if prepared.by_column:
        values = (*columns, *only.values())
    else:
        columns += [[value] * len(rows) for value in only.values()]
        values = list(zip(*columns, strict=True))
    done = connection.exec_driver_sql(prepared.sql + ending, values, execution_options=_WITH_ROWCOUNT)
    if done.rowcount != 0 or done.returns_rows:
        columns_of = [name for name in rows[0] if name != "id"] if action == "update" else None
        data_versions.note_write(connection, prepared.table, columns_of)
    return done


@dataclass(frozen=True, slots=True)
class _PreparedStatement:
    """``binders``: the bind processor of each column, if it needs one. ``defaults``: values of further columns that the
    rows leave out. ``by_column``: the statement takes one array per column instead of rows."""

    table: str
    sql: str
    binders: tuple[tuple[str, Callable[[Any], Any] | None], ...]
    defaults: tuple[Any, ...]
    by_column: bool


def _bound(values: list[Any], bind: Callable[[Any], Any] | None) -> list[Any]:
    """A column as driver values. A run of one value (the instant of the pass, a state) is converted once."""
    if bind is None:
        return values
    last, converted, result = _NOTHING, None, []
    for value in values:
        if value is not last:
            last, converted = value, bind(value)
        result.append(converted)
    return result


_NOTHING = object()
_WITH_ROWCOUNT = {"preserve_rowcount": True}


@functools.lru_cache(maxsize=256)
def _prepare_statement(
    action: str, model: type[SQLModel], names: tuple[str, ...], dialect: Dialect, only: tuple[str, ...]
) -> _PreparedStatement:
    target, by_column, quote = table(model), dialect.name == "postgresql", dialect.identifier_preparer.quote
    defaulted = (
        []
        if action == "update"
        else [
            column
            for column in target.c
            if column.key not in names and column.default is not None and column.default.is_scalar
        ]
    )
    given = sorted((target.c[name] for name in names), key=lambda column: column.key == "id")  # the id comes last
    columns = [*given, *defaulted]
    arrays = f"unnest({', '.join(f'%s::{each.type.compile(dialect)}[]' for each in columns)})" if by_column else ""
    make_sql = _update_sql if action == "update" else _insert_sql
    sql = make_sql(quote(target.name), [quote(column.name) for column in columns], arrays)
    binders = tuple((each.key, each.type.dialect_impl(dialect).bind_processor(dialect)) for each in given)
    ending = " ON CONFLICT DO NOTHING" if action == "insert new" else ""
    place = "%s" if by_column else "?"
    ending += "".join(f" AND {quote(target.name)}.{quote(each)} = {place}" for each in only)
    defaults = tuple(column.default.arg for column in defaulted)
    return _PreparedStatement(target.name, sql + ending, binders, defaults, by_column)


def _insert_sql(target: str, names: Sequence[str], arrays: str) -> str:
    source = f"SELECT * FROM {arrays}" if arrays else f"VALUES ({', '.join('?' * len(names))})"
    return f"INSERT INTO {target} ({', '.join(names)}) {source}"


def _update_sql(target: str, names: Sequence[str], arrays: str) -> str:
    if not arrays:
        return f"UPDATE {target} SET {', '.join(f'{name} = ?' for name in names[:-1])} WHERE id = ?"
    changes = ", ".join(f"{name} = new.{name}" for name in names[:-1])
    return f"UPDATE {target} SET {changes} FROM {arrays} AS new({', '.join(names)}) WHERE {target}.id = new.id"
