"""What ``plan check`` says of plan 188, as data and as tables."""

import json
from pathlib import Path

import pytest
from ground.paths import CONFIG

from engine.errors import FileRefused
from engine.files.calendar import load_calendar
from engine.files.directory import DirectoryFile, load_directory
from engine.files.plan import PlanFile, load_plan
from engine.files.plan_check import PlanReport, check
from engine.files.yaml_reader import read
from engine.rules.calendar import WorkCalendar

PATH = CONFIG / "plans/188-kh-ubnd-2021.yaml"
NGHE_AN = load_directory(CONFIG / "agencies/nghe-an-2021.yaml")


def checked(path: Path) -> PlanReport:
    return check(load_plan(path, NGHE_AN), NGHE_AN, load_calendar(CONFIG / "calendars/vn.yaml"))


REPORT = checked(PATH)
JSON = REPORT.json()
SMALL = """\
schema: dondoc/plan@1
number: 12/KH-UBND
issuer: a
issued_on: 2021-01-29
year: 2021
title: Kế hoạch
short_title: Kế hoạch 12
sms_name: KH12
supervisor: a
directory: t
report_rules: {r: {source: law, to: a, due_day: 17}}
sections:
  - roman: IV
    heading: Phân công
    kind: assignments
    items:
      - {no: 2, heading: A, owners: [a], duties: [{citation: IV.2.1, text: Làm, cadence: [year], rule: r}]}
"""


def test_the_figures_of_plan_188():
    assert (JSON["number"], JSON["items"], JSON["gaps"]) == ("188/KH-UBND", 15, ["IV.14"])
    assert JSON["duties"] == {"IV": 26, "V": 2}
    assert len(JSON["owners"]) == 28
    assert (JSON["owners"]["IV.16.1"], JSON["owners"]["IV.15.1"]) == (21, 2)  # type: ignore[index]


def test_it_says_the_plans_year_and_its_first_and_last_period():
    assert JSON["year"] == {"year": 2021, "first": "2021-Q2", "last": "2021-Y", "last_year": None}
    assert "\nKế hoạch của năm 2021: kỳ đầu quý II/2021, kỳ cuối năm 2021\n" in REPORT.text()
    assert "\nPlan of 2021: first period Q2 2021, last period 2021\n" in REPORT.text("en")


def test_assignments_are_duty_times_owner_in_each_period():
    once = sum(count for citation, count in JSON["owners"].items() if citation not in {"IV.15.1", "V.2"})  # type: ignore
    assert JSON["assignments"] == {"2021-H1": once, "2021-Q2": 2, "2021-Q3": 2, "2021-Q4": 2, "2021-Y": once}


def test_the_consolidated_report_rolls_from_sunday_and_says_why():
    line = next(each for each in JSON["due"] if each["nominal"] == "2021-06-20")  # type: ignore[attr-defined]
    assert (line["period"], line["due"], line["citations"]) == ("2021-H1", "2021-06-21", ["IV.1.1"])
    assert line["why"] == "ngày 20/6/2021 là Chủ nhật, hạn chuyển sang thứ Hai, 21/6/2021"


def test_due_lines_are_in_order_and_together_hold_every_assignment():
    days = [line["due"] for line in JSON["due"]]  # type: ignore[attr-defined]
    assert days == sorted(days)
    assert sum(line["assignments"] for line in JSON["due"]) == sum(JSON["assignments"].values())  # type: ignore


def test_the_data_is_plain_json():
    assert json.loads(json.dumps(JSON, ensure_ascii=False)) == JSON


@pytest.mark.parametrize(("language", "configured"), [("vi", "[cấu hình]"), ("en", "[configured]")])
def test_the_tables_mark_every_date_as_configured_and_name_the_gap(language, configured):
    text = REPORT.text(language)
    lines = [line for line in text.splitlines() if line.startswith("2021-")]
    assert len(lines) == 7
    assert all(configured in line for line in lines)
    assert "IV.14" in text
    assert "20/6/2021 là Chủ nhật" in text or "20/6/2021 is closed (Sunday)" in text


def test_the_columns_of_a_table_stand_under_each_other():
    lines = REPORT.text().split("\n\n")[2].splitlines()
    assert len({line.rindex(line.split()[-1]) + len(line.split()[-1]) for line in lines[1:]}) == 1


def test_undeclared_gaps_and_owners_without_a_coordinator_are_warned_of():
    directory = read(
        "schema: dondoc/directory@1\nid: t\nname: T\nagencies: [{id: a, level: so, names: [{name: Sở A}]}]",
        DirectoryFile,
    )
    report = check(read(SMALL, PlanFile), directory, WorkCalendar.of(()))
    assert ["IV.1" in report.warnings[0]["vi"], "Sở A" in report.warnings[1]["en"]] == [True, True]
    assert "! Sở A" in report.text()


def test_a_letter_that_moves_a_round_nobody_owes_is_warned_of(tmp_path):
    path = tmp_path / "plan.yaml"
    letter = "due_day: 20\n    overrides: [{period: 2021-H2, due: 2021-12-24, basis: 9/UBND-VX}]"
    path.write_text(PATH.read_text(encoding="utf-8").replace("due_day: 20", letter), encoding="utf-8")
    (warning,) = checked(path).warnings
    assert "9/UBND-VX" in warning["vi"]


def test_a_body_missing_from_the_directory_is_told_by_line(tmp_path):
    path = tmp_path / "plan.yaml"
    path.write_text(PATH.read_text(encoding="utf-8").replace("owners: [so-y-te]", "owners: [so-yt]"), encoding="utf-8")
    with pytest.raises(FileRefused) as refused:
        checked(path)
    (problem,) = refused.value.problems
    assert "owners: [so-yt]" in path.read_text(encoding="utf-8").splitlines()[problem.line - 1]
    assert "so-y-te" in str(problem.fix)
