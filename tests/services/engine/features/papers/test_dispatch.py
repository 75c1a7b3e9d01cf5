"""A công văn đôn đốc through the checklist: its .docx is read, and LibreOffice prints it as PDF."""

from __future__ import annotations

import io
import re
import subprocess
import unicodedata
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import docx
import pytest
from docx.shared import Pt
from services.libreoffice import as_pdf

from engine.features.papers.dispatch import addressed, dispatch_docx, subject_line, text_of
from engine.features.papers.document import LEAST_LINES
from engine.features.papers.facts import (
    Dispatch,
    DutyRow,
    Issuer,
    PlanFacts,
    PriorPaper,
    initials,
    place_of,
    shortened,
)
from engine.rules.calendar import PLAN_TIME, day_digits

ISSUER = Issuer(
    parent="UBND tỉnh Nghệ An",
    name="Sở Lao động - Thương binh và Xã hội",
    sign="SLĐTBXH-PCTNXH",
    place="Nghệ An",
    unit="PCTNXH",
)
PLAN = PlanFacts(
    "188/KH-UBND", date(2021, 4, 7), "UBND tỉnh Nghệ An", "Kế hoạch thực hiện phòng, chống mại dâm năm 2021"
)
LONG = "Xây dựng kế hoạch triển khai thực hiện các nhiệm vụ và giải pháp trên địa bàn; " * 4


def row(number: int, agency: int, *, late: int = 5, **more: Any) -> DutyRow:
    facts = {
        "agency_id": f"huyen-{agency}",
        "agency": f"Ủy ban nhân dân huyện thứ {agency}",
        "citation": f"IV.16.{number}",
        "text": f"Việc thứ {number}. {LONG}",
        "due_on": date(2021, 6, 17),
        "original_due_on": date(2021, 6, 17),
        "late": late,
        "reported": False,
        "status": "Chưa gửi báo cáo",
        "group": "Ủy ban nhân dân các huyện, thành phố, thị xã",
    }
    return DutyRow(**(facts | more))


def dispatch(agencies: int = 1, duties: int = 3, **changes: Any) -> Dispatch:
    late = [row(number, agency) for agency in range(1, agencies + 1) for number in range(1, duties + 1)]
    facts = Dispatch(
        issuer=ISSUER,
        plan=PLAN,
        reports_to="UBND tỉnh Nghệ An",
        overdue=late,
        upcoming=(),
        as_of=datetime(2021, 6, 24, 8, 0, tzinfo=PLAN_TIME),
        answer_by=date(2021, 7, 1),
        horizon=date(2021, 7, 8),
        level=1,
    )
    return replace(facts, **changes)


def read(facts: Dispatch) -> Any:
    return docx.Document(io.BytesIO(dispatch_docx(facts)))


def words(document: Any) -> str:
    """All text: paragraphs, then tables."""
    cells = [cell.text for table in document.tables for line in table.rows for cell in line.cells]
    return "\n".join([each.text for each in document.paragraphs] + cells)


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """The pages of a letter to one and of one to many, as one start of LibreOffice prints them."""
    folder = tmp_path_factory.mktemp("printed")
    long = replace(ISSUER, name="Sở Lao động - Thương binh và Xã hội và Những việc khác của tỉnh")
    soon, more = [row(9, 1, late=0)], {"more": "Đề nghị các cơ quan quan tâm chỉ đạo thực hiện đúng thời hạn. "}
    papers = {
        "one": dispatch(),
        "many": dispatch(21, 4, issuer=long, level=3),
        "nearly": dispatch(2, 2, upcoming=soon, level=3, wording=more),
        **{f"over-{n}": dispatch(n, 2, upcoming=soon, level=3, wording=more) for n in range(4, 8)},
    }
    for name, facts in papers.items():
        (folder / f"{name}.docx").write_bytes(dispatch_docx(facts))
    return {pdf.stem: _pages(pdf) for pdf in as_pdf(*(folder / f"{name}.docx" for name in papers))}


