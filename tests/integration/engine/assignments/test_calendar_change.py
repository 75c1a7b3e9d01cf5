"""The calendar changes: what would move is what then moves, once, and who is told."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from ground.factory import (
    Laid,
    at,
    begin,
    bring_to,
    do,
    happened,
    item,
    lay,
    plan_file,
    real_plan,
    row,
    rows,
    swept,
    told,
)

from engine.assignments import calendar_change, lifecycle
from engine.assignments.calendar_change import CalendarChange, Preview
from engine.assignments.situations import task_timing
from engine.errors import BadInput
from engine.plans.closing import redate_all
from engine.rules.calendar import DayException, DayKind
from engine.rules.situation import Action
from engine.store.database import Database
from engine.store.records import Assignment, CalendarDay, Event, Extension, Plan
from engine.terms import State, Timing

OPENED, NOW = at("2021-04-07"), at("2021-06-07")
JUNE_17 = date(2021, 6, 17)  # Thursday, when IV.1.1 and IV.2.1 are due


def off(*days: str) -> CalendarChange:
    named = (DayException(date.fromisoformat(day), DayKind.DAY_OFF, "Nghỉ bão", "12/CĐ") for day in days)
    return CalendarChange(tuple(named))


@pytest.fixture
def laid(database: Database) -> Laid:
    return lay(database, now=OPENED)


def previewed(laid: Laid, change: CalendarChange, now: Any = NOW) -> Preview:
    with laid.database.read() as session:
        return calendar_change.preview(session, change, now)


def applied(laid: Laid, change: CalendarChange, now: Any = NOW) -> Preview:
    with laid.database.write() as session:
        return calendar_change.apply(session, change, actor="account:1", now=now)


def due(laid: Laid, task: int) -> date:
    found: date = row(laid.database, Assignment, id=task).due_on
    return found


def test_a_day_off_on_the_due_date_would_move_it_to_the_next_working_day(laid: Laid) -> None:
    seen = previewed(laid, off("2021-06-17"))
    assert {(move.citation, move.agency_id, move.was, move.due) for move in seen.moves} == {
        ("IV.1.1", "so-ban", JUNE_17, date(2021, 6, 18)),
        ("IV.2.1", "huyen-a", JUNE_17, date(2021, 6, 18)),
        ("IV.2.1", "huyen-b", JUNE_17, date(2021, 6, 18)),
        ("IV.3.1", "mat-tran", JUNE_17, date(2021, 6, 18)),
    }
    assert "Nghỉ bão" in seen.moves[0].why["vi"]
    assert rows(laid.database, CalendarDay) == []


def test_what_was_previewed_is_what_moves_with_an_event_and_a_line_each(laid: Laid) -> None:
    seen = previewed(laid, off("2021-06-17"))
    assert applied(laid, off("2021-06-17")) == seen
    task = laid.assignment("IV.1.1", "so-ban")
    moved = row(laid.database, Assignment, id=task)
    assert (moved.due_on, moved.original_due_on) == (date(2021, 6, 18), JUNE_17)
    event = row(laid.database, Event, assignment_id=task, kind="due_moved")
    assert (event.detail["was"], event.detail["due"], event.actor) == ("2021-06-17", "2021-06-18", "account:1")
    lines = [each for each in told(laid.database) if each[1] == "due_moved"]
    assert len(lines) == seen.agencies == 4
    assert happened(laid.database, kind="calendar_changed") == ["calendar_changed"]


def test_applying_again_moves_and_tells_nothing(laid: Laid) -> None:
    applied(laid, off("2021-06-17"))
    before = rows(laid.database, Assignment), told(laid.database)
    assert applied(laid, off("2021-06-17")).moves == ()
    assert (rows(laid.database, Assignment), told(laid.database)) == before


def test_taking_the_day_back_moves_the_due_date_back(laid: Laid) -> None:
    applied(laid, off("2021-06-17"))
    applied(laid, CalendarChange(drop=(JUNE_17,)))
    assert due(laid, laid.assignment("IV.1.1", "so-ban")) == JUNE_17


def test_a_worked_saturday_brings_a_rolled_due_date_forward(laid: Laid) -> None:
    """The consolidated report's 20 June 2021 is a Sunday, rolled to Monday; that Sunday becomes a worked day."""
    change = CalendarChange((DayException(date(2021, 6, 20), DayKind.WORKED, "Làm bù"),))
    seen = previewed(laid, change)
    assert [(move.citation, move.was, move.due) for move in seen.moves] == [
        ("IV.4.1", date(2021, 6, 21), date(2021, 6, 20))
    ]


