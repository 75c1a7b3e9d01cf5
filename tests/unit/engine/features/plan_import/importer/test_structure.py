"""Marks, joined lines, sections, duties and tables: what belongs to what."""

import docx
import pytest
from ground.plan_documents import NOBODY, found, owned, said, saved
from import_figures.plan_texts import faults

from engine.errors import BadInput
from engine.features.plan_import.drafts.reading import as_read
from engine.features.plan_import.importer import read_document
from engine.features.plan_import.importer.base.model import Place
from engine.features.plan_import.importer.phrases.labels import Label, label_of_column, label_of_line
from engine.features.plan_import.importer.phrases.marks import Rank, mark_of
from engine.features.plan_import.importer.reading.pdf import TextLine
from engine.features.plan_import.importer.structure.joining import joined


def paragraphs(text):
    lines = [TextLine(line, Place(line=n)) for n, line in enumerate(text.split("\n"), 1)]
    return [each.text for each in joined(lines)]


def codes(plan):
    return [(each.code, each.place) for each in plan.warnings if each.code not in ("no_due_date", "unknown_owner")]


MARKS = [
    ("IV. PHÂN CÔNG", Rank.ROMAN, "IV", 4),
    ("lV. TỔ CHỨC", Rank.ROMAN, "IV", 4),
    *((f"{scanned}. TỔ CHỨC", Rank.ROMAN, "II", 2) for scanned in ("Il", "lI", "1I", "I1", "ll", "I|")),
    *((f"{scanned}. TỔ CHỨC", Rank.ROMAN, "III", 3) for scanned in ("Ill", "IIl", "lII", "HI", "IH", "Hl")),
    ("~ Kiểm tra", Rank.DASH, "~", 0),
    ("III - TỔ CHỨC", Rank.ROMAN, "III", 3),
    ("1.2. Sở Y tế", Rank.NUMBER, "1.2", 2),
    ("01/ Sở Y tế", Rank.NUMBER, "1", 1),
    ("đ) Kiểm tra", Rank.LETTER, "đ", 5),
    ("b- Kiểm tra", Rank.LETTER, "b", 2),
    ("a, Kiểm tra", Rank.LETTER, "a", 1),
    ("(2) Kiểm tra", Rank.BRACKET, "2", 2),
    ("– Kiểm tra", Rank.DASH, "–", 0),
    ("+ Kiểm tra", Rank.PLUS, "+", 0),
    ("• Kiểm tra", Rank.STAR, "•", 0),
    ("Điều 3. Trách nhiệm", Rank.PART, "Điều 3", 3),
    ("Phần thứ hai", Rank.PART, "II", 2),
    ("PHỤ LỤC II", Rank.ANNEX, "II", 2),
]


@pytest.mark.parametrize(("text", "rank", "label", "value"), MARKS)
def test_a_mark_is_read(text, rank, label, value):
    mark = mark_of(text)
    assert (mark.rank, mark.label, mark.value) == (rank, label, value)


@pytest.mark.parametrize(
    "text", ["2021. Các đơn vị", "178 tỉnh", "15/12 báo cáo", "1.000 người", "1.2.2022 họp", "V/v họp", "-----"]
)
def test_numbers_in_text_are_no_marks(text):
    assert mark_of(text) is None


JOINED = [
    ("ỦY\nBAN NHÂN DÂN\nTỈNH", ["ỦY BAN NHÂN DÂN TỈNH"]),
    (
        "1. Sở Lao động\n- Thương binh và Xã hội\n- Hướng dẫn thực hiện",
        ["1. Sở Lao động - Thương binh và Xã hội", "- Hướng dẫn thực hiện"],
    ),
    ("1. Sở Y tế\nChủ trì thực hiện", ["1. Sở Y tế", "Chủ trì thực hiện"]),
    ("1.\nMục tiêu:", ["1. Mục tiêu:"]),
    ("Quyết định số 29/2014/QĐ-\nTTg", ["Quyết định số 29/2014/QĐ-TTg"]),
    ("- Hoàn thành trong tháng\n12. Các đơn vị báo cáo", ["- Hoàn thành trong tháng 12. Các đơn vị báo cáo"]),
    ("IV. TỔ CHỨC\nTHỰC HIỆN\nGiao Sở Y tế", ["IV. TỔ CHỨC THỰC HIỆN", "Giao Sở Y tế"]),
    ("a\n|\nb", ["a", "b"]),
]


@pytest.mark.parametrize(("text", "expected"), JOINED)
def test_lines_are_joined_where_sentences_go_on(text, expected):
    assert paragraphs(text) == expected


def test_page_numbers_are_dropped_and_item_numbers_are_not():
    assert paragraphs("Câu một.\n1\nCâu hai.\n2\n3. Sở Y tế") == ["Câu một.", "Câu hai.", "3. Sở Y tế"]


def test_sections_are_known_by_what_they_are_and_not_by_number(read):
    plan = read("I. MỤC TIÊU\n1. Các sở nâng cao nhận thức.\nB. TRÁCH NHIỆM CỦA CÁC ĐƠN VỊ\n1. Sở Y tế\n- Khám bệnh.\n")
    assert [(section.roman, section.heading) for section in plan.sections] == [("B", "TRÁCH NHIỆM CỦA CÁC ĐƠN VỊ")]


def test_a_section_without_the_usual_heading_is_found_by_its_entries(read):
    plan = read("I. NHỮNG VIỆC CẦN LÀM NGAY\n1. Sở Y tế\n- Khám bệnh.\n2. Công an tỉnh: Tuần tra.\n")
    assert [item.no for item in plan.items] == ["1", "2"]


def test_aims_money_and_slogans_give_no_duties(read):
    plan = read(
        "I. CHỈ TIÊU\n1. Các cơ quan báo chí đăng 10 tin.\n2. Các trường học tổ chức 1 buổi.\nII. TỔ CHỨC THỰC HIỆN\n"
        "1. Sở Y tế\n- Khám bệnh.\nKHẨU HIỆU TUYÊN TRUYỀN\n1. Công an nhân dân vì nước quên thân.\n2. Sở Y tế "
        "chúc mừng.\n"
    )
    assert [duty.text for duty in plan.duties] == ["Khám bệnh."]


def test_sub_points_belong_to_their_duty_and_topics_do_not_hide_theirs(read):
    plan = read(
        "I. PHÂN CÔNG\n1. Sở Y tế\na) Chỉ đạo các bệnh viện:\n- Trực 24/24 giờ;\n- Dự trữ thuốc.\nb) Công tác "
        "kiểm tra:\n"
        "- Kiểm tra chợ.\n- Kiểm tra trường học.\n"
    )
    texts = [duty.text for duty in plan.duties]
    assert texts == [
        "Chỉ đạo các bệnh viện:\n- Trực 24/24 giờ;\n- Dự trữ thuốc.",
        "Kiểm tra chợ.",
        "Kiểm tra trường học.",
    ]


def test_missing_and_doubled_numbers_are_warnings(read):
    plan = read("II. PHÂN CÔNG\n1. Sở Y tế: khám.\n3. Sở Tài chính: chi.\n3. Công an tỉnh: gác.\n")
    assert codes(plan) == [("number_doubled", "II.3"), ("number_gap", "II.2")]
    assert [duty.citation for duty in plan.duties] == ["II.1.1", "II.3.1", "II.3(2).1"]


def test_an_entry_that_names_nobody_is_said_and_not_dropped_in_silence(read):
    plan = read("II. PHÂN CÔNG\n1. Sở Y tế: khám.\n2. Kinh phí thực hiện từ ngân sách.\n")
    assert [code for code, _ in codes(plan)] == ["not_assigned"]


def test_unknown_bodies_are_kept_as_written_and_flagged(read):
    plan = read("II. PHÂN CÔNG\n1. Sở Y tế: khám.\n2. Mạng lưới tình nguyện viên: vận động.\n")
    assert found(plan)[1][1] == ["Mạng lưới tình nguyện viên"]
    assert any(each.code == "unknown_owner" and "tình nguyện viên" in each.message for each in plan.warnings)


def test_a_number_or_date_left_blank_is_a_warning():
    text = "UBND TỈNH AN LẠC\nSố:     /KH-UBND\nAn Lạc, ngày    tháng 3 năm 2022\nKẾ HOẠCH\n"
    text += "I. PHÂN CÔNG\n1. Sở Y tế: khám.\n"
    plan = read_document(text.encode(), "x")
    assert plan.date is None
    assert {"number_missing", "date_incomplete"} <= {code for code, _ in codes(plan)}


def test_an_annex_table_continues_over_a_page_break(page):
    rows = "<tr><td>TT</td><td>Nội dung</td><td>Chủ trì</td></tr><tr><td>1</td><td>Khám</td><td>Sở Y tế</td></tr>"
    more = "<table><tr><td>2</td><td>Gác</td><td>Công an tỉnh</td></tr></table>"
    raw = f"<html><p>PHỤ LỤC</p><table>{rows}</table><p>tiếp</p>{more}</html>"
    assert [(no, owners) for no, owners, _ in found(read_document(raw.encode(), "x"))] == [
        ("1", ["Sở Y tế"]),
        ("2", ["Công an tỉnh"]),
    ]


def test_a_row_without_a_lead_is_a_warning_with_its_row(page):
    rows = "<tr><td>TT</td><td>Nội dung</td><td>Chủ trì</td><td>Thời hạn</td></tr>"
    rows += "<tr><td>1</td><td>Khám</td><td>Sở Y tế</td><td></td></tr>"
    rows += "<tr><td>2</td><td>Gác</td><td></td><td>30/6/2022</td></tr>"
    plan = read_document(f"<html><p>PHỤ LỤC</p><table>{rows}</table></html>".encode(), "x")
    assert ("owner_missing", "bảng 1, hàng 3, dòng 1") in codes(plan)


LABELS = [
    ("Cơ quan chủ trì: Sở Y tế", Label.LEAD),
    ("Đơn vị chủ trì tham mưu thực hiện: Sở Y tế", Label.LEAD),
    ("Đơn vị phối hợp: x", Label.COORDINATING),
    ("Thời gian hoàn thành: Quý I", Label.DEADLINE),
    ("Sản phẩm: Báo cáo", Label.PRODUCT),
]


@pytest.mark.parametrize(("text", "label"), LABELS)
def test_a_labelled_line_is_known(text, label):
    assert label_of_line(text)[0] is label  # type: ignore[index]


def test_the_heads_of_columns_are_known():
    heads = [
        "STT",
        "Nội dung thực hiện",
        "Cơ quan chủ trì",
        "Phối hợp",
        "Thời hạn",
        "Kết quả thực hiện",
        "Lãnh đạo theo dõi",
        "Ghi chú",
    ]
    assert [label_of_column(head) for head in heads] == [
        Label.NUMBER,
        Label.TASK,
        Label.LEAD,
        Label.COORDINATING,
        Label.DEADLINE,
        Label.PRODUCT,
        Label.MONITOR,
        Label.OTHER,
    ]