def _pages(pdf: Path) -> list[str]:
    text = subprocess.run(["pdftotext", "-layout", pdf, "-"], check=True, capture_output=True)
    return text.stdout.decode().rstrip("\f").split("\f")


def lines(page: str) -> list[str]:
    return [" ".join(each.split()) for each in page.splitlines() if each.strip()]


def runs(document: Any) -> Sequence[Any]:
    tables = [cell for table in document.tables for line in table.rows for cell in line.cells]
    paragraphs = [*document.paragraphs, *(each for cell in tables for each in cell.paragraphs)]
    return [run for each in paragraphs for run in each.runs]


def test_page_font_and_margins_are_the_decrees() -> None:
    document = read(dispatch(3, upcoming=[row(9, 1, late=0)]))
    for section in document.sections:
        assert sorted(round(each.mm) for each in (section.page_width, section.page_height)) == [210, 297]
        sides = (section.top_margin, section.bottom_margin, section.left_margin, section.right_margin)
        assert [round(each.mm) for each in sides] == [20, 20, 30, 20]
        assert section.different_first_page_header_footer
    assert [round(section.page_width.mm) for section in document.sections] == [210, 297]
    assert document.styles["Normal"].font.name == "Times New Roman"
    assert {run.font.name for run in runs(document)} == {None}
    assert not any(run.underline for run in runs(document))
    assert all(run.text == unicodedata.normalize("NFC", run.text) for run in runs(document))


def test_body_is_justified_fourteen_points_with_an_indented_first_line() -> None:
    body = [each for each in read(dispatch()).paragraphs if each.text.startswith(("Thực hiện", "Tính đến", "1. "))]
    assert len(body) == 3
    for each in body:
        layout = each.paragraph_format
        assert (each.runs[0].font.size, layout.space_after) == (Pt(14), Pt(6))
        assert 10 <= layout.first_line_indent.mm <= 12.8


def test_the_text_says_basis_state_request_and_thanks() -> None:
    said = list(text_of(dispatch(2, upcoming=[row(9, 1, late=0)])))
    assert said[0] == (
        "Thực hiện Kế hoạch số 188/KH-UBND ngày 07/4/2021 của UBND tỉnh Nghệ An về thực hiện phòng, chống mại dâm năm "
        "2021, Sở Lao động - Thương binh và Xã hội theo dõi, tổng hợp kết quả thực hiện."
    )
    assert said[1] == (
        "Tính đến 08 giờ 00 phút ngày 24 tháng 6 năm 2021, còn 02 cơ quan, đơn vị với 06 nhiệm vụ quá hạn, trong đó 06 "
        "nhiệm vụ chưa gửi báo cáo (Phụ lục kèm theo)."
    )
    assert "(qua PCTNXH) chậm nhất ngày 01/7/2021." in said[3]
    assert [each[:2] for each in said[3:6]] == ["1.", "2.", "3."]
    assert said[-1] == "Trân trọng./."


def test_earlier_letters_are_named_by_number_and_date() -> None:
    (basis, *_) = text_of(dispatch(prior=[PriorPaper("412/SLĐTBXH", date(2021, 6, 21))]))
    assert basis.endswith("đã có Công văn số 412/SLĐTBXH ngày 21/6/2021 đề nghị gửi báo cáo kết quả thực hiện.")


def test_only_the_third_time_says_what_follows_and_copies_the_province() -> None:
    second, third = dispatch(level=2), dispatch(level=3)
    assert subject_line(second).endswith("(lần 2)")
    assert "sẽ tổng hợp, báo cáo" not in " ".join(text_of(second))
    assert "sẽ tổng hợp, báo cáo Ủy ban nhân dân tỉnh." in " ".join(text_of(third))
    assert "- UBND tỉnh (để b/c);" in words(read(third))
    assert "(để b/c)" not in words(read(second))


def test_the_plans_subject_stands_in_the_body_alone() -> None:
    for facts in (dispatch(), dispatch(request=True)):
        assert "mại dâm" not in subject_line(facts)
        properties = read(facts).core_properties
        said = (properties.title, properties.author, properties.subject, properties.keywords, properties.comments)
        assert not re.search("mại dâm|HIV|ma túy|python", " ".join(said))
        assert properties.last_modified_by == ""