def test_a_worked_saturday_moves_reminders_without_a_word_where_the_due_date_stays(laid: Laid) -> None:
    task = laid.assignment("IV.1.1", "so-ban")
    swept(laid.database, at("2021-06-02"))
    change = CalendarChange((DayException(date(2021, 6, 12), DayKind.WORKED, "Làm bù"),))
    seen = previewed(laid, change, at("2021-06-02"))
    assert seen.moves == ()
    assert {each.rung for each in seen.rungs} >= {"T-10"}
    applied(laid, change, at("2021-06-02"))
    assert due(laid, task) == JUNE_17
    assert [each for each in told(laid.database) if each[1] == "due_moved"] == []


def test_the_next_look_follows_the_next_reminder(laid: Laid) -> None:
    swept(laid.database, at("2021-06-08"))
    task = laid.assignment("IV.1.1", "so-ban")
    assert row(laid.database, Assignment, id=task).next_action_at == at("2021-06-14", "07:00")  # T-3
    seen = applied(laid, off("2021-06-15"), at("2021-06-08"))
    assert ("T-3", date(2021, 6, 14), date(2021, 6, 11)) in [(each.rung, each.was, each.on) for each in seen.rungs]
    assert row(laid.database, Assignment, id=task).next_action_at == at("2021-06-11", "07:00")


def test_the_next_look_follows_a_due_date_that_a_calendar_moves_later_and_earlier_again(laid: Laid) -> None:
    task, day_off = laid.assignment("IV.1.1", "so-ban"), off("2021-06-16", "2021-06-17")
    swept(laid.database, at("2021-06-08"))
    applied(laid, day_off, at("2021-06-08"))
    assert due(laid, task) == date(2021, 6, 18)
    assert row(laid.database, Assignment, id=task).next_action_at == at("2021-06-11", "07:00")  # T-3
    applied(laid, CalendarChange(drop=tuple(each.day for each in day_off.set)), at("2021-06-08"))
    assert due(laid, task) == JUNE_17
    assert row(laid.database, Assignment, id=task).next_action_at == at("2021-06-14", "07:00")


def test_an_extended_date_is_reckoned_from_the_day_that_was_granted(laid: Laid) -> None:
    task = laid.assignment("IV.1.1", "so-ban")
    with laid.database.write() as session:
        asked = lifecycle.ask_extension(
            session, task, until=date(2021, 6, 25), reason="Chờ.", actor="contact:1", now=NOW
        )
        lifecycle.decide_extension(session, asked, granted=True, actor="account:1", now=NOW)
    applied(laid, off("2021-06-17"))
    assert due(laid, task) == date(2021, 6, 25)
    applied(laid, off("2021-06-25"))
    assert due(laid, task) == date(2021, 6, 28)


def test_an_extension_to_a_closed_day_ends_on_the_next_working_day_and_says_so(laid: Laid) -> None:
    """Civil Code art. 148: a report of that Monday is in time."""
    task = laid.assignment("IV.1.1", "so-ban")
    extended(laid, task, date(2021, 6, 26))
    assert due(laid, task) == date(2021, 6, 28)
    assert row(laid.database, Extension).until == date(2021, 6, 28)
    assert row(laid.database, Assignment, id=task).due_why == {
        "vi": "hạn cũ thứ Năm, 17/6/2021 → gia hạn đến thứ Hai, 28/6/2021",
        "en": "was due Thursday, 17/6/2021 → extended to Monday, 28/6/2021",
    }
    do(laid.database, Action.REPORT, task, now=at("2021-06-28", "16:00"))
    assert task_timing(row(laid.database, Assignment, id=task)) is Timing.ON_TIME


