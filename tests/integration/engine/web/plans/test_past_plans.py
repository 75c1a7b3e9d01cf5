"""Plans past their last due date: one line on the board and on the renewal, one press ends them all."""

from __future__ import annotations

from pathlib import Path

from ground.factory import at, lay, row, rows
from ground.office import open_office

from engine.assignments.opening import open_due
from engine.plans.closing import plans_to_end
from engine.rules.calendar import local_date
from engine.store.database import Database
from engine.store.records import Event, Plan
from engine.terms import EventKind, PlanState

PAGE = "/plans/past"
SPRING = at("2022-03-07", "08:00")


def test_a_line_on_the_board_and_the_renewal_leads_to_one_press_that_ends_them_all(
    database: Database, tmp_path: Path
) -> None:
    laid = lay(database, now=at("2021-04-07"))
    with database.write() as session:
        while open_due(session, at("2021-12-01")) >= 0:
            pass
    with database.read() as session:
        assert plans_to_end(session, local_date(at("2022-02-01"))) == ()  # within the policy's days
    office = open_office(database, tmp_path, now=SPRING, open_desk=True)
    for page in ("/", f"/plans/{laid.plan_id}/renew"):
        assert "1 kế hoạch chờ kết thúc" in office.get(page).text
    shown = office.get(PAGE).text
    assert "12/KH-UBND" in shown
    assert "phần việc chưa hoàn thành" in shown
    told = office.post(PAGE, id=str(laid.plan_id))
    assert told.headers["location"].endswith("said=ended.1")
    assert row(database, Plan).state is PlanState.ENDED
    ended = [each for each in rows(database, Event) if each.kind is EventKind.PLAN_ENDED]
    assert "Đã qua hạn cuối cùng" in ended[0].detail["reason"]
    assert "chờ kết thúc</a>" not in office.get("/").text
    assert "Không có kế hoạch nào chờ kết thúc" in office.get(PAGE).text


def test_a_plan_that_goes_on_is_not_ended_with_them(database: Database, tmp_path: Path) -> None:
    laid = lay(database, now=at("2021-04-07"))
    office = open_office(database, tmp_path, now=at("2021-06-07", "08:00"), open_desk=True)
    assert office.post(PAGE, id=str(laid.plan_id)).headers["location"].endswith("said=ended.0")
    assert row(database, Plan).state is PlanState.ACTIVE
