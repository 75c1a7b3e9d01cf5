"""A plan does not start with bodies that have ended: they are named with who took over, and nothing is replaced."""

from __future__ import annotations

import pytest
from ground.factory import at, real_plan, rows

from engine.assignments.handover import ended_owners
from engine.assignments.opening import activate
from engine.errors import Conflict
from engine.rules.calendar import local_date
from engine.store.database import Database
from engine.store.records import Plan
from engine.terms import PlanState


@pytest.mark.parametrize(
    ("day", "count"), [("2024-11-30", 0), ("2024-12-01", 1), ("2025-03-01", 10), ("2025-07-01", 32)]
)
def test_owners_end_one_after_another_on_their_days(database: Database, day: str, count: int) -> None:
    laid = real_plan(database, now=at("2021-04-07"))
    with database.read() as session:
        assert len(ended_owners(session, laid.plan_id, local_date(at(day)))) == count


def test_each_is_named_with_its_successor_by_function_and_legal_basis(database: Database) -> None:
    laid = real_plan(database, now=at("2021-04-07"))
    with database.read() as session:
        found = {each.agency_id: each for each in ended_owners(session, laid.plan_id, local_date(at("2025-03-01")))}
    heirs = {(each.name, each.function) for each in found["so-ldtbxh"].heirs}
    assert heirs == {
        ("Sở Nội vụ", "chung"),
        ("Sở Y tế", "phòng, chống tệ nạn xã hội"),
        ("Công an tỉnh", "cai nghiện ma túy"),
    }
    assert all(each.basis for each in found["so-ldtbxh"].heirs)


def test_a_plan_with_ended_owners_is_not_activated(database: Database) -> None:
    laid, now = real_plan(database, now=at("2021-04-07")), at("2024-12-02")
    with pytest.raises(Conflict, match=r"UBND thị xã Cửa Lò.*UBND thành phố Vinh.*1243"), database.write() as session:
        activate(session, laid.plan_id, actor="cli:test", now=now)
    assert rows(database, Plan)[0].state is PlanState.LOADED
    with database.write() as session:
        activate(session, laid.plan_id, actor="cli:test", now=at("2024-11-30"))
