"""The year of a plan, of twelve documents whose years and periods were worked out by hand beforehand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
import yaml
from ground.paths import DATA
from ground.plan_documents import EVERYBODY

from engine.features.plan_import.drafts.plan_text import CONFIRM, as_plan_yaml
from engine.features.plan_import.importer import ImportedPlan, as_json, read_document
from engine.features.plan_import.importer.base.model import Found
from engine.features.plan_import.importer.structure.facts import planned_year
from engine.files.plan import PlanFile, cycle_periods
from engine.files.yaml_reader import read

YEARS = DATA / "import" / "years"
EXPECTED: Mapping[str, Mapping[str, Any]] = yaml.safe_load((YEARS / "expected.yaml").read_text(encoding="utf-8"))
AS_WORD = ("01-chu-hoa-nhieu-dong", "07-nam-trong-loi-van")


def came_to(plan: ImportedPlan) -> dict[str, Any]:
    """What a document came to: as the expectations are written."""
    text = as_plan_yaml(plan, EVERYBODY)
    drafted = read(text, PlanFile, "draft.yaml")
    found = {each for placed in drafted.duties.values() for each in cycle_periods(drafted, placed.duty)}
    line = next(line for line in text.splitlines() if line.startswith("year:"))
    keys = [each.key for each in sorted(found, key=lambda each: (each.end, each.end - each.start))]
    several = {"last_year": drafted.last_year} if drafted.last_year else {}
    return {"year": drafted.year, **several, "asks": CONFIRM in line, "periods": keys}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_plan_is_of_the_year_that_it_plans(name: str) -> None:
    file = YEARS / f"{name}.txt"
    assert came_to(read_document(file, file.name)) == dict(EXPECTED[name])


@pytest.mark.parametrize("name", AS_WORD)
def test_the_same_plan_in_word_is_of_the_same_year(name: str, word: Any) -> None:
    lines = (YEARS / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    assert came_to(read_document(word(lines), f"{name}.docx")) == dict(EXPECTED[name])


def test_every_document_has_its_expectation() -> None:
    assert {each.stem for each in YEARS.glob("*.txt")} == set(EXPECTED)


@pytest.mark.parametrize(
    ("title", "issued", "year"),
    [
        ("KẾ HOẠCH ĐẦU TƯ CÔNG NĂM 2026 VÀ DỰ KIẾN NĂM 2027", date(2026, 3, 1), 2026),
        ("Kế hoạch tổng kết năm 2026", date(2026, 11, 20), 2026),
        ("Kế hoạch tổng kết năm 2026", date(2027, 1, 8), 2027),
        ("Kế hoạch nâng cao kết quả cải cách hành chính năm 2027", date(2026, 11, 20), 2027),
        ("Kế hoạch thực hiện Đề án giai đoạn 2021 - 2025 trong năm 2024", date(2023, 12, 20), 2024),
        ("Kế hoạch 5 năm từ năm 2026 đến năm 2030", date(2026, 1, 5), 2026),
        ("KẾ HOẠCH CÔNG TÁC 2027", date(2026, 12, 1), 2027),
        ("Kế hoạch kiểm tra theo Công văn ngày 3 tháng 5 năm 2027", date(2026, 12, 1), 2026),
        ("", date(2026, 4, 7), 2026),
        ("Kế hoạch năm 2027", None, 2027),
        ("Kế hoạch năm 2035", date(2026, 4, 7), 2026),
    ],
)
def test_a_title_says_its_year(title: str, issued: date | None, year: int) -> None:
    assert planned_year(Found(title), issued, ()).year == year


def test_a_person_is_told_which_year_was_taken_and_why() -> None:
    plan = read_document(YEARS / "01-chu-hoa-nhieu-dong.txt", "a.txt")
    said = "lấy năm 2027 theo tên văn bản; ban hành 20/11/2026"
    assert f"year: 2027  # {CONFIRM}: {said}" in as_plan_yaml(plan, EVERYBODY).splitlines()
    assert [each.message for each in plan.warnings if each.code == "plan_year"] == [said]
    assert as_json(plan)["year"] == 2027


def test_of_a_programme_of_years_it_is_said_which_years_are_taken() -> None:
    plan = read_document(YEARS / "04-giai-doan-2026-2030.txt", "a.txt")
    (said,) = [each.message for each in plan.warnings if each.code == "plan_year"]
    assert said.startswith("giai đoạn 2026-2030: các kỳ báo cáo của mỗi năm từ 2026; nếu văn bản chỉ giao việc")


def test_a_title_that_plans_two_years_is_asked_about() -> None:
    found = planned_year(Found("Kế hoạch đầu tư công năm 2026 và dự kiến năm 2027"), date(2026, 3, 1), ())
    assert [each.message for each in found.doubts] == ["tên văn bản nêu cả năm 2026 và năm 2027, lấy năm 2026"]


def test_the_short_title_of_next_years_plan_does_not_cite_a_number_of_next_year() -> None:
    text = as_plan_yaml(read_document(YEARS / "01-chu-hoa-nhieu-dong.txt", "a.txt"), EVERYBODY)
    assert 'short_title: "Kế hoạch 412/KH-UBND của năm 2027"' in text


def test_days_without_a_year_are_of_the_year_that_the_plan_is_for() -> None:
    text = (YEARS / "01-chu-hoa-nhieu-dong.txt").read_text(encoding="utf-8")
    text = text.replace("Bố trí kinh phí thực hiện.", "Bố trí kinh phí, hoàn thành trước ngày 15/4.")
    drafted = read(as_plan_yaml(read_document(text.encode(), "a.txt"), EVERYBODY), PlanFile, "draft.yaml")
    assert date(2027, 4, 14) in {rule.on for rule in drafted.report_rules.values()}


def test_the_line_of_plan_188_is_as_it_was(plan_188: ImportedPlan) -> None:
    lines = as_plan_yaml(plan_188, EVERYBODY).splitlines()
    assert "year: 2021  # năm của ngày ban hành" in lines
