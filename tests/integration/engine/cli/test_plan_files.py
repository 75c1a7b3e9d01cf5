"""Plan files on the command line of an office: its own agencies and calendar are meant, not the example's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ground.commands import Commands
from ground.factory import CONFIG
from ground.paths import DATA

from engine.store.database import Database

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
