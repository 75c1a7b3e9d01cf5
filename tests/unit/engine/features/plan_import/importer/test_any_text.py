"""No text whatever makes the importer crash, loop, or do more than its share of work."""

import string
import sys

import pytest
from ground.plan_documents import NOBODY
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.errors import DondocError
from engine.features.plan_import.drafts.plan_text import as_plan_yaml
from engine.features.plan_import.importer import as_json, read_document

PIECES = [
    "IV. PHÂN CÔNG NHIỆM VỤ",
    "V. TỔ CHỨC THỰC HIỆN",
    "1. Sở Y tế",
    "2. Công an tỉnh:",
    "3. Đề nghị Hội Nông dân",
    "- Chủ trì, phối hợp với",
    "+ báo cáo trước ngày 15/6",
    "a) Chỉ đạo:",
    "(1) Rà soát",
    "* Tổ chức",
    "|",
    "",
    "Nơi nhận:",
    "PHỤ LỤC",
    "TT | Nội dung | Cơ quan chủ trì",
    "1 | Việc | Sở Y tế; UBND các xã",
    "KẾ HOẠCH",
    "Các sở, ban, ngành",
    "định kỳ 6 tháng, năm",
    "và",
    "tỉnh",
    ",",
    ".",
    "1.1. Sở",
    "Điều 3.",
    "Số: 1/KH-UBND",
    "Cơ quan phối hợp: Sở Tài chính",
    "Thời gian: quý III/2022",
    "ngày 31 tháng 13 năm 2021",
    "Trên đây là",
]
documents = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=40)), max_size=40).map("\n".join)
TAGS = [
    "<p>",
    "</p>",
    "<table>",
    "<tr>",
    "<td rowspan=3>",
    "<td colspan='9'>",
    "</table>",
    "<br>",
    "<li>",
    "<ol>",
    "<pre>",
    "<!--",
    "<![if",
    "<script>",
    "</td>",
    "&nbsp;",
    "<div style='display:none'>",
]
tags = st.sampled_from(TAGS)
markup = st.lists(st.one_of(tags, st.sampled_from(PIECES), st.text(string.printable, max_size=20)), max_size=40)


def tried(raw: bytes) -> None:
    """Reads the bytes; what comes out can be written in both ways, or is refused in words."""
    try:
        plan = read_document(raw, "x")
    except DondocError as refused:
        if not str(refused):
            raise
        return
    assert as_json(plan)["sections"]
    assert as_plan_yaml(plan, NOBODY)


@given(documents)
def test_pieces_of_plans_in_any_order_are_read_or_refused(text):
    tried(text.encode("utf-8", "replace"))


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(raw):
    tried(raw)


@given(
    st.sampled_from([b"%PDF-1.4\n", b"PK\x03\x04", b"<html>", b"\xff\xfe", b"\xef\xbb\xbf"]), st.binary(max_size=120)
)
@settings(max_examples=settings().max_examples // 2)
def test_any_bytes_under_a_known_sign_are_read_or_refused(sign, raw):
    tried(sign + raw)


@given(markup)
@example(["KẾ HOẠCH"])
def test_any_markup_is_read_or_refused(parts):
    tried(("<html><body>" + "".join(parts)).encode("utf-8", "replace"))


@given(st.permutations(range(40)), st.sets(st.integers(0, 39), max_size=8))
@settings(max_examples=settings().max_examples // 2)
def test_a_real_plan_with_lines_lost_and_moved_is_read_or_refused(text_188, order, lost):
    lines = text_188.split("\n")[125:165]
    tried("\n".join(lines[n] for n in order if n not in lost).encode())


def work(text: str) -> int:
    """How many functions of Python are called to read a text."""
    calls = 0

    def count(frame, event, argument):
        nonlocal calls
        calls += event == "call"

    sys.setprofile(count)
    try:
        tried(text.encode())
    finally:
        sys.setprofile(None)
    return calls


START = "IV. PHÂN CÔNG NHIỆM VỤ\n1. Sở Y tế\n"
GROWING = {
    "duties": lambda n: START + "- Chủ trì, phối hợp với Sở Tài chính báo cáo trước ngày 15/6.\n" * n,
    "items": lambda n: "IV. PHÂN CÔNG NHIỆM VỤ\n" + "1. Sở Y tế\n- Khám bệnh.\n" * n,
    "sections": lambda n: "IV. TỔ CHỨC THỰC HIỆN\n1. Sở Y tế\n- Khám bệnh.\n" * n,
    "one long duty": lambda n: START + "- " + "phối hợp với Sở Y tế, Sở Tài chính và " * n,
    "one long word": lambda n: START + "- " + "a" * 40 * n,
    "wrapped": lambda n: START + "- một hai ba bốn năm\n" + "sáu bảy tám chín mười\n" * n,
    "headings": lambda n: "SỞ Y TẾ VÀ SỞ TÀI CHÍNH\n" * n,
    "bars": lambda n: "STT\n|\nNội dung\n|\nCơ quan chủ trì\n|\n" * n,
    "heads of tables": lambda n: "TT | Nội dung | Cơ quan chủ trì\n" * n,
    "recipients": lambda n: START + "- Khám bệnh.\n" + "Nơi nhận: Sở Y tế; " * n,
    "names": lambda n: "1. Các sở, ban, ngành, " + "sở, ban, ngành, " * n,
    "paragraphs after bodies": lambda n: "IV. PHÂN CÔNG\nSở Y tế rà soát.\n" + "Đường phố rất đẹp và rộng.\n" * n,
    "points of bodies": lambda n: "III. GIẢI PHÁP\n1. Hạ tầng\n" + "- Sở Y tế rà soát dự án.\n" * n,
}


@pytest.mark.parametrize("shape", GROWING)
def test_twice_the_text_is_at_most_about_twice_the_work(shape):
    tried(START.encode())  # what is imported when it is first used counts for nobody
    small, large = work(GROWING[shape](50)), work(GROWING[shape](200))
    assert large <= 4.2 * small + 5_000
