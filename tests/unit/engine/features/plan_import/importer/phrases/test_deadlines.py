"""Words about time: which are deadlines, what they name, and which dates are not."""

from datetime import date, timedelta

import pytest

from engine.features.plan_import.importer.base.model import DeadlineKind
from engine.features.plan_import.importer.phrases.deadlines import deadlines_in
from engine.features.plan_import.importer.phrases.timing import timing_of


def doubted(timing):
    """What a person has to confirm."""
    return "; ".join(doubt.vi for doubt in timing.doubts)


FOUND = [
    ("báo cáo trước ngày 15/12 hằng năm", ["trước ngày 15/12 hằng năm"], ["--12-15"]),
    ("gửi chậm nhất ngày 20 tháng 6 năm 2021", ["chậm nhất ngày 20 tháng 6 năm 2021"], ["2021-06-20"]),
    ("Đến hết ngày 30/9/2022 hoàn thành", ["Đến hết ngày 30/9/2022"], ["2022-09-30"]),
    ("hoàn thành trong Quý III/2021", ["trong Quý III/2021"], ["2021-Q3"]),
    ("tổ chức trong tháng 9", ["trong tháng 9"], ["--09"]),
    ("báo cáo trước ngày 15 hằng tháng", ["trước ngày 15 hằng tháng"], ["---15"]),
    ("trước 15/6 và 15/12 hằng năm", ["trước 15/6 và 15/12 hằng năm"], ["--06-15", "--12-15"]),
    ("từ ngày 10/11 đến ngày 10/12/2021", ["từ ngày 10/11 đến ngày 10/12/2021"], ["--11-10", "2021-12-10"]),
    ("trước 16 giờ ngày 05/3/2022", ["trước 16 giờ ngày 05/3/2022"], ["2022-03-05"]),
    ("hoàn thành trước ngày thứ Sáu 20/4/2018", ["trước ngày thứ Sáu 20/4/2018"], ["2018-04-20"]),
    ("gửi trước 16 giờ thứ Sáu ngày 20/4/2018", ["trước 16 giờ thứ Sáu ngày 20/4/2018"], ["2018-04-20"]),
    ("gửi trước thứ Sáu, ngày 20/4/2018", ["trước thứ Sáu, ngày 20/4/2018"], ["2018-04-20"]),
    ("gửi trước thứ Sáu, ngày 20 tháng 4 năm 2018", ["trước thứ Sáu, ngày 20 tháng 4 năm 2018"], ["2018-04-20"]),
    ("xem xét tại kỳ họp thứ 9, ngày 20/6/2025", ["tại kỳ họp thứ 9", "ngày 20/6/2025"], ["2025-06-20"]),
    ("báo cáo trước 19h00’ hằng ngày", ["trước 19h00’ hằng ngày"], []),
    (
        "trong vòng 05 ngày làm việc kể từ ngày nhận được văn bản",
        ["trong vòng 05 ngày làm việc kể từ ngày nhận được văn bản"],
        [],
    ),
    ("khai giảng vào sáng ngày 05/9/2025", ["vào sáng ngày 05/9/2025"], ["2025-09-05"]),
    ("chậm nhất 30 phút kể từ khi có mưa", ["chậm nhất 30 phút kể từ khi có mưa"], []),
    ("giám sát hằng năm; quý IV/2025 kiểm tra", ["hằng năm", "quý IV/2025"], ["2025-Q4"]),
    ("diễn tập 01 lần trong quý II/2025", ["trong quý II/2025"], ["2025-Q2"]),
    ("vào tháng 3 và tháng 9 hằng năm", ["vào tháng 3 và tháng 9 hằng năm"], ["--03", "--09"]),
    ("kiểm tra vào đầu mỗi học kỳ", ["vào đầu mỗi học kỳ"], []),
    ("mua bảo hiểm trước ngày ra quân", ["trước ngày ra quân"], []),
    ("đo áp lực 15 phút/lần", ["15 phút/lần"], []),
    ("dò tìm mỗi tuyến 02 vòng/năm", ["02 vòng/năm"], []),
    ("ít nhất 02 buổi tuyên truyền/trường/năm học", ["ít nhất 02 buổi tuyên truyền/trường/năm học"], []),
    ("Trong thời gian chờ giao đất, hỗ trợ", ["Trong thời gian chờ giao đất"], []),
    ("khai mạc vào tối 16/11/2023", ["vào tối 16/11/2023"], ["2023-11-16"]),
    ("trực trong suốt thời gian diễn ra Ngày hội", ["trong suốt thời gian diễn ra Ngày hội"], []),
    ("đào tạo trong các năm 2024 - 2025", ["trong các năm 2024 - 2025"], ["2024"]),
    ("tiếp dân mỗi học kỳ 02 lần", ["mỗi học kỳ 02 lần"], []),
    ("in sao đề trước ngày thi", ["trước ngày thi"], []),
    ("Khi nghi có ngộ độc, báo trạm y tế", ["Khi nghi có ngộ độc"], []),
    ("dạy bơi trong dịp hè", ["trong dịp hè"], []),
    ("xong trong học kỳ I năm học 2025 - 2026.", ["trong học kỳ I năm học 2025 - 2026"], []),
    ("+ Năm học 2022 - 2023: dạy tại 40 trường", ["Năm học 2022 - 2023"], []),
    ("đưa vào chương trình từ năm 2024.", ["từ năm 2024"], ["2024"]),
    ("không để tồn đọng quá 24 giờ", ["không để tồn đọng quá 24 giờ"], []),
    ("công nhân trực dịp lễ 30/4 - 01/5", ["dịp lễ 30/4 - 01/5"], ["--04-30", "--05-01"]),
    ("trao giải nhân Ngày Môi trường 05/6/2024", ["nhân Ngày Môi trường 05/6/2024"], ["2024-06-05"]),
    ("trực trong các ngày 18, 19 và 20/11/2022", ["trong các ngày 18, 19 và 20/11/2022"], ["---18", "2022-11-20"]),
    ("trực 24/7 trong giai đoạn thí điểm", ["trong giai đoạn thí điểm"], []),
    ("báo cáo ngay trong ngày", ["ngay trong ngày"], []),
    ("đối soát, chuyển tiền trong ngày.", ["trong ngày"], []),
    ("thông báo cho dân trước ít nhất 24 giờ", ["trước ít nhất 24 giờ"], []),
    ("đưa tin mỗi buổi chiều", ["mỗi buổi chiều"], []),
    ("trình thông qua tại kỳ họp giữa năm 2025", ["tại kỳ họp giữa năm 2025"], ["2025"]),
    ("xem xét tại kỳ họp thứ Sáu, giải trình vào kỳ họp gần nhất", ["tại kỳ họp thứ Sáu", "vào kỳ họp gần nhất"], []),
    ("chất vấn giữa hai kỳ họp", ["giữa hai kỳ họp"], []),
    ("khởi công ngay sau Tết", ["ngay sau Tết"], []),
    ("nộp vào thứ Hai tuần đầu tiên của tháng", ["vào thứ Hai tuần đầu tiên của tháng"], []),
    ("hằng tháng, nộp vào ngày 25.", ["hằng tháng", "vào ngày 25"], ["---25"]),
    ("trong vòng 05 ngày sau mỗi đợt thiên tai", ["trong vòng 05 ngày sau mỗi đợt thiên tai"], []),
    (
        "từ ngày 18 đến ngày 24 tháng 11 hằng năm",
        ["từ ngày 18 đến ngày 24 tháng 11 hằng năm"],
        ["---18", "--11-24"],
    ),
    ("báo trạm thú y ngay khi ghi nhận", ["ngay khi ghi nhận"], []),
    ("dạy ngoại khóa, tối thiểu 01 lần/học kỳ", ["tối thiểu 01 lần/học kỳ"], []),
    ("thông tin mỗi giờ một lần", ["mỗi giờ một lần"], []),
    ("trực gác trong những ngày cháy cấp IV", ["trong những ngày cháy cấp IV"], []),
    ("gửi vào chiều thứ Năm hằng tuần, bắt đầu", ["vào chiều thứ Năm hằng tuần"], []),
    ("lấy mẫu giám sát tối thiểu 120 mẫu/năm", ["tối thiểu 120 mẫu/năm"], []),
    ("sinh hoạt mỗi học kỳ ít nhất 01 buổi", ["mỗi học kỳ ít nhất 01 buổi"], []),
    ("biểu dương trong dịp Ngày hội Đại đoàn kết.", ["trong dịp Ngày hội Đại đoàn kết"], []),
    ("phục vụ vào 17 giờ 30 các ngày thứ Ba, thứ Sáu", ["vào 17 giờ 30 các ngày thứ Ba, thứ Sáu"], []),
    ("đăng ký xe lưu động các ngày thứ Bảy", ["các ngày thứ Bảy"], []),
    ("báo cáo vào ngày làm việc cuối cùng của tháng", ["vào ngày làm việc cuối cùng của tháng"], []),
    ("đánh giá ngoài (tháng 10 - 12/2023)", ["tháng 10 - 12/2023"], ["2023-12"]),
    ("giao nhận quân đêm 14/02/2022", ["đêm 14/02/2022"], ["2022-02-14"]),
    ("đối chiếu vào cuối mỗi phiên giao dịch", ["vào cuối mỗi phiên giao dịch"], []),
    ("trực ban trong mùa mưa lũ", ["trong mùa mưa lũ"], []),
    ("khử trùng cuối mỗi phiên chợ", ["cuối mỗi phiên chợ"], []),
    ("mở chuyên trang từ 20/4/2022.", ["từ 20/4/2022"], ["2022-04-20"]),
    ("xong trước đợt khảo sát chính thức", ["trước đợt khảo sát chính thức"], []),
    ("đăng tối thiểu 04 tin, bài, phóng sự/tháng", ["tối thiểu 04 tin, bài, phóng sự/tháng"], []),
    ("dừng xuất bến khi có bão từ cấp 8", ["khi có bão"], []),
    ("lấy mẫu khi có lợn ốm, chết bất thường", ["khi có lợn ốm"], []),
    ("chữa cháy khi có yêu cầu trước ngày 15/3", ["khi có yêu cầu", "trước ngày 15/3"], ["--03-15"]),
    ("trong vòng 24 giờ khi xảy ra vụ việc", ["trong vòng 24 giờ khi xảy ra vụ việc"], []),
    ("Tháng 12/2023 và tháng 01/2024", ["Tháng 12/2023 và tháng 01/2024"], ["2023-12", "2024-01"]),
    ("Giai đoạn 1 (đến 30/6/2026)", ["đến 30/6/2026"], ["2026-06-30"]),
    ("báo cáo hàng tháng (trước ngày 20).", ["hàng tháng (trước ngày 20)"], ["---20"]),
    (
        "hằng tuần, từ ngày 01/5 đến ngày 31/5/2026",
        ["hằng tuần, từ ngày 01/5 đến ngày 31/5/2026"],
        ["--05-01", "2026-05-31"],
    ),
    ("gửi hằng tuần, bắt đầu từ ngày 04/01/2024", ["hằng tuần, bắt đầu từ ngày 04/01/2024"], []),
    ("phát sóng 02 số/tháng kể từ tháng 8/2021", ["02 số/tháng kể từ tháng 8/2021"], []),
    ("phát 03 buổi/tuần từ tháng 01 đến tháng 4/2021", ["03 buổi/tuần từ tháng 01 đến tháng 4/2021"], []),
    (
        "nộp ngay trong ngày, chậm nhất là ngày làm việc tiếp theo",
        ["ngay trong ngày", "chậm nhất là ngày làm việc tiếp theo"],
        [],
    ),
    ("giao ranh giới trước thời điểm thống kê", ["trước thời điểm thống kê"], []),
    ("tuần tra trước, trong và sau Tết Nguyên đán 2026", ["trước, trong và sau Tết Nguyên đán 2026"], []),
    ("đóng cống khi độ mặn vượt 1 g/l", ["khi độ mặn vượt 1 g/l"], []),
    ("canh gác khi dự báo cháy rừng cấp IV", ["khi dự báo cháy rừng cấp IV"], []),
    ("lập phương án bảo vệ, cưỡng chế khi có yêu cầu", ["khi có yêu cầu"], []),
    ("báo cáo tại hội nghị giao ban tháng", ["tại hội nghị giao ban tháng"], []),
    ("tặng quà xong trước ngày Quốc khánh 02/9/2025", ["trước ngày Quốc khánh 02/9/2025"], ["2025-09-02"]),
    ("báo cáo khi kết thúc Chương trình về Bộ Xây dựng", ["khi kết thúc Chương trình"], []),
    ("nạo vét mương, duy trì thường xuyên.", ["thường xuyên"], []),
    ("đào tạo nghề; quý IV", ["quý IV"], ["--Q4"]),
]


