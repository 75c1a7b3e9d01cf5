"""Engines on the same kind of database share SQLAlchemy's dialect and with it the statements that it has compiled.

A run makes thousands of engines: each would compile again (3 ms a statement, 0.03 ms when known) and ask PostgreSQL six
things before its first statement. Connections and their pools stay each engine's own.
"""

from __future__ import annotations

from typing import Any

import sqlmodel
from sqlalchemy import Connection, Engine
from sqlalchemy.engine import Dialect
from sqlalchemy.util import LRUCache

from engine.store import database

STATEMENTS = 4000
_shared: dict[str, tuple[Dialect, LRUCache[Any, Any]]] = {}


def share_dialects() -> None:
    create = sqlmodel.create_engine

    def sharing(url: Any, **options: Any) -> Engine:
        made = create(url, **options)
        if made.dialect.name not in _shared:
            _initialize_once(made.dialect)
            _shared[made.dialect.name] = made.dialect, LRUCache(STATEMENTS)
        shared, statements = _shared[made.dialect.name]
        setattr(made.dialect, "initialize", shared.initialize)  # noqa: B010  (its first connection calls it)
        made.dialect = made.pool._dialect = shared
        made._compiled_cache = statements
        return made

    setattr(database, "create_engine", sharing)  # noqa: B010


def _initialize_once(dialect: Dialect) -> None:
    initialize, asked = dialect.initialize, False

    def once(connection: Connection) -> None:
        nonlocal asked
        if not asked:
            initialize(connection)
            asked = True

    setattr(dialect, "initialize", once)  # noqa: B010
