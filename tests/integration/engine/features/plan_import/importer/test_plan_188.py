"""The first plan from its own text: exactly its items and duties, however the text is wrapped or stored."""

import textwrap

import pytest

from engine.features.plan_import.importer import as_json, read_document
from engine.features.plan_import.importer.reading.reader import read_pages
from engine.features.plan_import.importer.structure.joining import joined
from engine.rules.vietnamese import squashed

# item -> duties, DOMAIN 1
TABLE = {
    "1": 6,
    "2": 4,
    "3": 1,
    "4": 1,
    "5": 2,
    "6": 1,
    "7": 1,
    "8": 1,
    "9": 1,
    "10": 1,
    "11": 1,
    "12": 1,
    "13": 1,
    "15": 1,
    "16": 3,
}


def items(plan):
    """What must not change: numbers, owners, requests, citations and words."""
    return [
        (
            section.roman,
            item.no,
            [owner.name for owner in item.owners],
            item.request,
            [(duty.citation, squashed(duty.text)) for duty in item.duties],
        )
        for section in plan.sections
        for item in section.items
    ]


def test_the_head_is_read(plan_188):
    found = as_json(plan_188)
    assert found["number"] == "188/KH-UBND"
    assert found["date"] == "2021-04-07"
    assert found["issuer"] == "Ủy ban nhân dân tỉnh Nghệ An"
    assert found["title"] == "KẾ HOẠCH THỰC HIỆN PHÒNG, CHỐNG MẠI DÂM NĂM 2021"
    assert "Các Sở, ban, ngành, đoàn thể liên quan" in found["recipients"]


def test_section_iv_has_fifteen_items_and_26_duties(plan_188):
    assigned, standing = plan_188.sections
    assert {item.no: len(item.duties) for item in assigned.items} == TABLE
    assert [item.no for item in standing.items] == ["1", "2"]
    assert [duty.citation for duty in plan_188.duties][-3:] == ["IV.16.3", "V.1", "V.2"]


def test_the_missing_number_is_a_warning_and_nothing_is_renumbered(plan_188):
    gaps = [(each.code, each.place) for each in plan_188.warnings if each.code == "number_gap"]
    assert gaps == [("number_gap", "IV.14")]


def test_only_item_12_is_a_request(plan_188):
    assert [item.no for item in plan_188.items if item.request] == ["12"]


def test_joint_owners_and_groups_are_matched_to_the_directory(plan_188):
    found = {item.no: item for item in plan_188.sections[0].items}
    assert [owner.agency for owner in found["15"].owners] == ["dai-ptth", "bao-nghe-an"]
    assert [(owner.group, owner.members) for owner in found["16"].owners] == [(True, 21)]
    assert found["13"].owners[0].group
    assert all(owner.agency for item in plan_188.items for owner in item.owners)


def test_cycles_and_the_way_of_reports_are_read(plan_188):
    duties = {duty.citation: duty for duty in plan_188.duties}
    assert [each.text for each in duties["V.1"].deadlines] == ["định kỳ 06 tháng, 01 năm và đột xuất"]
    assert duties["V.1"].deadlines[0].cadence == ("half_year", "year", "ad_hoc")
    assert duties["V.1"].reports_to == ("UBND tỉnh", "Sở Lao động - Thương binh và Xã hội")
    assert duties["IV.7.1"].deadlines == ()  # «dự toán ngân sách hàng năm» is no deadline


def test_a_paragraph_with_two_readings_is_one_duty_and_a_warning(plan_188):
    assert ("two_readings", "IV.6.1") in [(each.code, each.place) for each in plan_188.warnings]


def test_every_duty_says_where_it_stands(plan_188):
    lines = [duty.place.line for duty in plan_188.duties]
    assert lines == sorted(lines)
    assert lines[0] == 128


@pytest.mark.parametrize("width", [60, 90, 400])
def test_wrapping_at_another_width_changes_nothing(text_188, plan_188, width):
    paragraphs = [each.text for each in joined(read_pages(text_188.encode(), "188.txt").blocks)]
    rewrapped = "\n".join(textwrap.fill(text, width) for text in paragraphs)
    assert items(read_document(rewrapped.encode(), "188.txt")) == items(plan_188)


@pytest.mark.parametrize("width", [60, 90, 400])
def test_wrapping_each_line_again_changes_nothing(text_188, plan_188, width):
    rewrapped = "\n".join(textwrap.fill(line, width) for line in text_188.split("\n"))
    assert items(read_document(rewrapped.encode(), "188.txt")) == items(plan_188)


@pytest.mark.parametrize("width", [30, 36, 40, 44, 50, 55])
def test_narrow_lines_give_the_same_duties_wrapped_once_or_twice(text_188, plan_188, width):
    paragraphs = [each.text for each in joined(read_pages(text_188.encode(), "188.txt").blocks)]
    for lines in (paragraphs, text_188.split("\n")):
        rewrapped = "\n".join(textwrap.fill(line, width) for line in lines)
        found = read_document(rewrapped.encode(), "188.txt")
        assert [duty.citation for duty in found.duties] == [duty.citation for duty in plan_188.duties]


@pytest.mark.parametrize("whole", [False, True])
def test_a_word_document_gives_the_same(text_188, plan_188, word, whole):
    lines = text_188.split("\n")
    if whole:
        lines = [each.text for each in joined(read_pages(text_188.encode(), "188.txt").blocks)]
    assert items(read_document(word(lines), "188.docx")) == items(plan_188)


@pytest.mark.parametrize("whole", [False, True])
def test_a_web_page_gives_the_same(text_188, plan_188, page, whole):
    lines = text_188.split("\n")
    if whole:
        lines = [each.text for each in joined(read_pages(text_188.encode(), "188.txt").blocks)]
    assert items(read_document(page(lines), "188.html")) == items(plan_188)


@pytest.mark.parametrize(
    "changed",
    [
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.encode("utf-16"),
        lambda text: text.encode("utf-8-sig"),
        lambda text: text.replace("\n", "\n\n").encode(),
        lambda text: "\n".join(f"     {line}  " for line in text.split("\n")).encode(),
        lambda text: ("<pre>" + text + "</pre>").encode(),
    ],
    ids=["crlf", "utf16", "bom", "double spaced", "indented", "preformatted"],
)
def test_how_the_lines_are_stored_changes_nothing(text_188, plan_188, changed):
    assert items(read_document(changed(text_188), "188")) == items(plan_188)
