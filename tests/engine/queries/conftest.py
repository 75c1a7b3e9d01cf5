"""What the queries are asked through, and what they send."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
from ground.factory import Laid
from ground.office import looking
from ground.statements import statements
from sqlmodel import Session

from engine.queries.time_class import Today
from engine.store.database import Database

Counting = Callable[[Database], AbstractContextManager[list[str]]]


@pytest.fixture
def seen(laid: Laid) -> Iterator[tuple[Session, Today]]:
    """A reading session over the lived plan on 24 June 2021, and that day."""
    with looking(laid.database) as found:
        yield found


@pytest.fixture
def counting() -> Counting:
    """``with counting(database) as sent:`` collects every SQL statement that is sent meanwhile."""
    return statements
