"""The draft plan file: what was read, what is configured, and that nobody can overlook what is missing."""

import pytest
from ground.plan_documents import EVERYBODY, NOBODY

from engine.errors import FileRefused
from engine.features.plan_import.drafts.plan_text import CONFIRM, as_plan_yaml
from engine.features.plan_import.importer import read_document
from engine.files.plan import PlanFile, directory_mistakes, load_plan
from engine.files.yaml_reader import read as read_yaml


@pytest.fixture
def draft(plan_188, nghe_an):
    return as_plan_yaml(plan_188, nghe_an)


def loaded(text, directory):
    return read_yaml(text, PlanFile, "draft.yaml", also=lambda plan: directory_mistakes(plan, directory))


def test_the_draft_of_plan_188_loads_against_the_directory(draft, nghe_an):
    plan = loaded(draft, nghe_an)
    assert (plan.number, plan.issuer, plan.issued_on.isoformat()) == ("188/KH-UBND", "ubnd-tinh", "2021-04-07")
    assert plan.all_gaps == ("IV.14",)
    assert plan.supervisor == "so-ldtbxh"


def test_circumstances_of_a_duty_stand_beside_it(read):
    plan = read("II. HOẠT ĐỘNG\n1. Hội thi\n- Đơn vị chủ trì: Sở Y tế.\n- Địa điểm: Nhà hát.\n2. Sở Y tế khám bệnh.\n")
    lines = as_plan_yaml(plan, NOBODY).splitlines()
    assert '            # văn bản ghi thêm / the document adds: "Địa điểm: Nhà hát"' in lines


def test_it_has_exactly_the_items_and_duties_of_the_configured_plan(draft, nghe_an, request):
    configured = load_plan(request.config.rootpath / "config" / "plans" / "188-kh-ubnd-2021.yaml", nghe_an)
    drafted = loaded(draft, nghe_an)

    def told(plan):
        return {
            citation: (placed.duty.text, placed.owners, placed.item.no, placed.item.request)
            for citation, placed in plan.duties.items()
        }

    assert told(drafted) == told(configured)


def test_what_the_document_does_not_say_is_marked(draft):
    marked = [line for line in draft.splitlines() if CONFIRM in line]
    for key in ("short_title:", "sms_name:", "supervisor:", "hoi-ngay-half-year-year:"):
        assert any(line.strip().startswith(key) for line in marked)
    assert not any(line.startswith(("number:", "issuer:", "issued_on:")) for line in marked)


def test_no_day_is_set_that_the_document_does_not_name(draft, nghe_an):
    """Plan 188 names cycles and no day: each is asked for when the plan is activated."""
    rules = loaded(draft, nghe_an).report_rules
    assert {name: rule.ask_day for name, rule in rules.items()} == {
        "mac-dinh": False,
        "hoi-ngay-half-year-year": True,
    }
    assert {rule.due_day for rule in rules.values()} == {None}


def test_a_draft_without_a_directory_is_refused_until_it_is_filled_in(text_188):
    text = as_plan_yaml(read_document(text_188.encode(), "188.txt"), NOBODY)
    with pytest.raises(FileRefused) as refused:
        read_yaml(text, PlanFile, "draft.yaml")
    assert {problem.field for problem in refused.value.problems} >= {"issuer", "supervisor", "directory"}


def test_dates_in_the_document_become_rules_with_its_words(read):
    plan = read(
        "I. TỔ CHỨC THỰC HIỆN\n1. Sở Y tế\n- Báo cáo trước ngày 16/12/2022.\n- Họp trước ngày 10 hằng tháng.\n"
        "- Tổng kết trong Quý IV.\n"
    )
    drafted = read_yaml(as_plan_yaml(plan, EVERYBODY), PlanFile, "draft.yaml")
    rules = [drafted.rule_of(placed.duty) for placed in drafted.duties.values()]
    assert [str(rule.on) for rule in rules] == ["2022-12-15", "None", "2022-12-31"]
    assert rules[1].due_day == 9
    assert rules[0].wording == "trước ngày 16/12/2022"


