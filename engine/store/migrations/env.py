"""What Alembic runs for every command: one connection, handed over by ``Database.upgrade()``, inside its transaction.

SQLite cannot alter most things in place, so there a step copies the table (batch mode). A plain call of the
``alembic`` command has no connection to offer and is told so.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from alembic.autogenerate.api import AutogenContext
from alembic.runtime.migration import MigrationContext, MigrationInfo
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

import engine.store.records as _tables  # noqa: F401  (fills SQLModel.metadata)
from engine.errors import Conflict, Unavailable
from engine.text import Text


def plainly(kind: str, item: Any, autogen: AutogenContext) -> str | Literal[False]:
    """Write a column's type as SQLAlchemy has it, so that an old step reads the same whatever becomes of our types.
    A closed set of words is stored as text: a new word is no change of the schema."""
    if kind == "type" and isinstance(item, sa.Enum | AutoString):
        return f"sa.String(length={item.length})" if item.length else "sa.String()"
    if kind == "type" and isinstance(item, UTCDateTime):
        return "sa.DateTime(timezone=True)"
    return False


def keys_hold(ctx: MigrationContext, step: MigrationInfo, heads: Collection[Any], run_args: Mapping[str, Any]) -> None:
    """After a step on SQLite, where foreign keys were off meanwhile: no row points at nothing."""
    if ctx.dialect.name == "sqlite" and ctx.connection is not None:
        broken = ctx.connection.exec_driver_sql("PRAGMA foreign_key_check").first()
        if broken is not None:
            raise Conflict(
                Text(
                    f"Bước chuyển đổi làm hỏng khóa ngoại ở bảng {broken[0]}.",
                    f"The migration broke a foreign key of table {broken[0]}.",
                )
            )


def run() -> None:
    connection = context.config.attributes.get("connection")
    if connection is None:
        raise Unavailable(
            Text("Dùng «dondoc db upgrade» thay cho lệnh alembic.", "Use “dondoc db upgrade”, not alembic.")
        )
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        render_item=plainly,
        on_version_apply=keys_hold,
    )
    context.run_migrations()


run()