def test_the_signer_is_nowhere_in_what_is_kept(text_188):
    signed = text_188.replace("PHÓ CHỦ TỊCH\n|", "PHÓ CHỦ TỊCH\nHọ Tên Người Ký\n|")
    assert "Người Ký" not in repr(read_document(signed.encode(), "x"))


def test_a_point_with_a_lead_under_one_that_has_a_lead_is_a_duty_of_its_own(read):
    plan = read(
        "III. NHIỆM VỤ\n2. Dữ liệu\nChủ trì: Sở Nội vụ\n2.1. Kết nối.\nChủ trì: Sở Y tế\n3. Khác\nChủ trì: Sở Y tế\n"
    )
    assert [(item.no, item.owner) for item in plan.items] == [("2", "Sở Nội vụ"), ("2.1", "Sở Y tế"), ("3", "Sở Y tế")]


def test_what_may_be_a_duty_of_its_own_is_told(read):
    plan = read(
        "III. TỔ CHỨC THỰC HIỆN\n1. Sở Nội vụ\n- Tuyển dụng. Thanh tra tỉnh thanh tra công vụ.\n- Đào tạo.\n"
        "2. Sở Y tế (hoàn thành trước ngày 30/6/2022)\n- Khám bệnh.\n"
    )
    told = [each.message for each in plan.warnings if each.code == "overlooked"]
    assert len(told) == 2
    assert "Thanh tra tỉnh thanh tra công vụ" in " ".join(told)
    assert "Sở Y tế (hoàn thành trước ngày 30/6/2022)" in " ".join(told)


def test_a_text_without_duties_is_refused(read):
    with pytest.raises(BadInput, match="không có mục nào giao nhiệm vụ"):
        read("I. MỤC TIÊU\n1. Nâng cao nhận thức.\n")


def test_a_label_that_no_table_knows_before_a_body_names_who_leads_and_is_told_once(read):
    plan = read(
        "II. CÔNG TRÌNH\n1. Kè sông\n"
        "- Chủ đầu tư: Ban Quản lý dự án khu vực 2.\n- Tiến độ: Xong trước ngày 30/6/2022.\n"
        "2. Cầu Mới\n- Chủ đầu tư: UBND xã Hòa Minh.\n- Địa điểm: Trung tâm xã.\n"
    )
    assert found(plan) == [
        ("1", ["Ban Quản lý dự án khu vực 2"], ["Kè sông"]),
        ("2", ["UBND xã Hòa Minh"], ["Cầu Mới"]),
    ]
    assert list(plan.duties)[1].details == ("Địa điểm: Trung tâm xã",)
    assert codes(plan) == [("unknown_label", "cả văn bản")]


def test_a_sentence_among_sentences_of_bodies_names_one_whatever_it_is_called(read):
    plan = read(
        "III. NHIỆM VỤ CỤ THỂ\n1. Sở Y tế khám bệnh.\n2. Lữ hành Biển Xanh tổ chức tuyến xe; báo cáo hằng tháng.\n"
        "3. Công an tỉnh tuần tra.\n"
    )
    assert [item.owner for item in plan.items] == ["Sở Y tế", "Lữ hành Biển Xanh", "Công an tỉnh"]


def test_points_beside_points_with_verbs_are_no_topics(read):
    plan = read(
        "III. TỔ CHỨC THỰC HIỆN\n1. Sở Y tế\n"
        "a) Tuyên truyền:\n- Trên loa.\n- Trên báo.\nb) Phun mù hóa chất:\n- Ở chợ.\n"
    )
    assert [duty.text for duty in plan.duties] == [
        "Tuyên truyền:\n- Trên loa.\n- Trên báo.",
        "Phun mù hóa chất:\n- Ở chợ.",
    ]


def test_an_instruction_to_one_body_may_be_its_duty(read):
    plan = read(
        "III. TỔ CHỨC THỰC HIỆN\n1. Sở Y tế\n- Khám bệnh.\nUBND tỉnh đề nghị Tỉnh đoàn, Hội Nông dân tỉnh phối hợp.\n"
    )
    assert [each.text for each in plan.instructions] == ["UBND tỉnh đề nghị Tỉnh đoàn, Hội Nông dân tỉnh phối hợp."]
    assert [code for code, _ in codes(plan)] == ["overlooked"]


def test_points_of_a_group_that_begin_with_a_name_are_entries_of_their_own(read):
    plan = read(
        "III. TỔ CHỨC THỰC HIỆN\n1. Các phòng thuộc Sở\na) Tổng đài 1022: trực máy.\nb) Xưởng in: in tài liệu.\n"
        "2. Công an tỉnh: tuần tra.\n"
    )
    assert [item.owner for item in plan.items] == ["Tổng đài 1022", "Xưởng in", "Công an tỉnh"]


def test_an_unknown_list_of_bodies_is_cut_where_another_body_begins(read):
    plan = read(
        "III. TỔ CHỨC THỰC HIỆN\n1. Già làng; người có uy tín và UBND các xã:\n- Vận động.\n2. Sở Y tế: khám bệnh.\n"
    )
    assert found(plan)[0][1] == ["Già làng", "người có uy tín", "UBND các xã"]


def test_points_of_a_group_name_their_bodies_in_sentences(read):
    plan = read(
        "III. NHIỆM VỤ\n1. Sở Y tế\n- Khám bệnh.\n2. Các phòng thuộc Ban\n2.1. Phòng Đào tạo là đầu mối báo cáo.\n"
        "2.2. Văn phòng Ban phục vụ hội nghị.\n"
    )
    assert [item.owner for item in plan.items] == ["Sở Y tế", "Phòng Đào tạo", "Văn phòng Ban"]


UNUSUAL = {
    "labels before a dash": "1. Rà soát chợ\n- Chủ trì - Sở Y tế\n- Hạn - 30/6/2026\n",
    "a lead before its task": "1. Cơ quan chủ trì: Sở Y tế\nNội dung: Rà soát chợ.\nThời hạn: 30/6/2026\n",
    "labels nobody knows": "1. Rà soát chợ.\n+ Ai làm: Sở Y tế.\n+ Cùng làm: UBND xã.\n+ Bao giờ xong: 30/6/2026.\n",
    "a body in brackets": "1. Rà soát chợ, xong trước ngày 30/6/2026 (Sở Y tế).\n",
}


@pytest.mark.parametrize("body", UNUSUAL.values(), ids=list(UNUSUAL))
def test_an_unusual_form_is_read_by_its_structure(read, body):
    plan = read(f"II. NHIỆM VỤ\n{body}2. Tập huấn\nĐơn vị chủ trì: Sở Nội vụ\n")
    first = plan.sections[0].items[0]
    assert [owner.name for owner in first.owners] == ["Sở Y tế"]
    assert [(duty.text.count("Rà soát chợ"), len(duty.deadlines)) for duty in first.duties] == [(1, 1)]


def test_bodies_may_be_the_sections_under_a_heading_without_a_number(read):
    plan = read("TỔ CHỨC THỰC HIỆN\nI. SỞ Y TẾ\n1. Khám bệnh.\nII. CÔNG AN TỈNH\n1. Tuần tra.\n2. Báo cáo.\n")
    assert [duty.citation for duty in plan.duties] == ["I.1", "II.1", "II.2"]


def test_paragraphs_under_a_numbered_topic_are_its_duties_and_no_instructions(read):
    plan = read(
        "II. NHIỆM VỤ\n1. Về tuyên truyền\nGiao Sở Y tế mở chuyên mục.\nYêu cầu UBND các xã phát thanh.\n"
        "2. Về tuần tra\nCông an tỉnh tuần tra.\nIII. TỔ CHỨC THỰC HIỆN\n1. Sở Nội vụ: tổng hợp.\n"
    )
    assert [(duty.citation, duty.text[-9:]) for duty in plan.duties] == [
        ("II.1.1", "uyên mục."),
        ("II.1.2", "át thanh."),
        ("II.2.1", "tuần tra."),
        ("III.1.1", "tổng hợp."),
    ]
    assert plan.instructions == ()


def test_a_document_without_sections_gives_its_duties_by_number(read):
    plan = read(
        "Chủ tịch UBND tỉnh yêu cầu:\n1. Giám đốc Sở Y tế\na) Rà soát chợ.\nb) Tập huấn.\n"
        "2. Công an tỉnh chủ trì, phối hợp với Sở Y tế tuần tra.\n3. Tổ chức thực hiện\nGiao Sở Nội vụ tổng hợp.\n"
    )
    assert [(duty.citation, item.owner) for item in plan.items for duty in item.duties] == [
        ("1.1", "Giám đốc Sở Y tế"),
        ("1.2", "Giám đốc Sở Y tế"),
        ("2", "Công an tỉnh"),
        ("3.1", "Sở Nội vụ"),
    ]


def test_a_section_about_times_gives_duties_that_have_those_times(read):
    plan = read(
        "II. THỜI GIAN VÀ CÁC BƯỚC TIẾN HÀNH\n1. Bước 1: Khảo sát (từ ngày 10/9 đến ngày 30/9/2022)\n"
        "- Phòng Kinh tế lập danh sách.\n- Công an xã tuần tra, xong trước ngày 28/9/2022.\n"
        "2. Bước 2: Xử lý\nPhòng Văn hóa phát thanh.\n"
    )
    assert [(duty.citation, [each.text for each in duty.deadlines]) for duty in plan.duties] == [
        ("II.1.1", ["từ ngày 10/9 đến ngày 30/9/2022"]),
        ("II.1.2", ["trước ngày 28/9/2022"]),
        ("II.2.1", []),
    ]


def test_the_points_of_a_title_are_duties_of_the_labels_after_them(read):
    plan = read(
        "II. NHIỆM VỤ\n1. Công tác thông tin\n- Tổ chức hội thi.\n- Xây dựng phóng sự.\nĐơn vị chủ trì: Sở Nội vụ.\n"
        "2. Rà soát chợ\nĐơn vị chủ trì: Sở Y tế.\n"
    )
    assert [(duty.citation, duty.text, duty.lead) for duty in plan.duties] == [
        ("II.1.1", "Tổ chức hội thi.", "Sở Nội vụ"),
        ("II.1.2", "Xây dựng phóng sự.", "Sở Nội vụ"),
        ("II.2", "Rà soát chợ", "Sở Y tế"),
    ]


def test_a_report_that_a_title_asks_for_is_a_duty(read):
    plan = read(
        "III. TỔ CHỨC THỰC HIỆN\n1. Sở Y tế: Rà soát chợ.\n2. Chế độ báo cáo\n"
        "Các cơ quan, đơn vị gửi báo cáo về Sở Y tế trước ngày 15/6/2022.\n"
        "Yêu cầu các sở, ngành triển khai thực hiện.\n"
    )
    assert [duty.citation for duty in plan.duties] == ["III.1.1", "III.2.1"]
    assert [each.text for each in plan.instructions] == ["Yêu cầu các sở, ngành triển khai thực hiện."]


