"""How often an agency was chased, and what waits for its department: by letters that left and requests that stand."""

from __future__ import annotations

from datetime import date

import pytest
from ground.factory import Laid, at, do, item, lay, plan_file, policy, rows, swept
from sqlalchemy import select, update

from engine.assignments import lifecycle
from engine.assignments.backlog import backlogs
from engine.assignments.chasing import Chased, chased, escalations_sent
from engine.assignments.lifecycle import ReportText
from engine.assignments.promise_rows import PromiseText
from engine.plans.closing import redate_all
from engine.rules.situation import Action
from engine.store.database import Database, table
from engine.store.records import Assignment, Letter
from engine.store.rulebook import read_rulebook
from engine.terms import LetterState, Outcome

BAN = ("IV.1.1", "so-ban")


@pytest.fixture
def laid(database: Database) -> Laid:
    """One assignment, acknowledged, due Thursday 17 June 2021 and asked for on the 18th and, as an escalation, on the
    22nd (three working days late)."""
    laid = lay(database, now=at("2021-04-07"), plan=plan_file(items=(item(1, "so-ban"),)))
    swept(database, at("2021-04-07"))
    do(database, Action.ACKNOWLEDGE, laid.assignment(*BAN), now=at("2021-04-07"))
    return post(laid, "2021-06-18", "2021-06-22")


def post(laid: Laid, *days: str, state: LetterState = LetterState.DELIVERED) -> Laid:
    """The ladder of some days, with the fate of their letters at half past seven."""
    m = table(Letter)
    for day in days:
        swept(laid.database, at(day, "07:00"))
        fate = {"state": state, "sent_at": at(day, "07:30")}
        with laid.database.write() as session:
            session.connection().execute(update(m).where(m.c.day == date.fromisoformat(day)).values(**fate))
    return laid


def sent(laid: Laid) -> tuple[Chased | None, int]:
    """What was sent about the assignment, and how many escalations its row counts."""
    task = laid.assignment(*BAN)
    with laid.database.read() as session:
        level = session.connection().scalar(select(escalations_sent()).where(table(Assignment).c.id == task))
        return chased(session, [task]).get(task), level or 0


def test_days_on_which_the_agency_was_written_to_are_counted(laid: Laid) -> None:
    assert sent(laid) == (Chased(2, date(2021, 6, 22), 0, 1, date(2021, 6, 22)), 1)


def test_a_date_that_the_province_moves_begins_the_count_again(laid: Laid) -> None:
    task = laid.assignment(*BAN)
    with laid.database.write() as session:
        day, now = date(2021, 7, 15), at("2021-06-23")
        redate_all(session, [task], day=day, basis="CV 9/UBND", actor="account:1", now=now)
    assert sent(laid) == (None, 0)
    post(laid, "2021-07-16", "2021-07-20")
    assert sent(laid) == (Chased(2, date(2021, 7, 20), 0, 1, date(2021, 7, 20)), 1)


@pytest.mark.parametrize("state", [LetterState.QUEUED, LetterState.UNKNOWN, LetterState.KEPT_HERE])
def test_a_letter_that_did_not_arrive_chased_nobody(laid: Laid, state: LetterState) -> None:
    post(laid, "2021-06-28", state=state)
    assert sent(laid) == (Chased(2, date(2021, 6, 22), 0, 1, date(2021, 6, 22)), 1)


def test_after_a_return_the_count_begins_anew(laid: Laid) -> None:
    task = laid.assignment(*BAN)
    do(laid.database, Action.REPORT, task, now=at("2021-06-23"))
    with laid.database.write() as session:
        lifecycle.return_report(session, task, reason="Thiếu số liệu.", actor="account:1", now=at("2021-06-24"))
    assert sent(laid) == (None, 0)
    post(laid, "2021-07-02")  # a working day after the resubmission date, Thursday 1 July
    assert sent(laid) == (Chased(1, date(2021, 7, 2), 0, 0, None), 0)
    post(laid, "2021-07-06")
    assert sent(laid) == (Chased(2, date(2021, 7, 6), 0, 1, date(2021, 7, 6)), 1)


def test_a_request_about_a_task_reported_unfinished_waits_for_the_department(database: Database) -> None:
    laid = lay(database, now=at("2021-04-07"))
    task = laid.assignment(*BAN)
    promise = PromiseText(on=date(2021, 6, 24))
    partly = ReportText(outcome=Outcome.PARTLY, body="Đã tập huấn.", reason="Chờ kinh phí.", promise=promise)
    with database.write() as session:
        lifecycle.report(session, task, partly, actor="contact:1", now=at("2021-06-10"))
        lifecycle.accept(session, task, actor="account:1", now=at("2021-06-10", "09:00"))
        until = date(2021, 6, 30)
        lifecycle.ask_extension(session, task, until=until, reason="Lũ.", actor="contact:1", now=at("2021-06-11"))
    with database.read() as session:
        found = backlogs(session, {"so-chinh"}, read_rulebook(session).calendar, date(2021, 6, 16), policy())[
            "so-chinh"
        ]
    assert found.extensions is not None
    assert (found.count, found.extensions.since, found.extensions.days) == (1, date(2021, 6, 11), 3)
    assert rows(database, Assignment, id=task)[0].done_on is None
