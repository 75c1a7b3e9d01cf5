"""Documents as they are published: who is to do what stands below a lead-in, in a letter, an article or a paragraph."""

import pytest
from ground.plan_documents import NOBODY, found, owned, said
from import_figures.plan_texts import faults

from engine.features.plan_import.drafts.reading import as_read
from engine.features.plan_import.importer import read_document
from engine.features.plan_import.importer.base.model import Origin

LETTER = """
CỤC KIỂM LÂM
Số: 88/KL-QLR
V/v tăng cường phòng cháy rừng
Kính gửi: Chi cục Kiểm lâm các tỉnh, thành phố.
Để chủ động phòng cháy, Cục Kiểm lâm đề nghị các Chi cục Kiểm lâm thực hiện:
1. Hoàn thành phương án phòng cháy trước ngày 29/4/2026. Chi cục Kiểm lâm chủ động phân công trực đến từng trạm.
- Áp dụng cấp dự báo cháy trong bố trí lực lượng.
- Đôn đốc thu dọn vật liệu cháy ven đường.
2. Đối với các trường hợp phát sinh, Chi cục Kiểm lâm chủ động xử lý, báo cáo.
Nơi nhận:
- Như trên.
"""


def test_points_below_a_number_are_duties_though_one_of_those_asked_is_named_in_its_sentence():
    asked = ["các Chi cục Kiểm lâm"]
    assert owned(read_document(LETTER.encode(), "cv.txt")) == [
        ("1", asked),
        ("1.1", asked),
        ("1.2", asked),
        ("2", asked),
    ]


ADDRESSED = """
Kính gửi:
- Hiệu trưởng các trường Mầm non;
- Hiệu trưởng các trường Tiểu học.
Đề nghị Hiệu trưởng các trường rà soát việc thu quỹ của đơn vị, báo cáo trước ngày 24/3/2026.
"""


def test_those_to_whom_a_copied_letter_goes_are_no_entries_though_it_has_no_head():
    assert owned(read_document(ADDRESSED.encode(), "cv.txt")) == [("(1)", ["Hiệu trưởng các trường"])]


TWO_COLUMNS = """
SỞ Y TẾ
Số: 327/SYT-NV
Kính gửi: Các trung tâm y tế trực thuộc.
Sở Y tế giao Trung tâm Kiểm soát bệnh tật tỉnh tổng hợp số liệu, báo cáo trước ngày 12/5/2026.
Nơi nhận:
- Như trên;
- Lưu: VT.
V/v thống kê trang thiết bị
GIÁM ĐỐC
"""


def test_what_a_letter_is_about_may_stand_after_its_text():
    plan = read_document(TWO_COLUMNS.encode(), "cv.txt")
    assert owned(plan) == [("(1)", ["Trung tâm Kiểm soát bệnh tật tỉnh"])]
    assert plan.title.text == "thống kê trang thiết bị"


def test_a_paragraph_under_several_bodies_is_of_the_one_that_it_begins_with(read):
    plan = read(
        "III. PHÂN CÔNG\n\nTổ chuyên môn và giáo viên\n\n"
        "Các tổ chuyên môn căn cứ kế hoạch của trường, triển khai đến từng giáo viên.\n\n"
        "Giáo viên chủ nhiệm sâu sát nắm vững hoàn cảnh từng học sinh.\n\n"
        "Tổ văn phòng\n\nSắp xếp hồ sơ.\n\n"
    )
    assert owned(plan) == [
        ("III.(1).1", ["Các tổ chuyên môn"]),
        ("III.(1).2", ["Giáo viên chủ nhiệm"]),
        ("III.(2).1", ["Tổ văn phòng"]),
    ]


def test_the_labelled_time_of_a_paragraph_that_begins_with_its_body_is_no_line_left_out(read):
    plan = read(
        "II. TRÌNH TỰ THỰC HIỆN\n1.1. Bước 1: Kiểm tra hiện trạng.\n"
        "Ủy ban nhân dân các xã kiểm tra hiện trạng nhà ở, lập danh sách.\n"
        "Thời gian hoàn tất: trước ngày 25 tháng 7 năm 2026.\n"
        "1.2. Bước 2: Tổng hợp danh sách.\n"
        "Sở Xây dựng tổng hợp danh sách của toàn tỉnh.\nThời gian hoàn tất: trước ngày 18 tháng 8 năm 2026.\n"
    )
    assert [len(duty.deadlines) for item in plan.items for duty in item.duties] == [1, 1]
    assert [each.text for each in plan.left_out] == []