def test_a_day_that_was_closed_after_it_was_asked_for_is_granted_as_the_next_working_day(laid: Laid) -> None:
    task = laid.assignment("IV.1.1", "so-ban")
    with laid.database.write() as session:
        asked = lifecycle.ask_extension(
            session, task, until=date(2021, 6, 25), reason="Chờ.", actor="contact:1", now=NOW
        )
    applied(laid, off("2021-06-25"))
    with laid.database.write() as session:
        lifecycle.decide_extension(session, asked, granted=True, actor="account:1", now=NOW)
    assert due(laid, task) == date(2021, 6, 28)
    assert "25/6/2021 là" in row(laid.database, Assignment, id=task).due_why["vi"]


def test_a_date_that_a_special_law_fixes_does_not_move(database: Database) -> None:
    fixed = {"gui-so": {"source": "law", "to": "so-chinh", "due_day": 17, "roll": False}}
    laid = lay(database, now=OPENED, plan=plan_file(items=(item(1, "so-ban"),), report_rules=fixed))
    assert previewed(laid, off("2021-06-17")).moves == ()


FIXED = {"gui-so": {"source": "law", "to": "so-chinh", "due_day": 17, "roll": False}}
"""A rule whose own dates do not roll; a date that a person sets does, and goes on doing so."""


@pytest.fixture
def fixed(database: Database) -> Laid:
    return lay(database, now=OPENED, plan=plan_file(items=(item(1, "so-ban"),), report_rules=FIXED))


def dispatched(laid: Laid, task: int, day: date) -> None:
    with laid.database.write() as session:
        redate_all(session, [task], day=day, basis="40/UBND", actor="account:1", now=NOW + timedelta(hours=1))


def extended(laid: Laid, task: int, until: date) -> None:
    with laid.database.write() as session:
        asked = lifecycle.ask_extension(session, task, until=until, reason="Chờ.", actor="contact:1", now=NOW)
        lifecycle.decide_extension(session, asked, granted=True, actor="account:1", now=NOW)


def test_a_saturday_set_by_a_dispatch_does_not_come_back_at_the_next_change(fixed: Laid) -> None:
    task = fixed.assignment("IV.1.1", "so-ban")
    dispatched(fixed, task, date(2021, 6, 26))
    assert due(fixed, task) == date(2021, 6, 28)
    assert applied(fixed, off("2021-06-16")).moves == ()
    assert due(fixed, task) == date(2021, 6, 28)
    applied(fixed, off("2021-06-28"))
    assert due(fixed, task) == date(2021, 6, 29)


def test_a_working_day_set_by_a_dispatch_rolls_once_it_is_closed(fixed: Laid) -> None:
    task = fixed.assignment("IV.1.1", "so-ban")
    dispatched(fixed, task, date(2021, 6, 25))
    applied(fixed, off("2021-06-25"))
    assert due(fixed, task) == date(2021, 6, 28)
    applied(fixed, off("2021-06-16"))
    assert due(fixed, task) == date(2021, 6, 28)


def test_a_saturday_set_by_a_return_does_not_come_back_at_the_next_change(fixed: Laid) -> None:
    task = fixed.assignment("IV.1.1", "so-ban")
    bring_to(fixed.database, State.REPORTED, task, now=NOW)
    with fixed.database.write() as session:
        lifecycle.return_report(session, task, reason="Thiếu.", actor="account:1", now=NOW, until=date(2021, 6, 26))
    assert due(fixed, task) == date(2021, 6, 28)
    assert applied(fixed, off("2021-06-16")).moves == ()
    assert due(fixed, task) == date(2021, 6, 28)


def test_an_extension_to_a_saturday_moves_on_when_the_monday_after_it_is_closed(fixed: Laid) -> None:
    task = fixed.assignment("IV.1.1", "so-ban")
    extended(fixed, task, date(2021, 6, 26))
    applied(fixed, off("2021-06-28"))
    assert due(fixed, task) == date(2021, 6, 29)