@pytest.mark.parametrize("agencies", [1, 3])
def test_a_body_that_is_only_asked_reads_no_order(agencies: int) -> None:
    text = words(read(dispatch(agencies, request=True, level=3))).lower()
    for word in ("yêu cầu", "phê bình", "quá hạn", "khẩn trương", "chấn chỉnh", "(lần", "để b/c", "sẽ tổng hợp"):
        assert word not in text
    assert "nội dung đề nghị phối hợp" in text
    assert "thời gian đề nghị" in text


@pytest.mark.parametrize("agencies", [1, 2, 7, 21, 130])
def test_numbers_of_the_text_are_the_rows_of_the_annex(agencies: int) -> None:
    facts = dispatch(agencies, 2)
    rows = read(facts).tables[-1].rows[1:]
    assert [line.cells[0].text for line in rows if line.cells[0].text] == ["1", "2"]
    if agencies > 1:
        named = [line.cells[3].text for line in rows]
        counts = [re.findall(r"^(\d+) cơ quan: ", each) or ["1"] for each in named]
        assert sum(int(each[0]) for each in counts) == 2 * agencies
        assert sum(each.count("thứ ") for each in named) == 2 * agencies
    assert f"{2 * agencies:02d} nhiệm vụ quá hạn" in " ".join(text_of(facts))


def test_twenty_one_districts_with_three_duties_alike_are_an_annex_of_one_page(tmp_path: Path) -> None:
    """63 tasks; each was a line of its own, on thirteen pages."""
    (tmp_path / "many.docx").write_bytes(dispatch_docx(dispatch(21, 3)))
    (pdf,) = as_pdf(tmp_path / "many.docx")
    pages = _pages(pdf)
    assert len(pages) <= 3
    assert "21 cơ quan: Ủy ban nhân dân các huyện: thứ 1, thứ 2" in words(read(dispatch(21, 3)))


def test_one_is_addressed_on_one_line_several_one_a_line_and_many_as_a_group() -> None:
    assert "Kính gửi: Ủy ban nhân dân huyện thứ 1" in words(read(dispatch(1)))
    several = words(read(dispatch(3)))
    assert "- Ủy ban nhân dân huyện thứ 1;" in several
    assert "- Ủy ban nhân dân huyện thứ 3." in several
    assert addressed(dispatch(8)) == ["Ủy ban nhân dân các huyện, thành phố, thị xã (theo danh sách tại Phụ lục)"]


def test_a_letter_to_one_holds_its_own_rows_alone() -> None:
    one = dispatch(3, 2).only("huyen-2")
    assert one.addressees == ("Ủy ban nhân dân huyện thứ 2",)
    assert len(one.overdue) == 2


def test_nothing_is_left_open_but_number_and_date() -> None:
    for facts in (dispatch(), dispatch(8), dispatch(2, upcoming=[row(9, 1, late=0)]), dispatch(request=True)):
        text = words(read(facts))
        assert not re.search(r"\{\{|None|nan|  | 0 nhiệm vụ|00 nhiệm vụ", text)
        assert "\u00a0" * 8 + "/SLĐTBXH-PCTNXH" in text
        assert text.count("./.") == 2  # of the letter, of the annex
        assert re.search("- Lưu: VT, PCTNXH[.]", text)
        assert text.index("- Như trên;") < text.index("- Lưu: VT")


def test_the_same_facts_make_the_same_file() -> None:
    def parts(body: bytes) -> dict[str, bytes]:
        with zipfile.ZipFile(io.BytesIO(body)) as file:
            return {name: file.read(name) for name in file.namelist()}

    assert parts(dispatch_docx(dispatch(3))) == parts(dispatch_docx(dispatch(3)))


def test_the_annex_head_repeats_and_rows_do_not_split() -> None:
    table = read(dispatch(3)).tables[-1]
    assert "w:tblHeader" in table.rows[0]._tr.xml
    assert all("w:cantSplit" in line._tr.xml for line in table.rows)


