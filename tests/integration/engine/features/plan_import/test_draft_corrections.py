"""Corrections of a plan document under review that change which duties there are: parting, joining and taking lines.
Whose a duty is then and when it is owed, and that no word is lost."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from ground.paths import CONFIG, DATA
from ground.typed_days import READ
from hypothesis import given
from hypothesis import strategies as st
from import_figures.kinds import samples
from import_figures.review_edits import edits

from engine.features.plan_import.drafts.corrections import Corrections, DutyFields, cut_before, cuts
from engine.features.plan_import.drafts.model import DraftDuty, PlanDraft, Times
from engine.features.plan_import.drafts.plan_data import reviewed
from engine.features.plan_import.drafts.reading import draft_of
from engine.features.plan_import.importer import read_document
from engine.files.directory import DirectoryFile, load_directory
from engine.files.plan_parts import DutyEntry
from engine.terms import OutputKind

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
FIRST = 1


def read(body: str, directory: DirectoryFile = DIRECTORY) -> Corrections:
    """The review of a plan, to be corrected."""
    plan = read_document((HEAD + body).encode(), "plan.txt", directory=directory)
    return Corrections(draft_of(plan, directory), directory)


def duty(review: Corrections, key: int = FIRST) -> DraftDuty:
    place = review.draft.place(key)
    assert place is not None
    return place.duty


def set_duty(review: Corrections, key: int = FIRST, **typed: object) -> None:
    now = duty(review, key)
    values = {
        "text": now.text,
        "owners": now.owners,
        "cadence": now.times.cadence,
        "due": now.times.due,
        "wording": now.times.wording,
        "coordinating": "; ".join(now.coordinating),
        "output": now.output,
        "output_kind": now.output_kind,
    }
    review.set_duty(key, DutyFields(**{**values, **typed}))  # type: ignore[arg-type]


def texts(review: Corrections) -> list[str]:
    return [each.text for each in review.draft.duties]


def whole(review: Corrections) -> Sequence[str]:
    """All words of all duties, without the marks of points."""
    return re.findall(r"[^\W\d_]{2,}", " ".join(texts(review)))


def unchanged(review: Corrections) -> PlanDraft:
    return review.draft.model_copy(deep=True)


def plan_of(review: Corrections) -> dict[str, Any]:
    return reviewed(review.draft, DIRECTORY).data


@pytest.fixture
def parted() -> Corrections:
    """The plan, its first duty as one paragraph of two bodies: as an importer may read it that knows neither."""
    review = read(PLAN.replace(" Công an tỉnh giữ", " Các bên giữ"))
    assert len(review.draft.duties) == 3
    duty(review).text = duty(review).text.replace("Các bên giữ", "Công an tỉnh giữ")
    at = cut_before(duty(review).text, "Công an tỉnh giữ")
    assert at
    assert review.part(FIRST, at)
    return review


def test_a_part_that_begins_with_a_body_is_that_body_s_and_owed_when_its_words_say(parted):
    assert [each.citation for each in parted.draft.places()][:3] == ["IV.1.1", "IV.1.2", "IV.1.3"]
    upper, lower, below = parted.draft.duties[:3]
    assert (upper.owners, lower.owners) == (["Sở Y tế"], ["Công an tỉnh"])
    assert (lower.times.due, lower.times.cadence) == ("14/8/2021", ["once"])
    assert upper.times.due.endswith("29/6/2021")
    assert set(upper.times.cadence) == {"once", "quarter"}
    assert below.text == "Cấp thuốc."
    duties = plan_of(parted)["sections"][0]["items"][0]["duties"]
    assert [each.get("owners") for each in duties] == [None, ["cong-an-tinh"], None]


def test_a_duty_keeps_its_key_whatever_is_corrected_before_it(parted):
    assert [each.key for each in parted.draft.duties] == [1, 4, 2, 3]
    assert parted.join(4)
    assert [each.key for each in parted.draft.duties] == [1, 2, 3]


def test_what_somebody_has_set_is_kept_by_both_parts():
    review = read(PLAN.replace(" Công an tỉnh giữ", " Các bên giữ"))
    set_duty(review, due="20", cadence=["month"], text="Khám bệnh.\n \nCấp thẻ.")
    assert texts(review)[:2] == ["Khám bệnh.", "Cấp thẻ."]
    assert [(each.times.due, each.times.cadence) for each in review.draft.duties[:2]] == [("20", ["month"])] * 2


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
    review = read(THREE.format("Các bên", "Các bên"))
    duty(review).text = THREE.format("Công an tỉnh", "Sở Tài chính").splitlines()[2].removeprefix("- ")
    for words in order:
        found = next(each for each in review.draft.duties if words in each.text)
        at = cut_before(found.text, words)
        assert at
        review.part(found.key, at)
    parts = review.draft.duties[:3]
    assert [each.times.due.split("; ")[-1] for each in parts] == ["29/6/2021", "14/8/2021", "09/10/2021"]
    assert [each.times.cadence for each in parts[1:]] == [["once"]] * 2


def doubted(review: Corrections) -> int:
    return next(n for n in review.draft.left() if review.draft.document[n].doubted)


def test_a_line_that_was_taken_and_is_parted_is_owed_when_its_parts_say():
    review = read(PLAN)
    n = doubted(review)
    review.take(n, n, ["Sở Y tế"])
    taken = next(each for each in review.draft.duties if each.text.startswith("Trên cơ sở"))
    set_duty(review, taken.key, text=taken.text + "\n\nKiểm tra trước ngày 01/11/2021.")
    due = {each.text[:8]: each.times.due for each in review.draft.duties}
    assert (due["Trên cơ "], due["Kiểm tra"]) == ("14/12/2021", "31/10/2021")


def test_joining_undoes_parting(parted):
    assert parted.join(parted.draft.duties[1].key)
    assert len(parted.draft.duties) == 3
    assert "\nCông an tỉnh giữ trật tự" in duty(parted).text
    assert "14/8/2021" in duty(parted).times.due or "29/6/2021" in duty(parted).times.due


def test_the_first_duty_of_an_item_joins_the_one_before_it_and_an_empty_item_is_none_of_the_plan():
    review = read(PLAN)
    assert review.join(review.draft.sections[0].items[1].duties[0].key)
    items = plan_of(review)["sections"][0]["items"]
    assert [item["no"] for item in items] == [1]
    assert items[0]["duties"][-1]["text"].endswith("Tuần tra.")
    assert len(review.draft.sections[0].items) == 1, "the page shows no empty item"


def test_the_first_duty_of_all_joins_nothing():
    review = read(PLAN)
    before = unchanged(review)
    assert not review.join(FIRST)
    assert review.draft == before


def test_an_instruction_to_everybody_is_a_duty_at_one_tap_with_its_day():
    review = read(PLAN)
    n = doubted(review)
    assert review.draft.document[n].reason == "yêu cầu chung"
    assert review.take(n, n, ["Các sở, ban, ngành cấp tỉnh"])
    assert n not in review.draft.left()
    plan = plan_of(review)
    taken = plan["sections"][0]["items"][-1]["duties"][-1]
    assert taken["text"].startswith("Trên cơ sở Kế hoạch này")
    assert plan["report_rules"][taken["rule"]]["on"] == "2021-12-14"
    assert not review.take(n, n, ["Sở Y tế"]), "it is taken once"


def test_what_another_province_s_plan_left_out_is_nobody_s_of_this_directory():
    left = "II. KINH PHÍ\n1. Sở Tài chính bố trí kinh phí.\n"
    document = (HEAD.replace("NGHỆ AN", "LÀO CAI").replace("Nghệ An", "Lào Cai") + left + PLAN).encode()
    draft = draft_of(read_document(document, "plan.txt", directory=DIRECTORY), DIRECTORY)
    assert draft.of_another_province
    assert {draft.document[n].owner for n in draft.left()} == {""}


def test_a_line_without_an_owner_waits_for_one():
    review = read(PLAN)
    n = doubted(review)
    review.draft.document[n].owner = ""
    review.draft.document[n].text = "Báo cáo kết quả."
    before = unchanged(review)
    assert not review.take(n, n)
    assert review.draft == before


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
    review = read(ROWS)
    lines = [n for n in review.draft.left() if review.draft.document[n].section[0] == "II"]
    assert len(lines) == 4
    before = whole(review)
    assert review.take(lines[0], lines[-1], ["Sở Xây dựng", "Sở Cầu đường"])
    plan = plan_of(review)
    (section,) = [each for each in plan["sections"] if each["roman"] == "II"]
    rows = [(item["owners"], each["text"].split()[0]) for item in section["items"] for each in item["duties"]]
    assert rows == [
        (["so-xay-dung", "so-cau-duong"], "Rà"),
        (["cong-an-tinh"], "Công"),
        (["trung-tam-cuu-ho-bac-son"], "Trung"),
        (["so-xay-dung", "so-cau-duong"], "Sơn"),
    ]
    names = [each.name for each in review.draft.unknown]
    assert names[-2:] == ["Sở Cầu đường", "Trung tâm Cứu hộ Bắc Sơn"], "once for all"
    assert plan["report_rules"][section["items"][0]["duties"][0]["rule"]]["on"] == "2021-06-29"
    assert len(whole(review)) > len(before)
    assert not review.take(lines[0], lines[-1])


def test_lines_taken_together_without_an_owner_wait_for_one():
    review = read(ROWS)
    lines = [n for n in review.draft.left() if review.draft.document[n].section[0] == "II"]
    assert review.take(lines[0], lines[-1])
    still = [n for n in review.draft.left() if review.draft.document[n].section[0] == "II"]
    assert still == [lines[0], lines[-1]]


def test_a_duty_that_is_none_is_dropped_at_one_tap_and_kept_at_another():
    review = read(PLAN)
    assert review.drop(FIRST)
    duties = plan_of(review)["sections"][0]["items"][0]["duties"]
    assert all("Khám bệnh" not in each["text"] for each in duties)
    assert review.drop(FIRST)
    assert not duty(review).dropped


def test_an_item_that_assigns_nothing_is_dropped_at_one_tap_and_kept_at_another():
    review = read(PLAN)
    assert review.drop(FIRST, whole_item=True)
    assert [item["no"] for item in plan_of(review)["sections"][0]["items"]] == [2]
    assert review.drop(FIRST, whole_item=True)
    assert not any(each.dropped for each in review.draft.duties)


def test_a_section_that_assigns_nothing_is_dropped_at_one_tap_and_kept_at_another():
    review = read(PLAN + "V. PHÂN CÔNG THỰC HIỆN\n1. Sở Tài chính\n- Cấp kinh phí trước ngày 30/6/2021.\n")
    duty(review).dropped = True
    assert review.drop(section="IV")
    assert [section["roman"] for section in plan_of(review)["sections"]] == ["V"]
    assert review.drop(section="IV")
    assert not any(each.dropped for each in review.draft.duties), "a duty dropped before is kept, too"


def test_a_name_that_stands_for_several_is_settled_once_for_all():
    body = PLAN.replace("1. Sở Y tế", "1. Liên ngành Y tế - Công an").replace("Công an tỉnh giữ", "các bên giữ")
    review = read(body)
    (name,) = [each.name for each in review.draft.unknown]
    assert review.choose(0, "=", "Sở Y tế; Công an tỉnh ; Trung tâm Cứu hộ Bắc Sơn")
    assert [each.name for each in review.draft.unknown] == [name, "Trung tâm Cứu hộ Bắc Sơn"]
    assert review.choose(1, "Sở Tư pháp")
    owners = plan_of(review)["sections"][0]["items"][0]["owners"]
    assert owners == ["so-y-te", "cong-an-tinh", "so-tu-phap"]
    assert not review.choose(1, "Sở Tư pháp")


def test_one_duty_of_an_item_may_be_another_body_s_or_all_of_them():
    review = read(PLAN)
    set_duty(review, 2, owners=("Sở Tài chính", ""))
    duties = plan_of(review)["sections"][0]["items"][0]["duties"]
    assert [each.get("owners") for each in duties] == [None, ["so-tai-chinh"], *[None] * (len(duties) - 2)]
    set_duty(review, 2, owners=["Sở Tài chính"], whole_item=True)
    assert plan_of(review)["sections"][0]["items"][0]["owners"] == ["so-tai-chinh"]


def test_a_body_that_the_directory_lacks_is_offered_without_moving_the_choices_before_it():
    body = PLAN.replace("2. Công an tỉnh", "2. Trung tâm Cứu hộ Bắc Sơn").replace(" Công an tỉnh giữ", " Các bên giữ")
    review = read(body)
    before = [each.name for each in review.draft.unknown]
    assert before == ["Trung tâm Cứu hộ Bắc Sơn"]
    set_duty(review, text="Khám bệnh.\n\nTrung tâm Cấp cứu Nam Đàn chuyển bệnh nhân.")
    assert [each.name for each in review.draft.unknown] == [*before, "Trung tâm Cấp cứu Nam Đàn"]
    assert review.draft.duties[1].owners == ["Trung tâm Cấp cứu Nam Đàn"]


def test_a_doubt_is_answered_by_the_duty_that_it_asked_for():
    plan = read_document(DATA / "188-kh-ubnd-2021.txt", "188.txt", directory=DIRECTORY)
    review = Corrections(draft_of(plan, DIRECTORY), DIRECTORY)
    (doubt,) = [each for each in review.draft.warnings if each.code == "two_readings"]
    found = review.draft.sections[0].items[5].duties[0]
    at = cut_before(found.text, doubt.words)
    assert at
    review.part(found.key, at)
    assert review.draft.sections[0].items[5].duties[1].text.startswith("Tăng cường công tác kiểm tra, giám sát")
    assert doubt not in review.draft.warnings


def test_places_to_part_are_lines_and_sentences():
    text = "Chỉ đạo: (i) mở lớp, (ii) in sách. Kiểm tra; đôn đốc.\n- Báo cáo."
    assert [words.split()[0] for _, words in cuts(text)] == ["(i)", "(ii)", "Kiểm", "-"]
    assert cut_before(text, "Báo cáo.") == text.index("- Báo")
    assert cut_before(text, "không có") is None
    assert cut_before(text, "Chỉ đạo") is None


@pytest.mark.parametrize("at", [-1, 0, 3, 999_999])
@pytest.mark.parametrize("key", [0, FIRST, 99])
def test_a_target_that_means_nothing_changes_nothing(key, at):
    review = read(PLAN.replace("1. Sở Y tế", "1. Công an tỉnh"))
    before = whole(review)
    assert not review.part(key, at)
    assert not review.join(99)
    assert not review.drop(99)
    assert not review.drop(section="IX")
    assert not review.confirm("nothing")
    assert not review.take(98, 99)
    assert not review.take(7, 3)
    assert not review.choose(99, "+")
    assert not review.leave_out(99, ["so-y-te"])
    assert whole(review) == before


TEXT = (DATA / "188-kh-ubnd-2021.txt").read_text()
DRAFT = draft_of(read_document(TEXT.encode(), "188.txt", directory=DIRECTORY), DIRECTORY)
ACTS = st.lists(st.tuples(st.sampled_from(["part", "join", "drop"]), st.integers(1, 40), st.integers(0, 400)))


@given(ACTS)
def test_whatever_is_parted_and_joined_no_word_is_lost_and_every_duty_has_its_fields(acts):
    review = Corrections(DRAFT.model_copy(deep=True), DIRECTORY)
    before = whole(review)
    for act, key, at in acts:
        match act:
            case "part":
                review.part(key, at)
            case "join":
                review.join(key)
            case _:
                review.drop(key)
    assert whole(review) == before
    keys = [each.key for each in review.draft.duties]
    assert len(set(keys)) == len(keys)
    assert all(each.times.cadence for each in review.draft.duties)
    shown = {f"duty.{key}" for key in keys} | {"head"}
    problems = reviewed(review.draft, DIRECTORY).problems
    assert not [name for name in problems if name and name.rpartition(".")[0] not in shown]
    assert PlanDraft.model_validate(review.draft.model_dump(mode="json")) == review.draft


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
    review = read(GUESSED)
    assert [(kind.value, numbers) for kind, _, numbers in review.draft.guesses()] == [
        ("sentence", ["IV.3"]),
        ("bracket", ["IV.1", "IV.2"]),
    ]
    assert not review.confirm("heading")
    assert review.confirm("bracket")
    assert [(kind.value, numbers) for kind, _, numbers in review.draft.guesses()] == [("sentence", ["IV.3"])]


def test_an_owner_that_a_person_sets_needs_no_confirmation():
    review = read(GUESSED)
    set_duty(review, owners=["Sở Tài chính"])
    assert {kind.value: numbers for kind, _, numbers in review.draft.guesses()}["bracket"] == ["IV.2"]


TIMED = """IV. TỔ CHỨC THỰC HIỆN
1. Sở Y tế
- Báo cáo trước ngày 31/11 hằng năm.
- Thống kê 10 ngày/lần.
- Tập huấn 10 ngày/lần. Công an tỉnh tuần tra trước ngày 31/11 hằng năm.
- Kiểm tra thường xuyên.
- Khám bệnh.
"""


def asked(review: Corrections) -> list[list[str]]:
    """Of each question about times the duties concerned."""
    return [[place.citation for place in places] for places in review.draft.duty_doubts().values()]


def test_doubts_about_times_are_the_duty_s_until_a_person_changes_its_times():
    review = read(TIMED)
    assert asked(review) == [["IV.1.1", "IV.1.4"], ["IV.1.2", "IV.1.3"]]
    assert "không có thật" in duty(review).doubts[0].message
    set_duty(review, text="Báo cáo năm trước ngày 31/11 hằng năm.")
    assert duty(review).doubts, "its times are as they were read"
    before = review.draft.to_settle()
    set_duty(review, key=4, cadence=["once"], due="29/11/2021")
    set_duty(review, cadence=["once"], due="29/11/2021")
    assert asked(review) == [["IV.1.2", "IV.1.3"]]
    assert review.draft.to_settle() == before - 1


def test_times_as_read_are_confirmed_for_one_duty_or_for_all_with_the_same_doubt():
    review = read(TIMED)
    assert review.confirm_times(1)
    assert asked(review) == [["IV.1.2", "IV.1.3"], ["IV.1.4"]]
    assert review.confirm_times(2, 0)
    assert asked(review) == [["IV.1.4"]]
    assert not review.confirm_times(2, 0)
    assert not review.confirm_times(99)
    review.drop(4)
    assert asked(review) == []


def test_a_part_of_a_duty_has_the_doubts_of_its_own_words():
    review = read(TIMED.replace(". Công an tỉnh tuần tra", "; tuần tra"))
    text = duty(review, 3).text
    assert review.part(3, text.index("tuần tra"))
    found = [[doubt.message.partition(" / ")[0] for doubt in each.doubts] for each in review.draft.duties[2:4]]
    assert found == [["hệ thống không có chu kỳ như văn bản nêu"], ["ngày không có thật"]]


def test_times_of_a_draft_are_those_of_the_words():
    review = read(PLAN)
    assert duty(review).times == duty(review).read_times != Times()


def test_every_paragraph_of_a_document_is_there_and_says_what_became_of_it():
    plan = read_document(TEXT.encode(), "188.txt", directory=DIRECTORY)
    draft = DRAFT
    assert [each.text for each in draft.document] == [each.text for each in plan.account if each.text]
    assert all(each.paragraphs for each in draft.duties)
    for each in draft.duties:
        words = {word for n in each.paragraphs for word in draft.document[n].text.split()}
        assert set(each.text.split()[:6]) - words == set()


OUTPUTS = """IV. TỔ CHỨC THỰC HIỆN
1. Sở Y tế
- Tham mưu ban hành quy chế. Sản phẩm: Quyết định của UBND tỉnh. Thời gian: trước ngày 30/6/2021.
- Tổ chức tập huấn.
Sản phẩm: 02 lớp tập huấn.
- Khám bệnh trước ngày 30/6/2021.
"""


def test_what_a_document_says_is_owed_is_read_corrected_and_saved() -> None:
    review = read(OUTPUTS)
    decision, lessons, none = (duty(review, each.key) for each in list(review.draft.duties))
    assert (decision.output, decision.output_kind) == ("Quyết định của UBND tỉnh", "document")
    assert (lessons.output, lessons.output_kind, none.output) == ("02 lớp tập huấn", "event", "")
    assert "Sản phẩm: Quyết định" in decision.text, "the document's words stay"
    set_duty(review, lessons.key, output=" 50 học viên ", output_kind=OutputKind.FIGURE)
    duties = reviewed(review.draft, DIRECTORY).data["sections"][0]["items"][0]["duties"]
    assert [each.get("output") for each in duties] == [
        {"what": "Quyết định của UBND tỉnh", "kind": "document"},
        {"what": "50 học viên", "kind": "figure"},
        None,
    ]


@pytest.mark.parametrize("way", READ)
def test_a_day_of_the_review_is_read_as_one_that_is_typed(way: str) -> None:
    """One without a year is the first such day from the issue of the plan on."""
    review = read(OUTPUTS)
    review.set_head({"issued_on": "17.4.2021"})
    set_duty(review, next(iter(review.draft.duties)).key, due=way)
    found = reviewed(review.draft, DIRECTORY)
    assert date(2021, 6, 17).isoformat() in {rule.get("on") for rule in found.data["report_rules"].values()}
    assert str(found.data["issued_on"]) == "2021-04-17"


NOT_REVIEWED = {
    "area": "the document's annex of areas is not read; entered in the file",
    "repeats": "a duty that says the same again is found by nobody but a reader of the file",
    "waits_for": "the order of duties is entered in the file",
    "cadence_choices": "the review chooses one of them",
}


def test_every_field_of_a_duty_in_the_file_is_in_the_review_or_named_here() -> None:
    """A field that the review does not know is lost when its plan is saved."""
    review = read(OUTPUTS)
    first, *_ = list(review.draft.duties)
    set_duty(review, first.key, owners=["Sở Tài chính"], coordinating="Sở Y tế")
    duties = reviewed(review.draft, DIRECTORY).data["sections"][0]["items"][0]["duties"]
    written = {name for entry in duties for name in entry}
    assert DutyEntry.model_fields.keys() == written | NOT_REVIEWED.keys()


def test_joined_duties_owe_what_both_owed() -> None:
    review = read(OUTPUTS)
    first, second, _ = (each.key for each in list(review.draft.duties))
    review.join(second)
    assert duty(review, first).output == "Quyết định của UBND tỉnh; 02 lớp tập huấn"
