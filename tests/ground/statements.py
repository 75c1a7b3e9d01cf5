"""Collect the SQL statements sent to a database: ``with statements(database) as sent:``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from engine.store.database import Database


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        sent.append(statement)

    event.listen(database.bind, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(database.bind, "before_cursor_execute", note)