def test_a_sentence_of_another_body_in_a_paragraph_is_its_own_duty_below_the_first(read):
    plan = read(
        "II. TỔ CHỨC THỰC HIỆN\n"
        "1. Sở Y tế chủ trì lập kế hoạch kiểm tra. Sở Tài chính tổng hợp kinh phí, báo cáo trước ngày 28 hằng tháng.\n"
        "2. Sở Du lịch\n- Đón đoàn khảo sát. Giao Trung tâm Xúc tiến du lịch bố trí xe. Hoàn thành trong quý II.\n"
        "- Thu thập số liệu. Lãnh đạo Sở Du lịch ký báo cáo. Thanh tra trách nhiệm của các phòng.\n"
        "3. Sở Nội vụ rà soát biên chế. Sở Tư pháp góp ý. Trong tháng 5. Công an tỉnh xác minh nhân thân.\n"
    )
    assert owned(plan) == [
        ("II.1", ["Sở Y tế"]),
        ("II.1.1", ["Sở Tài chính"]),
        ("II.2.1", ["Sở Du lịch"]),
        ("II.2.2", ["Sở Du lịch"]),
        ("II.2.1.1", ["Trung tâm Xúc tiến du lịch"]),
        ("II.3", ["Sở Nội vụ"]),
        ("II.3.1", ["Sở Tư pháp"]),
        ("II.3.2", ["Công an tỉnh"]),
    ]
    given = {duty.citation: duty for item in plan.items for duty in item.duties}
    assert given["II.1"].text == "Sở Y tế chủ trì lập kế hoạch kiểm tra."
    (section,) = as_read(plan, NOBODY).sections
    assert [[item.no, *(duty.printed for duty in item.duties)] for item in section.items] == [
        [1, "II.1", "II.1.1"],
        [2, "II.2.1", "II.2.1.1", "II.2.2"],
        [3, "II.3", "II.3.1", "II.3.2"],
    ]
    assert given["II.3.1"].text == "Sở Tư pháp góp ý. Trong tháng 5."
    assert [each.text for each in given["II.1.1"].deadlines] == ["trước ngày 28 hằng tháng"]
    assert given["II.2.1.1"].text == "Giao Trung tâm Xúc tiến du lịch bố trí xe. Hoàn thành trong quý II."
    told = [each.message for each in plan.warnings if each.code == "overlooked"]
    assert [each.partition("«")[2] for each in told] == [
        "Lãnh đạo Sở Du lịch ký báo cáo. Thanh tra trách nhiệm của các phòng.»."
    ]


def test_a_lead_in_may_end_with_a_word_of_its_own(read):
    plan = read(
        "Sở Giáo dục và Đào tạo đề nghị UBND các xã, phường; các đơn vị, cơ sở giáo dục trực thuộc thực hiện nghiêm. "
        "Cụ thể:\n\n- Thường xuyên cập nhật thông tin về chất lượng không khí.\n\n- Hạn chế hoạt động ngoài trời.\n"
    )
    asked = ["UBND các xã, phường", "các đơn vị, cơ sở giáo dục trực thuộc"]
    assert owned(plan) == [("(1)", asked), ("(2)", asked)]


def test_the_content_below_a_title_with_its_labels_leaves_the_title_in_the_words(read):
    plan = read(
        "II. NỘI DUNG\n1. Xây dựng Nghị định\n- Nghị định xử phạt vi phạm hành chính trong lĩnh vực an ninh mạng.\n"
        "+ Nội dung: quy định chi tiết khoản 7 Điều 8.\n+ Cơ quan chủ trì: Bộ Công an.\n"
        "+ Thời hạn ban hành: trước ngày 01 tháng 01 năm 2026.\n"
        "III. TỔ CHỨC THỰC HIỆN\n1. Bộ Công an theo dõi, đôn đốc.\n"
        "2. Trong quá trình thực hiện Kế hoạch này, nếu có vướng mắc, đề nghị các bộ phản ánh về Bộ Công an.\n"
    )
    assert owned(plan) == [("II.1.1", ["Bộ Công an"]), ("III.1", ["Bộ Công an"])]
    (first, *_) = (duty.text for item in plan.items for duty in item.duties)
    assert first.startswith("Nghị định xử phạt vi phạm hành chính trong lĩnh vực an ninh mạng.")
    assert [each.text[:24] for each in plan.instructions] == ["Trong quá trình thực hiệ"]


def test_points_that_name_nobody_are_for_those_whom_the_paragraph_before_them_asks(read):
    plan = read(
        "Thời gian qua, nhiều chợ chưa bảo đảm an toàn. Chủ tịch UBND tỉnh yêu cầu Chủ tịch UBND các xã, phường:\n"
        "1. Rà soát các chợ trên địa bàn.\n2. Công an tỉnh tuần tra ban đêm.\n"
        "3. Báo cáo kết quả trước ngày 15/6/2026.\n"
    )
    assert found(plan) == [
        ("1", ["Chủ tịch UBND các xã, phường"], ["Rà soát các chợ trên địa bàn."]),
        ("2", ["Công an tỉnh"], ["Công an tỉnh tuần tra ban đêm."]),
        ("3", ["Chủ tịch UBND các xã, phường"], ["Báo cáo kết quả trước ngày 15/6/2026."]),
    ]


def test_a_letter_of_one_paragraph_gives_its_duty(read):
    plan = read(
        "Xét đề nghị của UBND tỉnh tại Tờ trình số 12/TTr-UBND, Phó Thủ tướng có ý kiến như sau:\n"
        "Giao các Bộ: Công an, Tài chính có ý kiến về hồ sơ của dự án.\n"
        "Văn phòng Chính phủ thông báo để các Bộ, cơ quan biết, thực hiện./.\n"
    )
    assert [owner.name for item in plan.items for owner in item.owners] == ["Bộ Công an", "Bộ Tài chính"]


def test_an_article_that_orders_somebody_gives_its_points(read):
    plan = read(
        "Điều 1. Ban hành Kế hoạch thời gian năm học như sau:\n1. Hoàn thành tuyển sinh trước ngày 31/7/2026.\n"
        "Điều 2. Giao Giám đốc Sở Giáo dục và Đào tạo\n1. Chỉ đạo thực hiện kế hoạch.\n2. Hướng dẫn các trường.\n"
        "Điều 3. Quyết định này có hiệu lực kể từ ngày ký.\n"
    )
    assert [duty.text for duty in plan.duties] == ["Chỉ đạo thực hiện kế hoạch.", "Hướng dẫn các trường."]
    assert [item.owners[0].name for item in plan.items] == ["Giám đốc Sở Giáo dục và Đào tạo"]
    assert any("31/7/2026" in each.text and each.serious for each in plan.left_out)


