"""Acting on what is due: each rung once, the right people, whatever is stored and however long the process was off."""

from __future__ import annotations

import threading
from datetime import date
from typing import Any

import pytest
from ground.databases import closing_database
from ground.factory import at, do, happened, item, lay, plan_file, policy, row, rows, store, swept, told
from sqlalchemy import update

from engine.assignments import lifecycle
from engine.assignments.escalation import due_assignments, due_duties, run_escalations
from engine.assignments.lifecycle import ReportText
from engine.assignments.promise_rows import PromiseText
from engine.plans.closing import end as end_plan
from engine.rules.calendar import ONE_DAY, local_date
from engine.rules.situation import Action
from engine.store.database import Database, table
from engine.store.records import Assignment, Contact, Event, Letter, Notice, Promise
from engine.store.rulebook import read_rulebook
from engine.terms import EventKind, Outcome, PromiseState, Quiet, Role
from engine.views.event_sentences import said as said_event

OPENED = at("2021-04-07")
LONE = plan_file(items=(item(1, "so-ban"),))


def lone(database: Database, **files: Any) -> None:
    """One assignment, of so-ban, acknowledged: due Thursday 17 June 2021."""
    laid = lay(database, now=OPENED, **{"plan": LONE} | files)
    swept(database, OPENED)
    do(database, Action.ACKNOWLEDGE, laid.assignment("IV.1.1", "so-ban"), now=OPENED)


def said(database: Database, day: str) -> list[tuple[str, str]]:
    return [each[:2] for each in told(database, date.fromisoformat(day))]


def test_opening_tells_each_owner_once_and_looks_again_at_the_next_rung(database: Database) -> None:
    lay(database, now=OPENED)
    first, again = swept(database, OPENED), swept(database, OPENED)
    assert (first.seen, first.fired, first.notices) == (5, 5, 5)
    assert again.seen == 0
    assert {each.next_action_at for each in rows(database, Assignment)} == {
        at("2021-04-12", "07:00"),  # not acknowledged: asked again after three days
        at("2021-04-14", "07:00"),  # a request: after five
    }


def test_a_pass_repeated_as_if_it_had_never_been_done_changes_nothing(database: Database) -> None:
    lone(database)
    was = row(database, Assignment)
    swept(database, at("2021-06-03"))
    before = [rows(database, model) for model in (Letter, Notice, Event)]
    with database.write() as session:
        back = {"next_action_at": at("2021-06-03", "07:00"), "acted_until": was.acted_until, "level": was.level}
        session.connection().execute(update(table(Assignment)).values(**back))
    again = swept(database, at("2021-06-03", "07:05"))
    assert (again.fired, again.notices) == (1, 0)
    assert [rows(database, model) for model in (Letter, Notice, Event)] == before


def test_nothing_is_said_before_its_minute(database: Database) -> None:
    lone(database)
    assert swept(database, at("2021-06-03", "06:59")).seen == 0
    assert swept(database, at("2021-06-03", "07:00")).fired == 1


def test_a_late_assignment_climbs_step_by_step(database: Database) -> None:
    lone(database)
    for day in ("2021-06-18", "2021-06-22", "2021-06-28", "2021-07-08", "2021-07-09"):
        swept(database, at(day))
    agency = ["coordinator@so-ban.example", "head@so-ban.example"]
    assert said(database, "2021-06-18") == [(each, "T+1") for each in agency]
    for day, rung in (("2021-06-22", "T+3"), ("2021-06-28", "T+7")):
        assert said(database, day) == [(each, rung) for each in (*agency, "monitor@so-chinh.example")]
    above = ["head@so-chinh.example", "monitor@so-chinh.example"]
    assert said(database, "2021-07-08") == [(each, "T+15") for each in sorted((*agency, *above))]
    assert said(database, "2021-07-09") == [("leadership@tinh.example", "T+16")]
    assert row(database, Assignment).level == 3


