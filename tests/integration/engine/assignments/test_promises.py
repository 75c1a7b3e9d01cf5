"""Promises: what counts, what is chased until when, kept and broken, agreed to and refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from functools import partial

import pytest
from ground.factory import at, do, item, lay, plan_file, policy, row, rows, swept, told

from engine.assignments import lifecycle
from engine.assignments.lifecycle import ReportText
from engine.assignments.promise_rows import PromiseText, promises_of
from engine.assignments.promises import decide_promise, make_promise
from engine.errors import BadInput, Conflict, ForbiddenMove
from engine.rules.calendar import ONE_DAY, local_date
from engine.rules.situation import Action
from engine.store.database import Database
from engine.store.records import Assignment, Event, Notice, Promise, Report
from engine.terms import EventKind, NoticeKind, Outcome, PromiseState, Quiet

OPENED = at("2021-04-07")
LONE = plan_file(items=(item(1, "so-ban"),))
"""One assignment, due Thursday 17 June 2021."""


def lone(database: Database, **files: object) -> None:
    lay(database, now=OPENED, **{"plan": LONE} | files)
    swept(database, OPENED)
    do(database, Action.ACKNOWLEDGE, 1, now=OPENED)


def promise(database: Database, day: str, on: str = "", reason: str = "Chờ kinh phí.", code: str = "kinh-phi") -> int:
    """A report «chưa thực hiện» with a promise; returns the promise's id."""
    text = PromiseText(on=date.fromisoformat(on) if on else None, reason_code=code)
    with database.write() as session:
        report = ReportText(outcome=Outcome.NOT_YET, reason=reason, promise=text)
        lifecycle.report(session, 1, report, actor="contact:1", now=at(day, "09:00"))
    return int(rows(database, Promise)[-1].id)


def who(mailbox: str) -> str:
    """«coordinator», «director»: the head of the department above."""
    return "director" if mailbox == "head@so-chinh.example" else mailbox.partition("@")[0]


def live(database: Database, first: str, last: str) -> list[tuple[str, str, str]]:
    """Sweep each morning; (day, rung, kind of mailbox) of each line that came about."""
    day, found = date.fromisoformat(first), []
    while day <= date.fromisoformat(last):
        swept(database, at(day.isoformat(), "07:00"))
        found += [(day.isoformat(), rung, who(mailbox)) for mailbox, rung, _ in told(database, day)]
        day += ONE_DAY
    return found


def states(database: Database) -> list[PromiseState]:
    return [each.state for each in rows(database, Promise)]


def happened(database: Database, kind: EventKind) -> list[str]:
    return [each.detail["on"] for each in rows(database, Event, kind=kind)]


def test_until_the_promised_day_only_its_coordinator_is_reminded_and_chasing_begins_behind_it(
    database: Database,
) -> None:
    lone(database)
    promise(database, "2021-06-16", "2021-07-12")
    lines = live(database, "2021-06-17", "2021-07-15")
    assert [each for each in lines if each[0] <= "2021-07-12"] == [
        ("2021-07-07", "H-3", "coordinator"),
        ("2021-07-09", "H-1", "coordinator"),
    ]
    assert [each[:2] for each in lines if each[0] > "2021-07-12"] == [("2021-07-13", "H+1")] * 2 + [
        ("2021-07-15", "H+3")
    ] * 3
    assert states(database) == [PromiseState.BROKEN]
    assert happened(database, EventKind.PROMISE_BROKEN) == ["2021-07-12"]
    assert row(database, Promise).ended_on == date(2021, 7, 13)


def test_a_promise_is_kept_by_a_report_that_the_task_is_done_in_time(database: Database) -> None:
    lone(database)
    promise(database, "2021-06-16", "2021-07-12")
    do(database, Action.REPORT, 1, now=at("2021-07-12", "16:00"))
    assert states(database) == [PromiseState.KEPT]
    assert row(database, Promise).ended_on == date(2021, 7, 12)
    kept = row(database, Event, kind=EventKind.PROMISE_KEPT)
    assert (kept.assignment_id, kept.detail) == (1, {"on": "2021-07-12", "number": 1})
    assert happened(database, EventKind.PROMISE_BROKEN) == []
    assert row(database, Assignment).promised_on is None
    assert row(database, Assignment).quiet is Quiet.AWAITING_ACCEPTANCE
    assert live(database, "2021-07-13", "2021-07-30") == []