def test_a_step_whose_title_is_a_sentence_has_paragraphs_that_are_duties(read):
    plan = read(
        "II. NỘI DUNG THỰC HIỆN\n1. Trình tự lập danh sách\n1.1. Bước 1:\n1.1.a. Lập tổ rà soát:\n"
        "UBND các xã thành lập tổ rà soát.\n1.2. Bước 2: Kiểm tra hiện trạng nhà ở.\n"
        "Trên cơ sở danh sách, Sở Xây dựng chủ trì kiểm tra từng hộ.\nThời gian hoàn tất: trước ngày 25/7/2026.\n"
    )
    assert [(duty.citation, item.owners[0].name) for item in plan.items for duty in item.duties] == [
        ("II.1.1.a.1", "UBND các xã"),
        ("II.1.2.1", "Sở Xây dựng"),
    ]
    assert [each.text for duty in plan.duties for each in duty.deadlines] == ["trước ngày 25/7/2026"]


def test_an_order_is_no_heading_about_requirements(read):
    plan = read("1. Yêu cầu Bộ Y tế khẩn trương rà soát hồ sơ.\n2. Bộ Tài chính bố trí kinh phí.\n")
    assert [item.owners[0].name for item in plan.items] == ["Bộ Y tế", "Bộ Tài chính"]


def test_under_a_body_with_its_colon_no_paragraph_closes_the_plan(read):
    plan = read(
        "III. TỔ CHỨC THỰC HIỆN\n1. Sở Y tế:\n- Tập huấn.\n2. Sở Tài chính:\n"
        "Căn cứ Kế hoạch này để tổng hợp, bố trí vốn cho các xã.\n"
    )
    assert found(plan)[-1][1:] == (
        ["Sở Tài chính"],
        ["Căn cứ Kế hoạch này để tổng hợp, bố trí vốn cho các xã."],
    )


def test_the_last_paragraph_speaks_of_the_whole_document_whatever_it_begins_with(read):
    plan = read(
        "IV. PHÂN CÔNG\n1. Sở Y tế: Tập huấn.\n2. Công an tỉnh: Tuần tra.\n"
        "Đẩy mạnh an toàn thực phẩm là việc cấp bách. Yêu cầu các xã thực hiện nghiêm túc Chỉ thị này./.\n"
    )
    assert [duty.text for duty in plan.duties] == ["Tập huấn.", "Tuần tra."]
    assert len(plan.instructions) == 1


def test_the_conclusions_of_a_meeting_are_read_by_their_numbers(read):
    plan = read(
        "Ngày 12/3/2026, Phó Chủ tịch UBND tỉnh chủ trì họp. Sau khi nghe báo cáo, Phó Chủ tịch kết luận như sau:\n"
        "1. Ghi nhận nỗ lực của các địa phương.\n2. Về mặt bằng:\n- UBND xã Hải An phê duyệt phương án.\n"
        "- Giao Sở Tư pháp hướng dẫn các xã.\n3. Về vốn: Giao Sở Tài chính bố trí vốn trong tháng 4/2026.\n"
        "4. Yêu cầu Ban Quản lý dự án báo cáo tiến độ hằng tuần.\n"
        "5. Đồng ý chủ trương; giao Sở Xây dựng thẩm định hồ sơ trong quý II/2026.\n"
    )
    assert [(duty.citation, item.owners[0].name) for item in plan.items for duty in item.duties] == [
        ("2.1", "UBND xã Hải An"),
        ("2.2", "Sở Tư pháp"),
        ("3", "Sở Tài chính"),
        ("4", "Ban Quản lý dự án"),
        ("5", "Sở Xây dựng"),
    ]


def test_an_order_within_a_sentence_gives_the_only_duty_of_a_letter_but_not_one_of_the_past(read):
    plan = read(
        "Tại công văn số 80/VPCP-KGVX, Phó Thủ tướng đã giao Bộ Y tế xây dựng Thông tư trước ngày 31/12/2025.\n"
        "Phó Thủ tướng yêu cầu Bộ Y tế khẩn trương ban hành Thông tư trước ngày 30/5/2026.\n"
    )
    assert [each.text for duty in plan.duties for each in duty.deadlines] == ["trước ngày 30/5/2026"]


@pytest.mark.parametrize("mark", ["Điều 3. ", "Điều 3. Điều khoản thi hành\n1. Có hiệu lực từ ngày ký.\n2. "])
def test_who_carries_a_decision_out_is_told_and_has_no_duty(read, mark):
    plan = read(
        "Điều 1. Giao Sở Tài chính bố trí kinh phí.\nĐiều 2. Giao Sở Y tế lập danh sách.\n"
        f"{mark}Chánh Văn phòng UBND tỉnh; Giám đốc Sở Y tế chịu trách nhiệm thi hành Quyết định này./.\n"
        "TM. ỦY BAN NHÂN DÂN KT. CHỦ TỊCH\n"
    )
    assert len([*plan.duties]) == 2
    assert [len(each.owners) for each in plan.instructions] == [2]


def test_who_gives_is_not_who_does(read):
    plan = read(
        "Điều 3. Hội đồng nhân dân tỉnh giao:\n1. Thường trực Hội đồng nhân dân tỉnh:\na) Xây dựng kế hoạch.\n"
        "b) Tổ chức hội nghị.\n2. Các Ban của Hội đồng nhân dân tỉnh giám sát thường xuyên.\n"
    )
    assert [item.owner for item in plan.items] == [
        "Thường trực Hội đồng nhân dân tỉnh",
        "Các Ban của Hội đồng nhân dân tỉnh",
    ]


