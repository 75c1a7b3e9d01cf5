"""The consolidated report: its figures, what is missing by name, and agencies' words only in brackets."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import docx
import pytest

from engine.papers.facts import Issuer, PlanFacts
from engine.papers.report import Difficulty, DutyFacts, FigureFacts, PeriodReport, report_docx, text_of
from engine.rules.calendar import PLAN_TIME


def facts(**changes: Any) -> PeriodReport:
    made = PeriodReport(
        Issuer("UBND tỉnh Nghệ An", "Sở Lao động - Thương binh và Xã hội", "SLĐTBXH-PCTNXH", "Nghệ An", "PCTNXH"),
        PlanFacts("188/KH-UBND", date(2021, 4, 7), "UBND tỉnh Nghệ An", "Kế hoạch thực hiện năm 2021"),
        "6 tháng đầu năm 2021",
        ("Ủy ban nhân dân tỉnh Nghệ An",),
        datetime(2021, 6, 24, 8, 0, tzinfo=PLAN_TIME),
        done_on_time=2,
        done_late=1,
        open_in_time=0,
        open_overdue=1,
        reports_on_time=2,
        reports_in=3,
        reports_expected=4,
        missing=("UBND huyện B",),
        figures=(FigureFacts("Số xã", "số lượng", "40", "30", 1, 2, "đạt 75%"),),
        duties=(
            DutyFacts(
                "IV.1.1", "Việc.", "Sở A", date(2021, 6, 17), "Hoàn thành", "Đã xong.", date(2021, 6, 15), "Đúng hạn"
            ),
        ),
        difficulties=(Difficulty("Sở C", "IV.3.1", "Thiếu kinh phí."),),
    )
    return replace(made, **changes)


def said(made: PeriodReport) -> str:
    return "\n".join(text for text, _ in text_of(made))


def words(made: PeriodReport) -> str:
    document = docx.Document(io.BytesIO(report_docx(made)))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return "\n".join([each.text for each in document.paragraphs] + cells)


def test_it_counts_tasks_and_reports_apart_and_names_who_is_missing() -> None:
    text = said(facts())
    assert "Tổng số 04 nhiệm vụ đến kỳ: hoàn thành đúng hạn 02; hoàn thành quá hạn 01" in text
    assert "Đã gửi 03/04 báo cáo, trong đó đúng hạn 02" in text
    assert "Còn 01 cơ quan chưa gửi đủ báo cáo: UBND huyện B." in text


def test_what_an_agency_wrote_stands_in_brackets_until_an_officer_has_read_it() -> None:
    text = words(facts())
    assert "[«Thiếu kinh phí.»]" in text
    assert "[Đã xong.]" in text


def test_a_figure_says_how_many_agencies_gave_it() -> None:
    text = words(facts())
    assert "1/2" in text
    assert "đạt 75%" in text


@pytest.mark.parametrize("figures", [(), facts().figures])
def test_the_text_points_to_every_annex_there_is(figures: tuple[FigureFacts, ...]) -> None:
    made = facts(figures=figures)
    pointed = set(re.findall(r"Phụ lục (I+)", said(made)))
    there = set(re.findall(r"^Phụ lục (I+)$", words(made), re.MULTILINE))
    assert pointed == there
    assert len(there) == 2 + bool(figures)


def test_what_are_only_requests_is_told_apart() -> None:
    assert "nội dung đề nghị phối hợp" not in said(facts())
    assert "Ngoài ra, 03 nội dung đề nghị phối hợp, trong đó 01" in said(facts(asked=3, asked_done=1))


def test_nothing_wrong_is_written_out_and_the_text_ends_once() -> None:
    text = said(facts(missing=(), difficulties=()))
    assert "\nKhông.\n" in text
    assert text.count("./.") == 1
    assert not re.search(r"None|\{\{|  ", words(facts()))
