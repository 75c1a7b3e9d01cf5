"""Importing a plan document: the upload, and the list of documents under review. The file itself is not kept; what was
read of it is, until it is saved as a plan (``import_review``)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from starlette.datastructures import FormData, UploadFile

from engine.accounts.permissions import Permission
from engine.agencies.stored_directory import read_directory
from engine.errors import BadInput, NotAllowed
from engine.http.filters import Code
from engine.http.forms import Form
from engine.http.guards.waiting import answered
from engine.http.request_context import RequestContext, SignedIn, binding_of, tools_of
from engine.http.security import MAX_BODY_BYTES, same_origin
from engine.plans.drafts.stored import make_draft
from engine.queries.figures.plan_drafts import plan_drafts
from engine.text import Text

router = APIRouter(include_in_schema=False)
READING, SAVING = Text("Đang đọc văn bản", "Reading the document"), Text("Đang lưu kế hoạch", "Saving the plan")
MAX_FORM_FIELDS = 20_000


@dataclass(frozen=True)
class Upload:
    """A document: an uploaded file or pasted text. ``raw`` is empty when there was none."""

    name: str
    raw: bytes
    do: str = ""
    """The button that was pressed, where there are several."""


async def received(request: Request, ctx: SignedIn) -> Upload:
    from engine.importer.reading.limits import LIMITS

    ctx.require(Permission.LOAD_PLAN)
    _check_origin(request)
    async with request.form(max_files=1, max_fields=10, max_part_size=LIMITS.characters * 4) as sent:
        _check_token(request, sent)
        file, pasted, pressed = sent.get("document"), sent.get("text"), sent.get("do")
        do = pressed if isinstance(pressed, str) else ""
        if isinstance(file, UploadFile) and file.filename:
            name = re.split(r"[/\\]", file.filename)[-1]
            return Upload(_printable(name) or "văn bản", await file.read(LIMITS.file_bytes + 1), do)
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


@router.get("/plans/import")
def ask(ctx: SignedIn, said: Code = "") -> Response:
    ctx.require(Permission.LOAD_PLAN)
    return _form(ctx, outcome=said)


@router.post("/plans/import")
def receive(ctx: SignedIn, upload: Annotated[Upload, Depends(received)]) -> Response:
    """Keep what a document says for its review; a rejected document shows the form again, with the reason."""
    from engine.importer.limited import read_limited
    from engine.plans.drafts.reading import draft_of

    def read() -> int:
        if not upload.raw.strip():
            raise BadInput(Text("Chưa chọn tệp, hoặc tệp trống.", "No file was chosen, or it is empty."))
        with ctx.reading() as (session, _):
            directory = read_directory(session)
        draft = draft_of(read_limited(upload.raw, upload.name, directory), directory)
        with ctx.writing() as session:
            return make_draft(session, draft, **ctx.by)

    def shown(after: RequestContext, result: Callable[[], int]) -> Response:
        try:
            return after.go(f"/plans/drafts/{result()}")
        except BadInput as error:
            return _form(after, error.said(after.language), error.status)

    return answered(ctx, READING, ("import", upload.name, digest_of(upload.raw)), read, shown)


def _form(ctx: RequestContext, sentence: str = "", status: int = 200, outcome: str = "") -> Response:
    with ctx.reading() as (session, today):
        drafts, people = plan_drafts(session)
    return ctx.page(
        "import.html", status, today=today, sentence=sentence, drafts=drafts, people=people, outcome=outcome
    )
