"""What is set up, measured; a test letter; and below it every setting, read-only, without secrets."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from itertools import groupby

from fastapi import APIRouter
from fastapi.responses import Response

from config.about import SECTIONS
from engine.accounts import accounts
from engine.accounts.permissions import Permission
from engine.accounts.rate_limit import Limit, count, enforce_rate_limit
from engine.admin.first_steps import CheckLine
from engine.admin.settings_view import describe_settings
from engine.errors import BadInput, NotFound
from engine.http.request_context import PostedForm, RequestContext, SignedIn
from engine.text import Text

router = APIRouter(include_in_schema=False)
TEST_LETTER = "test_letter"
TEST_LETTERS = Limit(20, timedelta(hours=1))
PLACES: Mapping[str, tuple[str, Text]] = {
    **dict.fromkeys(
        ("contacts", "coordinators"), ("/admin/contact-sheet", Text("Nhập bảng tính đầu mối", "Upload the contacts"))
    ),
    "calendar": ("/admin/calendar", Text("Nhập lịch nghỉ", "Enter the holidays")),
    "accounts": ("/admin/accounts", Text("Tạo tài khoản", "Create an account")),
    **dict.fromkeys(("plan", "activation"), ("/plans", Text("Mở kế hoạch", "Open the plans"))),
    "address": ("/admin/settings/address", Text("Đặt địa chỉ", "Set the address")),
    "smtp": ("/admin/settings/mail", Text("Đặt thư đi", "Set outgoing mail")),
    "sms": ("/admin/settings/sms", Text("Đặt tin nhắn", "Set SMS")),
    **dict.fromkeys(("letters", "held"), ("/health", Text("Xem hệ thống", "See the system"))),
}
"""Name of a line -> the page where it is put right, and its button; the others are put right on the server."""
SHOULD = frozenset(
    {"address", "arrival", "calendar", "contacts", "imap", "pairs", "plan", "activation", "sms", "watch"}
)
"""Lines without which the work still goes on; the others come first."""


@router.get("/admin/settings")
def show(ctx: SignedIn) -> Response:
    return _page(ctx)


@router.post("/admin/settings/connections")
def check_connections(ctx: SignedIn, form: PostedForm) -> Response:
    """Connect to relay, mailbox, SMS gateway and Prefect; nothing is sent."""
    ctx.require(Permission.KEEP_SETTINGS)
    return _page(ctx, connections=True)


@router.post("/admin/settings/test-letter")
def send_test_letter(ctx: SignedIn, form: PostedForm) -> Response:
    """Send a test letter to one's own mailbox, and show what the relay answered."""
    ctx.require(Permission.KEEP_SETTINGS)
    if ctx.app.send_test is None:
        raise NotFound
    to = own_mailbox(ctx)
    if not to:
        raise BadInput(Text("Thư thử gửi tới hộp thư của tài khoản.", "A test letter goes to an account's mailbox."))
    count_trial(ctx)
    accepted, answer = ctx.app.send_test(to, ctx.language, ctx.app.settings_now)
    return _page(ctx, tried=(accepted, to, answer.said(ctx.language)))


def _page(ctx: RequestContext, *, connections: bool = False, tried: tuple[bool, str, str] | None = None) -> Response:
    ctx.require(Permission.SEE_SETTINGS)
    lines: tuple[CheckLine, ...] = ctx.app.examine(connections) if ctx.app.examine else ()
    found = describe_settings(ctx.app.settings_now)
    groups = [(SECTIONS[key], list(each)) for key, each in groupby(found, lambda one: one.group)]
    return ctx.page(
        "admin/settings.html",
        groups=groups,
        lines=lines,
        settings=found,
        places=PLACES,
        should=SHOULD,
        tried=tried,
        may_try=ctx.app.send_test is not None and bool(own_mailbox(ctx)),
    )


def count_trial(ctx: RequestContext) -> None:
    """Raises TooOften: a trial connects to a server and sends something."""
    with ctx.writing() as session:
        enforce_rate_limit(session, TEST_LETTER, {ctx.actor.name: TEST_LETTERS}, ctx.now)
        count(session, TEST_LETTER, (ctx.actor.name,), ctx.now)


def own_mailbox(ctx: RequestContext) -> str:
    """That of the account; empty without one."""
    if ctx.actor.kind != "account":
        return ""
    with ctx.reading() as (session, _):
        return accounts.account(session, int(ctx.actor.id)).email