@pytest.mark.parametrize(("text", "words", "days"), FOUND)
def test_a_last_day_or_a_time_is_found_with_what_it_names(text, words, days):
    found = deadlines_in(text)
    assert [each.text for each in found] == words
    assert [day for each in found for day in each.days] == days


CYCLES = [
    ("6 tháng, 01 năm tổng hợp báo cáo", ("half_year", "year")),
    ("định kỳ hàng tháng, quý, 6 tháng, năm và đột xuất báo cáo", ("month", "quarter", "half_year", "year", "ad_hoc")),
    ("Hằng quý công khai số liệu", ("quarter",)),
    ("ít nhất 02 chuyên mục/tháng", ("month",)),
    ("họp mỗi quý một lần", ("quarter",)),
    ("báo cáo 9 tháng gửi Sở", ("nine_month",)),
    ("định kỳ vào tháng 12 hằng năm", ("year",)),
    ("tuần tra tối thiểu 16 ngày/tháng", ("month",)),
    ("báo cáo tháng trước ngày 20 hằng tháng", ("month",)),
    ("báo cáo trước ngày 15 tháng 01 năm 2026, hằng quý", ("quarter",)),
    ("phát thanh ngày 02 lượt trong thời gian diễn ra lễ hội", ()),
    ("thu dữ liệu 07 ngày/lần", ("week",)),
    ("kiểm tra 02 lần/năm", ("half_year",)),
    ("báo cáo 15 ngày một lần", ("half_month",)),
    ("họp 02 tuần/lần", ()),
    ("sơ kết 3 năm, 5 năm và tổng kết 10 năm", ()),
]


