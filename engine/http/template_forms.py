"""What pages and API share about editing letter templates: who may, and how a text is kept."""

from __future__ import annotations

from engine.accounts.permissions import Deed
from engine.errors import BadInput, NotFound
from engine.http.forms import plain
from engine.http.request_context import Visit
from engine.http.template_editor import TemplateFile, Wording
from engine.text import Text

LONGEST = 50_000


def kept_text(text: str, file: TemplateFile) -> str:
    """A template as files are kept: one line break at the end. Raises BadInput."""
    try:
        text = plain(text)
    except BadInput:
        raise BadInput(Text(f"«{file.part}» có ký tự điều khiển.", "It holds control characters.")) from None
    if len(text) > LONGEST:
        raise BadInput(Text(f"«{file.part}» dài quá {LONGEST} ký tự.", f"It is longer than {LONGEST} characters."))
    return text.rstrip("\n") + ("\n" if file.shipped.endswith("\n") else "")


def wording_of(visit: Visit) -> Wording:
    """For whoever may change templates; not found where nothing knows them."""
    visit.must(Deed.KEEP_TEMPLATES)
    if visit.context.wording is None:
        raise NotFound
    return visit.context.wording
