"""Outgoing mail and SMS, set by an administrator: tried before they are saved, in force at once, credentials never
shown. What the environment decides is shown beside its field."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from config.settings import ENTERED, HIDDEN, Settings
from engine.accounts.permissions import Permission
from engine.admin import entered_settings
from engine.admin.first_steps import CheckLine
from engine.errors import BadInput, NotFound
from engine.http.filters import Code
from engine.http.forms import FormFields
from engine.http.guards.known_browsers import require_proof, tell_before
from engine.http.request_context import PostedForm, RequestContext, SignedIn
from engine.http.security import SecurityEvent
from engine.text import Text
from engine.web.pages.admin.settings import count_trial, own_mailbox

router = APIRouter(include_in_schema=False)
TO = "to"


class ChannelPage(StrEnum):
    """The last part of the path."""

    MAIL = "mail"
    SMS = "sms"


@router.get("/admin/settings/{channel}")
def show(ctx: SignedIn, channel: ChannelPage, said: Code = "") -> Response:
    return _page(ctx, channel, FormFields(), outcome=said)


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
        stored = entered_settings.entered(session, ctx.app.signer).values
    known = entered_settings.open_tried(ctx.app.signer, form.raw("tried"), ctx.actor.name)

    def read() -> tuple[Settings, dict[str, Any]]:
        after, entered = entered_settings.typed_settings(before, stored, channel, values, known)
        if ctx.app.check_settings is not None:
            ctx.app.check_settings(after)
        return after, entered

    made = typed.do(read)
    if made is None:
        return _page(ctx, channel, typed)
    if form.raw("do") == "try":
        return _try(ctx, channel, typed, *made)
    require_proof(ctx, form)
    if made[0] != before:
        tell_before(ctx, SecurityEvent.SETTINGS_CHANGED)
    with ctx.writing() as session:
        changed = entered_settings.save(session, ctx.app.signer, before, *made, **ctx.by)
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
        return _page(ctx, channel, typed)
    count_trial(ctx)
    try:
        accepted, answer = ctx.app.send_test(to, ctx.language, settings)
    except BadInput as error:
        accepted, answer = False, error.text
    tried = entered_settings.seal_tried(ctx.app.signer, values, ctx.actor.name)
    return _page(ctx, channel, typed, tried=tried, result=(accepted, to, answer.said(ctx.language)))


def _page(
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
