"""Every paragraph of a document is accounted for: it has one use, and no letter is lost or doubled."""

import pytest
from ground.import_kinds import samples
from ground.paths import DATA
from ground.plan_texts import check, faults
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import BadInput
from engine.importer import Use, as_json, read_document

LABELLED = DATA / "import"
TEXTS = sorted(each for each in LABELLED.rglob("*") if each.suffix in (".txt", ".html"))


@pytest.mark.parametrize("file", TEXTS, ids=lambda file: file.name)
def test_the_account_of_every_labelled_text_balances(file):
    try:
        plan = read_document(file, file.name)
    except BadInput:
        return
    assert faults(plan) == []


@pytest.mark.parametrize("half", ["open", "heldback", "second"])
def test_the_account_of_every_kind_balances(half):
    for sample in samples(LABELLED / "kinds" / f"{half}.yaml"):
        assert faults(read_document(sample.raw, sample.name)) == [], sample.name


def test_the_account_of_plans_made_at_random_balances():
    uses, wrong = check(0, 300)
    assert wrong == []
    assert uses["plans"] > 280
    assert all(uses[use.value] for use in Use)


@given(st.integers(10_000, 10_000_000))
def test_no_plan_made_at_random_loses_a_line(seed):
    assert check(seed, 1)[1] == []


def test_a_lost_line_is_told_and_a_doubled_one_too(text_188, monkeypatch):
    """The check itself: when a rule takes a line and gives it to nobody, the account says so."""
    import engine.importer.assembly as assembly

    honest = assembly.with_facts
    monkeypatch.setattr(assembly, "with_facts", lambda blocks: list(honest(blocks))[:-3])
    plan = read_document(text_188.encode(), "188.txt")
    assert any(each.reason == "chưa đọc được" and each.serious for each in plan.left_out)
    monkeypatch.setattr(assembly, "balance", lambda account, blocks: 7)
    plan = read_document(text_188.encode(), "188.txt")
    assert any(each.code == "unbalanced" for each in plan.warnings)


def test_what_looks_like_a_duty_and_is_none_is_a_warning(read):
    plan = read(
        "I. MỤC TIÊU\n1. Nâng cao nhận thức.\n2. Sở Y tế khám cho 100% học sinh.\n- Hoàn thành trước ngày 30/6/2022.\n"
        "II. TỔ CHỨC THỰC HIỆN\n1. Công an tỉnh\n- Tuần tra.\n"
    )
    told = [each.message for each in plan.warnings if each.code == "left_out"]
    assert len(told) == 2
    assert "Sở Y tế khám" in told[0]
    assert [each.owner for each in plan.left_out if each.serious][0] == "Sở Y tế"


def test_persons_in_a_column_are_neither_owners_nor_kept(page):
    rows = "<tr><td>TT</td><td>Việc</td><td>Người thực hiện</td><td>Đơn vị chủ trì</td></tr>"
    rows += "<tr><td>1</td><td>Kiểm kê</td><td>Nguyễn Văn Một</td><td>Phòng Hành chính</td></tr>"
    plan = read_document(f"<html><p>PHỤ LỤC</p><table>{rows}</table></html>".encode(), "x")
    assert [owner.name for item in plan.items for owner in item.owners] == ["Phòng Hành chính"]
    assert "Nguyễn" not in repr(plan)
    assert "Nguyễn" not in str(as_json(plan))