def test_the_departments_own_lateness_climbs_to_the_body_above_it(database: Database) -> None:
    lay(database, now=OPENED, plan=plan_file(items=(item(1, "so-chinh"),)))
    for day in ("2021-04-07", "2021-04-14", "2021-06-18", "2021-06-22"):
        swept(database, at(day))
    own = ["coordinator@so-chinh.example", "head@so-chinh.example"]
    assert said(database, "2021-06-22") == [(each, "T+3") for each in (*own, "monitor@tinh.example")]
    for day in ("2021-06-28", "2021-07-08", "2021-07-09"):
        swept(database, at(day))
    assert said(database, "2021-07-08") == [(each, "T+15") for each in (*own, "monitor@tinh.example")]
    assert said(database, "2021-07-09") == [("leadership@tinh.example", "T+16")]


def test_the_leadership_hears_only_of_what_is_still_open_a_working_day_after_the_head(database: Database) -> None:
    laid = lay(database, now=OPENED, plan=LONE)
    for day in ("2021-04-07", "2021-06-18", "2021-06-22", "2021-06-28", "2021-07-08"):
        swept(database, at(day))
    do(database, Action.REPORT, laid.assignment("IV.1.1", "so-ban"), now=at("2021-07-08", "15:00"))
    swept(database, at("2021-07-09"))
    assert said(database, "2021-07-09") == []


def test_a_known_number_gets_an_sms_beside_the_e_mail_once_it_is_overdue(database: Database) -> None:
    lone(database)
    with database.write() as session:
        coordinator = (table(Contact).c.agency_id == "so-ban", table(Contact).c.role == Role.COORDINATOR)
        session.connection().execute(update(table(Contact)).where(*coordinator).values(phone="+84912345678"))
    for day in ("2021-06-03", "2021-06-14", "2021-06-16", "2021-06-18"):
        swept(database, at(day))
    channels = [(each.day, each.channel) for each in rows(database, Letter) if each.role is Role.COORDINATOR]
    days = [date(2021, 6, 3), date(2021, 6, 14), date(2021, 6, 16), date(2021, 6, 18)]
    assert [day for day, channel in channels if channel == "email"][1:] == days
    assert [day for day, channel in channels if channel == "sms"] == days[2:]


def test_after_a_week_off_each_person_gets_the_latest_and_the_rest_is_recorded_with_its_reason(
    database: Database,
) -> None:
    lone(database)
    swept(database, at("2021-06-16"))
    assert said(database, "2021-06-16") == [("coordinator@so-ban.example", "T-1")]
    skipped = {each.detail["rung"]: each.detail["reason"] for each in _skipped(database)}
    assert skipped == {**dict.fromkeys(("A+3", "A+4", "A+5"), "acknowledged"), "T-10": "overtaken", "T-3": "overtaken"}


def test_after_two_weeks_off_the_head_hears_a_working_day_before_the_department(database: Database) -> None:
    lone(database)
    swept(database, at("2021-06-16"))
    for day in ("2021-06-30", "2021-07-01"):
        swept(database, at(day))
    assert said(database, "2021-06-30") == [("coordinator@so-ban.example", "T+1"), ("head@so-ban.example", "T+1")]
    assert said(database, "2021-07-01") == [
        ("coordinator@so-ban.example", "T+7"),
        ("head@so-ban.example", "T+7"),
        ("monitor@so-chinh.example", "T+7"),
    ]


def test_a_pass_on_a_closed_day_writes_for_the_next_working_one(database: Database) -> None:
    lone(database)
    swept(database, at("2021-06-05"))
    assert {each.day for each in rows(database, Letter)} == {date(2021, 4, 7), date(2021, 6, 7)}


def test_an_urgent_plan_writes_on_a_closed_day_at_once(database: Database) -> None:
    sunday = at("2021-04-11", "22:00")
    lay(database, now=sunday, plan=plan_file(items=(item(1, "so-ban"),), urgency="hoa_toc"))
    swept(database, sunday)
    letter = row(database, Letter)
    assert (letter.urgent, letter.day, letter.send_after) == (True, date(2021, 4, 11), sunday)


def test_what_an_urgent_plan_did_is_told_in_days(database: Database) -> None:
    lay(database, now=OPENED, plan=plan_file(items=(item(1, "so-ban"),), urgency="khan"))
    swept(database, at("2021-06-20"))
    sentences = [said_event(each, "vi") for each in rows(database, Event, kind=EventKind.RUNG_FIRED)]
    assert "quá hạn 1 ngày" in " ".join(sentences)
    assert "ngày làm việc" not in " ".join(sentences)