def test_one_body_that_follows_up_at_the_end_has_a_duty(read):
    plan = read(
        "Chủ tịch UBND huyện yêu cầu các phòng, ban thực hiện:\n1. Công an huyện tuần tra.\n2. Trung tâm Y tế trực.\n"
        "Văn phòng UBND huyện theo dõi, đôn đốc; tổng hợp báo cáo trước ngày 25/01/2026./.\n"
    )
    assert [item.owner for item in plan.items][-1] == "Văn phòng UBND huyện"


def test_points_that_rest_on_something_may_name_who_does_them(read):
    plan = read(
        "II. THỰC HIỆN\n1. Cấp vốn\n"
        "a) Căn cứ số vốn được giao trong năm và nguồn huy động, UBND cấp huyện phân bổ vốn cho cấp xã;\n"
        "b) Căn cứ danh sách được duyệt của từng thôn và từng hộ, UBND cấp xã chi trả cho các hộ.\n"
        "III. PHÂN CÔNG\n1. Sở Y tế: Tập huấn.\n"
    )
    assert [item.owner for item in plan.items] == ["UBND cấp huyện", "UBND cấp xã", "Sở Y tế"]


def test_points_under_all_bodies_are_each_their_own_body_s(read):
    plan = read(
        "IV. THỰC HIỆN\n1. Trách nhiệm của các cơ quan, tổ chức\n"
        "a) Trong thời gian giữa hai kỳ họp, Thường trực HĐND tỉnh giám sát.\n"
        "b) UBND tỉnh báo cáo kết quả.\n2. Sở Y tế: Tập huấn.\n"
    )
    assert [item.owner for item in plan.items] == ["Thường trực HĐND tỉnh", "UBND tỉnh", "Sở Y tế"]


def test_neither_who_is_asked_nor_whom_a_letter_tells_is_doubted(read):
    plan = read(
        "Để phòng dịch, Chủ tịch UBND huyện yêu cầu các phòng, ban thực hiện:\n1. Công an huyện tuần tra.\n"
        "2. Trung tâm Y tế trực.\nVăn phòng UBND huyện thông báo để các cơ quan, đơn vị biết, thực hiện./.\n"
    )
    assert [each.code for each in plan.warnings if each.code == "overlooked"] == []


def test_an_article_that_asks_a_body_asks_it_for_the_points_of_all_its_topics(read):
    plan = read(
        "Điều 2. Hội đồng nhân dân tỉnh đề nghị Ủy ban nhân dân tỉnh chỉ đạo thực hiện một số công việc sau:\n"
        "1. Về đất đai:\n- Xem xét sớm phê duyệt quy hoạch.\n2. Về văn hóa:\nChỉ đạo Sở Văn hóa quản lý lễ hội.\n"
        "Điều 3. Thường trực Hội đồng nhân dân tỉnh giám sát việc thực hiện.\n"
    )
    assert [(duty.citation, item.owners[0].name) for item in plan.items for duty in item.duties] == [
        ("Điều 2.1.1", "Ủy ban nhân dân tỉnh"),
        ("Điều 2.2.1", "Ủy ban nhân dân tỉnh"),
        ("Điều 3", "Thường trực Hội đồng nhân dân tỉnh"),
    ]


def test_a_regulation_after_the_signature_of_its_decision_is_read(read):
    plan = read(
        "Điều 1. Ban hành kèm theo Quyết định này Quy định về quản lý kinh phí.\nTM. ỦY BAN NHÂN DÂN KT. CHỦ TỊCH\n"
        "QUY ĐỊNH\nVề quản lý kinh phí\nĐiều 5. Phòng Nội vụ có nhiệm vụ\n1. Quản lý đối tượng.\n2. Lập dự toán.\n"
        "Điều 6. Kho bạc Nhà nước huyện có nhiệm vụ\n1. Kiểm soát chi.\n"
    )
    assert [(duty.citation, item.owners[0].name, duty.text) for item in plan.items for duty in item.duties] == [
        ("Điều 5.1", "Phòng Nội vụ", "Quản lý đối tượng."),
        ("Điều 5.2", "Phòng Nội vụ", "Lập dự toán."),
        ("Điều 6.1", "Kho bạc Nhà nước huyện", "Kiểm soát chi."),
    ]


def test_a_letter_without_numbers_gives_dashes_to_its_only_body_and_a_responsibility_to_another(read):
    plan = read(
        "Căn cứ đề xuất của các địa phương, Bộ đồng ý mở rộng thí điểm.\nGiám đốc Sở Nội vụ có trách nhiệm:\n"
        "- Hoàn thiện Đề án thí điểm.\n- Tăng cường kiểm tra.\n"
    )
    assert [item.owner for item in plan.items] == ["Giám đốc Sở Nội vụ"]
    plan = read("Thành phố treo cờ từ ngày 10/5/2026.\nUBND các phường, xã có trách nhiệm kiểm tra, nhắc nhở.\n")
    assert [item.owner for item in plan.items] == ["UBND các phường, xã"]


def test_who_asks_in_a_lead_in_is_no_body_of_the_points(read):
    plan = read(
        "Ban Thường trực MTTQ phường kính đề nghị các cơ quan, đơn vị phối hợp thực hiện một số nội dung sau:\n"
        "1. Rà soát các mô hình đang thực hiện.\n2. Công an phường tuần tra.\n"
    )
    assert [item.owner for item in plan.items] == ["các cơ quan, đơn vị", "Công an phường"]


