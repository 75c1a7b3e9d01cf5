"""Next year's plan from this one: what is moved, what stays, and what is listed to be confirmed."""

from __future__ import annotations

from datetime import date

import pytest
from ground.factory import CONFIG, item, plan_file
from typer.testing import CliRunner

from engine.errors import BadInput
from engine.files.calendar import load_calendar
from engine.files.directory import load_directory
from engine.files.plan import PlanFile, directory_mistakes, load_plan
from engine.files.plan_renewal import Point, renew, require_issue_for, same_day
from engine.files.yaml_reader import read
from engine.rules.calendar import WorkCalendar
from workflows.cli import app

PLAN = CONFIG / "plans/188-kh-ubnd-2021.yaml"
NEXT = {"year": 2022, "number": "25/KH-UBND", "issued_on": date(2022, 3, 1)}


def renewed(plan: PlanFile, **more: int) -> tuple[PlanFile, tuple[Point, ...]]:
    text, points = renew(plan, calendar=WorkCalendar(), **NEXT, **more)  # type: ignore[arg-type]
    return read(text, PlanFile), points


def places(points: tuple[Point, ...]) -> set[str]:
    return {point.place for point in points}


def test_the_real_plan_renewed_is_a_plan_that_passes_every_check() -> None:
    bodies = load_directory(CONFIG / "agencies/nghe-an-2021.yaml")
    text, _ = renew(load_plan(PLAN), calendar=load_calendar(CONFIG / "calendars/vn.yaml"), **NEXT)  # type: ignore[arg-type]
    new = read(text, PlanFile, also=lambda plan: directory_mistakes(plan, bodies))
    assert (new.number, new.year, new.short_title) == ("25/KH-UBND", 2022, "Kế hoạch 25/KH-UBND năm 2022")
    assert new.title.endswith("năm 2022")
    assert new.sms_name == "KH25"


def test_every_duty_and_owner_stays_as_it_was() -> None:
    old = load_plan(PLAN)
    new, _ = renewed(old)
    assert [(c, p.duty, p.owners) for c, p in new.duties.items()] == [
        (c, p.duty, p.owners) for c, p in old.duties.items()
    ]


def test_totals_come_along_and_still_pass_the_check() -> None:
    new, _ = renewed(load_plan(PLAN))
    assert {each.code: each.total_of for each in new.indicators if each.total_of} == {
        "II.1.b": "II.1",
        "II.3.b": "II.3",
    }


def test_a_fixed_day_moves_a_year_and_its_rolling_is_shown() -> None:
    new, points = renewed(plan_file(items=(item(1, "so-ban", cadence=["once"], rule="mot-lan"),)), known_until=2021)
    assert new.report_rules["mot-lan"].on == date(2022, 6, 30)
    assert "report_rules.mot-lan, once" in places(points)


def test_a_plan_is_renewed_as_long_before_its_year_as_it_was_issued() -> None:
    assert same_day(plan_file(), 2022) == date(2022, 4, 7)
    assert same_day(plan_file(issued_on=date(2020, 11, 30)), 2022) == date(2021, 11, 28)
    require_issue_for(date(2021, 11, 28), 2022)
    for issued_on in (date(2020, 11, 28), date(2023, 1, 5)):
        with pytest.raises(BadInput, match="2022"):
            require_issue_for(issued_on, 2022)


def test_the_last_of_february_stays_the_last_of_february() -> None:
    rules = {"gui-so": {"source": "local", "to": "so-chinh", "due_day": 17, "on": date(2020, 2, 29)}}
    old = plan_file(items=(item(1, "so-ban"),), report_rules=rules, year=2020, issued_on=date(2020, 1, 6))
    text, _ = renew(old, year=2021, number="3/KH-UBND", issued_on=date(2021, 1, 6), calendar=WorkCalendar())
    assert read(text, PlanFile).report_rules["gui-so"].on == date(2021, 2, 28)


def test_letters_about_one_round_are_left_out_and_said() -> None:
    letter = {"period": "2021-H1", "due": date(2021, 6, 25), "basis": "CV 12"}
    rules = {"gui-so": {"source": "local", "to": "so-chinh", "due_day": 17, "overrides": [letter]}}
    new, points = renewed(plan_file(items=(item(1, "so-ban"),), report_rules=rules))
    assert new.report_rules["gui-so"].overrides == ()
    assert any("CV 12" in point.vi for point in points)


def test_everything_to_confirm_is_listed_and_stands_at_the_head_of_the_file() -> None:
    text, points = renew(load_plan(PLAN), calendar=WorkCalendar(), known_until=2021, **NEXT)  # type: ignore[arg-type]
    assert {"number", "issued_on", "calendar", "IV.14", "II.1", "IV.7.1", "owners"} <= places(points)
    assert text.count("# XÁC NHẬN: ") == len(points)


@pytest.mark.parametrize(("number", "says"), [("25", "25/KH-UBND"), ("xx/KH", "không đúng dạng")])
def test_the_command_refuses_a_number_of_no_form(number: str, says: str) -> None:
    done = CliRunner().invoke(app, ["plan", "renew", str(PLAN), "--year", "2022", "--number", number])
    assert says in str(done.exception)


def test_owners_that_have_ended_by_the_new_date_are_named_with_their_successors() -> None:
    """A plan of 2026 wrote to bodies that the directory itself ends in 2025."""
    directory = load_directory(CONFIG / "agencies/nghe-an-2021.yaml")
    _, points = renew(
        load_plan(PLAN),
        year=2026,
        number="25/KH-UBND",
        issued_on=date(2026, 4, 7),
        calendar=WorkCalendar(),
        directory=directory,
    )
    said = {point.place: point.vi for point in points}
    assert "Sở Y tế (phòng, chống tệ nạn xã hội" in said["so-ldtbxh"]
    assert "1243/NQ-UBTVQH15" in said["huyen-21"]
    assert "so-y-te" not in said
