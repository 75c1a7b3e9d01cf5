"""The last days of a plan's reports, from the document's words to the calendar: ten documents worked out by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import yaml
from ground.paths import DATA
from ground.plan_documents import EVERYBODY

from engine.features.plan_import.drafts.plan_text import as_plan_yaml
from engine.features.plan_import.importer import ImportedPlan, read_document
from engine.files.plan import PlanFile, due_periods
from engine.files.yaml_reader import read
from engine.rules.calendar import WorkCalendar

DAYS = DATA / "import" / "days" / "expected.yaml"
EXPECTED: Mapping[str, Mapping[str, Any]] = yaml.safe_load(DAYS.read_text(encoding="utf-8"))


def document(head: list[Any], says: str) -> list[str]:
    """The lines of a plan in which one department is told to report."""
    number, day, month, year, title = head
    return [
        *("ỦY BAN NHÂN DÂN", "TỈNH AN LẠC", f"Số: {number}", f"An Lạc, ngày {day:02} tháng {month:02} năm {year}"),
        *("KẾ HOẠCH", title, "I. TỔ CHỨC THỰC HIỆN", "1. Sở Y tế", "- Chủ trì theo dõi việc thực hiện kế hoạch."),
        *(f"- {says}", "2. Sở Tài chính", "- Bố trí kinh phí thực hiện.", "Nơi nhận:", "- Lưu: VT."),
    ]


def owed(plan: ImportedPlan) -> list[str]:
    drafted = read(as_plan_yaml(plan, EVERYBODY), PlanFile, "draft.yaml")
    found = (due_periods(drafted, placed.duty, WorkCalendar()) for placed in drafted.duties.values())
    days = [each for periods in found for each in periods]
    return [f"{each.period.key} {each.due.on}" for each in sorted(days, key=lambda each: each.due.on)]


@pytest.mark.parametrize("name", EXPECTED)
def test_reports_are_owed_on_the_days_that_the_document_names(name: str) -> None:
    lines = document(EXPECTED[name]["head"], EXPECTED[name]["says"])
    assert owed(read_document("\n".join(lines).encode(), f"{name}.txt")) == EXPECTED[name]["owed"]


@pytest.mark.parametrize("name", EXPECTED)
def test_the_same_document_in_word_owes_the_same(name: str, word: Callable[[list[str]], bytes]) -> None:
    lines = document(EXPECTED[name]["head"], EXPECTED[name]["says"])
    assert owed(read_document(word(lines), f"{name}.docx")) == EXPECTED[name]["owed"]
