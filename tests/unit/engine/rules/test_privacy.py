"""What looks like somebody's private life in a free text, and what only looks long."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.rules.privacy import Private, looks_private, masked, warnings


@pytest.mark.parametrize(
    ("text", "what", "shown"),
    [
        ("CMND 182345678 cấp năm 2010", Private.IDENTITY, "CMND 18xxxxx78 cấp năm 2010"),
        ("CCCD: 040 190 001 234.", Private.IDENTITY, "CCCD: 04x xxx xxx x34."),
        ("040190001234", Private.IDENTITY, "04xxxxxxxx34"),
        ("gọi 0912345678 hoặc", Private.PHONE, "gọi 09xxxxxx78 hoặc"),
        ("ĐT 0912.345.678", Private.PHONE, "ĐT 09xx.xxx.x78"),
        ("+84 912 345 678", Private.PHONE, "+84 xxx xxx x78"),
        ("máy bàn 0238 384 4567", Private.PHONE, "máy bàn 02xx xxx xx67"),
        ("liên hệ lan@tinh.example nhé", Private.EMAIL, "liên hệ l…@tinh.example nhé"),
        ("Công văn MẬT số 12", Private.SECRET, "Công văn MẬT số 12"),
        ("TUYỆT MẬT", Private.SECRET, "TUYỆT MẬT"),
    ],
)
def test_it_is_found_and_masked(text: str, what: Private, shown: str) -> None:
    assert [each.what for each in looks_private(text)] == [what]
    assert masked(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "Kinh phí 125.000.000 đồng và 125 000 000 đồng, 1.250.000.000 VNĐ",
        "Kế hoạch 188/KH-UBND ngày 07/4/2021, 460 xã, 323/460",
        "từ 15/12/2020 đến 14/6/2021; 12,5%; năm 2021-2025",
        "giữ bí mật gia đình; hòm thư mật",
        "Quyết định 1234/QĐ-UBND, mã 0403000123456789",
    ],
)
def test_money_numbers_of_documents_and_dates_are_nobody_s(text: str) -> None:
    assert looks_private(text) == ()
    assert masked(text) == text


def test_a_warning_is_a_sentence_beside_its_field_that_repeats_no_number() -> None:
    fields = {"body-1": "Anh A 0912345678, CMND 182345678", "body-2": "Đã mở 3 lớp."}
    said = warnings(fields, "vi")
    assert list(said) == ["body-1"]
    assert "số định danh" in said["body-1"]
    assert "điện thoại" in said["body-1"]
    assert "0912345678" not in said["body-1"]
    assert "telephone" in warnings(fields, "en")["body-1"]


@given(st.text(max_size=60))
def test_masking_never_fails_and_masks_all(text: str) -> None:
    assert all(each.what in (Private.SECRET, Private.EMAIL) for each in looks_private(masked(text)))


def test_a_word_of_any_length_is_read_in_no_time_and_addresses_that_touch_are_both_found() -> None:
    began = time.process_time()
    assert looks_private("x" * 100_000) == ()
    assert time.process_time() - began < 5  # it took 40 s: the square of its length
    long, two = "x" * 200 + "@so.vn", "a@so.vn/b@so.vn"
    assert [(each.start, each.end) for each in looks_private(f"{long} {two}")] == [(0, 206), (207, 214), (214, 222)]
