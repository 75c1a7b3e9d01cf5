"""Alembic's environment: runs the migrations on the connection that ``Database.upgrade()`` passes, in its transaction.

SQLite cannot alter most things in place, so there a migration copies the table (batch mode). The plain ``alembic``
command passes no connection and is refused.
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
from engine.store.records.columns import PackedText
from engine.store.search_index import is_a_record
from engine.text import Text


def render_plain_type(kind: str, item: Any, autogen: AutogenContext) -> str | Literal[False]:
    """Render column types as SQLAlchemy's own, so that old migrations do not depend on our classes. Enums are stored as
    text: a new member is not a schema change."""
    if kind == "type" and isinstance(item, sa.Enum | AutoString):
        return f"sa.String(length={item.length})" if item.length else "sa.String()"
    if kind == "type" and isinstance(item, PackedText):
        return "sa.LargeBinary()"
    if kind == "type" and isinstance(item, UTCDateTime):
        return "sa.DateTime(timezone=True)"
    return False


def check_foreign_keys(
    ctx: MigrationContext, step: MigrationInfo, heads: Collection[Any], run_args: Mapping[str, Any]
) -> None:
    """Check foreign keys after each migration on SQLite, where they are off while it runs. Raises Conflict."""
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
        render_item=render_plain_type,
        include_name=is_a_record,
        on_version_apply=check_foreign_keys,
    )
    context.run_migrations()


run()
