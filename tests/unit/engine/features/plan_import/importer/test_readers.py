"""Every format and every old way of writing Vietnamese comes in as the same Unicode lines."""

import time
import unicodedata

import docx
import pytest
from docx.enum.text import WD_BREAK
from docx.oxml import OxmlElement

from engine.errors import BadInput
from engine.features.plan_import.importer import read_document
from engine.features.plan_import.importer.reading.marked_text import is_markdown, read_markdown
from engine.features.plan_import.importer.reading.pdf import Table, TextLine
from engine.features.plan_import.importer.reading.reader import read_pages
from engine.rules.vietnamese import (
    OLD_WAYS,
    clean,
    from_misread_utf8,
    from_tcvn3,
    from_vni,
    is_syllable,
    matching,
    modern,
    squashed,
)

from_data = "Ủy ban nhân dân tỉnh ban hành kế hoạch phòng, chống thiên tai như sau: giữ vững, bảo đảm, kịp thời"
TCVN3 = "ñy ban nh©n d©n tØnh ban hµnh kÕ ho¹ch phßng, chèng thiªn tai nh­ sau: gi÷ v÷ng, b¶o ®¶m, kÞp thêi"
VNI = "UÛy ban nhaân daân tænh ban haønh keá hoaïch phoøng, choáng thieân tai nhö sau: giöõ vöõng, baûo ñaûm, kòp thôøi"


def lines(raw, name="x"):
    return [block.text for block in read_pages(raw, name).blocks if isinstance(block, TextLine)]


@pytest.mark.parametrize(("convert", "old"), [(from_tcvn3, TCVN3), (from_vni, VNI)])
def test_old_fonts_are_converted_letter_by_letter(convert, old):
    assert convert(old).lower() == from_data.lower()


@pytest.mark.parametrize(("way", "old"), [("TCVN3", TCVN3), ("VNI", VNI)])
def test_the_old_way_is_recognised_by_syllables(way, old):
    assert modern(old).was == way
    assert modern(old).text.lower() == from_data.lower()


def test_capitals_of_tcvn3_become_capitals():
    assert from_tcvn3("CéNG HßA X· HéI CHñ NGHÜA VIÖT NAM") == "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"


def test_utf8_read_as_western_letters_is_read_again():
    assert from_misread_utf8("Cá»™ng hÃ²a") == "Cộng hòa"


def test_modern_text_is_left_alone():
    assert modern(from_data).was == ""
    assert modern("Plan for 2021, naïve café").was == ""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_unicode_in_every_form_is_read(encoding):
    assert lines(from_data.encode(encoding)) == [from_data]


def test_windows_1258_is_read_with_its_marks_composed():
    raw = b"".join(_in_1258(letter) for letter in from_data)
    assert lines(raw) == [from_data]


def _in_1258(letter):
    try:
        return letter.encode("cp1258")
    except UnicodeEncodeError:
        apart = unicodedata.normalize("NFD", letter)
        tone = [each for each in apart if each in "\u0300\u0301\u0303\u0309\u0323"]
        base = unicodedata.normalize("NFC", "".join(each for each in apart if each not in tone))
        return base.encode("cp1258") + "".join(tone).encode("cp1258")


def test_a_tcvn3_plan_is_imported_and_says_that_it_was_converted(text_188):
    letters = {new: old for old, new in zip(*_table("TCVN3"), strict=True)}
    old = "".join(letters.get(each, letters.get(each.lower(), each)) for each in text_188)
    plan = read_document(old.encode("latin-1", "replace"), "188.txt")
    assert len(list(plan.duties)) == 28
    assert "converted" in {each.code for each in plan.warnings}


def _table(name):
    olds = [chr(code) for code in range(0xA1, 0x100)]
    pairs = [(old, OLD_WAYS[name](old)) for old in olds]
    return zip(*[(old, new) for old, new in pairs if old != new], strict=True)


def test_letters_of_an_unknown_font_are_refused_in_words():
    with pytest.raises(BadInput, match="phông cũ"):
        modern(" ".join("ÀÿÐæþ" for _ in range(30)))


def test_a_word_list_brings_its_numbers_with_it(saved_word):
    document = docx.Document()
    for style in ("List Number", "List Number", "List Bullet"):
        document.add_paragraph("Sở Y tế", style=style)
    assert lines(saved_word(document)) == ["1. Sở Y tế", "2. Sở Y tế", "• Sở Y tế"]


def test_merged_cells_of_word_stand_in_every_place_they_cover(saved_word):
    document = docx.Document()
    table = document.add_table(3, 3)
    table.cell(0, 0).text = "a"
    table.cell(0, 1).merge(table.cell(0, 2)).text = "b"
    table.cell(1, 0).merge(table.cell(2, 0)).text = "c"
    found = next(block for block in read_pages(saved_word(document), "x").blocks if isinstance(block, Table))
    assert found.rows == (("a", "b", "b"), ("c", "", ""), ("c", "", ""))
    assert found.spans == {(0, 2), (2, 0)}


