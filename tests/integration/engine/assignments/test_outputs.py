"""Outputs: owed, given with a report, found complete or missing at acceptance; what returned reports lacked."""

from __future__ import annotations

from datetime import date

import pytest
from ground.factory import at, item, lay, plan_file, row, rows
from ground.office import looking

from engine.assignments import lifecycle
from engine.assignments.bulk_decisions import accept_reports
from engine.assignments.lifecycle import ReportText
from engine.assignments.promise_rows import PromiseText
from engine.assignments.promises import make_promise
from engine.errors import BadInput
from engine.queries.figures.board import PromisedCounts, promised_counts
from engine.queries.work.assignments import AssignmentFilter, list_assignments
from engine.queries.work.promises import reasons_counted
from engine.rules.outputs import GivenOutput
from engine.store.database import Database
from engine.store.records import Assignment, Event, Report
from engine.terms import EventKind, Outcome, State

OPENED, NOW = at("2021-04-07"), at("2021-06-10", "09:00")
OWING = plan_file(items=(item(1, "so-ban", output={"what": "Quyết định phê duyệt"}), item(2, "so-ban")))
"""Assignments 1, which owes a decision, and 2, which owes none."""
MONITOR = {"actor": "account:1", "now": NOW}


@pytest.fixture(autouse=True)
def laid(database: Database) -> None:
    lay(database, now=OPENED, plan=OWING)


def report(
    database: Database, assignment: int, outcome: Outcome = Outcome.DONE, given: GivenOutput | None = None
) -> int:
    reason = "" if outcome is Outcome.DONE else "Chờ."
    with database.write() as session:
        promise = PromiseText(on=None if outcome is Outcome.DONE else date(2021, 6, 24))
        text = ReportText(outcome=outcome, body="Đã làm.", reason=reason, output=given, promise=promise)
        return lifecycle.report(session, assignment, text, actor="contact:1", now=NOW)


def test_what_is_given_is_kept_with_the_report(database: Database) -> None:
    report(database, 1, given=GivenOutput(number="12/QĐ-UBND", on=date(2021, 6, 9)))
    assert row(database, Report, assignment_id=1).output == {"number": "12/QĐ-UBND", "on": "2021-06-09"}


def test_a_done_task_is_accepted_with_its_output_or_with_a_reason_that_the_event_keeps(database: Database) -> None:
    first, second = report(database, 1), report(database, 2)
    with database.write() as session, pytest.raises(BadInput, match="chưa đủ sản phẩm"):
        lifecycle.accept(session, 1, **MONITOR)  # type: ignore[arg-type]
    with database.write() as session:
        lifecycle.accept(session, 1, reason="Sở đã có bản giấy.", **MONITOR)  # type: ignore[arg-type]
        lifecycle.accept(session, 2, **MONITOR)  # type: ignore[arg-type]
    assert [row(database, Report, id=each).output_complete for each in (first, second)] == [False, None]
    kept, plain = (each.detail for each in rows(database, Event, kind=EventKind.ACCEPTED))
    assert (kept, plain) == ({"complete": False, "lacking": "Sở đã có bản giấy."}, {})


def test_an_unfinished_report_is_accepted_without_being_asked_for_the_output(database: Database) -> None:
    report(database, 1, Outcome.PARTLY)
    with database.write() as session:
        lifecycle.accept(session, 1, **MONITOR)  # type: ignore[arg-type]
    assert row(database, Report, assignment_id=1).output_complete is None


def test_of_many_those_that_are_not_complete_need_the_reason_and_none_is_accepted_without(database: Database) -> None:
    ids = [report(database, 1), report(database, 2)]
    with pytest.raises(BadInput, match="chưa đủ sản phẩm"), database.write() as session:
        accept_reports(session, ids, **MONITOR)  # type: ignore[arg-type]
    assert {each.state for each in rows(database, Assignment) if each.period == "2021-H1"} == {State.REPORTED}
    with database.write() as session:
        accept_reports(session, ids, complete=ids, **MONITOR)  # type: ignore[arg-type]
    assert [row(database, Report, id=each).output_complete for each in ids] == [True, None]


def counted(database: Database) -> dict[str, tuple[int, list[int]]]:
    """By code: the number, and the tasks that its link lists."""
    with looking(database, NOW) as (session, today):
        found = reasons_counted(session, today, AssignmentFilter())
        return {
            each.code: (
                each.tasks,
                [row.id for row in list_assignments(session, today, AssignmentFilter(reason=each.code)).rows],
            )
            for each in found
        }


def test_a_return_has_a_code_of_the_policy_that_is_summed_with_those_of_promises(database: Database) -> None:
    report(database, 1)
    report(database, 2, Outcome.NOT_YET)
    with database.write() as session, pytest.raises(BadInput, match="mã lý do"):
        lifecycle.return_report(session, 1, reason="Thiếu.", reason_code="la", **MONITOR)  # type: ignore[arg-type]
    with database.write() as session:
        lifecycle.return_report(session, 1, reason="Thiếu.", reason_code="thieu-san-pham", **MONITOR)  # type: ignore[arg-type]
    assert row(database, Report, assignment_id=1).returned_code == "thieu-san-pham"
    assert row(database, Event, kind=EventKind.RETURNED).detail["code"] == "thieu-san-pham"
    assert counted(database) == {"thieu-san-pham": (1, [1]), "khac": (1, [2])}


def test_a_return_takes_the_place_of_the_promise_before_it_and_a_promise_that_of_the_return(database: Database) -> None:
    report(database, 2, Outcome.NOT_YET)
    with database.write() as session:
        lifecycle.return_report(session, 2, reason="Thiếu số.", reason_code="so-lieu", **MONITOR)  # type: ignore[arg-type]
    assert counted(database) == {"so-lieu": (1, [2])}
    with database.write() as session:
        text = PromiseText(on=date(2021, 7, 20), reason_code="kinh-phi", reason="Chờ kinh phí.")
        make_promise(session, 2, text, "difficulty", actor="contact:1", now=at("2021-06-11"))
    assert counted(database) == {"kinh-phi": (1, [2])}


def test_what_is_promised_is_counted_by_its_day(database: Database) -> None:
    report(database, 2, Outcome.NOT_YET)
    for now, expected in ((NOW, PromisedCounts(1, 0)), (at("2021-07-20"), PromisedCounts(0, 1))):
        with looking(database, now) as (session, today):
            assert promised_counts(session, today, AssignmentFilter()) == expected
            assert promised_counts(session, today, AssignmentFilter(citation="IV.1.1")) == PromisedCounts()


def test_a_report_without_a_promised_day_says_why_it_is_not_done(database: Database) -> None:
    text = ReportText(outcome=Outcome.NOT_YET, reason="Chờ.", promise=PromiseText(reason_code="kinh-phi"))
    with database.write() as session:
        lifecycle.report(session, 2, text, actor="contact:1", now=NOW)
    assert counted(database) == {"kinh-phi": (1, [2])}
    report(database, 2, Outcome.NOT_YET)
    assert counted(database) == {"khac": (1, [2])}
    with database.write() as session:
        lifecycle.report(session, 2, text, actor="contact:1", now=at("2021-06-12"))
    assert counted(database) == {"kinh-phi": (1, [2])}
