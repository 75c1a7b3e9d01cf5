"""Names of bodies in running text, and lines that give them something to do."""

import pytest

from engine.features.plan_import.importer.phrases.agency_lists import bodies_in
from engine.features.plan_import.importer.phrases.name_words import Prose
from engine.features.plan_import.importer.phrases.names import names_at
from engine.features.plan_import.importer.phrases.owners import Form, owner_line

NAMES = [
    ("UBND 02 xã: Gia Thuận, Tân Điền phối hợp", ["UBND xã Gia Thuận", "UBND xã Tân Điền"]),
    ("Sở Lao động - Thương binh và Xã hội chủ trì", ["Sở Lao động - Thương binh và Xã hội"]),
    (
        "Sở Văn hóa, Thể thao và Du lịch, Sở Y tế và Sở Tài chính",
        ["Sở Văn hóa, Thể thao và Du lịch", "Sở Y tế", "Sở Tài chính"],
    ),
    ("Các Sở: Y tế, Giáo dục và Đào tạo, Tài chính chủ động", ["Sở Y tế", "Sở Giáo dục và Đào tạo", "Sở Tài chính"]),
    ("Ủy ban nhân dân các huyện, thành, thị xây dựng", ["Ủy ban nhân dân các huyện, thành, thị"]),
    (
        "Các Sở, ban, ngành, đoàn thể cấp tỉnh có liên quan; UBND các huyện, thành phố",
        ["Các Sở, ban, ngành, đoàn thể cấp tỉnh có liên quan", "UBND các huyện, thành phố"],
    ),
    ("các cơ quan, đơn vị, tổ chức liên quan tổ chức hội nghị", ["các cơ quan, đơn vị, tổ chức liên quan"]),
    ("các cơ quan truyền thông đẩy mạnh", ["các cơ quan truyền thông"]),
    ("các sở, ngành tổ chức thực hiện", ["các sở, ngành"]),
    ("Ban Chỉ đạo 389 tỉnh chỉ đạo", ["Ban Chỉ đạo 389 tỉnh"]),
    ("Ban Tổ chức Tỉnh ủy hướng dẫn", ["Ban Tổ chức Tỉnh ủy"]),
    ("Sở Xây dựng xây dựng kế hoạch", ["Sở Xây dựng"]),
    ("Ngân hàng Chính sách xã hội tỉnh tháo gỡ", ["Ngân hàng Chính sách xã hội tỉnh"]),
    ("Văn phòng Đoàn ĐBQH và HĐND tỉnh theo dõi", ["Văn phòng Đoàn ĐBQH và HĐND tỉnh"]),
    ("Trung tâm Văn hóa, Thông tin và Thể thao huyện xây dựng", ["Trung tâm Văn hóa, Thông tin và Thể thao huyện"]),
    ("Sở VH,TT&DL; Sở GD&ĐT phối hợp", ["Sở VH,TT&DL", "Sở GD&ĐT"]),
    ("UBND xã, phường, thị trấn rà soát", ["UBND xã, phường, thị trấn"]),
    ("Sở Y tế, UBND xã, phường, đặc khu rà soát", ["Sở Y tế", "UBND xã, phường, đặc khu"]),
    ("Ủy ban nhân dân phường, xã, đặc khu, báo, đài", ["Ủy ban nhân dân phường, xã, đặc khu"]),
    ("Các phòng khám tư nhân báo cáo", ["Các phòng khám tư nhân"]),
    ("Chủ tịch UBND các Huyện, Thị xã, Thành phố rà soát", ["Chủ tịch UBND các Huyện, Thị xã, Thành phố"]),
    ("Các Sở, Ban nêu tại Điều 7 Quy định này rà soát", ["Các Sở, Ban nêu tại Điều 7 Quy định này"]),
    ("UBND tỉnh phải hoàn thành", ["UBND tỉnh"]),
    ("Ủy ban bầu cử xã chỉ đạo", ["Ủy ban bầu cử xã"]),
    ("Các thành viên khác trong tiểu ban phối hợp", ["Các thành viên khác trong tiểu ban"]),
    ("UBND các tỉnh từ An Lạc đến Hòa Bình rà soát", ["UBND các tỉnh từ An Lạc đến Hòa Bình"]),
    ("Hội đồng Dân tộc, các Ủy ban của Quốc hội phối hợp", ["Hội đồng Dân tộc", "các Ủy ban của Quốc hội"]),
    ("Thường trực Ủy ban KH,CN&MT của Quốc hội chủ trì", ["Thường trực Ủy ban KH,CN&MT của Quốc hội"]),
    ("Trung tâm Dịch vụ tổng hợp xã biên soạn", ["Trung tâm Dịch vụ tổng hợp xã"]),
    ("Trung tâm Chăm sóc khách hàng tăng cường", ["Trung tâm Chăm sóc khách hàng"]),
    ("Cảng vụ, Đoạn Quản lý đường bộ số 9 kiểm tra", ["Cảng vụ", "Đoạn Quản lý đường bộ số 9"]),
    ("Trung tâm Thông tin - Thư viện xây dựng", ["Trung tâm Thông tin - Thư viện"]),
    ("Các khoa có CTĐT được đánh giá (Khoa Ô tô)", ["Các khoa có CTĐT được đánh giá"]),
    ("Các nhà thầu thi công bố trí", ["Các nhà thầu thi công"]),
    ("Hội đồng tự đánh giá họp", ["Hội đồng tự đánh giá"]),
    ("Phòng Thư ký - Tư liệu lưu trữ", ["Phòng Thư ký - Tư liệu"]),
    ("Phòng Tài chính kế toán bố trí", ["Phòng Tài chính kế toán"]),
    ("Phòng Giáo dục Trung học - Giáo dục thường xuyên chủ trì", ["Phòng Giáo dục Trung học - Giáo dục thường xuyên"]),
    ("UBND các huyện, thành phố thả cá giống", ["UBND các huyện, thành phố"]),
    ("UBND các huyện ven biển đắn đo", ["UBND các huyện ven biển"]),
    ("UBND các quận Hải Trung, Sơn Thủy thả cá", ["UBND quận Hải Trung", "UBND quận Sơn Thủy"]),
    ("Đội Quản lý vận hành lưới điện cao thế kiểm tra", ["Đội Quản lý vận hành lưới điện cao thế"]),
    ("Các Đoàn kiểm tra của huyện kiểm tra", ["Các Đoàn kiểm tra của huyện"]),
    ("Các huyện đoàn, thành đoàn, Đoàn trực thuộc", ["Các huyện đoàn, thành đoàn, Đoàn trực thuộc"]),
    ("Phòng Hành chính - Tổ chức điều động", ["Phòng Hành chính - Tổ chức"]),
    (
        "Cục Phát triển thị trường và doanh nghiệp khoa học rà soát",
        ["Cục Phát triển thị trường và doanh nghiệp khoa học"],
    ),
    ("Ủy ban nhân dân tỉnh đăng cai bố trí", ["Ủy ban nhân dân tỉnh đăng cai"]),
    ("Lãnh đạo Công ty và Quản đốc các phân xưởng trực", ["Lãnh đạo Công ty", "Quản đốc các phân xưởng"]),
    ("Phòng Điều khiển sản xuất lập", ["Phòng Điều khiển sản xuất"]),
    ("Phòng Công nghệ thông tin tập huấn", ["Phòng Công nghệ thông tin"]),
    ("Sở Thươngmại", ["Sở Thươngmại"]),
    ("Văn phòng Đoàn đại biểu Quốc hội và HĐND tỉnh rà soát", ["Văn phòng Đoàn đại biểu Quốc hội và HĐND tỉnh"]),
    (
        "Thuế tỉnh, Kiểm toán nhà nước khu vực II, Kho bạc nhà nước khu vực 8 tăng cường",
        ["Thuế tỉnh", "Kiểm toán nhà nước khu vực II", "Kho bạc nhà nước khu vực 8"],
    ),
    ("UBND các xã, phường, doanh nghiệp rà soát", ["UBND các xã, phường", "doanh nghiệp"]),
    (
        "UBND các xã Hòa Minh, Tân Lập, Tổng công ty Điện lực",
        ["UBND xã Hòa Minh", "UBND xã Tân Lập", "Tổng công ty Điện lực"],
    ),
    ("UBND các xã Hội Sơn, Trường Sơn rà soát", ["UBND xã Hội Sơn", "UBND xã Trường Sơn"]),
    ("UBND các phường Đội Cung, Hà Huy Tập rà soát", ["UBND phường Đội Cung", "UBND phường Hà Huy Tập"]),
    ("Trung tâm Can thiệp sớm tỉnh tiếp nhận", ["Trung tâm Can thiệp sớm tỉnh"]),
    ("Bộ trưởng Bộ Công an có trách nhiệm", ["Bộ trưởng Bộ Công an"]),
    ("Thứ trưởng Bộ Y tế chỉ đạo", ["Thứ trưởng Bộ Y tế"]),
    ("Bộ trưởng, Thủ trưởng cơ quan ngang bộ chỉ đạo", ["Bộ trưởng", "Thủ trưởng cơ quan ngang bộ"]),
    ("Sở Tài chính - Cơ quan thường trực Ban Chỉ đạo chủ trì", ["Sở Tài chính"]),
    ("các cơ quan quản lý cấp trên đôn đốc", ["các cơ quan quản lý cấp trên"]),
    ("Các chủ rừng là tổ chức bố trí", ["Các chủ rừng là tổ chức"]),
    ("Cục Kết cấu hạ tầng xây dựng theo dõi", ["Cục Kết cấu hạ tầng xây dựng"]),
    ("các đơn vị, cơ sở giáo dục trực thuộc thực hiện", ["các đơn vị, cơ sở giáo dục trực thuộc"]),
    (
        "UBND các xã: Hòa Minh, Tân Lập và phường Tây Hồ rà soát",
        ["UBND xã Hòa Minh", "UBND xã Tân Lập", "UBND phường Tây Hồ"],
    ),
    ("Phòng Kinh tế, Công an xã tuyên truyền", ["Phòng Kinh tế", "Công an xã"]),
    ("Công ty TNHH MTV Khai thác công trình thủy lợi vận hành", ["Công ty TNHH MTV Khai thác công trình thủy lợi"]),
    ("Trường Tiểu học và Trung học cơ sở Tân Lập", ["Trường Tiểu học và Trung học cơ sở Tân Lập"]),
    ("Công an và trưởng thôn rà soát", ["Công an", "trưởng thôn"]),
    ("các trường mầm non, trung tâm giáo dục thường xuyên", ["các trường mầm non", "trung tâm giáo dục thường xuyên"]),
    ("Cục Quản lý Khám, chữa bệnh; Cục Dược", ["Cục Quản lý Khám, chữa bệnh", "Cục Dược"]),
    ("Ban Thi đua, Khen thưởng tỉnh hướng dẫn", ["Ban Thi đua, Khen thưởng tỉnh"]),
    ("Phòng Công tác học sinh, sinh viên, Phòng Đào tạo", ["Phòng Công tác học sinh, sinh viên", "Phòng Đào tạo"]),
    ("Trung tâm Dữ liệu số văn hóa, thể thao và du lịch;", ["Trung tâm Dữ liệu số văn hóa, thể thao và du lịch"]),
    ("Chi cục Phòng, chống thiên tai báo cáo", ["Chi cục Phòng, chống thiên tai"]),
    ("Ban Quản lý Khu kinh tế, các khu công nghiệp tỉnh", ["Ban Quản lý Khu kinh tế, các khu công nghiệp tỉnh"]),
    ("Ban Tổ chức, Ban Tuyên giáo", ["Ban Tổ chức", "Ban Tuyên giáo"]),
    ("Hội Cựu chiến binh, người cao tuổi", ["Hội Cựu chiến binh"]),
    ("Phòng Chính trị, tư tưởng (Sở Y tế), Phòng Đào tạo", ["Phòng Chính trị, tư tưởng", "Phòng Đào tạo"]),
    ("các Chi nhánh, Xí nghiệp Nước thực hiện", ["các Chi nhánh", "Xí nghiệp Nước"]),
    ("Công chức Địa chính - Xây dựng tham mưu", ["Công chức Địa chính - Xây dựng"]),
    ("Phòng Giáo vụ và người lao động", ["Phòng Giáo vụ", "người lao động"]),
    ("Chi cục An toàn vệ sinh thực phẩm", ["Chi cục An toàn vệ sinh thực phẩm"]),
    ("Tiểu ban An ninh, Y tế xây dựng", ["Tiểu ban An ninh, Y tế"]),
    ("Cục Thống kê, Lê Văn Nam", ["Cục Thống kê"]),
    ("Trường Đào tạo cán bộ, công chức Hòa Minh", ["Trường Đào tạo cán bộ, công chức Hòa Minh"]),
    ("Công an phường Quảng Bá, Trạm Y tế", ["Công an phường Quảng Bá", "Trạm Y tế"]),
    ("Đoàn kiểm tra, đoàn giám sát", ["Đoàn kiểm tra"]),
    ("Ban Tuyên truyền, Nguyễn Văn Bình báo cáo", ["Ban Tuyên truyền"]),
    ("Khoa Nội tổng hợp, Khoa Nhi thực hiện", ["Khoa Nội tổng hợp", "Khoa Nhi"]),
    ("Các bệnh viện thuộc Bộ, bệnh viện thuộc tỉnh", ["Các bệnh viện thuộc Bộ", "bệnh viện thuộc tỉnh"]),
    ("Viettel Hòa Minh cấp chữ ký số cá nhân", ["Viettel Hòa Minh"]),
    ("Bệnh viện Y Dược cổ truyền khám", ["Bệnh viện Y Dược cổ truyền"]),
    ("Đảng đoàn Hội đồng nhân dân tỉnh lãnh đạo Hội đồng", ["Đảng đoàn Hội đồng nhân dân tỉnh"]),
    (
        "Ngân hàng Nông nghiệp - Phòng giao dịch Hòa Minh, Sở Y tế",
        ["Ngân hàng Nông nghiệp - Phòng giao dịch Hòa Minh", "Sở Y tế"],
    ),
    ("Ban Tài chính và LĐLĐ các huyện có đối tượng.", ["Ban Tài chính", "LĐLĐ các huyện có đối tượng"]),
    ("UBND các xã có di tích xây dựng phương án", ["UBND các xã có di tích"]),
    ("UBND các xã có trách nhiệm xây dựng phương án", ["UBND các xã"]),
    ("Các doanh nghiệp chế biến thủy sản xuất khẩu báo cáo", ["Các doanh nghiệp chế biến thủy sản xuất khẩu"]),
    ("Phòng Hậu cần bảo đảm", ["Phòng Hậu cần"]),
    ("Phòng Trinh sát xác lập", ["Phòng Trinh sát"]),
    ("các cơ quan tham mưu, giúp việc Tỉnh ủy rà soát", ["các cơ quan tham mưu, giúp việc Tỉnh ủy"]),
    ("Tòa Hình sự Tòa án nhân dân tỉnh lựa chọn", ["Tòa Hình sự Tòa án nhân dân tỉnh"]),
    ("Phòng Thi hành án và hỗ trợ tư pháp rà soát", ["Phòng Thi hành án và hỗ trợ tư pháp"]),
    ("Phòng Phòng, chống ma túy và tội phạm chủ trì, phối hợp", ["Phòng Phòng, chống ma túy và tội phạm"]),
    ("Trung tâm Tư vấn, hỗ trợ nông dân, doanh nghiệp mở", ["Trung tâm Tư vấn, hỗ trợ nông dân, doanh nghiệp"]),
    ("Hợp tác xã Đồng Liên, doanh nghiệp mở", ["Hợp tác xã Đồng Liên", "doanh nghiệp"]),
    ("Hải quan chuyển phát nhanh soi chiếu", ["Hải quan chuyển phát nhanh"]),
    ("Các trường ngoài công lập bố trí", ["Các trường ngoài công lập"]),
    ("Các thôn Đông Hạ, Cồn Sẻ họp dân", ["thôn Đông Hạ", "thôn Cồn Sẻ"]),
    ("Phó Chủ tịch UBND xã phụ trách kinh tế trực tiếp", ["Phó Chủ tịch UBND xã phụ trách kinh tế"]),
    ("chỉ huy các cơ quan, đơn vị thực hiện", ["chỉ huy các cơ quan, đơn vị"]),
    ("các bộ, ngành và địa phương tổ chức", ["các bộ, ngành và địa phương"]),
    ("các sở, ngành và đơn vị rà soát", ["các sở, ngành và đơn vị"]),
    ("Bộ, ngành, địa phương rà soát", ["Bộ, ngành, địa phương"]),
    ("Bộ Tài chính Bộ Y tế", ["Bộ Tài chính", "Bộ Y tế"]),
    ("các sở, ngành liên quan tổ chức, triển khai", ["các sở, ngành liên quan"]),
    ("Đoàn Trường Cao đẳng Công nghệ Thông tin báo cáo", ["Đoàn Trường Cao đẳng Công nghệ Thông tin"]),
    ("Quân khu 3, 4, 5 duy trì", ["Quân khu 3, 4, 5"]),
    ("LCĐ Khoa Y Dược tổ chức", ["LCĐ Khoa Y Dược"]),
    ("các địa phương chưa lập Đề án", ["các địa phương"]),
]