def test_an_agency_nobody_can_reach_is_the_monitors_business(database: Database) -> None:
    lay(database, now=OPENED, plan=LONE)
    with database.write() as session:
        silent = table(Contact).c.agency_id == "so-ban"
        session.connection().execute(update(table(Contact)).where(silent).values(email=""))
    assert swept(database, OPENED).unreachable == 1
    assert told(database) == [("monitor@so-chinh.example", "open", "IV.1.1 so-ban")]
    event = row(database, Event, kind=EventKind.UNREACHABLE)
    assert event.detail == {"role": "coordinator", "agency": "so-ban", "rung": "open"}


def test_a_request_is_late_without_anybody_above_the_monitor_hearing_of_it(database: Database) -> None:
    laid = lay(database, now=OPENED, plan=plan_file(items=(item(1, "mat-tran", request=True),)))
    do(database, Action.ACKNOWLEDGE, laid.assignment("IV.1.1", "mat-tran"), now=OPENED)
    for day in ("2021-06-18", "2021-06-22", "2021-07-08", "2021-08-02"):
        swept(database, at(day))
    assert said(database, "2021-06-18") == [("coordinator@mat-tran.example", "T+1")]
    assert said(database, "2021-06-22") == [("monitor@so-chinh.example", "T+3")]
    assert {mailbox for mailbox, *_ in told(database)} == {"coordinator@mat-tran.example", "monitor@so-chinh.example"}


def test_a_ladder_stays_as_it_was_when_the_assignment_opened(database: Database) -> None:
    lone(database)
    rungs = [{"rung": "T-20", "due": -20, "to": ["coordinator"], "kind": "reminder"}]
    ladders = {"order": {"name": "x", "rungs": rungs}, "request": {"name": "y", "rungs": []}}
    store(database, now=at("2021-05-01"), plan=LONE, rules=policy(ladders=ladders))
    swept(database, at("2021-06-03"))
    assert said(database, "2021-06-03") == [("coordinator@so-ban.example", "T-10")]


def test_a_batch_takes_the_oldest_first_and_no_more_than_its_limit(database: Database) -> None:
    lay(database, now=OPENED)
    assert [swept(database, OPENED, limit=2).seen for _ in range(4)] == [2, 2, 1, 0]


def test_what_is_due_is_named_by_plan_citation_and_owners(database: Database) -> None:
    lay(database, now=OPENED)
    with database.read() as session:
        found = [(each.plan, each.citation, each.owners) for each in due_duties(session, OPENED)]
    assert found[1] == ("12/KH-UBND", "IV.2.1", ("huyen-a", "huyen-b"))
    assert [citation for _, citation, _ in found] == ["IV.1.1", "IV.2.1", "IV.3.1", "IV.4.1"]


def test_what_is_due_goes_owner_by_owner_and_says_after_which_part_an_agency_s_letters_are_complete(
    database: Database,
) -> None:
    laid = lay(database, now=OPENED)
    order = ("IV.2.1", "huyen-a"), ("IV.2.1", "huyen-b"), ("IV.3.1", "mat-tran"), ("IV.1.1", "so-ban")
    with database.read() as session:
        due = due_assignments(session, OPENED)
    assert due.ids == tuple(laid.assignment(*each) for each in (*order, ("IV.4.1", "so-chinh")))
    parts = [sorted(due.complete(start, start + 2)) for start in (0, 2, 4)]
    assert parts == [["huyen-a", "huyen-b"], ["mat-tran", "so-ban"], ["so-chinh", "tinh"]], "who supervises comes last"


def test_one_duty_can_be_acted_on_alone(database: Database) -> None:
    laid = lay(database, now=OPENED)
    duty_id = row(database, Assignment, id=laid.assignment("IV.3.1", "mat-tran")).duty_id
    with database.write() as session:
        assert run_escalations(session, read_rulebook(session), OPENED, limit=10, duty_id=duty_id).seen == 1
    assert [mailbox for mailbox, *_ in told(database)] == ["coordinator@mat-tran.example"]