def test_the_article_that_says_who_carries_a_decision_out_is_an_instruction(read):
    plan = read(
        "Điều 1. Ban hành kèm theo Quyết định này Kế hoạch.\n"
        "Điều 2. Chánh Văn phòng, Thủ trưởng các đơn vị liên quan chịu trách nhiệm thi hành Quyết định này./.\n"
        "KẾ HOẠCH\nI. TỔ CHỨC THỰC HIỆN\n1. Sở Y tế: Rà soát chợ.\n2. Sở Nội vụ: Tập huấn.\n"
        "Các đơn vị thuộc Sở theo chức năng triển khai thực hiện Kế hoạch này.\n"
    )
    assert [duty.citation for duty in plan.duties] == ["I.1.1", "I.2.1"]
    assert [each.text[:10] for each in plan.instructions] == ["Chánh Văn ", "Các đơn vị"]


def test_a_name_stays_whole_at_a_line_s_end_and_a_title_alone(read):
    long = (
        "rà soát các cơ sở trên địa bàn, tổng hợp và báo cáo Ủy ban nhân dân tỉnh theo đúng quy định của\npháp luật.\n"
    )
    plan = read(
        "III. TỔ CHỨC THỰC HIỆN\n"
        f"1. Sở Y tế {long}2. Sở Nội vụ {long}3. Cục trưởng Cục Thuế tỉnh, Cục trưởng Cục\nQuản lý thị trường tỉnh\n"
        f"Kiểm tra hóa đơn, {long}"
    )
    assert [owner.name for owner in list(plan.items)[-1].owners] == [
        "Cục trưởng Cục Thuế tỉnh",
        "Cục trưởng Cục Quản lý thị trường tỉnh",
    ]
    plan = read(
        "III. TỔ CHỨC THỰC HIỆN\n1. Sở Y tế: Rà soát.\n2. Các tổ xung kích trực thuộc\nCăn cứ tình hình, tuần tra.\n"
    )
    assert [duty.text for duty in plan.duties] == ["Rà soát.", "Căn cứ tình hình, tuần tra."]


def test_a_point_that_begins_with_another_body_is_that_body_s(read):
    plan = read(
        "III. TỔ CHỨC THỰC HIỆN\n1. UBND các xã\na) Rà soát chợ.\nb) Chủ tịch UBND xã chịu trách nhiệm trước tỉnh.\n"
        "c) Mỗi đơn vị cử một người.\nd) Lãnh đạo phòng chuyên môn tuần tra.\n2. Sở Nội vụ: Tập huấn.\n"
    )
    given = {duty.citation: item.owner for item in plan.items for duty in item.duties}
    assert given == {
        "III.1.1": "UBND các xã",
        "III.1.2": "Chủ tịch UBND xã",
        "III.1.3": "UBND các xã",
        "III.1.4": "UBND các xã",
        "III.2.1": "Sở Nội vụ",
    }
    (section,) = as_read(plan, NOBODY).sections
    assert [item.printed for item in section.items] == [None, None]
    assert [[duty.printed for duty in item.duties] for item in section.items] == [
        ["III.1.1", "III.1.2", "III.1.3", "III.1.4"],
        ["III.2.1"],
    ]


def test_numbers_at_the_beginning_of_whole_lines_are_marks_whatever_stands_before(read):
    plan = read(
        "II. NHIỆM VỤ\n1. Giám sát\nĐơn vị thực hiện: Sở Y tế\nThời gian: hằng tháng\n2. Đào tạo nhân viên\n"
        "Đơn vị thực hiện: Sở Nội vụ\nThời gian: 3 tháng/lần\n3. Tổng kết\nĐơn vị thực hiện: Sở Y tế\n"
    )
    assert [(duty.citation, duty.text) for duty in plan.duties] == [
        ("II.1", "Giám sát"),
        ("II.2", "Đào tạo nhân viên"),
        ("II.3", "Tổng kết"),
    ]


def test_the_units_under_a_body_have_their_own_duties(read):
    plan = read(
        "III. PHÂN CÔNG\n1. Trách nhiệm của Công an tỉnh\n1.1. Phòng Cảnh sát giao thông\n- Mở đợt cao điểm.\n"
        "1.2. Công an các huyện, thành phố: phân công cán bộ phụ trách từng trường.\n2. Sở Y tế: Tập huấn.\n"
    )
    assert [(duty.citation, item.owner) for item in plan.items for duty in item.duties] == [
        ("III.1.1.1", "Phòng Cảnh sát giao thông"),
        ("III.1.2.1", "Công an các huyện, thành phố"),
        ("III.2.1", "Sở Y tế"),
    ]


def test_no_name_of_a_person_is_kept_of_a_title():
    head = "UBND TỈNH AN LẠC\nSố: 12/TB-UBND\nAn Lạc, ngày 02 tháng 3 năm 2022\nTHÔNG BÁO\n"
    title = (
        "Kết luận của đồng chí Họ Tên Người Ký, Phó Chủ tịch UBND tỉnh\n\nNgày 01/3, ông Họ Tên Người Ký, kết luận:\n"
    )
    body = "1. Sở Y tế rà soát chợ.\n2. Đồng chí Chánh Văn phòng UBND tỉnh, Sở Nội vụ tổng hợp.\n"
    plan = read_document((head + title + body).encode(), "x.txt")
    assert "Người Ký" not in repr(plan)
    assert plan.title.text == "THÔNG BÁO Kết luận của đồng chí …, Phó Chủ tịch UBND tỉnh"
    title = "Kết luận của Phó Chủ tịch UBND tỉnh Họ Tên Người tại cuộc họp về nước sạch\n\n"
    assert read_document((head + title + body).encode(), "x.txt").title.text.endswith(
        "UBND tỉnh … tại cuộc họp về nước sạch"
    )


def test_points_without_an_end_are_apart_whatever_word_they_end_with(read):
    plan = read("III. PHÂN CÔNG\n1. Sở Y tế\n- Dự trù bổ sung hằng quý\n- Báo cáo kết quả\n2. Sở Nội vụ: Tập huấn.\n")
    assert [duty.text for duty in plan.duties] == ["Dự trù bổ sung hằng quý", "Báo cáo kết quả", "Tập huấn."]


def test_a_heading_over_bodies_is_no_duty_of_those_it_asks(read):
    plan = read(
        "III. PHÂN CÔNG\n1. Đề nghị các đơn vị phối hợp\n1.1. Bưu điện tỉnh: Cử nhân viên.\n1.2. Sở Y tế: Tập huấn.\n"
        "2. Ban Tuyên huấn - Xây dựng Hội: Biên tập bản tin.\n3. Phó Hiệu trưởng phụ trách chuyên môn: Duyệt đề.\n"
    )
    assert [(duty.citation, item.owner) for item in plan.items for duty in item.duties] == [
        ("III.1.1.1", "Bưu điện tỉnh"),
        ("III.1.2.1", "Sở Y tế"),
        ("III.2.1", "Ban Tuyên huấn - Xây dựng Hội"),
        ("III.3.1", "Phó Hiệu trưởng phụ trách chuyên môn"),
    ]


def test_a_name_goes_on_in_the_next_line_with_an_abbreviation(read):
    long = (
        "rà soát các cơ sở trên địa bàn, tổng hợp và báo cáo Ủy ban nhân dân tỉnh theo đúng quy định của\npháp luật.\n"
    )
    plan = read(
        f"III. TỔ CHỨC THỰC HIỆN\n1. Sở Y tế {long}2. Sở Nội vụ {long}"
        f"3. Phòng Chế độ BHXH, Phòng Giám định\nBHYT phân công viên chức {long}"
    )
    assert [owner.name for owner in list(plan.items)[-1].owners] == ["Phòng Chế độ BHXH", "Phòng Giám định BHYT"]


def test_the_last_paragraph_is_to_all_but_where_it_begins_like_a_duty(read):
    plan = read(
        "III. PHÂN CÔNG\n1. Sở Y tế\na) Rà soát chợ.\nb) Tập huấn.\n2. Sở Nội vụ phổ biến đến từng người.\n"
        "Cục Thuế yêu cầu Trưởng các phòng nghiêm túc triển khai, báo cáo về Sở Y tế./.\n"
    )
    assert [duty.citation for duty in plan.duties] == ["III.1.1", "III.1.2", "III.2"]
    assert plan.instructions[0].text.startswith("Cục Thuế")
    plan = read("III. PHÂN CÔNG\n1. Sở Y tế: Rà soát.\n2. Sở Nội vụ\nTập huấn.\nBáo cáo trước ngày 15/12/2022./.\n")
    assert [duty.citation for duty in plan.duties] == ["III.1.1", "III.2.1", "III.2.2"]


def test_a_person_is_no_owner(read):
    plan = read(
        "III. PHÂN CÔNG\n1. Sở Y tế: Tập huấn.\n2. Sở Nội vụ: Tuyển dụng.\n"
        "Đề nghị các cơ quan phản ánh về Sở Y tế (đầu mối: đ/c Họ Tên Người, Phòng Nghiệp vụ) trước ngày 15/12/2022.\n"
    )
    assert "Tên Người" not in repr(plan)
    assert plan.instructions[0].text.startswith("Đề nghị các cơ quan")


def test_a_line_over_duties_is_a_name_to_its_end_whatever_verb_is_in_it(read):
    plan = read(
        "3. NỘI DUNG THỰC HIỆN\n3.1. Đối với nhà thầu thi công (Liên danh A - B)\n- Lập biện pháp.\n- Di chuyển máy.\n"
        "3.2. Ban Quản lý xây dựng nông thôn mới xã\n- Họp đánh giá.\n3.3. Sở Y tế chủ trì, phối hợp với Công an tỉnh\n"
        "- Tuần tra.\n3.4. Giao Sở Nội vụ tổng hợp.\n"
    )
    assert [(duty.citation, item.owner) for item in plan.items for duty in item.duties][:3] == [
        ("3.1.1", "nhà thầu thi công"),
        ("3.1.2", "nhà thầu thi công"),
        ("3.2.1", "Ban Quản lý xây dựng nông thôn mới xã"),
    ]
    assert list(plan.items)[2].owner == "Sở Y tế"


def test_what_a_body_gives_its_unit_is_the_unit_s(read):
    plan = read(
        "II. TRÁCH NHIỆM\n1. Sở Y tế\na) Giao Chi cục Dân số tập huấn.\nb) Chỉ đạo các cơ sở.\n"
        "2. Đề nghị Mặt trận Tổ quốc xã và các đoàn thể\n- Mặt trận Tổ quốc xã chủ trì lấy ý kiến.\n"
        "- Hội Phụ nữ nhân rộng mô hình.\n"
    )
    assert [(duty.citation, item.owner) for item in plan.items for duty in item.duties] == [
        ("II.1.2", "Sở Y tế"),
        ("II.1.1", "Chi cục Dân số"),
        ("II.2.1", "Mặt trận Tổ quốc xã"),
        ("II.2.2", "Hội Phụ nữ"),
    ]


