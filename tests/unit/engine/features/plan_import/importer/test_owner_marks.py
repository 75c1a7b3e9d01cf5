"""An owner that its item's heading does not name is marked, and some that were taken are none."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from ground.plan_documents import NOBODY, owned

from engine.features.plan_import.drafts.plan_text import as_plan_yaml
from engine.features.plan_import.importer import ImportedPlan
from engine.features.plan_import.importer.base.model import Origin

Read = Callable[[str], ImportedPlan]


def origins(plan: ImportedPlan) -> list[tuple[str, Origin]]:
    return [(duty.citation, item.origin) for item in plan.items for duty in item.duties]


@pytest.mark.parametrize(
    ("line", "origin"),
    [
        ("1. Sở Y tế khám bệnh cho người dân.", Origin.HEADING),
        ("1. Sở Y tế: Khám bệnh cho người dân.", Origin.HEADING),
        ("1. Khám bệnh cho người dân. Đơn vị chủ trì: Sở Y tế.", Origin.HEADING),
        ("1. Khám bệnh cho người dân; giao Sở Y tế tổ chức thực hiện.", Origin.SENTENCE),
        ("1. Tuyên truyền: Sở Y tế viết bài, đăng tin.", Origin.SENTENCE),
        ("1. Khám bệnh cho người dân (Sở Y tế chủ trì).", Origin.BRACKET),
        ("1. Đối với Sở Y tế: khám bệnh cho người dân.", Origin.REGARDING),
    ],
)
def test_where_an_owner_was_read_is_kept(read: Read, line: str, origin: Origin) -> None:
    plan = read(f"IV. TỔ CHỨC THỰC HIỆN\n{line}\n2. Sở Nội vụ tổng hợp kết quả.\n")
    assert owned(plan)[0][1] == ["Sở Y tế"]
    assert origins(plan)[0][1] is origin


def test_a_point_of_another_body_is_marked(read: Read) -> None:
    plan = read("IV. TỔ CHỨC THỰC HIỆN\n1. Sở Y tế\n- Khám bệnh.\n- Giao Chi cục Dân số tuyên truyền.\n2. Sở Nội vụ\n")
    assert [origin for _, origin in origins(plan)] == [Origin.HEADING, Origin.POINT]


def test_points_of_those_whom_the_sentence_above_asks_are_marked(read: Read) -> None:
    plan = read("Để phòng dịch, UBND tỉnh yêu cầu các sở, ban, ngành:\n1. Rà soát văn bản.\n2. Kiểm tra cơ sở.\n")
    assert [origin for _, origin in origins(plan)] == [Origin.ABOVE, Origin.ABOVE]


def test_the_draft_says_beside_such_an_owner_that_it_must_be_confirmed(read: Read) -> None:
    plan = read("IV. TỔ CHỨC THỰC HIỆN\n1. Khám bệnh (Sở Y tế chủ trì).\n2. Sở Nội vụ tổng hợp kết quả.\n")
    owners = [line for line in as_plan_yaml(plan, NOBODY).splitlines() if " owners: [" in line]
    assert ["XÁC NHẬN: cơ quan đọc trong câu, ở trong ngoặc" in line for line in owners] == [True, False]


PARTNER = "IV. TỔ CHỨC THỰC HIỆN\n1. Sở Y tế\na) Tham mưu ban hành văn bản.\n{}\n2. Sở Nội vụ\n- Tổng hợp kết quả.\n"


@pytest.mark.parametrize(
    "points",
    [
        "b) Chủ trì, phối hợp với:\n- Sở Tài chính thẩm định dự toán.\n- Công an tỉnh kiểm tra cơ sở.",
        "b) Chủ trì, phối hợp với Sở Tài chính, Công an tỉnh:\n- Sở Tài chính thẩm định dự toán.\n- Mở lớp tập huấn.",
        "b) Chủ trì, phối hợp với Sở Tài chính thực hiện:\n- Sở Tài chính thẩm định dự toán.\n- Mở lớp tập huấn.",
    ],
)
def test_a_partner_below_a_point_of_who_leads_is_not_the_owner(read: Read, points: str) -> None:
    plan = read(PARTNER.format(points))
    owners = [names for _, names in owned(plan)]
    assert owners[-1] == ["Sở Nội vụ"]
    assert owners[:-1] == [["Sở Y tế"]] * (len(owners) - 1)
    assert "Sở Tài chính" in list(plan.duties)[1].coordinating


def test_a_point_below_it_that_gives_its_work_to_a_body_is_that_body_s(read: Read) -> None:
    plan = read(PARTNER.format("b) Chủ trì, phối hợp với các sở:\n- Giao Chi cục Dân số tuyên truyền.\n- Mở lớp."))
    assert ["Chi cục Dân số"] in [names for _, names in owned(plan)]


@pytest.mark.parametrize(
    "line",
    [
        "a) Nội dung kiểm tra (Đối với UBND các xã): việc công khai thủ tục hành chính.",
        "a) Rà soát hồ sơ, phối hợp với Sở Nội vụ (Chi cục Văn thư thực hiện việc sao chụp).",
        "a) Ngân sách địa phương: bảo đảm kinh phí thực hiện.",
        "a) Ngân sách tỉnh hỗ trợ các xã khó khăn.",
        "a) Khuyến khích doanh nghiệp tham gia, tài trợ.",
        "a) Rà soát quy hoạch; Thống kê đất đai: theo hướng dẫn.",
    ],
)
def test_what_a_sentence_is_about_who_helps_and_what_pays_own_nothing(read: Read, line: str) -> None:
    plan = read(f"IV. TỔ CHỨC THỰC HIỆN\n1. Kiểm tra\n{line}\nb) Sở Y tế khám bệnh.\n2. Sở Nội vụ tổng hợp kết quả.\n")
    assert [names for _, names in owned(plan)] == [["Sở Y tế"], ["Sở Nội vụ"]]
