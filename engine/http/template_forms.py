"""What pages and API share about editing letter templates: who may, and how a text is kept."""

from __future__ import annotations

from engine.accounts.permissions import Permission
from engine.errors import BadInput, NotFound
from engine.http.forms import plain
from engine.http.request_context import RequestContext
from engine.http.template_editor import TemplateEditor, TemplateFile
from engine.text import Text

MAX_TEMPLATE_CHARS = 50_000


def kept_text(text: str, file: TemplateFile) -> str:
    """A template as files are kept: one line break at the end. Raises BadInput."""
    try:
        text = plain(text)
    except BadInput:
        raise BadInput(Text(f"«{file.part}» có ký tự điều khiển.", "It holds control characters.")) from None
    if len(text) > MAX_TEMPLATE_CHARS:
        raise BadInput(
            Text(
                f"«{file.part}» dài quá {MAX_TEMPLATE_CHARS} ký tự.",
                f"It is longer than {MAX_TEMPLATE_CHARS} characters.",
            )
        )
    return text.rstrip("\n") + ("\n" if file.shipped.endswith("\n") else "")


def wording_of(ctx: RequestContext) -> TemplateEditor:
    """For whoever may change templates; not found where nothing knows them."""
    ctx.require(Permission.KEEP_TEMPLATES)
    if ctx.app.wording is None:
        raise NotFound
    return ctx.app.wording