def test_every_rung_fired_is_an_event(database: Database) -> None:
    lone(database)
    swept(database, at("2021-06-03"))
    fired = rows(database, Event, kind=EventKind.RUNG_FIRED)
    assert [(each.detail["rung"], each.detail["on"], each.actor) for each in fired] == [
        ("open", "2021-04-07", "system"),
        ("T-10", "2021-06-03", "system"),
    ]
    assert happened(database)[-1] == "rung_skipped"


@pytest.mark.postgres
def test_two_passes_at_once_share_the_work_and_double_nothing(postgres_url: str) -> None:
    with closing_database(postgres_url) as database:
        lay(database, now=OPENED, plan=plan_file(items=tuple(item(n, "cac-huyen") for n in range(1, 11))))
        start, seen = threading.Barrier(2), []

        def work() -> None:
            start.wait()
            while (count := swept(database, OPENED, limit=3).seen) > 0:
                seen.append(count)

        both = [threading.Thread(target=work) for _ in range(2)]
        for each in both:
            each.start()
        for each in both:
            each.join()
        assert sum(seen) == 20
        assert len(rows(database, Notice)) == 20
        assert len(rows(database, Letter)) == 2


def _skipped(database: Database) -> list[Any]:
    return rows(database, Event, kind=EventKind.RUNG_SKIPPED)


# --- a report that leaves the task unfinished -----------------------------------------------------------------------


def say_unfinished(
    database: Database, task: int, day: str, outcome: Outcome = Outcome.NOT_YET, promised: str = "2021-06-30"
) -> None:
    promise = PromiseText(on=date.fromisoformat(promised) if promised else None)
    text = ReportText(outcome=outcome, body="Đã làm 3 xã.", reason="Chờ kinh phí.", promise=promise)
    with database.write() as session:
        lifecycle.report(session, task, text, actor="contact:1", now=at(day, "09:00"))


def every_day(database: Database, first: str, last: str) -> list[tuple[str, str]]:
    """Sweep each morning; (day, rung) of what fired."""
    day, fired = date.fromisoformat(first), []
    while day <= date.fromisoformat(last):
        swept(database, at(day.isoformat(), "07:00"))
        day += ONE_DAY
    for event in rows(database, Event, kind=EventKind.RUNG_FIRED):
        if first <= local_date(event.at).isoformat() <= last:
            fired.append((event.detail["on"], event.detail["rung"]))
    return fired


AGAIN = [
    ("2021-06-25", "H-3"),
    ("2021-06-29", "H-1"),
    ("2021-07-01", "H+1"),
    ("2021-07-05", "H+3"),
    ("2021-07-09", "H+7"),
    ("2021-07-21", "H+15"),
    ("2021-07-22", "H+16"),
]
"""Counted from 30 June, which a report of 16 June promised."""


@pytest.mark.parametrize("outcome", [Outcome.NOT_YET, Outcome.PARTLY])
def test_a_task_reported_unfinished_is_asked_again_on_the_promised_day_and_chased_from_there(
    database: Database, outcome: Outcome
) -> None:
    lone(database)
    say_unfinished(database, 1, "2021-06-16", outcome)
    assert row(database, Assignment).next_action_at == at("2021-06-25", "07:00")
    assert every_day(database, "2021-06-17", "2021-07-31") == AGAIN
    found = row(database, Assignment)
    assert (found.level, found.next_action_at, found.quiet) == (3, None, Quiet.LADDER_ENDED)
    assert told(database, date(2021, 7, 5)) == [
        ("coordinator@so-ban.example", "H+3", "IV.1.1 so-ban"),
        ("head@so-ban.example", "H+3", "IV.1.1 so-ban"),
        ("monitor@so-chinh.example", "H+3", "IV.1.1 so-ban"),
    ]


def test_accepting_a_report_that_leaves_the_task_unfinished_does_not_stop_the_chasing(database: Database) -> None:
    lone(database)
    say_unfinished(database, 1, "2021-06-16")
    do(database, Action.ACCEPT, 1, now=at("2021-06-18"))
    assert every_day(database, "2021-06-19", "2021-07-31") == AGAIN