def test_labels_at_the_end_of_a_task_are_its_facts_and_not_its_words(read):
    plan = read(
        "II. NHIỆM VỤ\n1. Tiêu chí số 2: mở rộng đường trục. Phụ trách: Công an xã; phối hợp: Hội Nông dân, hoàn thành "
        "trước ngày 31/10/2022. Thời gian: Quý III.\n2. Trồng cây. Chủ trì: Sở Y tế.\n"
    )
    first = next(plan.duties)
    assert (first.text, first.coordinating) == ("Tiêu chí số 2: mở rộng đường trục.", ("Hội Nông dân",))


def test_numbers_that_are_bodies_beside_a_section_that_gives_duties_are_entries(read):
    plan = read(
        "1. Đánh giá chung\nTuyến đường dài 174 km.\n2. Nhiệm vụ thời gian tới\na) Sở Y tế rà soát chợ.\n"
        "b) UBND các huyện Hải Trạch, Minh Thủy và UBND thành phố Đồng Xuân tuần tra.\n"
        "3. Đề nghị Cục Đường sắt Việt Nam quan tâm.\n4. Giao Sở Nội vụ tổng hợp.\n"
        "Văn phòng UBND tỉnh thông báo để các cơ quan, đơn vị biết, thực hiện.\n"
    )
    assert [(duty.citation, [owner.name for owner in item.owners]) for item in plan.items for duty in item.duties] == [
        ("2.a", ["Sở Y tế"]),
        ("2.b", ["UBND huyện Hải Trạch", "UBND huyện Minh Thủy", "UBND thành phố Đồng Xuân"]),
        ("3", ["Cục Đường sắt Việt Nam"]),
        ("4", ["Sở Nội vụ"]),
    ]


def test_a_duty_table_counts_under_any_heading_and_a_code_is_no_time(read):
    plan = read(
        "3. CÁC TIÊU CHÍ ƯU TIÊN\nSTT\tTiêu chí\tNội dung\tĐơn vị phụ trách\tThời hạn\n"
        "1\tA1.1\tSửa sơ đồ\tPhòng Hành chính\t31/3/2022\n2\tA1.3\tKhảo sát\tKhoa Khám bệnh\t30/4/2022\n"
    )
    assert [(duty.text, [each.text for each in duty.deadlines]) for duty in plan.duties] == [
        ("Sửa sơ đồ", ["31/3/2022"]),
        ("Khảo sát", ["30/4/2022"]),
    ]


def test_rows_under_the_numbered_groups_of_a_table_are_cited_by_both_numbers(read):
    plan = read(
        "III. NHIỆM VỤ\nTT | Nhiệm vụ | Cơ quan chủ trì | Thời gian\nI | Hoàn thiện quy định\n"
        "1 | Rà soát quy chế | Sở Tư pháp | 31/3/2022\n2 | Sửa biểu mẫu | Sở Nội vụ | 30/4/2022\nII | Kiểm tra\n"
        "1 | Kiểm tra các chợ | Sở Y tế | 31/5/2022\n2 | Kiểm tra bến phà | Sở Giao thông vận tải | 30/6/2022\n"
    )
    assert [duty.citation for duty in plan.duties] == ["III.I.1.1", "III.I.2.1", "III.II.1.1", "III.II.2.1"]
    assert [item.topic for item in plan.items][::2] == ["Hoàn thiện quy định", "Kiểm tra"]


def test_the_label_before_what_is_to_be_done_is_no_word_of_it(read):
    plan = read(
        "II. NHIỆM VỤ\n1. Hội nghị lần thứ nhất\n1.1. Nội dung: Bàn về số người được giới thiệu.\n"
        "- Thời gian: ngày 05/12/2025.\n- Đơn vị chủ trì: Sở Nội vụ.\n"
        "1.2. Nội dung: Lập danh sách.\n- Thời gian: ngày 30/01/2026.\n- Đơn vị chủ trì: Sở Tư pháp.\n"
    )
    assert [duty.text for duty in plan.duties] == ["Bàn về số người được giới thiệu.", "Lập danh sách."]


def test_those_to_whom_a_telegram_goes_are_no_entries():
    text = (
        "UBND TỈNH AN LẠC\nSố: 2/CĐ-UBND\nAn Lạc, ngày 02 tháng 3 năm 2022\nV/v ứng phó xâm nhập mặn\n\n"
        "CHỦ TỊCH UBND TỈNH AN LẠC ĐIỆN:\n- Giám đốc các sở, ngành;\n- Công ty Khai thác công trình thủy lợi;\n"
        "1. Sở Y tế: rà soát.\n2. Sở Nội vụ: tập huấn.\n"
    )
    assert [item.owner for item in read_document(text.encode(), "x.txt").items] == ["Sở Y tế", "Sở Nội vụ"]


def test_labels_in_brackets_after_a_task_are_no_words_of_it(read):
    plan = read(
        "III. NHIỆM VỤ\n1. Trang bị máy quét. (Đơn vị chủ trì: Sở Y tế; thời gian: tháng 5/2022).\n"
        "2. Tập huấn (Đơn vị chủ trì: Sở Nội vụ; thời gian: tháng 6/2022).\n"
    )
    first, second = plan.duties
    assert first.text == "Trang bị máy quét."
    assert second.text.endswith("tháng 6/2022).")


def test_a_title_that_is_a_verb_alone_is_no_body_among_activities(read):
    plan = read(
        "II. NỘI DUNG\n1. Giám sát\na) Sở Y tế kiểm tra chợ.\nb) Sở Nội vụ tổng hợp.\n"
        "2. Đào tạo\nTổ chức 04 lớp tập huấn cho nhân viên.\n"
    )
    assert [duty.citation for duty in plan.duties] == ["II.1.a", "II.1.b"]


def test_a_letter_after_a_word_that_numbers_follow_is_a_mark(read):
    plan = read("II. NHIỆM VỤ\n1. Rà soát văn bản liên quan đến Luật\na) Sở Tư pháp rà soát.\nb) Khu phố họp dân.\n")
    assert [(duty.citation, duty.text) for duty in plan.duties] == [
        ("II.1.a", "Sở Tư pháp rà soát."),
        ("II.1.b", "Khu phố họp dân."),
    ]


def test_paragraphs_of_two_bodies_are_two_duties_however_full_the_lines_are(read):
    first = (
        "Đề nghị Ủy ban nhân dân các xã, phường quy định tỷ lệ phương tiện khi đấu\n"
        "thầu, đặt hàng dịch vụ trên từng tuyến xe, theo khả năng của địa phương.\n"
    )
    plan = read(
        f"II. NHIỆM VỤ\n1. Phát triển phương tiện\n{first}Tổng công ty Đường sắt Việt Nam cải tạo toa xe.\n"
        f"2. Cải tạo công trình\na) Sở Xây dựng {first[7:]}"
    )
    assert [duty.citation for duty in plan.duties][:2] == ["II.1.1", "II.1.2"]


def test_of_labels_that_no_table_knows_the_one_that_names_a_body_says_who_leads(read):
    plan = read(
        "II. NHIỆM VỤ\n1. Hội nghị\n- Mời: Sở Nội vụ.\n- Cơ quan tham mưu: Ban Xây dựng Đảng.\n"
        "2. Hội thi\n- Đơn vị chủ trì: Tỉnh đoàn.\n"
    )
    assert [item.owner for item in plan.items] == ["Ban Xây dựng Đảng", "Tỉnh đoàn"]


def test_a_table_under_unknown_words_is_read_by_what_its_columns_hold(page):
    rows = (
        ("Việc", "Ai làm", "Cùng ai", "Bao giờ"),
        ("Rà soát chợ", "Sở Y tế", "Sở Nội vụ", "30/6/2026"),
        ("Tập huấn", "UBND các xã", "Công an tỉnh", "Quý II"),
    )
    table = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    plan = read_document(f"<html><p>II. PHÂN CÔNG</p><table>{table}</table></html>".encode(), "x")
    first = next(plan.items)
    assert [owner.name for owner in first.owners] == ["Sở Y tế"]
    assert [(duty.coordinating, duty.deadlines[0].text) for duty in first.duties] == [(("Sở Nội vụ",), "30/6/2026")]
    assert ("unknown_label", "cả văn bản") in codes(plan)


def test_labels_after_commas_and_a_body_after_its_task(read):
    plan = read(
        "II. NHIỆM VỤ\n1. Rà soát chợ\nChủ trì: Sở Y tế, phối hợp: Sở Nội vụ, hoàn thành: 30/6/2022\n"
        "2. Kiểm tra cân đo: Công an tỉnh.\n"
    )
    first = next(plan.duties)
    assert (first.lead, first.coordinating, [each.text for each in first.deadlines]) == (
        "Sở Y tế",
        ("Sở Nội vụ",),
        ["30/6/2022"],
    )
    assert [owner.name for owner in list(plan.items)[1].owners] == ["Công an tỉnh"]


def test_words_of_a_duty_that_give_another_body_work_are_told(read):
    plan = read(
        "III. TỔ CHỨC THỰC HIỆN\n1. Sở Y tế\n- Khám bệnh; Công an tỉnh chủ trì tuần tra.\n"
        "- Chuẩn bị:\n+ Thuốc.\n+ Xe cứu thương (Sở Xây dựng bố trí).\n2. Công an tỉnh: tuần tra.\n"
    )
    told = " ".join(each.message for each in plan.warnings if each.code == "overlooked")
    assert "«Công an tỉnh chủ trì tuần tra.»" in told
    assert "«Xe cứu thương (Sở Xây dựng bố trí).»" in told


def test_an_order_with_a_last_day_is_a_duty_under_whatever_heading(read):
    plan = read(
        "II. KINH PHÍ\n1. Kinh phí do ngân sách bảo đảm.\n2. Giao Sở Tài chính lập dự toán trước ngày 20/02/2022.\n"
        "III. TỔ CHỨC THỰC HIỆN\n1. Sở Y tế: khám bệnh.\n"
    )
    assert [duty.citation for duty in plan.duties] == ["II.2", "III.1.1"]


def test_labels_after_the_last_point_are_its_own_where_another_says_who_does_it(read):
    plan = read(
        "II. NHIỆM VỤ\n1. Hòa giải\n(1) Củng cố tổ hòa giải (UBND các xã thực hiện).\n(2) Tập huấn.\n"
        "Đơn vị thực hiện: Sở Tư pháp.\n2. Tuyên truyền\nĐơn vị chủ trì: Sở Y tế\n"
    )
    assert [(duty.citation, duty.text[:8]) for duty in plan.duties][:2] == [
        ("II.1.(1)", "Củng cố "),
        ("II.1.(2)", "Tập huấn"),
    ]


