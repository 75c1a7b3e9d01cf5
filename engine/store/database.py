"""The one door to the database: SQLite by default, PostgreSQL by URL.

``read()`` gives a session that is rolled back; ``write()`` one that commits at its end, whole or not at all. On
SQLite a write unit begins with BEGIN IMMEDIATE, so two writers queue instead of failing half-way.
"""

from __future__ import annotations

import functools
import json
import sqlite3
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, CursorResult, Engine, any_, bindparam, event, func, inspect, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, InterfaceError, OperationalError, ProgrammingError
from sqlmodel import Session, SQLModel, create_engine

from engine.errors import BadInput, Unavailable
from engine.text import Text

if TYPE_CHECKING:
    from alembic.config import Config as AlembicConfig

BUSY_SECONDS = 30
STEPS = Path(__file__).with_name("migrations") / "versions"
OUR_MISTAKES = ("ambiguous column", "no such column", "near ", "too many")
"""What SQLite calls operational but is a mistake in our SQL: never to be taken for a database out of reach."""


class Database:
    """Sessions over one database. ``url`` as SQLAlchemy writes it; ``postgresql://`` means psycopg 3.
    ``durable=False`` does not wait for the disk: for scratch databases that nobody would miss (SQLite)."""

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
            self.bind = create_engine(
                parsed, json_deserializer=_read_json, pool_pre_ping=True, pool_size=5, max_overflow=15, pool_timeout=10
            )
        else:
            raise BadInput(
                Text(
                    f"Cơ sở dữ liệu «{self.dialect}» không dùng được; hãy dùng sqlite hoặc postgresql.",
                    f"The database “{self.dialect}” cannot be used; use sqlite or postgresql.",
                )
            )
        self._writing = self.bind.execution_options(dondoc_write=True)
        weakref.finalize(self, self.bind.dispose)  # a command that ends without dispose() leaves no line open

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that sees one state of the data and leaves nothing behind."""
        with _reachable(), Session(self.bind, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A unit of work: everything or nothing."""
        with _reachable(), Session(self._writing, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def rehearse(self) -> Iterator[Session]:
        """A unit of work that is always undone: what would happen, by the very code that makes it happen."""
        with _reachable(), Session(self._writing, expire_on_commit=False) as session:
            yield session

    def upgrade(self) -> None:
        """Bring the schema to this version's (Alembic). Safe to call at every start and from two processes. A schema
        that stands there already costs one look, and Alembic is not even imported."""
        if self._version() == max((step.name.partition("_")[0] for step in STEPS.glob("[0-9]*_*.py")), default=""):
            return
        from alembic import command

        with self.migrating() as settings:
            command.upgrade(settings, "head")

    def _version(self) -> str:
        """The step that the schema stands at; empty where there is none."""
        with _reachable(), self.bind.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return ""
            return str(connection.exec_driver_sql("SELECT max(version_num) FROM alembic_version").scalar() or "")

    @contextmanager
    def migrating(self) -> Iterator[AlembicConfig]:
        """Alembic's settings, with a connection that has the schema to itself until the end of the transaction."""
        from alembic.config import Config

        settings = Config()
        folder = Path(__file__).with_name("migrations")
        settings.set_main_option("script_location", str(folder).replace("%", "%%"))
        with _reachable(), self._writing.connect() as connection, _loosened(connection), connection.begin():
            if self.dialect == "postgresql":
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(20210407)")
            settings.attributes["connection"] = connection
            yield settings

    def dispose(self) -> None:
        self.bind.dispose()


@contextmanager
def _reachable() -> Iterator[None]:
    """Turn «cannot connect», «locked», «not a database» and «no such table» into one sentence for people."""
    try:
        yield
    except (DatabaseError, InterfaceError) as error:
        original = str(error.orig or error).strip().splitlines()[0]
        # SQLite says DatabaseError itself, none of its kinds, of a file that is no database or a broken one.
        away = isinstance(error, OperationalError | InterfaceError) or type(error) is DatabaseError
        missing = isinstance(error, ProgrammingError) and _no_schema(original)
        if not (away or missing) or original.startswith(OUR_MISTAKES):
            raise
        raise Unavailable(_said(original)) from error


@contextmanager
def _loosened(connection: Connection) -> Iterator[None]:
    """SQLite changes a table by copying and dropping it, which foreign keys would forbid; a step checks them after.
    Said to the driver, since inside a transaction SQLite does not hear it."""
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
    """SQLite's and PostgreSQL's words for a table that was never made."""
    return "no such table" in original or original.startswith('relation "')


def _said(original: str) -> Text:
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
    """Most of what is stored as JSON is empty, and a letter reads six such columns."""
    return {} if text == "{}" else json.loads(text)


def _sqlite(url: Any, *, durable: bool) -> Engine:
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    kept = {"timeout": BUSY_SECONDS, "check_same_thread": False}
    bind = create_engine(url, json_deserializer=_read_json, connect_args=kept)

    @event.listens_for(bind, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below
        wait = "FULL" if durable else "OFF"
        _into_wal(connection)
        for pragma in (f"synchronous={wait}", "foreign_keys=ON", "cache_size=-8192"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(bind, "begin")
    def _begin(connection: Connection) -> None:
        write = connection.get_execution_options().get("dondoc_write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return bind


def _into_wal(connection: Any) -> None:
    """A file that two processes open for the first time together goes into WAL by one of them; the other is told
    «locked» at once, whatever time-out it set, and has only to ask again."""
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.02)


def insert_new(session: Session, model: type[SQLModel], rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert rows, leaving out those whose unique key exists already. Returns how many were new. Like all rows that
    are written together, they have the same columns."""
    return _write(session, "insert new", model, rows)


def insert_returning(
    session: Session, model: type[SQLModel], rows: Sequence[Mapping[str, Any]], *columns: Any
) -> Sequence[Any]:
    """``insert_new``, with these columns (numbers, text, dates) of exactly the rows that were new, in no certain
    order. Dearer a row."""
    if not rows:
        return ()
    if session.connection().dialect.name == "postgresql":
        names = ", ".join(column.name for column in columns)
        return _execute(session, "insert new", model, rows, f" RETURNING {names}").all()
    statement = sqlite.insert(table(model)).on_conflict_do_nothing().returning(*columns)
    return session.connection().execute(statement, [dict(row) for row in rows]).all()


def insert_rows(session: Session, model: type[SQLModel], rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert rows; one whose unique key exists already is an error."""
    return _write(session, "insert", model, rows)


def update_rows(session: Session, model: type[SQLModel], rows: Sequence[Mapping[str, Any]]) -> int:
    """Set columns of many rows by their ``id``. Returns how many there were."""
    return _write(session, "update", model, rows)


def among(session: Session, column: Any, values: Iterable[Any]) -> Any:
    """``column IN (values)`` with any number of values as one parameter: the statement is always the same, where a
    list of thousands is compiled, parsed and planned anew each time."""
    if session.connection().dialect.name == "postgresql":
        return column == any_(bindparam(None, list(values), type_=postgresql.ARRAY(column.type)))
    each = func.json_each(json.dumps(list(values))).table_valued("value")
    return column.in_(select(each.c.value))


@functools.cache
def table(model: type[SQLModel]) -> Any:
    """The Core table of a record: rows without objects, for passes and lists."""
    return model.__table__  # type: ignore[attr-defined]


# --- many rows at once -------------------------------------------------------------------------------------------
# SQLAlchemy turns values into the driver's row by row and name by name, which costs more than the driver itself. Here
# they are turned column by column, by the same types; PostgreSQL then gets whole columns, in one statement.


def _write(session: Session, deed: str, model: type[SQLModel], rows: Sequence[Mapping[str, Any]]) -> int:
    return _execute(session, deed, model, rows).rowcount if rows else 0


def _execute(
    session: Session, deed: str, model: type[SQLModel], rows: Sequence[Mapping[str, Any]], ending: str = ""
) -> CursorResult[Any]:
    connection = session.connection()
    prepared = _prepared(deed, model, tuple(rows[0]), connection.dialect)
    columns = [_turned([row[name] for row in rows], turn) for name, turn in prepared.turns]
    columns += [[value] * len(rows) for value in prepared.defaults]
    values: Any = tuple(columns) if prepared.whole else list(zip(*columns, strict=True))
    kept = {"preserve_rowcount": True}
    return connection.exec_driver_sql(prepared.sql + ending, values, execution_options=kept)


@dataclass(frozen=True, slots=True)
class _Prepared:
    """``turns``: for each column what makes its values the driver's, if anything need. ``defaults``: the values of
    further columns, those that the rows leave out. ``whole``: the statement takes columns, not rows."""

    sql: str
    turns: tuple[tuple[str, Callable[[Any], Any] | None], ...]
    defaults: tuple[Any, ...]
    whole: bool


def _turned(values: list[Any], turn: Callable[[Any], Any] | None) -> list[Any]:
    """A column as the driver wants it. Runs of one value (the pass's instant, a state) are turned once."""
    if turn is None:
        return values
    last, made, turned = _NOTHING, None, []
    for value in values:
        if value is not last:
            last, made = value, turn(value)
        turned.append(made)
    return turned


_NOTHING = object()


@functools.lru_cache(maxsize=256)
def _prepared(deed: str, model: type[SQLModel], names: tuple[str, ...], dialect: Any) -> _Prepared:
    into, whole, quote = table(model), dialect.name == "postgresql", dialect.identifier_preparer.quote
    lacking = (
        []
        if deed == "update"
        else [
            column
            for column in into.c
            if column.name not in names and column.default is not None and column.default.is_scalar
        ]
    )
    given = sorted((into.c[name] for name in names), key=lambda column: column.name == "id")  # the id is the last
    columns = [*given, *lacking]
    arrays = f"unnest({', '.join(f'%s::{each.type.compile(dialect)}[]' for each in columns)})" if whole else ""
    make = _change if deed == "update" else _insertion
    sql = make(quote(into.name), [quote(column.name) for column in columns], arrays)
    turns = tuple((each.name, each.type.dialect_impl(dialect).bind_processor(dialect)) for each in given)
    ending = " ON CONFLICT DO NOTHING" if deed == "insert new" else ""
    return _Prepared(sql + ending, turns, tuple(column.default.arg for column in lacking), whole)


def _insertion(into: str, names: Sequence[str], arrays: str) -> str:
    given = f"SELECT * FROM {arrays}" if arrays else f"VALUES ({', '.join('?' * len(names))})"
    return f"INSERT INTO {into} ({', '.join(names)}) {given}"


def _change(of: str, names: Sequence[str], arrays: str) -> str:
    if not arrays:
        return f"UPDATE {of} SET {', '.join(f'{name} = ?' for name in names[:-1])} WHERE id = ?"
    changes = ", ".join(f"{name} = new.{name}" for name in names[:-1])
    return f"UPDATE {of} SET {changes} FROM {arrays} AS new({', '.join(names)}) WHERE {of}.id = new.id"
