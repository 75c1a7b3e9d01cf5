"""Words for people, Vietnamese and English: kinds of body, stored codes, periods, days, moments, distances. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from engine.rules.calendar import PLAN_TIME, WEEKDAYS, WorkCalendar, written

LANGUAGES = ("vi", "en")

LEVELS: Mapping[str, tuple[str, str]] = {
    "tinh": ("Cấp tỉnh", "Province"),
    "so": ("Sở, ban, ngành", "Departments"),
    "luc_luong": ("Lực lượng vũ trang", "Forces"),
    "doan_the": ("Đoàn thể", "Mass organisations"),
    "mat_tran": ("Mặt trận Tổ quốc", "Fatherland Front"),
    "ngan_hang": ("Ngân hàng", "Banks"),
    "bao_chi": ("Báo chí, phát thanh - truyền hình", "Press and broadcasting"),
    "huyen": ("Huyện, thành phố, thị xã", "Districts"),
    "xa": ("Xã, phường, thị trấn", "Communes"),
}
"""Kinds of body in the order in which lists show them."""

CODES: Mapping[str, tuple[str, str]] = {
    "open": ("Mở phần việc", "Opening"),
    "act": ("Nhắc và đôn đốc", "Remind and escalate"),
    "digest": ("Tổng hợp tuần", "Weekly digest"),
    "deliver": ("Gửi thư", "Deliver letters"),
    "audit": ("Tự kiểm tra", "Self-audit"),
    "receive": ("Nhận thư trả lời", "Receive answers"),
    "watch": ("Canh các kênh gửi", "Watch the channels"),
    "upkeep": ("Dọn dẹp hằng ngày", "Daily upkeep"),
    "email": ("thư điện tử", "e-mail"),
    "sms": ("tin nhắn", "SMS"),
    "plans": ("kế hoạch", "plans"),
    "assignments": ("phần việc", "assignments"),
    "rungs": ("bậc nhắc", "rungs"),
    "skipped": ("bỏ qua", "left out"),
    "notices": ("dòng thư", "lines"),
    "unreachable": ("không liên lạc được", "unreachable"),
    "digests": ("thư tổng hợp", "digests"),
    "empty": ("không có gì", "empty"),
    "letters": ("thư", "letters"),
    "accepted": ("đã gửi", "accepted"),
    "delivered": ("đã đến", "delivered"),
    "retry": ("sẽ gửi lại", "to be tried again"),
    "refused": ("bị từ chối", "refused"),
    "unknown": ("chưa rõ", "in doubt"),
    "suppressed": ("không gửi", "not sent"),
    "without_next_step": ("không có bước tiếp theo", "without a next step"),
    "overdue_looks": ("chưa được xem đúng giờ", "not looked at in time"),
    "stuck_letters": ("thư kẹt", "stuck letters"),
    "unknown_letters": ("thư chưa rõ kết quả", "letters in doubt"),
    "receipts": ("báo phát", "receipts"),
    "extension_asked": ("xin gia hạn", "extensions asked"),
    "stopped": ("ngừng SMS", "SMS stopped"),
    "already": ("đã làm từ trước", "done before"),
    "not_understood": ("chưa hiểu", "not understood"),
    "automatic": ("máy tự trả lời", "automatic"),
    "bounced": ("thư bị trả về", "bounces"),
    "early": ("đến sớm, chờ", "early, waiting"),
    "stranger": ("người lạ", "strangers"),
    "not_the_reader": ("không phải người nhận", "not the reader"),
    "again": ("gửi lặp lại", "come again"),
    "failed": ("xử lý bị lỗi", "failed"),
    "mailbox_failed": ("không đọc được hộp thư", "the mailbox could not be read"),
    "contacts": ("địa chỉ của người đã rời được xóa", "addresses of people who left removed"),
    "sessions": ("phiên đăng nhập cũ", "old sessions"),
    "links": ("liên kết đã dùng", "used links"),
    "answers": ("câu trả lời máy đã cũ", "old machine answers"),
    "files": ("tệp không báo cáo, bản nháp nào dùng", "files that no report or draft names"),
    "bytes": ("tệp xóa khỏi đĩa", "files removed from the disk"),
    "names": ("tên cơ quan bắt đầu từ hôm nay", "agency names beginning today"),
    "miscounted": ("ô đếm sai trên bảng theo dõi, đã đếm lại", "places of the board miscounted, counted anew"),
    "tally": ("số đếm của bảng theo dõi sai, đã đếm lại", "the board was miscounted, and counted anew"),
    "down": ("kênh hỏng", "channels down"),
    "told": ("đã báo người vận hành", "told to the operator"),
    "merged": ("gộp vào thư sau", "merged into a later letter"),
    "bounced_soft": ("tạm bị trả về, sẽ gửi lại", "bounced for now, to be tried again"),
    "no_address": ("không có địa chỉ", "no address"),
    "address_suppressed": ("địa chỉ đã ngừng nhận", "address suppressed"),
    "no_longer_answers": ("không còn làm đầu mối", "no longer answers"),
    "nothing_left": ("không còn gì để nói", "nothing left to say"),
    "acknowledged": ("đã xác nhận", "acknowledged"),
    "reported": ("đã báo cáo", "reported"),
    "returned": ("đã trả lại", "returned"),
    "cancelled": ("đã hủy", "cancelled"),
    "transferred": ("đã chuyển giao", "transferred"),
    "due_moved": ("hạn đã đổi", "due date moved"),
    "assigned": ("mới giao", "assigned"),
    "plan_ended": ("kế hoạch đã kết thúc", "the plan has ended"),
    "said_already": ("đã nói ở dòng khác", "said in another line"),
    "asked": ("người nhận đã xin ngừng", "the recipient asked for it"),
    "added": ("thêm", "added"),
    "changed": ("sửa", "changed"),
    "ended": ("ghi ngày cuối", "given a last day"),
    "blanked": ("xóa địa chỉ người đã rời", "addresses removed after leaving"),
    "slowed": ("nhận gộp mỗi tuần", "once a week"),
    "resumed": ("nhận lại như trước", "as before again"),
    "created": ("lập", "made"),
    "password": ("mật khẩu", "password"),
    "link": ("liên kết gửi tới hộp thư", "a link in the mail"),
    "single_sign_on": ("đăng nhập một lần", "single sign-on"),
    "deactivated": ("khóa", "deactivated"),
    "reactivated": ("mở lại", "reactivated"),
    "token_made": ("lập khóa máy", "token made"),
    "token_revoked": ("thu hồi khóa máy", "token revoked"),
    "renamed": ("ghi tên mới", "renamed"),
    "succeeded": ("ghi việc kế thừa", "succession recorded"),
    "withdrawn": ("bỏ việc kế thừa ghi nhầm", "succession taken back"),
    "made": ("lập", "made"),
    "revoked": ("thu hồi", "revoked"),
    "account": ("tài khoản", "account"),
    "contact": ("liên hệ", "contact"),
    "agency": ("cơ quan", "agency"),
    "cli": ("dòng lệnh", "command line"),
    "system": ("hệ thống", "the system"),
    "desk": ("bộ phận theo dõi", "the monitor's desk"),
    "api": ("giao tiếp máy", "the API"),
}
"""Words for codes that are stored as plain text: passes, channels, counts, reasons, actors."""


def coded(code: str, language: str) -> str:
    """Words for a stored code; a code nobody knows is shown as it stands."""
    return CODES.get(code, (code, code))[LANGUAGES.index(language)]


def number_words(value: int, language: str) -> str:
    """A count as people write it: «13.304», "13,304"."""
    return f"{value:,}" if language == "en" else f"{value:,}".replace(",", ".")


def level_name(level: str, language: str) -> str:
    return LEVELS.get(level, (level, level))[LANGUAGES.index(language)]


def level_rank(level: str) -> int:
    """Where a kind of body stands in lists; one nobody knows comes last."""
    return list(LEVELS).index(level) if level in LEVELS else len(LEVELS)


def period_words(key: str, language: str) -> str:
    """«6 tháng đầu năm 2021», «quý II/2021», «tháng 6/2021», «năm 2021»; the key itself if it is none of these."""
    year, _, part = key.partition("-")
    english = language == "en"
    if key == "once":
        return "once" if english else "một lần"
    if part == "Y":
        return year if english else f"năm {year}"
    if part in ("H1", "H2"):
        half = part[1] == "1"
        if english:
            return f"{'first' if half else 'second'} half of {year}"
        return f"6 tháng {'đầu' if half else 'cuối'} năm {year}"
    if part == "9M":
        return f"nine months of {year}" if english else f"9 tháng năm {year}"
    if part[:1] == "Q":
        roman = ("I", "II", "III", "IV")[int(part[1]) - 1]
        return f"Q{part[1]} {year}" if english else f"quý {roman}/{year}"
    if part.isdecimal():
        return f"{part}/{year}" if english else f"tháng {int(part)}/{year}"
    return key


def short_day(day: date) -> str:
    return f"{day.day}/{day.month}/{day.year}"


def moment(at: datetime, language: str) -> str:
    """An instant on the plan's clock: «07:30 Thứ Năm 17/6/2021»."""
    local = at.astimezone(PLAN_TIME)
    return f"{local:%H:%M} {written(local.date(), language)}"


