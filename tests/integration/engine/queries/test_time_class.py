"""The two measures and the time class: in SQL, in Python, and against the words of Decision 42/2014 written out."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import product

from ground.factory import Laid, at, row
from sqlalchemy import select

from engine.assignments import situations
from engine.assignments.situations import report_timing, report_timing_column, task_timing
from engine.queries.time_class import read_today, time_class, worst
from engine.rules.situation import CASES, COUNTED, NEEDS, OWES, UNFINISHED, Action, Owed, Where, given, situation
from engine.store.database import table
from engine.store.records import Assignment, Plan
from engine.terms import State, TimeClass, Timing

DAY = date(2021, 6, 16)
DUES = [None, *(DAY + timedelta(days=n) for n in (-9, -1, 0, 1, 5, 6, 30))]
DONE = [None, *(DAY + timedelta(days=n) for n in (-10, -2, 0))]
FIRST_REPORTS = [None, *(DAY + timedelta(days=n) for n in (-12, -5))]
FIRST_DUES = [None, DAY - timedelta(days=9)]
NOT_ASKED = [None, *(DAY + timedelta(days=n) for n in (-1, 0, 1))]


def in_words(
    due_on: date | None, done_on: date | None, first_reported: date | None, first_due: date | None, _: object
) -> Timing:
    """How a task stands: the words of the decision, written out."""
    if done_on is None:
        return Timing.OPEN
    judged_by = first_due or due_on
    first_was_late = first_reported is not None and judged_by is not None and first_reported > judged_by
    return Timing.LATE if first_was_late or (due_on is not None and done_on > due_on) else Timing.ON_TIME


def test_both_measures_are_the_same_in_sql_in_python_and_in_words_for_every_combination(fresh: Laid) -> None:
    a, p = table(Assignment), table(Plan)
    one = dict(row(fresh.database, Assignment, id=fresh.assignment("IV.1.1", "so-ban"))._mapping)
    cases = list(product(DUES, DONE, FIRST_REPORTS, FIRST_DUES, NOT_ASKED))
    names = ("due_on", "done_on", "first_reported_on", "first_due_on", "not_asked_on")
    with fresh.database.write() as session:
        today = read_today(session, at("2021-06-16", "09:00"))
        changes = [one | dict(zip(names, case, strict=True)) | {"period": f"x{n}"} for n, case in enumerate(cases)]
        session.connection().execute(a.insert(), [{k: v for k, v in each.items() if k != "id"} for each in changes])
        chosen = select(
            a,
            report_timing_column().label("report"),
            time_class(today).label("class"),
        )
        found = session.connection().execute(
            chosen.join(p, p.c.id == a.c.plan_id).where(a.c.period.startswith("x")).order_by(a.c.id)
        )
        for case, each in zip(cases, found.all(), strict=True):
            task = task_timing(each)
            assert task is in_words(*case), case
            assert each.report == report_timing(each), case
            not_asked = task is Timing.OPEN and each.not_asked_on is not None and each.not_asked_on <= DAY
            assert (each[-1] is TimeClass.NOT_ASKED) is not_asked
            assert each[-1] is situation(each, DAY, today.soon["default"], task).box, case


def test_the_table_is_the_same_in_sql_and_in_python_for_every_combination(fresh: Laid) -> None:
    a = table(Assignment)
    one = dict(row(fresh.database, Assignment, id=fresh.assignment("IV.1.1", "so-ban"))._mapping)
    names = ("state", "due_on", "done_on", "promised_on", "not_asked_on")
    soon = DAY + timedelta(days=5)
    cases = list(
        product(State, DUES, DONE[:2], [None, DAY - timedelta(days=3), DAY + timedelta(days=3)], NOT_ASKED[:3])
    )
    rows: dict[object, Where] = {"unfinished": UNFINISHED, "owes": OWES, "counted": COUNTED}
    rows |= dict(NEEDS.items()) | dict(CASES.items())
    columns = [situations.where(where, DAY, soon).label(f"c{n}") for n, where in enumerate(rows.values())]
    with fresh.database.write() as session:
        stored = [one | dict(zip(names, case, strict=True)) | {"period": f"x{n}"} for n, case in enumerate(cases)]
        session.connection().execute(a.insert(), [{k: v for k, v in each.items() if k != "id"} for each in stored])
        box = situations.box_column(DAY, soon).label("box")
        chosen = select(a, box, *columns).where(a.c.period.startswith("x")).order_by(a.c.id)
        for case, each in zip(cases, session.connection().execute(chosen).all(), strict=True):
            found = situation(each, DAY, soon, task_timing(each))
            assert each.box is found.box, case
            said = dict(zip(rows, map(bool, each[-len(rows) :]), strict=True))
            assert said == {name: where.lacks(given(each, DAY, soon)) is None for name, where in rows.items()}, case
            assert {act for act in Action if said[act]} == found.may
            assert (found.owner_owes is not Owed.NOTHING) is said["owes"]


def test_a_measure_of_an_earlier_day_leaves_out_what_was_reported_since(fresh: Laid) -> None:
    a = table(Assignment)
    with fresh.database.read() as session:
        task = a.c.id == fresh.assignment("IV.1.1", "so-ban")
        reported: date = session.connection().scalars(select(a.c.reported_on).where(task)).one()
        for day, timing in ((reported - timedelta(days=1), Timing.OPEN), (reported, Timing.ON_TIME)):
            assert session.connection().scalar(select(report_timing_column(day)).where(task)) == timing


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
