"""How a selection of plans stands: who is furthest behind, what changed, twelve weeks, and what comes next."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from ground.factory import Laid, at, do, lay, swept
from ground.office import looking

from engine.assignments.situations import Boxes
from engine.assignments.told import AgencyChange
from engine.assignments.weekly_digest import make
from engine.queries.figures.outlook import Coming, NextDate, Outlook, outlook
from engine.queries.figures.plan_progress import standing
from engine.rules.situation import Action
from engine.store.database import Database

OPENED = at("2021-04-07")
LATER = at("2021-06-22")


@pytest.fixture
def laid(database: Database) -> Laid:
    """so-ban reported in time, huyen-a a day late, since the digest of 14 June."""
    laid = lay(database, now=OPENED)
    with database.write() as session:
        make(session, at("2021-06-14", "07:00"))
    do(database, Action.REPORT, laid.assignment("IV.1.1", "so-ban"), now=at("2021-06-16"))
    do(database, Action.REPORT, laid.assignment("IV.2.1", "huyen-a"), now=at("2021-06-18"))
    return laid


def looked(laid: Laid, now: Any = LATER, **more: Any) -> Outlook:
    with looking(laid.database, now) as (session, today):
        return outlook(session, today, **more)


def test_it_counts_as_the_standing_of_that_day_does(laid: Laid) -> None:
    found = looked(laid)
    with looking(laid.database, LATER) as (session, today):
        assert found.now == standing(session, today.day)
    assert found.now.total == Boxes(on_time=1, late=1, overdue=2, reported=2, reported_on_time=1)
    assert (found.judged.rate, found.behind_before) == (50.0, 0)


def test_whoever_is_overdue_for_longest_stands_first_with_days_and_share(laid: Laid) -> None:
    found = looked(laid)
    shown = [(each.id, each.overdue, each.expected, each.since, each.late) for each in found.behind]
    assert shown == [
        ("huyen-b", 1, 1, date(2021, 6, 17), 3),
        ("so-chinh", 1, 1, date(2021, 6, 21), 1),
    ]
    assert found.furthest is not None
    assert [each.id for each in found.furthest.agencies] == ["huyen-b"]
    assert not found.furthest.tied


def test_a_tie_is_told_as_a_tie(database: Database) -> None:
    made = lay(database, now=OPENED)
    found = looked(made, at("2021-06-18")).furthest
    assert found is not None
    assert [each.id for each in found.agencies] == ["huyen-a", "huyen-b", "so-ban"]
    assert found.tied
    assert found.most == found.agencies


def test_nobody_is_furthest_behind_while_nothing_is_overdue(database: Database) -> None:
    assert looked(lay(database, now=OPENED), at("2021-06-17")).furthest is None


def test_better_and_worse_stand_apart_and_a_task_that_was_late_counts_as_better(laid: Laid) -> None:
    found = looked(laid)
    assert found.since is not None
    assert [(each.id, each.done) for each in found.since.better] == [("huyen-a", 1), ("so-ban", 1)]
    assert [(each.id, each.overdue) for each in found.since.worse] == [("huyen-b", 1), ("so-chinh", 1)]
    assert (found.since.on, found.since.done, found.since.overdue) == (date(2021, 6, 14), 2, 2)


@pytest.mark.parametrize(
    ("was", "now", "better", "worse"),
    [
        ({"overdue": 2}, {"late": 2}, True, False),
        ({"overdue": 2}, {"late": 1, "overdue": 1}, True, False),
        ({"in_term": 2}, {"on_time": 1, "overdue": 1}, False, True),
        ({"on_time": 1}, {"in_term": 1}, False, True),
        ({"in_term": 1}, {"in_term": 2}, False, False),
    ],
)
def test_a_change_is_for_better_or_for_worse(
    was: dict[str, int], now: dict[str, int], better: bool, worse: bool
) -> None:
    change = AgencyChange(since=LATER.date(), id="x", name="X", was=Boxes(**was), now=Boxes(**now))
    assert (change.better, change.worse) == (better, worse)


def test_the_last_of_twelve_weeks_is_today_and_each_counts_as_its_standing(laid: Laid) -> None:
    found = looked(laid)
    assert len(found.weeks) == 12
    with looking(laid.database, LATER) as (session, _):
        stood = [standing(session, week.day).total for week in found.weeks]
    assert [(week.done, week.due) for week in found.weeks] == [(each.done, each.judged) for each in stood]
    assert [week.rate for week in found.weeks[-2:]] == [None, 50.0]


def test_a_week_s_point_counts_as_the_report_of_that_morning_did(laid: Laid) -> None:
    with laid.database.write() as session:
        make(session, at("2021-06-21", "07:00"))
    do(laid.database, Action.REPORT, laid.assignment("IV.2.1", "huyen-b"), now=at("2021-06-21", "10:00"))
    found = looked(laid, at("2021-06-28", "09:00"))
    assert found.since is not None
    (point,) = (each for each in found.weeks if each.day == found.since.on)
    assert (point.done, point.due) == (found.since.was.done, found.since.was.judged) == (2, 3)
    assert looked(laid, at("2021-06-21", "20:00")).judged.done == 3


def test_what_opens_for_a_day_to_come_does_not_lower_the_rate(laid: Laid) -> None:
    assert looked(laid).judged.rate == looked(laid, at("2021-09-20")).judged.rate == 50.0


def test_the_next_due_date_is_said_with_its_tasks(laid: Laid) -> None:
    found = looked(laid, at("2021-06-18")).next_dates
    assert NextDate(on=date(2021, 6, 21), what=Coming.DUE, tasks=1, agencies=1, period="2021-H1") in found


def test_the_next_chasing_is_said_with_its_level(laid: Laid) -> None:
    swept(laid.database, at("2021-06-21"))
    chased = [each for each in looked(laid, at("2021-06-21", "09:00")).next_dates if each.what is not Coming.DUE]
    first = NextDate(on=date(2021, 6, 22), what=Coming.CHASED, tasks=1, agencies=1, level=1)
    assert chased == [replace(first, reported_on=date(2021, 7, 9))]
    swept(laid.database, LATER)
    chased = [each for each in looked(laid, at("2021-06-22", "09:00")).next_dates if each.what is not Coming.DUE]
    assert [(each.what, each.on, each.level) for each in chased] == [(Coming.CHASED, date(2021, 6, 24), 1)]


def test_the_day_on_which_those_above_are_told_is_no_further_chaser(laid: Laid) -> None:
    for day in ("2021-06-18", "2021-06-22", "2021-06-28", "2021-07-08"):
        swept(laid.database, at(day))
    (told,) = [each for each in looked(laid, at("2021-07-08", "09:00")).next_dates if each.on == date(2021, 7, 9)]
    assert (told.what, told.level, told.reported_on) == (Coming.REPORTED, 0, None)


def test_a_plan_and_a_period_narrow_all_of_it(laid: Laid) -> None:
    assert looked(laid, plan_id=laid.plan_id) == looked(laid)
    other = looked(laid, period="2021-Y")
    assert (other.behind, other.now.total, other.next_dates) == ((), Boxes(), ())


def test_what_was_not_told_then_is_compared_with_nothing(laid: Laid) -> None:
    assert looked(laid, period="2021-Y").since is None
    assert looked(laid, at("2021-06-16", "20:00")).since is None  # in the week of the first digest


def test_an_agency_whose_work_has_gone_elsewhere_is_a_change(laid: Laid) -> None:
    do(laid.database, Action.CANCEL, laid.assignment("IV.2.1", "huyen-b"), now=at("2021-06-16"))
    found = looked(laid).since
    assert found is not None
    assert ("huyen-b", Boxes(in_term=1), Boxes()) in [(each.id, each.was, each.now) for each in found.agencies]