def test_a_paragraph_after_a_whole_point_is_a_duty_below_it(read):
    plan = read(
        "Điều 7. Phòng Nội vụ có nhiệm vụ\n1. Hằng tháng rà soát đối tượng.\nĐối chiếu danh sách chi trả.\n"
        "2. Kiểm tra, hướng dẫn các xã.\nPhòng Nội vụ phải kiểm tra tối thiểu một lần/năm.\n3. Lập dự toán.\n"
    )
    assert [(citation, text) for citation, _, text in said(plan)] == [
        ("Điều 7.1", "Hằng tháng rà soát đối tượng."),
        ("Điều 7.1.1", "Đối chiếu danh sách chi trả."),
        ("Điều 7.2", "Kiểm tra, hướng dẫn các xã."),
        ("Điều 7.2.1", "Phòng Nội vụ phải kiểm tra tối thiểu một lần/năm."),
        ("Điều 7.3", "Lập dự toán."),
    ]
    assert {each.citation for each in plan.account if "Đối chiếu" in each.text} == {"Điều 7.1.1"}


def test_points_below_a_sentence_of_a_body_are_cited_below_its_number(read):
    plan = read(
        "Tổng cục Thuế yêu cầu Cục Thuế các tỉnh thực hiện một số giải pháp sau:\n"
        "1. Các Cục Thuế rà soát lại kế hoạch.\n- Lựa chọn nội dung.\n2. Tăng cường kiểm tra.\n- Phân công theo dõi.\n"
    )
    assert [citation for citation, _, _ in said(plan)] == ["1", "1.1", "2", "2.1"]


def test_a_title_over_paragraphs_of_those_whom_the_lead_in_asks_is_no_duty(read):
    plan = read(
        "UBND phường kính đề nghị các cơ quan, đơn vị thực hiện một số nội dung sau:\n"
        "1. Rà soát các mô hình đang thực hiện\nThống kê các mô hình hiệu quả.\n"
        "2. Đăng ký mô hình mới\nKhuyến khích các trường học đăng ký mô hình mới.\n"
    )
    assert said(plan) == [
        ("1.1", ["các cơ quan, đơn vị"], "Thống kê các mô hình hiệu quả."),
        ("2.1", ["các cơ quan, đơn vị"], "Khuyến khích các trường học đăng ký mô hình mới."),
    ]


def test_a_paragraph_that_writes_its_entry_short_is_the_entry_s(read):
    plan = read(
        "III. TỔ CHỨC THỰC HIỆN\n1. Ủy ban nhân dân xã, phường:\na) Lập hồ sơ.\nb) Xét duyệt.\n"
        "c) Trả lời.\nHằng quý, UBND xã, phường thống kê.\n2. Sở Nội vụ:\na) Thẩm định.\n"
    )
    assert [citation for citation, _, _ in said(plan)] == ["III.1.1", "III.1.2", "III.1.3", "III.1.4", "III.2.1"]


def test_the_first_article_of_a_part_begins_a_line_whatever_its_number(read):
    plan = read(
        "Chính phủ ban hành Quyết định về nhà ở\nĐiều 6. Phương thức thực hiện\n1. UBND xã lập danh sách.\n"
        "2. UBND huyện cấp vốn.\n"
    )
    assert [citation for citation, _, _ in said(plan)] == ["Điều 6.1", "Điều 6.2"]


def test_a_dash_after_a_whole_letter_is_a_duty_below_it(read):
    plan = read(
        "Điều 7. Trách nhiệm\n1. UBND huyện: Trong thời hạn không quá 15 (mười lăm) ngày làm việc có trách nhiệm:\n"
        "a) Thẩm tra hồ sơ.\nb) Trường hợp đủ điều kiện thì lập văn bản đề nghị.\n- Trường hợp không đủ thì trả lời.\n"
        "2. Sở Nội vụ: Kiểm tra hồ sơ.\n"
    )
    assert [(duty.citation, [each.text for each in duty.deadlines]) for duty in plan.duties] == [
        ("Điều 7.1.1", ["Trong thời hạn không quá 15 (mười lăm) ngày làm việc"]),
        ("Điều 7.1.2", ["Trong thời hạn không quá 15 (mười lăm) ngày làm việc"]),
        ("Điều 7.1.2.1", ["Trong thời hạn không quá 15 (mười lăm) ngày làm việc"]),
        ("Điều 7.2.1", []),
    ]


def test_who_is_asked_by_an_article_does_the_letters_of_its_numbers_too(read):
    plan = read(
        "Điều 2. HĐND tỉnh đề nghị Ủy ban nhân dân tỉnh thực hiện một số công việc sau:\n1. Về đầu tư công trình:\n"
        "a) Thực hiện nghiêm kỷ luật.\nb) Đề nghị UBND huyện bàn giao mặt bằng.\n2. Về văn hóa:\n- Xây dựng đề án.\n"
    )
    assert ("Điều 2.1.a", ["Ủy ban nhân dân tỉnh"]) in owned(plan)


def test_the_last_number_that_says_whom_to_tell_of_difficulties_is_an_instruction(read):
    plan = read(
        "III. TỔ CHỨC THỰC HIỆN\n1. Sở Y tế lập kế hoạch.\n2. Sở Xây dựng lập danh mục.\n"
        "3. Trong quá trình tổ chức thực hiện, nếu có vướng mắc, các sở báo cáo UBND tỉnh./.\n"
    )
    assert [citation for citation, _, _ in said(plan)] == ["III.1", "III.2"]
    assert len(plan.instructions) == 1