@pytest.mark.parametrize(("text", "expected"), NAMES)
def test_a_row_of_names_is_cut_where_bodies_end(text, expected):
    names, _ = names_at(Prose.of(text), 0, small=True)
    assert [name.text for name in names] == expected


COMMON = [
    "Tổ chức tuyên truyền",
    "Ban hành kế hoạch",
    "Phòng, chống dịch",
    "Trường hợp cần thiết",
    "Báo cáo kết quả",
    "Hội nghị tổng kết",
    "Bộ máy quản lý",
    "Thanh tra, kiểm tra",
]


@pytest.mark.parametrize("text", COMMON)
def test_words_that_only_look_like_bodies_are_none(text):
    assert names_at(Prose.of(text), 0) == ([], 0)


LINES = [
    ("Sở Y tế", Form.ALONE, "Sở Y tế", ""),
    ("Sở Y tế (Cơ quan thường trực):", Form.ALONE, "Sở Y tế", ""),
    ("Trách nhiệm của Sở Y tế", Form.ALONE, "Sở Y tế", ""),
    ("Sở Y tế có trách nhiệm:", Form.ALONE, "Sở Y tế", ""),
    ("Sở Y tế: Chủ trì", Form.COLON, "Sở Y tế", "Chủ trì"),
    ("Sở Y tế Chủ trì, phối hợp", Form.COLON, "Sở Y tế", "Chủ trì, phối hợp"),
    ("Sở Y tế chủ trì", Form.INLINE, "Sở Y tế", "chủ trì"),
    ("Giao Sở Y tế chủ trì", Form.INLINE, "Sở Y tế", "chủ trì"),
    ("Đối với các sở, ban, ngành", Form.ALONE, "các sở, ban, ngành", ""),
]


