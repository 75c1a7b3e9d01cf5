"""Acting by batches of owners, as the tasks of a worker do: two at once in opposite order, one that comes too late, one
with a duty that cannot be read. What comes of it is what one pass would have made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from ground.factory import Laid, at, item, lay, plan_file, rows
from sqlalchemy import text

from engine.assignments import escalation
from engine.assignments.escalation import DueBatch, EscalationResult
from engine.errors import NotFound, Unavailable
from engine.store.database import Database
from engine.store.facts import last_tick, remember_tick
from engine.store.records import Assignment, Event, Notice
from engine.terms import EventKind
from workflows.run import passes

BEGAN = at("2021-04-07", "09:00")
DUTIES, ROWS = 40, 10


def laid(database: Database) -> Laid:
    """Forty duties of two owners, all due."""
    return lay(database, now=BEGAN, plan=plan_file(items=tuple(item(n, "cac-huyen") for n in range(1, DUTIES + 1))))


def batches(database: Database) -> list[DueBatch]:
    with database.read() as session:
        return escalation.due_batches(session, BEGAN, ROWS)


def made(database: Database) -> tuple[list[str], list[str], set[object]]:
    """Keys of events and of notices, and up to when the assignments were acted on."""
    events = sorted(each.key for each in rows(database, Event, kind=EventKind.RUNG_FIRED))
    notices = sorted(each.key for each in rows(database, Notice))
    return events, notices, {each.acted_until for each in rows(database, Assignment)}


def acted_on(database: Database, ordered: Sequence[DueBatch]) -> EscalationResult:
    total = EscalationResult()
    for batch in ordered:
        total.add(persistently(lambda batch=batch: passes.act_on(database, BEGAN, batch)))  # type: ignore[misc]
    return total


def persistently(act: Callable[[], EscalationResult]) -> EscalationResult:
    """As a task is tried again."""
    for _ in range(3):
        try:
            return act()
        except Unavailable:
            pass
    return act()


def test_batches_hold_everything_that_is_due_once_and_name_their_owners(database: Database) -> None:
    laid(database)
    found = batches(database)
    ids = [each for batch in found for each in batch.ids]
    assert sorted(ids) == sorted(each.id for each in rows(database, Assignment))
    assert {len(batch.ids) for batch in found} == {ROWS}
    owners = [owner for batch in found for owner in batch.owners]
    assert len(owners) == len(found)  # no owner's letters are written by two batches
    assert {str(batch) for batch in found} == {"huyen-a", "huyen-b"}


def test_two_at_once_in_opposite_order_do_what_one_would(database: Database) -> None:
    laid(database)
    ordered = batches(database)
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda order: acted_on(database, order), (ordered, ordered[::-1])))
    assert sum(each.seen for each in done) == len(rows(database, Assignment))
    events, notices, until = made(database)
    assert len(events) == len(set(events)) == sum(each.fired for each in done) > 0
    assert len(notices) == len(set(notices)) == sum(each.notices for each in done) > 0
    assert None not in until


def test_who_comes_too_late_finds_nothing_to_do(database: Database) -> None:
    laid(database)
    ordered = batches(database)
    acted_on(database, ordered)
    before = made(database)
    assert acted_on(database, ordered).seen == 0
    assert made(database) == before


def test_a_duty_that_cannot_be_read_fails_its_batch_and_the_others_of_it_are_acted_on(
    sqlite_database: Database,
) -> None:
    laid(sqlite_database)
    first, *others = batches(sqlite_database)
    with sqlite_database.write() as session:
        spoil = text("UPDATE assignment SET acted_until = 'no date' WHERE id = :id")
        session.connection().execute(spoil, {"id": first.ids[0]})
    with pytest.raises(passes.DutiesFailed, match=r"12/KH-UBND \S+ · "):
        passes.act_on(sqlite_database, BEGAN, first)
    acted_on(sqlite_database, others)
    query = "SELECT id FROM assignment WHERE acted_until IS NULL OR acted_until = 'no date'"
    with sqlite_database.read() as session:
        assert session.connection().scalars(text(query)).all() == [first.ids[0]]


def test_one_task_is_acted_on_alone_and_what_was_done_and_comes_next_is_said(database: Database) -> None:
    """As Prefect's «dondoc-duty» does it; the pass that follows makes no second letter of it."""
    first, *others = sorted(each.id or 0 for each in rows(laid(database).database, Assignment))
    done = passes.act_on_one(database, BEGAN, first)
    assert done.said.startswith(
        "Đến mốc nhắc: khi giao, thư tới đầu mối. Tiếp theo: 12/4/2021 gửi thư nhắc xác nhận đến "
    )
    assert done.next_at == at("2021-04-12", "07:00")
    assert {each.assignment_id for each in rows(database, Event, kind=EventKind.RUNG_FIRED)} == {first}
    again = passes.act_on_one(database, BEGAN, first)
    assert again.said == "Chưa có gì đến hạn. " + done.said.partition(". ")[2]
    before = [each for each in made(database)[0] if f":{first}:" in each]
    passes.act(database, BEGAN)
    assert [each for each in made(database)[0] if f":{first}:" in each] == before
    assert len({each.assignment_id for each in rows(database, Event, kind=EventKind.RUNG_FIRED)}) == 1 + len(others)


def test_a_task_that_is_not_there_is_not_found(database: Database) -> None:
    with pytest.raises(NotFound):
        passes.act_on_one(database, BEGAN, 10**6)


def test_when_a_tick_came_to_its_end_is_kept_once_a_minute(database: Database) -> None:
    def last() -> datetime | None:
        with database.read() as session:
            return last_tick(session)

    assert last() is None
    passes.ticked(database)
    first = last()
    passes.ticked(database)
    assert last() == first is not None
    with database.write() as session:
        remember_tick(session, first - timedelta(minutes=2))
    passes.ticked(database)
    assert last() > first  # type: ignore[operator]