TABBED = (
    "PHỤ LỤC\nTT\tNhiệm vụ\tCơ quan\nchủ trì\tPhối hợp\tThời hạn\n"
    "I\tHoàn thiện cơ chế\n1\tRà soát\nchợ\tSở Y tế\t\tQuý II/2026\nII. Nhân lực\n"
    "2\tTập huấn\tTrường Cao đẳng An Lạc\tSở Nội vụ;\nCông an tỉnh\t30/6/2026\nHết bảng.\n"
)


def test_a_table_pasted_with_tabs_is_a_table_again(read):
    plan = read(TABBED)
    assert found(plan) == [
        ("1", ["Sở Y tế"], ["Rà soát\nchợ"]),
        ("2", ["Trường Cao đẳng An Lạc"], ["Tập huấn"]),
    ]
    assert [item.topic for item in plan.items] == ["Hoàn thiện cơ chế", "II. Nhân lực"]
    last = list(plan.duties)[-1]
    assert (last.coordinating, last.deadlines[0].text) == (("Sở Nội vụ", "Công an tỉnh"), "30/6/2026")
    assert [each.text for each in plan.left_out] == ["Hết bảng."]


def test_two_tables_with_tabs_are_two_tables(read):
    heads = "TT\tNhiệm vụ\tCơ quan chủ trì\n"
    plan = read(f"PHỤ LỤC\n{heads}1\tKhám bệnh\tSở Y tế\nBảng 2\n{heads}1\tTuần tra\tCông an tỉnh\n")
    assert [owners for _, owners, _ in found(plan)] == [["Sở Y tế"], ["Công an tỉnh"]]


def test_rows_typed_with_tabs_in_word_are_a_table_too(read, word):
    assert found(read_document(word(TABBED.split("\n")), "x.docx")) == found(read(TABBED))


def test_a_tab_in_a_line_that_is_no_row_is_a_blank(read):
    plan = read("I.\tPHÂN CÔNG\n1.\tSở Y tế\n\t-\tKhám\tbệnh.\n")
    assert found(plan) == [("1", ["Sở Y tế"], ["Khám bệnh."])]


CIRCUMSTANCES = {
    "between known labels": "- Thời gian: Tháng 5/2026.\n- Địa điểm: Các xã A, B.\n- Quy mô: 120 đại biểu.\n"
    "- Đơn vị chủ trì: Sở Y tế.\n",
    "before them": "- Địa điểm: Các xã A, B.\n- Quy mô: 120 đại biểu.\n- Đơn vị chủ trì: Sở Y tế.\n"
    "- Thời gian: Tháng 5/2026.\n",
    "without marks": "Thời gian: Tháng 5/2026\nĐịa điểm: Các xã A, B\nQuy mô: 120 đại biểu\nĐơn vị chủ trì: Sở Y tế\n",
    "in one line": "- Thời gian: Tháng 5/2026; địa điểm: Các xã A, B; quy mô: 120 đại biểu; chủ trì: Sở Y tế.\n",
}


@pytest.mark.parametrize("body", CIRCUMSTANCES.values(), ids=list(CIRCUMSTANCES))
def test_circumstances_under_labels_are_facts_of_the_activity_named_above(read, body):
    plan = read(f"II. HOẠT ĐỘNG\n1. Tổ chức ngày hội\n{body}2. Lễ tổng kết\n- Đơn vị chủ trì: Sở Nội vụ.\n")
    first = next(plan.duties)
    assert (first.text, first.lead, first.deadlines[0].text) == ("Tổ chức ngày hội", "Sở Y tế", "Tháng 5/2026")
    assert [each.lower() for each in first.details] == ["địa điểm: các xã a, b", "quy mô: 120 đại biểu"]


def test_a_labelled_line_that_gives_work_stays_with_the_words(read):
    plan = read(
        "II. HOẠT ĐỘNG\n1. Tuần lễ sức khỏe\n- Đơn vị chủ trì: Sở Y tế.\n- Các trường: tổ chức mít tinh.\n"
        "- Nội dung: Khám bệnh.\n- Giải thưởng: 03 giải.\n2. Lễ tổng kết\n- Đơn vị chủ trì: Sở Nội vụ.\n"
    )
    first = next(plan.duties)
    assert first.text == "Tuần lễ sức khỏe\n- Các trường: tổ chức mít tinh.\n- Nội dung: Khám bệnh."
    assert first.details == ("Giải thưởng: 03 giải",)


def test_labels_in_one_line_are_apart(read):
    plan = read(
        "II. HOẠT ĐỘNG\n1. Chiếu phim\n"
        "- Chủ trì: Sở Y tế; UBND các xã: Tân Lập, Hòa Minh; quy mô: 12 buổi; hạn: Quý II.\n"
        "2. Lễ tổng kết\n- Đơn vị chủ trì: Sở Nội vụ.\n"
    )
    first = next(plan.items)
    assert [owner.name for owner in first.owners] == ["Sở Y tế", "UBND xã Tân Lập", "UBND xã Hòa Minh"]
    assert first.duties[0].details == ("quy mô: 12 buổi",)


def test_circumstances_with_a_last_day_or_a_doer_are_told(read):
    plan = read(
        "II. TỔ CHỨC THỰC HIỆN\n1. Sở Y tế\n- Khám bệnh.\n- Thời gian: tháng 5/2026.\n"
        "- Đối tượng: Rà soát hộ nghèo trước ngày 30/4/2026.\n- Hình thức: Công an tỉnh chủ trì tuần tra.\n"
        "- Quy mô: 03 trạm.\n"
    )
    assert len(next(plan.duties).details) == 3
    told = [each.message for each in plan.warnings if each.code == "overlooked"]
    assert ["Rà soát" in each or "tuần tra" in each for each in told] == [True, True]


def test_a_code_of_a_department_says_who_leads(read):
    plan = read("III. NHIỆM VỤ\n1.1. Thay máy.\nThực hiện: P4; phối hợp: P2, các tổ.\n1.2. Sơn cột.\nThực hiện: P5.\n")
    assert [(item.owner, item.duties[0].coordinating) for item in plan.items] == [("P4", ("P2", "các tổ")), ("P5", ())]


def test_a_number_in_brackets_is_kept_in_the_citation_of_what_stands_under_it(read):
    plan = read(
        "III. NHIỆM VỤ\n(1) Tuyên truyền\n- Sở Y tế: Phát tờ rơi.\n- Tỉnh đoàn: Ra quân.\n(2) Hạ tầng\n"
        "Sở Xây dựng rà soát 31 điểm đen.\nBan Quản lý dự án 5 hoàn trả mặt đường.\n"
    )
    assert [each.citation for each in plan.duties] == ["III.(1).1.1", "III.(1).2.1", "III.(2).1", "III.(2).2"]


def test_a_title_that_ends_with_a_quotation_goes_on_with_its_paragraph(read):
    plan = read(
        'III. HOẠT ĐỘNG\n1. Chương trình "Tết sum vầy"\nTặng vé xe cho công nhân.\nChủ trì: Sở Y tế.\n'
        "2. Lễ tổng kết\nTrao giải.\nChủ trì: Sở Nội vụ.\n"
    )
    assert [each.citation for each in plan.duties] == ["III.1", "III.2"]
    assert next(plan.duties).text.startswith('Chương trình "Tết sum vầy"')


def test_a_line_that_ends_within_a_name_goes_on_whatever_begins_the_next(read):
    plan = read(
        "IV. PHÂN CÔNG\n1. Ban Chỉ huy Quân sự huyện chuẩn bị lực\nlượng dân quân, phun khử trùng theo lệnh của Ban\n"
        "Chỉ đạo.\n2. Sở Y tế\n- Khám bệnh cho nhân dân trong toàn huyện khi\ncó dịch.\n"
    )
    assert [owner.name for owner in next(plan.items).owners] == ["Ban Chỉ huy Quân sự huyện"]


def test_a_plan_to_be_made_known_to_others_asks_something_of_them(read):
    plan = read("III. PHÂN CÔNG\n1. Sở Y tế\n- Khám bệnh.\nKế hoạch này được phổ biến đến các chi bộ để thực hiện.\n")
    assert [each.text[:8] for each in plan.instructions] == ["Kế hoạch"]


def test_abbreviations_in_capitals_are_no_doubtful_words(read):
    plan = read("III. PHÂN CÔNG\n1. LĐLĐ tỉnh\n- Báo cáo TLĐ, LĐLĐ và CĐCS.\n- Mời TLĐ, LĐLĐ, CĐCS dự.\n")
    assert not [each for each in plan.warnings if "LĐLĐ" in each.message.upper() and "bảng mã" in each.message]


def test_a_line_in_brackets_says_who_leads_who_helps_and_until_when(read):
    plan = read(
        "III. NHIỆM VỤ\n1.1. Mở 04 lớp.\n(Sở Y tế chủ trì; Công an tỉnh, Tỉnh đoàn phối hợp; tháng 3/2026)\n"
        "1.2. Đặt 02 điểm hỗ trợ.\n(Trung tâm Phục vụ hành chính công thực hiện; Quý II/2026)\n"
    )
    found = [(each.lead, each.coordinating, [time.text for time in each.deadlines]) for each in plan.duties]
    assert found == [
        ("Sở Y tế", ("Công an tỉnh", "Tỉnh đoàn"), ["tháng 3/2026"]),
        ("Trung tâm Phục vụ hành chính công", (), ["Quý II/2026"]),
    ]
    assert not [each for each in plan.warnings if each.code == "unknown_label"]


def test_the_heading_of_a_step_is_none_of_the_duty_s_words(read):
    plan = read(
        "III. LỘ TRÌNH\nGiai đoạn 1: Chuẩn bị (từ tháng 3 năm 2022)\n1. Khảo sát hạ tầng.\nĐơn vị chủ trì: Sở Y tế\n"
        "Thời gian hoàn thành: 30/4/2022\nGiai đoạn 2: Thí điểm (từ tháng 9 năm 2022)\n2. Vận hành thử.\n"
        "Đơn vị chủ trì: Sở Nội vụ\n"
    )
    assert [(each.citation, each.text) for each in plan.duties] == [
        ("III.1", "Khảo sát hạ tầng."),
        ("III.2", "Vận hành thử."),
    ]


def test_a_numbered_team_is_what_its_leader_has_to_do(read):
    plan = read(
        "III. CÁC ĐOÀN\n1. Đoàn số 1: Sở Y tế chủ trì, thành viên gồm Công an tỉnh; kiểm tra chợ.\n"
        "2. Đoàn số 2: Sở Nội vụ chủ trì, thành viên gồm Tỉnh đoàn; kiểm tra trường.\n"
    )
    assert [(item.owners[0].name, item.duties[0].text[:10], item.duties[0].coordinating) for item in plan.items] == [
        ("Sở Y tế", "Đoàn số 1:", ("Công an tỉnh",)),
        ("Sở Nội vụ", "Đoàn số 2:", ("Tỉnh đoàn",)),
    ]


