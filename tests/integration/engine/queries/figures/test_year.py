"""The year by weeks begins where something happens."""

from __future__ import annotations

from ground.office import looking

from engine.queries.figures.year import year_of
from engine.store.database import Database


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
