"""Plans past their last due date: one line on the board and on the renewal, one press ends them all."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from bs4 import BeautifulSoup
from ground.factory import at, begin, do, lay, opened, plan_file, row, rows, store
from ground.office import open_office

from engine.plans.closing import plans_to_end
from engine.queries.figures.board import board
from engine.queries.time_class import read_today
from engine.queries.work.assignments import AssignmentFilter
from engine.rules.calendar import local_date
from engine.rules.situation import Action
from engine.store.database import Database
from engine.store.records import Assignment, Event, Plan
from engine.terms import EventKind, PlanState

PAGE = "/plans/past"
SPRING, LATER = at("2022-03-07", "08:00"), at("2022-05-04", "08:00")


def test_a_line_on_the_board_and_the_renewal_leads_to_one_press_that_ends_them_all(
    database: Database, tmp_path: Path
) -> None:
    laid = lay(database, now=at("2021-04-07"))
    opened(database, at("2021-12-01"))
    with database.read() as session:
        assert plans_to_end(session, local_date(at("2022-02-01"))) == ()  # within the policy's days
    office = open_office(database, tmp_path, now=SPRING, open_desk=True)
    assert "1 kế hoạch chờ kết thúc" in office.get(f"/plans/{laid.plan_id}/renew").text
    assert "1 kế hoạch đã quá ngày cuối, chờ kết thúc" in words(office.get("/").text)
    shown = office.get(PAGE).text
    assert "12/KH-UBND" in shown
    assert "việc chưa hoàn thành" in shown
    told = office.post(PAGE, id=str(laid.plan_id))
    assert told.headers["location"].endswith("said=ended.1")
    assert row(database, Plan).state is PlanState.ENDED
    ended = [each for each in rows(database, Event) if each.kind is EventKind.PLAN_ENDED]
    assert "Đã qua hạn cuối cùng" in ended[0].detail["reason"]
    assert "chờ kết thúc" not in office.get("/").text
    assert "Không có kế hoạch nào chờ kết thúc" in office.get(PAGE).text


def words(page: str) -> str:
    return " ".join(BeautifulSoup(page, "lxml").get_text(" ").split())


def test_the_board_counts_running_plans_and_says_of_the_past_ones_what_is_left(
    database: Database, tmp_path: Path
) -> None:
    """So-ban reported of the past plan, nobody else did; the running one has begun."""
    laid = lay(database, now=at("2021-04-07"))
    opened(database, at("2021-12-01"))
    do(database, Action.REPORT, laid.assignment("IV.1.1", "so-ban"), now=at("2021-06-16"))
    old = len(rows(database, Assignment))
    begin(
        store(database, now=LATER, plan=plan_file(number="30/KH-UBND", year=2022, issued_on=date(2022, 1, 20))),
        now=LATER,
    )
    with database.read() as session:
        today = read_today(session, LATER)
        everything, running = (board(session, today, AssignmentFilter(past=past)) for past in (None, False))
        counted = board(session, today, AssignmentFilter(past=False, department="so-chinh"))
    new = rows(database, Assignment)[old:]
    assert new
    assert running.total.expected + running.asked_total.expected == len(new)
    assert everything.total.overdue > running.total.overdue == 0
    assert (running.total.late_since, running.total.reported) == (None, 0)
    assert running.total.earliest == min(each.due_on for each in new if each.due_on)
    assert counted.total == running.total, "counters and assignments say the same"
    page = open_office(database, tmp_path, now=LATER, open_desk=True).get("/")
    left = sum(each.done_on is None for each in rows(database, Assignment)[:old])
    assert f"1 kế hoạch đã quá ngày cuối, chờ kết thúc: còn {left} việc ; không tính vào số liệu" in words(page.text)
    links = [
        str(each["href"]) for each in BeautifulSoup(page.text, "lxml").select("main .key a, main h1 a, main .lead a")
    ]
    assert links
    assert all("past=no" in link for link in links if link.startswith(("/assignments", "/overdue")))


def test_a_plan_that_goes_on_is_not_ended_with_them(database: Database, tmp_path: Path) -> None:
    laid = lay(database, now=at("2021-04-07"))
    office = open_office(database, tmp_path, now=at("2021-06-07", "08:00"), open_desk=True)
    assert office.post(PAGE, id=str(laid.plan_id)).headers["location"].endswith("said=ended.0")
    assert row(database, Plan).state is PlanState.ACTIVE