def test_one_of_several_bodies_may_have_a_paragraph_of_its_own(read):
    plan = read(
        "IV. PHÂN CÔNG\n1. Sở Y tế; Sở Nội vụ\n- Xây dựng kế hoạch.\nRiêng Sở Nội vụ tổ chức hội thi.\n"
        "2. Công an tỉnh\n- Tuần tra.\n"
    )
    assert [[owner.name for owner in item.owners] for item in plan.items][:2] == [
        ["Sở Y tế", "Sở Nội vụ"],
        ["Sở Nội vụ"],
    ]


def test_a_closing_paragraph_that_asks_groups_by_a_cycle_is_their_duty(read):
    plan = read(
        "IV. PHÂN CÔNG\n1. Sở Y tế\n- Khám bệnh.\n2. UBND huyện A\nTổ chức tiêm phòng bao vây.\n"
        "Định kỳ trước ngày 20 hằng tháng, các sở, ngành, UBND các huyện báo cáo kết quả về Sở Y tế./.\n"
    )
    assert [names for _, names in owned(plan)][-1] == ["các sở, ngành", "UBND các huyện"]
    assert len(list(plan.duties)) == 3


def test_paragraphs_under_a_topic_in_brackets_are_bodies_of_their_own(read):
    plan = read(
        'II. HOẠT ĐỘNG\n(1) Lễ phát động\nSở Y tế xây dựng kịch bản.\n(2) Chương trình "Cảm ơn người lao động"\n'
        "Sở Nội vụ lựa chọn 95 công nhân.\nCông an tỉnh bảo đảm an ninh.\n"
    )
    assert [each.citation for each in plan.duties] == ["II.(1).1", "II.(2).1", "II.(2).2"]


def test_a_group_among_paragraphs_of_bodies_has_a_duty_too(read):
    plan = read(
        "V. TỔ CHỨC THỰC HIỆN\nSở Y tế là đầu mối, báo cáo trước ngày 05 hằng tháng.\n"
        "Giám đốc các chi nhánh chịu trách nhiệm về kết quả.\nCông an tỉnh kiểm tra 20 chi nhánh.\n"
    )
    assert [item.owner for item in plan.items] == ["Sở Y tế", "Giám đốc các chi nhánh", "Công an tỉnh"]


def test_a_section_begins_after_a_line_that_ends_with_hang_quy(read):
    plan = read(
        "I. Người bệnh\n1. Khảo sát.\nPhụ trách: Sở Y tế\nThời hạn: Hàng quý\nII. Chuyên môn\n1. Bình bệnh án.\n"
        "Phụ trách: Sở Nội vụ\nThời hạn: Hàng tháng\nC. KINH PHÍ\nDự kiến 640 triệu đồng.\n"
    )
    assert [each.citation for each in plan.duties] == ["I.1", "II.1"]


def test_a_paragraph_after_a_long_heading_with_its_time_is_apart(read):
    plan = read(
        "III. TIẾN ĐỘ\n1. Giai đoạn 1: Thu thập minh chứng, viết báo cáo (từ ngày 16/4/2023 đến ngày 31/8/2023)\n"
        "Các nhóm chuyên trách thu thập minh chứng.\nSở Y tế xây dựng kho minh chứng.\n"
    )
    assert [(each.citation, each.deadlines[0].text) for each in plan.duties] == [
        ("III.1.1", "từ ngày 16/4/2023 đến ngày 31/8/2023"),
        ("III.1.2", "từ ngày 16/4/2023 đến ngày 31/8/2023"),
    ]


def test_a_point_of_a_body_is_cited_by_its_place_among_all_points(read):
    plan = read(
        "III. GIẢI PHÁP\n2. Hạ tầng\n- Đẩy nhanh tiến độ các dự án.\n- Giao Sở Y tế rà soát dự án.\n"
        "- Sở Nội vụ bàn giao.\n3. Nguồn lực\n- Công an tỉnh tuần tra.\n"
    )
    assert [each.citation for each in plan.duties] == ["III.2.2", "III.2.3", "III.3.1"]


def test_a_name_may_end_with_a_verb_before_its_colon(read):
    plan = read(
        "IV. PHÂN CÔNG\n1. Sở Y tế, Viện Quy hoạch xây dựng: Thiết kế chiếu sáng.\n2. Công an tỉnh: Tuần tra.\n"
    )
    assert found(plan)[0] == ("1", ["Sở Y tế", "Viện Quy hoạch xây dựng"], ["Thiết kế chiếu sáng."])


def test_a_row_keeps_the_brackets_of_its_number(page):
    rows = "<tr><td>TT</td><td>Nhiệm vụ</td><td>Thời hạn</td><td>Cơ quan chủ trì</td></tr>"
    rows += "<tr><td>(1)</td><td>Kiểm tra đập</td><td>Quý IV/2024</td><td>Sở Y tế</td></tr>"
    plan = read_document(f"<html><p>PHỤ LỤC</p><table>{rows}</table></html>".encode(), "x")
    assert [each.citation for each in plan.duties] == ["PL.(1).1"]


def test_paragraphs_under_a_lettered_title_are_bodies_of_their_own(read):
    plan = read(
        "III. BIỆN PHÁP\n1. Đối với thôn có dịch\na) Tiêu hủy lợn bệnh\nBan Chỉ huy Quân sự xã đào hố.\n"
        "b) Kiểm soát\nCông an xã chủ trì lập 03 chốt.\n2. Đối với thôn chưa có dịch\nTrưởng các thôn lập danh sách.\n"
        "Hộ chăn nuôi chủ động rắc vôi bột.\n"
    )
    assert [each.citation for each in plan.duties] == ["III.1.a.1", "III.1.b.1", "III.2.1", "III.2.2"]


def test_a_paragraph_after_a_whole_sentence_of_a_body_is_none_of_its_duties(read):
    plan = read(
        "IV. PHÂN CÔNG\n1. Công an tỉnh\n- Tuần tra.\n2. Đề nghị Sở Y tế cử người xuống địa bàn.\n"
        "Hoãn các cuộc họp không cấp thiết.\n"
    )
    assert [each.text[:8] for each in plan.duties] == ["Tuần tra", "Đề nghị "]
    assert [each.text for each in plan.instructions] == ["Hoãn các cuộc họp không cấp thiết."]


def test_a_name_goes_on_in_a_line_that_ends_it_with_a_colon(read):
    plan = read(
        "IV. PHÂN CÔNG\n1. Công an huyện\n- Tuần tra các chợ, bến xe, bến tàu trên địa bàn\ntoàn huyện.\n"
        "2. Chi cục Thuế khu vực Bát Sơn - Na\nLộc: Xác định nghĩa vụ tài chính.\n"
    )
    assert found(plan)[-1] == ("2", ["Chi cục Thuế khu vực Bát Sơn - Na Lộc"], ["Xác định nghĩa vụ tài chính."])


def test_a_group_of_organizations_goes_to_its_colon(read):
    plan = read(
        "II. NHIỆM VỤ\n1. Dữ liệu\n- Các tổ chức tín dụng, các tổ chức cung ứng dịch vụ thanh toán: Làm sạch.\n"
        "- Sở Y tế: Kết nối.\n"
    )
    assert found(plan)[0][1] == ["Các tổ chức tín dụng", "các tổ chức cung ứng dịch vụ thanh toán"]


@pytest.mark.parametrize("line", ["Phòng Vận tải và Bến bãi", "Phòng Quản lý xe và thị trường vận tải"])
def test_a_name_that_stands_alone_elsewhere_ends_there_in_a_sentence(read, line):
    plan = read(
        f"III. NHIỆM VỤ\n1. {line} soát vé trên tuyến.\n2. Công an tỉnh tuần tra.\n"
        f"IV. PHÂN CÔNG\n1. {line}: Lập lịch trình.\n2. Công an tỉnh: Tuần tra.\n"
    )
    assert [item.owners[0].name for item in plan.items] == [line, "Công an tỉnh"] * 2


def test_a_group_with_more_small_words_is_another_than_the_one_that_stands_alone(read):
    plan = read(
        "III. NHIỆM VỤ\n1. UBND các xã ven biển tổ chức họp dân.\n2. Công an tỉnh tuần tra.\n"
        "IV. PHÂN CÔNG\n1. UBND các xã: Lập danh sách.\n2. Công an tỉnh: Tuần tra.\n"
    )
    assert plan.sections[0].items[0].owner == "UBND các xã ven biển"


def test_a_labelled_line_among_bodies_is_no_body(read):
    plan = read("III. NHIỆM VỤ\n1. Hè\n- Đối tượng: học sinh.\n- Công an tỉnh tuần tra.\n- Sở Y tế tập huấn.\n")
    assert [each.citation for each in plan.duties] == ["III.1.2", "III.1.3"]


def test_who_is_always_there_is_no_other_body(read):
    plan = read(
        "III. PHÂN CÔNG\n1. Trách nhiệm của Công an tỉnh\na) Văn phòng\nTổng hợp báo cáo.\n"
        "b) Phòng 8\nThường trực giúp Lãnh đạo triển khai Kế hoạch.\n"
    )
    assert [item.owners[0].name for item in plan.items] == ["Văn phòng", "Phòng 8"]


@pytest.mark.parametrize(
    ("above", "number", "issuer"),
    [
        ("CỤC THUẾ\nTHUẾ TỈNH AN LẠC", "12/KH-THU", "Thuế tỉnh An Lạc"),
        ("TỈNH ĐOÀN AN LẠC\n***", "512 KH/TĐTN-PT", "Tỉnh đoàn An Lạc"),
    ],
)
def test_the_issuer_stands_above_the_number_with_a_sign_or_without(above, number, issuer):
    head = f"{above}\nSố: {number}\nĐOÀN THANH NIÊN\nAn Lạc, ngày 11 tháng 5 năm 2022\nKẾ HOẠCH\nCÔNG TÁC NĂM 2022\n"
    plan = read_document(f"{head}III. PHÂN CÔNG\n1. Sở Y tế\n- Tập huấn.\n".encode(), "plan.txt")
    assert plan.issuer.text.lower() == issuer.lower()
    assert plan.number.text


@pytest.mark.parametrize(
    ("head", "issuer"),
    [
        ("PHỤ LỤC II\nDANH MỤC NHIỆM VỤ\n(Kèm theo Kế hoạch số 1/KH-UBND ngày 01/3/2022 của Sở Y tế)", "Sở Y tế"),
        ("CHỈ THỊ\nVề công tác tiêm chủng\nĐể phòng bệnh, Chủ tịch UBND tỉnh yêu cầu:", "Chủ tịch UBND tỉnh"),
        ("BÀI ĐĂNG BÁO\nKẾ HOẠCH\nCông tác năm 2022", ""),
    ],
)
def test_who_issued_a_document_without_its_head_is_said_elsewhere_or_not_at_all(head, issuer):
    plan = read_document(f"{head}\nIII. PHÂN CÔNG\n1. Công an tỉnh\n- Tuần tra.\n".encode(), "plan.txt")
    assert plan.issuer.text == issuer