@pytest.mark.parametrize(("text", "cadence"), CYCLES)
def test_a_cycle_is_found_with_its_cadence(text, cadence):
    found = deadlines_in(text)
    assert len(found) == 1
    assert found[0].cadence == cadence


def test_the_month_of_a_day_of_every_year_is_no_cycle_of_months():
    every_day = [date(2024, 1, 1) + timedelta(days=n) for n in range(366)]
    for text in (f"báo cáo trước ngày {day.day} tháng {day.month} hằng năm" for day in every_day):
        assert [deadline.cadence for deadline in deadlines_in(text)] == [("year",)], text
    named = deadlines_in("nộp vào tháng 3, tháng 6 và tháng 9 hằng năm")
    assert {cadence for deadline in named for cadence in deadline.cadence} == {"year"}


@pytest.mark.parametrize("words", ["01/6 và 15/11 hằng năm", "15 và 30 hằng tháng", "30/11 hằng năm"])
def test_the_days_of_a_cycle_alone_in_a_cell_are_found(words):
    assert [deadline.text for deadline in deadlines_in(words, column=True)] == [words]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("kiểm tra thường xuyên", DeadlineKind.STANDING),
        ("báo cáo đột xuất", DeadlineKind.AD_HOC),
        ("xử lý khi thị trường có biến động bất thường", DeadlineKind.AD_HOC),
        ("cung cấp khi có đề nghị của chủ hộ", DeadlineKind.AD_HOC),
        ("Khi tiếp nhận hồ sơ, kết hợp số hóa", DeadlineKind.AD_HOC),
        ("báo ngay khi có hộ lấn chiếm", DeadlineKind.AD_HOC),
    ],
)
def test_standing_and_ad_hoc_obligations_have_their_own_kind(text, kind):
    assert [each.kind for each in deadlines_in(text)] == [kind]


