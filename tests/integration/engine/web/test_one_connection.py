"""A request holds one connection at a time: with as many requests as there are connections, each waiting for a second,
all would wait for ever."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ground.office import as_role
from sqlalchemy import event

from engine.store.database import Database

PAGES = (
    "/",
    "/overdue",
    "/assignments",
    "/letters",
    "/incoming",
    "/accept",
    "/extensions",
    "/promises",
    "/plans",
    "/plans/1",
    "/agencies",
    "/agencies/huyen-b",
    "/assignments/1",
    "/report/huyen-b/1/2021-H1",
    "/leadership",
    "/year",
    "/papers",
    "/health",
    "/search?q=huyen",
    "/api/v1/assignments",
)


@contextmanager
def held(database: Database) -> Iterator[list[int]]:
    """How many connections were held at once, at each time that one more was taken."""
    now, most = [0], list[int]()

    def taken(*_: object) -> None:
        now[0] += 1
        most.append(now[0])

    def given_back(*_: object) -> None:
        now[0] -= 1

    pool = database.bind.pool
    event.listen(pool, "checkout", taken)
    event.listen(pool, "checkin", given_back)
    try:
        yield most
    finally:
        event.remove(pool, "checkout", taken)
        event.remove(pool, "checkin", given_back)


@pytest.mark.parametrize(
    ("role", "agency"), [("monitor", "so-chinh"), ("coordinator", "huyen-b"), ("administrator", "tinh")]
)
def test_a_page_holds_one_connection(lived: Database, tmp_path: Path, role: str, agency: str) -> None:
    reader = as_role(lived, tmp_path, role, agency)
    for path in ("/assignments", "/overdue"):
        reader.post("/views", page=f"/views?path={path}", name=f"Của {path}", address=f"{path}?kind=huyen")
    several = {}
    for path in PAGES:
        with held(lived) as most:
            reader.get(path)
        if max(most, default=0) > 1:
            several[path] = max(most)
    assert several == {}