ASSIGNED = (
    (
        "1. Kiểm kê mỏ đá, lập danh mục.\n(Theo Thông báo số 7/TB-UBND)",
        "Chủ trì: Sở Công Thương.\nPhối hợp: Sở Tài chính, trường đại học; Thuế tỉnh.",
        "Quý II/2026",
        "Khảo sát.\n1. Hội thảo.",
        "Danh mục",
    ),
    (
        "2. Thông đường vào mỏ.",
        "Chủ trì: Sở Công Thương (nguồn; cấp phép); Sở Xây dựng và UBND xã An Bình (đất). Phối hợp: Công an tỉnh",
        "Năm 2027",
        "",
        "Đường",
    ),
    ("4. Đào tạo thợ mỏ.", "Chủ trì: Sở Nội vụ; phối hợp: Sở Y tế; thời gian: tháng 9/2026.", "", "NSNN", ""),
)


def _as_page(rows):
    cells = ("".join(f"<td>{cell.replace(chr(10), '<br>')}</td>" for cell in row) for row in rows)
    return f"<p>PHỤ LỤC I</p><table>{''.join(f'<tr>{row}</tr>' for row in cells)}</table>".encode()


def _as_word(rows):
    document = docx.Document()
    document.add_paragraph("PHỤ LỤC I")
    table = document.add_table(len(rows), len(rows[0]))
    for r, row in enumerate(rows):
        for c, text in enumerate(row):
            first, *others = text.split("\n")
            table.cell(r, c).text = first
            for other in others:
                table.cell(r, c).add_paragraph(other)
    return saved(document)


def _as_tabs(rows):
    return ("PHỤ LỤC I\n" + "\n".join(map("\t".join, rows)) + "\nTổng kinh phí: 5 tỷ đồng.").encode()


def _as_markdown(rows):
    lines = [f"| {' | '.join(row)} |".replace("\n", "<br>") for row in rows]
    return "\n".join(["PHỤ LỤC I", "", lines[0], "|---" * len(rows[0]) + "|", *lines[1:]]).encode()


@pytest.mark.parametrize("form", [_as_page, _as_word, _as_tabs, _as_markdown])
@pytest.mark.parametrize("head", ["Phân công nhiệm vụ", "Phân công thực hiện", "Cơ quan thực hiện"])
def test_a_column_of_assignments_holds_labels(form, head):
    heads = ("Nội dung", head, "Tiến độ", "Nguồn lực", "Sản phẩm đầu ra")
    plan = read_document(form([heads, *ASSIGNED]), "x")
    assert found(plan) == [
        ("1", ["Sở Công Thương"], ["Kiểm kê mỏ đá, lập danh mục."]),
        ("2", ["Sở Công Thương", "Sở Xây dựng", "UBND xã An Bình"], ["Thông đường vào mỏ."]),
        ("4", ["Sở Nội vụ"], ["Đào tạo thợ mỏ."]),
    ]
    said = [(each.coordinating, each.product, [time.text for time in each.deadlines]) for each in plan.duties]
    assert said == [
        (("Sở Tài chính", "trường đại học", "Thuế tỉnh"), "Danh mục", ["Quý II/2026"]),
        (("Công an tỉnh",), "Đường", ["Năm 2027"]),
        (("Sở Y tế",), "", ["tháng 9/2026"]),
    ]
    assert next(plan.duties).details == ("Theo Thông báo số 7/TB-UBND",)
    assert faults(plan) == []


SCANNED = (
    "I. MỤC ĐÍCH\n1. Giảm thiệt hại.\n{page}\nII. NHIỆM VỤ\n1. Sở Y tế:\n- Khám bệnh cho người dân sau lũ, bảo đảm đủ\n"
    "{page}\nthuốc tại các trạm.\n{page}\n2. Công an tỉnh:\n- Tuần tra.\n{third} TỔ CHỨC THỰC HIỆN\n"
    "1. Sở Nội vụ tổng hợp kết quả.\n"
)


@pytest.mark.parametrize("page", ["--- PAGE BREAK ---", "=== Trang 2 ===", "-- Page 3 --"])
def test_a_line_that_says_where_a_page_ends_is_no_heading(read, page):
    plan = read(SCANNED.format(page=page, third="III."))
    assert [duty.citation for duty in plan.duties] == ["II.1.1", "II.2.1", "III.1"]
    assert next(plan.duties).text == "Khám bệnh cho người dân sau lũ, bảo đảm đủ thuốc tại các trạm."
    assert faults(plan) == []


@pytest.mark.parametrize("third", ["Il.", "IIl.", "lI.", "1I.", "HI."])
def test_a_roman_number_that_a_scan_misread_and_that_stands_twice_is_the_next(read, third):
    plan = read(SCANNED.format(page="", third=third))
    assert [section.roman for section in plan.sections] == ["II", "III"]
    assert "number_doubled" not in dict(codes(plan))


def test_a_roman_number_that_the_document_itself_doubles_is_left_so(read):
    plan = read(SCANNED.format(page="", third="II."))
    assert [section.roman for section in plan.sections] == ["II", "II-2"]
    parts = "A. MỘT\nII. Sở Y tế:\n- Khám bệnh.\nB. HAI\nIl. Sở Nội vụ:\n- Họp.\n"
    assert [duty.citation for duty in read(parts).duties] == ["A.II.1", "B.II.1"]


@pytest.mark.parametrize(
    "text",
    [
        "Căn cứ nội dung Kế hoạch và tình hình thực tiễn, các sở, ngành xây dựng kế hoạch của mình.",
        "Giám đốc các sở, Chủ tịch UBND các xã chịu trách nhiệm tổ chức triển khai thực hiện Kế hoạch này.",
        "Trong quá trình tổ chức thực hiện, nếu có vướng mắc, các đơn vị báo cáo UBND tỉnh.",
        "Trên cơ sở nội dung Kế hoạch nêu trên, các sở, ban, ngành tỉnh chủ động triển khai.",
    ],
)
def test_a_numbered_sentence_that_asks_everybody_to_carry_the_plan_out_is_an_instruction(read, text):
    body = "IV. TỔ CHỨC THỰC HIỆN\n1. Sở Y tế mở lớp.\n2. {}\n3. Công an tỉnh tuần tra.\n"
    plan = read(body.format(text))
    assert [duty.citation for duty in plan.duties] == ["IV.1", "IV.3"]
    assert [each.text for each in plan.instructions] == [text]
    first = read(f"IV. TỔ CHỨC THỰC HIỆN\n1. {text}\n2. Sở Y tế mở lớp.\n3. Công an tỉnh tuần tra.\n")
    assert [duty.citation for duty in first.duties] == ["IV.2", "IV.3"]
    dated = read(body.format(text[:-1] + " trước ngày 15/12/2022."))
    assert [duty.citation for duty in dated.duties] == ["IV.1", "IV.2", "IV.3"], "what has a last day is followed up"


def test_a_numbered_sentence_to_everybody_that_goes_on_with_an_order_is_a_duty(read):
    text = "Các sở căn cứ Kế hoạch này triển khai thực hiện. Giao Sở Y tế kiểm tra."
    plan = read(f"IV. TỔ CHỨC THỰC HIỆN\n1. Sở Y tế mở lớp.\n2. {text}\n3. Công an tỉnh tuần tra.\n")
    assert "IV.2" in [duty.citation for duty in plan.duties]


def test_quotas_of_awards_are_no_duties_of_those_who_may_be_proposed(read):
    plan = read(
        "IV. SỐ LƯỢNG ĐỀ NGHỊ KHEN THƯỞNG\n1. Bằng khen của Chủ tịch UBND tỉnh\na) Các cơ quan cấp tỉnh:\n"
        "- Sở Y tế: Không quá 05 cá nhân;\n- Công an tỉnh: 01 cá nhân;\n- Đối với Sở Nội vụ không quá 02 tập thể;\n"
        "V. TỔ CHỨC THỰC HIỆN\n1. Sở Y tế mở lớp.\n2. Công an tỉnh tuần tra.\n"
    )
    assert [duty.citation for duty in plan.duties] == ["V.1", "V.2"]
    shown = [each.text for each in plan.left_out if each.serious]
    assert any("Không quá 05 cá nhân" in each for each in shown), "they are told, and one tap makes them duties"


def test_a_point_that_asks_others_does_not_take_the_points_beside_it_from_a_body_that_no_table_knows(read):
    plan = read(
        "IV. TỔ CHỨC THỰC HIỆN\n1. Sở Y tế\n- Mở lớp.\n2. Các doanh nghiệp thứ cấp đang hoạt động trong KCN\n"
        "- Chủ động phối hợp với chủ đầu tư.\n- Khuyến khích các doanh nghiệp ứng dụng thiết bị.\n- Bảo vệ an toàn.\n"
    )
    assert [duty.citation for duty in plan.duties] == ["IV.1.1", "IV.2.1", "IV.2.2", "IV.2.3"]
    assert list(plan.items)[-1].owners[0].name == "Các doanh nghiệp thứ cấp đang hoạt động trong KCN"


GROUP = """II. TRÁCH NHIỆM
2. Các sở, ban, ngành, địa phương: Chịu trách nhiệm về các nội dung sau:
2.1. Trách nhiệm chung
a) Đánh giá hiệu quả của dự án.
2.2. Trách nhiệm cụ thể
Ngoài các trách nhiệm chung, một số đơn vị có ý kiến về các nội dung sau:
a) Sở Xây dựng
- Đánh giá sự phù hợp với quy hoạch đô thị.
Khi đánh giá, nội dung thẩm định phải nêu rõ quy hoạch phân khu;
- Đánh giá nhu cầu sử dụng đất.
b) Công an tỉnh, Bộ Chỉ huy Quân sự tỉnh
- Đánh giá về quốc phòng, an ninh.
"""


def test_a_body_over_points_is_theirs_whatever_group_stands_above_it(read):
    both = ["Công an tỉnh", "Bộ Chỉ huy Quân sự tỉnh"]
    owners = [owners for _, owners in owned(read(GROUP))]
    assert owners == [["Các sở, ban, ngành, địa phương"], *[["Sở Xây dựng"]] * 3, both]


def test_a_paragraph_between_the_points_of_a_letter_is_under_that_letter(read):
    texts = {text.split("\n")[0]: owners for _, owners, text in said(read(GROUP))}
    assert texts["Khi đánh giá, nội dung thẩm định phải nêu rõ quy hoạch phân khu;"] == ["Sở Xây dựng"]
    assert texts["Đánh giá nhu cầu sử dụng đất."] == ["Sở Xây dựng"]