@pytest.mark.parametrize(("text", "form", "written", "rest"), LINES)
def test_an_owner_line_has_its_form_its_bodies_and_the_rest(text, form, written, rest):
    found = owner_line(text)
    assert (found.form, found.written, found.rest, found.request) == (form, written, rest, False)


LISTED = [
    ("Phòng Giáo dục mầm non, Phòng Giáo dục phổ thông: lồng ghép", 2),
    ("Công ty Thủy lợi Văn Lâm, các chủ hồ thủy điện: vận hành", 2),
    ("Ban Quản lý các công trình giao thông và nông nghiệp tỉnh: bàn giao", 1),
    ("Bưu điện tỉnh, các doanh nghiệp bưu chính, chuyển phát: Phát triển mạng lưới", 2),
    ("Các cơ quan báo chí, hệ thống truyền thanh cơ sở: mở chuyên mục", 2),
    ("Trung tâm Xúc tiến Đầu tư và Hỗ trợ doanh nghiệp tỉnh: tổ chức hội nghị", 1),
]


@pytest.mark.parametrize(("text", "count"), LISTED)
def test_what_stands_before_a_colon_is_bodies_to_its_end(text, count):
    line = owner_line(text)
    assert (line.form, len(line.names)) == (Form.COLON, count)
    assert line.written == text.split(":")[0]


