"""Labels of every closed set, Vietnamese and English: one table a set, and a test that no member is without its two.

Pure. What a page says in whole sentences stands in its template; what an event says, in
``engine.views.event_sentences``.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from engine.accounts.permissions import ActorRole
from engine.files.plan_parts import RuleSource
from engine.queries.system.health import Trouble
from engine.queries.work.assignments import Waiting
from engine.queries.work.ladder_steps import Dropped, RungState
from engine.rules.calendar import DayKind
from engine.rules.periods import Cadence
from engine.rules.policy import Skip
from engine.rules.words import LANGUAGES
from engine.terms import EventKind, LetterState, NoticeKind, Outcome, PlanState, Quiet, Role, State, TimeClass, Urgency

LABELS: Mapping[type[StrEnum], Mapping[Any, tuple[str, str]]] = {
    State: {
        State.ASSIGNED: ("mới giao", "assigned"),
        State.ACKNOWLEDGED: ("đã xác nhận", "acknowledged"),
        State.REPORTED: ("đã báo cáo, chờ tiếp nhận", "reported, awaiting acceptance"),
        State.RETURNED: ("báo cáo bị trả lại", "report returned"),
        State.ACCEPTED: ("đã tiếp nhận", "accepted"),
        State.CANCELLED: ("đã hủy", "cancelled"),
        State.TRANSFERRED: ("đã chuyển giao", "transferred"),
    },
    TimeClass: {
        TimeClass.DONE_ON_TIME: ("hoàn thành đúng hạn", "done on time"),
        TimeClass.DONE_LATE: ("hoàn thành quá hạn", "done late"),
        TimeClass.OPEN_IN_TIME: ("trong hạn", "in term"),
        TimeClass.DUE_SOON: ("sắp đến hạn", "due soon"),
        TimeClass.OPEN_OVERDUE: ("quá hạn", "overdue"),
        TimeClass.NO_DEADLINE: ("không có thời hạn", "no deadline"),
    },
    Role: {
        Role.COORDINATOR: ("đầu mối", "coordinator"),
        Role.HEAD: ("người đứng đầu", "head"),
        Role.DEPUTY: ("người thay đầu mối", "deputy"),
        Role.MONITOR: ("theo dõi, đôn đốc", "monitor"),
        Role.LEADERSHIP: ("lãnh đạo", "leadership"),
    },
    ActorRole: {
        ActorRole.COORDINATOR: ("đầu mối", "coordinator"),
        ActorRole.HEAD: ("người đứng đầu", "head"),
        ActorRole.DEPUTY: ("người thay đầu mối", "deputy"),
        ActorRole.MONITOR: ("theo dõi, đôn đốc", "monitor"),
        ActorRole.LEADERSHIP: ("lãnh đạo", "leadership"),
        ActorRole.ADMINISTRATOR: ("quản trị", "administrator"),
    },
    NoticeKind: {
        NoticeKind.ASSIGNED: ("giao việc", "assigned"),
        NoticeKind.ACKNOWLEDGE: ("hỏi lại xác nhận", "asked again to acknowledge"),
        NoticeKind.UNACKNOWLEDGED: ("báo chưa xác nhận", "not acknowledged"),
        NoticeKind.REMINDER: ("nhắc trước hạn", "reminder"),
        NoticeKind.OVERDUE: ("báo quá hạn", "overdue"),
        NoticeKind.ESCALATION: ("đôn đốc", "escalation"),
        NoticeKind.RETURNED: ("trả lại báo cáo", "report returned"),
        NoticeKind.EXTENSION_ASKED: ("xin gia hạn", "extension asked"),
        NoticeKind.EXTENSION_DECIDED: ("trả lời gia hạn", "extension decided"),
        NoticeKind.NOT_MINE: ("báo không phải việc của mình", "not mine"),
        NoticeKind.CHASE: ("đôn đốc trực tiếp", "chased by hand"),
        NoticeKind.TRANSFERRED: ("chuyển giao", "transferred"),
        NoticeKind.CANCELLED: ("hủy việc", "cancelled"),
        NoticeKind.DUE_MOVED: ("đổi hạn", "due date moved"),
        NoticeKind.UNREACHABLE: ("báo không liên lạc được", "unreachable"),
        NoticeKind.WROTE: ("có thư trả lời cần đọc", "an answer to be read"),
    },
    LetterState: {
        LetterState.QUEUED: ("chờ gửi", "waiting to leave"),
        LetterState.SENDING: ("đang gửi", "being sent"),
        LetterState.ACCEPTED: ("đã gửi", "sent"),
        LetterState.DELIVERED: ("đã đến nơi", "delivered"),
        LetterState.BOUNCED_SOFT: ("tạm bị trả về", "bounced for now"),
        LetterState.BOUNCED_HARD: ("bị trả về", "bounced"),
        LetterState.REFUSED: ("bị từ chối", "refused"),
        LetterState.UNKNOWN: ("chưa rõ đã đến chưa", "in doubt"),
        LetterState.SUPPRESSED: ("không gửi", "not sent"),
        LetterState.EXPIRED: ("hết hạn gửi", "expired unsent"),
    },
    EventKind: {
        EventKind.PLAN_LOADED: ("Nạp kế hoạch", "Plan loaded"),
        EventKind.PLAN_ACTIVATED: ("Kích hoạt kế hoạch", "Plan activated"),
        EventKind.PLAN_ENDED: ("Kết thúc kế hoạch", "Plan ended"),
        EventKind.OPENED: ("Mở phần việc", "Opened"),
        EventKind.ACKNOWLEDGED: ("Xác nhận đã nhận", "Acknowledged"),
        EventKind.REPORTED: ("Gửi báo cáo", "Reported"),
        EventKind.ACCEPTED: ("Tiếp nhận báo cáo", "Report accepted"),
        EventKind.RETURNED: ("Trả lại báo cáo", "Report returned"),
        EventKind.EXTENSION_ASKED: ("Xin gia hạn", "Extension asked"),
        EventKind.EXTENSION_GRANTED: ("Đồng ý gia hạn", "Extension granted"),
        EventKind.EXTENSION_REFUSED: ("Không đồng ý gia hạn", "Extension refused"),
        EventKind.CANCELLED: ("Hủy phần việc", "Cancelled"),
        EventKind.TRANSFERRED: ("Chuyển giao", "Transferred"),
        EventKind.DECLINED: ("Báo không phải việc của mình", "Declined as not theirs"),
        EventKind.DUE_MOVED: ("Đổi hạn", "Due date moved"),
        EventKind.RUNG_FIRED: ("Đến bậc nhắc", "Rung reached"),
        EventKind.RUNG_SKIPPED: ("Bỏ qua bậc nhắc", "Rung left out"),
        EventKind.CHASED: ("Đôn đốc trực tiếp", "Chased by hand"),
        EventKind.DIGEST_EMPTY: ("Tuần không có gì để tổng hợp", "Nothing for the weekly digest"),
        EventKind.LETTER_SETTLED: ("Biết kết quả gửi thư", "A letter's fate became known"),
        EventKind.LETTER_SUPPRESSED: ("Không gửi thư", "A letter was not sent"),
        EventKind.UNREACHABLE: ("Không liên lạc được", "Nobody could be reached"),
        EventKind.LINKS_REVOKED: ("Thu hồi liên kết", "Links revoked"),
        EventKind.CONTACT_CHANGED: ("Đổi đầu mối liên hệ", "Contact changed"),
        EventKind.DIRECTORY_LOADED: ("Nạp danh bạ", "Directory loaded"),
        EventKind.POLICY_LOADED: ("Nạp chính sách", "Policy loaded"),
        EventKind.CALENDAR_CHANGED: ("Sửa lịch làm việc", "Calendar changed"),
        EventKind.AUDIT_FAILED: ("Tự kiểm tra thấy lỗi", "The self-audit found something"),
        EventKind.TEMPLATE_CHANGED: ("Sửa mẫu thư", "Letter template changed"),
        EventKind.ACCOUNT_CHANGED: ("Thay đổi tài khoản", "Account changed"),
        EventKind.SIGNED_IN: ("Đăng nhập", "Signed in"),
        EventKind.DUTY_ADDED: ("Bổ sung nhiệm vụ", "Duty added"),
        EventKind.DUTY_AMENDED: ("Sửa nhiệm vụ", "Duty amended"),
        EventKind.EVIDENCE_STORED: ("Tải lên tệp minh chứng", "Evidence uploaded"),
        EventKind.EVIDENCE_REMOVED: ("Xóa tệp minh chứng không báo cáo nào dùng", "Unused evidence removed"),
        EventKind.FIGURES_FROZEN: ("Chốt số liệu", "Figures frozen"),
        EventKind.FEED_CHANGED: ("Thay đổi địa chỉ lịch", "Calendar address changed"),
        EventKind.AGENCY_CHANGED: ("Sửa danh bạ cơ quan", "Directory of agencies changed"),
    },
    Quiet: {
        Quiet.AWAITING_ACCEPTANCE: ("đang chờ tiếp nhận báo cáo", "the report awaits acceptance"),
        Quiet.LADDER_ENDED: ("đã qua hết các bậc nhắc", "every rung has been used"),
        Quiet.PLAN_ENDED: ("kế hoạch đã kết thúc", "the plan has ended"),
        Quiet.NO_DEADLINE: ("không có thời hạn", "there is no deadline"),
    },
    Skip: {
        Skip.BEFORE_OPENING: ("trước ngày mở phần việc", "it lies before the opening"),
        Skip.ACKNOWLEDGED: ("đã xác nhận nên không hỏi lại", "acknowledged already"),
        Skip.OVERTAKEN: ("bậc sau đến cùng lúc, chỉ gửi bậc mới nhất", "a later rung came due with it"),
    },
    Dropped: {
        Dropped.REPORTED: ("đã báo cáo nên không nhắc nữa", "reported, so nothing more is said"),
        Dropped.CANCELLED: ("phần việc đã hủy", "the assignment is cancelled"),
        Dropped.TRANSFERRED: ("phần việc đã chuyển giao", "the assignment was transferred"),
        Dropped.ACKNOWLEDGED: ("đã xác nhận nên sẽ không hỏi lại", "acknowledged, so it will not be asked again"),
        Dropped.PLAN_ENDED: ("kế hoạch đã kết thúc nên không nhắc nữa", "the plan has ended"),
        Dropped.PASSED: ("ngày này đã qua khi hạn thay đổi", "its day had passed when the due date changed"),
    },
    RungState: {
        RungState.FIRED: ("đã gửi", "sent"),
        RungState.SKIPPED: ("bỏ qua", "left out"),
        RungState.DUE: ("đến lượt", "due now"),
        RungState.NEXT: ("tiếp theo", "next"),
        RungState.LATER: ("về sau", "later"),
        RungState.DROPPED: ("sẽ không gửi", "will not be sent"),
    },
    Outcome: {
        Outcome.DONE: ("đã làm xong", "done"),
        Outcome.PARTLY: ("làm được một phần", "partly done"),
        Outcome.NOT_YET: ("chưa làm", "not yet done"),
    },
    PlanState: {
        PlanState.LOADED: ("đã nạp, chưa chạy", "loaded, not running"),
        PlanState.ACTIVE: ("đang chạy", "active"),
        PlanState.ENDED: ("đã kết thúc", "ended"),
    },
    Urgency: {
        Urgency.NORMAL: ("thường", "normal"),
        Urgency.KHAN: ("khẩn", "urgent (khẩn)"),
        Urgency.THUONG_KHAN: ("thượng khẩn", "very urgent (thượng khẩn)"),
        Urgency.HOA_TOC: ("hỏa tốc", "most urgent (hỏa tốc)"),
    },
    Cadence: {
        Cadence.ONCE: ("một lần", "once"),
        Cadence.MONTH: ("hằng tháng", "monthly"),
        Cadence.QUARTER: ("hằng quý", "quarterly"),
        Cadence.HALF_YEAR: ("6 tháng", "half-yearly"),
        Cadence.NINE_MONTH: ("9 tháng", "nine months"),
        Cadence.YEAR: ("hằng năm", "yearly"),
        Cadence.AD_HOC: ("khi phát sinh", "as it arises"),
    },
    DayKind: {
        DayKind.HOLIDAY: ("nghỉ lễ, Tết", "public holiday"),
        DayKind.DAY_OFF: ("nghỉ bù, hoán đổi", "day off in lieu or swapped"),
        DayKind.WORKED: ("làm bù", "worked instead"),
    },
    RuleSource: {
        RuleSource.LOCAL: ("cấu hình của tỉnh, không phải của kế hoạch", "configured locally, not from the plan"),
        RuleSource.LAW: ("theo văn bản pháp luật", "by law"),
        RuleSource.PLAN: ("theo kế hoạch", "from the plan"),
    },
    Waiting: {
        Waiting.ACCEPT: ("báo cáo chờ tiếp nhận", "reports to accept"),
        Waiting.EXTENSION: ("đề nghị gia hạn chờ quyết định", "extensions to decide"),
        Waiting.DECLINED: ("báo không phải việc của mình", "declined as not theirs"),
    },
    Trouble: {
        Trouble.NO_PASS: ("Chưa lượt chạy nào được ghi lại.", "No pass has run yet."),
        Trouble.PASS_FAILED: ("Có lượt chạy bị lỗi.", "A pass has failed."),
        Trouble.PASS_SILENT: ("Việc tự kiểm tra đã im quá 15 phút.", "The self-audit has been silent for 15 minutes."),
        Trouble.CHANNEL_DOWN: ("Có kênh gửi đang không dùng được.", "A channel is down."),
        Trouble.LETTERS_STUCK: ("Có thư kẹt quá một giờ chưa gửi được.", "Letters have been stuck for over an hour."),
        Trouble.AUDIT: ("Lần tự kiểm tra gần nhất thấy lỗi.", "The last self-audit found something wrong."),
        Trouble.IN_DOUBT: ("Có thư hôm nay chưa rõ đã đến chưa.", "Some of today's letters are in doubt."),
    },
}


def label(value: StrEnum, language: str) -> str:
    """The label of a member of a closed set."""
    return LABELS[type(value)][value][LANGUAGES.index(language)]