@pytest.mark.parametrize(
    "text",
    [
        "vùng thường xuyên ngập lụt",
        "cân đối kinh phí thường xuyên hằng năm cho các hoạt động",
        "đưa vào kế hoạch phát triển kinh tế - xã hội hằng năm của xã",
        "kiểm tra đột xuất 25 đơn vị; thanh tra chuyên ngành đột xuất",
        "chỉ khai thác từ 7 giờ đến 17 giờ trong ngày.",
        "góp ý quy trình trước khi trình Giám đốc",
        "không để dồn vào cuối năm",
        "lịch ra quân theo từng tuần",
        "kế hoạch sử dụng đất hằng năm cấp huyện",
        "hộ chưa tháo dỡ sau ngày 30/9/2023",
        "đã có phần mềm từ năm 2018",
        "trong giai đoạn hiện nay",
        "tổng kết 10 năm thực hiện Nghị quyết",
        "theo Quyết định số 29/2014/QĐ-TTg ngày 26/4/2014 của Thủ tướng Chính phủ",
        "Luật Phòng, chống ma túy ngày 30 tháng 3 năm 2021",
        "bố trí kinh phí trong dự toán ngân sách hàng năm của các cơ quan",
        "chi thường xuyên của đơn vị; giáo dục thường xuyên",
        "kế hoạch năm 2021, giai đoạn 2021 - 2025",
        "ngày 26 tháng 4 năm 2014 của Bộ trưởng",
        "không thanh tra quá 01 lần/năm",
        "đến năm 2030 đạt 90%",
        "lập phương án ứng phó khi xảy ra lũ quét",
        "không mở cống khi độ mặn vượt 1 g/l",
        "không thả trâu khi nhiệt độ chưa vượt 15 độ C",
        "khám sức khỏe trước khi kết hôn",
        "dự báo thu quý IV",
        "giữ liên lạc thường xuyên với chủ tàu",
        "Công an xã thường xuyên nhắc nhở",
        "Thường xuyên kiểm tra các chợ",
        "Định kỳ kiểm tra các chợ",
        "quyết định hưởng trợ cấp hàng tháng đối với quân nhân",
        "nguồn kinh phí bổ sung trong năm theo quy định",
        "tham mưu khen thưởng đột xuất cho đại lý",
    ],
)
def test_dates_of_papers_budgets_and_aims_are_no_deadlines(text):
    assert deadlines_in(text) == ()


