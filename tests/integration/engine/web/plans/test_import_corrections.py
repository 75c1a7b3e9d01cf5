"""Corrections of a review that change which duties there are: parting, joining and taking lines. Whose
a duty is then and when it is owed, and that no word is lost."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from ground.paths import CONFIG, DATA
from hypothesis import given
from hypothesis import strategies as st
from import_figures.kinds import samples
from import_figures.review_edits import edits

from engine.files.directory import DirectoryFile, load_directory
from engine.importer import read_document
from engine.web.pages.plans.import_corrections import corrected, cut_before, cuts
from engine.web.pages.plans.import_review import Fields, fields_of, reviewed
from engine.web.pages.plans.import_review_pages import ReviewPages
from engine.web.pages.plans.import_sheet import Sheet, sheet_of

DIRECTORY = load_directory(CONFIG / "agencies/nghe-an-2021.yaml")
HEAD = "ỦY BAN NHÂN DÂN\nTỈNH NGHỆ AN\nSố: 9/KH-UBND\nNghệ An, ngày 05 tháng 4 năm 2021\nKẾ HOẠCH\nCÔNG TÁC NĂM 2021\n"
PLAN = """IV. TỔ CHỨC THỰC HIỆN
1. Sở Y tế
- Khám bệnh trước ngày 30/6/2021; hằng quý thống kê. Công an tỉnh giữ trật tự trước ngày 15/8/2021.
- Cấp thuốc.
2. Công an tỉnh
- Tuần tra.
Trên cơ sở Kế hoạch này, các sở, ban, ngành báo cáo về Sở Y tế trước ngày 15/12/2021.
"""
FIRST = "sections[0].items[0].duties[0]"


def read(body: str, directory: DirectoryFile = DIRECTORY) -> tuple[Sheet, dict[str, tuple[str, ...]]]:
    sheet = sheet_of(read_document((HEAD + body).encode(), "plan.txt", directory=directory), directory)
    return sheet, fields_of(sheet, directory)


def texts(sheet: Sheet, fields: Fields) -> list[str]:
    return [
        fields[f"{path}.duties[{d}].text"][0] for path, _, item, _ in sheet.items for d in range(len(item["duties"]))
    ]


def whole(sheet: Sheet, fields: Fields) -> Sequence[str]:
    """All words of all duties, without the marks of points."""
    return re.findall(r"[^\W\d_]{2,}", " ".join(texts(sheet, fields)))


@pytest.fixture
def parted() -> tuple[Sheet, dict[str, tuple[str, ...]]]:
    """The plan, its first duty as one paragraph of two bodies: as an importer may read it that knows neither."""
    body = PLAN.replace(" Công an tỉnh giữ", " Các bên giữ")
    sheet, fields = read(body)
    assert len(sheet.found["duties"]) == 3
    fields[f"{FIRST}.text"] = (fields[f"{FIRST}.text"][0].replace("Các bên giữ", "Công an tỉnh giữ"),)
    at = cut_before(fields[f"{FIRST}.text"][0], "Công an tỉnh giữ")
    return corrected(sheet, fields, DIRECTORY, "part", f"{FIRST}:{at}")


def test_a_part_that_begins_with_a_body_is_that_body_s_and_owed_when_its_words_say(parted):
    sheet, fields = parted
    assert [each["citation"] for _, _, item, _ in sheet.items for each in item["duties"]][:3] == [
        "IV.1.1",
        "IV.1.2",
        "IV.1.3",
    ]
    upper, lower, below = (f"sections[0].items[0].duties[{d}]" for d in range(3))
    assert fields[f"{lower}.owners"] == ("Công an tỉnh",)
    assert f"{upper}.owners" not in fields
    assert (fields[f"{lower}.due"], fields[f"{lower}.cadence"]) == (("14/8/2021",), ("once",))
    assert fields[f"{upper}.due"][0].endswith("29/6/2021")
    assert set(fields[f"{upper}.cadence"]) == {"once", "quarter"}
    assert fields[f"{below}.text"] == ("Cấp thuốc.",)
    plan = reviewed(sheet, fields, DIRECTORY).data
    duties = plan["sections"][0]["items"][0]["duties"]
    assert [duty.get("owners") for duty in duties] == [None, ["cong-an-tinh"], None]


def test_what_somebody_has_set_is_kept_by_both_parts():
    sheet, fields = read(PLAN.replace(" Công an tỉnh giữ", " Các bên giữ"))
    fields |= {f"{FIRST}.due": ("20",), f"{FIRST}.cadence": ("month",), f"{FIRST}.text": ("Khám bệnh.\n \nCấp thẻ.",)}
    sheet, fields = corrected(sheet, fields, DIRECTORY)
    assert texts(sheet, fields)[:2] == ["Khám bệnh.", "Cấp thẻ."]
    for d in range(2):
        assert fields[f"sections[0].items[0].duties[{d}].due"] == ("20",)
        assert fields[f"sections[0].items[0].duties[{d}].cadence"] == ("month",)


THREE = """IV. TỔ CHỨC THỰC HIỆN
1. Sở Y tế
- Khám bệnh trước ngày 30/6/2021; hằng quý thống kê. {0} trực trước ngày 15/8/2021. {1} cấp tiền trước ngày 10/10/2021.
2. Công an tỉnh
- Tuần tra.
"""


@pytest.mark.parametrize(
    "order", [("Sở Tài chính cấp", "Công an tỉnh trực"), ("Công an tỉnh trực", "Sở Tài chính cấp")]
)
def test_a_part_that_is_parted_again_is_owed_when_its_own_words_say(order):
    sheet, fields = read(THREE.format("Các bên", "Các bên"))
    typed = THREE.format("Công an tỉnh", "Sở Tài chính").splitlines()[2].removeprefix("- ")
    fields[f"{FIRST}.text"] = (typed,)
    for words in order:
        d, text = next((d, each) for d, each in enumerate(texts(sheet, fields)) if words in each)
        target = f"sections[0].items[0].duties[{d}]:{cut_before(text, words)}"
        sheet, fields = corrected(sheet, fields, DIRECTORY, "part", target)
    due = [fields[f"sections[0].items[0].duties[{d}].due"][0].split("; ")[-1] for d in range(3)]
    assert due == ["29/6/2021", "14/8/2021", "09/10/2021"]
    assert [fields[f"sections[0].items[0].duties[{d}].cadence"] for d in (1, 2)] == [("once",)] * 2


def test_a_line_that_was_taken_and_is_parted_is_owed_when_its_parts_say():
    sheet, fields = read(PLAN)
    n = next(n for n, each in enumerate(sheet.found["left"]) if each["doubted"])
    fields |= {f"left[{n}].take": ("1",), f"left[{n}].owners": ("Sở Y tế",)}
    sheet, fields = corrected(sheet, fields, DIRECTORY)
    place = next(name for name, values in fields.items() if values[0].startswith("Trên cơ sở"))
    fields[place] = (fields[place][0] + "\n\nKiểm tra trước ngày 01/11/2021.",)
    sheet, fields = corrected(sheet, fields, DIRECTORY)
    due = {fields[name][0][:8]: fields[name.replace(".text", ".due")][0] for name in fields if name.endswith(".text")}
    assert (due["Trên cơ "], due["Kiểm tra"]) == ("14/12/2021", "31/10/2021")


def test_joining_undoes_parting(parted):
    sheet, fields = parted
    sheet, fields = corrected(sheet, fields, DIRECTORY, "join", "sections[0].items[0].duties[1]")
    assert len(sheet.found["duties"]) == 3
    assert "\nCông an tỉnh giữ trật tự" in fields[f"{FIRST}.text"][0]
    assert "14/8/2021" in fields[f"{FIRST}.due"][0] or "29/6/2021" in fields[f"{FIRST}.due"][0]


def test_the_first_duty_of_an_item_joins_the_one_before_it_and_an_empty_item_is_none_of_the_plan():
    sheet, fields = corrected(*read(PLAN), DIRECTORY, "join", "sections[0].items[1].duties[0]")
    plan = reviewed(sheet, fields, DIRECTORY).data
    assert [item["no"] for item in plan["sections"][0]["items"]] == [1]
    assert plan["sections"][0]["items"][0]["duties"][-1]["text"].endswith("Tuần tra.")
    assert not [name for name in fields_of(sheet, DIRECTORY) if ".items[1]." in name], "the page shows no empty item"


def test_the_first_duty_of_all_joins_nothing():
    before = read(PLAN)
    assert corrected(*before, DIRECTORY, "join", FIRST) == before


def test_an_instruction_to_everybody_is_a_duty_at_one_tick_with_its_day():
    sheet, fields = read(PLAN)
    n = next(n for n, each in enumerate(sheet.found["left"]) if each["doubted"])
    assert sheet.found["left"][n]["reason"] == "yêu cầu chung"
    fields |= {f"left[{n}].take": ("1",), f"left[{n}].owners": ("Các sở, ban, ngành cấp tỉnh",)}
    sheet, fields = corrected(sheet, fields, DIRECTORY)
    assert f"left[{n}]" not in [part for page in ReviewPages.of(sheet).pages for part in page]
    plan = reviewed(sheet, fields, DIRECTORY).data
    duty = plan["sections"][0]["items"][-1]["duties"][-1]
    assert duty["text"].startswith("Trên cơ sở Kế hoạch này")
    assert plan["report_rules"][duty["rule"]]["on"] == "2021-12-14"
    assert corrected(sheet, fields, DIRECTORY) == (sheet, fields), "it is taken once"


def test_what_another_province_s_plan_left_out_is_nobody_s_of_this_directory():
    left = "II. KINH PHÍ\n1. Sở Tài chính bố trí kinh phí.\n"
    document = (HEAD.replace("NGHỆ AN", "LÀO CAI").replace("Nghệ An", "Lào Cai") + left + PLAN).encode()
    sheet = sheet_of(read_document(document, "plan.txt", directory=DIRECTORY), DIRECTORY)
    assert "other_province" in {each["code"] for each in sheet.found["warnings"]}
    assert [each["owner"] for each in sheet.found["left"] if each["text"].startswith("1. Sở Tài chính")] == [""]
    assert {each["owner"] for each in sheet.found["left"]} == {""}


def duties_of(section):
    return [
        (duty.get("owners") or item["owners"], duty["text"]) for item in section["items"] for duty in item["duties"]
    ]


def test_a_line_ticked_without_an_owner_waits_for_one():
    sheet, fields = read(PLAN)
    n = next(n for n, each in enumerate(sheet.found["left"]) if each["doubted"])
    fields = {name: values for name, values in fields.items() if name != f"left[{n}].owners"} | {
        f"left[{n}].take": ("1",)
    }
    assert corrected(sheet, fields, DIRECTORY) == (sheet, fields)
    assert f"left[{n}].owners" in reviewed(sheet, fields, DIRECTORY).problems


ROWS = (
    """I. MỤC TIÊU
