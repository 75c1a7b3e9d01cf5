"""The settings, read-only; secrets are not shown."""

from __future__ import annotations

from itertools import groupby

from fastapi import APIRouter
from fastapi.responses import Response

from engine.accounts.permissions import Permission
from engine.admin.settings_view import GROUPS, describe_settings
from engine.http.request_context import SignedIn

router = APIRouter()


@router.get("/admin/settings")
def show(ctx: SignedIn) -> Response:
    ctx.require(Permission.SEE_SETTINGS)
    found = describe_settings(ctx.app.settings)
    groups = [(GROUPS[key], list(each)) for key, each in groupby(found, lambda one: one.group)]
    return ctx.page("admin/settings.html", groups=groups)