def test_a_deadline_carries_the_sentence_that_it_came_from():
    found = deadlines_in("Chủ trì triển khai. Báo cáo UBND tỉnh trước ngày 20/12/2022. Đôn đốc các đơn vị.")
    assert found[0].sentence == "Báo cáo UBND tỉnh trước ngày 20/12/2022."
    assert found[0].before


def test_a_column_of_deadlines_takes_bare_dates_and_years():
    assert [each.days for text in ("30/6/2021", "2022", "Quý I/2021") for each in deadlines_in(text, column=True)] == [
        ("2021-06-30",),
        ("2022",),
        ("2021-Q1",),
    ]


TIMINGS = [
    ("trước ngày 16/12/2022", ("once",), "15/12/2022"),
    ("chậm nhất ngày 16/12/2022", ("once",), "16/12/2022"),
    ("trước 16 giờ ngày 16/12/2022", ("once",), "16/12/2022"),
    ("trướcngày 16/12/2022", ("once",), "15/12/2022"),
    ("trước ngày 16/12", ("once",), "15/12/2022"),
    ("trong Quý III", ("once",), "30/9/2022"),
    ("trước ngày 25 hằng tháng", ("month",), "24"),
    ("Báo cáo trước ngày 01 hằng tháng.", ("month",), "31"),
    ("trước ngày 05 của tháng sau", ("month",), "4 tháng sau"),
    ("Gửi số liệu ngày 05, 15 và 25 hằng tháng.", ("month",), ""),
    ("vào ngày 15 và ngày 30 hằng tháng", ("half_month",), "15, 30"),
    ("vào thứ Sáu hằng tuần", ("week",), "thứ Sáu"),
    ("trước thứ Sáu hằng tuần", ("week",), "thứ Năm"),
    ("6 tháng, 01 năm báo cáo", ("half_year", "year"), ""),
    ("kiểm tra 02 lần/năm", ("half_year",), ""),
    ("báo cáo 3 tháng/lần", ("quarter",), ""),
    ("thường xuyên", ("ad_hoc",), ""),
    ("", ("ad_hoc",), ""),
    ("trước ngày 15/3/2026; định kỳ 6 tháng, năm", ("once", "half_year", "year"), "14/3/2026"),
    ("trước ngày 15/3/2026; trước ngày 10 của tháng cuối quý", ("once", "quarter"), "9 tháng cuối; 14/3/2026"),
    (
        "Định kỳ 6 tháng (trước ngày 15/6), năm (trước ngày 15/12)",
        ("half_year", "year"),
        "14/6 hằng năm; 14/12 hằng năm",
    ),
    ("Báo cáo trước ngày 30/11 hằng năm.", ("year",), "29/11 hằng năm"),
    ("Báo cáo trước ngày 01/3 hằng năm.", ("year",), "29/02 hằng năm"),
    ("Gửi trước ngày 01/6 và 15/11 hằng năm.", ("half_year",), "31/5 hằng năm; 14/11 hằng năm"),
    ("Hằng năm báo cáo trước ngày 15/01 năm sau.", ("year",), "14/01 năm sau"),
    ("Tuyên truyền vào tháng 5 hằng năm.", ("year",), "31/5 hằng năm"),
    ("Diễn tập trong quý III hằng năm.", ("year",), "30/9 hằng năm"),
    (
        "Hằng quý báo cáo trước ngày 05/4, 05/7, 05/10 và 05/01 năm sau.",
        ("quarter",),
        "04/4 hằng năm; 04/7 hằng năm; 04/10 hằng năm; 04/01 năm sau",
    ),
    (
        "Hằng quý báo cáo trước ngày 05/01, 05/4, 05/7, 05/10.",
        ("quarter",),
        "04/4 hằng năm; 04/7 hằng năm; 04/10 hằng năm; 04/01 năm sau",
    ),
    ("Hằng quý báo cáo trước ngày 05 của tháng đầu quý sau.", ("quarter",), "4 tháng sau"),
    ("Hằng quý báo cáo trước ngày 10 tháng cuối cùng của quý.", ("quarter",), "9 tháng cuối"),
    ("Hằng quý báo cáo trước ngày 20.", ("quarter",), "19"),
    ("Báo cáo 6 tháng trước ngày 10/6.", ("once",), "09/6/2022"),
    ("Thời gian: từ tháng 4 đến tháng 11/2022", ("once",), "30/11/2022"),
    ("tuần tra từ ngày 01/7 đến hết ngày 30/9/2022", ("once",), "30/9/2022"),
    ("trong quý II/2022, xong trước ngày 15/5/2022", ("once",), "14/5/2022"),
    ("trong vòng 15 ngày kể từ ngày ban hành Kế hoạch này", ("once",), "20/01/2022"),
]


