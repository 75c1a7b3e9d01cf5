"""One assignment's story, an agency's desk, the report page, a letter, a plan, and the system's health."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest
from ground.factory import Laid, at, real_plan
from ground.office import NOW, contact_of, letter_of, looking
from sqlalchemy import update
from sqlmodel import Session

from engine.assignments.lifecycle import ReportText, report, return_report
from engine.assignments.promise_rows import PromiseText
from engine.errors import NotFound
from engine.queries.figures.plans import list_plans, plan_page
from engine.queries.system.health import PREFIX, Trouble, health
from engine.queries.system.letters import letter_html, letter_story
from engine.queries.time_class import Today
from engine.queries.work.assignment_story import story
from engine.queries.work.desk import SECTIONS, desk
from engine.queries.work.ladder_steps import RUNG_EVENTS, RungState
from engine.queries.work.report_page import report_page
from engine.store.database import Database, table
from engine.store.facts import Hold, hold_letters
from engine.store.records import Fact, Letter, Pass
from engine.terms import EventKind, LetterState, Outcome, Role, State, TimeClass, Timing

Seen = tuple[Session, Today]


def test_the_ladder_shows_what_was_sent_what_comes_next_and_when(laid: Laid, seen: Seen) -> None:
    found = story(*seen, laid.assignment("IV.2.1", "huyen-b"))

    rungs = {rung.rung: rung for rung in found.rungs}

    assert rungs["T+1"].state is RungState.FIRED
    assert {told.role for told in rungs["T+1"].letters} == {Role.COORDINATOR, Role.HEAD}
    assert (rungs["T+7"].state, rungs["T+7"].on) == (RungState.NEXT, date(2021, 6, 28))
    assert rungs["T+15"].state is RungState.LATER
    assert [rung.on for rung in found.rungs] == sorted(rung.on for rung in found.rungs)


def test_a_rung_that_was_left_out_says_why(laid: Laid, seen: Seen) -> None:
    rungs = {rung.rung: rung for rung in story(*seen, laid.assignment("IV.1.1", "so-ban")).rungs}
    assert (rungs["A+3"].state, rungs["A+3"].why) == (RungState.SKIPPED, "acknowledged")
    assert (rungs["T+1"].state, rungs["T+1"].why) == (RungState.DROPPED, "reported")


def test_the_ladder_of_a_task_reported_unfinished_shows_when_it_is_asked_again(fresh: Laid) -> None:
    task = fresh.assignment("IV.2.1", "huyen-b")
    with fresh.database.write() as session:
        text = ReportText(outcome=Outcome.NOT_YET, reason="Chờ.", promise=PromiseText(on=date(2021, 6, 30)))
        report(session, task, text, actor="contact:1", now=at("2021-06-16"))
    with looking(fresh.database, at("2021-06-17")) as seen:
        rungs = [rung for rung in story(*seen, task).rungs if rung.state in (RungState.NEXT, RungState.LATER)]
    assert [(rung.rung, rung.on.isoformat()) for rung in rungs] == [
        ("H-3", "2021-06-25"),
        ("H-1", "2021-06-29"),
        ("H+1", "2021-07-01"),
        ("H+3", "2021-07-05"),
        ("H+7", "2021-07-09"),
        ("H+15", "2021-07-21"),
        ("H+16", "2021-07-22"),
    ]


def test_events_are_told_newest_first_with_who_acted(laid: Laid, seen: Seen) -> None:
    found = story(*seen, laid.assignment("IV.1.1", "so-ban"))
    assert found.events[0].kind is EventKind.REPORTED
    assert found.events[-1].kind is EventKind.OPENED
    assert found.people[found.events[0].actor].role is Role.COORDINATOR


def test_steps_side_by_side_that_do_the_same_are_one_phase_and_other_acts_stand_apart(laid: Laid, seen: Seen) -> None:
    found = story(*seen, laid.assignment("IV.2.1", "huyen-b"))
    assert [each for run in found.phases for each in run] == list(found.rungs)
    names = [[each.rung for each in run] for run in found.phases]
    assert ["T+1"] in names, "nothing else is done for a third time then"
    assert len(names) < len(found.rungs)
    assert [each.kind for each in found.acts] == [e.kind for e in found.events if e.kind not in RUNG_EVENTS]


def test_a_consolidated_report_shows_which_reports_it_waits_for(laid: Laid, seen: Seen) -> None:
    found = story(*seen, laid.assignment("IV.4.1", "so-chinh"))
    assert [(row.agency_id, row.state) for row in found.waits_for] == [
        ("so-ban", State.REPORTED),
        ("huyen-a", State.REPORTED),
        ("huyen-b", State.ASSIGNED),
    ]
    assert found.head.due_why["vi"] == "ngày 20/6/2021 là Chủ nhật, hạn chuyển sang thứ Hai, 21/6/2021"
    assert found.head.source == "local"


def test_a_waiting_extension_stands_out(laid: Laid, seen: Seen) -> None:
    waiting = story(*seen, laid.assignment("IV.3.1", "mat-tran")).waiting_extension
    assert waiting is not None
    assert waiting.until == date(2021, 6, 30)


def test_there_is_no_story_of_an_assignment_that_is_not_there(seen: Seen) -> None:
    with pytest.raises(NotFound, match="999"):
        story(*seen, 999)


def test_every_assignment_of_a_desk_stands_in_exactly_one_section(laid: Laid, seen: Seen) -> None:
    for agency in ("so-ban", "huyen-a", "huyen-b", "mat-tran", "so-chinh"):
        found = desk(*seen, agency)
        assert sum(section.total for section in found.sections) == 1
    assert tuple(section.name for section in found.sections) == tuple(SECTIONS)


def test_a_desk_names_the_report_that_is_owed_and_who_is_written_to(seen: Seen) -> None:
    found = desk(*seen, "huyen-b")
    assert [(each.period, each.open, each.due_on) for each in found.owed] == [("2021-H1", 1, date(2021, 6, 17))]
    assert [each.role for each in found.contacts] == [Role.COORDINATOR, Role.HEAD]
    with pytest.raises(NotFound):
        desk(*seen, "nowhere")


def test_the_report_page_keeps_the_returned_report_and_its_figures(fresh: Laid) -> None:
    assignment = fresh.assignment("IV.2.1", "huyen-b")
    with fresh.database.write() as session:
        report(
            session,
            assignment,
            ReportText(outcome=Outcome.DONE, body="Xong.", figures={"II.3": 7}),
            actor="desk",
            now=NOW,
        )
        return_report(session, assignment, reason="Thiếu số liệu.", actor="desk", now=NOW)

    with looking(fresh.database) as seen:
        page = report_page(*seen, "huyen-b", fresh.plan_id, "2021-H1")

    assert page.items[0].open
    assert page.items[0].last is not None
    assert page.items[0].last.returned_reason == "Thiếu số liệu."
    assert page.figures == {"II.3": 7}
    assert page.done == 0


@pytest.mark.parametrize(
    ("agency", "plan", "period"), [("so-ban", 1, "2021-Q9"), ("so-ban", 9, "2021-H1"), ("x", 1, "2021-H1")]
)
def test_a_report_page_of_nothing_is_not_found(seen: Seen, agency: str, plan: int, period: str) -> None:
    with pytest.raises(NotFound):
        report_page(*seen, agency, plan, period)


def test_a_letter_opens_exactly_as_it_was_sent(laid: Laid, seen: Seen) -> None:
    letter_id = letter_of(laid.database, contact_of(laid.database, "huyen-b"))

    found = letter_story(seen[0], letter_id)

    assert found.row.state is LetterState.DELIVERED
    assert [line.citation for line in found.lines] == ["IV.2.1"]
    assert [attempt.fate for attempt in found.attempts] == ["delivered"]
    assert found.text is not None
    assert "IV.2.1" in found.text
    assert "<html" in letter_html(seen[0], letter_id)
    with pytest.raises(NotFound):
        letter_story(seen[0], 10_000)


def test_a_plan_shows_its_duties_and_where_their_dates_come_from(laid: Laid, seen: Seen) -> None:
    page = plan_page(*seen, laid.plan_id)
    duty = page.duties[0]
    assert (duty.citation, duty.owners, duty.rule and duty.rule.source) == ("IV.1.1", ("so-ban",), "local")
    assert [each.period for each in duty.rounds] == ["2021-H1", "2021-Y"]
    assert page.row.counts.overdue == 3
    assert [row.number for row in list_plans(*seen).rows] == ["12/KH-UBND"]


def test_the_real_plan_reports_the_number_that_its_document_leaves_out(sqlite_database: Database) -> None:
    real = real_plan(sqlite_database, now=at("2021-04-07"))
    with looking(sqlite_database) as seen:
        page = plan_page(*seen, real.plan_id)
    assert list(page.gaps) == ["IV.14"]
    assert len(page.duties) == 28


def test_health_is_well_once_passes_ran_and_no_letter_is_stuck(laid: Laid, seen: Seen) -> None:
    found = health(*seen, live=False)
    assert found.well
    assert {each.name for each in found.passes} >= {"act", "deliver", "digest"}
    assert found.digest_week == "2021-W25"


def test_health_says_each_trouble(fresh: Laid) -> None:
    m, p = table(Letter), table(Pass)
    with fresh.database.write() as session:
        stuck = update(m).where(m.c.id == 1).values(state=LetterState.QUEUED)
        doubt = update(m).where(m.c.id == 2).values(state=LetterState.UNKNOWN, day=NOW.date())
        session.connection().execute(stuck)
        session.connection().execute(doubt)
        found_wrong = {"without_next_step": 2, "letters_kept_here": 3, "unknown_letters": 1}
        values = {"name": "audit", "started_at": at("2021-06-23"), "finished_at": at("2021-06-23"), "error": "x"}
        session.connection().execute(p.insert().values(**values, counts=found_wrong))
        silent = {"failures": 5, "down_since": at("2021-06-23").isoformat(), "why": "454 too many logins"}
        hold_letters(session, Hold(at("2021-06-20"), at("2021-06-23")))
        session.connection().execute(table(Fact).insert().values(name=f"{PREFIX}email", value=json.dumps(silent)))

    with looking(fresh.database) as seen:
        found = health(*seen)

    assert set(found.troubles) == set(Trouble) - {Trouble.NO_PASS}
    assert found.findings == {"without_next_step": 2, "letters_kept_here": 3}
    assert [(each.name, each.up, each.why, each.set_up) for each in found.channels] == [
        ("email", False, "454 too many logins", True),
        ("sms", True, "", False),
    ]
    assert found.week.in_doubt == 1
    assert (found.owed, found.in_doubt, found.oldest is not None) == (1, 1, True)


def test_a_task_reported_late_and_partly_done_is_overdue_and_its_report_late(laid: Laid, seen: Seen) -> None:
    row = story(*seen, laid.assignment("IV.2.1", "huyen-a")).row
    assert (row.time_class, row.reported_on) == (TimeClass.OPEN_OVERDUE, date(2021, 6, 22))
    assert (row.report_timing, row.outcome, row.unfinished) == (Timing.LATE, Outcome.PARTLY, True)


def test_a_duty_of_a_plan_says_when_it_is_due_next(laid: Laid, seen: Seen) -> None:
    duties = {each.citation: each for each in plan_page(*seen, laid.plan_id).duties}
    duty = next(each for each in duties.values() if len(each.rounds) > 1 and not each.counts.overdue)
    first, last = duty.rounds[0], duty.rounds[-1]
    assert duty.due(first.on) == (first.on,)
    assert duty.due(date(2030, 1, 1)) == (last.on,)


def test_what_is_overdue_is_said_before_what_is_due_next_of_the_same_duty(laid: Laid, seen: Seen) -> None:
    duty = next(each for each in plan_page(*seen, laid.plan_id).duties if each.citation == "IV.2.1")
    assert duty.counts.overdue
    assert duty.due(NOW.date()) == (duty.counts.late_since,) == (date(2021, 6, 17),)
    both = replace(duty, counts=replace(duty.counts, earliest=date(2021, 9, 17)))
    assert both.due(NOW.date()) == (date(2021, 6, 17), date(2021, 9, 17))