def test_a_request_is_told_from_an_order():
    assert owner_line("Đề nghị Tòa án nhân dân tỉnh: tăng cường").request
    assert not owner_line("Yêu cầu các sở, ngành thực hiện").request


def test_a_clause_before_the_body_is_looked_behind():
    found = owner_line("Căn cứ Kế hoạch này, các sở, ban, ngành tổ chức thực hiện", clauses=True)
    assert (found.written, found.rest) == ("các sở, ban, ngành", "tổ chức thực hiện")


@pytest.mark.parametrize(
    "text", ["Công tác chỉ đạo, điều hành", "Chế độ báo cáo", "Phòng, chống dịch bệnh", "Kinh phí thực hiện"]
)
def test_a_topic_is_no_owner_line(text):
    assert owner_line(text) is None


@pytest.mark.parametrize(
    "names",
    [
        ["Phòng Kế hoạch kiểm soát"],
        ["Phòng Tài chính kế toán", "Phòng Vật tư - Thiết bị y tế"],
        ["Các hộ tham gia chuỗi cung ứng"],
    ],
)
def test_a_short_line_over_duties_is_names_to_its_end(names):
    found = owner_line(", ".join(names), headed=True)
    assert (found.form, [each.text for each in found.names]) == (Form.ALONE, names)


