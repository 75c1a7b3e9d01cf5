"""Promises kept, outputs complete and the time taken, worked out by hand; requests in none of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial

import pytest
from ground.factory import Laid, at, item, lay, plan_file
from ground.office import looking, open_office
from sqlmodel import Session

from engine.assignments import lifecycle
from engine.assignments.lifecycle import ReportText
from engine.assignments.promise_rows import PromiseText
from engine.assignments.undo import undo, undoable, undoable_acts
from engine.features.papers.period_report import period_report
from engine.features.papers.report import text_of, timing_rows
from engine.queries.filter_choices import plan_of
from engine.queries.work.assignments import AssignmentFilter, list_assignments
from engine.queries.work.conduct import Conduct, ConductOfAll, conduct
from engine.store.database import Database
from engine.terms import EventKind, Outcome

NOW = at("2021-07-20")
OUTPUT = {"what": "Quyết định", "kind": "document"}
PLAN = plan_file(
    items=(item(1, "so-ban", output=OUTPUT), item(2, "cac-huyen", output=OUTPUT), item(3, "mat-tran", request=True))
)


@pytest.fixture
def laid(database: Database) -> Laid:
    """Opened on Wednesday 7 April. so-ban: acknowledged on the 9th, promised for 24 June and kept; huyen-a: promised
    for 23 June and broken; huyen-b: reported twice, returned between; the Front: asked, and slow."""
    laid = lay(database, now=at("2021-04-07"), plan=PLAN)
    ids = [
        laid.assignment(*each)
        for each in (("IV.1.1", "so-ban"), ("IV.2.1", "huyen-a"), ("IV.2.1", "huyen-b"), ("IV.3.1", "mat-tran"))
    ]
    so_ban, huyen_a, huyen_b, front = ids

    def act(day: str, deed: Callable[[Session], object]) -> None:
        with laid.database.write() as session:
            deed(session)

    def by(day: str) -> dict[str, object]:
        return {"actor": "contact:1", "now": at(day, "09:00")}

    def not_yet(day: str) -> ReportText:
        promise = PromiseText(on=date.fromisoformat(day), reason_code="kinh-phi")
        return ReportText(outcome=Outcome.NOT_YET, reason="Chờ.", promise=promise)

    done = ReportText(body="Đã làm.")
    deeds: list[tuple[str, Callable[..., object], int, dict[str, object]]] = [
        ("2021-04-09", lifecycle.acknowledge, so_ban, {}),
        ("2021-04-14", lifecycle.acknowledge, huyen_a, {}),
        ("2021-05-20", lifecycle.acknowledge, front, {}),
        ("2021-06-10", lifecycle.report, so_ban, {"text": not_yet("2021-06-24")}),
        ("2021-06-14", lifecycle.report, huyen_a, {"text": not_yet("2021-06-23")}),
        ("2021-06-14", lifecycle.report, huyen_b, {"text": done}),
        ("2021-06-15", lifecycle.return_report, huyen_b, {"reason": "Thiếu."}),
        ("2021-06-16", lifecycle.report, huyen_b, {"text": done}),
        ("2021-06-17", lifecycle.report, front, {"text": done}),
        ("2021-06-18", lifecycle.accept, huyen_b, {"complete": True}),
        ("2021-06-22", lifecycle.report, so_ban, {"text": done}),
        ("2021-06-30", lifecycle.accept, so_ban, {"reason": "Bản giấy."}),
        ("2021-07-01", lifecycle.accept, front, {}),
        ("2021-07-02", lifecycle.report, huyen_a, {"text": done}),
    ]
    for day, deed, task, more in deeds:
        act(day, lambda session, deed=deed, task=task, more=more, day=day: deed(session, task, **more, **by(day)))  # type: ignore[misc]
    return laid


def found(laid: Laid, **wanted: str) -> ConductOfAll:
    with looking(laid.database, NOW) as (session, today):
        return conduct(session, today, AssignmentFilter(plan_id=laid.plan_id, **wanted))  # type: ignore[arg-type]


def test_it_is_as_a_person_works_it_out(laid: Laid) -> None:
    """Working days; 21 April, 30 April and 3 May 2021 were public holidays, 2 September is not reached."""
    everything = found(laid)
    so_ban = Conduct(
        id="so-ban",
        name="So ban",
        promises=1,
        kept=1,
        outputs=1,
        complete=0,
        acknowledge_days=2.0,
        report_days=43.0,
        accept_days=6.0,
    )
    huyen_a = Conduct(
        id="huyen-a", name="Huyen a", promises=1, kept=0, acknowledge_days=5.0, report_days=45.0, accept_days=None
    )
    huyen_b = Conduct(id="huyen-b", name="Huyen b", outputs=1, complete=1, report_days=45.0, accept_days=2.0)
    assert everything.agencies == (huyen_a, so_ban, huyen_b)
    (department,) = everything.departments
    assert (department.id, department.kept, department.promises) == ("so-chinh", 1, 2)
    assert (department.acknowledge_days, department.report_days, department.accept_days) == (3.5, 45.0, 4.0)
    assert everything.total.complete == 1
    assert [each.id for each in found(laid, agency_id="huyen-b").agencies] == ["huyen-b"]
    assert found(laid, agency_id="mat-tran").total == Conduct()


def test_each_number_of_outputs_opens_its_rows(laid: Laid) -> None:
    with looking(laid.database, NOW) as (session, today):
        listed = {
            output: [row.agency_id for row in list_assignments(session, today, AssignmentFilter(output=output)).rows]
            for output in (True, False)
        }
    assert listed == {True: ["huyen-b"], False: ["so-ban"]}


def test_pages_paper_and_api_say_the_same(laid: Laid, tmp_path: object) -> None:
    office = open_office(laid.database, tmp_path, now=NOW)  # type: ignore[arg-type]
    desk = office.get("/agencies/so-ban").text
    assert "1/1 lời hẹn đã đến ngày" in desk
    assert 'id="conduct"' not in office.get("/agencies/mat-tran").text
    total = office.get("/api/v1/conduct?plan=1").json()["total"]
    assert (total["promises"], total["kept"], total["outputs"], total["accept_days"]) == (2, 1, 2, 4.0)
    with looking(laid.database, NOW) as (session, today):
        report = period_report(session, today, plan_of(session, 1), "2021-H1")
    said = " ".join(text for text, _ in text_of(report))
    assert "Giữ đúng 01/02 lời hẹn đã đến ngày." in said
    assert "phải có sản phẩm đã tiếp nhận, đủ sản phẩm 01." in said
    assert "(trung vị): 3,5/45/4." in said
    assert [row[-2:] for row in timing_rows(report.duties, report.conduct_by_agency) if row[1] == "So ban"] == [
        ("1/1", "2/43/6")
    ]


def test_what_was_undone_took_no_time_and_what_was_done_again_did(database: Database) -> None:
    """A report of Monday the 14th is accepted on Tuesday, which is taken back, and on Friday for good."""
    laid = lay(database, now=at("2021-04-07"))
    task, who = laid.assignment("IV.1.1", "so-ban"), "account:1"
    with database.write() as session:
        lifecycle.report(session, task, ReportText(body="Xong."), actor="contact:1", now=at("2021-06-14"))

    def accept(day: str) -> None:
        by = {"actor": who, "now": at(day, "09:00")}
        with database.write() as session:
            act = partial(lifecycle.accept, session, task, **by)
            undoable(session, EventKind.ACCEPTED, [task], act, place="/accept", **by)  # type: ignore[arg-type]

    def taken() -> float | None:
        with looking(database, at("2021-06-21")) as (session, today):
            return conduct(session, today, AssignmentFilter(agency_id="so-ban")).total.accept_days

    accept("2021-06-15")
    assert taken() == 1
    with database.write() as session:
        (act,) = undoable_acts(session, who, "/accept", at("2021-06-15", "10:00"))
        undo(session, act.id, actor=who, now=at("2021-06-15", "10:00"))
    assert taken() is None
    accept("2021-06-18")
    assert taken() == 4