1. Nâng cao nhận thức của người dân.
II. CHỈ TIÊU
- Rà soát các tuyến đường, xong trước ngày 30/6/2021.
- Công an tỉnh xử lý 100% vi phạm về tải trọng.
- Trung tâm Cứu hộ Bắc Sơn tiếp nhận 100% cuộc gọi.
- Sơn kẻ vạch 100% đường.
"""
    + PLAN
)


def test_lines_one_after_another_are_duties_at_one_tap_each_of_the_body_that_it_begins_with():
    sheet, fields = read(ROWS)
    lines = [n for n, each in enumerate(sheet.found["left"]) if each["section"][0] == "II"]
    assert lines == [1, 2, 3, 4]
    before = whole(sheet, fields)
    sheet, fields = corrected(sheet, fields | {"left[1].run": ("Sở Xây dựng; Sở Cầu đường",)}, DIRECTORY, "take", "1-4")
    plan = reviewed(sheet, fields, DIRECTORY).data
    (section,) = [each for each in plan["sections"] if each["roman"] == "II"]
    rows = [(item["owners"], duty["text"].split()[0]) for item in section["items"] for duty in item["duties"]]
    assert rows == [
        (["so-xay-dung", "so-cau-duong"], "Rà"),
        (["cong-an-tinh"], "Công"),
        (["trung-tam-cuu-ho-bac-son"], "Trung"),
        (["so-xay-dung", "so-cau-duong"], "Sơn"),
    ]
    assert [each["name"] for each in sheet.unknown] == ["Sở Cầu đường", "Trung tâm Cứu hộ Bắc Sơn"], "once for all"
    assert plan["report_rules"][section["items"][0]["duties"][0]["rule"]]["on"] == "2021-06-29"
    assert len(whole(sheet, fields)) > len(before)
    assert corrected(sheet, fields, DIRECTORY, "take", "1-4") == (sheet, fields)


def test_lines_taken_together_without_an_owner_wait_for_one():
    sheet, fields = corrected(*read(ROWS), DIRECTORY, "take", "1-4")
    assert [name for name in reviewed(sheet, fields, DIRECTORY).problems if name.startswith("left[")] == [
        "left[1].owners",
        "left[4].owners",
    ]


def test_a_duty_that_is_none_is_dropped_at_one_tap_and_kept_at_another():
    before = read(PLAN)
    sheet, fields = corrected(*before, DIRECTORY, "drop", FIRST)
    duties = reviewed(sheet, fields, DIRECTORY).data["sections"][0]["items"][0]["duties"]
    assert all("Khám bệnh" not in each["text"] for each in duties)
    assert corrected(sheet, fields, DIRECTORY, "drop", FIRST) == before


def test_a_section_that_assigns_nothing_is_dropped_at_one_tap_and_kept_at_another():
    before = read(PLAN + "V. PHÂN CÔNG THỰC HIỆN\n1. Sở Tài chính\n- Cấp kinh phí trước ngày 30/6/2021.\n")
    sheet, fields = before[0], before[1] | {"sections[0].items[0].drop": ("1",)}
    sheet, fields = corrected(sheet, fields, DIRECTORY, "drop", "sections[0]")
    plan = reviewed(sheet, fields, DIRECTORY).data
    assert [section["roman"] for section in plan["sections"]] == ["V"]
    assert corrected(sheet, fields, DIRECTORY, "drop", "sections[0]") == before, "an item dropped before is kept, too"


def test_a_name_that_stands_for_several_is_replaced_once_everywhere():
    body = PLAN.replace("1. Sở Y tế", "1. Liên ngành Y tế - Công an").replace("Công an tỉnh giữ", "các bên giữ")
    sheet, fields = read(body)
    (name,) = [each["name"] for each in sheet.unknown]
    fields |= {"body[0]": ("=",), "body[0].as": ("Sở Y tế; Công an tỉnh ; Trung tâm Cứu hộ Bắc Sơn",)}
    sheet, fields = corrected(sheet, fields, DIRECTORY)
    assert fields["sections[0].items[0].owners"] == ("Sở Y tế", "Công an tỉnh", "Trung tâm Cứu hộ Bắc Sơn")
    assert not [name for name in fields if name.startswith("body[0]")]
    assert [each["name"] for each in sheet.unknown] == [name, "Trung tâm Cứu hộ Bắc Sơn"]
    fields["body[1]"] = ("Sở Tư pháp",)
    plan = reviewed(sheet, fields, DIRECTORY)
    assert plan.data["sections"][0]["items"][0]["owners"] == ["so-y-te", "cong-an-tinh", "so-tu-phap"]
    assert corrected(sheet, fields, DIRECTORY) == (sheet, fields)


def test_one_duty_of_an_item_may_be_another_body_s():
    sheet, fields = read(PLAN)
    fields["sections[0].items[0].duties[1].owners"] = ("Sở Tài chính", "")
    duties = reviewed(sheet, fields, DIRECTORY).data["sections"][0]["items"][0]["duties"]
    assert [duty.get("owners") for duty in duties] == [None, ["so-tai-chinh"], *[None] * (len(duties) - 2)]


def test_a_body_that_the_directory_lacks_is_offered_without_moving_the_choices_before_it():
    body = PLAN.replace("2. Công an tỉnh", "2. Trung tâm Cứu hộ Bắc Sơn").replace(" Công an tỉnh giữ", " Các bên giữ")
    sheet, fields = read(body)
    before = [each["name"] for each in sheet.unknown]
    assert before == ["Trung tâm Cứu hộ Bắc Sơn"]
    fields[f"{FIRST}.text"] = ("Khám bệnh.\n\nTrung tâm Cấp cứu Nam Đàn chuyển bệnh nhân.",)
    sheet, fields = corrected(sheet, fields, DIRECTORY)
    assert [each["name"] for each in sheet.unknown] == [*before, "Trung tâm Cấp cứu Nam Đàn"]
    assert fields["sections[0].items[0].duties[1].owners"] == ("Trung tâm Cấp cứu Nam Đàn",)


def test_a_doubt_is_answered_by_the_duty_that_it_asked_for():
    sheet = sheet_of(read_document(DATA / "188-kh-ubnd-2021.txt", "188.txt", directory=DIRECTORY), DIRECTORY)
    fields = fields_of(sheet, DIRECTORY)
    (doubt,) = [each for each in sheet.found["warnings"] if each["code"] == "two_readings"]
    place = "sections[0].items[5].duties[0]"
    at = cut_before(fields[f"{place}.text"][0], doubt["words"])
    sheet, fields = corrected(sheet, fields, DIRECTORY, "part", f"{place}:{at}")
    assert fields["sections[0].items[5].duties[1].text"][0].startswith("Tăng cường công tác kiểm tra, giám sát")
    assert doubt not in sheet.found["warnings"]


def test_places_to_part_are_lines_and_sentences():
    text = "Chỉ đạo: (i) mở lớp, (ii) in sách. Kiểm tra; đôn đốc.\n- Báo cáo."
    assert [words.split()[0] for _, words in cuts(text)] == ["(i)", "(ii)", "Kiểm", "-"]
    assert cut_before(text, "Báo cáo.") == text.index("- Báo")
    assert list(cuts(text.replace("\n", "\r\n"))) == list(cuts(text)), "as a browser sends it"
    assert cut_before(text.replace("\n", "\r\n"), "Báo cáo.") == text.index("- Báo")
    assert cut_before(text, "không có") is None
    assert cut_before(text, "Chỉ đạo") is None


TARGETS = [
    "",
    "x",
    FIRST,
    f"{FIRST}:",
    f"{FIRST}:0",
    f"{FIRST}:3",
    f"{FIRST}:999999",
    "sections[9].items[9].duties[9]:4",
]


@pytest.mark.parametrize("act", ["part", "join", "drop", "take", "open", ""])
@pytest.mark.parametrize(
    "target", [*TARGETS, "sections[0].items[0].duties[99]", f"{FIRST}:-1", "left[0]", "7-3", "98-99"]
)
def test_a_target_that_means_nothing_changes_nothing(act, target):
    before = read(PLAN.replace("1. Sở Y tế", "1. Công an tỉnh"))
    after = corrected(*before, DIRECTORY, act, target)
    assert whole(*after) == whole(*before)


TEXT = (DATA / "188-kh-ubnd-2021.txt").read_text()
SHEET = sheet_of(read_document(TEXT.encode(), "188.txt", directory=DIRECTORY), DIRECTORY)
ACTS = st.lists(
    st.tuples(st.sampled_from(["part", "join", "drop"]), st.integers(0, 16), st.integers(0, 5), st.integers(0, 400))
)


@given(ACTS)
def test_whatever_is_parted_and_joined_no_word_is_lost_and_every_duty_has_its_fields(acts):
    sheet, fields = SHEET, fields_of(SHEET, DIRECTORY)
    before = whole(sheet, fields)
    for act, item, d, at in acts:
        colon = "" if act == "drop" else f":{at}"
        sheet, fields = corrected(sheet, fields, DIRECTORY, act, f"sections[0].items[{item}].duties[{d}]{colon}")
    assert whole(sheet, fields) == before
    assert len(sheet.found["duties"]) == len(texts(sheet, fields))
    for path, _, item_, found in sheet.items:
        assert [duty["citation"] for duty in item_["duties"]] == sorted(
            {duty["citation"] for duty in item_["duties"]}, key=lambda each: int(each.rpartition(".")[2])
        )
        assert len(found) == len(item_["duties"])
        for d in range(len(found)):
            assert fields[f"{path}.duties[{d}].cadence"]
    assert not [name for name in reviewed(sheet, fields, DIRECTORY).problems if name not in fields]


@pytest.mark.parametrize("name", ["second", "heldback"])
def test_a_text_that_is_read_as_its_label_says_needs_no_correction(name):
    found = [edits(sample, DIRECTORY) for sample in samples(DATA / f"import/kinds/{name}.yaml")]
    assert sum(each["duties"] for each in found) > 40
    assert sum(sum(each.values()) - each["duties"] for each in found) <= 2


GUESSED = """IV. TỔ CHỨC THỰC HIỆN
1. Khám bệnh cho người dân (Sở Y tế chủ trì).
2. Cấp thuốc miễn phí (Sở Y tế chủ trì).
3. Tuyên truyền: Công an tỉnh viết bài, đăng tin.
4. Sở Tài chính bố trí kinh phí.
"""


def test_owners_that_no_heading_names_are_confirmed_a_kind_at_one_tap():
    sheet, fields = read(GUESSED)
    assert [(kind, numbers) for kind, _, numbers in sheet.guessed] == [
        ("sentence", ["IV.3"]),
        ("bracket", ["IV.1", "IV.2"]),
    ]
    after, kept = corrected(sheet, fields, DIRECTORY, "sure", "bracket")
    assert [(kind, numbers) for kind, _, numbers in after.guessed] == [("sentence", ["IV.3"])]
    assert kept == fields
    assert corrected(sheet, fields, DIRECTORY, "sure", "heading")[0].guessed == sheet.guessed