def test_a_promise_that_is_reported_done_too_late_was_broken_although_no_pass_ran(database: Database) -> None:
    lone(database)
    promise(database, "2021-06-16", "2021-07-12")
    do(database, Action.REPORT, 1, now=at("2021-07-16", "06:00"))
    assert states(database) == [PromiseState.BROKEN]
    assert row(database, Promise).ended_on == date(2021, 7, 13), "the day after its own, whenever that is seen"


def test_the_second_broken_promise_is_told_to_the_head_of_the_department_and_the_third_to_the_leadership(
    database: Database,
) -> None:
    lone(database, rules=policy(promises_alone=5))
    promise(database, "2021-06-16", "2021-06-21")
    first = {each[2] for each in live(database, "2021-06-17", "2021-06-25")}
    promise(database, "2021-06-25", "2021-07-05")
    second = {each[2] for each in live(database, "2021-06-26", "2021-07-09")}
    promise(database, "2021-07-09", "2021-07-19")
    third = {each[2] for each in live(database, "2021-07-10", "2021-07-26")}
    usual = {"coordinator", "head", "monitor"}
    assert (first, second) == (usual, usual | {"director"})
    assert third == usual | {"director", "leadership"}
    assert row(database, Assignment).broken_before == 2


def test_a_promise_too_far_ahead_waits_and_the_task_is_chased_until_the_monitor_agrees(database: Database) -> None:
    lone(database)
    waiting = promise(database, "2021-06-16", "2021-09-30")
    assert states(database) == [PromiseState.WAITING]
    assert ("2021-06-18", "T+1", "coordinator") in live(database, "2021-06-17", "2021-06-18")
    asked = [each for each in rows(database, Notice) if each.kind is NoticeKind.PROMISE_ASKED]
    assert [each.detail["until"] for each in asked] == ["2021-09-30"]
    with database.write() as session:
        decide_promise(session, waiting, agreed=True, actor="account:1", now=at("2021-06-20"))
    assert states(database) == [PromiseState.STANDING]
    assert row(database, Assignment).promised_on == date(2021, 9, 30)
    assert live(database, "2021-06-22", "2021-09-24") == []
    told_of = [each for each in rows(database, Notice) if each.kind is NoticeKind.PROMISE_DECIDED]
    assert [each.detail["granted"] for each in told_of] == [True]


def test_the_third_promise_of_a_task_waits_for_the_monitor(database: Database) -> None:
    lone(database)
    for day, on in (("2021-06-16", "2021-06-30"), ("2021-06-18", "2021-07-02"), ("2021-06-21", "2021-07-06")):
        promise(database, day, on)
    assert states(database) == [PromiseState.REPLACED, PromiseState.STANDING, PromiseState.WAITING]
    assert row(database, Assignment).promised_on == date(2021, 7, 2)


def test_a_refused_promise_counts_for_nothing_and_its_agency_is_told_why(database: Database) -> None:
    lone(database)
    standing = promise(database, "2021-06-18", "2021-07-12")
    with database.write() as session:
        with pytest.raises(BadInput, match="lý do"):
            decide_promise(session, standing, agreed=False, actor="account:1", now=at("2021-06-19"))
        decide_promise(
            session, standing, agreed=False, answer="Việc gấp.", actor="account:1", now=at("2021-06-19", "10:00")
        )
    assert states(database) == [PromiseState.REFUSED]
    assert row(database, Assignment).promised_on is None
    assert ("2021-06-22", "T+3", "monitor") in live(database, "2021-06-20", "2021-06-22")
    (decided,) = [each for each in rows(database, Notice) if each.kind is NoticeKind.PROMISE_DECIDED]
    assert (decided.detail["granted"], decided.detail["answer"]) == (False, "Việc gấp.")
    with database.write() as session, pytest.raises(Conflict):
        decide_promise(session, standing, agreed=True, actor="account:1", now=at("2021-06-20"))


