"""The letter templates under /api/v1: read, try, save."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import Response
from pydantic import BaseModel, Field

from engine.accounts.permissions import Permission
from engine.api.caller import Caller
from engine.api.models import Body, Out
from engine.api.operations import NamedRoute, reads, writes
from engine.errors import BadInput
from engine.http.error_pages import answer
from engine.http.filters import Plain
from engine.http.template_forms import MAX_TEMPLATE_CHARS, normalize_template, template_editor_of
from engine.text import Text

router = APIRouter(route_class=NamedRoute)
Language = Annotated[str, Plain, Path(max_length=8)]
Kind = Annotated[str, Plain, Path(max_length=32)]


class TemplateOut(Out):
    part: str
    text: str
    own: bool
    """Whether it differs from the shipped template."""


class TemplatesBody(Body):
    """The files to change, by part; parts not listed stay. With ``try_only`` nothing is saved."""

    texts: dict[Annotated[str, Plain, Field(max_length=64)], Annotated[str, Field(max_length=2 * MAX_TEMPLATE_CHARS)]]
    try_only: bool = False


class TemplatesSaved(BaseModel):
    changed: int


@router.get("/templates/{language}/{kind}")
@reads("Mẫu thư", "Read letter templates")
def templates(caller: Caller, language: Language, kind: Kind) -> list[TemplateOut]:
    files = template_editor_of(caller, Permission.SEE_TEMPLATES).files(language, kind)
    return [TemplateOut.model_validate(each) for each in files]


@router.put("/templates/{language}/{kind}", response_model=TemplatesSaved)
@writes("Sửa mẫu thư", "Save letter templates", texts={"subject.txt": "[Sở] cần đôn đốc"}, try_only=True)
def save_templates(caller: Caller, payload: TemplatesBody, language: Language, kind: Kind) -> TemplatesSaved | Response:
    """Templates with errors are not saved; all errors are returned with file and line. Saving the same text changes
    nothing."""
    editor = template_editor_of(caller)
    files = {each.part: each for each in editor.files(language, kind)}
    unknown = sorted(set(payload.texts) - set(files))
    if unknown:
        raise BadInput(Text(f"Không có tệp mẫu {unknown[0][:64]}.", f"There is no template file {unknown[0][:64]}."))
    texts = {part: normalize_template(text, files[part]) for part, text in payload.texts.items()}
    problems = editor.problems(language, kind, texts)
    if problems:
        errors = [{"field": f"{each.file}:{each.line}", "what": each.what.said(caller.language)} for each in problems]
        return answer(caller.request, 422, "; ".join(f"{each['field']}: {each['what']}" for each in errors), errors)
    if payload.try_only:
        return TemplatesSaved(changed=0)
    changed = editor.save(language, kind, texts, **caller.by)
    return TemplatesSaved(changed=changed)
