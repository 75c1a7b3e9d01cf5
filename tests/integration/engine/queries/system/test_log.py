"""The log: newest first, every filter, page by page without counting, and a day found by halving."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from ground.factory import Laid, at, rows
from ground.office import looking
from sqlalchemy import insert

from engine.errors import BadInput
from engine.queries.system.log import Log, LogFilter, log
from engine.store.database import Database, table
from engine.store.records import Event
from engine.terms import EventKind


def asked(database: Database, after: str = "", limit: int = 500, span: int = 50_000, **wanted: Any) -> Log:
    with looking(database) as (session, _):
        return log(session, LogFilter(**wanted), after=after, limit=limit, span=span)


@pytest.fixture
def busy(database: Database) -> Database:
    """2,400 events, one an hour from 1 January 2021, every hundredth one an account's."""
    start = at("2021-01-01", "00:00")
    made = [  # type: ignore[var-annotated]
        {
            "at": start + timedelta(hours=hour),
            "kind": EventKind.RUNG_FIRED,
            "detail": {},
            "actor": "system" if hour % 100 else "account:7",
        }
        for hour in range(2_400)
    ]
    with database.write() as session:
        session.connection().execute(insert(table(Event)), made)
    return database


def test_everything_stands_newest_first(laid: Laid) -> None:
    found = asked(laid.database)
    assert [row.id for row in found.rows] == [each.id for each in rows(laid.database, Event)][::-1]
    assert (found.next, found.unfinished) == ("", False)


def test_page_by_page_nothing_is_left_out_or_told_twice(laid: Laid) -> None:
    whole = [row.id for row in asked(laid.database).rows]
    seen, after = [], ""
    while True:
        found = asked(laid.database, after, limit=7)
        seen += [row.id for row in found.rows]
        after = found.next
        if not after:
            break
    assert seen == whole


def test_a_line_knows_its_assignment_plan_and_who_did_it(laid: Laid) -> None:
    (found,) = asked(laid.database, kind=EventKind.DECLINED).rows
    assert (found.citation, found.agency, found.plan) == ("IV.4.1", "So chinh", "12/KH-UBND")
    assert asked(laid.database, kind=EventKind.DECLINED).people[found.actor].agency == "So chinh"


@pytest.mark.parametrize(
    ("wanted", "holds"),
    [
        ({"kind": EventKind.REPORTED}, lambda row: row.kind is EventKind.REPORTED),
        ({"actor": "contact"}, lambda row: row.actor.startswith("contact:")),
        ({"actor": "system"}, lambda row: row.actor == "system"),
        ({"plan_id": 1}, lambda row: row.plan_id == 1),
        ({"agency_id": "huyen-a"}, lambda row: row.agency == "Huyen a"),
        ({"assignment_id": 2}, lambda row: row.assignment_id == 2),
        (
            {"since": date(2021, 6, 1), "until": date(2021, 6, 10)},
            lambda row: at("2021-06-01", "00:00") <= row.at < at("2021-06-11", "00:00"),
        ),
    ],
)
def test_each_filter_shows_all_of_what_it_asks_for_and_nothing_else(
    laid: Laid, wanted: dict[str, Any], holds: Any
) -> None:
    shown = asked(laid.database, **wanted).rows
    assert shown
    assert [row.id for row in shown] == [row.id for row in asked(laid.database).rows if holds(row)]


def test_a_day_is_found_by_halving_to_the_very_event(busy: Database) -> None:
    for day, count in ((date(2021, 1, 1), 24), (date(2021, 2, 15), 24), (date(2021, 4, 10), 24), (date(2021, 5, 1), 0)):
        found = asked(busy, since=day, until=day)
        assert len(found.rows) == count, day
    assert len(asked(busy, since=date(2021, 4, 10), limit=5_000).rows) == 24


def test_where_what_is_sought_is_rare_a_page_looks_at_so_many_and_says_where_it_stopped(busy: Database) -> None:
    first = asked(busy, actor="account:7", span=250)
    assert (len(first.rows), first.unfinished, bool(first.next)) == (2, True, True)
    seen, after = len(first.rows), first.next
    while after:
        found = asked(busy, after, actor="account:7", span=250)
        seen, after = seen + len(found.rows), found.next
    assert seen == 24


def test_an_actor_of_one_number_is_not_taken_for_another(busy: Database) -> None:
    assert asked(busy, actor="account:77").rows == ()
    assert asked(busy, actor="acc%").rows == ()


def test_a_page_takes_the_same_few_statements_however_much_is_stored(laid: Laid, busy: Database, counting: Any) -> None:
    wanted = LogFilter(since=date(2021, 1, 1), until=date(2021, 6, 30))
    counts = []
    for database in (laid.database, busy):
        with looking(database) as (session, _), counting(database) as statements:
            log(session, wanted)
        counts.append(len(statements))
    assert max(counts) <= 5


def test_a_cursor_that_we_did_not_make_is_refused(laid: Laid) -> None:
    with pytest.raises(BadInput):
        asked(laid.database, after="abc")