@pytest.mark.parametrize("text", ["Sở Y tế chủ trì tập huấn", "Các sở, ngành tham gia phối hợp thực hiện"])
def test_a_sentence_over_duties_is_no_name(text):
    assert owner_line(text, headed=True).form is Form.INLINE


def test_a_first_word_that_a_cell_was_cut_after_is_no_body():
    assert [name.text for name in bodies_in("Sở Khoa học và Công nghệ, Sở")] == ["Sở Khoa học và Công nghệ"]


def test_a_cell_of_bodies_is_cut_at_every_sign_and_keeps_unknown_names():
    found = bodies_in("- Sở Y tế (thường trực); Công an tỉnh\nVNPT, Tập đoàn Bình Minh, Nhóm hỗ trợ")
    assert [name.text for name in found] == ["Sở Y tế", "Công an tỉnh", "VNPT", "Tập đoàn Bình Minh", "Nhóm hỗ trợ"]


@pytest.mark.parametrize(
    ("line", "names"),
    [
        (
            "Các tỉnh ủy, ban đảng, ban cán sự đảng, đảng đoàn, đảng ủy trực thuộc Trung ương tổ chức quán triệt.",
            1,
        ),
        ("Chủ tịch Hội đồng thành viên, Tổng Giám đốc các tập đoàn, tổng công ty, các Bộ, ngành tập trung rà soát.", 2),
        ("Các Ban Hội đồng nhân dân, các Tổ đại biểu, Đại biểu Hội đồng nhân dân tỉnh giám sát việc thực hiện.", 3),
        ("Đề nghị Kiểm toán Nhà nước và các cơ quan chức năng tạo điều kiện thuận lợi.", 2),
    ],
)
def test_lists_of_party_bodies_posts_and_deputies_are_read_whole(line, names):
    found = owner_line(line)
    assert found is not None
    assert len(found.names) == names
