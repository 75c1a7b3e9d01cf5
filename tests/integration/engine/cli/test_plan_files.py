"""Plan files on the command line of an office: its own agencies and calendar are meant, not the example's."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import pytest
from ground.commands import Commands
from ground.factory import CONFIG
from ground.paths import DATA
from sqlalchemy import update

from engine.files.plan import load_plan
from engine.store.database import Database, table
from engine.store.records import Plan

DOCUMENT = DATA / "188-kh-ubnd-2021.txt"
EXAMPLE = CONFIG / "agencies/nghe-an-2021.yaml"
TWO_LEVELS = CONFIG / "agencies/nghe-an-2025.yaml"
PLAN_2026 = CONFIG / "plans/188-example-2026.yaml"


@pytest.fixture
def dondoc(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Commands:
    return Commands(tmp_path, str(sqlite_database.url), monkeypatch, capsys)


def test_a_document_is_read_with_the_agencies_that_are_loaded(dondoc: Commands) -> None:
    """It was matched to the example's agencies of 2021: nothing was said, and the draft could not be loaded."""
    dondoc("load", "directory", TWO_LEVELS)
    ran = dondoc("plan", "import", DOCUMENT, "-o", dondoc.folder / "plan.yaml")
    assert ran.code == 0
    assert "Danh bạ không có «Sở Lao động - Thương binh và Xã hội»" in ran.err
    assert "so-ldtbxh" not in (dondoc.folder / "plan.yaml").read_text()


def test_a_plan_is_checked_compared_and_simulated_with_the_agencies_that_are_loaded(dondoc: Commands) -> None:
    assert "xã" in dondoc("plan", "check", PLAN_2026, "--directory", TWO_LEVELS).well
    dondoc("load", "directory", TWO_LEVELS)
    assert dondoc("plan", "check", PLAN_2026).well == dondoc("plan", "check", PLAN_2026, "--directory", TWO_LEVELS).well
    assert dondoc("plan", "diff", PLAN_2026, PLAN_2026).code == 0
    words = ("simulate", PLAN_2026, "--until", "2026-04-08", "--json")  # all who owe something are told on the 7th
    told = recipients(dondoc(*words).well)
    assert told == recipients(dondoc(*words, "--directory", TWO_LEVELS).well)
    assert len(set(told)) > 130


def recipients(simulated: str) -> list[str]:
    return sorted(json.loads(line)["agency"] for line in simulated.splitlines() if "agency" in json.loads(line))


def test_a_day_that_the_office_entered_moves_the_due_dates_that_are_shown(dondoc: Commands) -> None:
    dondoc("load", "directory", EXAMPLE)
    dondoc("load", "calendar", _with_a_holiday_on_17_june(dondoc.folder), "--yes")
    plan = CONFIG / "plans/188-kh-ubnd-2021.yaml"
    shown = dondoc("plan", "check", plan).well
    assert "ngày 17/6/2021 là ngày nghỉ (Nghỉ), hạn chuyển sang thứ Sáu, 18/6/2021" in shown


def _with_a_holiday_on_17_june(folder: Path) -> Path:
    file = folder / "calendar.yaml"
    shipped = (CONFIG / "calendars/vn.yaml").read_text()
    file.write_text(shipped.replace("days:\n", "days:\n  - {day: 2021-06-17, kind: holiday, name: Nghỉ}\n", 1))
    return file


def test_a_plan_is_renewed_in_the_november_before_from_its_file_and_from_what_is_loaded(
    dondoc: Commands, sqlite_database: Database
) -> None:
    """From what is loaded, with what was changed since: as its page does."""
    plan, renewed = CONFIG / "plans/188-kh-ubnd-2021.yaml", dondoc.folder / "renewed.yaml"
    dondoc("load", "directory", EXAMPLE)
    dondoc("load", "policy", CONFIG / "policies/default.yaml")
    assert dondoc("plan", "load", plan).code == 0
    words = ("--year", "2022", "--number", "22/KH-UBND", "--issued", "2021-11-20", "-o", renewed)
    assert dondoc("plan", "renew", plan, *words).code == 0
    of_file = load_plan(renewed)
    assert (of_file.year, of_file.issued_on) == (2022, date(2021, 11, 20))
    assert dondoc("plan", "renew", "1", *words).code == 0
    assert load_plan(renewed) == of_file
    with sqlite_database.write() as session:
        session.connection().execute(update(table(Plan)).values(supervisor_id="so-y-te"))
    ran = dondoc("plan", "renew", "1", *words)
    assert load_plan(renewed).supervisor == "so-y-te"
    assert ran.err.count("! supervisor: ") == 2  # what it is now, and that it was changed


def test_a_renewal_is_for_a_later_year_and_issued_in_it_or_in_the_one_before(dondoc: Commands) -> None:
    plan = CONFIG / "plans/188-kh-ubnd-2021.yaml"
    same = dondoc("plan", "renew", plan, "--year", "2021", "--number", "22/KH-UBND")
    assert (same.code, "Năm phải sau 2021" in same.err) == (2, True)
    early = dondoc("plan", "renew", plan, "--year", "2023", "--number", "22/KH-UBND", "--issued", "2021-11-20")
    assert (early.code, "2023 hoặc 2022" in early.err) == (2, True)
    assert "Không có kế hoạch số 7" in dondoc("plan", "renew", "7", "--year", "2022", "--number", "22/KH-UBND").err


def test_the_example_of_two_levels_names_no_office_that_ended() -> None:
    duties = PLAN_2026.read_text(encoding="utf8").partition("focus_areas:")[2]
    for gone in ("huyện", "thị xã", "thị trấn", "Lao động - Thương binh", "năm 2021"):
        assert gone not in re.sub(r"#.*", "", duties), gone