def test_dashes_before_the_lead_in_of_a_letter_say_why_and_are_no_duties(read):
    plan = read(
        "Kết quả kiểm tra cho thấy:\n- Dữ liệu chưa đầy đủ như: Cục Thuế tỉnh An Lạc, Cục Thuế tỉnh Hòa Bình.\n"
        "Tổng cục Thuế yêu cầu Cục Thuế các tỉnh thực hiện các việc sau:\n1. Nhập dữ liệu.\n2. Rà soát kế hoạch.\n"
    )
    assert [citation for citation, _, _ in said(plan)] == ["1", "2"]


def test_a_letter_whose_sentences_ask_gives_their_duties_to_those_whom_they_ask(read):
    plan = read(
        "Nhân dịp kỷ niệm. UBND tỉnh đề nghị các sở, ban, ngành treo cờ từ ngày 10/5/2026 đến hết ngày 14/5/2026.\n"
        "UBND các phường, xã có trách nhiệm kiểm tra việc treo cờ./.\n"
    )
    assert owned(plan) == [
        ("(1)", ["các sở, ban, ngành"]),
        ("(2)", ["UBND các phường, xã"]),
    ]


def test_an_order_with_a_day_is_a_duty_under_a_title_about_time(read):
    plan = read(
        "UBND phường kính đề nghị các cơ quan thực hiện các nội dung sau:\n1. Rà soát mô hình.\n2. Đăng ký mô hình.\n"
        "3. Thời gian thực hiện\nĐề nghị các trường học gửi danh sách trước ngày 25/10/2026.\n"
    )
    assert owned(plan)[2:] == [("3.1", ["các trường học"])]


def test_a_heading_that_asks_and_goes_on_is_no_duty_over_its_points(read):
    plan = read(
        "V. TỔ CHỨC THỰC HIỆN\n1. Sở Y tế\n- Lập hồ sơ.\n2. Đề nghị Ủy ban nhân dân xã phối hợp\n- Chỉ đạo Công an.\n"
        "- Xác minh đơn thư.\n"
    )
    assert [citation for citation, _, _ in said(plan)] == ["V.1.1", "V.2.1", "V.2.2"]


def test_a_lead_in_that_asks_gives_the_paragraphs_under_all_numbers(read):
    plan = read(
        "UBND quận yêu cầu các phòng, ban, ngành thực hiện các nội dung như sau:\n1. Tăng cường các biện pháp:\n"
        "Hằng năm tổ chức mít tinh.\nThực hiện quy định.\n2. Phân công thực hiện:\n2.1. Phòng Y tế:\n- Lập hồ sơ.\n"
        "2.2. Phòng Văn hóa:\n- Treo biển.\n"
    )
    assert owned(plan) == [
        ("1.1", ["các phòng, ban, ngành"]),
        ("1.2", ["các phòng, ban, ngành"]),
        ("2.1.1", ["Phòng Y tế"]),
        ("2.2.1", ["Phòng Văn hóa"]),
    ]


def test_a_point_works_with_those_of_its_heading_unless_it_names_its_own(read):
    plan = read(
        "V. TỔ CHỨC THỰC HIỆN\n1. Sở Nội vụ chủ trì, phối hợp với các sở, ngành:\n- Xây dựng khung theo dõi.\n"
        "- Phối hợp với Sở Tài chính lập dự toán.\n2. Sở Y tế:\n- Lập kế hoạch.\n"
    )
    assert [duty.coordinating for duty in plan.duties] == [("các sở, ngành",), ("Sở Tài chính",), ()]


def test_a_standing_committee_is_called_with_the_committee_above_it():
    head = "ỦY BAN MTTQ VIỆT NAM\nXÃ AN LẠC\nBAN THƯỜNG TRỰC\nSố: 16/KH-MTTQ-BTT\nAn Lạc, ngày 18/11/2025\nKẾ HOẠCH\n"
    plan = read_document(f"{head}Bầu cử\nIII. TỔ CHỨC THỰC HIỆN\n1. Công an xã\n- Tuần tra.\n".encode(), "plan.txt")
    assert plan.issuer.text == "Ban thường trực ủy ban MTTQ việt nam xã An Lạc"


def test_a_point_that_names_a_role_and_partners_alone_stands_over_duties(read):
    plan = read(
        "IV. TỔ CHỨC THỰC HIỆN\n1. Sở Công Thương\na) Chủ trì, phối hợp với các sở, ban, ngành và đơn vị có liên quan\n"
        "- Mở lớp cho doanh nghiệp.\n- Lập danh mục trước ngày 30/6/2022.\nb) Phối hợp với Sở Y tế:\n- Kiểm tra chợ.\n"
        "c) Phối hợp với Công an tỉnh tuần tra:\n- Ban ngày.\n- Ban đêm.\n2. Sở Y tế mở lớp.\n"
    )
    assert [(citation, text.partition("\n")[0]) for citation, _, text in said(plan)] == [
        ("IV.1.1.1", "Mở lớp cho doanh nghiệp."),
        ("IV.1.1.2", "Lập danh mục trước ngày 30/6/2022."),
        ("IV.1.2.1", "Kiểm tra chợ."),
        ("IV.1.3", "Phối hợp với Công an tỉnh tuần tra:"),
        ("IV.2", "Sở Y tế mở lớp."),
    ]
    duties = list(plan.duties)
    assert duties[0].coordinating == ("các sở, ban, ngành và đơn vị có liên quan",)
    assert duties[2].coordinating == ("Sở Y tế",)
    assert (duties[0].lead, duties[2].lead) == ("Sở Công Thương", "")
    assert faults(plan) == []


