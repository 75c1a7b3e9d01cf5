"""Copy a whole installation from one database into another, empty one: from SQLite to PostgreSQL when it grows.

Rows are copied as they are, with their ids, so that links, keys and letters stay what they were and nothing is sent
again. The counts of both are compared before the copy is committed.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import func, insert, select, text
from sqlmodel import SQLModel

from engine.errors import Conflict
from engine.store.database import Database
from engine.text import Text

ROWS_AT_ONCE = 1_000


def copy_database(source: Database, target: Database, progress: Callable[[str, int], None]) -> dict[str, int]:
    """Copy every table into ``target``, which is migrated first and must be empty. Nothing else may write to
    ``source`` meanwhile. ``progress(table, rows)`` is called after each table. Returns rows by table.

    Raises Conflict if the target has rows already, or if the counts differ; then the target stays empty."""
    source.upgrade()
    target.upgrade()
    copied: dict[str, int] = {}
    with source.read() as reading, target.write() as writing:
        from_, into = reading.connection(), writing.connection()
        for each in SQLModel.metadata.sorted_tables:
            if into.scalar(select(func.count()).select_from(each)):
                raise Conflict(
                    Text(
                        f"Cơ sở dữ liệu đích đã có dữ liệu (bảng {each.name}); hãy dùng một cơ sở còn trống.",
                        f"The target database already has rows (table {each.name}); use an empty one.",
                    )
                )
        for each in SQLModel.metadata.sorted_tables:
            copied[each.name] = 0
            result = from_.execution_options(yield_per=ROWS_AT_ONCE).execute(select(each))
            for chunk in result.mappings().partitions():
                into.execute(insert(each), [dict(row) for row in chunk])
                copied[each.name] += len(chunk)
            if into.scalar(select(func.count()).select_from(each)) != copied[each.name]:
                raise Conflict(
                    Text(
                        f"Bảng {each.name} không đủ số dòng sau khi chép.", f"Table {each.name} lost rows in the copy."
                    )
                )
            progress(each.name, copied[each.name])
        if target.dialect == "postgresql":
            for each in SQLModel.metadata.sorted_tables:
                if each.autoincrement_column is not None:
                    into.execute(text(_NEXT_ID.format(table=each.name, column=each.autoincrement_column.name)))
    return copied


_NEXT_ID = """SELECT setval(pg_get_serial_sequence('{table}', '{column}'), coalesce(max("{column}"), 0) + 1, false)
FROM "{table}" """
