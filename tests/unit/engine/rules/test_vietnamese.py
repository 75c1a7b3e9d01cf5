"""Vietnamese letters: how a title is written."""

import pytest

from engine.rules.vietnamese import as_sentence


@pytest.mark.parametrize(
    ("title", "written"),
    [
        ("KẾ HOẠCH CÔNG TÁC Y TẾ TỈNH NGHỆ AN NĂM 2026", "Kế hoạch công tác Y tế tỉnh Nghệ An năm 2026"),
        ("CHƯƠNG TRÌNH CỦA UBND TỈNH", "Chương trình của UBND tỉnh"),
        ("KẾ HOẠCH Tổ chức tuần lễ tại Nghệ An", "Kế hoạch tổ chức tuần lễ tại Nghệ An"),
        ("Kế hoạch công tác năm 2026", "Kế hoạch công tác năm 2026"),
        ("", ""),
    ],
)
def test_a_title_in_capitals_becomes_a_sentence_that_keeps_names(title: str, written: str) -> None:
    texts = ["UBND tỉnh Nghệ An giao Sở Y tế.", "Bảo đảm an toàn tại Nghệ An.", "TỈNH NGHỆ AN"]
    assert as_sentence(title, texts) == written
