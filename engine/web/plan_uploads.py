"""What pages of plans receive: a document, or a form that carries a whole plan file; and a plan file as a download.

The plan whose draft of a dispatch a user may open.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from fastapi import Request
from fastapi.responses import Response
from sqlmodel import Session
from starlette.datastructures import FormData, UploadFile

from engine.accounts.permissions import Permission
from engine.assignments.chasing import drafts_waiting
from engine.errors import NotAllowed
from engine.files.spreadsheet import MAX_DOCUMENT_BYTES, MAX_DOCUMENT_CHARS
from engine.http.forms import Form
from engine.http.request_context import RequestContext, SignedIn, binding_of, tools_of
from engine.http.security import MAX_BODY_BYTES, same_origin
from engine.queries.filter_choices import active_plans
from engine.text import Text

SAVING = Text("Đang lưu kế hoạch", "Saving the plan")
MAX_FORM_FIELDS = 20_000


@dataclass(frozen=True)
class Upload:
    """A document: an uploaded file or pasted text. ``raw`` is empty when there was none."""

    name: str
    raw: bytes
    do: str = ""
    """The button that was pressed, where there are several."""


async def received(request: Request, ctx: SignedIn) -> Upload:
    """A dependency: what was sent, by somebody who may load plans. A file is read to one byte above the limit."""
    ctx.require(Permission.LOAD_PLAN)
    _check_origin(request)
    async with request.form(max_files=1, max_fields=10, max_part_size=MAX_DOCUMENT_CHARS * 4) as sent:
        _check_token(request, sent)
        file, pasted, pressed = sent.get("document"), sent.get("text"), sent.get("do")
        do = pressed if isinstance(pressed, str) else ""
        if isinstance(file, UploadFile) and file.filename:
            name = re.split(r"[/\\]", file.filename)[-1]
            return Upload(_printable(name) or "văn bản", await file.read(MAX_DOCUMENT_BYTES + 1), do)
        return Upload("văn bản dán vào", pasted.encode() if isinstance(pasted, str) else b"", do)


def _check_origin(request: Request) -> None:
    if not same_origin(request.headers, tools_of(request).context.settings.base_url):
        raise NotAllowed(Text("Biểu mẫu gửi từ trang khác bị từ chối.", "A form sent from another site is refused."))


def _check_token(request: Request, sent: FormData) -> None:
    token = sent.get("token")
    tools_of(request).tokens.check(token if isinstance(token, str) else "", binding_of(request))


def _printable(name: str) -> str:
    return "".join(char for char in name if char.isprintable())[:120].strip()


async def typed_form(request: Request, ctx: SignedIn) -> Form:
    """A form that carries a whole plan file."""
    ctx.require(Permission.LOAD_PLAN)
    _check_origin(request)
    fields: dict[str, tuple[str, ...]] = {}
    async with request.form(max_files=0, max_fields=MAX_FORM_FIELDS, max_part_size=MAX_BODY_BYTES) as sent:
        _check_token(request, sent)
        for name, value in sent.multi_items():
            if isinstance(value, str):
                fields[name] = (*fields.get(name, ()), value)
    return Form(fields)


def plan_download(number: str, text: str) -> Response:
    """A plan file as a download."""
    name = re.sub(r"[^A-Za-z0-9]+", "-", number).strip("-").lower() or "plan"
    headers = {"content-disposition": f'attachment; filename="{name}.yaml"'}
    return Response(text, media_type="application/yaml; charset=utf-8", headers=headers)


def digest_of(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def draftable_plan(ctx: RequestContext, session: Session, plan_id: int | None) -> int | None:
    """The plan, or the newest active one, if the user's department follows it and may chase; else None."""
    return next(
        (
            each
            for each, supervisor in ctx.kept(session, active_plans)
            if plan_id in (None, each) and ctx.may(Permission.SEE_PAPERS, supervisor)
        ),
        None,
    )


def drafts_to_sign(ctx: RequestContext, session: Session, plan_id: int | None) -> int:
    """How many drafts of dispatches wait, of the plan or of all, that the user may see."""
    waiting = ctx.kept(session, drafts_waiting, ctx.today)
    return sum(plan_id in (None, plan) and ctx.may(Permission.SEE_PAPERS, department) for department, plan in waiting)
