"""Importing a plan document: upload, review, correct, save. The server keeps nothing between requests: the form carries
the imported data, signed, and the typed values, so nothing is lost on an error and no document is left behind."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from itsdangerous import BadSignature, URLSafeSerializer
from starlette.datastructures import FormData, UploadFile

from engine.accounts.permissions import Permission
from engine.agencies.stored_directory import read_directory
from engine.errors import BadInput, Conflict, DondocError, NotAllowed
from engine.files.directory import DirectoryFile
from engine.files.yaml_reader import dump
from engine.http.forms import Form
from engine.http.request_context import RequestContext, SignedIn, binding_of, tools_of
from engine.http.security import MAX_REVIEW_BYTES, same_origin
from engine.limited_process import CallFailed, LimitExceeded, shared_process
from engine.plans import loading
from engine.text import Text
from engine.web.pages.plans.import_review import (
    Fields,
    Sheet,
    checked,
    fields_of,
    names,
    reviewed,
    sheet_of,
    unfinished,
)
from engine.web.pages.plans.import_review_pages import Leaves, aside, merged

if TYPE_CHECKING:
    from engine.importer import ImportedPlan

router = APIRouter()
MAX_FORM_FIELDS = 20_000


@dataclass(frozen=True)
class Upload:
    """A document: an uploaded file or pasted text. ``raw`` is empty when there was none."""

    name: str
    raw: bytes
    do: str = ""
    """The button that was pressed, where there are several."""


def _check_origin(request: Request) -> None:
    if not same_origin(request.headers, tools_of(request).context.settings.base_url):
        raise NotAllowed(Text("Biểu mẫu gửi từ trang khác bị từ chối.", "A form sent from another site is refused."))


def _check_token(request: Request, sent: FormData) -> None:
    token = sent.get("token")
    tools_of(request).tokens.check(token if isinstance(token, str) else "", binding_of(request))


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


def _printable(name: str) -> str:
    return "".join(char for char in name if char.isprintable())[:120].strip()


async def _typed(request: Request, ctx: SignedIn) -> Form:
    ctx.require(Permission.LOAD_PLAN)
    _check_origin(request)
    fields: dict[str, tuple[str, ...]] = {}
    async with request.form(max_files=0, max_fields=MAX_FORM_FIELDS, max_part_size=MAX_REVIEW_BYTES) as sent:
        _check_token(request, sent)
        for name, value in sent.multi_items():
            if isinstance(value, str):
                fields[name] = (*fields.get(name, ()), value)
    return Form(fields)


@router.get("/plans/import")
def ask(ctx: SignedIn) -> Response:
    ctx.require(Permission.LOAD_PLAN)
    return ctx.page("import.html", sentence="")


@router.post("/plans/import")
def receive(ctx: SignedIn, upload: Annotated[Upload, Depends(received)]) -> Response:
    """Show the review page of a document; a rejected document shows the form again, with the reason."""
    try:
        if not upload.raw.strip():
            raise BadInput(Text("Chưa chọn tệp, hoặc tệp trống.", "No file was chosen, or it is empty."))
        with ctx.reading() as (session, _):
            directory = read_directory(session)
        sheet = sheet_of(_read(upload, directory), directory)
    except BadInput as error:
        return ctx.page("import.html", error.status, sentence=error.said(ctx.language))
    return _page(ctx, ShownReview(sheet, directory, fields_of(sheet, directory), 0))


def _read(upload: Upload, directory: DirectoryFile) -> ImportedPlan:
    """The plan in a document, read in a child process: a long or a hostile one must not hold up the server. Raises
    BadInput."""
    from engine.importer import read_document
    from engine.importer.reading.limits import LIMITS, refused

    try:
        return shared_process("import").call(
            LIMITS.read_seconds, read_document, upload.raw, upload.name, directory=directory
        )
    except (LimitExceeded, CallFailed) as error:
        raise refused(upload.name, "slow") from error


@router.get("/plans/review")
def again(ctx: SignedIn) -> Response:
    """The review exists only in its form, so a GET starts again."""
    return ctx.go("/plans/import")


@router.post("/plans/review")
def decide(ctx: SignedIn, form: Annotated[Form, Depends(_typed)]) -> Response:
    """Save the plan, download its file, turn the page, or render the page again (in another language)."""
    sheet = _load_sheet(ctx, form.raw("sheet"))
    elsewhere, number = _load_aside(ctx, form.raw("aside"))
    with ctx.reading() as (session, _):
        directory = read_directory(session)
    leaves, do = Leaves.of(sheet), form.raw("do")
    at = leaves.clamp(number)
    fields = merged(fields_of(sheet, directory), elsewhere, form.fields, leaves.pages[at])
    shown = ShownReview(sheet, directory, fields, at)
    only_render = do == "look" or do.startswith("page:")
    if only_render:
        target = do.removeprefix("page:")
        at = leaves.clamp(int(target)) if re.fullmatch(r"[0-9]{1,4}", target) else at
        if not form.has("wrong"):
            return _page(ctx, replace(shown, at=at))
    out = reviewed(sheet, fields, directory)
    plan = checked(out, directory)
    if only_render:  # after a rejected save, errors stay beside their fields on every page
        return _page(ctx, replace(shown, at=at), problems=out.problems)
    if do == "file":
        return plan_download(str(out.data["number"]), dump(plan) if plan else unfinished(out))
    if plan is None:
        first = min(map(leaves.page_of, out.problems), default=at)
        return _page(ctx, replace(shown, at=first), problems=out.problems, status=422)
    try:
        with ctx.writing() as session:
            plan_id = loading.load_plan(session, plan, actor=ctx.actor.name, now=ctx.now)
    except (BadInput, Conflict) as error:
        return _page(ctx, shown, error=error, status=error.status)
    return ctx.go(f"/plans/{plan_id}", said="loaded")


def plan_download(number: str, text: str) -> Response:
    """A plan file as a download."""
    name = re.sub(r"[^A-Za-z0-9]+", "-", number).strip("-").lower() or "plan"
    headers = {"content-disposition": f'attachment; filename="{name}.yaml"'}
    return Response(text, media_type="application/yaml; charset=utf-8", headers=headers)


@dataclass(frozen=True)
class ShownReview:
    """The state of a review: all fields, and the page shown."""

    sheet: Sheet
    directory: DirectoryFile
    fields: Fields
    at: int


def _page(
    ctx: RequestContext,
    shown: ShownReview,
    *,
    problems: Mapping[str, list[Text]] | None = None,
    error: DondocError | None = None,
    status: int = 200,
) -> Response:
    sheet, fields, agencies = shown.sheet, shown.fields, names(shown.directory)
    carried = _serializer(ctx).dumps([sheet.name, sheet.found, sheet.draft])
    leaves = Leaves.of(sheet)
    parts = leaves.pages[shown.at]
    kept = _serializer(ctx).dumps([aside(fields_of(sheet, shown.directory), fields, parts), shown.at])
    return ctx.page(
        "review.html",
        status,
        sheet=sheet,
        carried=carried,
        fields=fields,
        problems=problems or {},
        bodies=agencies,
        leaves=leaves,
        leaf=shown.at,
        parts=parts,
        aside=kept,
        known={*agencies, *agencies.values()},
        doubts=_doubts(sheet),
        sentence=error.said(ctx.language) if error else "",
    )


def _doubts(sheet: Sheet) -> dict[str, Any]:
    """Warnings grouped for the page: duties without a due date, the others, and all by place."""
    undated = [each["place"] for each in sheet.found["warnings"] if each["code"] == "no_due_date"]
    others = [each for each in sheet.found["warnings"] if each["code"] != "no_due_date"]
    by_place: dict[str, list[str]] = {}
    for each in others:
        by_place.setdefault(each["place"], []).append(each["message"])
    return {"undated": undated, "others": others, "by_place": by_place}


def _serializer(ctx: RequestContext) -> URLSafeSerializer:
    return URLSafeSerializer(ctx.app.settings.signing_key(), salt="dondoc.import")


def _load_aside(ctx: RequestContext, carried: str) -> tuple[Fields, int]:
    """Values typed on other pages, and the page shown. Raises BadInput unless the signature is ours."""
    try:
        fields, at = _serializer(ctx).loads(carried)
        return {str(name): tuple(map(str, values)) for name, values in fields.items()}, int(at)
    except (BadSignature, AttributeError, TypeError, ValueError):
        raise _unreadable() from None


def _unreadable() -> BadInput:
    return BadInput(
        Text(
            "Bản nháp không còn đọc được; hãy tải lại văn bản.", "The draft cannot be read; upload the document again."
        )
    )


def _load_sheet(ctx: RequestContext, carried: str) -> Sheet:
    """The imported data carried by the form. Raises BadInput unless the signature is ours."""
    try:
        return Sheet(*_serializer(ctx).loads(carried))
    except (BadSignature, TypeError):
        raise _unreadable() from None