UNITS = """IV. TỔ CHỨC THỰC HIỆN
1. Khối phòng chức năng
1.1. Phòng Kế hoạch tổng hợp
- Xây dựng phương án phân luồng trước ngày 28/5/2022.
- Báo cáo số liệu hằng ngày.
1.2. Phòng Điều dưỡng: tập huấn cho nhân viên.
1.3. Giao phòng Vật tư - Thiết bị y tế rà soát máy thở.
1.4. Giao phòng Hành chính quản trị kiểm soát người ra vào.
1.5. Trưởng phòng Tài chính kế toán thanh toán phụ cấp.
2. Khoa Dược: Dự trữ thuốc.
"""


def test_the_units_of_a_group_have_their_own_points_and_orders(read):
    assert owned(read(UNITS)) == [
        ("IV.1.1.1", ["Phòng Kế hoạch tổng hợp"]),
        ("IV.1.1.2", ["Phòng Kế hoạch tổng hợp"]),
        ("IV.1.2", ["Phòng Điều dưỡng"]),
        ("IV.1.3", ["phòng Vật tư - Thiết bị y tế"]),
        ("IV.1.4", ["phòng Hành chính quản trị"]),
        ("IV.1.5", ["Trưởng phòng Tài chính kế toán"]),
        ("IV.2.1", ["Khoa Dược"]),
    ]


DECISION = """BỘ GIAO THÔNG
Số: 19/QĐ-BGT
Hà Nội, ngày 12 tháng 8 năm 2024
QUYẾT ĐỊNH
Ban hành Kế hoạch phát triển phương tiện xanh
BỘ TRƯỞNG BỘ GIAO THÔNG
Căn cứ Nghị định số 56/2022/NĐ-CP ngày 24 tháng 8 năm 2022 của Chính phủ;
Theo đề nghị của Vụ trưởng Vụ Môi trường.
QUYẾT ĐỊNH:
Điều 1. Ban hành kèm theo Quyết định này Kế hoạch phát triển phương tiện xanh.
Điều 2. Giao Vụ Môi trường chủ trì hướng dẫn việc thực hiện Kế hoạch.
Điều 3. Quyết định này có hiệu lực kể từ ngày ký.
Nơi nhận:
- Như Điều 3.
KẾ HOẠCH
Phát triển phương tiện xanh
B. NHIỆM VỤ
I. Kiểm kê
1. Vụ Môi trường xây dựng hướng dẫn trước ngày 31/12/2024.
C. DANH MỤC CÔNG VIỆC
STT\tNội dung\tĐơn vị chủ trì\tThời hạn
1\tTổ chức tập huấn\tTrường Cán bộ quản lý\t30/11/2024
2\tKhảo sát trụ sạc\tCục Đường bộ\tTháng 10/2024
"""


def test_the_reasons_of_a_decision_are_no_duties_and_its_plan_has_its_own_numbers():
    assert owned(read_document(DECISION.encode(), "qd.txt")) == [
        ("Điều 2", ["Vụ Môi trường"]),
        ("B.I.1", ["Vụ Môi trường"]),
        ("C.1.1", ["Trường Cán bộ quản lý"]),
        ("C.2.1", ["Cục Đường bộ"]),
    ]


WRAPPED = """3. Kiểm tra về dữ liệu số
3.1. Kiểm tra việc thực hiện các quy định về phòng bệnh tại các xã. Cơ quan thực
hiện:
Thanh tra tỉnh. Thời gian: Quý III.
3.2. Kiểm tra chuyên đề tại các trường. Cơ quan tham mưu, chủ trì thực hiện:
Sở Tài chính. Thời gian: Quý IV."""


def test_a_roman_number_with_points_stands_under_its_section(read):
    body = "II. NHIỆM VỤ\nII.1. Về tiêu chuẩn\nII.1.1. Sở Y tế rà soát quy định trước ngày 30/6/2022.\n"
    body += (
        "II.1.2. Sở Tư pháp thẩm định.\nII.2. Về kiểm tra\nII.2.1. Công an tỉnh\na) Kiểm tra kho.\nb) Xử lý vi phạm.\n"
    )
    assert owned(read(body)) == [
        ("II.1.1", ["Sở Y tế"]),
        ("II.1.2", ["Sở Tư pháp"]),
        ("II.2.1.1", ["Công an tỉnh"]),
        ("II.2.1.2", ["Công an tỉnh"]),
    ]


def test_a_heading_in_which_one_body_gives_to_another_names_the_other(read):
    body = (
        "IV. TỔ CHỨC THỰC HIỆN\n1. Sở Y tế\n- Khám bệnh.\n2. Thường trực Huyện ủy giao đồng chí Chủ tịch UBND huyện:\n"
    )
    body += "- Chỉ đạo thanh tra trước ngày 15/3/2022.\n- Thu hồi tài sản.\n"
    chief = ["đồng chí Chủ tịch UBND huyện"]
    assert owned(read(body)) == [("IV.1.1", ["Sở Y tế"]), ("IV.2.1", chief), ("IV.2.2", chief)]


def test_a_steering_committee_gives_what_stands_below_its_heading_to_another(read):
    """«chỉ đạo» in its name is none of what it does."""
    first = "1. Ban Chỉ đạo tỉnh giao Sở Y tế:\n- Khám bệnh.\n- Cấp thuốc.\n"
    plan = read(f"IV. TỔ CHỨC THỰC HIỆN\n{first}2. Công an tỉnh\n- Tuần tra.\n")
    assert {name for _, owners in owned(plan) for name in owners} == {"Sở Y tế", "Công an tỉnh"}


def test_a_body_that_directs_others_is_itself_to_do_it(read):
    points = "1. Sở Y tế chỉ đạo các bệnh viện:\n- Khám bệnh.\n- Cấp thuốc.\n2. Công an tỉnh\n- Tuần tra.\n"
    body = f"IV. TỔ CHỨC THỰC HIỆN\n{points}"
    assert {name for _, owners in owned(read(body)) for name in owners} == {"Sở Y tế", "Công an tỉnh"}


@pytest.mark.parametrize("label", ["Khoa, phòng chủ trì", "Cơ quan soạn thảo"])
def test_more_labels_and_columns_of_who_leads(label):
    assert Label.LEAD in (label_of_column(label), (label_of_line(f"{label}: Sở Y tế") or [None])[0])


def test_a_dash_that_names_a_body_and_its_role_stands_over_its_points(read):
    body = "IV. PHÂN CÔNG\n- Văn phòng UBND xã dự toán kinh phí.\n"
    body += "- Công an xã chủ trì, phối hợp với Ban Chỉ huy Quân sự xã:\n"
    body += "+ Xây dựng phương án trước ngày 10/02/2022;\n+ Bố trí lực lượng trực.\n- Trạm Y tế xã trực cấp cứu.\n"
    assert owned(read(body)) == [
        ("IV.(1)", ["Văn phòng UBND xã"]),
        ("IV.(2).1", ["Công an xã"]),
        ("IV.(2).2", ["Công an xã"]),
        ("IV.(3)", ["Trạm Y tế xã"]),
    ]


def test_the_issuer_is_the_last_of_the_committees_in_the_letterhead():
    head = "ỦY BAN NHÂN DÂN QUẬN THANH HẢI\nỦY BAN NHÂN DÂN\nPHƯỜNG HÒA THUẬN\nSố: 1/KH-UBND\n"
    head += "ngày 02 tháng 3 năm 2022\nKẾ HOẠCH\nNĂM 2022\n"
    plan = read_document((head + "IV. PHÂN CÔNG\n1. Công an phường\n- Trực.\n").encode(), "x.txt")
    assert plan.issuer.text == "Ủy ban nhân dân phường Hòa Thuận"


def test_a_number_that_is_a_label_of_who_leads_gives_its_points(read):
    body = (
        "IV. TỔ CHỨC THỰC HIỆN\n1. Đơn vị chủ trì: Sở Y tế\n- Khám bệnh.\n- Cấp thuốc.\n2. Công an tỉnh\n- Tuần tra.\n"
    )
    assert [owners for _, owners in owned(read(body))] == [["Sở Y tế"], ["Sở Y tế"], ["Công an tỉnh"]]


def test_a_committee_and_its_department_in_one_line_are_issued_by_the_department():
    head = "UBND TỈNH AN LẠC SỞ Y TẾ\nSố: 1/KH-SYT\nAn Lạc, ngày 02 tháng 3 năm 2022\nKẾ HOẠCH\nNĂM 2022\n"
    plan = read_document((head + "IV. PHÂN CÔNG\n1. Phòng Nghiệp vụ Y\n- Trực.\n").encode(), "x.txt")
    assert plan.issuer.text == "Sở Y tế"


def test_a_pasted_row_without_number_begins_where_the_one_above_would_be_too_wide(read):
    heads = "TT\tNhiệm vụ\tCơ quan chủ trì\tCơ quan phối hợp\tThời gian\tSản phẩm\tNguồn vốn\n"
    first = "1\tVận hành hệ thống thông tin liên tục.\tSở Tài chính\tCác sở, ngành\tQuý IV/2026\n"
    second = "\tSao lưu dữ liệu của hệ thống.\tSở Khoa học và Công nghệ\tSở Tài chính\n"
    third = (
        "2\tChia sẻ dữ liệu với các bộ.\tSở Tài chính\tCác sở, ngành\tQuý IV/2026\tCơ sở dữ liệu\tChi thường xuyên\n"
    )
    plan = read(f"PHỤ LỤC\nPHÂN CÔNG NHIỆM VỤ\n{heads}{first}{second}{third}")
    owners = [names for _, names in owned(plan)]
    assert owners == [["Sở Tài chính"], ["Sở Khoa học và Công nghệ"], ["Sở Tài chính"]]


def test_a_row_that_reads_like_heads_but_for_the_lead_is_no_second_row_of_heads(read):
    heads = "<tr><td>TT</td><td>Nhiệm vụ</td><td>Cơ quan chủ trì</td></tr>"
    odd = "<tr><td></td><td></td><td>Thời gian thực hiện</td></tr>"
    row = "<tr><td>1</td><td>Rà soát chợ.</td><td>Sở Công Thương</td></tr>"
    plan = read(f"<html><p>PHÂN CÔNG NHIỆM VỤ</p><table>{heads}{odd}{row}</table></html>")
    assert ["Sở Công Thương"] in [names for _, names in owned(plan)]


def test_a_file_with_the_numbers_of_two_plans_is_a_doubt(read):
    """The heads of both, without the motto by which such a file is refused."""
    second = "Nơi nhận:\n- Lưu: VT.\nSố: 10/KH-UBND\nKẾ HOẠCH\nII. TỔ CHỨC THỰC HIỆN\n1. Sở Nội vụ\n- Chủ trì.\n"
    plan = read("Số: 9/KH-UBND\nI. TỔ CHỨC THỰC HIỆN\n1. Sở Y tế\n- Chủ trì thực hiện kế hoạch.\n" + second)
    assert ("several_plans", "cả văn bản") in codes(plan)
