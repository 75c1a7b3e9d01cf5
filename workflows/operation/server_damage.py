"""What PostgreSQL finds wrong in its own tables and indexes, where the extension amcheck is there and ours to call.

``pg_dump`` reads every row and no index: a damaged index answers wrongly and is saved as if it were sound.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from engine.errors import Unavailable
from engine.store.database import Database

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
    """Empty if all is sound; None if it cannot be asked. Every table and index is read, under locks that hold up
    nobody."""
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
