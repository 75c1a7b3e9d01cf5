"""A kept board, and a kept standing, is renewed by the agencies whose counters have changed, and is then what a new
process would read."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

import pytest
from ground.factory import Laid, begin, real_plan
from ground.office import looking
from sqlalchemy import select
from sqlmodel import Session

from engine.assignments import counters, lifecycle
from engine.assignments.lifecycle import ReportText
from engine.errors import DondocError
from engine.plans.closing import end
from engine.queries.figures import board as board_module
from engine.queries.figures import plan_progress
from engine.queries.figures.board import Board, board
from engine.queries.figures.plan_progress import standings
from engine.queries.kept import KeptAnswers
from engine.queries.work.assignments import AssignmentFilter
from engine.store.database import Database, table
from engine.store.records import Assignment
from engine.terms import Outcome

START = datetime.fromisoformat("2021-06-10T02:00:00+00:00")
WANTED = (AssignmentFilter(), AssignmentFilter(period="2021-H1"), AssignmentFilter(kind="huyen"))


@pytest.fixture
def laid(database: Database) -> Laid:
    return begin(real_plan(database, now=START), now=START)


@pytest.fixture
def whole(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """For each time that the counters were read: whether of every agency."""
    read: list[bool] = []
    for module, name, of_some in ((board_module, "_read", 4), (plan_progress, "_cells", 5)):

        def counting(*given: object, really: Any = getattr(module, name), of_some: int = of_some) -> object:
            read.append(len(given) < of_some)
            return really(*given)

        monkeypatch.setattr(module, name, counting)
    return read


def kept_boards(kept: KeptAnswers, database: Database, now: datetime) -> list[Board]:
    with looking(database, now) as (session, today):
        return [kept.ask(session, board, today, each) for each in WANTED]


def kept_standing(kept: KeptAnswers, database: Database, now: datetime, **more: Any) -> list[object]:
    """Without the parts that it is made of, which stand in another order."""
    with looking(database, now) as (session, today):
        found = kept.ask(session, standings, (today.day, today.day - timedelta(days=7)), **more)
    return [found.days, found.choices]


def found_by(kept: KeptAnswers, database: Database, now: datetime) -> list[object]:
    shown: list[object] = [*kept_boards(kept, database, now)]
    for more in ({}, {"period": "2021-H1"}, {"without": (77,)}):
        shown += kept_standing(kept, database, now, **more)
    return shown


def act(session: Session, choose: random.Random, ids: list[int], now: datetime) -> None:
    one = choose.choice(ids)
    by = {"actor": "contact:1", "now": now}
    match choose.randrange(6):
        case 0:
            lifecycle.report(session, one, ReportText(), **by)
        case 1:
            text = ReportText(outcome=Outcome.NOT_YET, reason="Chờ kinh phí.")
            lifecycle.report(session, one, text, **by)
        case 2:
            lifecycle.return_report(session, one, reason="Thiếu số liệu.", **by)
        case 3:
            lifecycle.cancel(session, one, reason="Trùng nhiệm vụ.", **by)
        case 4:
            lifecycle.transfer(session, one, to_agency="ubnd-huyen-ky-son", reason="Chuyển địa bàn.", **by)
        case _:
            lifecycle.acknowledge(session, one, **by)


@pytest.mark.parametrize("seed", range(3))
def test_after_any_acts_it_is_what_a_new_process_reads(
    laid: Laid, whole: list[bool], monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(counters, "FOLD_FROM", 9)
    choose, kept, now = random.Random(seed), KeptAnswers(), START
    with laid.database.read() as session:
        ids = list(session.connection().scalars(select(table(Assignment).c.id)))
    found_by(kept, laid.database, now)
    done, mine = 0, list[bool]()
    for _ in range(40):
        now += timedelta(minutes=1)
        with laid.database.write() as session:
            for _ in range(choose.randrange(1, 3)):
                try:
                    with session.begin_nested():
                        act(session, choose, ids, now)
                    done += 1
                except DondocError:
                    pass  # not in this state
        whole.clear()
        found = found_by(kept, laid.database, now)
        mine += whole
        assert found == found_by(KeptAnswers(), laid.database, now)
    assert done > 20
    assert mine.count(False) > mine.count(True) > 0  # what was folded is read whole


def test_the_end_of_a_plan_and_a_new_name_are_read_whole(laid: Laid) -> None:
    kept, now = KeptAnswers(), START
    kept_boards(kept, laid.database, now)
    with laid.database.write() as session:
        session.connection().exec_driver_sql("UPDATE agency SET name = 'Tên mới' WHERE id = 'ubnd-huyen-ky-son'")
    assert "Tên mới" in {each.name for each in kept_boards(kept, laid.database, now)[0].agencies}
    with laid.database.write() as session:
        end(session, laid.plan_id, reason="Hết hiệu lực.", actor="account:1", now=now)
    assert kept_boards(kept, laid.database, now)[0].total.expected == 0
    assert found_by(kept, laid.database, now) == found_by(KeptAnswers(), laid.database, now)
