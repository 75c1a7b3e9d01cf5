"""The words that plans are written with: what bodies are called, what fields they have, how duties begin.

Tables only, in the spelling of ``letters.matching``; a blank stands for any blanks or none. Other modules hold the
rules. To teach the importer a new word is to add it here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from engine.importer.vietnamese import phrase


def any_of(words: Iterable[str]) -> str:
    """A pattern for one of the words, the longest first."""
    return "(?:" + "|".join(phrase(word) for word in sorted(words, key=len, reverse=True)) + ")"


def words(text: str) -> tuple[str, ...]:
    """The entries of a table, divided by semicolons and written over several lines."""
    return tuple(entry.strip() for entry in " ".join(text.split()).split(";") if entry.strip())


# Fields of departments: what follows «Sở», «Bộ», «Phòng», «Ngành». Needed where names share their first word.
FIELDS = words("""
lao động - thương binh và xã hội; lao động thương binh và xã hội; lao động, thương binh và xã hội; lao động; nội vụ;
tài chính kế toán; hành chính - tổ chức; y tế; giáo dục và đào tạo; giáo dục; tài chính; kế hoạch và đầu tư;
tài chính - kế hoạch; kế hoạch - tài chính;
tư pháp; công thương; xây dựng; giao thông vận tải; giao thông vận tải - xây dựng; nông nghiệp;
nông nghiệp và phát triển nông thôn; nông nghiệp và môi trường; tài nguyên và môi trường; khoa học và công nghệ;
thông tin và truyền thông; văn hóa, thể thao và du lịch; văn hóa và thể thao; văn hóa và thông tin;
văn hóa - thông tin; văn hóa, thông tin và thể thao; văn hóa - thể thao; văn hóa, thể thao; văn hóa - xã hội;
văn hóa, khoa học và thông tin; văn hóa, thể thao và truyền thông; văn hóa, thông tin - thể thao và truyền thông;
văn hóa thông tin và truyền thanh; văn hóa, thể thao, du lịch và truyền thông; du lịch; ngoại vụ; ngoại giao; dân tộc;
dân tộc và tôn giáo; công an; quốc phòng; quy hoạch - kiến trúc; kinh tế; kinh tế - hạ tầng; kinh tế và hạ tầng;
kinh tế, hạ tầng và đô thị; quản lý đô thị; văn hóa; thể thao; công nghiệp; thương mại; tn&mt; nn&ptnt; nn&mt; nnptnt;
gd&đt; gdđt; tt&tt; tttt; kh&đt; khđt; kh&cn; khcn; vh&tt; vhtt; vhttdl; vh,tt&dl; vh, tt&dl; vhtt&dl; vh-tt&dl;
lđ-tb&xh; lđtb&xh; lđtbxh; lđ - tb&xh; gtvt; ldtbxh; tnmt; nn và ptnt; nông nghiệp và ptnt; nông nghiệp & ptnt;
gd và đt; tc-kh; tckh; kt-ht; ktht; ct; xd
""")

# Whole names that no rule below would end in the right place.
WHOLE_NAMES = words("""
phòng thương mại và công nghiệp; hội đồng phối hợp phổ biến, giáo dục pháp luật;
phòng cảnh sát quản lý hành chính về trật tự xã hội; trung tâm xúc tiến đầu tư, thương mại và du lịch;
văn phòng đoàn (?:đại biểu quốc hội|đbqh) và (?:hội đồng nhân dân|hđnd); văn phòng hđnd và ubnd;
văn phòng hội đồng nhân dân và ủy ban nhân dân; đài phát thanh và truyền hình; báo và phát thanh, truyền hình;
báo và đài phát thanh, truyền hình; báo và đài phát thanh - truyền hình; báo và đài phát thanh và truyền hình;
báo và đài pt-th; liên hiệp các tổ chức hữu nghị; liên hiệp các hội khoa học và kỹ thuật;
thủ tướng chính phủ; chính phủ; quốc hội; thủ đô; liên hiệp hội về người khuyết tật; thanh tra, giám sát ngân hàng;
chủ tịch hội đồng thành viên, tổng giám đốc các tập đoàn, tổng công ty(?: nhà nước)?;
quỹ bảo lãnh tín dụng doanh nghiệp nhỏ và vừa; quỹ phòng, chống tác hại của thuốc lá; kiểm toán nhà nước;
ủy ban quản lý vốn nhà nước tại doanh nghiệp; thủ trưởng (?:các )?cơ quan ngang bộ, cơ quan (?:trực )?thuộc chính phủ;
đảng ủy mặt trận tổ quốc, các đoàn thể
""")

# First words of bodies; after «(?!» what must not follow, for then it is a common word.
HEADS = words(r"""
sở(?! hữu| thích| dĩ| trường);
bộ(?! máy| mặt| tiêu chí| phận| luật| thủ tục| đồ\b| công cụ| câu hỏi| tài liệu| chỉ số| dữ liệu);
ban(?! hành\b| đầu(?! tư)| đêm| ngày); ủy ban; ubnd; ubmttq; ubmt; mttq; ubmttqvn; mặt trận;
hội(?! nghị| thảo| thi\b| nhập| họp| đàm| chợ| trường| diễn| viên| tụ| trại); hội đồng; hđnd; liên đoàn; liên minh;
liên hiệp; hiệp hội; đoàn(?! kết| viên| thể); tỉnh đoàn; thành đoàn; huyện đoàn; quận đoàn; thị đoàn; đài(?! thọ);
báo(?! cáo| động| hiệu| chí | gồm); tạp chí; cổng thông tin; cổng tt; trang thông tin; ngân hàng(?! câu hỏi); nhnn;
nhcsxh; kho bạc; bảo hiểm xã hội; bhxh; bảo hiểm y tế; cục(?! bộ| diện); chi cục; tổng cục;
vụ(?! việc| án| mùa| đông| xuân| hè| tai); viện(?! trợ| dẫn| phí); văn phòng(?! phẩm); vp;
thanh tra(?!,? kiểm tra|,? giám sát| việc| các(?! bộ| sở)\b| và\b| đột xuất| định kỳ| chuyên ngành); trường(?! hợp| kỳ);
đại học; học viện; trung tâm; tt; bệnh viện; trạm; phòng(?!,| chống| ngừa| tránh| bệnh| cháy| vệ); tổ(?! chức);
đội(?! ngũ| hình); tiểu ban; công an; quân sự; bộ chỉ huy; bộ tư lệnh; bchqs; bch; ban chqs; bộ đội; đồn; hải quan;
thuế(?! suất| thu nhập| giá); thống kê tỉnh; tòa(?! nhà); tand; viện kiểm sát; vksnd; công ty; tổng công ty; tập đoàn;
doanh nghiệp; hợp tác xã; bưu điện; viễn thông; điện lực; quỹ(?! đất| nhà| thời gian| đạo); nhà xuất bản; nhà văn hóa;
nhà thiếu nhi; nhà máy; cảng vụ; cảng hàng không; sân bay; tổng liên đoàn; giáo hội; lữ đoàn; trung đoàn; tiểu đoàn;
sư đoàn; cảnh sát; thông tấn xã; xí nghiệp; nông trường; lâm trường; câu lạc bộ; công đoàn; khoa(?! học);
trung ương hội; trung ương đoàn; chi đoàn; liên chi đoàn; lcđ; chi hội;
btl; quân chủng; quân khu; tổng phụ trách; nhân viên; ban đại diện; cha mẹ học sinh;
phụ huynh; cộng tác viên; y tế thôn; mạng lưới y tế; chủ hộ; chủ cơ sở; người lao động; thư viện(?! số); bảo tàng;
đảng ủy; huyện ủy; thành ủy; tỉnh ủy; thị ủy; quận ủy; đảng bộ; chi bộ; cấp ủy; chính quyền; thường trực(?!,);
chủ tịch; phó chủ tịch; giám đốc; phó giám đốc; thủ trưởng; tổng biên tập; trưởng(?! thành); phó trưởng; chánh;
phó chánh; bộ trưởng; thứ trưởng; cục trưởng; vụ trưởng; viện trưởng; (?:phó )?hiệu trưởng; người đứng đầu; bí thư;
đồng chí; đ/c; ông; bà; thành viên; ủy viên; cán bộ(?! quản lý); công chức; viên chức; đơn vị; cơ quan; địa phương;
lực lượng; khối; nhà trường; giáo viên; gia đình; ban quản lý; toàn thể; bql;
lãnh đạo(?= (?:sở|phòng|ban|công ty|cơ quan|đơn vị|các)(?!\w));
ttyt; cdc; vnpt; viettel; mobifone; agribank; chi nhánh; hạt kiểm lâm; vườn quốc gia; ban giám hiệu; bgh; chủ đầu tư;
chủ rừng; khu phố; thôn; nhà thầu; tư vấn (?:giám sát|thiết kế); tổ chức tài chính; trại giam; trại tạm giam;
đảng đoàn; lđlđ; y tế(?= các (?:bộ|ngành)(?!\w));
cơ sở y tế; cơ sở giáo dục; cơ sở khám; đoàn thanh niên; đoạn quản lý; kế toán(?= ngân sách| trưởng);
người sử dụng lao động; phân hội; cụm; ngành(?! nghề); đoàn thể;
hộ (?:chăn nuôi|kinh doanh); quản đốc; đại biểu(?= (?:hội đồng|hđnd|quốc hội)(?!\w))
""")

# First words of bodies that are also written small.
SMALL_HEADS = words("""
ubnd; ủy ban nhân dân; ủy ban mặt trận; ủy ban mttq; công an; chính quyền; cấp ủy; địa phương; cơ quan; đơn vị;
mặt trận; trưởng (?:thôn|ấp|bản|khu|buôn|xóm); đoàn thể; nhà trường; gia đình; thường trực; sở, ngành; sở, ban; ngành;
doanh nghiệp; lực lượng; cơ sở y tế; kế toán ngân sách; người sử dụng lao động
""")

# What may follow «các», «những», «toàn thể»: a group. Also what a group may count on after a comma or «và».
GROUPED = words(r"""
chi đoàn; chủ rừng; ban đảng; ban cán sự đảng; đảng đoàn; tổ đại biểu; đại biểu(?= (?:hội đồng|hđnd|quốc hội)(?!\w));
chủ thể; hộ; chủ hộ; hộ kinh doanh; chủ cơ sở; cơ sở sản xuất; tiểu thương; nông trường; lâm trường; huyện ủy; thành ủy;
đảng ủy; thị ủy; quận ủy; tỉnh ủy; sở; ban; bộ; ngành; tỉnh; ban ngành; cơ quan; đơn vị; phòng; phòng ban;
trường(?! hợp| kỳ); tổ chức; hội; đoàn thể; địa phương; huyện; thành phố; thành(?! phần); thị xã; thị; thị trấn; xã;
phường; quận; đặc khu; doanh nghiệp; cấp; cấp ủy; cấp chính quyền; thành viên; cơ sở y tế; cơ sở giáo dục; cơ sở;
cơ sở khám bệnh; chữa bệnh; cấp hội; bệnh viện; trung tâm; báo; đài; ngân hàng; công ty; chủ đầu tư; thôn; tổ;
tổ dân phố; bản; khối; khu phố; buôn; ấp; đội; đồng chí; ông; bà; lực lượng; vụ; cục; chi cục; viện; trạm; tòa soạn;
hợp tác xã; tập đoàn; tổng công ty; trường học; trường đại học; đại học; học viện; cao đẳng; trung cấp; hiệp hội;
đơn vị sự nghiệp; tổ chức chính trị - xã hội; tổ chức chính trị xã hội; tổ chức xã hội; cá nhân; đoàn viên; hội viên;
báo chí; phát thanh; truyền hình; thông tấn; cơ quan báo chí; cơ quan thông tin đại chúng; cơ quan truyền thông;
nhà trường; hội quần chúng; hội đặc thù; tổ trưởng; trưởng thôn; trưởng phòng; giáo viên; công chức; cán bộ; viên chức;
người lao động; tập thể; hộ gia đình; gia đình; khoa; bộ môn; tổ chuyên môn; tp; tx; cụm; bên liên quan; ubnd;
ủy ban nhân dân; trạm y tế; đơn vị trực thuộc; địa bàn; trưởng; phó; tiểu ban; chi bộ; đảng bộ; đồn biên phòng;
ban quản lý; nhà máy; khu công nghiệp; nhà đầu tư; nhà thầu; chi nhánh; xí nghiệp; chốt; nhóm; hãng;
phân xưởng; đoàn đại biểu; ủy ban(?= của); đoàn kiểm tra(?= của); huyện đoàn; thành đoàn; quận đoàn
""")

# What may be joined to a name without a capital letter.
SUFFIXES = words(r"""
(?:nêu|quy định) tại [^,.;:]{3,40} này;
được (?:giao|phân công) (?:chủ trì|phụ trách|theo dõi|thực hiện) [^,.:;]{2,60}$;
(?:có )?liên quan;
(?:đóng |có trụ sở |hoạt động )?(?:trên|tại) địa bàn(?: toàn)?(?: (?:tỉnh|thành phố|huyện|quận|xã|phường|thị xã))?;
các cấp; cùng cấp; hai cấp; đăng cai;
cấp (?:tỉnh|huyện|xã|sở|trên|dưới|cơ sở|thành phố)(?:, cấp (?:huyện|xã))*(?: và cấp (?:huyện|xã))?;
(?:trực )?thuộc(?: và trực thuộc)?(?= (?:tỉnh|huyện|thành phố|thị xã|quận|xã|phường|sở|bộ|ubnd|ủy ban|ngành|cục|phạm
vi|trung ương|phòng|ban|cơ quan));
trực thuộc;
của (?:tỉnh|huyện|thành phố|thị xã|quận|xã|phường|ngành|sở|trung ương)(?: và (?:các )?(?:huyện|địa phương))?;
chức năng; chuyên môn; địa phương; khác; nêu trên; được giao; được phân công; phụ trách; thường trực;
trong (?:toàn )?(?:tỉnh|huyện|thành phố|thị xã|quận|xã|phường|ngành|tiểu ban);
nơi (?:đăng ký|cư trú|có (?:[^\W\d_]+ ){1,2}?[^\W\d_]+(?: đi qua)?); hữu quan;
(?:toàn )?(?:tỉnh(?! ủy| đoàn)|thành phố|huyện(?! ủy| đoàn)|quận(?! ủy| đoàn)|thị xã|xã(?! hội)|phường)(?= [^\W\d_]);
nhân dân; chủ chốt; chủ quản; cơ sở; trung ương; khu vực (?:[ivx]+|\d+); là (?:tổ chức|cá nhân|hộ gia đình)(?! bộ);
ở (?:tỉnh|huyện|xã|cơ sở|địa phương)
""")

# Small words that no name holds: where one stands, the name has ended.
STOPS = words("""
để; trong; nhằm; theo; về; khi; nếu; cho; với; tại; đến; từ; do; được; là; sẽ; phải; cần; đã; trước; sau; bằng; qua;
như; đối; ngoài(?! (?:công lập|nhà nước|cửa khẩu|ngân sách)); dưới; trên; vào;
không; chưa; đang; cùng; hoặc; nhưng; mà; thì; bị; bởi; vì; nên; hết; chậm; muộn; này; đó;
có; tự; nhất; rất; cũng; ngay; mỗi; từng; hằng; hàng; tùy; ít; đồng thời; cụ thể; gồm; bao gồm; sau đây; trân trọng;
thông qua
""")

# How a duty begins. In small letters one of these ends a name; with a capital it opens a paragraph.
OPENERS = words("""
phải; sâu sát; sớm(?= (?:tổ chức|hoàn thành|ban hành|trình|triển khai|có));
phục vụ; tham dự; tiến hành; thiết lập; hoàn tất; thúc đẩy; khuyến cáo; cho vay; giải ngân; tuyên dương; trưng bày;
biểu diễn; diễn tập; huấn luyện; thi công; đo đạc; kiểm đếm; phân phối; cấp phát; tiêu hủy; khoanh vùng; ứng phó;
cứu nạn; di chuyển; bồi thường; giải phóng; giao nộp; tra cứu; lấy mẫu; quan trắc; khơi thông; dọn dẹp; trao tặng;
tri ân; dẫn đường; phát tin; phát thanh; phát quang; gia cố; đấu nối; đối chiếu; đối thoại; công nhận; cấp giấy;
tuyển sinh; giảng dạy; lên án; tố giác; rà quét; sao lưu; kết luận; ký hợp đồng; tăng thời lượng; thâm nhập;
nhập dữ liệu; đồng bộ; tiếp sóng; hòa giải; trợ cấp; cai nghiện; bám địa bàn; vận dụng; xác nhận; chứng thực;
nhận diện; làm tốt; cấp phép; trích xuất; tìm kiếm; tuân thủ;
cấp (?:giống|thẻ|tài khoản|chữ ký|mã|kinh phí|bổ sung|đổi);
lãnh đạo(?= ?,| ubnd| hđnd| ủy ban| hội đồng| việc| công tác| thực hiện| triển khai| xây dựng| toàn diện);
phối kết hợp; xét duyệt; cho ý kiến; động viên; đề ra; đăng tin; vinh danh; lắp đặt; nâng cấp; trợ giúp; cứu trợ;
can thiệp; chăm lo; tạo môi trường; truy vết; xét nghiệm; tiêm chủng; cách ly; vận chuyển; bảo tồn; trùng tu; sưu tầm;
biên tập; chấm điểm; xếp loại; bình xét; kiểm điểm; đẩy lùi; ngăn ngừa; giảm thiểu; tuyển chọn; luân chuyển; tinh giản;
chia sẻ; tích hợp; bảo trì; chuẩn hóa; chấn chỉnh; phản bác; định hướng; sẵn sàng; đầu mối; hướng nghiệp; phân luồng;
phân loại; quảng bá; thanh quyết toán; chống lãng phí; không để; tuyệt đối không; ngoài việc; sau khi; khi có;
cùng với; trước mùa; phê phán; đình chỉ; thụ lý; xác minh; giải tỏa; di dời; cắm mốc; hiệp đồng; thanh lý; chỉnh trang;
cải thiện; rút ngắn; cắt giảm; đơn giản hóa; niêm yết; tiếp công dân; chủ trì; đồng chủ trì; chủ động; phối hợp;
chỉ đạo; tham mưu; hướng dẫn; xây dựng; tổ chức; triển khai; tăng cường; chịu trách nhiệm; có trách nhiệm; có nhiệm vụ;
có kế hoạch; có biện pháp; căn cứ; trên cơ sở; rà soát; đẩy mạnh; đẩy nhanh; thực hiện; theo dõi; tiếp tục; báo cáo;
bố trí; cân đối; kiểm tra; thanh tra; thường xuyên; định kỳ; hằng năm; hàng năm; hằng tháng; hàng tháng; hằng quý;
hàng quý; là cơ quan; là đơn vị; là đầu mối; làm đầu mối; đôn đốc; tuyên truyền; vận động; phát huy; lồng ghép;
nghiên cứu; đề xuất; chuẩn bị; cung cấp; nâng cao; giám sát; quản lý; bảo đảm; đảm bảo; tạo điều kiện; tập trung;
tham gia; kịp thời; ban hành; hoàn thành; tổng hợp; thẩm định; thẩm tra; lập; huy động; ưu tiên; quán triệt; phổ biến;
công bố; công khai; cập nhật; đăng tải; đăng phát; thông tin; phân công; phân bổ; giao(?! dịch| thông| ban| lưu); giúp;
hỗ trợ; khuyến khích; kiện toàn; củng cố; duy trì; nắm; phát hiện; xử lý; phòng ngừa; ngăn chặn; đấu tranh; điều tra;
truy tố; xét xử; giáo dục; đào tạo; bồi dưỡng; tập huấn; truyền thông; xác định; đánh giá; sơ kết; tổng kết;
khen thưởng; biểu dương; kiểm soát; tiếp nhận; bàn giao; khảo sát; thống kê; phân tích; dự báo; cảnh báo; tư vấn;
trình; gửi; đăng ký; cử; yêu cầu; chấp hành; nghiêm túc; đề cao; nêu cao; gương mẫu; khẩn trương; quan tâm; chú trọng;
đổi mới; phát triển; bảo vệ; chăm sóc; điều trị; khám; giới thiệu; ký kết; liên kết; kết nối; ứng dụng; số hóa;
cải cách; giải quyết; tháo gỡ; kiến nghị; phê duyệt; quyết định; quy định; hoàn thiện; sửa đổi; bổ sung; điều chỉnh;
cụ thể hóa; đưa; phân cấp; hạn chế; trong phạm vi; theo chức năng; theo nhiệm vụ; với chức năng; phụ trách; trước ngày;
chậm nhất; từ nay; trong quá trình; quá trình; sử dụng; xem xét; trang bị; sản xuất; phát sóng; phát động; phát hành;
xuất bản; nhân rộng; khai thác; vận hành; tuần tra; bám sát; thông báo; hợp tác; tranh thủ; kêu gọi; thanh toán;
quyết toán; sắp xếp; tuyển dụng; kết hợp; gắn; đề nghị; lựa chọn; mở; thành lập; viết; in ấn; treo; biên soạn;
thiết kế; tích cực; rút kinh nghiệm; lấy ý kiến; thí điểm; chuyển; phản ánh; trao đổi; liên hệ; tháo dỡ; trang trí;
đón; mời; bảo quản; mua sắm; đầu tư; trồng; sửa chữa; nạo vét; tu bổ; tôn tạo; dành; thu; nộp; vệ sinh; phun;
giám định; truy quét; triệt phá; phổ cập; nhắc nhở; nghiệm thu; lưu trữ; tôn vinh; thăm; tặng; chi trả; khắc phục;
cứu hộ; sơ tán; ứng trực; trực; chốt; điều động; điều phối; điều tiết; dự trữ; cam kết; ký cam kết; đề cử; kê khai;
cải tạo; kiểm kê; cấy; dừng; hoàn trả; ký(?= thỏa thuận); trao quà; xóa; hoãn; duy tu; đắp; dự phòng; họp;
làm việc(?= với); đảm nhận; xác lập; soi chiếu
""")

# Lower-case compounds inside names that begin like a duty.
COMPOUNDS = words("""
đầu tư xây dựng; đầu tư phát triển; tổ chức chính trị; tổ chức xã hội; tổ chức đoàn thể; tổ chức liên quan;
tổ chức,(?! (?:triển khai|thực hiện|quản lý|chỉ đạo));
tổ chức và cá nhân; tổ chức thành viên; tổ chức tín dụng; tổ chức cơ sở; tổ chức có liên quan; tổ chức đảng;
bảo vệ môi trường; bảo vệ thực vật; bảo vệ rừng; chăm sóc sức khỏe; thông tin đại chúng; thông tin điện tử;
quản lý thị trường; quản lý nhà nước; quản lý dự án; quản lý khu kinh tế; quản lý rừng; quản lý đất đai;
phát triển quỹ đất; phát triển nông thôn; giáo dục nghề nghiệp; giáo dục thường xuyên; giáo dục và đào tạo;
thông tin và truyền thông; quản lý chất lượng; kiểm soát bệnh tật; sản xuất kinh doanh; sản xuất, kinh doanh;
đầu tư và xây dựng; xây dựng cơ bản; chuyển đổi số; quản lý di tích; thông tin cơ sở; truyền thông đại chúng;
giải quyết thủ tục; phát triển cộng đồng; giáo dục lý luận; bảo vệ quyền lợi; điều tra tội phạm;
quản lý chuyên ngành; quản lý cấp trên; hạ tầng xây dựng; giáo dục trực thuộc; cán bộ, công chức, viên chức;
cán bộ, công chức; tham mưu, giúp việc; tham mưu giúp việc; chuyển phát nhanh
""")

# Compounds that end in a word like a duty's: the word belongs to the name after these.
SPANNING = words("""
khách hàng; bán hàng; dịch vụ tổng hợp; nhà thầu thi công; chất lượng giáo dục; giáo dục thường xuyên; tự đánh giá;
y tế dự phòng; phòng khám; điều khiển sản xuất;
ngân hàng; công trình; quy trình; chương trình; độc lập; trật tự; nước ngoài; cửa hàng; nhà hàng; hàng hải;
hàng không; công lập; dân lập; hợp tác xã; thông tấn xã; liên minh hợp tác xã; công nghệ thông tin;
hệ thống thông tin; cổng thông tin; bưu chính viễn thông và công nghệ thông tin; văn hóa thông tin; kế hoạch tổng hợp;
nghiệp vụ tổng hợp; hành chính tổng hợp; tài chính tổng hợp; kinh tế tổng hợp; văn phòng tổng hợp; người nộp thuế;
người sử dụng lao động; người lao động; đội kiểm tra liên ngành; đoàn kiểm tra liên ngành; tổ kiểm tra liên ngành;
đội kiểm tra; đoàn kiểm tra; đoàn thanh tra; đoàn giám sát; ban giám sát; hội đồng thẩm định; tổ thẩm định;
tổ giúp việc; cơ quan điều tra; cảnh sát điều tra; tổ ứng trực; ban xây dựng đảng; ban chỉ đạo; ban tổ chức;
ban quản lý; nội tổng hợp; ngoại tổng hợp; cây trồng; công trình xây dựng; vật liệu xây dựng;
an toàn vệ sinh; thủy sản; hải sản; nông sản; lâm sản; khoáng sản;
tìm kiếm cứu nạn; thiết bị; hậu cần; bầu cử; ban chấp hành
""")
# Openers that always begin a duty, never the rest of a name.
STRONG = words("""
chủ trì; đồng chủ trì; phối hợp; chỉ đạo; tham mưu; có trách nhiệm; chịu trách nhiệm; có nhiệm vụ; căn cứ; tổ chức;
triển khai; xây dựng; hướng dẫn; thực hiện; tăng cường; tiếp tục; báo cáo; theo dõi; rà soát; bố trí; là; bảo đảm;
đảm bảo; đẩy mạnh; vận động; trên cơ sở; chủ động; tham gia; tập trung; đôn đốc; cử; lập; gửi; trình; kịp thời
""")

# How a clause begins that may stand before the body («Căn cứ Kế hoạch này, các sở …»).
CLAUSES = words("""
trên cơ sở; trên đây; kế hoạch này; nhận được; căn cứ; để; nhằm; trong quá trình; quá trình; định kỳ; hằng; hàng; trước;
chậm nhất; sau; khi; theo; ngoài; đối với; trong; từ; vào; thực hiện; kết thúc; qua; 6 tháng; 06 tháng; nếu; trường hợp;
hết; chế độ; thông tin; báo cáo; sơ kết; kinh phí
""")
# Words before a name that say how it is addressed, and whether the body may refuse.
REQUESTS = words("""
kính đề nghị; trân trọng đề nghị; đề nghị; mời; kính mời; trân trọng mời; phối hợp đề nghị; khuyến khích
""")
ORDERS = words("""
riêng; giao cho; giao nhiệm vụ cho; giao trách nhiệm cho; giao; yêu cầu; phân công; trách nhiệm cụ thể của;
trách nhiệm của;
trách nhiệm; nhiệm vụ của; nhiệm vụ; đối với; về phía; ủy quyền cho; ủy quyền; phân công nhiệm vụ cho; ubnd tỉnh giao;
ubnd tỉnh yêu cầu; ủy ban nhân dân tỉnh giao; ủy ban nhân dân tỉnh yêu cầu; ubnd huyện yêu cầu; ubnd huyện giao;
ubnd xã giao; ubnd thành phố giao; ubnd thành phố yêu cầu; ủy ban nhân dân tỉnh đề nghị; nhiệm vụ cụ thể của
""")
BOUND = words("""
chịu trách nhiệm; có trách nhiệm; có nhiệm vụ; thực hiện các nhiệm vụ; thực hiện nhiệm vụ; thực hiện các nội dung;
có trách nhiệm thực hiện; chịu trách nhiệm thực hiện; chủ trì thực hiện; thực hiện
""")

# What a duty section is called: the whole of its heading, or its beginning.
DUTY_HEADINGS = words("""
chế độ thông tin, báo cáo; chế độ báo cáo; chế độ thông tin báo cáo; thông tin, báo cáo; công tác báo cáo;
chế độ thông tin; phân công nhiệm vụ; phân công trách nhiệm; phân công thực hiện; phân công tổ chức; phân công;
tổ chức thực hiện; tổ chức triển khai; tổ chức, thực hiện; trách nhiệm thực hiện; trách nhiệm tổ chức;
trách nhiệm của; trách nhiệm các; trách nhiệm thi hành; trách nhiệm cụ thể; trách nhiệm và; phân giao nhiệm vụ;
giao nhiệm vụ; giao trách nhiệm; nhiệm vụ của các; nhiệm vụ các sở; nhiệm vụ các đơn vị; nhiệm vụ các cơ quan;
nhiệm vụ cụ thể của; nhiệm vụ cụ thể các; tổ chức và phân công; trách nhiệm; công tác tổ chức thực hiện;
triển khai thực hiện; biện pháp tổ chức thực hiện; kế hoạch tổ chức thực hiện; bảng phân công; biểu phân công;
danh mục nhiệm vụ; danh mục phân công; phụ lục phân công; nhiệm vụ và phân công; tổ chức phân công;
nội dung phân công; dự kiến phân công; chỉ đạo thực hiện; tổ chức chỉ đạo thực hiện; điều khoản thi hành;
điều khoản thực hiện
""")
# Sections that are never about who does what, whatever bodies they begin with.
OTHER_HEADINGS = words("""
mục đích; mục tiêu; yêu cầu; chỉ tiêu; căn cứ; kinh phí; nguồn kinh phí; nguồn lực; khẩu hiệu; đánh giá; tình hình;
thực trạng; quan điểm; phạm vi; đối tượng; thời gian; địa điểm; nơi nhận; thành phần;
kết quả đạt được; tồn tại; hạn chế; sự cần thiết; nguyên nhân; cơ sở pháp lý; thông điệp; chủ đề; tên gọi;
giải thích từ ngữ; chế độ khen thưởng; dự toán; dự kiến kinh phí
""")
# Entries of a duty section that are about no body, when nothing in them names one.
NO_BODIES = words("""
kinh phí; nguồn kinh phí; chế độ; thông tin báo cáo; khẩu hiệu; thời gian; khen thưởng; tiến độ; lộ trình; công tác;
nguồn lực; nội dung; hình thức; phương pháp; giải pháp; biện pháp; kiểm tra; giám sát; đánh giá; sơ kết; tổng kết;
báo cáo; chỉ tiêu; mục tiêu; hiệu lực; về; nhiệm vụ; hoạt động; giai đoạn; bước; đợt; chương trình;
chiến dịch; lực lượng$; phương tiện; vật tư
""")
# How paragraphs begin that close a section and speak to everybody, whatever list stands before them.
CLOSERS = words(r"""
trân trọng; trên đây là; trong quá trình thực hiện; trong quá trình triển khai; trong quá trình tổ chức;
quá trình thực hiện; quá trình triển khai; quá trình tổ chức; căn cứ kế hoạch(?! số); căn cứ nội dung kế hoạch;
căn cứ vào kế hoạch; thừa lệnh; yêu cầu; đề nghị; giao;
(?:nhận được )?(?:kế hoạch|chương trình(?: hành động)?|chỉ thị|công điện|quyết định|phương án|văn bản|thông báo)(?: này)
""")
# How the line after a title begins that is no part of it.
TITLE_ENDS = words(r"""
căn cứ; thực hiện (?:quyết định|chỉ thị|nghị quyết|công văn|kế hoạch|chương trình|luật|nghị định|thông báo|văn bản);
triển khai thực hiện (?:quyết định|kế hoạch|nghị quyết|chỉ thị|công văn) số; theo đề nghị; ubnd; ủy ban; sở; để;
nhằm; xét; kính gửi; phần; chương; trong năm; năm \d{4},; thời gian qua; tiếp tục
""")
# What begins a part after the signature, and the first words of a body that issues plans.
RESUMES = words("""
phụ lục; phụ biểu; biểu; danh mục; bảng phân công; kế hoạch; chương trình; đề án; phương án; nội dung phân công;
quy định; quy chế; quy trình
""")
ISSUERS = words(r"""
ubnd; ủy ban nhân dân; sở; phòng; bộ(?! chỉ| đội| tư); công an; cục; chi cục; tổng cục; hội; liên đoàn; trường; trung
tâm; bệnh viện; viện; đảng ủy; huyện ủy; thị ủy; quận ủy; thành ủy; tỉnh ủy; ban(?! nhân); tiểu ban; đảng đoàn; bộ chỉ
huy; bảo hiểm; ngân hàng; kho bạc; đài; tòa án; ubmttq; viện kiểm sát; ủy ban mttq; ủy ban mặt trận; đoàn; thanh tra;
văn phòng; tập đoàn; (?:tổng )?công ty; (?:thuế|hải quan) (?:tỉnh|thành phố|cơ sở|khu vực|cửa khẩu)
""")
TITLES = words("""
kế hoạch; chương trình; đề án; phương án; chỉ thị; quyết định; công văn; hướng dẫn; nghị quyết; thông báo
""")


def compiled(table: Iterable[str], *, whole: bool = True) -> re.Pattern[str]:
    """A table as a pattern that begins at a word and, if ``whole``, ends at one."""
    return re.compile(rf"(?<!\w){any_of(table)}" + (r"(?!\w)" if whole else ""))


DUTY_HEADING = re.compile(rf"(?:{any_of(DUTY_HEADINGS)}(?!\w)[\s,và]*)+(?:kế\s*hoạch|chương\s*trình)?(?: này)?[\s.:]*")
"""A heading that is nothing but the name of a duty section."""
