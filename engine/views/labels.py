"""Labels of every enumeration in Vietnamese and English: one complete table each.

Pure. Whole sentences of pages are in their templates; sentences about events in ``engine.views.event_sentences``.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from engine.accounts.permissions import ActorRole
from engine.enums import complete
from engine.files.plan_parts import RuleSource
from engine.queries.system.health import Trouble
from engine.queries.work.assignments import Promised
from engine.queries.work.ladder_steps import Dropped, RungState
from engine.rules.calendar import DayKind
from engine.rules.outputs import KIND_WORDS
from engine.rules.periods import Cadence
from engine.rules.policy import Skip
from engine.rules.words import ROLES, STATES
from engine.terms import (
    AnswerRead,
    Ask,
    EntryKind,
    EventKind,
    LetterState,
    NoticeKind,
    Outcome,
    OutputKind,
    PastPeriods,
    PlanState,
    PromiseState,
    Quiet,
    Role,
    Scenario,
    State,
    TimeClass,
    Timing,
    Urgency,
    Waiting,
    WaitReason,
    WebhookEvent,
)
from engine.text import Text

LABELS: Mapping[type[StrEnum], Mapping[Any, Text]] = {
    State: STATES,
    PastPeriods: {
        PastPeriods.SKIP: Text("không hỏi", "not asked for"),
        PastPeriods.EXTEND: Text("hỏi, đặt hạn mới", "asked for, with a new due date"),
        PastPeriods.OVERDUE: Text("hỏi và tính quá hạn ngay", "asked for, and overdue at once"),
    },
    TimeClass: {
        TimeClass.DONE_ON_TIME: Text("hoàn thành đúng hạn", "done on time"),
        TimeClass.DONE_LATE: Text("hoàn thành quá hạn", "done late"),
        TimeClass.OPEN_IN_TIME: Text("trong hạn", "not yet due"),
        TimeClass.DUE_SOON: Text("sắp đến hạn", "due soon"),
        TimeClass.OPEN_OVERDUE: Text("quá hạn", "overdue"),
        TimeClass.NO_DEADLINE: Text("không có thời hạn", "no deadline"),
        TimeClass.NOT_ASKED: Text("không còn yêu cầu báo cáo", "no longer asked for"),
    },
    WebhookEvent: {
        WebhookEvent.OPENED: Text("mở việc", "assignment opened"),
        WebhookEvent.ACKNOWLEDGED: Text("xác nhận đã nhận", "acknowledged"),
        WebhookEvent.REPORTED: Text("gửi báo cáo", "reported"),
        WebhookEvent.ACCEPTED: Text("tiếp nhận báo cáo", "report accepted"),
        WebhookEvent.RETURNED: Text("trả lại báo cáo", "report returned"),
        WebhookEvent.UNDONE: Text("hoàn tác", "undone"),
        WebhookEvent.REMINDED: Text("nhắc việc", "reminded"),
        WebhookEvent.OVERDUE: Text("quá hạn", "overdue"),
        WebhookEvent.ESCALATED: Text("đôn đốc", "escalated"),
        WebhookEvent.PROMISED: Text("hẹn ngày hoàn thành", "promised"),
        WebhookEvent.PROMISE_BROKEN: Text("quá ngày đã hẹn", "promise broken"),
        WebhookEvent.DIGEST_MADE: Text("làm tổng hợp tuần", "weekly digest made"),
        WebhookEvent.MESSAGE_WAITS: Text("thư đến chờ xử lý", "an incoming message waits"),
        WebhookEvent.TEST: Text("tin thử", "test"),
    },
    WaitReason: {
        WaitReason.NOT_UNDERSTOOD: Text("Hệ thống chưa nhận biết được nội dung", "The text was not understood"),
        WaitReason.REFUSED: Text("Có đề nghị chưa ghi nhận được, đã hỏi lại", "A request could not be carried out"),
        WaitReason.LEFT_OVER: Text("Còn nội dung khác cần xem", "It says something else, too"),
        WaitReason.FILES: Text("Tệp chờ gắn vào báo cáo", "Files wait to go with a report"),
        WaitReason.NOT_THE_READER: Text(
            "Hộp thư gửi chưa có trong danh bạ của cơ quan", "The mailbox is no contact of the agency"
        ),
        WaitReason.UNPROVEN: Text(
            "Không kèm thư nhắc việc, chưa chắc là của người nhận thư", "Nothing proves that the writer had the letter"
        ),
        WaitReason.UNAUTHENTICATED: Text("Chưa xác thực được người gửi", "The sender is not authenticated"),
        WaitReason.FAILED: Text("Hệ thống gặp lỗi khi đọc", "The system stumbled over it"),
        WaitReason.PROPOSED: Text("Hệ thống đọc được, chờ xác nhận", "Read, waits to be confirmed"),
    },
    Ask: {
        Ask.ACKNOWLEDGE: Text("xác nhận đã nhận", "acknowledgement"),
        Ask.DAY: Text("gia hạn, quá hạn thì hẹn ngày", "an extension, or a promise where it is late"),
        Ask.NOT_YET: Text("chưa hoàn thành, hẹn ngày", "not done, promised for a day"),
        Ask.DECLINE: Text("không thuộc nhiệm vụ của cơ quan", "not the agency's duty"),
        Ask.DIFFICULTY: Text("khó khăn, vướng mắc", "a difficulty"),
        Ask.QUESTION: Text("câu hỏi", "a question"),
        Ask.ANSWER: Text("trả lời câu hỏi", "an answer"),
        Ask.ATTACH: Text("gắn tệp vào bản nháp báo cáo", "files for the draft of the report"),
    },
    AnswerRead: {
        AnswerRead.AT_ONCE: Text("ghi nhận ngay", "recorded at once"),
        AnswerRead.CONFIRMED: Text("xác nhận đúng như hệ thống đọc", "confirmed as read"),
        AnswerRead.CORRECTED: Text("sửa rồi ghi nhận", "corrected"),
        AnswerRead.DROPPED: Text("không ghi nhận", "dropped"),
        AnswerRead.TAKEN_BACK: Text("hiểu sai, thu hồi", "misread, taken back"),
        AnswerRead.WAITING: Text("đang chờ", "waiting"),
    },
    Timing: {
        Timing.OPEN: Text("chưa có báo cáo", "no report yet"),
        Timing.ON_TIME: Text("báo cáo đúng hạn", "reported on time"),
        Timing.LATE: Text("báo cáo quá hạn", "reported late"),
    },
    Role: ROLES,
    ActorRole: {
        ActorRole.COORDINATOR: Text("đầu mối", "coordinator"),
        ActorRole.HEAD: Text("người đứng đầu", "head"),
        ActorRole.DEPUTY: Text("người thay đầu mối", "deputy"),
        ActorRole.MONITOR: Text("bộ phận theo dõi", "monitor"),
        ActorRole.LEADERSHIP: Text("lãnh đạo", "leadership"),
        ActorRole.ADMINISTRATOR: Text("quản trị", "administrator"),
    },
    NoticeKind: {
        NoticeKind.ASSIGNED: Text("giao việc", "assigned"),
        NoticeKind.ACKNOWLEDGE: Text("nhắc xác nhận", "asked again to acknowledge"),
        NoticeKind.UNACKNOWLEDGED: Text("báo chưa xác nhận", "not acknowledged"),
        NoticeKind.REMINDER: Text("nhắc trước hạn", "reminder"),
        NoticeKind.OVERDUE: Text("báo quá hạn", "overdue"),
        NoticeKind.ESCALATION: Text("đôn đốc", "escalation"),
        NoticeKind.RETURNED: Text("trả lại báo cáo", "report returned"),
        NoticeKind.EXTENSION_ASKED: Text("xin gia hạn", "extension requested"),
        NoticeKind.PROMISE_ASKED: Text("lời hẹn chờ đồng ý", "promise to agree to"),
        NoticeKind.PROMISE_DECIDED: Text("trả lời lời hẹn", "promise decided"),
        NoticeKind.EXTENSION_DECIDED: Text("trả lời đề nghị gia hạn", "extension decided"),
        NoticeKind.NOT_MINE: Text("có ý kiến không thuộc nhiệm vụ của cơ quan", "not mine"),
        NoticeKind.CHASE: Text("đôn đốc ngoài lịch", "chased directly"),
        NoticeKind.TRANSFERRED: Text("chuyển giao", "transferred"),
        NoticeKind.CANCELLED: Text("hủy việc", "cancelled"),
        NoticeKind.DUE_MOVED: Text("chuyển hạn", "due date moved"),
        NoticeKind.AMENDED: Text("đổi nội dung nhiệm vụ", "duty changed"),
        NoticeKind.PLAN_ENDED: Text("kế hoạch kết thúc", "plan ended"),
        NoticeKind.REORGANISED: Text("sắp xếp lại tổ chức", "agencies reorganised"),
        NoticeKind.UNREACHABLE: Text("báo không liên lạc được", "unreachable"),
        NoticeKind.WROTE: Text("có thư trả lời cần đọc", "reply to read"),
        NoticeKind.RAISED: Text("có nội dung cần trả lời", "raised, to be answered"),
        NoticeKind.ANSWERED: Text("trả lời khó khăn, câu hỏi", "answered"),
        NoticeKind.PROGRESS: Text("thông tin tiến độ", "progress"),
        NoticeKind.COORDINATES: Text("nhiệm vụ phối hợp", "coordinates"),
    },
    EntryKind: {
        EntryKind.DIFFICULTY: Text("khó khăn, vướng mắc", "difficulty"),
        EntryKind.QUESTION: Text("câu hỏi", "question"),
        EntryKind.AD_HOC: Text("báo cáo đột xuất", "ad hoc report"),
        EntryKind.PROGRESS: Text("tiến độ", "progress"),
        EntryKind.ANSWER: Text("trả lời", "answer"),
        EntryKind.PART: Text("phần phối hợp", "a coordinating agency's part"),
    },
    LetterState: {
        LetterState.QUEUED: Text("chờ gửi", "queued"),
        LetterState.SENDING: Text("đang gửi", "being sent"),
        LetterState.ACCEPTED: Text("đã gửi", "sent"),
        LetterState.DELIVERED: Text("đã đến", "delivered"),
        LetterState.BOUNCED_SOFT: Text("tạm chưa đến, sẽ gửi lại", "bounced temporarily"),
        LetterState.BOUNCED_HARD: Text("bị trả về", "bounced"),
        LetterState.REFUSED: Text("bị từ chối", "refused"),
        LetterState.UNKNOWN: Text("chưa rõ đã đến chưa", "outcome unknown"),
        LetterState.SUPPRESSED: Text("không gửi", "not sent"),
        LetterState.EXPIRED: Text("quá thời gian gửi", "expired before sending"),
        LetterState.KEPT_HERE: Text("để lại trên máy chủ, chưa gửi", "kept on this machine, not sent"),
    },
    EventKind: {
        EventKind.PLAN_LOADED: Text("Nạp kế hoạch", "Plan loaded"),
        EventKind.PLAN_ACTIVATED: Text("Kích hoạt kế hoạch", "Plan activated"),
        EventKind.PLAN_ENDED: Text("Kết thúc kế hoạch", "Plan ended"),
        EventKind.PLAN_YEARS_CORRECTED: Text("Sửa năm của kế hoạch", "Year of the plan corrected"),
        EventKind.PLAN_DRAFT_MADE: Text("Nhập văn bản kế hoạch", "Plan document imported"),
        EventKind.PLAN_DRAFT_CORRECTED: Text("Soát văn bản kế hoạch", "Plan document corrected"),
        EventKind.PLAN_DRAFT_ENDED: Text("Kết thúc soát văn bản", "Review of a plan document ended"),
        EventKind.SUPERVISOR_CHANGED: Text("Đổi cơ quan theo dõi kế hoạch", "Supervising department changed"),
        EventKind.OPENED: Text("Mở việc", "Opened"),
        EventKind.ACKNOWLEDGED: Text("Xác nhận đã nhận", "Acknowledged"),
        EventKind.REPORTED: Text("Gửi báo cáo", "Reported"),
        EventKind.ACCEPTED: Text("Tiếp nhận báo cáo", "Report accepted"),
        EventKind.RETURNED: Text("Trả lại báo cáo", "Report returned"),
        EventKind.UNDONE: Text("Hoàn tác", "Undone"),
        EventKind.PROMISED: Text("Hẹn ngày hoàn thành", "Promised"),
        EventKind.PROMISE_AGREED: Text("Đồng ý lời hẹn", "Promise agreed to"),
        EventKind.PROMISE_REFUSED: Text("Không đồng ý lời hẹn", "Promise refused"),
        EventKind.PROMISE_KEPT: Text("Giữ lời hẹn", "Promise kept"),
        EventKind.PROMISE_BROKEN: Text("Quá ngày đã hẹn", "Promise broken"),
        EventKind.EXTENSION_ASKED: Text("Xin gia hạn", "Extension requested"),
        EventKind.EXTENSION_GRANTED: Text("Đồng ý gia hạn", "Extension granted"),
        EventKind.EXTENSION_REFUSED: Text("Không đồng ý gia hạn", "Extension refused"),
        EventKind.CANCELLED: Text("Hủy việc", "Cancelled"),
        EventKind.TRANSFERRED: Text("Chuyển giao", "Transferred"),
        EventKind.FOLLOWED: Text("Cơ quan kết thúc, giữ trong số liệu của kỳ", "Agency ended, kept in the figures"),
        EventKind.REORGANISED: Text("Sắp xếp lại tổ chức", "Agencies reorganised"),
        EventKind.DECLINED: Text("Có ý kiến không thuộc nhiệm vụ của cơ quan", "Declined as not theirs"),
        EventKind.DUE_MOVED: Text("Chuyển hạn", "Due date moved"),
        EventKind.RUNG_FIRED: Text("Đến mốc nhắc", "Reminder due"),
        EventKind.RUNG_SKIPPED: Text("Bỏ qua mốc nhắc", "Reminder left out"),
        EventKind.CHASED: Text("Đôn đốc ngoài lịch", "Chased directly"),
        EventKind.DIGEST_MADE: Text("Làm tổng hợp tuần", "Weekly digest made"),
        EventKind.SETTINGS_CHANGED: Text("Sửa thiết lập", "Settings changed"),
        EventKind.WEBHOOK_CHANGED: Text("Thay đổi webhook", "Webhook changed"),
        EventKind.DIGEST_EMPTY: Text("Tuần không có gì để tổng hợp", "Nothing for the weekly digest"),
        EventKind.LETTER_SETTLED: Text("Biết kết quả gửi thư", "Delivery result recorded"),
        EventKind.LETTER_SUPPRESSED: Text("Không gửi thư", "Letter not sent"),
        EventKind.LETTERS_RELEASED: Text("Quyết định về thư được giữ lại", "Letters that were held decided"),
        EventKind.UNREACHABLE: Text("Không liên lạc được", "No contact reachable"),
        EventKind.LINKS_REVOKED: Text("Thu hồi liên kết", "Links revoked"),
        EventKind.CONTACT_CHANGED: Text("Đổi đầu mối liên hệ", "Contact changed"),
        EventKind.DIRECTORY_LOADED: Text("Nạp danh bạ", "Directory loaded"),
        EventKind.POLICY_LOADED: Text("Nạp chính sách", "Policy loaded"),
        EventKind.CALENDAR_CHANGED: Text("Sửa lịch làm việc", "Calendar changed"),
        EventKind.CLOCK_CONFIRMED: Text("Đồng hồ máy chủ được xác nhận", "The server's clock was confirmed"),
        EventKind.AUDIT_FAILED: Text("Tự kiểm tra thấy lỗi", "The self-audit found a problem"),
        EventKind.TEMPLATE_CHANGED: Text("Sửa mẫu thư", "Letter template changed"),
        EventKind.ACCOUNT_CHANGED: Text("Thay đổi tài khoản", "Account changed"),
        EventKind.SIGNED_IN: Text("Đăng nhập", "Signed in"),
        EventKind.DUTY_ADDED: Text("Bổ sung nhiệm vụ", "Duty added"),
        EventKind.DUTY_AMENDED: Text("Sửa nhiệm vụ", "Duty amended"),
        EventKind.DUTY_DROPPED: Text("Bỏ nhiệm vụ", "Duty dropped"),
        EventKind.EVIDENCE_STORED: Text("Tải lên tệp minh chứng", "Evidence uploaded"),
        EventKind.PAPER_RECORDED: Text("Đã phát hành công văn đôn đốc", "Dispatch issued"),
        EventKind.PAPER_DROPPED: Text("Bỏ dự thảo công văn", "Draft dispatch dropped"),
        EventKind.PAPER_SETTINGS: Text("Sửa thông tin ban hành văn bản", "Settings of papers changed"),
        EventKind.DIFFICULTY_RAISED: Text("Báo khó khăn, vướng mắc", "Difficulty raised"),
        EventKind.QUESTION_ASKED: Text("Hỏi", "Question asked"),
        EventKind.AD_HOC_REPORTED: Text("Gửi báo cáo đột xuất", "Ad hoc report sent"),
        EventKind.PROGRESS_TOLD: Text("Thông tin tiến độ", "Progress told"),
        EventKind.ENTRY_ANSWERED: Text("Trả lời", "Answered"),
        EventKind.PART_ADDED: Text("Góp phần phối hợp", "Coordinating agency's part added"),
        EventKind.EVIDENCE_REMOVED: Text("Xóa tệp minh chứng không báo cáo nào dùng", "Unused evidence removed"),
        EventKind.FIGURES_FROZEN: Text("Chốt số liệu", "Figures published"),
        EventKind.FEED_CHANGED: Text("Thay đổi địa chỉ lịch", "Calendar address changed"),
        EventKind.AGENCY_CHANGED: Text("Sửa danh bạ cơ quan", "Directory of agencies changed"),
    },
    Quiet: {
        Quiet.AWAITING_ACCEPTANCE: Text("đang chờ tiếp nhận báo cáo", "the report awaits acceptance"),
        Quiet.LADDER_ENDED: Text("đã qua mọi mốc nhắc và đôn đốc", "every reminder has passed"),
        Quiet.PLAN_ENDED: Text("kế hoạch đã kết thúc", "the plan has ended"),
        Quiet.NO_DEADLINE: Text("không có thời hạn", "there is no deadline"),
        Quiet.FOLLOWED: Text("cơ quan đã kết thúc, cơ quan kế thừa báo cáo", "the agency ended; a successor reports"),
    },
    Skip: {
        Skip.BEFORE_OPENING: Text("trước ngày mở việc", "before the assignment opened"),
        Skip.ACKNOWLEDGED: Text("đã xác nhận nên không hỏi lại", "acknowledged already"),
        Skip.OVERTAKEN: Text("mốc sau đến cùng lúc, chỉ gửi mốc mới nhất", "a later reminder was due at the same time"),
    },
    Dropped: {
        Dropped.REPORTED: Text("đã báo cáo nên không nhắc nữa", "reported, so no more reminders"),
        Dropped.CANCELLED: Text("việc đã hủy", "the assignment is cancelled"),
        Dropped.TRANSFERRED: Text("việc đã chuyển giao", "the assignment was transferred"),
        Dropped.ACKNOWLEDGED: Text("đã xác nhận nên sẽ không hỏi lại", "acknowledged, so it will not be asked again"),
        Dropped.PLAN_ENDED: Text("kế hoạch đã kết thúc nên không nhắc nữa", "the plan has ended"),
        Dropped.PASSED: Text("ngày này đã qua khi hạn thay đổi", "its day had passed when the due date changed"),
    },
    RungState: {
        RungState.FIRED: Text("đã gửi", "sent"),
        RungState.SKIPPED: Text("bỏ qua", "left out"),
        RungState.DUE: Text("đến lượt", "due now"),
        RungState.NEXT: Text("tiếp theo", "next"),
        RungState.LATER: Text("về sau", "later"),
        RungState.DROPPED: Text("sẽ không gửi", "will not be sent"),
    },
    Outcome: {outcome: outcome.words for outcome in Outcome},
    PlanState: {
        PlanState.LOADED: Text("đã lưu, chưa kích hoạt", "loaded, not running"),
        PlanState.ACTIVE: Text("đang thực hiện", "active"),
        PlanState.ENDED: Text("đã kết thúc", "ended"),
    },
    Urgency: {
        Urgency.NORMAL: Text("thường", "normal"),
        Urgency.KHAN: Text("khẩn", "urgent (khẩn)"),
        Urgency.THUONG_KHAN: Text("thượng khẩn", "very urgent (thượng khẩn)"),
        Urgency.HOA_TOC: Text("hỏa tốc", "most urgent (hỏa tốc)"),
    },
    Cadence: {cadence: cadence.words for cadence in Cadence},
    DayKind: {
        DayKind.HOLIDAY: Text("nghỉ lễ, Tết", "public holiday"),
        DayKind.DAY_OFF: Text("nghỉ bù, hoán đổi", "day off in lieu or swapped"),
        DayKind.WORKED: Text("làm bù", "worked instead"),
    },
    RuleSource: {
        RuleSource.LOCAL: Text("cấu hình của tỉnh, không phải của kế hoạch", "configured locally, not from the plan"),
        RuleSource.LAW: Text("theo văn bản pháp luật", "by law"),
        RuleSource.PLAN: Text("theo kế hoạch", "from the plan"),
    },
    OutputKind: KIND_WORDS,
    PromiseState: {
        PromiseState.WAITING: Text("chờ đồng ý", "to be agreed to"),
        PromiseState.STANDING: Text("đã hẹn", "promised"),
        PromiseState.KEPT: Text("đúng hẹn", "kept"),
        PromiseState.BROKEN: Text("quá ngày hẹn", "its day has passed"),
        PromiseState.REFUSED: Text("không đồng ý", "refused"),
        PromiseState.REPLACED: Text("không còn hiệu lực", "replaced"),
    },
    Waiting: {
        Waiting.ACCEPT: Text("báo cáo chờ tiếp nhận", "reports to accept"),
        Waiting.EXTENSION: Text("đề nghị gia hạn chờ quyết định", "extensions to decide"),
        Waiting.DECLINED: Text("có ý kiến không thuộc nhiệm vụ của cơ quan", "declined as not theirs"),
        Waiting.RAISED: Text("có khó khăn, câu hỏi chờ trả lời", "difficulties and questions to answer"),
        Waiting.PROMISE: Text("lời hẹn chờ đồng ý", "promises to agree to"),
    },
    Promised: {
        Promised.STANDING: Text("đã hẹn", "promised"),
        Promised.PAST: Text("lời hẹn đã qua", "the promise has passed"),
    },
    Trouble: {
        Trouble.HELD: Text(
            "Cơ sở dữ liệu có thể là bản cũ nên không thư nào rời máy; chạy «dondoc release» để quyết định.",
            "The database may be an earlier copy, so no letter leaves; run “dondoc release” to decide.",
        ),
        Trouble.NO_PASS: Text("Chưa có lần xử lý tự động nào được ghi lại.", "No pass has run yet."),
        Trouble.PASS_FAILED: Text("Có lần xử lý tự động bị lỗi.", "A pass has failed."),
        Trouble.PASS_SILENT: Text(
            "Đã quá 15 phút không có lần tự kiểm tra nào.", "The self-audit has been silent for 15 minutes."
        ),
        Trouble.CHANNEL_DOWN: Text("Có kênh gửi đang không dùng được.", "A channel is down."),
        Trouble.LETTERS_STUCK: Text(
            "Có thư chờ quá một giờ chưa gửi được.", "Letters have been stuck for over an hour."
        ),
        Trouble.AUDIT: Text("Lần tự kiểm tra gần nhất thấy lỗi.", "The last self-audit found problems."),
        Trouble.KEPT_HERE: Text(
            "Chưa cài máy chủ thư đi: có thư để lại trên máy chủ, chưa gửi cho ai.",
            "No mail relay is configured: letters are kept on this machine and sent to nobody.",
        ),
        Trouble.IN_DOUBT: Text(
            "Có thư hôm nay chưa rõ đã đến chưa.", "The outcome of some of today's letters is unknown."
        ),
    },
    Scenario: {
        Scenario.SILENT: Text("không phản hồi", "silent"),
        Scenario.PUNCTUAL: Text("đúng hạn", "punctual"),
        Scenario.LATE: Text("chậm", "late"),
        Scenario.MIXED: Text("hỗn hợp", "mixed"),
    },
}

for _kind, _words in LABELS.items():
    complete(_kind, _words)


def work_state(state: State, time_class: TimeClass | None, language: str) -> str:
    """The label of an assignment's state. What nobody acknowledged by its due date is no longer «mới giao»."""
    if state is State.ASSIGNED and time_class is TimeClass.OPEN_OVERDUE:
        return Text("chưa xác nhận", "not acknowledged").said(language)
    return label(state, language)


def label(value: StrEnum, language: str) -> str:
    """The label of an enumeration member."""
    return LABELS[type(value)][value].said(language)


def answers_read_words(read: Mapping[AnswerRead, int], days: int) -> Text:
    """The counter in a sentence: «Trong 30 ngày qua có 42 thư trả lời: ghi nhận ngay 20; …»; empty without answers."""
    total = sum(read.values())
    if not total:
        return Text.same("")
    vi, en = ("; ".join(f"{label(each, lang)} {n}" for each, n in read.items() if n) for lang in ("vi", "en"))
    return Text(f"Trong {days} ngày qua có {total} thư trả lời: {vi}.", f"Of {total} answers in {days} days: {en}.")
