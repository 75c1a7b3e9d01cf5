"""To whom a plan has its reports sent, besides the province."""

from __future__ import annotations

import pytest

from engine.features.papers.facts import ministries

LABOUR = "Bộ Lao động - Thương binh và Xã hội"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"01 năm tổng hợp báo cáo UBND tỉnh và {LABOUR} tình hình triển khai.", (LABOUR,)),
        ("Báo cáo Bộ Tài chính, Bộ Nội vụ\nvà UBND tỉnh theo quy định.", ("Bộ Tài chính", "Bộ Nội vụ")),
        (f"Báo cáo UBND tỉnh; xây dựng mô hình theo hướng dẫn của {LABOUR}.", ()),
        (f"Báo cáo UBND tỉnh theo mẫu của {LABOUR}.", ()),
        ("Báo cáo Bộ Nông nghiệp và Môi trường.", ("Bộ Nông nghiệp và Môi trường",)),
        ("Cán bộ Y tế báo cáo kết quả.", ()),
        ("Phối hợp với Bộ Công an.", ()),
        ("", ()),
    ],
)
def test_a_ministry_that_is_reported_to_is_found(text: str, found: tuple[str, ...]) -> None:
    assert ministries([text]) == found


def test_each_is_named_once() -> None:
    assert ministries([f"Báo cáo {LABOUR}.", f"Tổng hợp, báo cáo {LABOUR} hằng năm."]) == (LABOUR,)
