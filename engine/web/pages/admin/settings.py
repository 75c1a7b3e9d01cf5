"""What is set up, measured, and every setting, read-only, without secrets; outgoing mail and SMS and the address that
people open, set by an administrator: tried before they are saved, in force at once, credentials never shown.

What the environment decides is shown beside its field.

In force at once for letters and for the host name that is answered; cookies follow at the next start.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from itertools import groupby
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter
from fastapi.responses import Response

from config.about import SECTIONS
from config.settings import ENTERED, HIDDEN, Settings, is_guarded
from engine.accounts import accounts
from engine.accounts.permissions import Permission
from engine.accounts.rate_limit import Limit, count, enforce_rate_limit
from engine.admin import settings_view
from engine.admin.first_steps import CheckLine, to_do
from engine.admin.settings_view import describe_settings
from engine.errors import BadInput, FieldsRefused, NotFound
from engine.http.filters import Code
from engine.http.forms import FormFields
from engine.http.guards.known_browsers import require_proof, tell_before
from engine.http.request_context import PostedForm, RequestContext, SignedIn
from engine.http.security import SecurityEvent
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
        todo=to_do(lines),
        settings=found,
        places=PLACES,
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


PATH, NAME = "/admin/settings/address", "base_url"


@router.get(PATH)
def show_address(ctx: SignedIn, said: Code = "") -> Response:
    return _address_page(ctx, FormFields(), outcome=said)


@router.post(PATH)
def save(ctx: SignedIn, form: PostedForm) -> Response:
    ctx.require(Permission.KEEP_SETTINGS)
    typed = FormFields.of(form, NAME, whole=NAME)
    before = ctx.app.settings_now
    with ctx.reading() as (session, _):
        stored = settings_view.entered(session, ctx.app.signer).values

    def read() -> tuple[Settings, dict[str, object]]:
        values = {NAME: checked_address(typed.text(NAME))}
        return settings_view.typed_settings(before, stored, "address", values, {})

    made = typed.do(read)
    if made is None:
        return _address_page(ctx, typed)
    require_proof(ctx, form)
    if made[0] != before:
        tell_before(ctx, SecurityEvent.SETTINGS_CHANGED)
    with ctx.writing() as session:
        changed = settings_view.save(session, ctx.app.signer, before, *made, **ctx.by)
    return ctx.go(PATH, said="saved" if changed else "same")


def checked_address(typed: str) -> str:
    """«https://dondoc.tinh.example», without a path. Raises FieldsRefused."""
    address = typed.strip().rstrip("/")
    try:
        parts = urlsplit(address)
        whole = parts.scheme in ("http", "https") and parts.hostname and (parts.port or True)
    except ValueError:
        whole = False
    if not whole or parts.path or parts.query or parts.fragment or parts.username:
        raise FieldsRefused(
            {
                NAME: Text(
                    "Viết như https://dondoc.tinh.gov.vn, không có phần sau tên máy.",
                    "Write https:// and the host alone.",
                )
            }
        )
    if not is_guarded(address):
        raise FieldsRefused(
            {
                NAME: Text(
                    "Phải bắt đầu bằng https://: liên kết trong thư là chìa khóa.",
                    "It must begin with https://: links in letters are keys.",
                )
            }
        )
    return address


def _address_page(ctx: RequestContext, typed: FormFields, *, outcome: str = "") -> Response:
    ctx.require(Permission.KEEP_SETTINGS)
    settings = ctx.app.settings_now
    return ctx.page(
        "admin/settings_address.html",
        typed.status,
        typed=typed.filled([(NAME, settings.base_url)]),
        decided=settings.decided,
        outcome=outcome,
    )


TO = "to"


class ChannelPage(StrEnum):
    """The last part of the path."""

    MAIL = "mail"
    SMS = "sms"


@router.get("/admin/settings/{channel}")
def show_channels(ctx: SignedIn, channel: ChannelPage, said: Code = "") -> Response:
    return _channels_page(ctx, channel, FormFields(), outcome=said)