def test_a_worked_saturday_that_was_granted_rolls_once_and_stays_there(fixed: Laid) -> None:
    task = fixed.assignment("IV.1.1", "so-ban")
    saturday = date(2021, 6, 26)
    applied(fixed, CalendarChange((DayException(saturday, DayKind.WORKED, "Làm bù"),)))
    extended(fixed, task, saturday)
    applied(fixed, CalendarChange(drop=(saturday,)))
    assert due(fixed, task) == date(2021, 6, 28)
    assert applied(fixed, off("2021-06-16")).moves == ()
    assert due(fixed, task) == date(2021, 6, 28)


@pytest.mark.parametrize("until", [date(2021, 6, 25), date(2021, 6, 28)])
def test_an_extended_date_that_was_handed_on_stays_with_its_new_owner(laid: Laid, until: date) -> None:
    task = laid.assignment("IV.1.1", "so-ban")
    extended(laid, task, until)
    with laid.database.write() as session:
        new = lifecycle.transfer(session, task, to_agency="huyen-a", reason="QĐ 5.", actor="account:1", now=NOW)
    applied(laid, off("2021-06-16"))
    assert due(laid, new) == until


def test_a_dispatch_after_an_extension_is_what_later_changes_compute_from(laid: Laid) -> None:
    task = laid.assignment("IV.1.1", "so-ban")
    extended(laid, task, date(2021, 6, 25))
    dispatched(laid, task, date(2021, 7, 10))
    assert due(laid, task) == date(2021, 7, 12)
    applied(laid, off("2021-06-25"))
    assert due(laid, task) == date(2021, 7, 12)


def test_nobody_becomes_late_by_a_due_date_that_moves_into_the_past(laid: Laid) -> None:
    applied(laid, off("2021-06-17", "2021-06-18"))
    later = at("2021-06-21")
    seen = applied(laid, CalendarChange(drop=(JUNE_17, date(2021, 6, 18))), later)
    assert [move.due for move in seen.stay] == [JUNE_17] * 4
    assert due(laid, laid.assignment("IV.1.1", "so-ban")) == date(2021, 6, 21)


def test_what_is_reported_or_cancelled_does_not_move(laid: Laid) -> None:
    done, gone = laid.assignment("IV.1.1", "so-ban"), laid.assignment("IV.2.1", "huyen-a")
    bring_to(laid.database, State.REPORTED, done, now=NOW)
    bring_to(laid.database, State.CANCELLED, gone, now=NOW)
    seen = applied(laid, off("2021-06-17"))
    assert {move.agency_id for move in seen.moves} == {"huyen-b", "mat-tran"}


def test_what_is_still_to_open_is_dated_by_the_new_calendar(laid: Laid) -> None:
    applied(laid, off("2021-06-17"))
    (plan,) = rows(laid.database, Plan)
    assert plan.next_open_at == NOW


@pytest.mark.parametrize(
    "change",
    [
        CalendarChange(),
        CalendarChange((DayException(JUNE_17, DayKind.HOLIDAY, " "),)),
        CalendarChange((DayException(JUNE_17, DayKind.HOLIDAY, "Lễ"),), (JUNE_17,)),
    ],
)
def test_a_change_that_says_nothing_or_two_things_is_refused(laid: Laid, change: CalendarChange) -> None:
    with pytest.raises(BadInput):
        previewed(laid, change)


def test_plan_188_lives_through_a_late_swap(database: Database) -> None:
    """A storm closes offices on Thursday 17 June 2021: all that is due that day moves to Friday, in one go."""
    laid = begin(real_plan(database, now=OPENED), now=OPENED)
    expected = len([each for each in rows(database, Assignment) if each.due_on == JUNE_17])
    seen = applied(laid, off("2021-06-17"))
    assert len(seen.moves) == expected > 80
    assert len(rows(database, Event, kind="due_moved")) == expected
    assert not [each for each in rows(database, Assignment) if each.due_on == JUNE_17]