def test_a_new_report_of_an_unfinished_task_moves_the_day_and_a_report_of_a_done_one_ends_it(
    database: Database,
) -> None:
    lone(database)
    say_unfinished(database, 1, "2021-06-16")
    assert every_day(database, "2021-06-17", "2021-07-05") == AGAIN[:4]
    say_unfinished(database, 1, "2021-07-06", Outcome.PARTLY, "2021-07-20")
    assert row(database, Assignment).next_action_at == at("2021-07-15", "07:00")
    assert every_day(database, "2021-07-07", "2021-07-21")[-1] == ("2021-07-21", "H+1")
    do(database, Action.REPORT, 1, now=at("2021-07-22"))
    assert row(database, Assignment).next_action_at is None
    assert every_day(database, "2021-07-23", "2021-09-30") == []


def test_a_report_long_before_the_due_date_leaves_the_ladder_of_the_due_date(database: Database) -> None:
    lone(database)
    say_unfinished(database, 1, "2021-05-03", Outcome.PARTLY, "2021-05-17")  # due on 17 June
    assert every_day(database, "2021-05-04", "2021-06-22") == [
        ("2021-06-03", "T-10"),
        ("2021-06-14", "T-3"),
        ("2021-06-16", "T-1"),
        ("2021-06-18", "T+1"),
        ("2021-06-22", "T+3"),
    ]


def test_a_later_due_date_is_waited_for_although_the_task_was_reported_unfinished(database: Database) -> None:
    lone(database)
    say_unfinished(database, 1, "2021-06-16")
    with database.write() as session:
        asked = lifecycle.ask_extension(
            session, 1, until=date(2021, 7, 30), reason="Chờ số liệu.", actor="contact:1", now=at("2021-06-17")
        )
        lifecycle.decide_extension(session, asked, granted=True, actor="account:1", now=at("2021-06-17"))
    assert every_day(database, "2021-06-18", "2021-08-02")[-1] == ("2021-08-02", "T+1")


def test_a_body_that_is_only_asked_is_asked_again_and_nobody_above_is_told_but_the_monitor(database: Database) -> None:
    lay(database, now=OPENED, plan=plan_file(items=(item(1, "mat-tran", request=True),)))
    swept(database, at("2021-04-07", "09:00"))
    say_unfinished(database, 1, "2021-06-16")
    assert every_day(database, "2021-06-17", "2021-09-30") == [
        ("2021-06-25", "H-3"),
        ("2021-07-01", "H+1"),
        ("2021-07-05", "H+3"),
    ]
    assert {mailbox for mailbox, *_ in told(database)} == {"coordinator@mat-tran.example", "monitor@so-chinh.example"}
    assert row(database, Assignment).level == 0


@pytest.mark.parametrize("outcome", [Outcome.NOT_YET, Outcome.PARTLY])
def test_a_task_reported_unfinished_without_a_promised_day_is_chased_by_its_due_date(
    database: Database, outcome: Outcome
) -> None:
    lone(database)
    say_unfinished(database, 1, "2021-06-16", outcome, promised="")
    assert rows(database, Promise) == []
    assert row(database, Assignment).promised_on is None
    assert every_day(database, "2021-06-17", "2021-06-22")[-2:] == [("2021-06-18", "T+1"), ("2021-06-22", "T+3")]


def test_a_report_without_a_day_leaves_the_promise_that_stands(database: Database) -> None:
    lone(database)
    say_unfinished(database, 1, "2021-06-16")
    say_unfinished(database, 1, "2021-06-21", Outcome.PARTLY, promised="")
    assert every_day(database, "2021-06-22", "2021-07-31") == AGAIN
    assert [each.state for each in rows(database, Promise)] == [PromiseState.BROKEN]


def test_a_returned_report_is_chased_by_its_own_date_alone(database: Database) -> None:
    lone(database)
    say_unfinished(database, 1, "2021-06-16")
    do(database, Action.RETURN, 1, now=at("2021-06-17"))  # to be resubmitted by 24 June
    assert row(database, Assignment).promised_on is None
    assert every_day(database, "2021-06-18", "2021-06-25")[-1] == ("2021-06-25", "T+1")


def test_an_ended_plan_asks_nobody_again(database: Database) -> None:
    lone(database)
    say_unfinished(database, 1, "2021-06-16")
    with database.write() as session:
        end_plan(session, 1, reason="Hết năm.", actor="account:1", now=at("2021-06-20"))
    assert every_day(database, "2021-06-21", "2021-07-31") == []
