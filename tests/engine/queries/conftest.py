"""What the queries are asked through, and what they send."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from ground.factory import Laid
from ground.office import looking
from sqlalchemy import event
from sqlmodel import Session

from engine.database import Database
from engine.queries.timeclass import Today

Counting = Callable[[Database], AbstractContextManager[list[str]]]


@pytest.fixture
def seen(laid: Laid) -> Iterator[tuple[Session, Today]]:
    """A reading session over the lived plan on 24 June 2021, and that day."""
    with looking(laid.database) as found:
        yield found


@pytest.fixture
def counting() -> Counting:
    """``with counting(database) as statements:`` collects every SQL statement that is sent meanwhile."""

    @contextmanager
    def collect(database: Database) -> Iterator[list[str]]:
        statements: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            statements.append(statement)

        event.listen(database.bind, "before_cursor_execute", note)
        try:
            yield statements
        finally:
            event.remove(database.bind, "before_cursor_execute", note)

    return collect