def test_points_below_a_sentence_that_announces_the_work_are_duties_of_the_body_that_it_names(read):
    work = "- Rà soát hồ sơ trước ngày 30/6/2022.\n- Lập danh mục.\n"
    plan = read(
        "IV. TỔ CHỨC THỰC HIỆN\n1. Các sở, ban, ngành\n"
        f"a) Sở Y tế chủ trì, phối hợp với Sở Tài chính thực hiện các công việc sau:\n{work}b) Tuyên truyền.\n"
        f"2. Sở Nội vụ kiểm tra các xã.\na) Thanh tra tỉnh chủ trì thực hiện các nhiệm vụ sau:\n{work}"
        f"3. Sở Xây dựng\na) Sở Xây dựng tổ chức các nội dung sau:\n{work}b) Kiểm tra.\n"
    )
    assert owned(plan) == [
        ("IV.1.2", ["Các sở, ban, ngành"]),
        ("IV.1.1.1", ["Sở Y tế"]),
        ("IV.1.1.2", ["Sở Y tế"]),
        ("IV.2", ["Sở Nội vụ"]),
        ("IV.2.1.1", ["Thanh tra tỉnh"]),
        ("IV.2.1.2", ["Thanh tra tỉnh"]),
        ("IV.3.1.1", ["Sở Xây dựng"]),
        ("IV.3.1.2", ["Sở Xây dựng"]),
        ("IV.3.2", ["Sở Xây dựng"]),
    ]
    given = {duty.citation: (duty.coordinating, item.origin) for item in plan.items for duty in item.duties}
    assert given["IV.1.1.2"] == (("Sở Tài chính",), Origin.POINT), "the owner of a point is confirmed by a person"
    assert not [doubt for doubt in plan.warnings if doubt.code == "overlooked"]
    assert faults(plan) == []


def test_points_that_say_what_who_and_until_when_are_one_activity(read):
    plan = read(
        "II. NHIỆM VỤ\n1. Về dữ liệu\n1.1. Xây dựng chiến lược:\na) Nhiệm vụ: Tham mưu chiến lược dữ liệu.\n"
        "b) Cơ quan thực hiện:\n- Đơn vị chủ trì: Sở Y tế.\n- Đơn vị phối hợp: Sở Nội vụ.\n"
        "c) Thời gian: Trong năm 2025.\n2. Về các nền tảng số\na) Nhiệm vụ\n- Rà soát các nền tảng.\n"
        "- Nâng cấp hệ thống.\nb) Cơ quan thực hiện\n- Sở Nội vụ chủ trì, phối hợp với các sở.\n"
        "- Sở Y tế phối hợp thực hiện.\nc) Thời gian\nQuý IV năm 2025.\n"
        "III. TUYÊN TRUYỀN\n1. Nội dung, biện pháp\na) Mở chuyên mục trên báo;\nb) Các buổi nói chuyện.\n"
        "2. Cơ quan chủ trì, phối hợp\na) Cơ quan chủ trì\n- Ban Chỉ đạo tỉnh.\n- Sở Nội vụ; Sở Y tế.\n"
        "b) Cơ quan phối hợp: UBND các xã.\n3. Thời gian thực hiện: tháng 11/2026.\n"
    )
    campaign = (["Ban Chỉ đạo tỉnh", "Sở Nội vụ", "Sở Y tế"], ("UBND các xã",), "tháng 11/2026")
    assert [
        (duty.citation, duty.text, [owner.name for owner in item.owners], duty.coordinating, duty.deadlines[0].text)
        for item in plan.items
        for duty in item.duties
    ] == [
        ("II.1.1.a", "Tham mưu chiến lược dữ liệu.", ["Sở Y tế"], ("Sở Nội vụ",), "Trong năm 2025"),
        ("II.2.a.1", "Rà soát các nền tảng.", ["Sở Nội vụ"], ("các sở", "Sở Y tế"), "Quý IV năm 2025"),
        ("II.2.a.2", "Nâng cấp hệ thống.", ["Sở Nội vụ"], ("các sở", "Sở Y tế"), "Quý IV năm 2025"),
        ("III.1.1", "Mở chuyên mục trên báo;", *campaign),
        ("III.1.2", "Các buổi nói chuyện.", *campaign),
    ]
    assert {doubt.code for doubt in plan.warnings} <= {"unknown_owner"}
    assert faults(plan) == []


def test_the_work_of_another_body_among_those_who_do_an_activity_is_no_fact_of_it(read):
    plan = read(
        "II. NHIỆM VỤ\n1. Tập huấn\na) Nhiệm vụ: Mở lớp cho cán bộ xã.\nb) Cơ quan thực hiện:\n- Sở Y tế chủ trì.\n"
        "- Sở Tài chính bố trí kinh phí trước ngày 01/11/2022.\nc) Thời gian: Quý IV.\n2. Sở Nội vụ kiểm tra.\n"
    )
    assert ("II.1.b.2", ["Sở Tài chính"], "Sở Tài chính bố trí kinh phí trước ngày 01/11/2022.") in said(plan)
    assert "«Nhiệm vụ: Mở lớp cho cán bộ xã.»" in next(each.message for each in plan.warnings if "Mở lớp" in each.words)