def test_a_day_of_the_last_month_is_written_into_the_rule(read):
    plan = read(
        "I. TỔ CHỨC THỰC HIỆN\n1. Sở Y tế\n- Định kỳ hằng quý báo cáo trước ngày 10 của tháng cuối quý.\n"
        "- Họp trước ngày 10 hằng tháng.\n"
    )
    drafted = read_yaml(as_plan_yaml(plan, EVERYBODY), PlanFile, "draft.yaml")
    rules = [drafted.rule_of(placed.duty) for placed in drafted.duties.values()]
    assert [(rule.due_day, rule.in_last_month) for rule in rules] == [(9, True), (9, False)]


def test_what_is_to_be_confirmed_of_a_time_is_the_duty_s_own_and_stands_beside_it_in_the_file(read):
    plan = read(
        "I. TỔ CHỨC THỰC HIỆN\n1. Sở Y tế\n- Báo cáo trước ngày 31/11 hằng năm.\n- Kiểm tra thường xuyên.\n"
        "- Khám bệnh.\n"
    )
    asked = "ngày không có thật"
    yearly, always, undated = plan.duties
    assert [(doubt.code, doubt.message.partition(" / ")[0]) for doubt in yearly.doubts] == [("time", asked)]
    assert always.doubts == ()
    assert [doubt.code for doubt in undated.doubts] == ["no_due_date"]
    lines = map(str.strip, as_plan_yaml(plan, NOBODY).splitlines())
    assert [line for line in lines if line.startswith("cadence:")] == [
        f"cadence: [year]  # {CONFIRM}: {asked}",
        "cadence: [ad_hoc]",
        f"cadence: [ad_hoc]  # {CONFIRM}: văn bản không nêu thời hạn: không báo cáo riêng",
    ]


@pytest.mark.parametrize(
    ("number", "title", "named"),
    [
        ("12/KH-UBND", "KẾ HOẠCH", "Kế hoạch"),
        ("9/CT-UBND", "CHỈ THỊ", "Chỉ thị"),
        ("47/UBND-KT", "V/v nước sạch", "Văn bản"),
    ],
)
def test_a_document_is_called_what_it_is(number, title, named):
    body = (
        "TỈNH AN LẠC\nSố: {}\nAn Lạc, ngày 02 tháng 3 năm 2022\n{}\n\n1. Sở Y tế: Rà soát.\n2. Sở Nội vụ: Tập huấn.\n"
    )
    plan = read_document(body.format(number, title).encode(), "x.txt")
    assert f'short_title: "{named} {number} năm 2022"' in as_plan_yaml(plan, EVERYBODY)


def test_numbers_that_a_plan_file_cannot_hold_are_given_anew_and_said(read):
    plan = read("3. Tổ chức thực hiện\na) Sở Y tế: kiểm tra.\nb) Sở Tài chính: bố trí kinh phí.\n")
    text = as_plan_yaml(plan, EVERYBODY)
    drafted = read_yaml(text, PlanFile, "draft.yaml")
    assert [placed.duty.citation for placed in drafted.duties.values()] == ["III.1.1", "III.2.1"]
    assert f"{CONFIRM}: số in trong văn bản là «a»" in text


def test_sub_points_keep_their_lines(read):
    body = "I. TỔ CHỨC THỰC HIỆN\n1. Sở Y tế\na) Chỉ đạo các đơn vị:\n- Khám bệnh;\n- Cấp thuốc.\n"
    plan = read(body)
    drafted = read_yaml(as_plan_yaml(plan, EVERYBODY), PlanFile, "draft.yaml")
    assert next(iter(drafted.duties.values())).duty.text == "Chỉ đạo các đơn vị:\n- Khám bệnh;\n- Cấp thuốc."


def test_reading_twice_gives_the_same(text_188, nghe_an, plan_188):
    assert read_document(text_188.encode(), "188.txt", directory=nghe_an) == plan_188


def test_a_decision_whose_number_has_its_year_is_named_by_its_sign():
    text = (
        "ỦY BAN NHÂN DÂN TỈNH THANH SƠN\nSố: 89/2025/QĐ-UBND\nThanh Sơn, ngày 25 tháng 11 năm 2025\nQUYẾT ĐỊNH\n"
        "Phân cấp quản lý viên chức\nĐiều 1. Giao Sở Nội vụ hướng dẫn thực hiện.\n"
    )
    lines = as_plan_yaml(read_document(text.encode(), "89.txt"), NOBODY).splitlines()
    assert any(line.startswith('short_title: "Quyết định 89/2025/QĐ-UBND năm 2025"') for line in lines)
    assert any(line.startswith("sms_name: QD89 ") for line in lines)
