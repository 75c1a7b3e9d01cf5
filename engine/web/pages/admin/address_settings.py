"""The address that people open, set by an administrator: links in letters begin with it. In force at once for letters
and for the host name that is answered; cookies follow at the next start."""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi import APIRouter
from fastapi.responses import Response

from config.settings import Settings, is_guarded
from engine.accounts.permissions import Permission
from engine.admin import entered_settings
from engine.errors import FieldsRefused
from engine.http.filters import Code
from engine.http.forms import FormFields
from engine.http.guards.known_browsers import require_proof, tell_before
from engine.http.request_context import PostedForm, RequestContext, SignedIn
from engine.http.security import SecurityEvent
from engine.text import Text

router = APIRouter(include_in_schema=False)
PATH, NAME = "/admin/settings/address", "base_url"


@router.get(PATH)
def show(ctx: SignedIn, said: Code = "") -> Response:
    return _page(ctx, FormFields(), outcome=said)


@router.post(PATH)
def save(ctx: SignedIn, form: PostedForm) -> Response:
    ctx.require(Permission.KEEP_SETTINGS)
    typed = FormFields.of(form, NAME, whole=NAME)
    before = ctx.app.settings_now
    with ctx.reading() as (session, _):
        stored = entered_settings.entered(session, ctx.app.signer).values

    def read() -> tuple[Settings, dict[str, object]]:
        values = {NAME: checked_address(typed.text(NAME))}
        return entered_settings.typed_settings(before, stored, "address", values, {})

    made = typed.do(read)
    if made is None:
        return _page(ctx, typed)
    require_proof(ctx, form)
    if made[0] != before:
        tell_before(ctx, SecurityEvent.SETTINGS_CHANGED)
    with ctx.writing() as session:
        changed = entered_settings.save(session, ctx.app.signer, before, *made, **ctx.by)
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


def _page(ctx: RequestContext, typed: FormFields, *, outcome: str = "") -> Response:
    ctx.require(Permission.KEEP_SETTINGS)
    settings = ctx.app.settings_now
    return ctx.page(
        "admin/settings_address.html",
        typed.status,
        typed=typed.filled([(NAME, settings.base_url)]),
        decided=settings.decided,
        outcome=outcome,
    )