@pytest.mark.parametrize("titles", [("Hoạt động 1", "Hoạt động 2"), ("Hoạt động truyền thông", "Nhiệm vụ tập huấn")])
def test_activities_that_say_each_who_does_them_are_not_facts_of_the_first(read, titles):
    """The words of the second were those of the first, under the second's owner."""
    first, second = titles
    plan = read(
        f"III. NỘI DUNG\n1. Nâng cao nhận thức\na) {first}\n- Nội dung: Mở lớp cho giáo viên.\n"
        f"- Cơ quan thực hiện: Sở Nội vụ chủ trì, phối hợp với các sở.\nb) {second}\n- Nội dung: In sách.\n"
        "- Cơ quan thực hiện: Sở Y tế chủ trì.\n2. Tổng kết\na) Hoạt động 1\n- Nội dung: Tổng kết mô hình.\n"
        "- Cơ quan thực hiện: Sở Y tế chủ trì.\n"
    )
    title = "" if first.endswith("1") else f"{first}\n- Nội dung: "
    assert said(plan)[0] == ("III.1.a", ["Sở Nội vụ"], f"{title}Mở lớp cho giáo viên.")
    assert [(citation, text.endswith("In sách.")) for citation, _, text in said(plan)][1] == ("III.1.b", True)
    assert said(plan)[-1] == ("III.2.a", ["Sở Y tế"], "Tổng kết mô hình."), "a title that only counts is no word of it"
    assert faults(plan) == []


def test_a_table_under_a_title_that_names_the_offices_is_theirs_row_by_row(read):
    plan = read(
        "IV. TỔ CHỨC THỰC HIỆN\n1. Sở Y tế mở lớp.\nPHỤ LỤC\nNHIỆM VỤ CỦA CÁC SỞ, BAN, NGÀNH, PHƯỜNG, XÃ, ĐẶC KHU\n"
        "(Kèm theo Kế hoạch số 1/KH-UBND)\nTT\tNhiệm vụ\tCơ quan chủ trì\tCơ quan phối hợp\tThời gian\tKinh phí\n"
        "I\tHoàn thiện thể chế\n1\tGóp ý thông tư.\tSở Y tế\tCác sở, ngành, UBND xã, phường, đặc khu\tQuý I\tChi khác\n"
        "2\tRà soát thủ tục.\tUBND xã, phường, đặc khu\tSở Nội vụ\tQuý II\n"
    )
    rows = [each for each in said(plan) if each[0].startswith("PL")]
    assert [(owners, text) for _, owners, text in rows] == [
        (["Sở Y tế"], "Góp ý thông tư."),
        (["UBND xã, phường, đặc khu"], "Rà soát thủ tục."),
    ]
    assert next(each for each in plan.duties if "thông tư" in each.text).coordinating == (
        "Các sở, ngành",
        "UBND xã, phường, đặc khu",
    )
    assert faults(plan) == []


AFTER_A_SENTENCE = """ỦY BAN NHÂN DÂN
TỈNH AN LẠC
Số: 1/KH-UBND
An Lạc, ngày 02 tháng 3 năm 2022
KẾ HOẠCH
CÔNG TÁC NĂM 2022
IV. TỔ CHỨC THỰC HIỆN
1. Sở Y tế chủ trì hướng dẫn.
2. Các huyện ủy, thành ủy cụ thể hóa Kế hoạch này. Đưa kết quả vào tiêu chí thi đua.
Chỉ đạo các chi bộ hướng dẫn đảng viên.
Bố trí kinh phí, phương tiện.
Yêu cầu các cơ quan, đơn vị nghiêm túc thực hiện, báo cáo trước ngày 15/12/2022.
"""


def test_paragraphs_after_a_sentence_of_a_body_that_begin_like_duties_are_its_duties():
    plan = read_document(AFTER_A_SENTENCE.encode(), "x.txt")
    party = ["Các huyện ủy, thành ủy"]
    assert owned(plan) == [("IV.1", ["Sở Y tế"]), ("IV.2", party), ("IV.2.1", party), ("IV.2.2", party)]
    assert [each.text[:8] for each in plan.instructions] == ["Yêu cầu "]


PROPOSALS = """VĂN PHÒNG CHÍNH PHỦ
Số: 634/TB-VPCP
Hà Nội, ngày 20 tháng 11 năm 2025
THÔNG BÁO
Kết luận của Thủ tướng Chính phủ tại buổi làm việc với tỉnh An Lạc
III. VỀ MỘT SỐ KIẾN NGHỊ CỦA TỈNH
1. Về sửa đổi thủ tục chuyển mục đích sử dụng rừng: giao Bộ Nông nghiệp và Môi trường đề xuất trong tháng 12 năm 2025.
2. Về kho dự trữ: Tập đoàn Dầu khí Hòa Bình chủ động làm việc với các tập đoàn lớn.
{long}
Nơi nhận:
- Như trên.
"""


def test_a_point_on_a_proposal_is_of_the_body_after_its_colon_however_long_the_proposal_is():
    point = "3. Về điều chuyển số vốn dư không có khả năng giải ngân trong năm 2025 (khoảng 1.500 tỷ đồng) từ nguồn hỗ "
    point += (
        "trợ theo chính sách đặc thù, đoạn CT.03: Ủy ban nhân dân tỉnh An Lạc rà soát, báo cáo trong Quý I năm 2026."
    )
    assert owned(read_document(PROPOSALS.format(long=point).encode(), "tb.txt")) == [
        ("III.1", ["Bộ Nông nghiệp và Môi trường"]),
        ("III.2", ["Tập đoàn Dầu khí Hòa Bình"]),
        ("III.3", ["Ủy ban nhân dân tỉnh An Lạc"]),
    ]


def test_one_paragraph_after_a_sentence_is_an_instruction_that_may_be_a_duty():
    plan = read_document(AFTER_A_SENTENCE.replace("Bố trí kinh phí, phương tiện.\n", "").encode(), "x.txt")
    assert [each.text[:8] for each in plan.instructions] == ["Chỉ đạo ", "Yêu cầu "]
    told = [each.words for each in plan.warnings if each.code == "overlooked"]
    assert any(each.startswith("Chỉ đạo các chi bộ") for each in told)