def test_a_late_task_is_promised_without_a_report(database: Database) -> None:
    lone(database)
    text = PromiseText(on=date(2021, 7, 12), reason="Chờ Sở Tài chính.", reason_code="phoi-hop", waits_for="so-chinh")
    with database.write() as session:
        made = make_promise(session, 1, text, "extension", actor="contact:1", now=at("2021-06-21"))
    assert (made.waits, made.number) == (False, 1)
    kept = row(database, Promise)
    assert (kept.waits_for, kept.source, kept.reason) == ("so-chinh", "extension", "Chờ Sở Tài chính.")
    assert not [each for each in live(database, "2021-06-22", "2021-07-06") if each[1].startswith("T")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (PromiseText(on=date(2021, 6, 21), reason="x"), "sau"),
        (PromiseText(on=date(2031, 6, 21), reason="x"), "3 năm"),
        (PromiseText(on=date(2021, 7, 12), reason="x", reason_code="luoi"), "mã lý do"),
        (PromiseText(on=date(2021, 7, 12), reason="x", waits_for="khong-co"), "danh bạ"),
        (PromiseText(on=date(2021, 7, 12), reason="x", waits_for="so-ban"), "chính mình"),
        (PromiseText(on=date(2021, 7, 12)), "lý do"),
    ],
)
def test_a_promise_that_says_nothing_is_refused(database: Database, text: PromiseText, said: str) -> None:
    lone(database)
    with database.write() as session, pytest.raises(BadInput, match=f"(?i){said}"):
        make_promise(session, 1, text, "extension", actor="contact:1", now=at("2021-06-21"))


def test_nothing_is_promised_of_a_task_that_is_done(database: Database) -> None:
    lone(database)
    do(database, Action.REPORT, 1, now=at("2021-06-16"))
    with database.write() as session, pytest.raises(ForbiddenMove):
        make_promise(session, 1, PromiseText(reason="x"), "difficulty", actor="contact:1", now=at("2021-06-17"))


def test_a_returned_report_and_a_cancelled_task_end_what_was_promised(database: Database) -> None:
    lone(database)
    promise(database, "2021-06-16", "2021-07-12")
    do(database, Action.RETURN, 1, now=at("2021-06-17"))
    assert states(database) == [PromiseState.REPLACED]
    assert row(database, Assignment).promised_on is None
    promise(database, "2021-06-18", "2021-07-12")
    do(database, Action.RETURN, 1, now=at("2021-06-19"))
    do(database, Action.CANCEL, 1, now=at("2021-06-20"))
    assert states(database) == [PromiseState.REPLACED] * 2


