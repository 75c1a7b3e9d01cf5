"""A plan with one duty of each kind of days lives its year: the due dates are those written down beforehand, letters
come on the working days around them, and pages, papers, renewal and a corrected year carry them."""

from __future__ import annotations

import io
from datetime import date

import docx
import pytest
from ground.factory import CONFIG, at, directory, lay, policy, rows
from ground.office import enter, join, open_office
from ground.plan_of_days import YEAR, plan_of_days

from engine.files.calendar import load_calendar
from engine.files.plan import PlanFile, due_periods
from engine.files.plan_renewal import Years, renew
from engine.files.yaml_reader import read
from engine.plans.plan_today import rehearse_years
from engine.rules.calendar import EVERY_DAY
from engine.rules.words import period_words
from engine.store.database import Database
from engine.store.records import Assignment
from workflows.simulation.simulation import simulate

CALENDAR = load_calendar(CONFIG / "calendars/vn.yaml")
FIRST, LAST = date(2021, 4, 7), date(2021, 6, 1)


def test_the_due_dates_of_the_year_are_those_written_down() -> None:
    plan = plan_of_days()
    found = {citation: due_periods(plan, placed.duty, CALENDAR) for citation, placed in plan.duties.items()}
    assert {citation: [each.due.on for each in periods] for citation, periods in found.items()} == YEAR
    keys = [each.period.key for periods in found.values() for each in periods]
    assert len(set(keys)) == len(keys) - 1, "two duties are yearly"


def test_letters_come_on_the_working_days_before_and_after_each_due_date() -> None:
    year = simulate([plan_of_days()], directory(), policy(), CALENDAR, start=FIRST, until=LAST)
    told: dict[tuple[str, str], set[date]] = {}
    for letter in (each for each in year.messages if each.role == "coordinator"):
        for about in letter.assignments:
            _, citation, agency, period = about.split(" ")
            assert agency == "so-ban"
            told.setdefault((citation, period), set()).add(date.fromisoformat(letter.at[:10]))
    plan = plan_of_days()
    for citation, placed in plan.duties.items():
        written = {each.period.key: each.due.on for each in due_periods(plan, placed.duty, CALENDAR)}
        assert {period for duty, period in told if duty == citation} <= written.keys()
        for period, due in written.items():
            around = {CALENDAR.shift(due, days) for days in (-1, 1)}
            if min(around) > FIRST and max(around) <= LAST:
                assert around <= told[citation, period], (
                    f"{citation} {period}: due {due}, told {told[citation, period]}"
                )


@pytest.fixture
def office(sqlite_database: Database, tmp_path):  # type: ignore[no-untyped-def]
    lay(sqlite_database, now=at("2021-04-07", "09:00"), plan=plan_of_days())
    office = open_office(sqlite_database, tmp_path, now=at("2021-05-21", "09:00"))
    return enter(office, join(sqlite_database, "administrator", "tinh"))


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/plans/1", ("nửa đầu tháng 4/2021", "29/11", "thứ Sáu hằng tuần")),
        ("/assignments?plan=1", ("tuần 05/4–11/4/2021", "nửa đầu tháng 4/2021", "tháng 4/2021")),
        ("/?plan=1", ("tuần", "nửa")),
        ("/year", ("2021",)),
    ],
)
def test_pages_say_the_periods_in_words(office, path: str, words: tuple[str, ...]) -> None:  # type: ignore[no-untyped-def]
    page = office.get(path)
    assert page.status_code == 200
    assert [each for each in words if each.casefold() not in page.text.casefold()] == []
    assert "2021-W" not in page.text.split("<main")[1].replace('value="2021-W', "").replace("=2021-W", "")


@pytest.mark.parametrize("period", ["2021-W14", "2021-04A", "2021-04"])
def test_the_consolidated_report_of_a_period_is_written(office, period: str) -> None:  # type: ignore[no-untyped-def]
    paper = docx.Document(io.BytesIO(office.get(f"/plans/1/report.docx?period={period}").content))
    said = " ".join(each.text for each in paper.paragraphs)
    assert period_words(period, "vi") in said


def test_a_corrected_year_asks_for_the_days_of_the_right_one(sqlite_database: Database) -> None:
    lay(sqlite_database, now=at("2021-04-07", "09:00"), plan=plan_of_days())
    change = rehearse_years(sqlite_database, 1, Years(2022), now=at("2021-04-08", "09:00"))
    assert (change.becomes.first, change.becomes.last, change.opened) == ("2022-W01", "2022-W52", 0)
    assert change.cancelled == len([each for each in rows(sqlite_database, Assignment) if each.period != "once"])


def test_the_next_years_plan_asks_for_the_same_days() -> None:
    text, _ = renew(plan_of_days(), year=2022, number="9/KH-UBND", issued_on=date(2021, 12, 1), calendar=CALENDAR)
    renewed = read(text, PlanFile)
    days = {
        citation: [each.due.nominal for each in due_periods(renewed, placed.duty, EVERY_DAY)]
        for citation, placed in renewed.duties.items()
    }
    assert days["IV.1.1"] == [date(2022, 6, 30)]
    assert days["IV.2.1"] == [date(2022, 11, 29)]
    assert days["IV.3.1"] == [date(2022, 5, 31), date(2022, 11, 14)]
    assert days["IV.5.1"][0] == date(2022, 2, 5)
    assert days["IV.6.1"][:4] == [date(2022, 1, 15), date(2022, 1, 30), date(2022, 2, 15), date(2022, 2, 28)]
    assert (len(days["IV.6.1"]), len(days["IV.7.1"])) == (24, 52)
    assert days["IV.8.1"] == [date(2023, 1, 15)]
