"""The grid agency × duty, over a small plan and the real one."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest
from ground.factory import Laid, at, begin, lay_with_two_reports, real_plan
from ground.office import looking

from engine.queries.figures import grid as module
from engine.queries.figures.board import board
from engine.queries.figures.grid import Block, Grid, Mark, Run, grid, runs
from engine.queries.work.assignments import AssignmentFilter
from engine.store.database import Database
from engine.terms import TimeClass

OPENED = at("2021-04-07")
LATER = at("2021-06-22")


@pytest.fixture
def laid(database: Database) -> Laid:
    return lay_with_two_reports(database)


def drawn(laid: Laid, wanted: AssignmentFilter | None = None) -> Grid:
    with looking(laid.database, LATER) as (session, today):
        found = grid(session, today, wanted or AssignmentFilter())
    assert found is not None
    return found


def block(found: Grid, level: str) -> Block:
    return next(each for each in found.blocks if each.level == level)


def test_equal_marks_side_by_side_are_one_run() -> None:
    late, done = Mark.OVERDUE, Mark.ON_TIME
    assert runs([late, late, None, done, late]) == (Run(late, 0, 2), Run(done, 3, 1), Run(late, 4, 1))
    assert runs([]) == ()


def test_a_duty_of_several_agencies_is_a_column_and_one_of_its_own_is_none(laid: Laid) -> None:
    districts = block(drawn(laid), "huyen")
    assert [(each.citation, each.done, each.expected) for each in districts.columns] == [("IV.2.1", 1, 2)]
    assert [(line.id, line.cells, line.own) for line in districts.lines] == [
        ("huyen-b", (Run(Mark.OVERDUE, 0, 1),), ()),
        ("huyen-a", (Run(Mark.LATE, 0, 1),), ()),
    ]
    departments = block(drawn(laid), "so")
    assert departments.columns == ()
    assert [(line.id, line.own) for line in departments.lines] == [
        ("so-chinh", (Run(Mark.OVERDUE, 0, 1),)),
        ("so-ban", (Run(Mark.ON_TIME, 0, 1),)),
    ]


def test_late_agencies_others_and_punctual_ones_stand_apart(laid: Laid) -> None:
    found = drawn(laid)
    departments, districts = block(found, "so"), block(found, "huyen")
    assert [[line.id for line in lines] for lines in (departments.late, departments.others, departments.punctual)] == [
        ["so-chinh"],
        [],
        ["so-ban"],
    ]
    assert [line.id for line in districts.others] == ["huyen-a"]
    assert [(line.since, line.late) for line in districts.late] == [(date(2021, 6, 17), 3)]


def test_requests_are_a_block_of_their_own_and_in_no_count(laid: Laid) -> None:
    found = drawn(laid)
    asked = [each for each in found.blocks if each.request]
    assert [[line.id for line in each.lines] for each in asked] == [["mat-tran"]]
    assert found.blocks[-1] is asked[0]
    assert found.counts == Counter({Mark.OVERDUE: 2, Mark.ON_TIME: 1, Mark.LATE: 1})


def test_it_counts_as_the_board_does(database: Database) -> None:
    laid = begin(real_plan(database, now=OPENED), now=OPENED)
    with looking(laid.database, LATER) as (session, today):
        counted, found = board(session, today, AssignmentFilter()), grid(session, today, AssignmentFilter())
    assert found is not None
    assert {TimeClass(mark): n for mark, n in found.counts.items()} == dict(counted.total.by_class)
    lines = [line for each in found.blocks if not each.request for line in each.lines]
    assert {line.id: line.total for line in lines} == {line.id: line.total.expected for line in counted.agencies}
    for line in lines:
        assert sum(run.n for run in (*line.own, *line.cells)) == line.total


def test_cutting_keeps_the_worst_and_says_how_many_are_left_out(laid: Laid) -> None:
    districts = block(drawn(laid), "huyen").first(1)
    assert ([line.id for line in districts.lines], districts.left_out, districts.agencies) == (["huyen-b"], 1, 2)


def test_nobody_overdue_is_left_out_for_the_sake_of_somebody_in_time(laid: Laid) -> None:
    found = drawn(laid)
    late = {line.id: line.cost for each in found.blocks for line in each.late}
    assert 0 < len(late) < sum(len(each.lines) for each in found.blocks)
    kept = found.within(sum(late.values()))
    assert {line.id for each in kept.blocks for line in each.lines} == set(late)
    assert found.within(sum(late.values()) * 100) == found


def test_columns_of_blocks_are_about_equally_long(laid: Laid) -> None:
    found = drawn(laid)
    columns = found.side_by_side(2)
    assert sorted(each.level for column in columns for each in column) == sorted(each.level for each in found.blocks)
    assert len(columns) == 2


def test_too_many_assignments_are_not_drawn(laid: Laid, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_MARKS", 4)
    with looking(laid.database, LATER) as (session, today):
        assert grid(session, today, AssignmentFilter()) is None
        assert grid(session, today, AssignmentFilter(kind="huyen")) is not None
