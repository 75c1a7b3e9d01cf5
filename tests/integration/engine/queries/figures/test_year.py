"""The year by weeks: where it begins, and what of it is worked out again."""

from __future__ import annotations

from datetime import date
from typing import Any

from ground.factory import Laid, at
from ground.office import NOW, live_on, looking
from sqlalchemy import func, select

from engine.assignments import lifecycle
from engine.assignments.lifecycle import ReportText
from engine.queries.figures.year import year_of
from engine.queries.kept import KeptAnswers
from engine.store.database import Database, table
from engine.store.records import Letter
from engine.terms import LetterState


def test_a_year_is_trimmed_to_the_weeks_in_which_anything_happens(lived: Database) -> None:
    with looking(lived) as (session, today):
        year = year_of(session, today, 2021)
    trimmed = year.trimmed()
    lively = {monday for each in year.agencies for monday in each.weeks}
    assert trimmed.mondays[0] == min(lively)
    assert trimmed.mondays[-1] == max(lively)
    assert year.this_week in trimmed.mondays
    assert trimmed.total == {monday: week for monday, week in year.total.items() if monday in trimmed.mondays}
    assert len(trimmed.mondays) < len(year.mondays)


def test_a_year_without_anything_stays_whole(lived: Database) -> None:
    with looking(lived) as (session, today):
        year = year_of(session, today, 2019)
    assert year.trimmed() == year


def test_what_has_yet_to_open_is_not_worked_out_again_after_a_report(fresh: Laid, counting: Any) -> None:
    kept, database = KeptAnswers(), fresh.database
    with looking(database) as (session, today):
        before = kept.ask(session, year_of, today, 2021)
    with database.write() as session:
        lifecycle.report(session, fresh.assignment("IV.2.1", "huyen-b"), ReportText(), actor="contact:1", now=NOW)
    with counting(database) as sent, looking(database) as (session, today):
        after = kept.ask(session, year_of, today, 2021)
    assert after.total != before.total
    assert not [each for each in sent if "FROM duty" in each]
    with looking(database) as (session, today):
        assert year_of(session, today, 2021) == after


def test_the_number_of_the_next_week_is_what_leaves_in_it(lived: Database) -> None:
    monday = date(2021, 6, 28)
    with looking(lived) as (session, today):
        foreseen = year_of(session, today, 2021).total[monday].to_come
    live_on(lived, NOW, at("2021-07-04"))
    m = table(Letter)
    with lived.read() as session:
        left = select(func.count()).where(m.c.day >= monday, m.c.day < at("2021-07-05").date())
        assert foreseen == session.connection().scalar(left.where(m.c.state != LetterState.SUPPRESSED)) == 13
