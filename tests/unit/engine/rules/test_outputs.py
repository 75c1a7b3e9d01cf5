"""Outputs: what a document's words mean, and what is stored and read back."""

from __future__ import annotations

from datetime import date

import pytest

from engine.rules.outputs import GivenOutput, Output, kind_of, read_given, read_output
from engine.terms import OutputKind


@pytest.mark.parametrize(
    ("what", "kind"),
    [
        ("Quyết định của UBND tỉnh", "document"),
        ("Báo cáo kết quả", "document"),
        ("01 báo cáo kết quả", "document"),
        ("Hội nghị tập huấn", "event"),
        ("02 lớp tập huấn", "event"),
        ("Tỷ lệ hộ được cấp nước sạch", "figure"),
        ("100% số xã", "figure"),
        ("120 căn nhà", "figure"),
    ],
)
def test_the_words_of_a_document_say_what_kind_of_output_they_mean(what: str, kind: str) -> None:
    assert kind_of(what) == kind


def test_what_is_owed_and_what_is_given_are_read_as_they_were_stored() -> None:
    owed, given = Output("Quyết định", OutputKind.DOCUMENT), GivenOutput("12/QĐ-UBND", date(2021, 6, 9))
    assert read_output(owed.stored) == owed
    assert read_given(given.stored) == given
    assert read_output(None) is None
    assert read_given({}) is None
    assert given.words.vi == "12/QĐ-UBND, thứ Tư, 09/6/2021"
