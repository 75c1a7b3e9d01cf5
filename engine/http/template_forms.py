"""Editing letter templates, for pages and API: permission check and text normalisation."""

from __future__ import annotations

from engine.accounts.permissions import Permission
from engine.errors import BadInput, NotFound
from engine.http.forms import plain
from engine.http.request_context import RequestContext
from engine.http.template_editor import TemplateEditor, TemplateFile
from engine.text import Text

MAX_TEMPLATE_CHARS = 50_000


def normalize_template(text: str, file: TemplateFile) -> str:
    """The text as stored: normalised, with one line break at the end. Raises BadInput."""
    try:
        text = plain(text)
    except BadInput:
        raise BadInput(Text(f"«{file.part}» có ký tự điều khiển.", "It contains control characters.")) from None
    if len(text) > MAX_TEMPLATE_CHARS:
        raise BadInput(
            Text(
                f"«{file.part}» dài quá {MAX_TEMPLATE_CHARS} ký tự.",
                f"It is longer than {MAX_TEMPLATE_CHARS} characters.",
            )
        )
    return text.rstrip("\n") + ("\n" if file.shipped.endswith("\n") else "")


def template_editor_of(ctx: RequestContext, permission: Permission = Permission.KEEP_TEMPLATES) -> TemplateEditor:
    """The template editor. Raises NotAllowed, and NotFound when none is configured."""
    ctx.require(permission)
    if ctx.app.wording is None:
        raise NotFound
    return ctx.app.wording