ENDS = {
    "cancelled": partial(lifecycle.cancel, reason="Nhập nhầm."),
    "kept for the figures": partial(lifecycle.keep_for_figures, followed_by=["so-chinh"], basis="NQ 1"),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_no_promise_stands_of_a_task_that_nobody_is_asked_for_any_more(
    database: Database, end: Callable[..., None]
) -> None:
    lone(database)
    text = PromiseText(on=date(2021, 7, 12), reason="Chờ kinh phí.", reason_code="kinh-phi")
    with database.write() as session:
        make_promise(session, 1, text, "difficulty", actor="contact:1", now=at("2021-06-21"))
        end(session, 1, actor="account:1", now=at("2021-06-22"))
    assert states(database) == [PromiseState.REPLACED]
    assert row(database, Promise).ended_on == date(2021, 6, 22)


@pytest.mark.parametrize(("on", "state"), [("2021-07-01", PromiseState.STANDING), ("2021-07-02", PromiseState.WAITING)])
def test_the_last_day_that_needs_no_agreement_counts_at_once(database: Database, on: str, state: PromiseState) -> None:
    lone(database, rules=policy(promise_max_days=11))
    promise(database, "2021-06-16", on)
    assert states(database) == [state]


@pytest.mark.parametrize(("on", "until"), [("2021-06-17", OPENED), ("2021-06-18", at("2021-06-09"))])
def test_only_a_promise_behind_the_due_date_begins_the_ladder_of_its_own_day(
    database: Database, on: str, until: datetime
) -> None:
    lone(database)
    promise(database, "2021-06-09", on)
    assert row(database, Assignment).acted_until == local_date(until)


def test_a_report_keeps_its_reason_by_code(database: Database) -> None:
    lone(database)
    promise(database, "2021-06-16", "2021-07-12", code="nhan-luc")
    assert row(database, Report).reason_code == "nhan-luc"


def test_marking_what_was_broken_twice_does_nothing(database: Database) -> None:
    lone(database)
    promise(database, "2021-06-16", "2021-06-30")
    live(database, "2021-07-01", "2021-07-02")
    live(database, "2021-07-01", "2021-07-02")
    assert happened(database, EventKind.PROMISE_BROKEN) == ["2021-06-30"]
    with database.read() as session:
        assert [each.state for each in promises_of(session, 1)] == [PromiseState.BROKEN]


def test_a_promise_for_a_closed_day_is_one_for_the_next_working_day(database: Database) -> None:
    """Civil Code art. 148."""
    lone(database)
    promise(database, "2021-06-16", "2021-06-20")
    assert row(database, Promise).promised_on == date(2021, 6, 21)
    assert row(database, Assignment).promised_on == date(2021, 6, 21)
    assert happened(database, EventKind.PROMISED) == ["2021-06-21"]
    swept(database, at("2021-06-21", "07:00"))
    assert states(database) == [PromiseState.STANDING]


def test_the_same_day_once_more_is_the_same_promise(database: Database) -> None:
    lone(database)
    for corrected_on in ("2021-06-16", "2021-06-16", "2021-06-18"):
        promise(database, corrected_on, "2021-07-12")
    assert states(database) == [PromiseState.STANDING]
    assert row(database, Assignment).promised_on == date(2021, 7, 12)
    promise(database, "2021-06-21", "2021-07-13")
    assert states(database) == [PromiseState.REPLACED, PromiseState.STANDING]


def test_the_same_day_that_waits_is_asked_about_once(database: Database) -> None:
    lone(database)
    for corrected_on in ("2021-06-16", "2021-06-17"):
        promise(database, corrected_on, "2021-09-30")
    assert states(database) == [PromiseState.WAITING]
    assert [each.kind for each in rows(database, Notice)].count(NoticeKind.PROMISE_ASKED) == 1


def test_a_day_is_promised_or_none_is(database: Database) -> None:
    lone(database)
    with database.write() as session, pytest.raises(BadInput, match="ngày hẹn"):
        make_promise(session, 1, PromiseText(reason="Chờ."), "difficulty", actor="contact:1", now=at("2021-06-16"))


def test_a_report_without_a_day_keeps_what_is_left_to_do_and_tells_who_is_waited_for(database: Database) -> None:
    lone(database)
    left = PromiseText(reason_code="phoi-hop", owed="Hai xã vùng cao.", waits_for="huyen-a")
    text = ReportText(outcome=Outcome.NOT_YET, reason="Chờ số liệu.", promise=left)
    with database.write() as session:
        lifecycle.report(session, 1, text, actor="contact:1", now=at("2021-06-16"))
    assert rows(database, Promise) == []
    stored = row(database, Report)
    assert (stored.reason, stored.reason_code) == ("Chờ số liệu.\n\nViệc còn lại: Hai xã vùng cao.", "phoi-hop")
    (notice,) = [each for each in rows(database, Notice) if each.kind is NoticeKind.COORDINATES]
    assert (notice.detail["waits"], notice.detail["until"]) == (True, "")
