"""A plan ends: nothing opens or reminds any more, what is open stays, and a late report may still come in."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from ground.factory import Laid, at, do, happened, item, lay, plan_file, row, rows, store, swept, told

from engine.assignments.opening import open_due
from engine.errors import BadInput, Conflict, DondocError, ForbiddenMove, NotFound
from engine.plans.closing import OpenWork, PastPlan, end, past_plan, preview_end
from engine.queries.directory import agency_choices
from engine.queries.time_class import read_today
from engine.queries.work.assignment_story import story
from engine.queries.work.ladder_steps import Dropped, RungState
from engine.rules.situation import Action
from engine.store.database import Database
from engine.store.records import Assignment, Event, Notice, Plan
from engine.terms import EventKind, NoticeKind, PlanState, Quiet, State

OPENED, NOW = at("2021-04-07"), at("2021-06-24")


@pytest.fixture
def laid(database: Database) -> Laid:
    return lay(database, now=OPENED)


def ended(laid: Laid, reason: str = "Đã tổng kết.") -> int:
    with laid.database.write() as session:
        return end(session, laid.plan_id, reason=reason, actor="account:1", now=NOW)


def test_what_it_would_leave_is_told_before(laid: Laid) -> None:
    do(laid.database, Action.REPORT, laid.assignment("IV.1.1", "so-ban"), now=NOW)
    with laid.database.read() as session:
        assert preview_end(session, laid.plan_id, NOW) == OpenWork(open=4, overdue=4, waiting=1, to_open=5)


def test_nothing_opens_and_nobody_is_reminded_any_more(laid: Laid) -> None:
    assert ended(laid) == 5
    before = told(laid.database)
    later = NOW + timedelta(days=200)
    with laid.database.write() as session:
        assert open_due(session, later) == -1
    assert swept(laid.database, later).seen == 0
    assert told(laid.database) == before
    assert {(each.state, each.quiet) for each in rows(laid.database, Assignment)} == {
        (State.ASSIGNED, Quiet.PLAN_ENDED)
    }
    assert row(laid.database, Plan).state is PlanState.ENDED
    assert row(laid.database, Event, kind=EventKind.PLAN_ENDED).detail == {"reason": "Đã tổng kết.", "open": 5}


def test_whoever_still_owes_something_is_told_that_the_plan_has_ended(laid: Laid) -> None:
    do(laid.database, Action.REPORT, laid.assignment("IV.1.1", "so-ban"), now=NOW)
    ended(laid)
    told_of = {each.detail["reason"] for each in rows(laid.database, Notice, kind=NoticeKind.PLAN_ENDED)}
    assert told_of == {"Đã tổng kết."}
    mailboxes = {mailbox for mailbox, _, _ in told(laid.database, NOW.date())}
    assert "coordinator@huyen-a.example" in mailboxes
    assert "coordinator@so-ban.example" not in mailboxes


def test_a_late_report_may_come_in_be_returned_and_come_again_without_a_reminder(laid: Laid) -> None:
    ended(laid)
    task = laid.assignment("IV.2.1", "huyen-a")
    for action in (Action.REPORT, Action.RETURN):
        do(laid.database, action, task, now=NOW)
    returned = row(laid.database, Assignment, id=task)
    assert (returned.next_action_at, returned.quiet) == (None, Quiet.PLAN_ENDED)
    for action in (Action.REPORT, Action.ACCEPT):
        do(laid.database, action, task, now=NOW)
    assert row(laid.database, Assignment, id=task).state is State.ACCEPTED


def test_nothing_is_transferred_any_more(laid: Laid) -> None:
    ended(laid)
    with pytest.raises(ForbiddenMove, match="đã kết thúc"):
        do(laid.database, Action.TRANSFER, laid.assignment("IV.1.1", "so-ban"), now=NOW)


def test_the_story_says_that_nothing_more_will_be_said(laid: Laid) -> None:
    ended(laid)
    with laid.database.read() as session:
        found = story(session, read_today(session, NOW), laid.assignment("IV.1.1", "so-ban"))
    assert {(each.state, each.why) for each in found.rungs} == {(RungState.DROPPED, Dropped.PLAN_ENDED)}


@pytest.mark.parametrize(("plan", "reason", "error"), [(1, " ", BadInput), (99, "Xong.", NotFound)])
def test_an_ending_without_a_reason_or_a_plan_is_refused(
    laid: Laid, plan: int, reason: str, error: type[DondocError]
) -> None:
    with pytest.raises(error), laid.database.write() as session:
        end(session, plan, reason=reason, actor="cli", now=NOW)
    assert "plan_ended" not in happened(laid.database)


def test_a_plan_ends_once_and_only_after_it_ran(sqlite_database: Database) -> None:
    laid = store(sqlite_database, now=OPENED)
    with pytest.raises(Conflict, match="chưa kích hoạt"):
        ended(laid)
    with sqlite_database.write() as session:
        session.connection().execute(Plan.__table__.update().values(state=PlanState.ACTIVE))  # type: ignore[attr-defined]
    ended(laid)
    with pytest.raises(Conflict, match="kết thúc rồi"):
        ended(laid)


def test_a_plan_past_its_last_due_date_proposes_its_end(database: Database) -> None:
    once = item(1, "so-ban", cadence=["once"], rule="mot-lan")
    laid = lay(database, now=at("2021-06-01"), plan=plan_file(items=(once,)))
    with database.read() as session:
        assert past_plan(session, laid.plan_id, date(2021, 6, 30)) is None
        assert past_plan(session, laid.plan_id, date(2021, 7, 1)) == PastPlan(date(2021, 6, 30), 1)
        assert past_plan(session, 99, date(2021, 7, 1)) is None
        assert [each for each, _ in agency_choices(session, laid.plan_id)] == ["so-ban"]
        assert len(agency_choices(session)) > 1
    with database.write() as session:
        end(session, laid.plan_id, reason="Hết năm.", actor="cli", now=at("2021-07-01"))
        assert past_plan(session, laid.plan_id, date(2021, 7, 2)) is None


def test_a_plan_that_opens_more_is_not_past(database: Database) -> None:
    laid = lay(database, now=at("2021-06-01"), plan=plan_file(items=(item(1, "so-ban"),)))
    with database.read() as session:
        assert past_plan(session, laid.plan_id, date(2021, 8, 1)) is None
