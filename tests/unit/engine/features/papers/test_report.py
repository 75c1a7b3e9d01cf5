"""The consolidated report: its figures, what is missing by name, and agencies' words only in brackets."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import docx
import pytest

from engine.features.papers.facts import Issuer, PlanFacts
from engine.features.papers.report import (
    ConductFacts,
    Difficulty,
    DutyFacts,
    FigureFacts,
    PeriodReport,
    duty_rows,
    report_docx,
    text_of,
    timing_rows,
)
from engine.rules.calendar import PLAN_TIME


def facts(**changes: Any) -> PeriodReport:
    made = PeriodReport(
        issuer=Issuer(
            parent="UBND tỉnh Nghệ An",
            name="Sở Lao động - Thương binh và Xã hội",
            sign="SLĐTBXH-PCTNXH",
            place="Nghệ An",
            unit="PCTNXH",
        ),
        plan=PlanFacts("188/KH-UBND", date(2021, 4, 7), "UBND tỉnh Nghệ An", "Kế hoạch thực hiện năm 2021"),
        period="6 tháng đầu năm 2021",
        to=("Ủy ban nhân dân tỉnh Nghệ An",),
        as_of=datetime(2021, 6, 24, 8, 0, tzinfo=PLAN_TIME),
        done_on_time=2,
        done_late=1,
        open_in_time=0,
        open_overdue=1,
        reports_on_time=2,
        reports_in=3,
        reports_expected=4,
        missing=("UBND huyện B",),
        figures=(
            FigureFacts(name="Số xã", unit="số lượng", target="40", value="30", given=1, asked=2, note="đạt 75%"),
        ),
        duties=(
            DutyFacts(
                citation="IV.1.1",
                text="Việc.",
                agency="Sở A",
                due_on=date(2021, 6, 17),
                result="Hoàn thành",
                summary="Đã xong.",
                sent_on=date(2021, 6, 15),
                timing="Đúng hạn",
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


def test_none_is_written_as_a_word() -> None:
    none = dict.fromkeys(("done_on_time", "done_late", "reports_on_time", "reports_in"), 0)
    conduct = ConductFacts(promises=3, kept=0, outputs=2, complete=0)
    text = said(facts(**none, asked=1, asked_done=0, conduct=conduct))
    assert "hoàn thành đúng hạn: không; hoàn thành quá hạn: không" in text
    assert "Đã gửi 0/04 báo cáo, trong đó đúng hạn: không" in text
    assert "chưa nội dung nào có kết quả" in text
    assert "Giữ đúng 0/03 lời hẹn" in text
    assert "đủ sản phẩm: không" in text
    assert not re.search(r"\b00\b(?! phút)", text)


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


def duty(citation: str, agency: str, **changes: Any) -> DutyFacts:
    made = DutyFacts(
        citation=citation,
        text="Việc.",
        agency=agency,
        due_on=date(2021, 6, 17),
        result="Hoàn thành đúng hạn",
        summary="",
        sent_on=date(2021, 6, 15),
        timing="Đúng hạn",
    )
    return replace(made, **changes)


def test_a_duty_of_many_agencies_is_one_row_that_names_who_is_late() -> None:
    late = {"result": "Quá hạn", "timing": "Chưa gửi", "sent_on": None}
    districts = [duty("IV.16.1", f"Huyện {each}") for each in "ABCD"] + [duty("IV.16.1", "Huyện E", **late)]
    rows = duty_rows([duty("IV.1.1", "Sở A", summary="Đã xong."), *districts])
    assert [row[:2] for row in rows] == [("1", "IV.1.1"), ("2", "IV.16.1")]
    assert rows[0][3:] == ("Sở A", "17/6/2021", "Hoàn thành đúng hạn", "[Đã xong.]")
    assert rows[1][3:6] == ("5 cơ quan", "17/6/2021", "Hoàn thành đúng hạn: 4/5; Quá hạn: 1/5 (Huyện E)")


def test_the_same_words_of_many_agencies_stand_once_and_others_are_counted() -> None:
    same = [duty("IV.16.1", f"Huyện {each}", summary="Đã triển khai.") for each in "ABC"]
    others = [duty("IV.16.1", f"Huyện {each}", summary=f"Riêng {each}.") for each in "DEF"]
    (row,) = duty_rows([*same, *others])
    assert row[6] == "3 cơ quan: [Đã triển khai.]; Huyện D: [Riêng D.]; và 2 báo cáo khác"


def test_another_due_date_is_counted_beside_the_common_one() -> None:
    (row,) = duty_rows([duty("IV.1", "A"), duty("IV.1", "B"), duty("IV.1", "C", due_on=date(2021, 6, 30))])
    assert row[4] == "17/6/2021 (1 cơ quan có hạn khác)"


def test_the_reporting_is_one_row_an_agency_that_adds_up() -> None:
    rows = timing_rows(
        [
            duty("IV.1", "B"),
            duty("IV.2", "B", timing="Chậm", sent_on=date(2021, 6, 20)),
            duty("IV.3", "B", timing="Chậm", sent_on=date(2021, 6, 20)),
            duty("IV.4", "B", timing="Chưa gửi", sent_on=None),
            duty("IV.1", "A"),
        ],
        {"B": ConductFacts(promises=3, kept=2, days=(2.0, 41.5, None))},
    )
    assert rows == [
        ("1", "A", "1", "1", "", "", "", ""),
        ("2", "B", "4", "1", "IV.2, IV.3 (20/6/2021)", "IV.4", "2/3", "2/41,5/–"),
    ]
