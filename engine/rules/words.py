"""Display words, Vietnamese and English: agency levels, stored codes, periods, days, moments, distances. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime

from engine.enums import complete
from engine.rules.calendar import ONE_DAY, PLAN_TIME, WEEKDAYS, WorkCalendar, day_digits, written
from engine.rules.periods import found_period, split_after
from engine.rules.situation import is_past
from engine.terms import Role, State
from engine.text import Text

LEVELS: Mapping[str, Text] = {
    "tinh": Text("Cấp tỉnh", "Province"),
    "so": Text("Sở, ban, ngành", "Departments"),
    "luc_luong": Text("Lực lượng vũ trang", "Forces"),
    "doan_the": Text("Đoàn thể", "Mass organisations"),
    "mat_tran": Text("Mặt trận Tổ quốc", "Fatherland Front"),
    "ngan_hang": Text("Ngân hàng", "Banks"),
    "bao_chi": Text("Báo chí, phát thanh - truyền hình", "Press and broadcasting"),
    "huyen": Text("Huyện, thành phố, thị xã", "Districts"),
    "xa": Text("Cấp xã", "Communes"),
    "khac": Text("Cơ quan khác", "Other agencies"),
}
"""Agency levels, in the order in which lists show them."""

ROLES: Mapping[Role, Text] = complete(
    Role,
    {
        Role.COORDINATOR: Text("đầu mối", "coordinator"),
        Role.HEAD: Text("người đứng đầu", "head"),
        Role.DEPUTY: Text("người thay đầu mối", "deputy"),
        Role.MONITOR: Text("bộ phận theo dõi", "monitor"),
        Role.DIRECTOR: Text("lãnh đạo cơ quan theo dõi", "head of the department above"),
        Role.LEADERSHIP: Text("lãnh đạo cơ quan ban hành", "leadership of the issuer"),
    },
)
"""Roles of contacts."""

STATES: Mapping[State, Text] = complete(
    State,
    {
        State.ASSIGNED: Text("mới giao", "assigned"),
        State.ACKNOWLEDGED: Text("đã xác nhận", "acknowledged"),
        State.REPORTED: Text("đã báo cáo, chờ tiếp nhận", "reported, awaiting acceptance"),
        State.RETURNED: Text("báo cáo bị trả lại", "report returned"),
        State.ACCEPTED: Text("đã tiếp nhận", "accepted"),
        State.CANCELLED: Text("đã hủy", "cancelled"),
        State.TRANSFERRED: Text("đã chuyển giao", "transferred"),
    },
)
"""Labels of the work states."""

CODES: Mapping[str, Text] = {
    "open": Text("Mở việc", "Opening"),
    "act": Text("Nhắc và đôn đốc", "Remind and escalate"),
    "digest": Text("Tổng hợp tuần", "Weekly digest"),
    "deliver": Text("Gửi thư", "Deliver letters"),
    "audit": Text("Tự kiểm tra", "Self-audit"),
    "receive": Text("Nhận thư trả lời", "Receive answers"),
    "watch": Text("Canh các kênh gửi", "Watch the channels"),
    "upkeep": Text("Dọn dẹp hằng ngày", "Daily upkeep"),
    "webhooks": Text("Báo hệ thống khác (webhook)", "Webhooks"),
    "email": Text("thư điện tử", "e-mail"),
    "sms": Text("tin nhắn", "SMS"),
    "zalo": Text("Zalo", "Zalo"),
    "plans": Text("kế hoạch", "plans"),
    "assignments": Text("việc", "assignments"),
    "rungs": Text("mốc nhắc", "reminders"),
    "skipped": Text("bỏ qua", "left out"),
    "notices": Text("nội dung thư", "lines"),
    "unreachable": Text("không liên lạc được", "unreachable"),
    "digests": Text("thư tổng hợp", "digests"),
    "empty": Text("không có gì", "empty"),
    "letters": Text("thư", "letters"),
    "accepted": Text("đã gửi", "accepted"),
    "delivered": Text("đã đến", "delivered"),
    "retry": Text("sẽ gửi lại", "to be retried"),
    "refused": Text("bị từ chối", "refused"),
    "unknown": Text("chưa rõ", "unknown"),
    "suppressed": Text("không gửi", "not sent"),
    "without_next_step": Text("không có bước tiếp theo", "without a next step"),
    "acts": Text("thao tác hết hạn hoàn tác", "acts that can be undone no longer"),
    "overdue_looks": Text("chưa được xem đúng giờ", "not checked in time"),
    "stuck_letters": Text("thư chờ quá lâu", "stuck letters"),
    "kept_here": Text("để lại trên máy chủ, chưa gửi", "kept on this machine"),
    "letters_kept_here": Text("thư để lại trên máy chủ, chưa gửi", "letters kept on this machine, not sent"),
    "late_letters": Text("thư đã quá một giờ chưa gửi được", "letters not sent an hour after the first attempt"),
    "channels_down": Text("kênh gửi đang hỏng", "channels down"),
    "failed_letters": Text(
        "thư hôm nay bị từ chối hoặc chưa rõ kết quả", "letters of today refused or of unknown outcome"
    ),
    "mark_unusable": Text(
        "máy chủ không gửi vì không đọc, ghi được tệp «high-water»", "a machine sends nothing for its «high-water» file"
    ),
    "passes_hang": Text("lần xử lý quá nửa giờ chưa xong", "passes that have not ended for half an hour"),
    "failed_passes": Text("lần xử lý tự động bị lỗi", "failed passes"),
    "looks_too_late": Text(
        "việc có bước kế tiếp trễ hơn chính sách", "assignments whose next action is later than the policy"
    ),
    "openings_forgotten": Text("kế hoạch còn kỳ mà không chờ mở", "plans with periods to come that open nothing"),
    "plans_without_work": Text("kế hoạch đang chạy mà không mở việc nào", "running plans that open nothing"),
    "letters_of_another_day": Text("thư ghi khác ngày của nó", "letters with another day than their own"),
    "sending_without_lease": Text("thư đang gửi mà không ai gửi", "letters on their way by nobody"),
    "contacts_without_address": Text("đầu mối không có địa chỉ nào", "contacts without any address"),
    "suppressed_without_cause": Text("địa chỉ bị ngừng gửi mà không rõ vì sao", "addresses stopped for no known cause"),
    "promises_differ": Text("việc chờ khác ngày đã hẹn", "tasks that wait for another day than promised"),
    "plans_of_another_state": Text("kế hoạch có trạng thái không ai đặt", "plans in a state that nobody set"),
    "letters_without_lines": Text("thư chờ gửi không có nội dung đúng", "letters that wait without their lines"),
    "impossible_values": Text("dòng có giá trị không thể có", "rows with a value that cannot be"),
    "calendar_differs": Text("ngày nghỉ, ngày làm bù không ai đặt", "days of the calendar that nobody set"),
    "policies_differ": Text("chính sách, mốc nhắc bị sửa từ bên ngoài", "policies or ladders altered from outside"),
    "levels_without_letters": Text("lần đôn đốc chưa từng xảy ra", "levels of chasing that were never reached"),
    "rungs_missed": Text("việc bị bỏ mốc nhắc", "assignments whose rungs were passed over"),
    "dues_moved_by_nobody": Text("hạn bị đổi mà không ai đổi", "due dates that nobody moved"),
    "dropped_by_nobody": Text("việc ghi là đã hủy mà không ai hủy", "tasks called cancelled by nobody"),
    "done_without_report": Text("việc ghi là xong mà không có báo cáo", "tasks called done without a report"),
    "facts_unreadable": Text("giá trị lưu không đọc được, coi như không có", "stored values that cannot be read"),
    "log_differs": Text("nhật ký không còn như khi ghi: dondoc audit log", "the log was changed: dondoc audit log"),
    "rows_differ": Text(
        "dòng bị sửa mà nhật ký không có: dondoc audit rows", "rows changed by no act: dondoc audit rows"
    ),
    "disk_low": Text("đĩa còn dưới một phần mười", "less than a tenth of the disk is free"),
    "machines_silent": Text("máy chủ quá 15 phút không hoạt động", "machines not heard for fifteen minutes"),
    "machines_older": Text("máy chủ chạy phiên bản cũ hơn máy khác", "machines of an older version than another's"),
    "backup_old": Text("quá 3 ngày chưa có bản sao lưu tốt", "no good backup for three days"),
    "findings_told": Text("lỗi đã báo người vận hành", "findings told to the operator"),
    "canary": Text("thư thử hằng ngày", "daily test letters"),
    "canary_missing": Text("thư thử hôm nay chưa về hộp thư", "today's test letter has not come back"),
    "weekly_letter": Text("thư thử hằng tuần", "weekly test letters"),
    "arrival_unconfirmed": Text(
        "chưa ai xác nhận thư thử hằng tuần đã đến", "nobody has confirmed that the weekly test letter arrived"
    ),
    "holidays_missing": Text("chưa nhập ngày nghỉ năm sau", "next year's holidays not entered"),
    "evidence_lost": Text("tệp minh chứng mất hoặc bị sửa", "files of evidence lost or altered"),
    "unreadable_rows": Text("mục kiểm tra không đọc được dữ liệu", "checks that could not read their rows"),
    "search_lost": Text("chỉ mục tìm kiếm không đủ", "the search index is incomplete"),
    "letters_far_ahead": Text("thư hẹn gửi quá xa", "letters dated far ahead"),
    "digest_in_future": Text(
        "lần tổng hợp hoặc dọn dẹp trước ghi ở tương lai", "the last digest or daily upkeep is dated in the future"
    ),
    "sent_without_record": Text("thư đã gửi mà không có lần gửi", "sent letters without a delivery"),
    "reported_without_report": Text("việc đã báo cáo mà không có báo cáo", "reported assignments without a report"),
    "clock_wrong": Text("đồng hồ máy chủ không đáng tin, mọi việc tạm dừng", "wrong server clock, all is held"),
    "open_files": Text("tệp dữ liệu người khác đọc được", "data files that others may read"),
    "unknown_letters": Text("thư chưa rõ kết quả", "letters with unknown result"),
    "receipts": Text("báo phát", "receipts"),
    "extension_asked": Text("xin gia hạn", "extensions asked"),
    "said": Text("khó khăn, câu hỏi, trả lời", "difficulties, questions, answers"),
    "stopped": Text("ngừng SMS", "SMS stopped"),
    "already": Text("đã làm từ trước", "already done"),
    "not_understood": Text("chưa hiểu", "not understood"),
    "proposed": Text("chờ xác nhận nội dung", "waits to be confirmed"),
    "automatic": Text("máy tự trả lời", "automatic"),
    "bounced": Text("thư bị trả về", "bounces"),
    "bounced_elsewhere": Text("bản chuyển tiếp bị trả về", "a forwarded copy bounced"),
    "early": Text("đến sớm, chờ", "early, waiting"),
    "stranger": Text("người gửi ngoài danh bạ", "strangers"),
    "not_the_reader": Text("không phải người nhận", "not the reader"),
    "limited": Text("quá nhiều mã sai", "too many wrong codes"),
    "unproven": Text("không chứng minh được là trả lời thư của hệ thống", "not proven to answer a letter"),
    "unauthenticated": Text("không xác thực được người gửi", "sender not authenticated"),
    "again": Text("gửi lặp lại", "duplicates"),
    "failed": Text("xử lý bị lỗi", "failed"),
    "left_in_mailbox": Text("thư còn trong hộp thư, đọc ở lần sau", "mails left in the mailbox for the next pass"),
    "filed": Text("tệp đã lưu", "files kept"),
    "messages": Text("nội dung thư đến cũ đã xóa", "texts of old answers deleted"),
    "mailbox_failed": Text("không đọc được hộp thư", "the mailbox could not be read"),
    "contacts": Text("địa chỉ của người thôi làm đầu mối được xóa", "addresses of people who left removed"),
    "senders": Text("địa chỉ người gửi đã thôi làm đầu mối được xóa", "senders who left removed"),
    "sessions": Text("phiên đăng nhập cũ", "old sessions"),
    "links": Text("liên kết đã dùng", "used links"),
    "codes": Text("mã trả lời cũ", "old answer codes"),
    "published": Text("kỳ đã chốt số liệu", "periods published"),
    "letters_held": Text("thư được giữ lại: cơ sở dữ liệu có thể là bản cũ", "letters held: perhaps an earlier copy"),
    "answers": Text("phản hồi API đã cũ", "old machine answers"),
    "files": Text("tệp không báo cáo, bản nháp nào dùng", "files that no report or draft names"),
    "bodies": Text("nội dung thư cũ đã xóa", "texts of old letters deleted"),
    "bytes": Text("tệp xóa khỏi đĩa", "files removed from the disk"),
    "names": Text("tên cơ quan bắt đầu từ hôm nay", "agency names beginning today"),
    "pending_answers": Text("kết quả việc chạy lâu quá 1 ngày", "answers of long work over 1 day old"),
    "webhook_messages": Text("tin webhook quá 90 ngày", "webhook messages over 90 days old"),
    "changes": Text("dấu thay đổi cũ đã bỏ", "old marks of changes dropped"),
    "tally": Text("số đếm của bảng theo dõi sai, đã đếm lại", "the board counters were wrong and have been recounted"),
    "down": Text("kênh hỏng", "channels down"),
    "told": Text("đã báo người vận hành", "operator notified"),
    "restored": Text("bỏ vì cơ sở dữ liệu là bản cũ", "dropped: an earlier copy"),
    "merged": Text("gộp vào thư sau", "merged into a later letter"),
    "lease_lost": Text("hai lần đang gửi thì tiến trình gửi dừng", "its sender stopped twice while sending it"),
    "not_settled": Text("không ghi được kết quả gửi", "the outcome of sending could not be recorded"),
    "on_hold": Text("được giữ lại, sẽ gửi sau", "held, to be sent later"),
    "bounced_soft": Text("tạm bị trả về, sẽ gửi lại", "soft bounce, to be retried"),
    "no_address": Text("không có địa chỉ", "no address"),
    "address_suppressed": Text("địa chỉ đã ngừng nhận", "address suppressed"),
    "no_longer_answers": Text("không còn làm đầu mối", "no longer answers"),
    "nothing_left": Text("không còn nội dung cần gửi", "nothing left to say"),
    "acknowledged": Text("đã xác nhận", "acknowledged"),
    "reported": Text("đã báo cáo", "reported"),
    "returned": Text("đã trả lại", "returned"),
    "cancelled": Text("đã hủy", "cancelled"),
    "transferred": Text("đã chuyển giao", "transferred"),
    "due_moved": Text("hạn đã chuyển", "due date moved"),
    "promised": Text("cơ quan đã hẹn ngày khác", "the agency has promised another day"),
    "decided": Text("đã quyết định", "decided already"),
    "followed_elsewhere": Text("cơ quan khác đang theo dõi kế hoạch", "another department follows the plan now"),
    "assigned": Text("mới giao", "assigned"),
    "plan_ended": Text("kế hoạch đã kết thúc", "the plan has ended"),
    "undone": Text("đã hoàn tác", "undone"),
    "said_already": Text("đã nói ở dòng khác", "covered by another line"),
    "asked": Text("người nhận đã xin ngừng", "the recipient asked for it"),
    "added": Text("thêm", "added"),
    "changed": Text("sửa", "changed"),
    "ended": Text("ghi ngày cuối", "given a last day"),
    "blanked": Text("xóa địa chỉ người thôi làm đầu mối", "addresses removed after leaving"),
    "slowed": Text("nhận gộp mỗi tuần", "once a week"),
    "resumed": Text("nhận lại như trước", "as before again"),
    "created": Text("lập", "made"),
    "password": Text("mật khẩu", "password"),
    "link": Text("liên kết gửi tới hộp thư", "a link in the mail"),
    "single_sign_on": Text("đăng nhập chung", "single sign-on"),
    "deactivated": Text("khóa", "deactivated"),
    "reactivated": Text("mở lại", "reactivated"),
    "reactivation_asked": Text("đề nghị mở lại, chờ người thứ hai", "asked to be opened, by a second person"),
    "closed_by_restore": Text("khóa vì cơ sở dữ liệu là bản cũ, chờ quyết định", "closed by an earlier copy: decide"),
    "factor_set": Text("đặt lớp xác thực thứ hai", "second factor set"),
    "factor_removed": Text("gỡ lớp xác thực thứ hai", "second factor removed"),
    "token_made": Text("lập khóa truy cập", "token made"),
    "token_revoked": Text("thu hồi khóa truy cập", "token revoked"),
    "renamed": Text("ghi tên mới", "renamed"),
    "succeeded": Text("ghi việc kế thừa", "succession recorded"),
    "withdrawn": Text("bỏ việc kế thừa ghi nhầm", "succession withdrawn"),
    "made": Text("lập", "made"),
    "revoked": Text("thu hồi", "revoked"),
    "plan_drafts": Text("văn bản kế hoạch để lâu không soát", "plan documents left unreviewed"),
    "draft_duty": Text("sửa nhiệm vụ", "duty corrected"),
    "draft_part": Text("tách nhiệm vụ", "duty parted"),
    "draft_join": Text("nối nhiệm vụ", "duties joined"),
    "draft_drop": Text("bỏ hoặc lấy lại", "dropped or kept"),
    "draft_sure": Text("xác nhận cơ quan đọc trong câu", "owners read in sentences confirmed"),
    "draft_times": Text("xác nhận thời hạn đã đọc", "times as read confirmed"),
    "draft_take": Text("lấy đoạn làm nhiệm vụ", "lines taken as duties"),
    "draft_names": Text("chọn cơ quan cho tên chưa có trong danh bạ", "unknown names settled"),
    "draft_without": Text("bớt cơ quan của một nhóm", "agencies of a kind left out"),
    "draft_head": Text("sửa thông tin kế hoạch", "the plan's own fields corrected"),
    "draft_asked": Text("kiểm tra trước khi lưu", "checked before saving"),
    "draft_saved": Text("đã lưu thành kế hoạch", "saved as a plan"),
    "draft_discarded": Text("đã bỏ", "discarded"),
    "draft_expired": Text("để quá 180 ngày không soát", "left unreviewed for 180 days"),
    "account": Text("tài khoản", "account"),
    "contact": Text("liên hệ", "contact"),
    "agency": Text("cơ quan", "agency"),
    "cli": Text("dòng lệnh", "command line"),
    "system": Text("hệ thống", "the system"),
    "desk": Text("bộ phận theo dõi", "the monitor's desk"),
    "api": Text("kết nối chương trình (API)", "the API"),
}
"""Display words for stored codes: passes, channels, counts, reasons, actors."""


def coded(code: str, language: str) -> str:
    """Display words for a stored code; an unknown code is shown as it is."""
    return CODES.get(code, Text.same(code)).said(language)


def number_words(value: int, language: str) -> str:
    """A count as people write it: «13.304», "13,304"."""
    return f"{value:,}" if language == "en" else f"{value:,}".replace(",", ".")


_ALPHABET = "aăâbcdđeêfghijklmnoôơpqrstuưvwxyz"
_PLACES = str.maketrans({letter: chr(ord("a") + place) for place, letter in enumerate(_ALPHABET)})
_COMMITTEE = re.compile(
    r"^(?:ubnd|[uủ][ỷy] ban nhân dân)\s+(?:huyện|thị xã|thành phố|quận|xã|phường|thị trấn|đặc khu)\s+"
)
_TONES = re.compile("[\u0300\u0301\u0303\u0309\u0323]")


def name_order(name: str) -> tuple[str, str]:
    """Sort key of a name as a Vietnamese dictionary has it: a, ă, â … d, đ …, and tones only among equals: «Hà Huy Tập»
    before «Hoành Sơn», «Đồng Tiến» before «Vũ Quang». A committee stands at the name of its place."""
    place = _COMMITTEE.sub("", unicodedata.normalize("NFC", name.casefold()))
    plain = unicodedata.normalize("NFC", _TONES.sub("", unicodedata.normalize("NFD", place)))
    return plain.translate(_PLACES), name


def level_name(level: str, language: str) -> str:
    return LEVELS.get(level, Text.same(level)).said(language)


def level_rank(level: str) -> int:
    """Sort position of an agency level in lists; unknown levels sort last."""
    return list(LEVELS).index(level) if level in LEVELS else len(LEVELS)


_PARTS_OF_YEAR: Mapping[str, Text] = {
    "Y": Text("năm {year}", "{year}"),
    "H1": Text("6 tháng đầu năm {year}", "first half of {year}"),
    "H2": Text("6 tháng cuối năm {year}", "second half of {year}"),
    "9M": Text("9 tháng năm {year}", "nine months of {year}"),
    **{f"Q{n}": Text(f"quý {roman}/{{year}}", f"Q{n} {{year}}") for n, roman in enumerate(("I", "II", "III", "IV"), 1)},
    **{f"{n:02d}A": Text(f"nửa đầu tháng {n}/{{year}}", f"first half of {n:02d}/{{year}}") for n in range(1, 13)},
    **{f"{n:02d}B": Text(f"nửa cuối tháng {n}/{{year}}", f"second half of {n:02d}/{{year}}") for n in range(1, 13)},
}


def period_words(key: str, language: str) -> str:
    """«6 tháng đầu năm 2021», «quý II/2021», «tháng 6/2021», «năm 2021»; the key itself if it is none of these."""
    base, after = split_after(key)
    if after is not None:
        day = Text(f"sau {day_digits(after)}", f"after {day_digits(after)}").said(language)
        return f"{period_words(base, language)} ({day})"
    if key == "once":
        return Text("một lần", "once").said(language)
    year, _, part = key.partition("-")
    if part in _PARTS_OF_YEAR:
        return _PARTS_OF_YEAR[part].said(language).format(year=year)
    if part.startswith("W") and (week := found_period(key)):  # by its days: offices do not number weeks
        days = f"{day_and_month(week.start)}–{day_digits(week.end)}"
        return Text(f"tuần {days}", f"week of {days}").said(language)
    return Text(f"tháng {int(part)}/{year}", f"{part}/{year}").said(language) if part.isdecimal() else key


def period_text(key: str) -> Text:
    return Text(period_words(key, "vi"), period_words(key, "en"))


def short_day(day: date) -> str:
    return day_digits(day)


def day_and_month(day: date) -> str:
    """«07/4»: as it is written, without the year."""
    return day_digits(day).rpartition("/")[0]


def moment(at: datetime, language: str) -> str:
    """An instant in local time of the plan: «07:30 thứ Năm, 17/6/2021»."""
    local = at.astimezone(PLAN_TIME)
    return f"{local:%H:%M} {written(local.date(), language)}"


def short_moment(at: datetime) -> str:
    local = at.astimezone(PLAN_TIME)
    return f"{local:%H:%M} {day_digits(local.date())}"


def near_moment(at: datetime, today: date, language: str = "vi") -> str:
    """A moment beside today: «hôm nay 09:12», «07:30 mai», else as ``short_moment``."""
    local = at.astimezone(PLAN_TIME)
    if local.date() == today:
        return f"{local:%H:%M} today" if language == "en" else f"hôm nay {local:%H:%M}"
    if local.date() == today + ONE_DAY:
        return f"{local:%H:%M} tomorrow" if language == "en" else f"{local:%H:%M} mai"
    return short_moment(at)


def weekday(day: date, language: str) -> str:
    return WEEKDAYS[language][day.weekday()]


def working_days(count: int) -> Text:
    """Without the sign: «3 ngày làm việc»."""
    count = abs(count)
    return Text(f"{count} ngày làm việc", f"{count} working day{'' if count == 1 else 's'}")


def calendar_days(count: int) -> Text:
    """Without the sign: «3 ngày»."""
    count = abs(count)
    return Text(f"{count} ngày", f"{count} day{'' if count == 1 else 's'}")


_RUNG_CODE = re.compile(r"(?P<anchor>[ATH])(?P<days>[+-]\d{1,3})b*")


_RUNG_WORDS: Mapping[str, Mapping[int, Text]] = {
    "A": dict.fromkeys((-1, 0, 1), Text("sau {days} chưa xác nhận", "{days} without an acknowledgement")),
    "T": {
        -1: Text("trước hạn {days}", "{days} before the due date"),
        0: Text("đúng ngày hạn", "on the due date"),
        1: Text("quá hạn {days}", "{days} overdue"),
    },
    "H": {
        -1: Text("trước ngày hẹn {days}", "{days} before the promised day"),
        0: Text("đúng ngày hẹn", "on the promised day"),
        1: Text("quá ngày hẹn {days}", "{days} past the promised day"),
    },
}
"""Anchor of a rung's name -> before, on and after its day."""


