"""The wording of a draft dispatch: proposed in a form, kept with the draft, used in the file, gone once issued."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any

import docx
import pytest
from bs4 import BeautifulSoup
from ground.factory import rows
from ground.office import Office
from httpx import Response

from engine.features.papers.document import BLANK
from engine.store.database import Database
from engine.store.records import DispatchWording

PAGE = "/papers/dispatch?plan=1"


def form(office: Office, page: str = PAGE) -> dict[str, Any]:
    """What a browser would send of the form with the wording."""
    sent: dict[str, Any] = {}
    for each in BeautifulSoup(office.get(page).text, "lxml").select('form[action="/papers/dispatch/words"] [name]'):
        if each.name == "textarea":
            sent[str(each["name"])] = each.get_text()
        elif each.name == "input" and each["name"] != "token":
            sent.setdefault(str(each["name"]), []).append(str(each["value"]))
    return sent


def write(office: Office, page: str = PAGE, **texts: str) -> Response:
    return office.post("/papers/dispatch/words", page=page, **(form(office, page) | texts))


def document(office: Office, page: str = PAGE) -> docx.document.Document:
    return docx.Document(io.BytesIO(office.get(f"{page}&file=docx").content))


def paragraphs(office: Office, page: str = PAGE) -> list[str]:
    return [each.text for each in document(office, page).paragraphs if each.text.strip()]


def test_a_paragraph_that_was_written_stands_on_the_page_and_in_the_file(office: Office, lived: Database) -> None:
    answer = write(office, ask="Sở đề nghị Thủ trưởng các cơ quan chỉ đạo:", more="Đầu mối: Phòng Kế hoạch.")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PAGE}&said=words")
    assert "Đã lưu lời văn" in office.get(answer.headers["location"]).text
    found = paragraphs(office)
    assert "Sở đề nghị Thủ trưởng các cơ quan chỉ đạo:" in found
    assert "Đầu mối: Phòng Kế hoạch." in found
    assert not any("Để kịp thời tổng hợp" in each for each in found)
    assert any(re.match(r"Tính đến .* nhiệm vụ quá hạn", each) for each in found)  # not written: the facts' own
    (kept,) = rows(lived, DispatchWording)
    assert set(kept.texts) == {"ask", "more"}


def test_number_day_and_month_stay_blank(office: Office) -> None:
    write(office, basis="Thực hiện kế hoạch.")
    head = [cell.text for row in document(office).tables[0].rows for cell in row.cells]
    assert any(each.startswith(f"Số: {BLANK}/") for each in head)
    assert any(re.search(r"ngày\s{4,}tháng\s{4,}năm 2021", each) for each in head)


def test_a_dropped_point_leaves_no_gap_and_the_end_is_marked_once(office: Office) -> None:
    write(office, report="", close="")
    found = paragraphs(office)
    assert next(each for each in found if re.match(r"\d\. ", each)).startswith("1. Trường hợp có khó khăn")
    body = BeautifulSoup(office.get(PAGE).text, "lxml").select_one("section.duty").get_text()  # type: ignore[union-attr]
    assert body.count("./.") == 1
    assert body.strip().endswith("./.")


def test_the_wording_is_of_one_draft(office: Office) -> None:
    write(office, f"{PAGE}&agency=huyen-b", more="Chỉ gửi huyện B.")
    assert "Chỉ gửi huyện B." in office.get(f"{PAGE}&agency=huyen-b").text
    assert "Chỉ gửi huyện B." not in office.get(PAGE).text
    assert "Chỉ gửi huyện B." not in office.get(f"{PAGE}&request=yes").text


def test_all_ticked_is_the_draft_to_all(office: Office) -> None:
    write(office, more="Gửi chung.")
    everyone = BeautifulSoup(office.get(PAGE).text, "lxml").select("input[type=checkbox][name=agency]")
    ticked = "".join(f"&agency={each['value']}" for each in everyone)
    assert "Gửi chung." in paragraphs(office, f"{PAGE}{ticked}")


def test_a_letter_for_each_keeps_its_own_figures_and_takes_the_common_words(office: Office) -> None:
    write(office, basis="Căn cứ riêng.", state="Cả tỉnh còn chậm.", more="Đầu mối: Phòng Kế hoạch.")
    with zipfile.ZipFile(io.BytesIO(office.get(f"{PAGE}&file=zip").content)) as file:
        assert len(file.namelist()) > 1
        for name in file.namelist():
            said = "\n".join(each.text for each in docx.Document(io.BytesIO(file.read(name))).paragraphs)
            assert "Căn cứ riêng." in said
            assert "Đầu mối: Phòng Kế hoạch." in said
            assert "Cả tỉnh còn chậm." not in said
            assert "quý cơ quan còn" in said


def test_changed_figures_are_told_beside_what_was_written(office: Office) -> None:
    write(office, report="Báo cáo ngay trong tuần.", ask="Sở đề nghị:")
    assert "hãy soát lại đoạn" not in office.get(PAGE).text
    later = f"{PAGE}&answer_by=2021-07-09"
    note = BeautifulSoup(office.get(later).text, "lxml").select_one(".note b")
    assert note is not None
    assert note.get_text() == "điểm: báo cáo"
    assert "chậm nhất ngày 09/7/2021" in office.get(later).text


def test_the_proposed_words_can_be_taken_back(office: Office, lived: Database) -> None:
    before = paragraphs(office)
    write(office, basis="Khác.")
    answer = write(office, reset="1")
    assert answer.headers["location"] == f"{PAGE}&said=reset"
    assert paragraphs(office) == before
    assert not rows(lived, DispatchWording)


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ({"more": "Liên hệ 0912345678."}, "số điện thoại"),
        ({"more": "x" * 3_001}, "nhiều nhất 3000"),
        (dict.fromkeys(("basis", "state", "ask", "report", "difficulty", "upcoming", "close"), ""), "cần có nội dung"),
    ],
)
def test_what_is_refused_is_said_beside_its_paragraph_and_nothing_typed_is_lost(
    office: Office, lived: Database, texts: dict[str, str], said: str
) -> None:
    shown = {name: text for name, text in texts.items() if name in form(office)}
    answer = write(office, **(shown | {"ask": shown.get("ask", "Đã gõ ở đây.")}))
    assert answer.status_code == 422
    page = BeautifulSoup(answer.text, "lxml")
    beside = page.select_one("details[open] .said")
    assert beside is not None
    assert said in beside.get_text()
    if "ask" not in texts:
        assert page.select_one("textarea[name=ask]").get_text() == "Đã gõ ở đây."  # type: ignore[union-attr]
    assert not rows(lived, DispatchWording)


def test_the_next_draft_begins_anew_once_the_number_is_recorded(office: Office, lived: Database) -> None:
    write(office, basis="Khác.")
    page = BeautifulSoup(office.get(PAGE).text, "lxml")
    ids = [str(each["value"]) for each in page.select('form[action="/papers/dispatch"] input[name=id]')]
    answer = office.post("/papers/dispatch", page=PAGE, plan="1", period="", id=ids, number="412/SC", on="21/6/2021")
    assert answer.status_code == 303
    assert not rows(lived, DispatchWording)
    assert "Khác." not in paragraphs(office)