@router.post("/admin/settings/{channel}")
def save_or_try(ctx: SignedIn, form: PostedForm, channel: ChannelPage) -> Response:
    """``do`` is «try» or «save». Trying sends to one's own mailbox, or to the number that was typed."""
    ctx.require(Permission.KEEP_SETTINGS)
    names = ENTERED[channel]
    typed = FormFields.of(form, *names, TO, whole=names[0])
    values: dict[str, object] = {name: _typed(typed, name) for name in names}
    for name in _switches(names):
        values[name] = form.has(name)
        typed.fields[name] = "1" if form.has(name) else ""
    before = ctx.app.settings_now
    with ctx.reading() as (session, _):
        stored = settings_view.entered(session, ctx.app.signer).values
    known = settings_view.open_tried(ctx.app.signer, form.raw("tried"), ctx.actor.name)

    def read() -> tuple[Settings, dict[str, Any]]:
        after, entered = settings_view.typed_settings(before, stored, channel, values, known)
        if ctx.app.check_settings is not None:
            ctx.app.check_settings(after)
        return after, entered

    made = typed.do(read)
    if made is None:
        return _channels_page(ctx, channel, typed)
    if form.raw("do") == "try":
        return _try(ctx, channel, typed, *made)
    require_proof(ctx, form)
    if made[0] != before:
        tell_before(ctx, SecurityEvent.SETTINGS_CHANGED)
    with ctx.writing() as session:
        changed = settings_view.save(session, ctx.app.signer, before, *made, **ctx.by)
    return ctx.go(f"/admin/settings/{channel}", said="saved" if changed else "same")


def _try(
    ctx: RequestContext, channel: ChannelPage, typed: FormFields, settings: Settings, values: Mapping[str, object]
) -> Response:
    if ctx.app.send_test is None:
        raise NotFound
    to = own_mailbox(ctx) if channel is ChannelPage.MAIL else typed.text(TO, 40)
    if not to or (channel is ChannelPage.SMS and "@" in to):
        text = (
            Text("Thư thử gửi tới hộp thư của tài khoản.", "A test letter goes to an account's mailbox.")
            if channel is ChannelPage.MAIL
            else Text("Ghi số điện thoại nhận tin thử.", "Give the number that receives the test.")
        )
        typed.refuse({TO: text})
        return _channels_page(ctx, channel, typed)
    count_trial(ctx)
    try:
        accepted, answer = ctx.app.send_test(to, ctx.language, settings)
    except BadInput as error:
        accepted, answer = False, error.text
    tried = settings_view.seal_tried(ctx.app.signer, values, ctx.actor.name)
    return _channels_page(ctx, channel, typed, tried=tried, result=(accepted, to, answer.said(ctx.language)))


def _channels_page(
    ctx: RequestContext,
    channel: ChannelPage,
    typed: FormFields,
    *,
    outcome: str = "",
    tried: str = "",
    result: tuple[bool, str, str] | None = None,
) -> Response:
    ctx.require(Permission.KEEP_SETTINGS)
    settings, names = ctx.app.settings_now, ENTERED[channel]
    present = {name: _shown(settings, name) for name in names}
    shown = typed.filled(present.items())
    for name in names:  # what is decided elsewhere is shown as it is, and credentials never
        if name in settings.decided or name in HIDDEN:
            shown.fields[name] = present[name]
    response = ctx.page(
        f"admin/settings_{channel}.html",
        shown.status,
        typed=shown,
        decided=settings.decided,
        is_set={name for name in names if name in HIDDEN and _plain(settings, name)},
        own=own_mailbox(ctx),
        gammu=settings.sms_gammu_dir is not None,
        cost=_cost(ctx) if channel is ChannelPage.SMS else None,
        outcome=outcome,
        tried=tried,
        result=result,
    )
    response.headers["cache-control"] = "no-store"
    return response


def _cost(ctx: RequestContext) -> CheckLine | None:
    """What SMS cost lately, as the installation's check says it."""
    lines = ctx.app.examine(False) if ctx.app.examine else ()
    return next((line for line in lines if line.name == "sms_cost"), None)


def _typed(typed: FormFields, name: str) -> str:
    """A credential as it was typed, anything else on one line."""
    return typed.fields.get(name, "") if name in HIDDEN else typed.text(name)


def _switches(names: tuple[str, ...]) -> list[str]:
    return [name for name in names if Settings.model_fields[name].annotation is bool]


def _plain(settings: Settings, name: str) -> str:
    value = getattr(settings, name)
    return str(value.get_secret_value() if hasattr(value, "get_secret_value") else value)


def _shown(settings: Settings, name: str) -> str:
    if name in HIDDEN:
        return ""
    value = getattr(settings, name)
    return ("1" if value else "") if isinstance(value, bool) else str(value)