def test_a_table_in_a_box_in_a_cell_of_word_is_read_once(saved_word):
    document = docx.Document()
    cell = document.add_table(1, 1).cell(0, 0)
    inner = document.add_table(1, 1)
    inner.cell(0, 0).text = "b"
    box = OxmlElement("w:txbxContent")
    box.append(inner._tbl)
    cell.paragraphs[0].add_run("a")._r.append(box)
    assert read_pages(saved_word(document), "x").blocks[0].rows == (("a\nb",),)


def test_line_breaks_inside_a_word_paragraph_are_lines(saved_word):
    document = docx.Document()
    run = document.add_paragraph().add_run("một")
    run.add_break(WD_BREAK.LINE)
    run.add_text("hai")
    assert lines(saved_word(document)) == ["một", "hai"]


def test_a_page_saved_by_word_keeps_its_list_marks():
    raw = (
        "<html><head><style>p{}</style></head><body><p style='mso-list:l0'><![if !supportLists]>-<span>&nbsp; </span>"
        "<![endif]>Gạch\nđầu dòng<o:p></o:p></p><p style='display:none'>ẩn</p><ol><li>một<li>hai</ol></body></html>"
    )
    assert lines(raw.encode()) == ["- Gạch đầu dòng", "1. một", "2. hai"]


def test_merged_cells_of_a_page_stand_in_every_place_they_cover():
    raw = "<table><tr><td rowspan=2>a</td><td colspan=2>b</td></tr><tr><td>c</td><td>d<p>e</p></td></tr></table>"
    found = read_pages(raw.encode(), "x").blocks[0]
    assert found.rows == (("a", "b", "b"), ("a", "c", "d\ne"))


def test_what_stands_in_a_table_outside_its_cells_comes_before_it():
    raw = "<table><caption>Phụ lục</caption><tr><td>a</td></tr></table><ol type=I start=4><li>một<li>hai</ol>"
    caption, table, *listed = read_pages(raw.encode(), "x").blocks
    assert (caption.text, table.rows) == ("Phụ lục", (("a",),))
    assert [line.text for line in listed] == ["IV. một", "V. hai"]


def test_a_pdf_with_text_is_read_with_its_pages(request):
    path = request.config.rootpath / "tests" / "data" / "import" / "files" / "plan.pdf"
    plan = read_document(path, path.name)
    assert plan.number.text == "45/KH-UBND"
    assert [item.no for item in plan.items] == ["1", "2", "3", "4"]
    assert str(next(plan.duties).place).startswith("trang 1")


def test_matching_keeps_the_length_of_its_text():
    for text in (from_data, "Hoà, HOÀ, uỷ, quý, İstanbul, “–”"):
        assert len(matching(text)) == len(text)
    assert matching("Thị xã Thái Hoà") == "thị xã thái hòa"
    assert squashed("Sở Y-tế ") == squashed("SỞ Y TẾ".lower())


def test_invisible_letters_and_runs_of_blanks_go():
    assert clean("a\u200b b\u00ad\t\tc\x07") == "a b c"


@pytest.mark.parametrize(
    ("word", "good"), [("nghiêng", True), ("quyết", True), ("khuỷu", True), ("hoµ", False), ("xyz", False)]
)
def test_a_syllable_is_told_from_other_words(word, good):
    assert is_syllable(word) is good


def test_rows_of_a_word_table_that_number_themselves_have_their_numbers(saved_word):
    document = docx.Document()
    document.add_paragraph("II. PHÂN CÔNG NHIỆM VỤ")
    table = document.add_table(rows=3, cols=3)
    for row, cells in zip(
        table.rows,
        (["STT", "Nội dung", "Cơ quan chủ trì"], ["", "Khám bệnh", "Sở Y tế"], ["", "Tuần tra", "Công an tỉnh"]),
        strict=True,
    ):
        for cell, text in zip(row.cells, cells, strict=True):
            cell.text = text
        if not cells[0]:
            row.cells[0].paragraphs[0].style = "List Number"
    plan = read_document(saved_word(document), "x.docx")
    assert [(item.no, item.owner) for item in plan.items] == [("1", "Sở Y tế"), ("2", "Công an tỉnh")]


MARKDOWN = r"""```markdown
# **KẾ HOẠCH**
---
## II\. PHÂN CÔNG ##
**1\. Sở Y
tế (**) và [Công an](https://an-lac.example/x_(1)) xã\_A:** *khám bệnh*, __trực__ _hằng ngày_
* ***Sở A***, **chủ trì: **Sở C
  * Khám **bệnh *sớm* nhất**
    * Báo cáo
* Sở B
> Ghi chú ** của Sở A (*), tệp ke_hoach_1; ngày __/__/2026<br>Hết.
"""