def short_moment(at: datetime) -> str:
    local = at.astimezone(PLAN_TIME)
    return f"{local:%H:%M} {local.day}/{local.month}/{local.year}"


def weekday(day: date, language: str) -> str:
    return WEEKDAYS[language][day.weekday()]


def late_words(due_on: date, on: date, calendar: WorkCalendar, language: str) -> str:
    """How late something done on a day was: «quá hạn 3 ngày làm việc»; empty when it was on time."""
    return "" if on <= due_on else distance(due_on, on, calendar.distance(on, due_on), language)


def distance(due_on: date | None, today: date, days: int | None, language: str) -> str:
    """How far a due date is. Overdue from 00:00 of the next day, even when no working day has passed since."""
    english = language == "en"
    if due_on is None or days is None:
        return "no deadline" if english else "không có thời hạn"
    if due_on == today:
        return "due today" if english else "đến hạn hôm nay"
    if due_on < today and days == 0:
        return "just overdue" if english else "vừa quá hạn"
    if days == 0:
        return "due on the next closed day" if english else "đến hạn trong kỳ nghỉ này"
    count = abs(days)
    if english:
        unit = "working day" if count == 1 else "working days"
        return f"{count} {unit} {'left' if days > 0 else 'overdue'}"
    return f"{'còn' if days > 0 else 'quá hạn'} {count} ngày làm việc"