@pytest.mark.parametrize(("text", "cadence", "days"), TIMINGS)
def test_a_plan_file_gets_no_more_than_the_words_say(text, cadence, days):
    found = timing_of(deadlines_in(text), 2022, date(2022, 1, 5))
    assert (found.cadence, str(found.days)) == (cadence, days)


DOUBTED = [
    ("Áp dụng từ ngày 01/6/2022.", "bắt đầu"),
    ("Gửi số liệu ngày 05, 15 và 25 hằng tháng.", "nhiều ngày báo cáo (05, 15, 25)"),
    ("Báo cáo hằng tháng trước ngày 25, báo cáo quý trước ngày 20 tháng cuối quý.", "tách"),
    ("Báo cáo trước ngày 30/6/2022 và ngày 30/11/2022.", "(29/6/2022, 29/11/2022)"),
    ("Báo cáo trước ngày 31/6 hằng năm.", "không có thật"),
    ("Hằng quý báo cáo trước ngày 01 của tháng cuối quý.", "ngày cuối của tháng trước"),
    ("Báo cáo trước ngày 15.", "không nêu tháng"),
    ("Báo cáo 10 ngày/lần.", "chu kỳ"),
    ("Báo cáo hằng ngày.", "hằng ngày"),
    ("Hoàn thành trước mùa mưa bão.", "không cho ra một ngày"),
    ("Tổ chức vào đầu tháng 4/2022.", "«đầu»"),
    ("Báo cáo trước ngày 31/12/2021.", "đã qua"),
]


@pytest.mark.parametrize(("text", "said"), DOUBTED)
def test_words_that_leave_the_day_open_are_a_doubt(text, said):
    assert said in doubted(timing_of(deadlines_in(text), 2022, date(2022, 1, 5)))


def test_a_year_is_added_in_silence_only_where_the_plan_has_one():
    assert "2000" in doubted(timing_of(deadlines_in("trước ngày 15/12"), None))
    assert doubted(timing_of(deadlines_in("trước ngày 15/12"), 2022)) == ""


def test_days_that_are_all_asked_for_need_no_confirmation():
    """All but those of the table above that say more than a plan file holds, and those without words about time."""
    known = {text for text, _ in DOUBTED} | {""}
    assert [text for text, _, _ in TIMINGS if text not in known and timing_of(deadlines_in(text), 2022).doubts] == []