def rung_words(code: str, language: str, *, every_day: bool = False) -> str:
    """When a rung acts, from its name in the policy: «A+3» is «sau 3 ngày làm việc chưa xác nhận», «T-10» «trước hạn 10
    ngày làm việc», «H+1» «quá ngày hẹn 1 ngày làm việc». A name of the office's own is quoted as it is. ``every_day``:
    of a ladder that counts every day."""
    if code == "open":
        return Text("khi giao", "at opening").said(language)
    found = _RUNG_CODE.fullmatch(code)
    if found is None:
        return f"“{code}”"
    days = int(found["days"])
    words = _RUNG_WORDS[found["anchor"]][(days > 0) - (days < 0)]
    count = calendar_days(days) if every_day else working_days(days)
    return words.said(language).format(days=count.said(language))


def late_words(due_on: date, on: date, calendar: WorkCalendar, language: str) -> str:
    """How late something was done: «quá hạn 3 ngày làm việc»; empty when it was on time."""
    return "" if on <= due_on else distance(due_on, on, calendar.distance(on, due_on), language)


def distance(due_on: date | None, today: date, days: int | None, language: str) -> str:
    """Distance to a due date. Overdue from 00:00 of the next day, even when no working day has passed since."""
    if due_on is None or days is None:
        words = Text("không có thời hạn", "no deadline")
    elif due_on == today:
        words = Text("đến hạn hôm nay", "due today")
    elif days == 0:
        closed = Text("đến hạn trong kỳ nghỉ này", "due on the next closed day")
        words = Text("vừa quá hạn", "just overdue") if is_past(due_on, today) else closed
    else:
        count = working_days(days)
        words = (
            Text(f"còn {count.vi}", f"{count.en} left")
            if days > 0
            else Text(f"quá hạn {count.vi}", f"{count.en} overdue")
        )
    return words.said(language)
