"""Words about time in a duty: last days, months and quarters, cycles, standing and ad hoc obligations.

Every match includes its sentence. A date that is not a deadline (of a law, of a letter) is recognised by the words
before it: only «trước», «chậm nhất», «đến hết» and the like make a date a last day. Nothing is filled in: a date
without a year stays without one.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache

from engine.features.plan_import.importer.base.model import Deadline, DeadlineKind
from engine.features.plan_import.importer.phrases import lexicon as say
from engine.features.plan_import.importer.phrases.marks import roman_value
from engine.features.plan_import.importer.phrases.name_words import Prose
from engine.rules.vietnamese import phrase, spelled

_NAMED = re.compile(r"\?P<\w+>")


def _filled(words: str, pieces: Mapping[str, str]) -> str:
    """A pattern in which ``{name}`` stands for a piece, its parts without names."""
    return phrase(re.sub(r"\{([a-z]+)\}", lambda each: f"(?:{_NAMED.sub('?:', pieces[each[1]])})", words))


def _table(rows: str) -> dict[str, str]:
    """Rows «name  words» as patterns; the rows of one name are alternatives, ``{name}`` stands for earlier rows."""
    found: dict[str, str] = {}
    for name, words in (row.split(None, 1) for row in rows.strip().splitlines()):
        found[name] = "|".join(filter(None, (found.get(name), _filled(words, found))))
    return found


_PIECES = _table(r"""
named     (?:ngày )?thứ (?:hai|ba|tư|năm|sáu|bảy|[2-7])
before    (?:{named} ?,? )?(?:ngày )?
day       {before}(?P<d>\d{1,2}) [/.-] (?P<m>0?[1-9]|1[0-2])(?!\d)(?: [/.-] (?P<y>\d{4}))?(?![\d%]|/\d)
worded    {before}(?P<d>\d{1,2}) tháng (?P<m>\d{1,2})(?: (?:năm|/|,) (?P<y>\d{4}))?(?!\d)
onlyday   ngày (?:mùng |mồng )?(?P<d>\d{1,2})(?! ?[/.-] ?\d)(?!\d)
others    (?:(?:,| ?và| ?hoặc) (?:ngày )?\d{1,2}(?! ?[/.-] ?\d)){0,4}
bareday   (?:ngày )?(?P<d>\d{1,2})(?={others} (?:(?:hằng|hàng|mỗi|của) (?:tháng|quý)|tháng cuối))
of        /|năm
about     (?:(?:đầu|giữa|cuối|hết) )?
month     {about}tháng (?:\d{1,2} ?[-–] ?)?(?P<m>\d{1,2})(?: (?:/|năm|-) (?P<y>\d{4}))?(?![\d/])
quarter   {about}quý (?P<q>iv|i{1,3}|[1-4])(?!\w)(?: (?:/|năm|-) (?P<y>\d{4}))?
year      {about}năm (?P<y>\d{4})(?!\d)
years     (?:giai đoạn )?\d{4} [-–] (?P<y>20\d\d)(?!\d)
halfyear  (?:0?6|sáu) tháng (?P<h>đầu|cuối) năm(?: (?P<y>\d{4}))?(?!\d)
loose     tết nguyên đán|tết âm lịch|tết|khai giảng|năm học mới|mùa mưa (?:bão|lũ)|năm học(?: \d{4} [-–] \d{4})?
loose     dịp hè|nghỉ hè|học kỳ (?:i{1,2}|[12])(?: năm học \d{4} [-–] \d{4})?
loose     (?:cuối|giữa) nhiệm kỳ|(?:đầu|cuối) tuần
loose     cuối (?:năm học|học kỳ(?: i{1,2})?|năm|quý|tháng)|đầu năm|0?6 tháng đầu năm
half      (?:sáng |chiều |tối )
weekday   {named}(?: (?:hằng|hàng|mỗi) tuần)?(?! ?,? (?:ngày )?\d{1,2} (?:[/.-]|tháng) \d)
point     {weekday}|{worded}|{day}|{bareday}|{onlyday}|{month}|{quarter}|{halfyear}|{year}|{loose}
point     (?:hằng|hàng|mỗi) (?:ngày|tuần)
after     (?:cuối|đầu|sau|trước(?! ngày| \d)|kế tiếp|tiếp theo|liền kề|báo cáo)
turn      (?: (?:của )?(?:mỗi )?(?:quý|kỳ báo cáo|kỳ|năm|tháng)(?: sau| kế tiếp)?)?
each      ,? (?:hằng|hàng|mỗi) (?:tháng|quý|năm)|,? các tháng \d{1,2}(?:, \d{1,2})*(?: và \d{1,2})?
each      ,? (?:của )?(?:tháng|quý|năm) {after}{turn}
season    ngay sau tết(?: nguyên đán)?|trước đợt \w+(?: \w+){1,3}
season    trước (?:mùa \w+|ngày (?:ra quân|khai \w+|bầu cử|hội|thi)|vụ \w+(?: \w+)?)
until     (?:chậm nhất|muộn nhất|trễ nhất|hạn cuối|thời hạn|hạn chót|hạn)
cue       {until}(?: (?:là|vào|đến|trước|hết|ngày nộp|cuối|:))*|(?:xong |hoàn thành )?trước(?: thời điểm| thời hạn)?
cue       đến hết|đến trước|đến(?= cuối)|hết|xong trong|xong|hoàn thành(?: trong| vào)?
clock     \d{1,2} (?:giờ|h) ?(?:\d{2} ?(?:phút|['’])?)?
hour      (?:{clock} ?(?:(?:,|và) {clock} ?)?,? )?
more      (?: (?:,|và|;|hoặc) {day}{each}?| ?(?:,|và|hoặc) (?:{worded}|{bareday}|{onlyday}){each}?){0,4}
unit      0?[369] tháng(?: đầu năm| cuối năm)?|sáu tháng(?: đầu năm| cuối năm)?|ba tháng|chín tháng|0?1 năm
unit      một năm|cả năm(?! học)|(?:hằng|hàng|mỗi|từng) (?:ngày|tuần|tháng|quý|năm)
then      {unit}|đột xuất|tuần|(?:tháng|quý|năm)(?! (?:\d|[iv]+(?!\w)))|tổng kết năm|khi có yêu cầu
thens     (?: (?:,|và|hoặc|;) {then}){0,5}
whole     ngày(?: làm việc)?|tuần|tháng
ofeach    (?:của |mỗi |hằng )*
arises    có|được (?:yêu cầu|đề nghị)|xảy ra|phát hiện|dự báo|kết thúc|tiếp nhận|nhận được|ghi nhận|nghi có|nghi ngờ
stop      trước|chậm|trong|hằng|hàng|mỗi|và|để|phải|sẽ|về|thì|do|đến|từ|theo|trên|gửi|báo cáo|tổ chức|thực hiện|hiệu lực
term      ngày|tuần|tháng|năm|học kỳ|vụ
worse     biến động|bùng phát|diễn biến|tăng|xuất hiện|vượt
strongly  trên \d+ ?%|bất thường|phức tạp|đột biến
event     (?:\s+(?!{stop}(?!\w))[^\W\d_]+){1,8}
within    trong(?: vòng| thời hạn(?: không quá)?| thời gian)?|sau|trước(?: ít nhất| tối thiểu)?
within    chậm nhất(?: là)?(?: sau)?|tối đa(?: là)?(?: không quá)?|không quá|không [^,.;:()\d]{2,25} quá
also      ,|và|-|–
summary   (?:báo cáo|tổng kết|sơ kết)
feast     ngày|giờ|lễ|tuần lễ
many      (?:ít nhất |tối thiểu )?(?:\d{1,3}|một|hai)
some      (?:(?!\s(?:có trách nhiệm|phải|thì)(?!\w))[^,.;:()]){1,80}
since     (?: ,? (?:kể )?từ {some}| (?:sau )?khi {some}| sau (?:mỗi|từng|ngày|kỳ) {some})?
during    (?: trong (?:thời gian|giai đoạn|suốt) [^,.;:()]{3,60}| khi [^,.;:()]{2,40})?
times     (?:ít nhất |tối thiểu )?(?:\d{1,2}|một|hai|ba) (?:lượt|lần|buổi){during}
daily     (?:{cue} {hour})?(?:hằng|hàng|mỗi) (?:ngày|tuần)(?: {times})?
from      (?:,? (?:bắt đầu |kể )?từ {point}(?: (?:đến|-|–|tới) (?:hết )?{point})?)
weekdays  {weekday}(?: ?(?:,|và) thứ \w+(?: (?:hằng|hàng) tuần)?)?
per       (?:/|trong|trên|một|mỗi)(?: 0?1 | một )?
works     lần|lượt|tiết|ngày|đợt|kỳ|cuộc|tin|bài|tin bài|chuyên mục|chuyên trang|buổi|số|ấn phẩm|lớp|phóng sự
works     vòng|tin, bài(?:, phóng sự)?|mẫu|phiếu|xã|hộ|cơ sở
""")


_BUDGET = spelled(
    r"(?:ngân sách|dự toán|trợ cấp|phụ cấp|thù lao|chi trả|lương|kế hoạch(?: sử dụng đất| đầu tư công)?|"
    r"kinh tế - xã hội|chương trình|kinh phí|chi|giáo dục|"
    r"nhiệm vụ|bình quân|danh mục|mức|vốn|tăng)(?: nhà nước)?(?: công tác)?(?: thường xuyên)? $"
)
_OF_LAW = spelled(r"(?:số [^\s,;]{1,40} |/[\wđ-]{1,30} |hiệu lực (?:từ |kể từ )?|ban hành |ký )$")
_DONE_BY = re.compile(rf"(?<!\w)(?:xong|kết thúc|phấn đấu|đạt|giảm|{say.any_of(say.OPENERS)})(?!\w)")
_MADE = spelled(r"(?:xây dựng|ban hành|lập|trình|ký) (?:kế hoạch|chương trình)(?: công tác)? $")


def _unbudgeted(text: str, start: int, end: int) -> bool:
    """«dự toán hằng năm», «chi thường xuyên» say what money it is, not when."""
    owned = text[end : end + 5].lstrip().startswith("của") and re.search(
        r"kế\s*hoạch|chương\s*trình", text[max(0, start - 60) : start]
    )
    before = text[max(0, start - 40) : start]
    return (_BUDGET.search(before) is None or _MADE.search(before) is not None) and not owned


_BY_PARTS = spelled(r"(?<!\w)(?:theo|(?:lịch|kế hoạch) [^,.;]{0,25}) $")


def _months(text: str, start: int, end: int) -> bool:
    """«6 tháng» is a cycle in a row of cycles, or where reports are spoken of; else it is a length of time."""
    here = text[start:end]
    if here.startswith("từng") and _BY_PARTS.search(text[max(0, start - 40) : start]):
        return False  # «kế hoạch theo từng tuần, từng tháng»
    if not re.match(r"0?[369]\s*tháng|sáu|ba|chín|0?1\s*năm|một|cả", here):
        return _unbudgeted(text, start, end)
    near = text[max(0, start - 60) : start] + text[end : end + 30]
    return bool(
        re.search(r",|và|hoặc|đầu năm|cuối năm", here)
        or re.search(phrase(r"định kỳ|báo cáo|sơ kết|đánh giá|một lần|/ ?lần|1 lần|01 lần"), near)
    )


def _acted(text: str, start: int, end: int) -> bool:
    """«trong năm 2021» is a time for the work only where something is to be done by then."""
    ends = re.match(r"\s*(?:[.;)]|,\s|$)", text[end:]) is not None
    return ends or _DONE_BY.search(text[max(0, start - 60) : start]) is not None


_UNMEANT = spelled(r"(?<!\w)(?:vùng|nơi|khu vực|điểm|tuyến|hộ|dồn|sau) $")


def _meant(text: str, start: int, end: int) -> bool:
    """Not «vùng thường xuyên ngập», nor «dồn vào cuối năm»."""
    return _unbudgeted(text, start, end) and _UNMEANT.search(text[max(0, start - 12) : start]) is None


def _standing(text: str, start: int, end: int) -> bool:
    """«thường xuyên» where a clause ends; before other words it says how, not when («thường xuyên
    cập nhật», «giữ liên lạc thường xuyên với …»)."""
    return re.match(r"\s*(?:[.,;)\n]|$)", text[end : end + 3]) is not None and _meant(text, start, end)


def _opening(text: str, start: int, end: int) -> bool:
    """«từ năm 2026» at the end of what is to be done, not of what was done («đã … từ năm 2018»)."""
    clause = re.split(r"[.;,\n]", text[max(0, start - 120) : start])[-1]
    return re.match(r"\s*(?:[.;)]|$)", text[end:]) is not None and "đã " not in clause


_FIGURES = re.compile(r"(?:số\s*liệu\s*đến|tính(?:\s*đến)?)\s*$")


def _undated(text: str, start: int, end: int) -> bool:
    """Not the month of «ngày 26 tháng 4 năm 2014», nor the date of a law."""
    before = text[max(0, start - 50) : start]
    dated = re.search(r"ngày\s*\d{1,2}\s*$", before) is not None
    return not dated and _OF_LAW.search(before) is None and _sent(text, start, end)


def _sent(text: str, start: int, end: int) -> bool:
    """Not the day until which figures are counted («số liệu tính đến ngày 14»)."""
    return _FIGURES.search(text[max(0, start - 20) : start]) is None


_TIME_LABEL = spelled(r"(?:thời gian|thời hạn)[^.;:\n]{0,25}: $")


def _labelled(text: str, start: int, end: int) -> bool:
    """«Thời gian thực hiện: 2026 - 2030»; elsewhere years are the name of a programme."""
    return _TIME_LABEL.search(text[max(0, start - 45) : start]) is not None


_PAPER = spelled(
    r"(?:(?<!\w)số [^\s,;]{1,40}|/[\wđ&-]{1,30}|"
    r"(?<!\w)luật(?!\w)[^.;]{0,90}|(?<!\w)(?:nghị định|nghị quyết|quyết định|thông tư|chỉ thị|công văn|"
    r"pháp lệnh|kết luận|hiến pháp|công điện)"
    r"(?!\w)[^.,;]{0,80}|(?:ban hành|có hiệu lực|thông qua)(?: từ| kể từ)?) $"
)


def _event(text: str, start: int, end: int) -> bool:
    """A bare date is the day of the work itself, unless it is the date of a paper or belongs to somebody's act."""
    after = text[end : end + 6].lstrip()
    before = text[max(0, start - 200) : start]
    return _PAPER.search(before) is None and not after.startswith(("của", "/")) and not before.endswith(" sau ")


_PLANNED = spelled(r"(?<!\w)(?:phương án|kịch bản|không|cấm)(?!\w)")


def _within(text: str, start: int, end: int) -> bool:
    """«khi có sự cố», but not the end of «sau khi có …», «kể từ khi có …», nor when a plan holds or something is
    forbidden («phương án khôi phục khi …», «không mở cống khi …»), unless it is at once or asked."""
    clause = re.split(r"[.;\n]", text[max(0, start - 120) : start])[-1]
    planned = _PLANNED.search(clause) and not re.search(r"^ngay|yêu\s*cầu", text[start:end])
    return not planned and re.search(r"(?:kể\s*từ|sau|trước|đến|h[àằ]ng\s*\w+)\s*$", clause) is None


def _apart(text: str, start: int, end: int) -> bool:
    """A quarter of no year at the end of a word says whose figures they are («dự báo thu quý IV»), not when."""
    bare = text.startswith("quý", start) and not re.search(r"\d{4}", text[start:end])
    return not bare or re.search(r"[^\W\d_]\s$", text[max(0, start - 2) : start]) is None


# Whether words are really about time where they stand: (text, start, end).
_CHECKS: Mapping[str, Callable[[str, int, int], bool]] = {
    "always": lambda text, start, end: True,
    "undated": _undated,
    "acted": _acted,
    "apart": _apart,
    "event": _event,
    "months": _months,
    "meant": _meant,
    "open": _opening,
    "sent": _sent,
    "labelled": _labelled,
    "standing": _standing,
    "within": _within,
}
_RULES = tuple(
    (DeadlineKind(kind), re.compile(rf"(?<!\w)(?:{_filled(words, _PIECES)})(?!\w)"), _CHECKS[check])
    for kind, check, words in (
        row.split(None, 2)
        for row in r"""
date      undated  {cue} {hour}{point}{each}?{more}|{season}|trước ngày (?:[^\W\d_]+ ){1,4}{day}
date      always   (?:hằng|hàng|mỗi) tháng \( {cue} {onlyday} \)|(?<=\()đến {day}(?= ?\))
date      always   ^(?:{worded}|{day}){more}{each}|^{bareday}{each}?{more}
date      sent     (?=ngày ){bareday}{each}?{more}|{onlyday}(?= (?:của )?tháng cuối){each}
period    always   {daily}(?:{from} (?:đến|-|–|tới) (?:hết )?{point}| trong {month})
period    event    (?:vào )?(?:đêm|sáng|chiều|tối) (?:ngày )?{day}
date      always   vào (?:dịp |{half})?(?:{worded}|{day}|{bareday}){each}?{more}|vào {onlyday}{more}(?= ?[.;,])
period    undated  tháng \d{1,2} ?[-–] ?\d{1,2}(?: / \d{4})
period    always   (?:các |vào {half}?{hour}(?:các )?){weekdays}(?:{from}(?: đến (?:hết )?{point})?| trong {month})?
period    undated  từ {hour}{point} (?:đến|-|–|tới) (?:hết |cuối )?{hour}(?:{point}|nay){each}?
period    always   {half}?{named} (?:hằng|hàng|mỗi) tuần
period    apart    (?:trong |vào |từ )?{quarter}{each}?(?: (?:,|và|-|–) (?:quý )?(?:iv|i{1,3})(?: {of} \d{4})?){0,3}
period    undated  (?:trong|vào|từ) {month}{each}?(?: (?:{also}|đến) (?:tháng )?\d{1,2}(?:/\d{4})?(?![\d/])){0,4}{each}?
period    undated  tháng \d{1,2} (?:hằng|hàng|mỗi) năm
period    labelled {years}
period    undated  (?:đầu|giữa|cuối) tháng \d{1,2}(?: / \d{4})?(?![\d/])
period    undated  tháng \d{1,2} ?(?:/|năm) ?\d{4}(?: (?:,|và|-|–|đến) tháng \d{1,2} ?(?:/|năm) ?\d{4}){0,3}
period    acted    (?:trong|vào) {year}
period    open     từ {year}(?: trở đi)?
period    meant    (?:vào|trong|từ) {loose}
period    always   (?:vào )?(?:đầu|cuối) mỗi (?:học kỳ|năm học|đợt|vụ|phiên(?: giao dịch| chợ)?|ca)
period    open     từ (?:ngày )?{day}|đến khi công bố hết dịch
period    always   năm học \d{4} [-–] \d{4}(?= ?:)
period    always   (?:trong|vào) tháng (?:công nhân|thanh niên|hành động)(?![^.;]{0,60}\( ?(?:tháng|từ))
period    always   (?:trong |vào )?(?:các|hai|ba) ngày \d{1,2}(?: ?{also} \d{1,2}(?! ?[/.-])){0,6} ?{also} {day}
period    event    (?:(?:nhân |vào |trong )?dịp [^,.;:()\d]{0,25}|nhân {feast} [^,.;:()\d]{2,40}){day}(?: [-–] {day})?
period    always   trong (?:giai đoạn|thời gian|suốt) (?:thí điểm|thử nghiệm|chạy thử|vận hành|chờ)[^,.;:()]{0,50}
period    always   trong (?:suốt thời gian diễn ra|những ngày) [^,.;:()]{3,40}
period    always   (?:trong|vào|nhân) dịp (?:ngày hội|đại hội)[^,.;:()\d]{0,40}
period    always   trước, trong và sau (?:dịp |kỳ nghỉ )?(?:tết|lễ)[^,.;:()]{0,40}
period    always   trong các năm \d{4}(?: ?{also} \d{4}){1,4}
period    acted    trong năm(?: tiếp theo|(?= ?(?:[.,;)]|$)))
term      always   {within} \d{1,3}(?: \([^()]{1,30}\))? (?:phút|giờ|ngày|tuần|tháng)(?: làm việc)?{since}
cycle     always   (?:theo |báo cáo )?định kỳ {then}{thens}
cycle     always   (?:báo cáo )?định kỳ \d{1,2} (?:ngày|tuần|tháng|quý)(?: ?/ ?\w+)?
cycle     months   {unit}{thens}
cycle     always   {daily}{from}|(?:hằng|hàng) năm,? từ {year}
cycle     always   (?<!quá\s){many} {works} ?{per} ?(?:{term}|quý(?! [iv]+(?!\w)))(?:{from}|{during})
cycle     always   {many} {works}(?: [^\W\d_]+){0,3} ?/ ?[^\W\d_]+ ?/ ?(?:tháng|năm học|năm)
term      always   {until}(?: là)? ngày (?:làm việc )?(?:tiếp theo|kế tiếp|hôm sau|liền kề)
term      always   ngay trong (?:ngày(?: làm việc)?|buổi \w+)|(?<!giờ\s)trong ngày(?: làm việc|(?= ?[.;)]))
cycle     always   nửa (?:tháng|năm) ?(?:/|một|mỗi)? ?(?:0?1|một)? ?lần
cycle     always   (?:\d{1,2}|một|hai|ba|sáu) (?:phút|giờ|ngày|tháng|quý|năm|tuần) ?(?:/|một|mỗi)? ?(?:0?1|một)? ?lần
cycle     always   (?:mỗi |một )?(?:ngày|tuần) {times}|(?:mỗi|một) (?:giờ|tháng|quý|năm|học kỳ) {times}
cycle     always   (?:sơ|tổng) kết \d{1,2} năm(?: (?:,|và) (?:(?:sơ|tổng) kết )?\d{1,2} năm){1,4}
cycle     always   {summary} (?:quý|năm|tháng)(?! \d|[^.;,]{0,40}(?:hằng|hàng) )(?= ?(?:trước|chậm nhất|gửi|[().;]|$))
cycle     always   (?<=[,:]\s)(?:năm|quý|tháng)(?= \( (?:trước|chậm|gửi))
cycle     always   định kỳ(?= báo cáo| ?[.;])
cycle     always   tại (?:[^\W\d_]+ ){0,2}giao ban (?:hằng |hàng )?(?:tuần|tháng|quý)(?! (?:đầu|cuối))
cycle     always   (?:hằng|hàng|mỗi) (?:buổi )?(?:sáng|chiều|tối|trưa)
period    always   (?:tại|vào|trước) kỳ họp (?:thứ \w+|(?:thường lệ )?(?:giữa|cuối) năm(?: \d{4})?|gần nhất|tiếp theo)
period    always   (?:trong thời gian )?giữa hai kỳ họp
period    event    (?:vào )?ngày (?:{worded}|{day}){each}?{more}
standing  standing thường xuyên(?:,? trong năm)?|quanh năm|suốt năm|trong cả năm
ad_hoc    always   (?:^|(?<=[,;(]\s)|(?<=và\s)|(?<=cáo\s))đột xuất(?! ?:)|đột xuất(?= khi)|khi cần thiết|khi cần
ad_hoc    within   (?:ngay )?khi {arises}{event}?
ad_hoc    within   khi (?:(?!chưa )[^\W\d_]+ ){1,5}(?:có )?{worse}(?: {strongly}| \d[^.;()]{0,20})?
ad_hoc    always   (?:trước|sau) (?:khi(?! trình| ban hành| ký| kết hôn)|mỗi|từng|kỳ|thời điểm) [^,.;:()]{2,60}
cycle     always   (?:vào )?(?:{weekday} )?{whole} (?:đầu|cuối)(?: tiên| cùng)? {ofeach}(?:tháng|quý|năm)
""".strip().splitlines()
    )
)
LONGEST = 4000
_SENTENCE = re.compile(r"(?<=[.;!?])\s+(?=[^\W\d_a-zđàáảãạăâèéêìíòóôơùúưỳý]|\d|[-+*(\"“])|\n+")
_CADENCES = _table("""
week        (?:hằng|hàng|mỗi|từng) tuần|định kỳ tuần|cáo tuần|(?:[/,]|0?1|một|và) ?tuần(?! \\d)
half_month  nửa tháng
month       cáo tháng|(?:hằng|hàng|mỗi|từng) tháng|định kỳ tháng|(?:[/,]|0?1|một|và) ?tháng(?! \\d)
quarter     cáo quý|(?:đầu|mỗi|hằng|hàng|từng) quý|(?:,|và|/|kỳ|hoặc|cuối|của) ?quý|(?:0?3|ba) tháng(?! \\d)
half_year   (?:0?6|sáu) tháng(?! \\d)
nine_month  (?:0?9|chín) tháng(?! \\d)
year        ^năm$|cáo năm|(?:hằng|hàng|mỗi|từng|cả|kết) năm|(?:0?1|một|,|và|/|kỳ|hoặc|quý) ?năm(?! \\d)
ad_hoc      đột xuất|khi có yêu cầu
""")


def sentences(text: str) -> list[tuple[int, str]]:
    """The sentences of a text with where each begins."""
    starts = (0, *(found.end() for found in _SENTENCE.finditer(text)))
    return [(start, part.strip()) for start, part in zip(starts, _SENTENCE.split(text), strict=True)]


@lru_cache(maxsize=2048)
def deadlines_in(text: str, *, column: bool = False) -> tuple[Deadline, ...]:
    """The words about time in a text, in its order, none twice. ``column``: the text is the cell of a deadline column,
    where a bare date or year is one."""
    prose = Prose.of(text)
    said = _WINDOW.sub(lambda window: " " * len(window[0]), prose.plain)
    found = sorted(_matches(said), key=lambda each: (each[0], -each[1]))
    parts = sentences(text)
    taken, kept = 0, []
    for start, end, kind in found:
        if start < taken:
            continue
        taken = end
        sentence = parts[bisect_right(parts, start, key=lambda each: each[0]) - 1][1]
        kept.append(_deadline(text[start:end], prose.plain[start:end], kind, sentence))
    if column and not kept:
        bare = text.strip()
        dated = re.sub(r"(?:(?<![\d/.-])|(?<=20\d\d-))(?=20\d\d(?!\d))", "năm ", prose.plain)
        return (_deadline(bare, dated, DeadlineKind.PERIOD, bare),) if re.search(r"\w", bare) else ()
    return tuple(kept)


_WINDOW = re.compile(_filled(r"(?:số liệu[^.;]{0,20}|tính) từ {day} đến (?:hết )?{day}", _PIECES))
"""The days between which figures are counted."""


def is_dated(text: str) -> bool:
    """Whether a text names a last day; one that is no paragraph any more is not looked through."""
    return len(text) <= LONGEST and any(each.kind is DeadlineKind.DATE for each in deadlines_in(text))


def _matches(plain: str) -> Iterator[tuple[int, int, DeadlineKind]]:
    for kind, pattern, holds in _RULES:
        for found in pattern.finditer(plain):
            if holds(plain, *found.span()):
                yield *found.span(), kind


def _deadline(text: str, plain: str, kind: DeadlineKind, sentence: str) -> Deadline:
    words = _ACT.sub("", re.sub(r"\s+", " ", text).strip(" ,;:"))
    repeats = kind in (DeadlineKind.CYCLE, DeadlineKind.AD_HOC) or _REPEATS.search(plain) is not None
    often = _days_between(plain) if kind is DeadlineKind.CYCLE else None
    if often is None:
        cadence = tuple(name for name, pattern in _CADENCES.items() if repeats and re.search(pattern, plain))
    else:
        cadence = (_EVERY[often],) if often in _EVERY else ()
    before = re.search(r"(?<!\w)trước", plain) is not None and kind is DeadlineKind.DATE
    return Deadline(
        text=words,
        kind=kind,
        sentence=sentence,
        days=_days(plain) if kind in _DATED else (),
        before=before,
        cadence=cadence,
        uncounted=not cadence and _counts(plain, sentence, often),
    )


def _counts(plain: str, sentence: str, often: float | None) -> bool:
    """Whether the words of a cycle that is none of ours ask for something: seldom, or for reports."""
    reports = "báo cáo" in sentence.lower()
    if often is None:
        return reports and re.search(r"định\s*kỳ", plain) is not None
    return reports or often >= _WEEK_DAYS


_COUNT = r"\d{1,3}|một|hai|ba|bốn|sáu|nửa"
_TIMES = "lần|lượt|kỳ|đợt|cuộc"
_UNITS = {"ngày": 1, "tuần": 7, "tháng": 30, "quý": 90, "năm": 360}
_UNIT = "|".join(_UNITS)
_OFTEN = (
    spelled(rf"(?P<times>{_COUNT}) (?:{_TIMES}) ?(?:/|trong|trên|một|mỗi)? ?(?:0?1|một)? ?(?P<unit>{_UNIT})(?!\w)"),
    spelled(rf"(?P<unit>{_UNIT}) (?:ít nhất |tối thiểu )?(?P<times>{_COUNT}) (?:{_TIMES})(?!\w)"),
    spelled(rf"(?P<count>{_COUNT}) (?P<unit>{_UNIT}) ?(?:/|một|mỗi)? ?(?:0?1|một)? ?lần(?!\w)"),
    spelled(rf"định kỳ (?P<count>{_COUNT}) (?P<unit>{_UNIT})$"),
)
_NUMBERS = {"một": 1, "hai": 2, "ba": 3, "bốn": 4, "sáu": 6, "nửa": 0.5}
_WEEK_DAYS = 7
_EVERY: Mapping[float, str] = {
    7: "week",
    15: "half_month",
    30: "month",
    90: "quarter",
    180: "half_year",
    270: "nine_month",
    360: "year",
}
"""Days between, a month counted as 30."""


def _days_between(plain: str) -> float | None:
    """Of «02 lần/năm», «mỗi tháng hai lần», «3 tháng/lần»: the days between two; None where nothing is counted."""
    found = next((match for form in reversed(_OFTEN) if (match := form.search(plain))), None)
    if found is None:
        return None
    parts = found.groupdict()
    number = parts.get("count") or parts["times"]
    n = _NUMBERS.get(number) or int(number) or 1
    return _UNITS[parts["unit"]] * n if parts.get("count") else _UNITS[parts["unit"]] / n


_ACT = re.compile(r"^(?:(?:hoàn\s*thành|xong)\s+)(?=\w)", re.IGNORECASE)
_REPEATS = re.compile(r"(?<!\w)(?:hằng|hàng|mỗi|định\s*kỳ|cuối\s*quý|đầu\s*quý)(?!\w)")
_DATED = (DeadlineKind.DATE, DeadlineKind.PERIOD)
_POINTS = ("worded", "day", "quarter", "halfyear", "month", "year", "bareday", "onlyday")
_ANY_POINT = re.compile("|".join(rf"(?<![\d/]){_filled(f'{{{name}}}', _PIECES)}" for name in _POINTS))


def _point(y: str | None = None, m: str = "", d: str = "", q: str = "", h: str = "") -> str:
    """A point in time of its parts: «2021-12-15», «--12-15», «2021-12», «2021-Q3», «2021», «---15». Half a year ends
    with its quarter."""
    if h:
        return f"{y or '-'}-Q{2 if h == 'đầu' else 4}"
    if q:
        return f"{y or '-'}-Q{roman_value(q.upper()) or q}"
    if not m:
        return y or f"---{int(d):02d}"
    return f"{y or '-'}-{int(m):02d}" + (f"-{int(d):02d}" if d else "")


_SPAN = re.compile(_PIECES["years"])


def _days(plain: str) -> tuple[str, ...]:
    """The points in time that the words name, in order; of «tháng 10 - 12/2023» the last month."""
    if span := _SPAN.fullmatch(plain.strip()):
        return (span["y"],)
    rests = [plain[point.start() :] for point in _ANY_POINT.finditer(plain)]
    return tuple(
        next((_point(**found.groupdict()) for name in _POINTS if (found := re.match(_PIECES[name], rest))), "")
        for rest in rests
    )
