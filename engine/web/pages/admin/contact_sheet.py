"""Contacts by spreadsheet: download the filled template, upload it, look at what each row would do, confirm.

The server keeps nothing in between: the form that confirms carries the rows, signed.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from itsdangerous import BadSignature, URLSafeSerializer

from engine.accounts.permissions import Permission
from engine.agencies import contact_import
from engine.errors import BadInput, Conflict
from engine.files.contact_sheet import MAX_FILE_BYTES, SheetRow, read_contact_sheet, write_contact_sheet
from engine.http.forms import Form
from engine.http.request_context import PostedForm, RequestContext, SignedIn, checked, read_form
from engine.text import Text

router = APIRouter(include_in_schema=False)
PATH = "/admin/contact-sheet"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


async def _uploaded(request: Request, ctx: SignedIn) -> Form:
    ctx.require(Permission.KEEP_AGENCIES)
    return checked(request, await read_form(request, most_files=1, most_bytes=MAX_FILE_BYTES))


@router.get(PATH)
def ask(ctx: SignedIn) -> Response:
    return _page(ctx)


@router.get(f"{PATH}/template.xlsx")
def template(ctx: SignedIn) -> Response:
    """The sheet with the contacts that are stored; telephone numbers are in it, so administrators alone get it."""
    ctx.require(Permission.KEEP_AGENCIES)
    with ctx.reading() as (session, _):
        rows = list(contact_import.exported(session, ctx.now, ctx.language))
    body = write_contact_sheet(rows, contact_import.choices(ctx.language), ctx.language)
    headers = {"content-disposition": 'attachment; filename="dau-moi.xlsx"', "cache-control": "no-store"}
    return Response(body, media_type=XLSX, headers=headers)


@router.post(PATH)
def preview(ctx: SignedIn, form: Annotated[Form, Depends(_uploaded)]) -> Response:
    """What each row would do. Nothing is changed."""
    try:
        files = form.files.get("sheet", ())
        if not files or not files[0].body:
            raise BadInput(Text("Chưa chọn tệp, hoặc tệp trống.", "No file was chosen, or it is empty."))
        rows = read_contact_sheet(files[0].body)
    except BadInput as error:
        return _page(ctx, sentence=error.said(ctx.language), status=error.status)
    return _page(ctx, rows)


@router.post(f"{PATH}/load")
def load(ctx: SignedIn, form: PostedForm) -> Response:
    """Do what was shown."""
    ctx.require(Permission.KEEP_AGENCIES)
    rows, mark = _carried(ctx, form.raw("rows"))
    try:
        with ctx.writing() as session:
            contact_import.apply(session, rows, previewed=mark, **ctx.by)
    except (BadInput, Conflict) as error:
        return _page(ctx, rows, sentence=error.said(ctx.language), status=error.status)
    return ctx.go("/admin/agencies")


def _page(ctx: RequestContext, rows: tuple[SheetRow, ...] = (), *, sentence: str = "", status: int = 200) -> Response:
    ctx.require(Permission.KEEP_AGENCIES)
    found = carried = None
    if rows:
        with ctx.reading() as (session, _):
            found = contact_import.compare(session, rows, ctx.now)
        plain = [asdict(row) for row in rows]
        carried = _serializer(ctx).dumps([plain, found.mark])
    return ctx.page("admin/contact_sheet.html", status, found=found, carried=carried, sentence=sentence)


def _carried(ctx: RequestContext, text: str) -> tuple[tuple[SheetRow, ...], str]:
    """The rows and the mark that the form carries. Raises BadInput unless the signature is ours."""
    try:
        rows, mark = _serializer(ctx).loads(text)
        return tuple(SheetRow(**row) for row in rows), str(mark)
    except (BadSignature, TypeError, ValueError):
        raise BadInput(
            Text("Bảng không còn đọc được; hãy tải lên lại.", "The sheet cannot be read; upload it again.")
        ) from None


def _serializer(ctx: RequestContext) -> URLSafeSerializer:
    return URLSafeSerializer(ctx.app.settings.signing_key(), salt="dondoc.contacts")
