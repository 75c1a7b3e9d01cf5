"""What names a body and a lead or a last day is a duty or told, wherever it stands, and two readings are said."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import wrap

import pytest
from ground.plan_documents import owned, said

from engine.errors import BadInput
from engine.features.plan_import.importer import ImportedPlan, read_document
from engine.features.plan_import.importer.base.model import Origin, Use
from engine.features.plan_import.importer.structure.account import OUTSIDE

Read = Callable[[str], ImportedPlan]
DUTIES = "III. TỔ CHỨC THỰC HIỆN\n1. Sở Y tế tổ chức hội nghị.\n2. Sở Nội vụ rà soát.\n"


@pytest.mark.parametrize("heading", ["KINH PHÍ THỰC HIỆN", "MỤC TIÊU", "YÊU CẦU", "THỜI GIAN"])
@pytest.mark.parametrize(
    "sentence", ["Sở Tài chính chủ trì bố trí kinh phí.", "Công an tỉnh lập danh sách, gửi trước ngày 15/3/2022."]
)
def test_a_sentence_of_a_body_with_a_lead_or_a_day_is_a_duty_under_any_heading(
    read: Read, heading: str, sentence: str
) -> None:
    plan = read(f"{DUTIES}IV. {heading}\nTừ nguồn ngân sách tỉnh. {sentence}\n")
    assert [text for _, _, text in said(plan)][-1] == sentence
    assert [item.origin for item in plan.items][-1] is Origin.SENTENCE


def test_the_sections_stand_in_the_document_s_order(read: Read) -> None:
    plan = read(f"II. KINH PHÍ\nSở Tài chính chủ trì bố trí kinh phí.\n{DUTIES}")
    assert [section.roman for section in plan.sections] == ["II", "III"]


def test_what_a_body_has_done_is_no_duty_and_told_without_the_reason_that_it_gives_nobody_work(read: Read) -> None:
    plan = read(f"II. TÌNH HÌNH\nSở Y tế đã chủ trì kiểm tra 30 cơ sở trước ngày 15/01/2022.\n{DUTIES}")
    assert len(plan.sections) == 1
    (left,) = (each for each in plan.left_out if "30 cơ sở" in each.text)
    assert left.serious
    assert left.reason != OUTSIDE
    assert any(doubt.code == "left_out" and "30 cơ sở" in doubt.message for doubt in plan.warnings)


def test_the_reason_that_a_section_gives_nobody_work_stands_beside_nothing_serious(read: Read) -> None:
    plan = read(f"II. NỘI DUNG\n1. Rà soát, phối hợp với Sở Nội vụ (Chi cục Văn thư chủ trì).\n2. Mở rộng.\n{DUTIES}")
    assert not [each.text for each in plan.left_out if each.serious and each.reason == OUTSIDE]
    assert any("Chi cục Văn thư" in doubt.message for doubt in plan.warnings if doubt.code == "left_out")


@pytest.mark.parametrize(
    "closing",
    [
        "Các sở, ban, ngành căn cứ Kế hoạch này triển khai thực hiện; hằng năm báo cáo kết quả về Sở Y tế.",
        "Yêu cầu các sở, ban, ngành nghiêm túc thực hiện, định kỳ 6 tháng báo cáo Sở Y tế.",
    ],
)
def test_a_cycle_asked_of_all_is_a_duty_of_the_group(read: Read, closing: str) -> None:
    for body in (f"{DUTIES}{closing}\n", f"{DUTIES}IV. KINH PHÍ\nTừ ngân sách tỉnh.\n{closing}\n"):
        plan = read(body)
        assert said(plan)[-1][2] == closing
        assert owned(plan)[-1][1][0].lower() == "các sở, ban, ngành"
        assert not plan.instructions


def test_a_closing_sentence_that_gives_one_body_a_last_day_is_its_duty(read: Read) -> None:
    plan = read(
        f"{DUTIES}Yêu cầu các sở, ban, ngành nghiêm túc thực hiện. "
        "Giao Văn phòng UBND tỉnh kiểm tra, báo cáo trước ngày 20/12/2022./.\n"
    )
    assert owned(plan)[-1][1] == ["Văn phòng UBND tỉnh"]
    assert len(plan.instructions) == 1


@pytest.mark.parametrize("sign", ["\t", " | "])
def test_an_annex_that_gives_tasks_to_persons_is_told_row_by_row_without_their_names(read: Read, sign: str) -> None:
    rows = [
        ("TT", "Nhiệm vụ", "Người thực hiện"),
        ("1", "Rà soát hồ sơ", "Bà Chuyên Viên"),
        ("2", "Lập biểu", "Ông Văn"),
    ]
    plan = read(f"{DUTIES}PHỤ LỤC\n" + "\n".join(map(sign.join, rows)) + "\n")
    told = [doubt.message for doubt in plan.warnings if doubt.code == "left_out"]
    assert ["Rà soát hồ sơ" in told[0], "Lập biểu" in told[1]] == [True, True]
    assert "người thực hiện" in told[0]
    assert not [each.text for each in plan.account if "Chuyên Viên" in each.text and each.use is Use.LEFT_OUT]
    assert "Chuyên Viên" not in "".join(told)


HEAD = "ỦY BAN NHÂN DÂN\nTỈNH AN LẠC\nCỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM\nSố: {}\nKẾ HOẠCH\nCÔNG TÁC NĂM 2022\n"


def test_of_two_plans_in_one_file_it_is_asked_which() -> None:
    plans = "".join(f"{HEAD.format(number)}{DUTIES}Nơi nhận:\n- Lưu.\n" for number in ("12/KH-UBND", "15/KH-UBND"))
    with pytest.raises(BadInput, match="12/KH-UBND, 15/KH-UBND"):
        read_document(plans.encode(), "hai.txt")


def test_a_decision_and_its_plan_are_one() -> None:
    both = f"{HEAD.format('3/QĐ-UBND')}Điều 1. Ban hành Kế hoạch.\n{HEAD.format('12/KH-UBND')}{DUTIES}"
    assert len(list(read_document(both.encode(), "qd.txt").duties)) >= 2


SENTENCE = (
    "Chỉ đạo các cơ quan truyền thông đẩy mạnh việc thông tin tuyên truyền chủ trương, chính sách, pháp luật về phòng, "
    "chống mại dâm tạo sự đồng thuận của xã hội trong công tác này."
)
NEXT = "Tăng cường công tác kiểm tra, giám sát nhằm phòng ngừa việc lợi dụng các phương tiện thông tin trong hoạt động."


@pytest.mark.parametrize("width", range(40, 111, 5))
def test_a_paragraph_that_may_end_at_a_line_says_two_readings_at_any_width(read: Read, width: int) -> None:
    """IV.6 of plan 188, wrapped: one duty or two, and the doubt in either case."""
    lines = [
        line
        for text in (DUTIES, "3. Sở Thông tin", SENTENCE, NEXT)
        for part in text.splitlines()
        for line in wrap(part, width)
    ]
    plan = read("\n".join(lines) + "\n")
    assert [doubt.place for doubt in plan.warnings if doubt.code == "two_readings"]