@pytest.mark.deep
def test_printed_for_one_it_stands_as_the_decree_draws_it(printed: dict[str, list[str]]) -> None:
    letter, *annex = printed["one"]
    shown = lines(letter)
    assert any(each.endswith("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM") for each in shown)
    assert any("Độc lập - Tự do - Hạnh phúc" in each for each in shown)
    (numbered,) = [each for each in shown if each.startswith("Số:")]
    assert "/SLĐTBXH-PCTNXH" in numbered
    assert numbered.endswith("năm 2021")
    assert "Kính gửi: Ủy ban nhân dân huyện thứ 1" in shown
    assert any(each.startswith("Nơi nhận:") and "KT. GIÁM ĐỐC" in each for each in shown)
    assert "PHÓ GIÁM ĐỐC" in letter
    assert len(annex) == 1
    assert lines(annex[0])[:2] == ["Phụ lục", "NHIỆM VỤ QUÁ HẠN"]
    assert "1" not in lines(letter)[:1]


@pytest.mark.deep
def test_printed_for_many_the_pages_are_numbered_from_the_second_and_again_in_the_annex(
    printed: dict[str, list[str]],
) -> None:
    letter, *annex = printed["many"]
    assert lines(letter)[0] != "1"
    assert lines(annex[0])[0] == "Phụ lục"
    assert [lines(each)[0] for each in annex[1:2]] == ["2"]
    assert all("STT" in each for each in annex[:-1])
    every = " ".join(annex)
    assert len(re.findall(r"IV\.16\.\d", every)) == 4
    assert "- Ủy ban nhân dân các huyện, thành phố, thị xã (theo danh sách tại" in " ".join(lines(letter))
    assert any(each.startswith("SỞ LAO ĐỘNG -") for each in lines(letter))


@pytest.mark.deep
def test_a_letter_that_all_but_fits_on_a_page_fits(printed: dict[str, list[str]]) -> None:
    letter, annex, *_ = printed["nearly"]
    assert "Nơi nhận:" in letter
    assert lines(annex)[0] == "Phụ lục"


@pytest.mark.deep
@pytest.mark.parametrize("name", [f"over-{n}" for n in range(4, 8)])
def test_a_page_does_not_begin_with_two_lines_and_a_signature(printed: dict[str, list[str]], name: str) -> None:
    (signed,) = [lines(page) for page in printed[name] if "Nơi nhận:" in page]
    above = next(number for number, line in enumerate(signed) if line.startswith("Nơi nhận:"))
    assert above > LEAST_LINES


LETTERS_A_LINE = 75
"""About as many as one of 160 mm holds in 14 points."""


@pytest.mark.parametrize("agencies", range(1, 9))
def test_enough_text_is_kept_with_the_signature(agencies: int) -> None:
    text = [each for each in read(dispatch(agencies, level=3)).paragraphs if each.text and each.style.name == "Normal"]
    kept = [each.text for each in text if each.paragraph_format.keep_with_next]
    assert sum(-(-len(each) // LETTERS_A_LINE) for each in kept) >= LEAST_LINES
    assert kept[-1].endswith("./.")


@pytest.mark.parametrize(
    ("day", "written"),
    [(date(2021, 4, 7), "07/4/2021"), (date(2021, 1, 21), "21/01/2021"), (date(2021, 12, 1), "01/12/2021")],
)
def test_days_and_months_take_a_nought_as_the_decree_says(day: date, written: str) -> None:
    assert day_digits(day) == written


def test_defaults_come_from_the_names() -> None:
    assert initials("Sở Lao động - Thương binh và Xã hội") == "SLĐTBXH"
    assert place_of("Ủy ban nhân dân tỉnh Nghệ An") == "Nghệ An"
    assert place_of("Ban Chỉ đạo") == ""
    assert shortened("Một câu. " * 40).endswith("Một câu.")
    assert len(shortened("chữ " * 100)) <= 200
