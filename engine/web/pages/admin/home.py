"""The administration's home: a quiet list of its pages, each shown only to who may."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import Response

from engine.accounts.permissions import Deed
from engine.assignments.handover import agencies_with_work_left
from engine.http.request_context import Desk, Visit
from engine.queries.system.health import AUDIT, health

router = APIRouter()

LINES: tuple[tuple[str, str, str, str, str, Deed], ...] = (
    (
        "/admin/calendar",
        "Lịch làm việc",
        "Working calendar",
        "Ngày nghỉ lễ, nghỉ bù, làm bù; xem trước hạn nào dời rồi mới lưu.",
        "Holidays, days off in lieu, worked days; see which due dates move before saving.",
        Deed.KEEP_CALENDAR,
    ),
    (
        "/admin/settings",
        "Thiết lập",
        "Settings",
        "Mọi thiết lập của máy chủ, để xem.",
        "Every setting of the server, to be read.",
        Deed.SEE_SETTINGS,
    ),
    (
        "/admin/policies",
        "Chính sách nhắc việc",
        "Reminder policies",
        "Nhắc ai, khi nào, qua kênh nào; giờ gửi và giới hạn.",
        "Whom to remind, when and how; hours and limits.",
        Deed.KEEP_POLICIES,
    ),
    (
        "/admin/agencies",
        "Cơ quan và đầu mối",
        "Agencies and contacts",
        "Ai nhận thư cho cơ quan nào; tên theo thời gian; cơ quan nào kế thừa việc gì.",
        "Who receives letters for which agency; names in time; who took over what.",
        Deed.KEEP_CONTACTS,
    ),
    (
        "/admin/accounts",
        "Tài khoản",
        "Accounts",
        "Ai đăng nhập được, cho cơ quan nào, với vai trò gì.",
        "Who may sign in, for which agency, in what capacity.",
        Deed.KEEP_ACCOUNTS,
    ),
    (
        "/admin/log",
        "Nhật ký",
        "Log",
        "Mọi việc đã xảy ra: ai làm, khi nào; lọc và tải về.",
        "Everything that happened, by whom and when.",
        Deed.SEE_LOG,
    ),
    (
        "/health",
        "Hệ thống",
        "Health",
        "Lượt chạy gần nhất, thư còn nợ, các kênh gửi.",
        "The last passes, letters owed, the channels.",
        Deed.SEE_HEALTH,
    ),
    (
        "/admin/templates",
        "Mẫu thư",
        "Letter templates",
        "Câu chữ của thư và tin nhắn; thử trước khi lưu.",
        "The words of letters and messages; tried before saving.",
        Deed.KEEP_TEMPLATES,
    ),
)
"""Path, its name and what it is for, in both languages, and the deed that it takes; within one's own body is enough."""


@dataclass(frozen=True)
class Line:
    path: str
    name: str
    purpose: str


@router.get("/admin")
def show(visit: Desk) -> Response:
    visit.must(Deed.KEEP_CONTACTS, visit.actor.agency_id)
    with visit.reading() as (session, today):
        found = health(session, today, live=not visit.demo) if visit.may(Deed.SEE_HEALTH) else None
        work_left = agencies_with_work_left(session, visit.now) if visit.may(Deed.KEEP_AGENCIES) else ()
    passes = found.passes if found else ()
    audited = next((each.finished_at for each in passes if each.name == AUDIT), None)
    return visit.page(
        "admin/home.html", today=today, lines=lines_of(visit), health=found, audited=audited, work_left=work_left
    )


def lines_of(visit: Visit) -> list[Line]:
    """The pages that the visitor may open, in his language."""
    at = 1 if visit.language == "en" else 0
    return [
        Line(path, (vi, en)[at], (what_vi, what_en)[at])
        for path, vi, en, what_vi, what_en, deed in LINES
        if visit.may(deed, visit.actor.agency_id)
    ]