def test_the_signs_of_markdown_go_and_what_marks_nothing_stays():
    assert [line for line in lines(MARKDOWN.encode()) if line] == [
        "KẾ HOẠCH",
        "II. PHÂN CÔNG",
        "1. Sở Y",
        "tế (**) và Công an xã_A: khám bệnh, trực hằng ngày",
        "* Sở A, chủ trì: Sở C",
        "- Khám bệnh sớm nhất",
        "+ Báo cáo",
        "* Sở B",
        "Ghi chú ** của Sở A (*), tệp ke_hoach_1; ngày __/__/2026",
        "Hết.",
    ]
    assert [block.opens for block in read_pages(MARKDOWN.encode(), "x").blocks][:4] == [True, True, True, False]


def test_a_list_under_a_numbered_heading_of_markdown_has_numbers_of_its_own(read):
    head = "## I. MỤC ĐÍCH\n1. Giảm dịch.\n2. Giữ nguồn nước.\n## II. TỔ CHỨC THỰC HIỆN\n"
    first = "### 1. Sở Y tế\n**Nhiệm vụ:**\n1. **Khám** bệnh.\n2\\. Báo cáo.\n"
    plan = read(head + first + "**2. Công an tỉnh**\n1) Gác.\n\n**3. Sở Nội vụ:** Họp.")
    assert [(duty.citation, duty.text) for duty in plan.duties] == [
        ("II.1.1", "Khám bệnh."),
        ("II.1.2", "Báo cáo."),
        ("II.2.1", "Gác."),
        ("II.3.1", "Họp."),
    ]
    assert {each.text for each in plan.left_out} == {"1. Giảm dịch.", "2. Giữ nguồn nước."}
    deeper = read("## II. NHIỆM VỤ\n### 1. Y tế\n1.1. Sở Y tế khám bệnh.\n1.2. Công an tỉnh gác.\n")
    assert [duty.citation for duty in deeper.duties] == ["II.1.1", "II.1.2"]


TABLES = r"""
| **Nội dung** | **Cơ quan<br>chủ trì** |
|:--|--:|
| 1\. Tập huấn | Sở A \| B<br/>**Sở C** |
| **Nhóm hai** |||
Hết bảng.
"""


def test_a_table_of_markdown_is_a_table_though_breaks_in_it_look_like_a_page():
    table, after = read_pages(TABLES.encode(), "x").blocks
    assert isinstance(table, Table)
    assert table.rows == (
        ("Nội dung", "Cơ quan\nchủ trì", ""),
        ("1. Tập huấn", "Sở A | B\nSở C", ""),
        ("Nhóm hai", "", ""),
    )
    assert (table.place.line, after.text, after.place.line) == (2, "Hết bảng.", 6)


@pytest.mark.parametrize(
    "text",
    [
        "Sở Y tế (**)\nGhi chú: (**) số ước.\n* Sở A\n** Sở B\n*Sở C*",
        "**Sở Y tế\nCông an** tỉnh\n\n#1 và _x_, [1](2)\n-------",
        "## Một dòng\n|\nSở A\n|\n***",
    ],
)
def test_a_text_that_is_no_markdown_keeps_every_sign(text):
    assert lines(text.encode()) == [line for line in text.split("\n") if line]


def test_a_page_of_nothing_but_text_and_breaks_is_a_page():
    assert lines("Sở <b>A</b><br>Sở B &amp; C".encode()) == ["Sở A", "Sở B & C"]


def test_a_table_of_markdown_too_wide_to_be_one_stays_lines():
    assert len(lines((f"{'|a' * 70}|\n{'|-' * 70}|\n").encode())) == 2


@pytest.mark.parametrize("sign", ["**a ", "__a ", "[a](", "|-|\n", "*a _b ", "> ", "  * a\n", "**a*b"])
def test_signs_without_end_are_read_in_time(sign):
    start = time.process_time()
    text = "## Một\n## Hai\n" + sign * (200_000 // len(sign))
    assert is_markdown(text)
    assert list(read_markdown(text))
    assert time.process_time() - start < 4


@pytest.mark.parametrize("sign", ["\x1e", "\x1f", "\x1c", "\x0b", "\x85", "\u2028"])
def test_a_separator_in_a_text_is_no_line_of_it(sign):
    """Found at random: «\x1f» made a line of two, and a traceback of the second's place."""
    text = (
        f"ỦY BAN{sign}NHÂN DÂN\nTỈNH AN LẠC\nngày 31 tháng 13 năm 2021\nIV. PHÂN CÔNG\n1. Sở Y tế\n- Khám{sign}bệnh.\n"
    )
    plan = read_document(text.encode(), "x.txt")
    assert [" ".join(duty.text.split()) for item in plan.items for duty in item.duties] in (
        ["Khám bệnh."],
        ["Khámbệnh."],
    )
