"""The one door to the database: SQLite by default, PostgreSQL by URL.

``read()`` gives a session that is rolled back; ``write()`` one that commits at its end, whole or not at all. On
SQLite a write unit begins with BEGIN IMMEDIATE, so two writers queue instead of failing half-way.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, bindparam, event, insert, inspect, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, InterfaceError, OperationalError, ProgrammingError
from sqlmodel import Session, SQLModel, create_engine

from engine.errors import BadInput, Unavailable

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
                "DONDOC_DATABASE_URL không đọc được; viết như sqlite:///var/dondoc.db hoặc "
                "postgresql://tên:mật-khẩu@máy/cơ-sở. / The database URL cannot be read."
            ) from None
        if parsed.drivername in ("postgresql", "postgres"):
            parsed = parsed.set(drivername="postgresql+psycopg")
        self.url = parsed
        self.dialect = parsed.get_backend_name()
        if self.dialect == "sqlite":
            self.bind = _sqlite(parsed, durable=durable)
        elif self.dialect == "postgresql":
            self.bind = create_engine(parsed, pool_pre_ping=True, pool_size=5, max_overflow=15, pool_timeout=10)
        else:
            raise BadInput(f"Cơ sở dữ liệu «{self.dialect}» không dùng được; hãy dùng sqlite hoặc postgresql.")
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
        if self._version() == max(step.name.partition("_")[0] for step in STEPS.glob("[0-9]*_*.py")):
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


def _said(original: str) -> str:
    if _no_schema(original):
        hint = "Chạy «dondoc db upgrade» trước. / Run “dondoc db upgrade” first."
    elif "locked" in original:
        hint = "Một tiến trình khác đang ghi quá lâu; thử lại. / Another process holds the database; try again."
    else:
        hint = "Kiểm tra DONDOC_DATABASE_URL và máy chủ. / Check DONDOC_DATABASE_URL and the server."
    return f"Không dùng được cơ sở dữ liệu: {original}. {hint}"


def _sqlite(url: Any, *, durable: bool) -> Engine:
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    bind = create_engine(url, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False})

    @event.listens_for(bind, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below
        wait = "FULL" if durable else "OFF"
        for pragma in ("journal_mode=WAL", f"synchronous={wait}", "foreign_keys=ON", "cache_size=-8192"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(bind, "begin")
    def _begin(connection: Connection) -> None:
        write = connection.get_execution_options().get("dondoc_write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return bind


def insert_new(session: Session, model: type[SQLModel], rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert rows, leaving out those whose unique key exists already. Returns how many were new. Like all rows that
    are written together, they have the same columns."""
    return _write(session, _insertion, model, rows)


def insert_rows(session: Session, model: type[SQLModel], rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert rows; one whose unique key exists already is an error."""
    return _write(session, _plain_insertion, model, rows)


def update_rows(session: Session, model: type[SQLModel], rows: Sequence[Mapping[str, Any]]) -> int:
    """Set columns of many rows by their ``id``. Returns how many there were."""
    return _write(session, _change, model, rows)


@functools.cache
def table(model: type[SQLModel]) -> Any:
    """The Core table of a record: rows without objects, for passes and lists."""
    return model.__table__  # type: ignore[attr-defined]


# --- many rows at once -------------------------------------------------------------------------------------------
# SQLAlchemy turns values into the driver's row by row and name by name, which costs more than the driver itself. Here
# the statement is compiled once, by SQLAlchemy, and the values are turned column by column with the same types.

_Make = Callable[[Any, Sequence[str], str], Any]


def _insertion(into: Any, names: Sequence[str], dialect: str) -> Any:
    make = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return make(into).values({name: bindparam(name) for name in names}).on_conflict_do_nothing()


def _plain_insertion(into: Any, names: Sequence[str], _dialect: str) -> Any:
    return insert(into).values({name: bindparam(name) for name in names})


def _change(of: Any, names: Sequence[str], _dialect: str) -> Any:
    # Names of their own: SQLAlchemy keeps the columns' for itself in an UPDATE.
    changes = {name: bindparam(f"to_{name}", type_=of.c[name].type) for name in names if name != "id"}
    return update(of).where(of.c.id == bindparam("to_id")).values(changes)


def _write(session: Session, make: _Make, model: type[SQLModel], rows: Sequence[Mapping[str, Any]]) -> int:
    if not rows:
        return 0
    connection = session.connection()
    prepared = _prepared(make, model, tuple(rows[0]), connection.dialect)
    # Without the option PostgreSQL's rowcount of many rows is -1.
    kept = {"preserve_rowcount": True}
    return connection.exec_driver_sql(prepared.sql, prepared.driven(rows), execution_options=kept).rowcount


@dataclass(frozen=True, slots=True)
class _Prepared:
    """``slots``: for each parameter its name in the statement, the column's name and what makes it the driver's."""

    sql: str
    slots: tuple[tuple[str, str, Callable[[Any], Any] | None], ...]
    positional: bool
    defaults: Mapping[str, Any]

    def driven(self, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
        columns = [_turned([row[name] for row in rows] if name in rows[0] else [self.defaults[name]] * len(rows), turn)
                   for _, name, turn in self.slots]  # fmt: skip
        values = zip(*columns, strict=True)
        if self.positional:
            return list(values)
        names = [parameter for parameter, _, _ in self.slots]
        return [dict(zip(names, row, strict=True)) for row in values]


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
def _prepared(make: _Make, model: type[SQLModel], names: tuple[str, ...], dialect: Any) -> _Prepared:
    columns = table(model).c
    lacking = {} if make is _change else {
        column.name: column.default.arg for column in columns
        if column.name not in names and column.default is not None and column.default.is_scalar
    }  # fmt: skip
    compiled = make(table(model), (*names, *lacking), dialect.name).compile(dialect=dialect, for_executemany=True)
    slots = tuple(
        (parameter, parameter.removeprefix("to_") if make is _change else parameter,
         compiled.binds[parameter].type.dialect_impl(dialect).bind_processor(dialect))
        for parameter in compiled.positiontup or compiled.binds
    )  # fmt: skip
    return _Prepared(compiled.string, slots, bool(compiled.positional), lacking)
