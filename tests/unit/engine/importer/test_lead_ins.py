"""Who is to do what stands below a lead-in, below the addressees of a letter, or in a paragraph of its own."""

from engine.importer import read_document
from engine.importer.arrangement import arranged


def owned(plan):
    return [(duty.citation, [owner.name for owner in item.owners]) for item in plan.items for duty in item.duties]


CONCLUSION = """
ĐẢNG ỦY XÃ BÌNH KHÊ
BAN THƯỜNG VỤ
Số 21-TB/ĐU
Bình Khê, ngày 12 tháng 5 năm 2026
THÔNG BÁO
Kết luận kiểm tra Chi bộ thôn Đông Hồ
1. Ưu điểm: Chi bộ đã quán triệt đầy đủ các văn bản của cấp trên.
2. Ban Thường vụ yêu cầu:
Chi bộ thôn Đông Hồ chấn chỉnh những hạn chế nêu trên và thực hiện tốt các nội dung sau:
- Rà soát, bổ sung quy chế làm việc của chi bộ.
- Thu, nộp đảng phí đầy đủ.
- Bí thư chi bộ báo cáo kết quả trước ngày 30/6/2026.
3. Tổ chức thực hiện
- Giao Văn phòng Đảng ủy theo dõi việc thực hiện Thông báo này.
Nơi nhận:
- Chi bộ thôn Đông Hồ.
"""


def test_below_a_number_that_asks_stand_the_duties_of_the_body_that_its_paragraph_begins_with():
    assert owned(read_document(CONCLUSION.encode(), "kl.txt")) == [
        ("2.1", ["Chi bộ thôn Đông Hồ"]),
        ("2.2", ["Chi bộ thôn Đông Hồ"]),
        ("2.3", ["Bí thư chi bộ"]),
        ("3.1", ["Văn phòng Đảng ủy"]),
    ]


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
    said = {duty.citation: duty for item in plan.items for duty in item.duties}
    assert said["II.1"].text == "Sở Y tế chủ trì lập kế hoạch kiểm tra."
    (section,) = arranged(plan)
    assert [[item.no, *(duty.citation for duty, _ in item.duties)] for item in section.items] == [
        [1, "II.1", "II.1.1"],
        [2, "II.2.1", "II.2.1.1", "II.2.2"],
        [3, "II.3", "II.3.1", "II.3.2"],
    ]
    assert said["II.3.1"].text == "Sở Tư pháp góp ý. Trong tháng 5."
    assert [each.text for each in said["II.1.1"].deadlines] == ["trước ngày 28 hằng tháng"]
    assert said["II.2.1.1"].text == "Giao Trung tâm Xúc tiến du lịch bố trí xe. Hoàn thành trong quý II."
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


def test_points_below_a_dash_that_each_begin_with_a_body_are_that_body_s_with_the_time_after_the_last(read):
    plan = read(
        "IV. PHÂN CÔNG\n1. Các cơ quan quản lý ngành\n- Phối hợp hướng dẫn các đơn vị kiểm kê tài sản. Trong đó:\n"
        "+ Sở Xây dựng: hướng dẫn kiểm kê đường bộ.\n+ Sở Công Thương: hướng dẫn kiểm kê hạ tầng chợ.\n"
        "+ Sở Tài chính phối hợp Ban Quản lý Khu kinh tế kiểm kê hạ tầng khu kinh tế.\n"
        "Thời gian thực hiện: tháng 11/2025.\n- Đôn đốc các xã.\n"
    )
    assert owned(plan) == [
        ("IV.1.2", ["Các cơ quan quản lý ngành"]),
        ("IV.1.1.1", ["Sở Xây dựng"]),
        ("IV.1.1.2", ["Sở Công Thương"]),
        ("IV.1.1.3", ["Sở Tài chính"]),
    ]
    said = {duty.citation: duty for item in plan.items for duty in item.duties}
    assert said["IV.1.1.1"].text == "hướng dẫn kiểm kê đường bộ."
    assert [[each.text for each in said[f"IV.1.1.{n}"].deadlines] for n in (1, 2, 3)] == [["tháng 11/2025"]] * 3


def test_points_that_begin_with_verbs_are_duties_of_the_paragraph_s_body_that_announces_them_under_a_number(read):
    plan = read(
        "II. NHIỆM VỤ\n1. Truyền thông\n\nSở Khoa học và Công nghệ phối hợp với các xã:\n\n"
        "- Chỉ đạo các cơ quan truyền thông đưa tin.\n\n- Tăng cường truyền thông trên mạng.\n\n"
        "2. Sở Y tế trực cấp cứu trước ngày 05/9/2026.\n"
    )
    assert owned(plan) == [
        ("II.1.1", ["Sở Khoa học và Công nghệ"]),
        ("II.1.2", ["Sở Khoa học và Công nghệ"]),
        ("II.2", ["Sở Y tế"]),
    ]


QUOTED = """
Ngày 19/12, UBND tỉnh có Công văn số 9783/UBND-NC như sau:

“1. Giao Công an tỉnh chủ trì kiểm tra an toàn phòng cháy, báo cáo trước ngày 26/12/2026.

2. UBND các xã tuyên truyền đến từng hộ dân.”
"""


def test_a_quoted_document_begins_with_its_number():
    assert owned(read_document(QUOTED.encode(), "tin.txt")) == [("1", ["Công an tỉnh"]), ("2", ["UBND các xã"])]


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
