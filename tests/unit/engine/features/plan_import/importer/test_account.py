"""Every paragraph of a document is accounted for: it has one use, and no letter is lost or doubled."""

import pytest
from ground.paths import DATA
from hypothesis import given
from hypothesis import strategies as st
from import_figures.plan_texts import check, faults

from engine.errors import BadInput
from engine.features.plan_import.importer import Use, as_json, read_document
from engine.features.plan_import.importer.reading.reader import read_pages
from engine.features.plan_import.importer.structure.account import UNREAD, Account, balance
from engine.features.plan_import.importer.structure.header import parts_of
from engine.features.plan_import.importer.structure.joining import Paragraph, joined
from engine.features.plan_import.importer.structure.outline import outline

LABELLED = DATA / "import"
TEXTS = sorted(each for each in LABELLED.rglob("*") if each.suffix in (".txt", ".html"))


@pytest.mark.parametrize("file", TEXTS, ids=lambda file: file.name)
def test_the_account_of_every_labelled_text_balances(file):
    try:
        plan = read_document(file, file.name)
    except BadInput:
        return
    assert faults(plan) == []


def test_the_account_of_plans_made_at_random_balances():
    uses, wrong = check(0, 60)
    assert wrong == []
    assert uses["plans"] > 54
    assert all(uses[use.value] for use in Use)


@given(st.integers(10_000, 10_000_000))
def test_no_plan_made_at_random_loses_a_line(seed):
    assert check(seed, 1)[1] == []


def test_a_line_that_no_rule_reads_is_told_and_a_doubled_one_counted(text_188):
    blocks = read_pages(text_188.encode(), "188.txt").blocks
    parts = parts_of(blocks)
    paragraphs = list(joined(parts.body))
    whole = Account().closed(parts, outline(paragraphs), blocks)
    assert balance(whole, blocks) == 0
    assert not [each for each in whole if each.reason == UNREAD]
    short = Account().closed(parts, outline(paragraphs[:-3]), blocks)
    unread = [each for each in short if each.reason == UNREAD]
    assert all(each.serious for each in unread)
    assert balance(short, blocks) == 0, "what nobody read is told line by line"
    dropped = {line for each in paragraphs[-3:] if isinstance(each, Paragraph) for line in each.covers}
    assert {line for each in unread for line in each.covers} == dropped
    assert balance([*whole, whole[40]], blocks) > 0
    assert balance(whole[:-1], blocks) <= 0


def test_what_looks_like_a_duty_and_is_none_is_a_warning(read):
    plan = read(
        "I. MỤC TIÊU\n1. Nâng cao nhận thức.\n2. Sở Y tế khám cho 100% học sinh.\n- Hoàn thành trước ngày 30/6/2022.\n"
        "II. TỔ CHỨC THỰC HIỆN\n1. Công an tỉnh\n- Tuần tra.\n"
    )
    told = [each.message for each in plan.warnings if each.code == "left_out"]
    assert len(told) == 2
    assert "Sở Y tế khám" in told[0]
    assert next(each.owner for each in plan.left_out if each.serious) == "Sở Y tế"


def test_persons_in_a_column_are_neither_owners_nor_kept(page):
    rows = "<tr><td>TT</td><td>Việc</td><td>Người thực hiện</td><td>Đơn vị chủ trì</td></tr>"
    rows += "<tr><td>1</td><td>Kiểm kê</td><td>Nguyễn Văn Một</td><td>Phòng Hành chính</td></tr>"
    plan = read_document(f"<html><p>PHỤ LỤC</p><table>{rows}</table></html>".encode(), "x")
    assert [owner.name for item in plan.items for owner in item.owners] == ["Phòng Hành chính"]
    assert "Nguyễn" not in repr(plan)
    assert "Nguyễn" not in str(as_json(plan))
