"""The one SQL expression of the time class, against the words of Decision 42/2014 written out in Python."""

from __future__ import annotations

from datetime import date, timedelta

from ground.factory import Laid, at
from sqlalchemy import select

from engine.queries.time_class import read_today, time_class, worst
from engine.store.database import table
from engine.store.records import Assignment, Plan
from engine.terms import TimeClass

DAY = date(2021, 6, 16)
DUES = [None, *(DAY + timedelta(days=n) for n in (-9, -1, 0, 1, 5, 6, 30))]
REPORTS = [None, *(DAY + timedelta(days=n) for n in (-10, -2, 0))]


def in_words(due_on: date | None, reported_on: date | None, soon: date) -> TimeClass:
    if due_on is None:
        return TimeClass.NO_DEADLINE
    if reported_on is not None:
        return TimeClass.DONE_ON_TIME if reported_on <= due_on else TimeClass.DONE_LATE
    if due_on < DAY:
        return TimeClass.OPEN_OVERDUE
    return TimeClass.DUE_SOON if due_on <= soon else TimeClass.OPEN_IN_TIME


def test_every_due_date_and_report_date_falls_into_the_class_the_decision_says(fresh: Laid) -> None:
    a, p = table(Assignment), table(Plan)
    assignment = fresh.assignment("IV.1.1", "so-ban")
    with fresh.database.write() as session:
        today = read_today(session, at("2021-06-16", "09:00"))
        chosen = select(time_class(today)).join(p, p.c.id == a.c.plan_id).where(a.c.id == assignment)
        for due_on in DUES:
            for reported_on in REPORTS:
                changed = a.update().where(a.c.id == assignment).values(due_on=due_on, reported_on=reported_on)
                session.connection().execute(changed)

                found = session.connection().scalar(chosen)

                assert found is in_words(due_on, reported_on, today.soon["default"]), (due_on, reported_on)


def test_due_soon_counts_working_days_over_a_weekend(laid: Laid) -> None:
    with laid.database.read() as session:
        today = read_today(session, at("2021-06-17"))
    assert today.soon["default"] == date(2021, 6, 22)


def test_days_left_is_negative_once_the_due_date_has_passed_and_none_without_one(laid: Laid) -> None:
    with laid.database.read() as session:
        today = read_today(session, at("2021-06-24"))
    assert [today.days_left(due) for due in (date(2021, 6, 17), date(2021, 6, 25), None)] == [-5, 1, None]


def test_the_worst_of_several_classes_is_the_overdue_one() -> None:
    assert (
        worst({TimeClass.DONE_ON_TIME: 9, TimeClass.OPEN_OVERDUE: 1, TimeClass.DUE_SOON: 2}) is TimeClass.OPEN_OVERDUE
    )
    assert worst({}) is TimeClass.NO_DEADLINE
