"""The administration home page: a list of its pages, limited to those the user may open.

The audit log: who did what and when. All filters are in the URL, and the filtered list can be downloaded.
"""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import Response

from engine.accounts.permissions import Permission
from engine.admin.first_steps import must_do
from engine.assignments.handover import agencies_with_work_left
from engine.errors import NotAllowed
from engine.http.filters import Cursor, Logged, Sort
from engine.http.lists.list_columns import log_list
from engine.http.lists.listing import ExportFormat, download, filter_names
from engine.http.request_context import RequestContext, SignedIn
from engine.queries.directory import agency_choices
from engine.queries.filter_choices import plan_choices
from engine.queries.paging import DOWNLOAD_ROWS, every_row
from engine.queries.system.health import AUDIT, health
from engine.queries.system.log import Log, log
from engine.queries.work.assignment_story import Person
from engine.rules.words import coded
from engine.terms import EventKind
from engine.views.labels import label

router = APIRouter(include_in_schema=False)

LINES: tuple[tuple[str, str, str, str, str, tuple[Permission, ...]], ...] = (
    (
        "/admin/calendar",
        "Lịch làm việc",
        "Working calendar",
        "Ngày nghỉ lễ, nghỉ bù, làm bù; xem trước hạn nào chuyển rồi mới lưu.",
        "Holidays, days off in lieu, worked days; see which due dates move before saving.",
        (Permission.SEE_CALENDAR,),
    ),
    (
        "/admin/settings",
        "Thiết lập",
        "Settings",
        "Đã sẵn sàng đến đâu; gửi thư thử; mọi thiết lập của máy chủ, để xem.",
        "How far it is set up; a test letter; every setting, read-only.",
        (Permission.SEE_SETTINGS,),
    ),
    (
        "/admin/policies",
        "Chính sách nhắc việc",
        "Reminder policies",
        "Nhắc ai, khi nào, qua kênh nào; giờ gửi và giới hạn.",
        "Whom to remind, when and how; hours and limits.",
        (Permission.SEE_POLICIES,),
    ),
    (
        "/admin/agencies",
        "Cơ quan và đầu mối",
        "Agencies and contacts",
        "Ai nhận thư cho cơ quan nào; tên theo thời gian; cơ quan nào kế thừa việc gì.",
        "Who receives letters for which agency; names over time; successions.",
        (Permission.KEEP_CONTACTS, Permission.SEE_AGENCIES),
    ),
    (
        "/admin/accounts",
        "Tài khoản",
        "Accounts",
        "Ai đăng nhập được, cho cơ quan nào, với vai trò gì.",
        "Who may sign in, for which agency, with which role.",
        (Permission.SEE_ACCOUNTS,),
    ),
    (
        "/admin/log",
        "Nhật ký",
        "Log",
        "Mọi việc đã xảy ra: ai làm, khi nào; lọc và tải về.",
        "Everything that happened, by whom and when.",
        (Permission.SEE_LOG,),
    ),
    (
        "/health",
        "Hệ thống",
        "Health",
        "Lần xử lý tự động gần nhất, thư chưa gửi, các kênh gửi.",
        "The last passes, letters owed, the channels.",
        (Permission.SEE_HEALTH,),
    ),
    (
        "/help",
        "Tài liệu vận hành",
        "Manual",
        "Cài đặt, thư, sao lưu, nâng cấp, khi có sự cố: tài liệu của đúng phiên bản này.",
        "Installing, mail, backup, upgrades, what to do when something stops: that of this version.",
        (Permission.SEE_SETTINGS,),
    ),
    (
        "/admin/webhooks",
        "Webhook",
        "Webhooks",
        "Báo sự kiện cho hệ thống khác; tin nào đã nhận, tin nào chưa.",
        "Telling other systems of events; which messages arrived.",
        (Permission.SEE_WEBHOOKS,),
    ),
)
"""Path, name and purpose in both languages, and the permissions of which one is needed, within one's own agency at
least."""


@dataclass(frozen=True)
class HomeLine:
    path: str
    name: str
    purpose: str


@router.get("/admin")
def show(ctx: SignedIn) -> Response:
    lines = lines_of(ctx)
    if not lines:
        raise NotAllowed
    with ctx.reading() as (session, today):
        system_health = health(session, today, live=not ctx.demo) if ctx.may(Permission.SEE_HEALTH) else None
        work_left = ctx.kept(session, agencies_with_work_left, ctx.today) if ctx.may(Permission.KEEP_AGENCIES) else ()
    passes = system_health.passes if system_health else ()
    audited = next((each.finished_at for each in passes if each.name == AUDIT), None)
    return ctx.page(
        "admin/home.html",
        today=today,
        lines=lines,
        health=system_health,
        must=must_do(ctx.app.examine) if ctx.may(Permission.SEE_SETTINGS) else 0,
        audited=audited,
        work_left=work_left,
    )


def lines_of(ctx: RequestContext) -> list[HomeLine]:
    """The pages that the user may open, in their language."""
    index = 1 if ctx.language == "en" else 0
    return [
        HomeLine(path, (vi, en)[index], (what_vi, what_en)[index])
        for path, vi, en, what_vi, what_en, permissions in LINES
        if any(ctx.may(permission, ctx.actor.agency_id) for permission in permissions)
    ]


ACTORS = ("system", "account", "contact", "api", "cli", "desk")
"""The kinds of actors offered in the filter; a single actor is chosen by following their name in a line."""


@router.get("/admin/log")
def show_log(
    ctx: SignedIn, wanted: Logged, export_format: ExportFormat = None, after: Cursor = "", sort: Sort = ""
) -> Response:
    ctx.require(Permission.SEE_LOG)
    people: dict[str, Person] = {}
    listing = log_list(people)
    sort = listing.known_order(sort)
    oldest_first = sort == "at"
    with ctx.reading() as (session, today):
        if export_format:

            def some(cursor: str) -> Log:
                page = log(session, wanted, after=cursor, limit=DOWNLOAD_ROWS, oldest_first=oldest_first)
                people.update(page.people)
                return page

            names = filter_names(session, wanted.plan_id)
            return download(ctx, export_format, listing, every_row(some), names)
        found = log(session, wanted, after=after, oldest_first=oldest_first)
        plans, agencies = plan_choices(session, wanted.plan_id), agency_choices(session)
    kinds = sorted(((each.value, label(each, ctx.language)) for each in EventKind), key=lambda pair: pair[1])
    return ctx.page(
        "admin/log.html",
        today=today,
        listing=listing,
        found=found,
        wanted=wanted,
        sort=sort,
        plans=plans,
        agencies=agencies,
        kinds=kinds,
        actors=[(kind, coded(kind, ctx.language)) for kind in ACTORS],
    )
